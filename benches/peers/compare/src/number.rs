//! Numbers as text.

/// About three digits that count, thousands set apart; two of what is less than a tenth.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        0.1.. | 0.0 => 2,
        0.01.. => 3,
        0.001.. => 4,
        _ => 5,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if fraction.is_empty() { text } else { format!("{text}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let texts = [0.000_12, 0.012_34, 0.1234, 0.0, 5.0, 12.34, 123.4, 1_234.0, 1_234_567.0].map(number);
        assert_eq!(texts, ["0.00012", "0.012", "0.12", "0.00", "5.00", "12.3", "123", "1,234", "1,234,567"]);
    }
}
