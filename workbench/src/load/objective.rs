//! Service level objectives: `p99=10ms`, or `recover:p99.9=50ms` on another command.

use std::fmt;
use std::str::FromStr;

use super::error::RunError;
use super::source::Source;
use crate::measure::{LatencyHistogram, PERCENTILES, Percentile};
use ave_actors_rocksdb::trace::CommandKind;

/// A limit for a percentile of a command's response time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// Default: the command that the source issues most, usually `persist`.
    pub command: Option<CommandKind>,
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
    /// Whether the response times of a command meet it; `None` if there are too few samples for the percentile.
    pub fn is_met(&self, response: &LatencyHistogram) -> Option<bool> {
        response.percentile(self.percentile).map(|value| value <= self.limit_ns)
    }

    /// Its command: the one it names, else the one that the source issues most.
    pub(crate) fn command_of(&self, source: &Source) -> CommandKind {
        self.command.unwrap_or_else(|| source.most_frequent())
    }

    /// Its command, if the source issues it.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that lists the commands the source issues.
    pub fn check(&self, source: &Source) -> Result<CommandKind, RunError> {
        let (command, kinds) = (self.command_of(source), source.kinds());
        if kinds.contains(&command) {
            return Ok(command);
        }
        let issued: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        Err(RunError::Settings(format!(
            "the objective is on `{command}`, which `{}` never issues; it issues {}",
            source.name(),
            issued.join(", ")
        )))
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
        let (command, name) = match name.split_once(':') {
            Some((command, name)) => (Some(command.trim().parse().map_err(|error| wrong(format!("{error}")))?), name),
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
        Ok(Self { command, percentile, limit_ns })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(command) = self.command {
            write!(f, "{command}:")?;
        }
        write!(f, "{}={}us", self.percentile, self.limit_ns as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_read_as_people_write_them_and_as_they_are_displayed() {
        for (text, command, percentile, limit_ns) in [
            ("p99=10ms", None, "p99", 10_000_000),
            ("recover:p99.9=1.5s", Some(CommandKind::Recover), "p99.9", 1_500_000_000),
            ("p50=250us", None, "p50", 250_000),
        ] {
            let expected = Objective { command, percentile: Percentile::named(percentile).unwrap(), limit_ns };
            assert_eq!(text.parse(), Ok(expected));
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
            ("store:p99=1ms", "unknown name `store`"),
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("p99=10ms"), "{text}: {error}");
        }
    }
}
