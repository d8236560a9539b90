//! The time left until all stages have ended: the one estimate that runs, plans and certifications show.

use std::time::{Duration, Instant};

use crate::load::{Phase, Stage};

/// Stages that take about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StageKind {
    Phase(Phase),
    /// Of a plan.
    Plan(Stage),
    /// A certification as a whole.
    Whole,
}

/// A stage of a plan that takes less than this share of its time was measured before an interruption.
const RESUMED: f64 = 0.2;

/// The stages to come, by kind. Once stages of a kind have ended, the others are expected to take their mean time. A plan that
/// takes longer than expected so far is expected to go on so, the more of it has ended.
#[derive(Debug, Default)]
pub(super) struct TimeLeft {
    kinds: Vec<Stages>,
    /// Index of the kind of the current stage, and when it began.
    current: Option<(usize, Instant)>,
    /// What follows all stages, as expected beforehand.
    later: Duration,
}

#[derive(Debug)]
struct Stages {
    kind: StageKind,
    /// Stages that have not begun.
    to_come: u32,
    /// Expected time of one beforehand; `None` if unknown.
    expected: Option<Duration>,
    ended: u32,
    took: Duration,
}

impl Stages {
    /// Whether a stage that took so long was measured before an interruption: it says nothing about the others.
    fn is_resumed(&self, took: Duration) -> bool {
        let expected = self.expected.filter(|_| matches!(self.kind, StageKind::Plan(_)));
        expected.is_some_and(|expected| took < expected.mul_f64(RESUMED))
    }

    /// Expected time of one by now.
    fn each(&self, pace: f64) -> Option<Duration> {
        match (self.ended, self.kind) {
            (0, StageKind::Plan(_)) => Some(self.expected?.mul_f64(pace)),
            (0, _) => self.expected,
            (ended, _) => Some(self.took / ended),
        }
    }
}

impl TimeLeft {
    /// Kinds of stages, how many there are of each, and the expected time of one.
    pub(super) fn new(kinds: impl IntoIterator<Item = (StageKind, u32, Option<Duration>)>) -> Self {
        let stages = |(kind, to_come, expected)| Stages { kind, to_come, expected, ended: 0, took: Duration::ZERO };
        Self { kinds: kinds.into_iter().map(stages).collect(), ..Self::default() }
    }

    /// The same with so much time after all stages.
    pub(super) fn and_then(self, later: Duration) -> Self {
        Self { later, ..self }
    }

    /// Of the stages to come, only so many of these kinds are left.
    pub(super) fn expect_only(&mut self, to_come: &[(StageKind, u32)]) {
        for known in &mut self.kinds {
            let left = to_come.iter().filter(|(kind, _)| *kind == known.kind).map(|(_, count)| count).sum();
            known.to_come = known.to_come.min(left);
        }
    }

    /// A stage begins and ends the one before. Kinds that are not among the expected ones are ignored.
    pub(super) fn begin(&mut self, kind: StageKind, now: Instant) {
        let Some(next) = self.kinds.iter().position(|known| known.kind == kind) else { return };
        if let Some((current, began)) = self.current.replace((next, now)) {
            let (ended, took) = (&mut self.kinds[current], now.duration_since(began));
            if !ended.is_resumed(took) {
                ended.ended += 1;
                ended.took += took;
            }
        }
        self.kinds[next].to_come = self.kinds[next].to_come.saturating_sub(1);
    }

    /// Time left at `now`; `None` if a stage to come takes an unknown time.
    pub(super) fn at(&self, now: Instant) -> Option<Duration> {
        let to_come = self.kinds.iter().filter(|kind| kind.to_come > 0);
        let pace = self.pace();
        let to_come: Option<Duration> = to_come.map(|kind| Some(kind.each(pace)? * kind.to_come)).sum();
        let current = match self.current {
            Some((current, began)) => self.kinds[current].each(pace)?.saturating_sub(now.duration_since(began)),
            None => Duration::ZERO,
        };
        Some(to_come? + current + self.later.mul_f64(pace))
    }

    /// Time that the stages take, as a multiple of what was expected. Those to come count as expected: few that ended say little
    /// about many.
    fn pace(&self) -> f64 {
        let none = (self.later, self.later);
        let (took, expected) = self.kinds.iter().fold(none, |(took, expected), kind| {
            let [of_ended, to_come] = [kind.ended, kind.to_come].map(|count| kind.expected.unwrap_or_default() * count);
            (took + kind.took + to_come, expected + of_ended + to_come)
        });
        if expected.is_zero() { 1.0 } else { took.as_secs_f64() / expected.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRELOAD: StageKind = StageKind::Phase(Phase::Preload);
    const MEASURE: StageKind = StageKind::Phase(Phase::Measure);

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn stages_that_ended_replace_what_was_expected() {
        let mut time_left = TimeLeft::new([(PRELOAD, 2, Some(seconds(2))), (MEASURE, 2, Some(seconds(5)))]);
        let began = Instant::now();
        assert_eq!(time_left.at(began), Some(seconds(14)));
        time_left.begin(PRELOAD, began);
        assert_eq!(time_left.at(began + seconds(1)), Some(seconds(13)));
        time_left.begin(MEASURE, began + seconds(20));
        assert_eq!(time_left.at(began + seconds(20)), Some(seconds(5 + 20 + 5)));
    }

    #[test]
    fn a_late_stage_does_not_reduce_the_time_of_those_to_come() {
        let mut time_left = TimeLeft::new([(MEASURE, 2, Some(seconds(5)))]);
        let began = Instant::now();
        time_left.begin(MEASURE, began);
        time_left.begin(StageKind::Phase(Phase::Settle), began);
        assert_eq!(time_left.at(began + seconds(60)), Some(seconds(5)));
    }

    #[test]
    fn a_slow_plan_stays_slow_and_resumed_stages_do_not_count() {
        const SEARCH: StageKind = StageKind::Plan(Stage::Search);
        const TARGET: StageKind = StageKind::Plan(Stage::Target);
        let stages = [(SEARCH, 3, Some(seconds(10))), (TARGET, 1, Some(seconds(4)))];
        let began = Instant::now();
        let mut resumed = TimeLeft::new(stages);
        resumed.begin(SEARCH, began);
        resumed.begin(SEARCH, began + seconds(1));
        assert_eq!(resumed.at(began + seconds(1)), Some(seconds(10 + 10 + 4)), "its loads were known");
        let mut slow = TimeLeft::new(stages);
        slow.begin(SEARCH, began);
        slow.begin(SEARCH, began + seconds(15));
        // 15 seconds and 14 more instead of 10 and 14.
        assert_eq!(slow.at(began + seconds(15)), Some(seconds(15 + 15) + seconds(4).mul_f64(29.0 / 24.0)));
    }

    #[test]
    fn what_follows_all_stages_counts_at_the_pace_so_far() {
        const SEARCH: StageKind = StageKind::Plan(Stage::Search);
        let mut time_left = TimeLeft::new([(SEARCH, 2, Some(seconds(10)))]).and_then(seconds(40));
        let began = Instant::now();
        assert_eq!(time_left.at(began), Some(seconds(60)));
        time_left.begin(SEARCH, began);
        time_left.begin(SEARCH, began + seconds(20));
        // 20 seconds and 40 more instead of 10 and 40.
        assert_eq!(time_left.at(began + seconds(20)), Some(seconds(20) + seconds(40).mul_f64(60.0 / 50.0)));
    }

    #[test]
    fn stages_that_are_not_needed_after_all_take_no_time() {
        const TARGET: StageKind = StageKind::Plan(Stage::Target);
        const FORECAST: StageKind = StageKind::Plan(Stage::Forecast);
        let mut time_left = TimeLeft::new([(TARGET, 2, Some(seconds(10))), (FORECAST, 1, Some(seconds(3)))]);
        time_left.expect_only(&[(TARGET, 1), (FORECAST, 5)]);
        assert_eq!(time_left.at(Instant::now()), Some(seconds(13)), "never more than were expected");
    }

    #[test]
    fn an_unknown_time_makes_the_time_left_unknown_until_it_was_seen() {
        let mut time_left = TimeLeft::new([(MEASURE, 2, None)]);
        let began = Instant::now();
        time_left.begin(MEASURE, began);
        assert_eq!(time_left.at(began), None);
        time_left.begin(MEASURE, began + seconds(4));
        assert_eq!(time_left.at(began + seconds(4)), Some(seconds(4)));
    }
}
