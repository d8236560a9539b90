//! Sizes as people and programs write them.

/// `4096`, `1,234`, `4k` or `4KiB` in powers of 1024, `4kB` in powers of 1000; `None` of anything else.
pub(crate) fn byte_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mi" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        _ => return None,
    };
    let mut groups = number.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = !number.contains(',') || (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    number.replace(',', "").parse::<u64>().ok().filter(|_| is_grouped)?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, expected) in [
            ("4096", Some(4_096)),
            (" 4k ", Some(4_096)),
            ("4kB", Some(4_000)),
            ("1 MiB", Some(1 << 20)),
            ("1,234", Some(1_234)),
            ("12,34", None),
            ("1.5", None),
            ("-1", None),
            ("", None),
            ("4 kilos", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(byte_size(text), expected, "{text}");
        }
    }
}
