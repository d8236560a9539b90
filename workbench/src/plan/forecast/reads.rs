//! Latency and rate of a database that does not fit into memory, from those of one that does.
//!
//! A command takes what it takes on a small database, and the time of the reads that a larger one causes:
//!
//! `service = service of the small database + disk reads per command × time of a read at that concurrency`
//!
//! The commands of an actor are executed in order by one writer, so each writer is a queue. Of a queue with Poisson arrivals and
//! exponential service times (M/M/1; L. Kleinrock, "Queueing Systems", volume 1, 1975, section 3.2) the response time at the
//! quantile `p` and the utilisation `ρ` is `service × ln(1 / (1 − p)) / (1 − ρ)`. Real service times are neither, so a factor
//! is fitted to one point that was measured on the small database, and kept. From the objective follows the utilisation, and
//! from that the rate: `writers × ρ / service`.
//!
//! Limits: the shape of the service times is assumed to stay the same, though few commands may cause most reads; compactions
//! and the cores, which a small database may use up first, are those of the point that was measured; the queue of the disk is
//! in its read time alone. So the prediction is compared with a measurement at a size that it was not fitted on, see
//! [`ModelError`].

use std::fmt;

use crate::report::ModelErrorInfo;
use crate::units;

/// Halvings of an interval: to less than a billionth of it.
const HALVINGS: u32 = 30;

/// A load on a small database that met the objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmallDatabase {
    /// Commands per second.
    pub per_second: f64,
    /// Mean service time of a command, seconds.
    pub service_seconds: f64,
    /// Response time at the percentile of the objective, seconds.
    pub response_seconds: f64,
    /// Writers: commands that are executed at the same time at most.
    pub writers: f64,
    /// Reads from the disk per command that are in these times already.
    pub disk_reads_per_command: f64,
}

/// What a command costs as a function of the reads that its database causes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadModel {
    small: SmallDatabase,
    /// Response time at the quantile over `service / (1 − utilisation)`.
    tail_factor: f64,
}

/// A prediction of the [`ReadModel`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// Commands per second.
    pub per_second: f64,
    /// Mean service time of a command, seconds.
    pub service_seconds: f64,
    /// Response time at the percentile of the objective, seconds.
    pub response_seconds: f64,
    /// Reads that the disk executes at the same time, on average.
    pub read_depth: f64,
}

impl ReadModel {
    /// Fits the tail to a load. `None` if its figures are not positive, or the writers had more to do than they could.
    pub fn fit(small: SmallDatabase) -> Option<Self> {
        let utilisation = small.per_second * small.service_seconds / small.writers;
        let is_positive = [small.per_second, small.service_seconds, small.response_seconds].iter().all(|&it| it > 0.0);
        let tail_factor = small.response_seconds * (1.0 - utilisation) / small.service_seconds;
        (is_positive && utilisation < 1.0).then_some(Self { small, tail_factor })
    }

    /// Mean service time of a command, seconds, at so many disk reads per command that take so long each.
    pub fn service_seconds(&self, disk_reads_per_command: f64, read_seconds: f64) -> f64 {
        let more = (disk_reads_per_command - self.small.disk_reads_per_command).max(0.0);
        self.small.service_seconds + more * read_seconds
    }

    /// The response time at the percentile of the objective under a rate. `read_seconds` is the mean time of a random read when
    /// so many are executed at the same time, at least one. `None` if the writers cannot sustain the rate.
    pub fn at_rate(
        &self,
        per_second: f64,
        disk_reads_per_command: f64,
        read_seconds: impl Fn(f64) -> f64,
    ) -> Option<Predicted> {
        let depth_of = |depth: f64| per_second * disk_reads_per_command * read_seconds(depth.max(1.0));
        let read_depth = bisect(0.0, self.small.writers, |depth| depth_of(depth) > depth);
        let service_seconds = self.service_seconds(disk_reads_per_command, read_seconds(read_depth.max(1.0)));
        let utilisation = per_second * service_seconds / self.small.writers;
        let response_seconds = self.tail_factor * service_seconds / (1.0 - utilisation);
        (utilisation < 1.0).then_some(Predicted { per_second, service_seconds, response_seconds, read_depth })
    }

    /// The highest rate at which the response time at the percentile of the objective is at most `limit_seconds`, below the rate
    /// that was measured or at it. `None` if no rate meets that: a single command takes longer.
    pub fn highest_rate(
        &self,
        limit_seconds: f64,
        disk_reads_per_command: f64,
        read_seconds: impl Fn(f64) -> f64,
    ) -> Option<Predicted> {
        let at = |per_second| self.at_rate(per_second, disk_reads_per_command, &read_seconds);
        let meets = |per_second: f64| at(per_second).is_some_and(|found| found.response_seconds <= limit_seconds);
        let per_second = if meets(self.small.per_second) {
            self.small.per_second
        } else {
            bisect(0.0, self.small.per_second, meets)
        };
        meets(per_second).then(|| at(per_second)).flatten().filter(|found| found.per_second > 0.0)
    }
}

/// The end of the part of an interval in which a condition holds, from its beginning.
fn bisect(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (from, to);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

/// The distance of a prediction from a measurement, as a share of the measurement: −0.2 is a fifth too low.
pub fn relative_error(predicted: f64, measured: f64) -> f64 {
    predicted / measured - 1.0
}

/// Errors of predictions against a measurement at a size of the database that the model was not fitted on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelError {
    /// Of the response time at the percentile of the objective, relative.
    pub response: f64,
    /// Of the rate that meets the objective, relative.
    pub rate: f64,
}

impl ModelError {
    /// Of a prediction at the measured rate, and of the predicted highest rate.
    pub fn new(response_seconds: [f64; 2], per_second: [f64; 2]) -> Self {
        let error = |[predicted, measured]: [f64; 2]| relative_error(predicted, measured);
        Self { response: error(response_seconds), rate: error(per_second) }
    }
}

impl From<ModelError> for ModelErrorInfo {
    fn from(error: ModelError) -> Self {
        let response_percent = Some(100.0 * error.response).filter(|percent| percent.is_finite());
        Self { rate_percent: 100.0 * error.rate, response_percent }
    }
}

/// `−20.0 % in the response time and +10.0 % in the rate`.
impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [response, rate] = [self.response, self.rate].map(|error| units::percent_difference(100.0 * error));
        write!(f, "{response} in the response time and {rate} in the rate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CertaintyLevel;
    use proptest::prelude::*;

    const SMALL: SmallDatabase = SmallDatabase {
        per_second: 10_000.0,
        service_seconds: 100e-6,
        response_seconds: 2e-3,
        writers: 2.0,
        disk_reads_per_command: 0.0,
    };

    fn model() -> ReadModel {
        ReadModel::fit(SMALL).unwrap()
    }

    #[test]
    fn without_reads_the_model_repeats_the_measurement() {
        let found = model().highest_rate(SMALL.response_seconds, 0.0, |_| 1e-3).unwrap();
        assert!((found.per_second / SMALL.per_second - 1.0).abs() < 1e-6, "{found:?}");
        assert!((found.response_seconds / SMALL.response_seconds - 1.0).abs() < 1e-6, "{found:?}");
        assert!((found.service_seconds - SMALL.service_seconds).abs() < 1e-12);
    }

    #[test]
    fn reads_that_the_measurement_contains_do_not_count_twice() {
        let model = ReadModel::fit(SmallDatabase { disk_reads_per_command: 0.5, ..SMALL }).unwrap();
        assert!((model.service_seconds(0.5, 1e-3) - SMALL.service_seconds).abs() < 1e-12);
        assert!((model.service_seconds(1.5, 1e-3) - SMALL.service_seconds - 1e-3).abs() < 1e-12);
    }

    #[test]
    fn no_rate_meets_an_objective_that_is_shorter_than_a_command() {
        assert_eq!(model().highest_rate(1e-3, 10.0, |_| 1e-3), None);
        assert_eq!(model().at_rate(SMALL.per_second, 10.0, |_| 1e-3), None, "ten reads each take longer than there is");
    }

    #[test]
    fn a_load_beyond_its_writers_is_no_measurement() {
        assert_eq!(ReadModel::fit(SmallDatabase { writers: 1.0, ..SMALL }), None);
        assert_eq!(ReadModel::fit(SmallDatabase { response_seconds: 0.0, ..SMALL }), None);
    }

    #[test]
    fn errors_beyond_25_percent_of_the_latency_or_15_of_the_rate_lower_the_certainty() {
        use CertaintyLevel::{High, Moderate};
        for (response, rate, level) in
            [(1.24, 0.86, High), (0.76, 1.14, High), (1.26, 1.0, Moderate), (0.7, 1.0, Moderate), (1.0, 1.16, Moderate)]
        {
            let error = ModelError::new([response, 1.0], [rate, 1.0]);
            assert_eq!(ModelErrorInfo::from(error).certainty(), level, "{error}");
        }
        let error = ModelError::new([0.8, 1.0], [1.1, 1.0]);
        assert_eq!(error.to_string(), "−20.0 % in the response time and +10.0 % in the rate");
    }

    proptest! {
        #[test]
        fn more_reads_and_slower_disks_never_raise_the_rate(
            reads in 0.0..2.0, more in 0.0..2.0, read_seconds in 1e-5..1e-2, slower in 1.0..4.0, limit in 2e-3..1.0,
        ) {
            let model = model();
            // Reads take longer the more there are at the same time.
            let rate = |reads: f64, seconds: f64| {
                model.highest_rate(limit, reads, |depth| seconds * depth.sqrt()).map_or(0.0, |found| found.per_second)
            };
            let base = rate(reads, read_seconds) * (1.0 + 1e-6) + 1e-3;
            prop_assert!(rate(reads + more, read_seconds) <= base);
            prop_assert!(rate(reads, slower * read_seconds) <= base);
        }

        #[test]
        fn the_highest_rate_meets_the_limit_and_a_higher_one_does_not(
            reads in 0.1..2.0, read_seconds in 1e-5..1e-3, limit in 2e-3..0.1,
        ) {
            let model = model();
            let read = |depth: f64| read_seconds * (1.0 + 0.1 * depth);
            if let Some(found) = model.highest_rate(limit, reads, read) {
                prop_assert!(found.response_seconds <= limit);
                prop_assert!(found.read_depth <= SMALL.writers);
                let above = model.at_rate(1.01 * found.per_second, reads, read);
                let is_measured = found.per_second >= SMALL.per_second;
                prop_assert!(is_measured || above.is_none_or(|above| above.response_seconds > limit));
            }
        }
    }
}
