//! Finds the few events whose times are far from those of all others, such as two events of 1948 in a log of 2019.

/// Largest number of events at an end that may be far from the others.
const MOST: u64 = 4096;
/// With fewer events none is far from the others.
const FEWEST_EVENTS: u64 = 20;
/// Gaps up to a day are none.
const SHORTEST_GAP: i64 = 86_400 * 1_000_000_000;

/// Takes the times of all events in ascending order.
pub(super) struct Outliers {
    /// Events to come.
    left: u64,
    /// Events at each end that may be far: one percent.
    edge: usize,
    /// The first times, one more than may be far.
    early: Vec<i64>,
    /// The last ones, likewise.
    late: Vec<i64>,
}

/// Times of the events between the outliers, nanoseconds since 1970.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Others {
    pub(super) first: i64,
    pub(super) last: i64,
    /// Number of events before and after.
    pub(super) outliers: usize,
}

impl Outliers {
    pub(super) fn new(events: u64) -> Self {
        let edge = if events < FEWEST_EVENTS { 0 } else { (events / 100).clamp(1, MOST) };
        let edge = usize::try_from(edge).expect("at most 4096");
        Self { left: events, edge, early: Vec::new(), late: Vec::new() }
    }

    pub(super) fn push(&mut self, time: i64) {
        if self.early.len() <= self.edge {
            self.early.push(time);
        }
        if self.left <= self.edge as u64 + 1 {
            self.late.push(time);
        }
        self.left = self.left.saturating_sub(1);
    }

    /// `None` if no event is separated from the middle by a gap that is longer than the middle.
    pub(super) fn find(self) -> Option<Others> {
        let late = self.late;
        let gap = late.first()?.saturating_sub(*self.early.last()?).max(SHORTEST_GAP);
        let is_gap = |pair: &[i64]| pair[1].saturating_sub(pair[0]) > gap;
        let before = self.early.windows(2).rposition(is_gap).map_or(0, |place| place + 1);
        let after = late.windows(2).position(is_gap).map_or(0, |place| late.len() - place - 1);
        let others = Others { first: self.early[before], last: late[late.len() - 1 - after], outliers: before + after };
        (others.outliers > 0).then_some(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = SHORTEST_GAP;

    fn found(days: impl IntoIterator<Item = i64>) -> Option<Others> {
        let days: Vec<_> = days.into_iter().collect();
        let mut outliers = Outliers::new(days.len() as u64);
        for day in &days {
            outliers.push(day * DAY);
        }
        outliers.find()
    }

    #[test]
    fn events_behind_a_gap_longer_than_the_log_are_outliers() {
        let others = |first, last, outliers| Some(Others { first: first * DAY, last: last * DAY, outliers });
        assert_eq!(found(0..1000), None);
        assert_eq!(found([-30_000, -29_000].into_iter().chain(0..1000)), others(0, 999, 2));
        assert_eq!(found((0..1000).chain([3_000])), others(0, 999, 1));
        assert_eq!(found([-30_000].into_iter().chain(0..1000).chain([9_000])), others(0, 999, 2));
        // The gap is shorter than the log.
        assert_eq!(found([-900].into_iter().chain(0..1000)), None);
        // Too many are behind it: the log has two parts.
        assert_eq!(found((-30_000..-29_900).chain(0..100)), None);
        assert_eq!(found([0, 5_000]), None, "two events are no log with an outlier");
        assert_eq!(found([]), None);
    }
}
