//! The stages of a plan, and the time that each is expected to take.

use std::time::Duration;

use crate::load::Observer;
use crate::plan::engine::{LONGEST_AT_TARGET, PlanSpec, required_rate};
use crate::plan::search::{Breadth, Question};

/// Expected time to fill and close a database, seconds.
const SET_UP: f64 = 2.0;
/// Probes per step of a bisection: rates that fail are tried twice.
const PROBES_PER_STEP: f64 = 1.4;

/// Reports the stages of a plan. All are expected to take equally long: which machines will be tried is not known before.
pub(super) struct Agenda<'a> {
    observer: &'a dyn Observer,
    at_target: Duration,
}

impl<'a> Agenda<'a> {
    pub(super) fn new(spec: &PlanSpec, question: &Question<'a>, extrapolates: bool) -> Self {
        let effort = spec.effort;
        let rate = required_rate(spec.target_per_second, spec.headroom_percent);
        let probe = question.probe_time(rate);
        let warmup = effort.warmup.as_secs_f64();
        let hold = f64::from(effort.confirmations) * (probe.as_secs_f64() + warmup);
        let ceiling = SET_UP + effort.saturation.as_secs_f64() + warmup;
        let short = effort.probe.as_secs_f64() + warmup;
        let climb = (PROBES_PER_STEP * f64::from(effort.bisections) + f64::from(effort.confirmations)) * short;
        let climb = climb.min(2.0 * effort.climb.as_secs_f64());
        let at_target = LONGEST_AT_TARGET.min(effort.probe).max(probe);
        let machines = match effort.breadth {
            Breadth::All => spec.machines.iter().filter(|machine| machine.fits_in(&spec.host)).count(),
            Breadth::Smallest | Breadth::SmallestAndHost => 1,
        };
        let host = if effort.breadth == Breadth::Smallest { 0.0 } else { ceiling + climb };
        let scaling =
            if extrapolates { 2.0 * (SET_UP + 2.0 * (effort.saturation.as_secs_f64() / 2.0 + warmup)) } else { 0.0 };
        let mode = machines as f64 * (ceiling + hold + climb) + at_target.as_secs_f64() + host + scaling;
        let modes = spec.durabilities.len();
        let stages = 2 * machines + 1 + usize::from(host > 0.0) + usize::from(scaling > 0.0);
        let each = Duration::from_secs_f64(mode / stages as f64);
        question.job.observer.expect_stages(u32::try_from(modes * stages).unwrap_or(u32::MAX), each);
        Self { observer: question.job.observer, at_target }
    }

    /// Time for which the target rate is offered.
    pub(super) const fn at_target(&self) -> Duration {
        self.at_target
    }

    /// A stage begins, and the one before has ended.
    pub(super) fn begin(&self, stage: &str) {
        self.observer.stage(stage);
    }
}
