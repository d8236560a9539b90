//! What is to be certified, and what is refused before time is spent.

use std::time::Duration;

use crate::actor::Durability;
use crate::load::{MOST_WORKERS, Objective, RunError, Source, WarmUp};
use crate::workload::Arrivals;
use ave_actors_rocksdb::trace::CommandKind;

/// Longest time that is driven before what it showed is written down.
pub const LONGEST_SEGMENT: Duration = Duration::from_secs(300);
/// Slices a certification has at least: the worst of fewer says little.
const FEWEST_SLICES: u64 = 3;
/// Standard deviations by which a slice is expected to have more samples than its percentile needs: arrivals at random
/// are fewer by chance.
const SPARE_DEVIATIONS: f64 = 5.0;

/// A rate that is to be held for a long time.
#[derive(Debug, Clone, PartialEq)]
pub struct CertifySpec {
    /// Commands per second over all workers, above 0.
    pub rate_per_second: f64,
    /// What every slice of time must meet.
    pub objective: Objective,
    /// Time that counts in each durability mode, at least three slices. What is left of a last slice is added.
    pub duration: Duration,
    /// Length of a slice, whole seconds, at least 1.
    pub slice: Duration,
    /// Time after which what was measured is written down, rounded to slices: at least one, at most five minutes.
    pub segment: Duration,
    /// Time before anything counts when a database is new or was taken up.
    pub warmup: WarmUp,
    /// The modes, one after the other, each with a database of its own.
    pub durabilities: Vec<Durability>,
    /// Threads that issue commands, at least 1.
    pub workers: u64,
}

impl CertifySpec {
    /// Length of a slice, seconds, at least 1.
    pub fn slice_seconds(&self) -> u32 {
        u32::try_from(self.slice.as_secs()).unwrap_or(u32::MAX).max(1)
    }

    /// Slices in each durability mode.
    pub fn slices(&self) -> u64 {
        self.duration
            .as_nanos()
            .div_ceil(u128::from(self.slice_seconds()) * 1_000_000_000)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Slices in a segment.
    pub fn slices_per_segment(&self) -> u64 {
        let slice = u64::from(self.slice_seconds());
        (self.segment.as_secs() / slice).clamp(1, (LONGEST_SEGMENT.as_secs() / slice).max(1))
    }

    /// Checks the settings against each other, the source, and the space that is free for the databases, and finds the
    /// command the objective is on.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that says what does not fit, and what would.
    pub fn check(&self, source: &Source, free_bytes: Option<u64>) -> Result<CommandKind, RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if !(self.rate_per_second > 0.0 && self.rate_per_second.is_finite()) {
            return wrong(format!("a rate of {} commands/s, expected more than 0", self.rate_per_second));
        }
        if self.workers == 0 || self.workers > MOST_WORKERS {
            return wrong(format!("{} workers, expected 1 to {MOST_WORKERS}", self.workers));
        }
        if self.durabilities.is_empty() {
            return wrong("at least one durability mode is needed".to_owned());
        }
        if self.slice.is_zero() || self.slice.subsec_nanos() > 0 || self.slice > LONGEST_SEGMENT {
            return wrong(format!(
                "a slice of {} s, expected whole seconds, 1 to {}",
                self.slice.as_secs_f64(),
                LONGEST_SEGMENT.as_secs()
            ));
        }
        let command = self.objective.check(source)?;
        self.check_samples(source, command)?;
        if self.slices() < FEWEST_SLICES {
            let least = FEWEST_SLICES * u64::from(self.slice_seconds());
            return wrong(format!(
                "a duration of {} s is less than {FEWEST_SLICES} slices of {} s; give {least} s or more, or shorter slices",
                self.duration.as_secs_f64(),
                self.slice_seconds()
            ));
        }
        self.check_space(source, free_bytes)?;
        Ok(command)
    }

    /// A slice must hold the samples that its percentile needs.
    fn check_samples(&self, source: &Source, command: CommandKind) -> Result<(), RunError> {
        let needed = self.objective.samples_needed() as f64;
        let chance = if source.arrivals() == Arrivals::Constant { 0.0 } else { SPARE_DEVIATIONS * needed.sqrt() };
        // Between bursts the rate is lower than the mean.
        let calm = if let Arrivals::Bursts(bursts) = source.arrivals() { bursts.calm_factor() } else { 1.0 };
        let per_second = self.rate_per_second * source.share(command) * calm;
        let seconds = (needed + chance) / per_second.max(f64::MIN_POSITIVE);
        if seconds <= f64::from(self.slice_seconds()) {
            return Ok(());
        }
        let percentile = self.objective.percentile;
        let longest = LONGEST_SEGMENT.as_secs_f64();
        let advice = if seconds <= longest {
            format!("slices of {} s would hold them: --slice {}s", seconds.ceil(), seconds.ceil())
        } else {
            format!("no slice of at most {longest} s would; judge by a lower percentile or at a higher rate")
        };
        Err(RunError::Settings(format!(
            "at {} commands/s, {per_second:.3} of them `{command}`, a slice of {} s holds about {:.0} of the {:.0} samples \
             that {percentile} needs; {advice}",
            self.rate_per_second,
            self.slice_seconds(),
            per_second * f64::from(self.slice_seconds()),
            (needed + chance).ceil(),
        )))
    }

    /// The disk must hold at least what certainly stays in the database of a mode.
    fn check_space(&self, source: &Source, free_bytes: Option<u64>) -> Result<(), RunError> {
        let Some(free_bytes) = free_bytes else { return Ok(()) };
        let volume = source.write_volume();
        let commands = self.rate_per_second * self.duration.as_secs_f64();
        let kept = volume.preload_kept_bytes + commands * volume.kept_bytes_per_command;
        if kept <= free_bytes as f64 {
            return Ok(());
        }
        let gigabytes = |bytes: f64| bytes / 1e9;
        Err(RunError::Settings(format!(
            "{commands:.0} commands write {:.1} GB of values, {:.0} bytes each, of which at least {:.1} GB stay in the \
             database, and {:.1} GB are free; certify a shorter time or give a larger disk: --data-dir DIR",
            gigabytes(commands * volume.written_bytes_per_command),
            volume.written_bytes_per_command,
            gigabytes(kept),
            gigabytes(free_bytes as f64),
        )))
    }
}
