//! What a run has still to do, and about how long that takes. Pure: it is told what begins and when.

use std::time::{Duration, Instant};

use crate::load::{Load, Phase, Source, WarmUp};
use crate::run::RunSpec;

/// Time that a phase takes whose length nobody knows, until one was seen.
const GUESS: Duration = Duration::from_secs(2);

/// The phases of a run by their kind. Those to come are expected to take what those before them took.
#[derive(Debug)]
pub(super) struct RunAgenda {
    kinds: Vec<Kind>,
    /// Which kind is in hand, and since when.
    in_hand: Option<(usize, Instant)>,
}

#[derive(Debug)]
struct Kind {
    phase: Phase,
    /// Phases that have not begun.
    to_come: u32,
    /// What one is expected to take; `None` where nothing is known of it.
    expected: Option<Duration>,
    /// Those that ended, and the time they took.
    ended: u32,
    took: Duration,
}

impl RunAgenda {
    /// The phases of a run.
    pub(super) fn new(spec: &RunSpec, source: &Source) -> Self {
        let modes = u32::try_from(spec.durabilities.len()).unwrap_or(u32::MAX);
        let loads = modes.saturating_mul(spec.rounds);
        // A source that ends needs a new database each time.
        let databases = if source.is_finite() { loads } else { modes };
        let kind = |phase, count, expected| Kind { phase, to_come: count, expected, ended: 0, took: Duration::ZERO };
        let if_any = |any: bool, count| if any { count } else { 0 };
        let kinds = vec![
            kind(Phase::Preload, if_any(source.preload_steps() > 0, databases), Some(GUESS)),
            kind(Phase::WarmUp, if_any(!spec.warmup.most().is_zero(), loads), Some(least(spec.warmup))),
            kind(Phase::Measure, loads, spec.measure.or_else(|| own_time(spec.load, source))),
            kind(Phase::Verify, if_any(spec.verify, databases), Some(GUESS)),
            kind(Phase::Crash, if_any(spec.kills > 0, modes), Some(GUESS)),
        ];
        Self { kinds, in_hand: None }
    }

    /// A phase begins, and the one before it has ended.
    pub(super) fn begin(&mut self, phase: Phase, now: Instant) {
        if let Some((at, since)) = self.in_hand.take() {
            let kind = &mut self.kinds[at];
            kind.ended += 1;
            kind.took += now.duration_since(since);
            kind.expected = Some(kind.took / kind.ended);
        }
        if let Some(at) = self.kinds.iter().position(|kind| kind.phase == phase) {
            self.kinds[at].to_come = self.kinds[at].to_come.saturating_sub(1);
            self.in_hand = Some((at, now));
        }
    }

    /// What is left from the moment a phase began; `None` where something to come takes nobody knows how long.
    pub(super) fn left(&self) -> Option<Duration> {
        let to_come: Option<Duration> =
            self.kinds.iter().filter(|kind| kind.to_come > 0).map(|kind| Some(kind.expected? * kind.to_come)).sum();
        let in_hand = self.in_hand.map_or(Some(Duration::ZERO), |(at, _)| self.kinds[at].expected);
        Some(to_come? + in_hand?)
    }
}

const fn least(warmup: WarmUp) -> Duration {
    match warmup {
        WarmUp::Fixed(time) => time,
        WarmUp::Steady { least, .. } => least,
    }
}

/// How long a trace takes at its own times.
fn own_time(load: Load, source: &Source) -> Option<Duration> {
    match (load, source) {
        (Load::TraceTimes { speed }, Source::Trace { trace, .. }) => {
            Duration::try_from_secs_f64(trace.duration_ns() as f64 / 1e9 / speed).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Durability;
    use crate::workload::Workload;

    fn source() -> Source {
        Source::Workload(Workload::find("ledger").unwrap().into())
    }

    fn spec() -> RunSpec {
        RunSpec {
            load: Load::Closed,
            workers: 1,
            rounds: 3,
            warmup: WarmUp::Steady { least: Duration::from_secs(2), most: Duration::from_secs(10) },
            measure: Some(Duration::from_secs(5)),
            durabilities: Durability::BOTH.to_vec(),
            verify: true,
            kills: 0,
        }
    }

    #[test]
    fn a_run_begins_with_all_its_rounds_before_it() {
        let agenda = RunAgenda::new(&RunSpec { kills: 3, ..spec() }, &source());
        // Two of preload, verification and kills each, and six rounds.
        assert_eq!(agenda.left(), Some(3 * 2 * GUESS + 6 * Duration::from_secs(7)));
    }

    #[test]
    fn what_was_seen_replaces_what_was_guessed() {
        let spec = RunSpec { verify: false, ..spec() };
        let mut agenda = RunAgenda::new(&spec, &source());
        let began = Instant::now();
        agenda.begin(Phase::Preload, began);
        agenda.begin(Phase::Preload, began + Duration::from_secs(20));
        assert_eq!(agenda.left(), Some(Duration::from_secs(20 + 6 * 7)));
        agenda.begin(Phase::WarmUp, began + Duration::from_secs(40));
        agenda.begin(Phase::Measure, began + Duration::from_secs(46));
        assert_eq!(agenda.left(), Some(Duration::from_secs(5 + 5 * (6 + 5))));
    }

    #[test]
    fn at_the_end_nothing_is_left_but_the_phase_in_hand() {
        let spec = RunSpec { rounds: 1, durabilities: vec![Durability::On], verify: false, ..spec() };
        let mut agenda = RunAgenda::new(&spec, &source());
        let began = Instant::now();
        for phase in [Phase::Preload, Phase::WarmUp, Phase::Measure] {
            agenda.begin(phase, began);
        }
        assert_eq!(agenda.left(), Some(Duration::from_secs(5)));
        agenda.begin(Phase::Settle, began + Duration::from_secs(5));
        assert_eq!(agenda.left(), Some(Duration::ZERO));
    }

    #[test]
    fn a_source_whose_length_nobody_knows_has_no_time_left() {
        let spec = RunSpec { measure: None, ..spec() };
        assert_eq!(RunAgenda::new(&spec, &source()).left(), None);
    }
}
