//! What a run measures.

use std::time::Duration;

use jiff::Timestamp;

use crate::actor::Durability;
use crate::load::{Load, RunError, Source, WarmUp, Writers};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpec {
    /// How commands are issued.
    pub load: Load,
    /// Threads that issue them, 1 to 1,024, at most one per actor. Each actor belongs to one of them.
    pub writers: Writers,
    /// Rounds per durability mode, at least 1.
    pub rounds: u32,
    /// Time at the start of each round that is not measured.
    pub warmup: WarmUp,
    /// Measured time of each round; `None` runs to the end of a finite source.
    pub measure: Option<Duration>,
    /// The modes to run, in this order within each round.
    pub durabilities: Vec<Durability>,
    /// Whether to compare what is stored with what was acknowledged.
    pub verify: bool,
    /// Processes to kill per durability mode after the rounds.
    pub kills: u32,
    /// Power cuts per durability mode after that.
    pub power_cuts: u32,
    /// When the load of the first round begins, its warm-up first, so that several hosts begin together; at once if absent.
    pub start_at: Option<Timestamp>,
}

impl RunSpec {
    /// Measured time of each round by default: 3 s; `None`, which is all of it, for a finite source.
    pub(crate) fn default_measure(source: &Source) -> Option<Duration> {
        (!source.is_finite()).then_some(Duration::from_secs(3))
    }

    /// Warm-up of each round by default: none for a finite source, 1 s for a ramp, which must know when it begins, else until
    /// the load is steady.
    pub(crate) const fn default_warmup(load: Load, source: &Source) -> WarmUp {
        match load {
            _ if source.is_finite() => WarmUp::NONE,
            Load::Ramp { .. } => WarmUp::Fixed(Duration::from_secs(1)),
            _ => WarmUp::STEADY,
        }
    }

    /// Checks the settings against each other and the source.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that says what does not fit.
    pub fn check(&self, source: &Source) -> Result<(), RunError> {
        let wrong = |text: &str| Err(RunError::Settings(text.to_owned()));
        match self.load {
            Load::Open { per_second, .. } => positive_rate(per_second)?,
            Load::Ramp { from_per_second, to_per_second, .. } => {
                positive_rate(from_per_second)?;
                positive_rate(to_per_second)?;
                if self.measure.is_none() || matches!(self.warmup, WarmUp::Steady { .. }) {
                    return wrong("a ramp needs a time to measure and a warm-up of a fixed time");
                }
            }
            Load::TraceTimes { speed } if speed <= 0.0 || !speed.is_finite() => {
                return wrong(&format!("a speed of {speed}, expected more than 0"));
            }
            Load::TraceTimes { .. } if matches!(source, Source::Workload(_)) => {
                return wrong("a workload has no times of its own: --speed needs a trace, --rate goes with both");
            }
            _ => {}
        }
        if self.rounds == 0 || self.durabilities.is_empty() {
            return wrong("at least one round and one durability mode are needed");
        }
        self.writers.at_most(source.actors()).check(&self.durabilities)?;
        if let (Some(per_second), Some(measure)) = (self.load.mean_per_second(), self.measure)
            && per_second * measure.as_secs_f64() < 1.0
        {
            return wrong(&format!(
                "at {per_second} commands/s none may be due within the {} s measured; measure longer",
                measure.as_secs_f64()
            ));
        }
        if self.measure.is_none() && !source.is_finite() {
            return wrong("a source without end needs a time to measure");
        }
        let now = Timestamp::now();
        if let Some(at) = self.start_at.filter(|&at| at <= now) {
            return wrong(&format!("--start-at {at} is in the past: it is {now:.0} now"));
        }
        if self.measure.is_some_and(|measure| measure.is_zero()) {
            return wrong("a measured time of 0 s, expected more");
        }
        Ok(())
    }
}

fn positive_rate(per_second: f64) -> Result<(), RunError> {
    if per_second > 0.0 && per_second.is_finite() {
        return Ok(());
    }
    Err(RunError::Settings(format!("a rate of {per_second} commands/s, expected more than 0")))
}
