//! The time left until all stages have ended: the one estimate that runs, plans and certifications show.

use std::time::{Duration, Instant};

use crate::load::Phase;

/// Stages that take about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StageKind {
    Phase(Phase),
    /// A stage of a plan, or a certification as a whole.
    Whole,
}

/// The stages to come, by kind. Once stages of a kind have ended, the others are expected to take their mean time.
#[derive(Debug, Default)]
pub(super) struct TimeLeft {
    kinds: Vec<Stages>,
    /// Index of the kind of the current stage, and when it began.
    current: Option<(usize, Instant)>,
}

#[derive(Debug)]
struct Stages {
    kind: StageKind,
    /// Stages that have not begun.
    to_come: u32,
    /// Expected time of one; `None` if unknown.
    expected: Option<Duration>,
    ended: u32,
    took: Duration,
}

impl TimeLeft {
    /// Kinds of stages, how many there are of each, and the expected time of one.
    pub(super) fn new(kinds: impl IntoIterator<Item = (StageKind, u32, Option<Duration>)>) -> Self {
        let stages = |(kind, to_come, expected)| Stages { kind, to_come, expected, ended: 0, took: Duration::ZERO };
        Self { kinds: kinds.into_iter().map(stages).collect(), current: None }
    }

    /// A stage begins and ends the one before. Kinds that are not among the expected ones are ignored.
    pub(super) fn begin(&mut self, kind: StageKind, now: Instant) {
        let Some(next) = self.kinds.iter().position(|known| known.kind == kind) else { return };
        if let Some((current, began)) = self.current.replace((next, now)) {
            let ended = &mut self.kinds[current];
            ended.ended += 1;
            ended.took += now.duration_since(began);
            ended.expected = Some(ended.took / ended.ended);
        }
        self.kinds[next].to_come = self.kinds[next].to_come.saturating_sub(1);
    }

    /// Time left at `now`; `None` if a stage to come takes an unknown time.
    pub(super) fn at(&self, now: Instant) -> Option<Duration> {
        let to_come = self.kinds.iter().filter(|kind| kind.to_come > 0);
        let to_come: Option<Duration> = to_come.map(|kind| Some(kind.expected? * kind.to_come)).sum();
        let current = match self.current {
            Some((current, began)) => self.kinds[current].expected?.saturating_sub(now.duration_since(began)),
            None => Duration::ZERO,
        };
        Some(to_come? + current)
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
    fn an_unknown_time_makes_the_time_left_unknown_until_it_was_seen() {
        let mut time_left = TimeLeft::new([(MEASURE, 2, None)]);
        let began = Instant::now();
        time_left.begin(MEASURE, began);
        assert_eq!(time_left.at(began), None);
        time_left.begin(MEASURE, began + seconds(4));
        assert_eq!(time_left.at(began + seconds(4)), Some(seconds(4)));
    }
}
