//! Sizes as people and programs write them.

use crate::units;

/// `4096`, `1,234`, `4k` or `4KiB` in powers of 1024, `4kB` in powers of 1000; `None` of anything else.
pub(crate) fn byte_size(text: &str) -> Option<u64> {
    let (digits, unit) = units::split_unit(text)?;
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "ki" | "kib" => 1 << 10,
        "kb" => 1_000,
        "m" | "mi" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
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
