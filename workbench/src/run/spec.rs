//! What a run measures.

use std::time::Duration;

use jiff::Timestamp;

use crate::actor::Durability;
use crate::load::{Load, Objective, RunError, Source, WarmUp, Writers};
use crate::units;

/// Measured time of a round by default.
const SHORTEST_MEASURE: Duration = Duration::from_secs(3);
const LONGEST_MEASURE: Duration = Duration::from_secs(600);

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
    /// Measured time of each of `rounds` by default: 3 s, or as long as the samples of the objective's percentile take at the
    /// offered rate, ten minutes at most; `None`, which is all of it, for a finite source.
    pub(crate) fn default_measure(
        load: Load,
        objective: Option<&Objective>,
        rounds: u32,
        source: &Source,
    ) -> Option<Duration> {
        if source.is_finite() {
            return None;
        }
        let needed = objective.zip(load.mean_per_second()).map_or(Duration::ZERO, |(objective, per_second)| {
            let request = objective.check(source).unwrap_or_else(|_| source.most_frequent_request());
            objective.time_at(per_second * source.per_command(request)) / rounds.max(1)
        });
        let seconds = needed.clamp(SHORTEST_MEASURE, LONGEST_MEASURE).as_secs_f64().ceil();
        Some(Duration::from_secs_f64(seconds))
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
            Load::TraceTimes { .. } if matches!(source, Source::Trace { trace, .. } if trace.duration_ns() == 0) => {
                return wrong("--speed: all operations of the trace have one time; give --rate instead");
            }
            _ => {}
        }
        if self.rounds == 0 || self.durabilities.is_empty() {
            return wrong("at least one round and one durability mode are needed");
        }
        self.writers.at_most(source.most_writers()).check(&self.durabilities)?;
        if let (Some(per_second), Some(measure)) = (self.load.mean_per_second(), self.measure)
            && per_second * measure.as_secs_f64() < 1.0
        {
            return wrong(&format!(
                "at {} none may be due within the {} s measured; measure longer",
                units::commands_per_second(per_second),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Arrivals, Workload};

    #[test]
    fn a_round_is_as_long_as_the_samples_of_the_objective_take() {
        let mut workload = Workload::find("audit").unwrap();
        workload.name = "t".to_owned();
        let source = Source::Workload(workload.into());
        let objective: Objective = "persist:p99=10ms".parse().unwrap();
        let persists = source.share(ave_actors_rocksdb::trace::CommandKind::Persist);
        let seconds = |per_second| {
            let load = Load::Open { per_second, arrivals: Arrivals::Poisson };
            RunSpec::default_measure(load, Some(&objective), 5, &source).unwrap().as_secs_f64()
        };
        assert_eq!((seconds(10_000.0), seconds(0.01)), (3.0, 600.0));
        let measured = 5.0 * seconds(20.0);
        assert!(measured * 20.0 * persists > 1_000.0 && measured * 20.0 * persists < 1_300.0, "{measured}");
        assert_eq!(RunSpec::default_measure(Load::Closed, Some(&objective), 5, &source), Some(SHORTEST_MEASURE));
    }
}
