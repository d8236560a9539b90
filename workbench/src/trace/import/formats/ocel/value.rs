//! Lengths of values. The forms write some of them differently, and a value has one length in all of them.

/// A boolean is `true` in JSON, and 1 in XML and SQLite.
pub(super) const BOOLEAN_BYTES: usize = 1;

/// Length of a number that has a fraction or may have one: 5.0 is 5 in some forms.
pub(super) fn number_bytes(number: f64) -> usize {
    /// Below it, whole numbers are written with all their digits.
    const MOST_DIGITS: f64 = 1e15;
    if number.fract() == 0.0 && number.abs() < MOST_DIGITS {
        // SQLite has no zero below zero.
        return format!("{:.0}", number + 0.0).len();
    }
    serde_json::Number::from_f64(number).map_or(0, |number| number.to_string().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_length_of_its_shortest_text() {
        for (number, text) in [
            (5.0, "5"),
            (-0.0, "0"),
            (-0.5, "-0.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "1e+20"),
            (1e-7, "1e-7"),
        ] {
            assert_eq!(number_bytes(number), text.len(), "{text}");
        }
        assert_eq!(number_bytes(f64::NAN), 0);
    }
}
