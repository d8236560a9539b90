//! The workload file: keys, checks, defaults.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::distribution::{SizeDistribution, checked as checked_sizes, draw};
use super::input_text::escape_lines;
use crate::actor::{PersistenceRules, Strategy};
use ave_actors_rocksdb::trace::CommandKind;

/// A population of actors and its commands, from a `.toml` file.
///
/// Unknown keys are errors that name the line they stand on.
///
/// ```
/// use ave_workbench::workload::Workload;
///
/// let workload = Workload::parse(
///     r#"
///     name = "registers"
///     description = "Small registers, read and overwritten."
///     event_bytes = { constant = 120 }
///     state_bytes = { constant = 400 }
///     [actors]
///     count = 1000
///     [persistence]
///     mode = "light"
///     [commands]
///     persist = 9
///     recover = 1
///     "#,
/// )
/// .unwrap();
/// assert_eq!(workload.actors.count, 1000);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// 1 to 64 letters, digits, `-` or `_`; part of the report's name.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// A paragraph on the application it represents.
    pub description: String,
    /// Seed of everything random. Default 1.
    #[serde(default = "whole::<1, _>")]
    pub seed: u64,
    /// Serialised events, before encryption.
    #[serde(deserialize_with = "checked_sizes")]
    pub event_bytes: SizeDistribution,
    /// Serialised actor state, before encryption.
    #[serde(deserialize_with = "checked_sizes")]
    pub state_bytes: SizeDistribution,
    /// Share of each value that repeats, 0 (random) to 1. Default 0.5.
    #[serde(default = "default_compressibility", deserialize_with = "share")]
    pub compressibility: f64,
    /// Number, types, skew and names of the actors.
    pub actors: Actors,
    /// When state is written, and how.
    pub persistence: Persistence,
    /// Weights of the commands.
    #[serde(deserialize_with = "command_mix")]
    pub commands: CommandMix,
    /// When commands arrive in an open loop. Default Poisson.
    #[serde(default, deserialize_with = "arrivals")]
    pub arrivals: Arrivals,
    /// Content of the database before the measurement. Default none.
    #[serde(default)]
    pub preload: Preload,
}

/// The actors of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actors {
    /// 1 to 100 million.
    #[serde(deserialize_with = "within::<1, 100_000_000, _, _>")]
    pub count: u32,
    /// Actor types; each has its own three column families. Default 1, at most 10,000.
    #[serde(default = "whole::<1, _>", deserialize_with = "within::<1, 10_000, _, _>")]
    pub types: u32,
    /// How commands spread over actors. Default uniform.
    #[serde(default, deserialize_with = "skew")]
    pub skew: Skew,
    /// Characters of an actor's name, which prefixes its keys. Default 44, as of a base64 digest; 8 to 1024.
    #[serde(default = "whole::<44, _>", deserialize_with = "within::<8, 1024, _, _>")]
    pub name_bytes: usize,
}

/// How commands spread over actors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skew {
    /// Every actor equally often.
    #[default]
    Uniform,
    /// Zipf: among the actors of one worker, the k-th busiest gets a share proportional to `k^-s`. 0 < s <= 5; real
    /// logs lie near 1. Workers get equal shares of the commands, so the skew depends on their number: compare runs with
    /// equal numbers of workers.
    Zipf(f64),
}

/// How actors persist, as defined by their `PersistentActor` implementation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persistence {
    /// When the state is written.
    pub mode: PersistenceMode,
    /// Events between automatic snapshots under full persistence; 0 turns them off. Default 100, as the trait's.
    #[serde(default = "whole::<100, _>")]
    pub snapshot_every: u64,
    /// Whether a snapshot deletes the events it covers. Default false.
    #[serde(default)]
    pub compact_on_snapshot: bool,
    /// Whether values are encrypted at rest: 40 bytes more each, and nothing to compress. Default false.
    #[serde(default)]
    pub encrypted: bool,
}

/// When the state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersistenceMode {
    /// With every event.
    Light,
    /// Every `snapshot_every` events.
    Full,
}

/// Weights of the commands; a command's share is its weight over their sum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommandMix {
    /// Append an event.
    pub persist: f64,
    /// Write the state.
    pub snapshot: f64,
    /// Start an actor, after a crash or after an orderly stop.
    pub recover: f64,
    /// Share of the starts that follow an orderly stop, 0 to 1: under full persistence the actor first writes a snapshot
    /// of its events since the last one, as its `pre_stop` does. The stop is a `snapshot` command in addition to the
    /// weight `snapshot`. Default 0: every start follows a crash.
    pub recover_after_stop: f64,
    /// Read a range of events.
    pub events: f64,
    /// Events an `events` command reads. Default 20.
    pub events_per_query: u64,
    /// Equally spaced quantiles of the number of events an `events` command reads, ascending; replaces `events_per_query`.
    /// Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events_per_query_quantiles: Vec<u32>,
    /// Read the newest event.
    pub last_event: f64,
    /// Delete an actor's data.
    pub purge: f64,
}

impl CommandMix {
    /// The weight of a command.
    pub const fn weight(&self, kind: CommandKind) -> f64 {
        [self.persist, self.snapshot, self.recover, self.events, self.last_event, self.purge][kind.index()]
    }

    pub(crate) fn weight_mut(&mut self, kind: CommandKind) -> &mut f64 {
        let Self { persist, snapshot, recover, events, last_event, purge, .. } = self;
        [persist, snapshot, recover, events, last_event, purge][kind.index()]
    }

    /// The commands of the mix, in report order.
    pub(crate) fn kinds(&self) -> Vec<CommandKind> {
        let stops = self.recover > 0.0 && self.recover_after_stop > 0.0;
        let issues = |kind| self.weight(kind) > 0.0 || (kind == CommandKind::Snapshot && stops);
        CommandKind::ALL.into_iter().filter(|&kind| issues(kind)).collect()
    }

    /// Share of a command, `0.0 ..= 1.0`; all orderly stops count as snapshots.
    pub(crate) fn share(&self, kind: CommandKind) -> f64 {
        let stops = self.recover * self.recover_after_stop;
        let all = stops + CommandKind::ALL.iter().map(|&kind| self.weight(kind)).sum::<f64>();
        (self.weight(kind) + if kind == CommandKind::Snapshot { stops } else { 0.0 }) / all
    }

    /// Events an `events` command reads, without quantiles.
    pub(crate) const fn query_length(&self) -> u64 {
        if self.events_per_query == 0 { 20 } else { self.events_per_query }
    }

    /// Draws how many events an `events` command reads, at least 1.
    pub(super) fn draw_query_length(&self, rng: &mut impl rand::Rng) -> u64 {
        if self.events_per_query_quantiles.is_empty() {
            return self.query_length();
        }
        u64::from(draw(&self.events_per_query_quantiles, rng)).max(1)
    }

    fn check(&self) -> Result<(), String> {
        let weights = CommandKind::ALL.map(|kind| self.weight(kind));
        let quantiles = &self.events_per_query_quantiles;
        let rules = [
            (weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0), "weights must be 0 or positive"),
            (weights.iter().sum::<f64>() > 0.0, "at least one command needs a positive weight"),
            ((0.0..=1.0).contains(&self.recover_after_stop), "`recover_after_stop` must be a share from 0 to 1"),
            (
                quantiles.len() != 1 && quantiles.is_sorted(),
                "`events_per_query_quantiles` must be two or more numbers in ascending order",
            ),
        ];
        rules.into_iter().find(|(is_met, _)| !is_met).map_or(Ok(()), |(_, rule)| Err(rule.to_owned()))
    }
}

/// When commands arrive in an open loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Independent of each other, as requests of many users are.
    #[default]
    Poisson,
    /// In bursts, as after an outage or on the hour.
    Bursts(Bursts),
}

impl std::fmt::Display for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant => f.write_str("evenly spaced"),
            Self::Poisson => f.write_str("Poisson arrivals"),
            Self::Bursts(Bursts { factor, share, seconds }) => {
                let percent = 100.0 * share;
                write!(f, "bursts of {factor} times the rate for {seconds} s on average, {percent:.0} % of the time")
            }
        }
    }
}

/// Random arrivals at two rates that alternate after random, exponentially distributed times. The mean rate is the
/// offered one.
///
/// In a workload file: `arrivals = { bursts = { factor = 5.0, share = 0.1, seconds = 2.0 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Rate in a burst as a multiple of the mean rate, above 1.
    pub factor: f64,
    /// Share of the time that bursts take, between 0 and 1; times `factor` at most 1.
    pub share: f64,
    /// Mean length of a burst, seconds, above 0.
    pub seconds: f64,
}

impl Bursts {
    /// Rate between bursts as a multiple of the mean rate.
    pub(crate) fn calm_factor(self) -> f64 {
        ((1.0 - self.factor * self.share) / (1.0 - self.share)).max(0.0)
    }

    fn is_valid(self) -> bool {
        let Self { factor, share, seconds } = self;
        factor > 1.0 && share > 0.0 && factor * share <= 1.0 && seconds > 0.0 && seconds.is_finite()
    }
}

/// Content of the database before the measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preload {
    /// Events persisted for every actor beforehand, at most 1 million. Default 0.
    #[serde(default, deserialize_with = "within::<0, 1_000_000, _, _>")]
    pub events_per_actor: u64,
    /// Further events, spread over the actors as the commands are: an actor that is busier has a longer log. At most
    /// 10^12. Default 0.
    #[serde(default, deserialize_with = "within::<0, 1_000_000_000_000, _, _>", skip_serializing_if = "is_zero")]
    pub events_by_popularity: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Workload {
    /// Reads a workload from the text of a file.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Parse`] with line, column and what was expected.
    pub fn parse(text: &str) -> Result<Self, WorkloadError> {
        Self::parse_from(text, Path::new("workload"))
    }

    /// Reads a workload file.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Read`] if it cannot be read, [`WorkloadError::Parse`] if it is not a valid workload.
    pub fn read(path: &Path) -> Result<Self, WorkloadError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| WorkloadError::Read { path: path.to_owned(), source })?;
        Self::parse_from(&text, path)
    }

    pub(super) fn parse_from(text: &str, path: &Path) -> Result<Self, WorkloadError> {
        toml::from_str(text).map_err(|source| WorkloadError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    /// The same after so many more events, spread over the actors by their popularity.
    pub(crate) fn grown(&self, events: u64) -> Self {
        let mut grown = self.clone();
        grown.preload.events_by_popularity = grown.preload.events_by_popularity.saturating_add(events);
        grown
    }

    /// The rules by which commands expand to storage operations.
    pub(crate) const fn rules(&self) -> PersistenceRules {
        let every = self.persistence.snapshot_every;
        PersistenceRules {
            strategy: match self.persistence.mode {
                PersistenceMode::Light => Strategy::Light,
                PersistenceMode::Full => Strategy::Full { snapshot_every: if every == 0 { None } else { Some(every) } },
            },
            compact_on_snapshot: self.persistence.compact_on_snapshot,
            encrypted: self.persistence.encrypted,
        }
    }

    /// Share of each stored value that repeats: 0 if values are encrypted.
    pub(crate) const fn stored_compressibility(&self) -> f64 {
        if self.persistence.encrypted { 0.0 } else { self.compressibility }
    }
}

/// Why a workload cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum WorkloadError {
    /// The file cannot be read.
    #[error("cannot read workload {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is not a valid workload; the source names line, column and what was expected.
    #[error("{}: {}", path.display(), escape_lines(&source.to_string()))]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    /// There is neither a shipped workload nor a file of this name.
    #[error("no workload named `{name}` and no such file; shipped workloads: {known}")]
    Unknown { name: String, known: String },
}

/// A default that is a whole number.
fn whole<const N: u8, T: From<u8>>() -> T {
    N.into()
}

const fn default_compressibility() -> f64 {
    0.5
}

/// Reads and checks a value, so that an error points at its line.
fn checked<'de, D, T>(deserializer: D, is_valid: impl Fn(&T) -> bool, expected: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let value = T::deserialize(deserializer)?;
    if is_valid(&value) { Ok(value) } else { Err(serde::de::Error::custom(format!("expected {expected}"))) }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let fits = |name: &String| {
        !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    checked(deserializer, fits, "a name of 1 to 64 letters, digits, `-` or `_`")
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, |share| (0.0..=1.0).contains(share), "a share from 0 to 1")
}

/// A whole number in a range, both ends included.
fn within<'de, const LEAST: u64, const MOST: u64, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Copy + TryInto<u64>,
{
    let fits = |&value: &T| value.try_into().is_ok_and(|value| (LEAST..=MOST).contains(&value));
    checked(deserializer, fits, &format!("a whole number from {LEAST} to {MOST}"))
}

fn skew<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Skew, D::Error> {
    let fits = |skew: &Skew| match skew {
        Skew::Uniform => true,
        Skew::Zipf(exponent) => *exponent > 0.0 && *exponent <= 5.0,
    };
    checked(deserializer, fits, "`\"uniform\"` or `{ zipf = s }` with 0 < s <= 5")
}

fn arrivals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arrivals, D::Error> {
    let fits = |arrivals: &Arrivals| !matches!(arrivals, Arrivals::Bursts(bursts) if !bursts.is_valid());
    checked(
        deserializer,
        fits,
        "bursts with `factor` above 1, `share` above 0, factor x share at most 1, `seconds` above 0",
    )
}

fn command_mix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CommandMix, D::Error> {
    let mix = CommandMix::deserialize(deserializer)?;
    mix.check().map_err(serde::de::Error::custom)?;
    Ok(mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "t"
description = "d"
event_bytes = { constant = 10 }
state_bytes = { uniform = { min = 1, max = 2 } }
[actors]
count = 5
[persistence]
mode = "light"
[commands]
persist = 1
"#;

    fn message(text: &str) -> String {
        Workload::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_minimal_workload_gets_the_defaults_of_the_trait() {
        let workload = Workload::parse(GOOD).unwrap();
        assert_eq!(workload.persistence.snapshot_every, 100);
        assert_eq!(workload.actors.skew, Skew::Uniform);
        assert!((workload.commands.share(CommandKind::Persist) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = message(&GOOD.replace("count = 5", "count = 5\ncolour = 3"));
        assert!(text.contains("line 8") && text.contains("colour"), "{text}");
    }

    #[test]
    fn a_figure_out_of_range_is_named_with_its_line_and_what_was_expected() {
        let bursts = "arrivals = { bursts = { factor = 5, share = 0.3, seconds = 1 } }\n[actors]";
        for (from, to, line, expected) in [
            ("count = 5", "count = 0", "line 7", "1 to 100000000"),
            ("min = 1", "min = 9", "line 5", "`min` must not exceed `max`"),
            ("persist = 1", "persist = -1", "line 10", "0 or positive"),
            ("persist = 1", "persist = 0", "line 10", "positive weight"),
            ("persist = 1", "persist = 1\nrecover_after_stop = 2", "line 10", "share from 0 to 1"),
            ("persist = 1", "persist = 1\nevents_per_query_quantiles = [3]", "line 10", "ascending"),
            ("name = \"t\"", "name = \"a/b\"", "line 2", "letters"),
            ("mode = \"light\"", "mode = \"heavy\"", "line 9", "light"),
            ("[actors]", bursts, "line 6", "at most 1"),
        ] {
            let text = message(&GOOD.replace(from, to));
            assert!(text.contains(line) && text.contains(expected), "{to}: {text}");
        }
    }

    #[test]
    fn a_workload_reads_back_from_what_it_writes() {
        let mut workload = Workload::parse(GOOD).unwrap();
        workload.arrivals = Arrivals::Bursts(Bursts { factor: 4.0, share: 0.2, seconds: 1.5 });
        assert_eq!(Workload::parse(&toml::to_string(&workload).unwrap()).unwrap(), workload);
    }
}
