//! What a plan still has to do, and about how long that takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::load::Observer;
use crate::plan::engine::{LONGEST_AT_TARGET, PlanSpec, required_rate};
use crate::plan::search::{Breadth, Question};

/// Time to fill a database and to close it, as a guess until it was seen.
const SET_UP: f64 = 2.0;
/// Rates that fail are tried twice: this many probes for each step of a bisection.
const PROBES_PER_STEP: f64 = 1.4;

/// The stages of a plan, with the time each is expected to take. It is told anew from what the stages so far took.
pub(super) struct Agenda<'a> {
    observer: &'a dyn Observer,
    /// Seconds of all stages, as expected beforehand.
    total: f64,
    /// Seconds of the stages that ended, as expected beforehand, and as they were.
    done: Cell<[f64; 2]>,
    stages: usize,
    at_target: Duration,
}

/// A stage that has begun.
#[derive(Clone, Copy)]
pub(super) struct Stage(Instant);

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
        let stages = modes * (2 * machines + 1 + usize::from(host > 0.0) + usize::from(scaling > 0.0));
        Self {
            observer: question.job.observer,
            total: mode * modes as f64,
            done: Cell::new([0.0; 2]),
            stages,
            at_target,
        }
    }

    /// How long the target itself is offered.
    pub(super) const fn at_target(&self) -> Duration {
        self.at_target
    }

    pub(super) fn begin(&self, doing: &str) -> Stage {
        let [expected, took] = self.done.get();
        let pace = if expected > 0.0 { took / expected } else { 1.0 };
        let left = (self.total - expected).max(0.0) * pace;
        self.observer.stage(doing, Duration::from_secs_f64(left));
        Stage(Instant::now())
    }

    /// All stages count alike: which machines will be tried is not known beforehand.
    pub(super) fn end(&self, stage: Stage) {
        let [expected, took] = self.done.get();
        let share = self.total / self.stages.max(1) as f64;
        self.done.set([(expected + share).min(0.98 * self.total), took + stage.0.elapsed().as_secs_f64()]);
    }
}
