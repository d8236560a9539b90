//! How fast something goes now: over the last second, not since it began.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time that the rate is taken over.
const WINDOW: Duration = Duration::from_secs(1);
/// Time from which on there is a rate.
const SHORTEST: Duration = Duration::from_millis(300);

/// Counts with the moments at which they were told, the last second of them.
#[derive(Debug, Default)]
pub(super) struct Pace {
    told: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// So many were done by now. Fewer than before: something else has begun.
    pub(super) fn tell(&mut self, now: Instant, done: u64) {
        if self.told.back().is_some_and(|&(_, before)| done < before) {
            self.told.clear();
        }
        self.told.push_back((now, done));
        // The newest of those that are a second old is where the last second began.
        while self.told.get(1).is_some_and(|&(at, _)| now.duration_since(at) >= WINDOW) {
            self.told.pop_front();
        }
    }

    /// How many per second, once it is known.
    pub(super) fn per_second(&self) -> Option<f64> {
        let (&(from, before), &(to, after)) = (self.told.front()?, self.told.back()?);
        let time = to.duration_since(from);
        (time >= SHORTEST).then(|| (after - before) as f64 / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate after counts that were told every tenth of a second.
    fn rate(counts: impl IntoIterator<Item = u64>) -> Option<f64> {
        let (mut pace, began) = (Pace::default(), Instant::now());
        for (tenth, count) in (0..).zip(counts) {
            pace.tell(began + tenth * Duration::from_millis(100), count);
        }
        pace.per_second().map(f64::round)
    }

    #[test]
    fn it_is_that_of_the_last_second() {
        assert_eq!(rate((0..100).map(|tenth| 7 * tenth)), Some(70.0));
        let slower = (0..=50).map(|tenth| 100 * tenth).chain((1..=10).map(|tenth| 5_000 + tenth));
        assert_eq!(rate(slower), Some(10.0));
    }

    #[test]
    fn it_is_not_known_at_once_and_begins_anew_with_the_next_load() {
        assert_eq!(rate([]), None);
        assert_eq!(rate([0, 10]), None);
        assert_eq!(rate([0, 1_000, 2_000, 3_000, 0, 1]), None);
        assert_eq!(rate([0, 1_000, 2_000, 3_000, 0, 1, 2, 3]), Some(10.0));
    }
}
