//! Whether the disk holds what is still to come.

/// Segments whose growth is known before it is drawn out: a new database grows in jumps.
const FEWEST_SEGMENTS: usize = 3;
/// Growths of the largest segment that must be free for the next one: compactions need space of their own.
const SPARE_SEGMENTS: u64 = 2;

/// Why a certification that goes on would fill the disk, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FullDisk {
    /// Size of the database, bytes.
    pub database_bytes: u64,
    /// What is free, bytes.
    pub free_bytes: u64,
    /// What the time that is left is expected to take, bytes.
    pub expected_bytes: u64,
}

/// The growth of a database, segment by segment.
#[derive(Debug, Default)]
pub(super) struct Growth {
    first_bytes: Option<u64>,
    sizes: Vec<u64>,
}

impl Growth {
    /// Notes the size of the database, bytes: first before any segment, then after each one.
    pub(super) fn note(&mut self, database_bytes: u64) {
        if self.first_bytes.is_none() {
            self.first_bytes = Some(database_bytes);
        } else {
            self.sizes.push(database_bytes);
        }
    }

    /// Whether `free_bytes` are too few for so many more segments.
    pub(super) fn would_fill(&self, segments_left: u64, free_bytes: u64) -> Option<FullDisk> {
        let (first, last) = (self.first_bytes?, *self.sizes.last()?);
        let before = std::iter::once(first).chain(self.sizes.iter().copied());
        let largest = before.zip(&self.sizes).map(|(before, &after)| after.saturating_sub(before)).max().unwrap_or(0);
        let next = if segments_left > 0 { SPARE_SEGMENTS * largest } else { 0 };
        let mean = last.saturating_sub(first) / self.sizes.len() as u64;
        let rest = if self.sizes.len() < FEWEST_SEGMENTS { 0 } else { mean.saturating_mul(segments_left) };
        let expected_bytes = next.max(rest);
        (expected_bytes > free_bytes).then_some(FullDisk { database_bytes: last, free_bytes, expected_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(sizes: &[u64]) -> Growth {
        let mut growth = Growth::default();
        for &bytes in sizes {
            growth.note(bytes);
        }
        growth
    }

    #[test]
    fn the_next_segment_must_fit_and_so_must_the_rest_once_the_growth_is_known() {
        assert_eq!(growth(&[]).would_fill(10, 0), None, "nothing is known");
        assert_eq!(growth(&[500]).would_fill(10, 0), None);
        assert_eq!(growth(&[500, 600]).would_fill(10, 200), None, "twice the largest growth is free");
        let full = growth(&[500, 600]).would_fill(10, 199).unwrap();
        assert_eq!(full, FullDisk { database_bytes: 600, free_bytes: 199, expected_bytes: 200 });
        assert_eq!(growth(&[500, 600, 700, 800]).would_fill(10, 1_000), None);
        assert_eq!(growth(&[500, 600, 700, 800]).would_fill(10, 999).unwrap().expected_bytes, 1_000);
        assert_eq!(growth(&[500, 600, 700, 800]).would_fill(0, 0), None, "there is nothing left to do");
    }

    #[test]
    fn a_database_that_shrinks_needs_no_room_but_for_its_largest_step() {
        let shrinking = growth(&[1_000, 1_300, 900, 800]);
        assert_eq!(shrinking.would_fill(100, 600), None);
        assert!(shrinking.would_fill(100, 599).is_some());
    }
}
