//! CPU time and memory, as people write them.

use crate::units;

/// Most cores of a machine.
const MOST_CORES: f64 = 4_096.0;
/// Least CPU time, cores: the kernel rations in periods of 100 ms and gives 1 ms at least.
const LEAST_CORES: f64 = 0.05;
const MIB_PER_GIB: f64 = 1_024.0;
/// Most memory, MiB: 64 TiB.
const MOST_MIB: f64 = 67_108_864.0;

/// What [`millicores`] reads.
pub(crate) const CORES: &str = "a number of cores from 0.05 to 4,096, such as `2` or `0.5`";

/// Thousandths of a core: `2`, `0.5`, `.5`.
pub(crate) fn millicores(text: &str) -> Option<u64> {
    let cores = number(text).filter(|cores| (LEAST_CORES..=MOST_CORES).contains(cores))?;
    Some(rounded(cores * 1e3))
}

/// MiB of memory: a number of GiB (`4`, `0.5`), or a number with its unit (`512 MiB`, `4GiB`, `16 GB`). As machines are
/// sold, a GB of memory is a GiB.
pub(crate) fn ram_mb(text: &str) -> Option<u64> {
    memory(text, MIB_PER_GIB)
}

/// The same, but a number without a unit is one of MiB.
pub(crate) fn ram_mib(text: &str) -> Option<u64> {
    memory(text, 1.0)
}

fn memory(text: &str, mib_without_unit: f64) -> Option<u64> {
    let (digits, unit) = units::split_unit(text)?;
    let mib_per_unit = match unit.to_ascii_lowercase().as_str() {
        "" => mib_without_unit,
        "g" | "gb" | "gi" | "gib" => MIB_PER_GIB,
        "m" | "mb" | "mi" | "mib" => 1.0,
        "t" | "tb" | "ti" | "tib" => MIB_PER_GIB * MIB_PER_GIB,
        _ => return None,
    };
    let mib = digits.parse::<f64>().ok()? * mib_per_unit;
    (1.0..=MOST_MIB).contains(&mib).then(|| rounded(mib))
}

/// A number without a unit.
pub(super) fn number(text: &str) -> Option<f64> {
    let (digits, unit) = units::split_unit(text)?;
    if unit.is_empty() { digits.parse().ok() } else { None }
}

/// A number in a range that was checked, as a whole one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a range that was checked")]
pub(super) const fn rounded(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_numbers_with_fractions() {
        for (text, expected) in [("2", 2_000), ("0.5", 500), (".25", 250), (" 1.5 ", 1_500), ("4,096", 4_096_000)] {
            assert_eq!(millicores(text), Some(expected), "{text}");
        }
        for text in ["", "0", "0.01", "-2", "two", "1e4", "inf", "NaN", "4097", "2,5"] {
            assert_eq!(millicores(text), None, "{text}");
        }
    }

    #[test]
    fn memory_is_in_gib_unless_it_has_a_unit() {
        for (text, expected) in [
            ("4", 4_096),
            ("0.5", 512),
            ("3.75", 3_840),
            ("512 MiB", 512),
            ("512mb", 512),
            ("4GiB", 4_096),
            ("16 GB", 16_384),
            ("1 TiB", 1 << 20),
        ] {
            assert_eq!(ram_mb(text), Some(expected), "{text}");
        }
        for text in ["", "0", "GiB", "4 kB", "-4", "4 apples", "100 TiB", "1e9"] {
            assert_eq!(ram_mb(text), None, "{text}");
        }
        assert_eq!((ram_mib("512"), ram_mib("4GiB")), (Some(512), Some(4_096)));
    }
}
