//! Readers of single figures of a workload file.

use std::collections::BTreeMap;

use super::input_table::{Field, Table};
use super::input_text::{Problem, did_you_mean};
use ave_actors_rocksdb::trace::CommandKind;

/// Highest weight: sums of them are finite, and their shares exact enough.
const MOST_WEIGHT: f64 = 1e12;

/// Bytes by which a state may grow with an event or an actor: 1 MiB.
const MOST_ENTRY_BYTES: f64 = 1_048_576.0;

/// Keys at the top of every file.
pub(super) const TOP: [&str; 6] = ["name", "description", "seed", "arrivals", "population", "transaction"];
/// Keys of a population, but for its name and weight: they may be at the top of a file.
pub(super) const POPULATION: [&str; 9] = [
    "event_bytes",
    "state_bytes",
    "state_growth_per_event",
    "state_bytes_per_actor",
    "compressibility",
    "actors",
    "persistence",
    "commands",
    "preload",
];
pub(super) const ACTORS: [&str; 4] = ["count", "types", "skew", "name_bytes"];
pub(super) const PERSISTENCE: [&str; 4] = ["mode", "snapshot_every", "compact_on_snapshot", "encrypted"];
pub(super) const COMMANDS: [&str; 10] = [
    "persist",
    "snapshot",
    "recover",
    "events",
    "last_event",
    "purge",
    "visit",
    "recover_after_stop",
    "events_per_query",
    "events_per_query_quantiles",
];

/// Refuses keys other than those of the table. One that belongs elsewhere often follows a header that is missing or too early.
pub(super) fn only(table: &Table<'_>, known: &[&str]) -> Result<(), Problem> {
    let place_of = |name: &str| {
        let tables = [("actors", &ACTORS[..]), ("persistence", &PERSISTENCE), ("commands", &COMMANDS)];
        let owner = tables.into_iter().find(|(_, keys)| keys.contains(&name)).map(|(owner, _)| format!("in `{owner}`"));
        let is_above = TOP.contains(&name) || POPULATION.contains(&name);
        owner.or_else(|| is_above.then(|| "above this table, before its header".to_owned()))
    };
    table.only_or(known, place_of)
}

pub(super) const NAME: &str = "a name of 1 to 64 letters, digits, `-` or `_`, in quotes";

pub(super) fn name(field: &Field<'_>) -> Result<String, Problem> {
    let fits = |name: &&str| {
        !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    field.as_text().filter(fits).map(str::to_owned).ok_or_else(|| field.wrong(NAME))
}

pub(super) fn share(field: &Field<'_>) -> Result<f64, Problem> {
    field.number("a share from 0 to 1", |share| (0.0..=1.0).contains(&share))
}

/// The weight of something that happens.
pub(super) fn weight(field: &Field<'_>) -> Result<f64, Problem> {
    field.number("a weight above 0, at most 10^12", |weight| weight > 0.0 && weight <= MOST_WEIGHT)
}

pub(super) fn weight_or_none(field: &Field<'_>) -> Result<f64, Problem> {
    field.number("a weight from 0 to 10^12", |weight| (0.0..=MOST_WEIGHT).contains(&weight))
}

pub(super) fn growth(field: &Field<'_>) -> Result<f64, Problem> {
    field.number("bytes from 0 to 1,048,576 (1 MiB)", |bytes| (0.0..=MOST_ENTRY_BYTES).contains(&bytes))
}

/// By the name of a population.
pub(super) fn bytes_per_actor(field: &Field<'_>) -> Result<BTreeMap<String, f64>, Problem> {
    let all = field.table("bytes per actor by the name of a population, such as `{ customer = 120 }`")?.fields();
    all.iter().map(|(name, bytes)| Ok(((*name).to_owned(), growth(bytes)?))).collect()
}

/// Commands in order, one or more.
pub(super) fn commands(field: &Field<'_>) -> Result<Vec<CommandKind>, Problem> {
    let expected = "one or more commands such as `[\"recover\", \"persist\"]`";
    field.list(expected)?.iter().map(command).collect()
}

fn command(entry: &Field<'_>) -> Result<CommandKind, Problem> {
    let name = entry.as_text().unwrap_or_default();
    if is_pause(name) {
        return Err(entry.wrong(NO_PAUSE));
    }
    let known = CommandKind::ALL.map(CommandKind::name);
    let expected = || entry.wrong(&format!("one of `\"{}\"`{}", known.join("\"`, `\""), did_you_mean(name, &known)));
    name.parse().map_err(|_| expected())
}

const NO_PAUSE: &str = "no pause: each command begins when the one before it ends; commands after a pause are a transaction of \
    their own";

/// Refuses keys by which someone may want to describe a pause.
pub(super) fn no_pause(table: &Table<'_>) -> Result<(), Problem> {
    let pause = table.fields().into_iter().find(|(name, _)| is_pause(name));
    pause.map_or(Ok(()), |(_, field)| Err(field.wrong(NO_PAUSE)))
}

fn is_pause(name: &str) -> bool {
    ["pause", "sleep", "wait", "delay", "think"].iter().any(|word| name.to_ascii_lowercase().contains(word))
}
