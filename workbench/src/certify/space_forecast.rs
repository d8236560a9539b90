//! Whether the disk has space for the rest of a certification.

use serde::{Deserialize, Serialize};

/// Segments before the mean growth is extrapolated: a new database grows in steps.
const FEWEST_SEGMENTS: usize = 3;
/// Largest growths of a segment that must be free for the next one: compactions need temporary space.
const SPARE_SEGMENTS: u64 = 2;

/// Why the rest of a certification would fill the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "fields carry their unit")]
pub struct SpaceForecast {
    pub(super) database_bytes: u64,
    pub(super) free_bytes: u64,
    /// Space that the rest is expected to use.
    pub expected_bytes: u64,
}

/// The forecast if `free_bytes` are too few for `segments_left` more segments; `sizes` are those of the database before the
/// first segment and after each.
pub(super) fn would_fill(sizes: &[u64], segments_left: u64, free_bytes: u64) -> Option<SpaceForecast> {
    let &[first, .., last] = sizes else { return None };
    let segments = sizes.len() - 1;
    let largest = sizes.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(0);
    let next = if segments_left > 0 { SPARE_SEGMENTS * largest } else { 0 };
    let mean = last.saturating_sub(first) / segments as u64;
    let rest = if segments < FEWEST_SEGMENTS { 0 } else { mean.saturating_mul(segments_left) };
    let expected_bytes = next.max(rest);
    (expected_bytes > free_bytes).then_some(SpaceForecast { database_bytes: last, free_bytes, expected_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_segment_must_fit_and_the_rest_once_the_growth_is_known() {
        assert_eq!(would_fill(&[500], 10, 0), None);
        assert_eq!(would_fill(&[500, 600], 10, 200), None, "twice the largest growth is free");
        let full = would_fill(&[500, 600], 10, 199).unwrap();
        assert_eq!(full, SpaceForecast { database_bytes: 600, free_bytes: 199, expected_bytes: 200 });
        let steady = [500, 600, 700, 800];
        assert_eq!(would_fill(&steady, 10, 1_000), None);
        assert_eq!(would_fill(&steady, 10, 999).unwrap().expected_bytes, 1_000);
        assert_eq!(would_fill(&steady, 0, 0), None, "nothing is left to do");
        let shrinking = [1_000, 1_300, 900, 800];
        assert_eq!(would_fill(&shrinking, 100, 600), None, "its largest step is free");
        assert!(would_fill(&shrinking, 100, 599).is_some());
    }
}
