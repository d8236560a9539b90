//! The specification of a certification, and its checks before anything is measured.

use std::time::Duration;

use crate::actor::Durability;
use crate::load::{Objective, RequestKind, RunError, Source, WarmUp, Writers};
use crate::units;
use crate::workload::Arrivals;

/// Longest segment: results are saved after each.
const LONGEST_SEGMENT: Duration = Duration::from_secs(300);
/// Slices at least: the worst of fewer is no evidence.
const FEWEST_SLICES: u64 = 3;
/// Standard deviations of random arrivals by which the expected samples of a slice exceed what its percentile needs.
const SPARE_DEVIATIONS: f64 = 5.0;

/// A rate to be sustained for a long time.
#[derive(Debug, Clone, PartialEq)]
pub struct CertifySpec {
    /// Commands per second over all writers, above 0.
    pub rate_per_second: f64,
    /// Objective that every slice must meet.
    pub objective: Objective,
    /// Certified time in each durability mode: whole slices, at least three.
    pub duration: Duration,
    /// Length of a slice, whole seconds, 1 to 300.
    pub slice: Duration,
    /// Time after which results are saved, rounded down to slices: at least one slice, at most five minutes.
    pub segment: Duration,
    /// Warm-up after a database is filled or reopened.
    pub warmup: WarmUp,
    /// The modes, in the order of certification, each with its own database.
    pub durabilities: Vec<Durability>,
    /// Threads that issue commands, 1 to 1,024, at most one per actor.
    pub writers: Writers,
}

impl CertifySpec {
    /// The default segment: a minute, and at least three slices.
    pub(crate) fn default_segment(slice: Duration) -> Duration {
        Duration::from_secs(60).max(slice.saturating_mul(3))
    }

    pub(crate) fn slice_seconds(&self) -> u32 {
        u32::try_from(self.slice.as_secs()).unwrap_or(u32::MAX).max(1)
    }

    pub(super) fn slices(&self) -> u64 {
        let slice = Duration::from_secs(self.slice_seconds().into());
        (self.duration.as_nanos() / slice.as_nanos()).try_into().unwrap_or(u64::MAX)
    }

    pub(super) fn slices_per_segment(&self) -> u64 {
        slices_per_segment(self.slice_seconds().into(), self.segment)
    }

    /// Checks the settings against each other, the source and the free space, and returns what the objective is on.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] with the setting at fault and a value that fits.
    pub fn check(&self, source: &Source, free_bytes: Option<u64>) -> Result<RequestKind, RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if !(self.rate_per_second > 0.0 && self.rate_per_second.is_finite()) {
            return wrong(format!("a rate of {} commands/s, expected more than 0", self.rate_per_second));
        }
        self.writers.at_most(source.most_writers()).check(&self.durabilities)?;
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
        let request = self.objective.check(source)?;
        self.check_samples(source, request)?;
        if self.slices() < FEWEST_SLICES {
            let least = FEWEST_SLICES * u64::from(self.slice_seconds());
            return wrong(format!(
                "a duration of {} s is less than {FEWEST_SLICES} slices of {} s; choose {least} s or more, or shorter slices",
                self.duration.as_secs_f64(),
                self.slice_seconds()
            ));
        }
        let whole = self.slice * u32::try_from(self.slices()).unwrap_or(u32::MAX);
        if whole < self.duration {
            let (duration, slice) = (self.duration.as_secs_f64(), u64::from(self.slice_seconds()));
            let (less, more) = (whole.as_secs(), whole.as_secs() + slice);
            return wrong(format!(
                "a duration of {duration} s is no whole number of slices of {slice} s; choose {less} s or {more} s"
            ));
        }
        free_bytes.map_or(Ok(()), |bytes| source.check_space(bytes))?;
        self.check_space(source, free_bytes)?;
        Ok(request)
    }

    /// A slice must have the samples that its percentile needs.
    fn check_samples(&self, source: &Source, request: RequestKind) -> Result<(), RunError> {
        let needed = self.objective.samples_needed() as f64;
        let chance = if source.arrivals() == Arrivals::Constant { 0.0 } else { SPARE_DEVIATIONS * needed.sqrt() };
        // Between bursts the rate is lower than the mean.
        let calm = if let Arrivals::Bursts(bursts) = source.arrivals() { bursts.calm_factor() } else { 1.0 };
        let per_second = self.rate_per_second * source.per_command(request) * calm;
        let seconds = (needed + chance) / per_second.max(f64::MIN_POSITIVE);
        if seconds <= f64::from(self.slice_seconds()) {
            return Ok(());
        }
        let percentile = self.objective.percentile;
        let longest = LONGEST_SEGMENT.as_secs_f64();
        let advice = if seconds <= longest {
            format!("choose slices of {} s: --slice {}s", seconds.ceil(), seconds.ceil())
        } else {
            format!("no slice of at most {longest} s has them; choose a lower percentile or a higher rate")
        };
        Err(RunError::Settings(format!(
            "at {}, {} of them `{}`, a slice of {} s has about {} of the {} samples that {percentile} needs; \
             {advice}",
            units::commands_per_second(self.rate_per_second),
            units::number(per_second),
            source.request_name(request),
            self.slice_seconds(),
            units::number((per_second * f64::from(self.slice_seconds())).round()),
            units::number((needed + chance).ceil()),
        )))
    }

    fn check_space(&self, source: &Source, free_bytes: Option<u64>) -> Result<(), RunError> {
        let Some(free_bytes) = free_bytes else { return Ok(()) };
        let volume = source.write_volume();
        let commands = self.rate_per_second * self.duration.as_secs_f64();
        let kept = volume.preload_kept_bytes + commands * volume.kept_bytes_per_command;
        if kept <= free_bytes as f64 {
            return Ok(());
        }
        Err(RunError::Settings(format!(
            "{} commands write {} of values, {} each, of which at least {} stay in the database, and {} are free; choose a \
             shorter --duration or a larger disk (--data-dir DIR)",
            units::number(commands),
            units::bytes(commands * volume.written_bytes_per_command),
            units::bytes(volume.written_bytes_per_command),
            units::bytes(kept),
            units::bytes(free_bytes as f64),
        )))
    }
}

fn slices_per_segment(slice_seconds: u64, segment: Duration) -> u64 {
    (segment.as_secs() / slice_seconds).clamp(1, (LONGEST_SEGMENT.as_secs() / slice_seconds).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_whole_slices_of_five_minutes_at_most() {
        let slices = |slice, segment| slices_per_segment(slice, Duration::from_secs(segment));
        let found = [slices(10, 60), slices(7, 60), slices(10, 1), slices(10, 3_600), slices(300, 60)];
        assert_eq!(found, [6, 8, 1, 30, 1]);
    }
}
