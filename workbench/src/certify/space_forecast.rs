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
    /// Size of the database.
    pub database_bytes: u64,
    /// Free space.
    pub free_bytes: u64,
    /// Space that the rest is expected to use.
    pub expected_bytes: u64,
}

/// The growth of a database, segment by segment.
#[derive(Debug)]
pub(super) struct Growth {
    first_bytes: u64,
    sizes: Vec<u64>,
}

impl Growth {
    /// Of a database that has this size before the first segment.
    pub(super) const fn from(database_bytes: u64) -> Self {
        Self { first_bytes: database_bytes, sizes: Vec::new() }
    }

    /// Adds the size of the database after another segment.
    pub(super) fn add(&mut self, database_bytes: u64) {
        self.sizes.push(database_bytes);
    }

    /// The forecast if `free_bytes` are too few for `segments_left` more segments.
    pub(super) fn would_fill(&self, segments_left: u64, free_bytes: u64) -> Option<SpaceForecast> {
        let last = *self.sizes.last()?;
        let before = std::iter::once(self.first_bytes).chain(self.sizes.iter().copied());
        let largest = before.zip(&self.sizes).map(|(before, &after)| after.saturating_sub(before)).max().unwrap_or(0);
        let next = if segments_left > 0 { SPARE_SEGMENTS * largest } else { 0 };
        let mean = last.saturating_sub(self.first_bytes) / self.sizes.len() as u64;
        let rest = if self.sizes.len() < FEWEST_SEGMENTS { 0 } else { mean.saturating_mul(segments_left) };
        let expected_bytes = next.max(rest);
        (expected_bytes > free_bytes).then_some(SpaceForecast { database_bytes: last, free_bytes, expected_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(first: u64, sizes: &[u64]) -> Growth {
        Growth { first_bytes: first, sizes: sizes.to_vec() }
    }

    #[test]
    fn the_next_segment_must_fit_and_the_rest_once_the_growth_is_known() {
        assert_eq!(growth(500, &[]).would_fill(10, 0), None);
        assert_eq!(growth(500, &[600]).would_fill(10, 200), None, "twice the largest growth is free");
        let full = growth(500, &[600]).would_fill(10, 199).unwrap();
        assert_eq!(full, SpaceForecast { database_bytes: 600, free_bytes: 199, expected_bytes: 200 });
        assert_eq!(growth(500, &[600, 700, 800]).would_fill(10, 1_000), None);
        assert_eq!(growth(500, &[600, 700, 800]).would_fill(10, 999).unwrap().expected_bytes, 1_000);
        assert_eq!(growth(500, &[600, 700, 800]).would_fill(0, 0), None, "nothing is left to do");
    }

    #[test]
    fn a_shrinking_database_needs_space_for_its_largest_step_only() {
        let shrinking = growth(1_000, &[1_300, 900, 800]);
        assert_eq!(shrinking.would_fill(100, 600), None);
        assert!(shrinking.would_fill(100, 599).is_some());
    }
}
