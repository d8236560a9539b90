//! The stages of a run, with the time each is expected to take.

use std::time::Duration;

use super::time_left::{StageKind, TimeLeft};
use crate::load::{Load, Phase, Source, WarmUp};
use crate::run::{CUTS_PER_DATABASE, RunSpec};

/// Time of a phase whose length is unknown until one has ended.
const GUESS: Duration = Duration::from_secs(2);

pub(super) fn run_stages(spec: &RunSpec, source: &Source) -> TimeLeft {
    let modes = u32::try_from(spec.durabilities.len()).unwrap_or(u32::MAX);
    let rounds = modes.saturating_mul(spec.rounds);
    // A source that ends needs a new database for each round.
    let databases = if source.is_finite() { rounds } else { modes };
    let warmup = match spec.warmup {
        WarmUp::Fixed(time) => time,
        WarmUp::Steady { least, .. } => least,
        WarmUp::Cold => Duration::ZERO,
    };
    let stages = |phase, any: bool, count, each| (StageKind::Phase(phase), if any { count } else { 0 }, each);
    TimeLeft::new([
        stages(Phase::Preload, source.has_preload(), databases, Some(GUESS)),
        stages(Phase::WarmUp, !spec.warmup.most().is_zero(), rounds, Some(warmup)),
        stages(Phase::Measure, true, rounds, spec.measure.or_else(|| trace_time(spec.load, source))),
        stages(Phase::Verify, spec.verify, databases, Some(GUESS)),
        stages(Phase::Crash, spec.kills > 0, modes, Some(GUESS)),
        stages(Phase::PowerCut, true, modes * spec.power_cuts.div_ceil(CUTS_PER_DATABASE), Some(GUESS)),
    ])
}

/// Length of a trace that is replayed at its recorded times.
fn trace_time(load: Load, source: &Source) -> Option<Duration> {
    match (load, source) {
        (Load::TraceTimes { speed }, Source::Trace { trace, .. }) => {
            Duration::try_from_secs_f64(trace.duration_ns() as f64 / 1e9 / speed).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::actor::Durability;
    use crate::workload::Workload;

    #[test]
    fn a_run_preloads_verifies_and_kills_once_per_mode() {
        let source = Source::Workload(Workload::find("ledger").unwrap().into());
        let spec = RunSpec {
            load: Load::Closed,
            writers: crate::load::Writers::both(1),
            rounds: 3,
            warmup: WarmUp::Steady { least: Duration::from_secs(2), most: Duration::from_secs(10) },
            measure: Some(Duration::from_secs(5)),
            durabilities: Durability::BOTH.to_vec(),
            verify: true,
            kills: 0,
            power_cuts: 0,
            start_at: None,
        };
        let expected =
            |spec: &RunSpec, kills| run_stages(&RunSpec { kills, ..spec.clone() }, &source).at(Instant::now());
        assert_eq!(expected(&spec, 3), Some(3 * 2 * GUESS + 6 * Duration::from_secs(7)));
        let spec = RunSpec { verify: false, ..spec };
        assert_eq!(expected(&spec, 0), Some(2 * GUESS + 6 * Duration::from_secs(7)));
        assert_eq!(expected(&RunSpec { measure: None, ..spec }, 0), None);
    }
}
