//! Service level objectives: `p99=10ms`, or `recover:p99.9=50ms` on another command, or `fact:p99=200ms` on a transaction.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::error::RunError;
use super::requests::RequestKind;
use super::source::Source;
use crate::measure::{LatencyHistogram, PERCENTILES, Percentile};
use crate::workload::excerpt;

/// A limit for a percentile of the response time of a command or a transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Name of the command or transaction. Default: the transaction that the source begins most, or the command that it issues
    /// most, usually `persist`.
    pub request: Option<String>,
    /// Percentile of the response times.
    pub percentile: Percentile,
    /// Longest response time at the percentile, nanoseconds.
    pub limit_ns: u64,
}

/// The text cannot be parsed as an objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, expected for example `p99=10ms` or `recover:p99.9=50ms`")]
pub struct ObjectiveError {
    reason: String,
}

impl Objective {
    /// Whether these response times meet it; `None` if there are too few samples for the percentile.
    pub fn is_met(&self, response: &LatencyHistogram) -> Option<bool> {
        response.percentile(self.percentile).map(|value| value <= self.limit_ns)
    }

    /// What it is on: the command or transaction that it names, else what the source issues most.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that lists what the source issues.
    pub fn check(&self, source: &Source) -> Result<RequestKind, RunError> {
        let Some(name) = &self.request else { return Ok(source.most_frequent_request()) };
        source.request_named(|known| known == name, &format!("the objective is on `{}`", excerpt(name)))
    }

    /// Time that the samples of its percentile take at a rate of what it is on, with four standard deviations of a Poisson
    /// process more.
    pub(crate) fn time_at(&self, per_second: f64) -> Duration {
        let samples = self.samples_needed() as f64;
        let needed = samples + 4.0 * samples.sqrt();
        let seconds = needed / per_second.max(f64::MIN_POSITIVE);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    pub(crate) fn samples_needed(&self) -> u64 {
        let beyond = Percentile::SAMPLES_BEYOND as f64 / (1.0 - self.percentile.quantile()).max(1e-9);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
        let needed = beyond.ceil() as u64;
        if self.percentile.quantile() >= 1.0 { 1 } else { needed }
    }
}

impl FromStr for Objective {
    type Err = ObjectiveError;

    fn from_str(text: &str) -> Result<Self, ObjectiveError> {
        let wrong = |reason: String| ObjectiveError { reason };
        let (name, limit) = text.split_once('=').ok_or_else(|| wrong("no `=`".to_owned()))?;
        let (request, name) = match name.split_once(':') {
            Some((request, name)) => (Some(request.trim().to_owned()), name),
            None => (None, name),
        };
        let percentile = Percentile::named(name.trim()).ok_or_else(|| {
            let known: Vec<_> = PERCENTILES.iter().map(|percentile| percentile.name()).collect();
            wrong(format!("no percentile `{}`, the percentiles are {}", name.trim(), known.join(" ")))
        })?;
        let duration: jiff::SignedDuration =
            limit.trim().parse().map_err(|_| wrong(format!("`{}` is no duration", limit.trim())))?;
        let limit_ns = u64::try_from(duration.as_nanos())
            .ok()
            .filter(|&limit_ns| limit_ns > 0)
            .ok_or_else(|| wrong("the limit must be longer than zero".to_owned()))?;
        Ok(Self { request, percentile, limit_ns })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(request) = &self.request {
            write!(f, "{request}:")?;
        }
        write!(f, "{}={}us", self.percentile, self.limit_ns as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_read_as_people_write_them_and_as_they_are_displayed() {
        for (text, request, percentile, limit_ns) in [
            ("p99=10ms", None, "p99", 10_000_000),
            ("recover:p99.9=1.5s", Some("recover"), "p99.9", 1_500_000_000),
            ("p50=250us", None, "p50", 250_000),
        ] {
            let request = request.map(str::to_owned);
            let expected = Objective { request, percentile: Percentile::named(percentile).unwrap(), limit_ns };
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string().parse(), Ok(expected));
        }
    }

    #[test]
    fn a_text_that_is_none_says_what_is_wrong_and_shows_a_good_one() {
        for (text, reason) in [
            ("p99", "no `=`"),
            ("p98=1ms", "no percentile `p98`"),
            ("p99=fast", "no duration"),
            ("p99=0ms", "longer than zero"),
            ("p99=-1ms", "longer than zero"),
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("p99=10ms"), "{text}: {error}");
        }
    }
}
