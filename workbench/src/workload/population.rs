//! A population of actors: how many, of which types, what they write and which commands they issue.

use std::collections::BTreeMap;

use ave_actors_rocksdb::trace::CommandKind;
use rand::Rng;
use serde::Serialize;

use super::checks::{
    self, NAME, POPULATION, bytes_per_actor, commands, growth, name, only, share, weight, weight_or_none,
};
use super::distribution::{MAX_VALUE_BYTES, SIZES, SizeDistribution, ascending, draw, sizes};
use super::input_table::{Field, Table};
use super::input_text::Problem;
use crate::actor::{PersistenceRules, Strategy};
use crate::units;

/// Actors that are alike: a `[[population]]` of a workload file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Population {
    /// 1 to 64 letters, digits, `-` or `_`; the names of its actor types begin with it.
    pub name: String,
    /// Weight of its commands among those of all populations, above 0. Default 1.
    pub weight: f64,
    /// Serialised events, before encryption.
    pub event_bytes: SizeDistribution,
    /// Serialised actor state, before encryption, without its growth and its entries for other actors.
    pub state_bytes: SizeDistribution,
    /// Bytes by which the state of an actor grows with each of its events, 0 to 1 MiB: a register that keeps an entry for
    /// each. No state grows beyond 16 MiB. Default 0.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub state_growth_per_event: f64,
    /// Bytes of the state of each of its actors for every actor of other populations, by their names; 0 to 1 MiB each: a
    /// register that keeps an entry for each customer. They follow the counts of those populations. Default none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub state_bytes_per_actor: BTreeMap<String, f64>,
    /// Share of each value that repeats, 0 (random) to 1. Default 0.5.
    pub compressibility: f64,
    /// Number, types, skew and names of the actors.
    pub actors: Actors,
    /// When state is written, and how.
    pub persistence: Persistence,
    /// The commands. With transactions, those that they issue on its actors: a file has none then.
    #[serde(skip_serializing_if = "CommandMix::is_empty")]
    pub commands: CommandMix,
    /// Content of the database before the measurement. Default none.
    pub preload: Preload,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero_weight(weight: &f64) -> bool {
    *weight == 0.0
}

impl Population {
    /// Reads a `[[population]]`.
    pub(super) fn read(table: &Table<'_>) -> Result<Self, Problem> {
        only(table, &[&["name", "weight"], &POPULATION[..]].concat())?;
        Self::read_named(table, name(&table.required("name", NAME)?)?, table.or("weight", 1.0, weight)?)
    }

    /// Reads the other keys of a population.
    pub(super) fn read_named(table: &Table<'_>, name: String, weight: f64) -> Result<Self, Problem> {
        let persistence = Persistence::read(&table.required("persistence", PERSISTENCE)?)?;
        let is_light = persistence.mode == PersistenceMode::Light;
        Ok(Self {
            name,
            weight,
            event_bytes: sizes(&table.required("event_bytes", SIZES)?)?,
            state_bytes: sizes(&table.required("state_bytes", SIZES)?)?,
            state_growth_per_event: table.or("state_growth_per_event", 0.0, growth)?,
            state_bytes_per_actor: table.or("state_bytes_per_actor", BTreeMap::new(), bytes_per_actor)?,
            compressibility: table.or("compressibility", DEFAULT_COMPRESSIBILITY, share)?,
            actors: Actors::read(&table.required("actors", ACTORS)?)?,
            persistence,
            commands: table.or("commands", CommandMix::default(), |field| CommandMix::read(field, is_light))?,
            preload: table.or("preload", Preload::default(), Preload::read)?,
        })
    }

    /// The rules by which commands expand to storage operations.
    pub const fn rules(&self) -> PersistenceRules {
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

    /// Draws the size of an event.
    pub(crate) fn event_bytes(&self, rng: &mut impl Rng) -> u32 {
        self.event_bytes.sample(rng)
    }

    /// Draws the size of the state of an actor with so many events, in a workload of these populations.
    pub(crate) fn state_bytes(&self, all: &[Self], events: u64, rng: &mut impl Rng) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturating")]
        let grown = (self.entries_bytes(all) + self.state_growth_per_event * events as f64) as u32;
        self.state_bytes.sample(rng).saturating_add(grown).min(MAX_VALUE_BYTES)
    }

    /// Bytes of each state for the actors of other populations, in a workload of these.
    pub(super) fn entries_bytes(&self, all: &[Self]) -> f64 {
        let count = |name: &str| all.iter().find(|one| one.name == name).map_or(0, |one| one.actors.count);
        self.state_bytes_per_actor.iter().map(|(name, bytes)| bytes * f64::from(count(name))).sum()
    }

    /// The sizes of its states, in words.
    pub(crate) fn describe_states(&self) -> String {
        let mut parts = vec![self.state_bytes.describe()];
        let entries = self.state_bytes_per_actor.iter();
        parts.extend(entries.map(|(name, bytes)| format!("{} B per actor of {name}", units::number(*bytes))));
        let growth = self.state_growth_per_event;
        parts.extend((growth > 0.0).then(|| format!("{} B per event", units::number(growth))));
        parts.join(", and ")
    }

    /// Bytes of events and states that a command writes after the preload, on average. Actors count alike, which is exact for
    /// one actor and for a uniform population.
    pub(super) fn written_bytes_per_command(&self, all: &[Self]) -> f64 {
        let events = self.preload.events(self.actors.count) as f64 / f64::from(self.actors.count);
        let grown = self.entries_bytes(all) + self.state_growth_per_event * events;
        let state = (self.state_bytes.mean() + grown).min(f64::from(MAX_VALUE_BYTES));
        let [persists, snapshots] = [CommandKind::Persist, CommandKind::Snapshot].map(|kind| self.commands.share(kind));
        let states_per_persist = match self.rules().strategy {
            Strategy::Light => 1.0,
            Strategy::Full { snapshot_every } => snapshot_every.map_or(0.0, |every| 1.0 / every as f64),
        };
        persists * (self.event_bytes.mean() + states_per_persist * state) + snapshots * state
    }

    /// The longest value that it stores in a workload of these populations, before encryption, bytes.
    pub(crate) fn longest_value(&self, all: &[Self]) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturating")]
        let entries = self.entries_bytes(all) as u32;
        let states = if self.state_growth_per_event > 0.0 {
            MAX_VALUE_BYTES
        } else {
            self.state_bytes.max_bytes().saturating_add(entries).min(MAX_VALUE_BYTES)
        };
        states.max(self.event_bytes.max_bytes())
    }

    /// Name of the actor type of its actor number `place`.
    pub(super) fn type_name(&self, place: u64) -> String {
        format!("{}{}", self.name, place % u64::from(self.actors.types))
    }
}

const DEFAULT_COMPRESSIBILITY: f64 = 0.5;
const ACTORS: &str = "a table such as `{ count = 1000 }`";

/// The actors of a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Actors {
    /// 1 to 100 million.
    pub count: u32,
    /// Actor types; each has its own three column families. Default 1, at most 10,000.
    pub types: u32,
    /// How commands spread over actors. Default uniform.
    pub skew: Skew,
    /// Characters of an actor's name, which prefixes its keys. Default 44, as of a base64 digest; 8 to 1024.
    pub name_bytes: usize,
}

impl Actors {
    fn read(field: &Field<'_>) -> Result<Self, Problem> {
        let table = field.table(ACTORS)?;
        only(&table, &checks::ACTORS)?;
        Ok(Self {
            count: table.required("count", "the number of actors")?.whole("", 1..=100_000_000)?,
            types: table.or("types", 1, |field| field.whole("", 1..=10_000))?,
            skew: table.or("skew", Skew::default(), skew)?,
            name_bytes: table.or("name_bytes", 44, |field| field.whole(" of bytes", 8..=1024))?,
        })
    }
}

/// How commands spread over actors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "PersistenceKeys")]
pub struct Persistence {
    /// When the state is written.
    pub mode: PersistenceMode,
    /// Events between automatic snapshots under full persistence, at most 10^12; 0 turns them off. Default 100, as the
    /// trait's.
    pub snapshot_every: u64,
    /// Whether a snapshot deletes the events it covers. Default false.
    pub compact_on_snapshot: bool,
    /// Whether values are encrypted at rest: 40 bytes more each, and nothing to compress. Default false.
    pub encrypted: bool,
}

const PERSISTENCE: &str = "a table such as `{ mode = \"light\" }`";
const DEFAULT_SNAPSHOT_EVERY: u64 = 100;
const MOST_SNAPSHOT_EVERY: u64 = 1_000_000_000_000;

impl Persistence {
    fn read(field: &Field<'_>) -> Result<Self, Problem> {
        let table = field.table(PERSISTENCE)?;
        only(&table, &checks::PERSISTENCE)?;
        let expected = "`\"light\"` (the state with every event) or `\"full\"` (snapshots)";
        let mode = table.required("mode", expected)?;
        let mode = match mode.as_text() {
            Some("light") => PersistenceMode::Light,
            Some("full") => PersistenceMode::Full,
            _ => return Err(mode.wrong(expected)),
        };
        if let (PersistenceMode::Light, Some(every)) = (mode, table.optional("snapshot_every")) {
            return Err(every.wrong("none under `mode = \"light\"`, which writes the state with every event"));
        }
        Ok(Self {
            mode,
            snapshot_every: table.or("snapshot_every", DEFAULT_SNAPSHOT_EVERY, |field| {
                field.whole(" of events", 0..=MOST_SNAPSHOT_EVERY)
            })?,
            compact_on_snapshot: table.or("compact_on_snapshot", false, Field::flag)?,
            encrypted: table.or("encrypted", false, Field::flag)?,
        })
    }
}

/// The same in a file: only full persistence has automatic snapshots.
#[derive(Serialize)]
struct PersistenceKeys {
    mode: PersistenceMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_every: Option<u64>,
    compact_on_snapshot: bool,
    encrypted: bool,
}

impl From<Persistence> for PersistenceKeys {
    fn from(rules: Persistence) -> Self {
        let Persistence { mode, snapshot_every, compact_on_snapshot, encrypted } = rules;
        let snapshot_every = (mode == PersistenceMode::Full).then_some(snapshot_every);
        Self { mode, snapshot_every, compact_on_snapshot, encrypted }
    }
}

/// When the state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersistenceMode {
    /// With every event.
    Light,
    /// Every `snapshot_every` events.
    Full,
}

/// Weights of the commands; a command's share is its weight over their sum.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CommandMix {
    /// Append an event.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub persist: f64,
    /// Write the state.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub snapshot: f64,
    /// Start an actor, after a crash or after an orderly stop.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub recover: f64,
    /// Share of the starts that follow an orderly stop, 0 to 1: under full persistence the actor first writes a snapshot
    /// of its events since the last one, as its `pre_stop` does. The stop is a `snapshot` command in addition to the
    /// weight `snapshot`. Default 0: every start follows a crash.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub recover_after_stop: f64,
    /// Read a range of events.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub events: f64,
    /// Events an `events` command reads. Default 20.
    #[serde(skip_serializing_if = "is_zero")]
    pub events_per_query: u64,
    /// Equally spaced quantiles of the number of events an `events` command reads, ascending; replaces `events_per_query`.
    /// Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events_per_query_quantiles: Vec<u32>,
    /// Read the newest event.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub last_event: f64,
    /// Delete an actor's data.
    #[serde(skip_serializing_if = "is_zero_weight")]
    pub purge: f64,
    /// The commands of a visit, in order: `["recover", "persist", "snapshot"]` for an actor that starts for one task and stops
    /// after it. Each visit is to one actor. A `snapshot` at the end of a visit is an orderly stop. Replaces the weights.
    /// Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visit: Vec<CommandKind>,
}

impl CommandMix {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The weight of a command; of a visit, how often it occurs.
    pub fn weight(&self, kind: CommandKind) -> f64 {
        if !self.visit.is_empty() {
            return self.visit.iter().filter(|&&of_visit| of_visit == kind).count() as f64;
        }
        self.weights()[kind.index()]
    }

    const fn weights(&self) -> [f64; CommandKind::ALL.len()] {
        [self.persist, self.snapshot, self.recover, self.events, self.last_event, self.purge]
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

    fn read(field: &Field<'_>, is_light: bool) -> Result<Self, Problem> {
        let table = field.table("a table such as `{ persist = 80, recover = 20 }`")?;
        only(&table, &checks::COMMANDS)?;
        let mut mix = Self { visit: table.or("visit", Vec::new(), commands)?, ..Self::default() };
        for kind in CommandKind::ALL {
            if let Some(weight) = table.optional(kind.name()) {
                if !mix.visit.is_empty() {
                    return Err(weight.wrong("none beside `visit`, which replaces the weights"));
                }
                *mix.weight_mut(kind) = weight_or_none(&weight)?;
            }
        }
        if CommandKind::ALL.iter().all(|&kind| mix.weight(kind) <= 0.0) {
            let text =
                "`commands` has no weight above 0, expected one or more, such as `{ persist = 80, recover = 20 }`";
            return Err(field.problem(text.to_owned()));
        }
        if let Some(stops) = table.optional(OF_STOPS) {
            mix.recover_after_stop = share(&stops)?;
            let ignored = [
                (!mix.visit.is_empty(), "none beside `visit`, where a `snapshot` at the end is an orderly stop"),
                (is_light, "none under `mode = \"light\"`, where a stop writes nothing"),
                (mix.recover <= 0.0, "only with a weight of `recover`"),
            ];
            ignored.into_iter().find(|(is_ignored, _)| *is_ignored).map_or(Ok(()), |(_, why)| Err(stops.wrong(why)))?;
        }
        if let Some(length) = table.optional(LENGTH) {
            mix.events_per_query = length.whole(" of events", 1..=u32::MAX.into())?;
        }
        if let Some(lengths) = table.optional(LENGTHS) {
            if mix.events_per_query > 0 {
                return Err(lengths.wrong(&format!("none beside `{LENGTH}`, which they replace")));
            }
            mix.events_per_query_quantiles =
                ascending(&lengths, |entry| entry.whole(" of events", 0..=u32::MAX.into()))?;
        }
        let lengths = table.optional(LENGTH).or_else(|| table.optional(LENGTHS));
        lengths
            .filter(|_| mix.weight(CommandKind::Events) <= 0.0)
            .map_or(Ok(mix), |ignored| Err(ignored.wrong("only with `events` among the commands")))
    }
}

const OF_STOPS: &str = "recover_after_stop";
const LENGTH: &str = "events_per_query";
const LENGTHS: &str = "events_per_query_quantiles";

/// Content of the database before the measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Preload {
    /// Events persisted for every actor beforehand, at most 1 million. Default 0.
    pub events_per_actor: u64,
    /// Further events, spread over the actors as the commands are: an actor that is busier has a longer log. At most
    /// 10^12. Default 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub events_by_popularity: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Preload {
    fn read(field: &Field<'_>) -> Result<Self, Problem> {
        let table = field.table("a table such as `{ events_per_actor = 20 }`")?;
        table.only(&["events_per_actor", "events_by_popularity"])?;
        let events = |name, most| table.or(name, 0, |field| field.whole(" of events", 0..=most));
        Ok(Self {
            events_per_actor: events("events_per_actor", 1_000_000)?,
            events_by_popularity: events("events_by_popularity", 1_000_000_000_000)?,
        })
    }

    /// Events of so many actors.
    pub(crate) fn events(self, actors: u32) -> u64 {
        (u64::from(actors) * self.events_per_actor).saturating_add(self.events_by_popularity)
    }
}

fn skew(field: &Field<'_>) -> Result<Skew, Problem> {
    if field.as_text() == Some("uniform") {
        return Ok(Skew::Uniform);
    }
    let (_, exponent) = field.table("`\"uniform\"` or `{ zipf = 0.9 }`")?.one_of(&["zipf"])?;
    let fits = |exponent| exponent > 0.0 && exponent <= 5.0;
    exponent.number("a number above 0, at most 5", fits).map(Skew::Zipf)
}
