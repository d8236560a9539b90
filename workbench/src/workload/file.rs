//! The keys of a workload file.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::arrivals::{Arrivals, arrivals};
use super::checks::{bytes_per_actor, default_compressibility, name, some_growth, some_share, some_sizes, whole};
use super::distribution::{MAX_VALUE_BYTES, SizeDistribution};
use super::input_text::{did_you_mean, excerpt};
use super::population::{Actors, CommandMix, Persistence, Population, Preload, some_command_mix};
use super::transaction::{Transaction, resolve};

/// Most actors of a workload.
const MOST_ACTORS: u64 = 100_000_000;

/// A file with `[[population]]` tables, or with the keys of one population at the top.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadFile {
    #[serde(deserialize_with = "name")]
    pub(super) name: String,
    pub(super) description: String,
    #[serde(default = "whole::<1, _>")]
    pub(super) seed: u64,
    #[serde(default, deserialize_with = "some_sizes", skip_serializing_if = "Option::is_none")]
    event_bytes: Option<SizeDistribution>,
    #[serde(default, deserialize_with = "some_sizes", skip_serializing_if = "Option::is_none")]
    state_bytes: Option<SizeDistribution>,
    #[serde(default, deserialize_with = "some_growth", skip_serializing_if = "Option::is_none")]
    state_growth_per_event: Option<f64>,
    #[serde(default, deserialize_with = "bytes_per_actor", skip_serializing_if = "BTreeMap::is_empty")]
    state_bytes_per_actor: BTreeMap<String, f64>,
    #[serde(default, deserialize_with = "some_share", skip_serializing_if = "Option::is_none")]
    compressibility: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actors: Option<Actors>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    persistence: Option<Persistence>,
    #[serde(default, deserialize_with = "some_command_mix", skip_serializing_if = "Option::is_none")]
    commands: Option<CommandMix>,
    #[serde(default, deserialize_with = "arrivals")]
    pub(super) arrivals: Arrivals,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preload: Option<Preload>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    population: Vec<Population>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) transaction: Vec<Transaction>,
}

/// Keys that contradict each other.
pub(super) struct Contradiction {
    pub(super) problem: String,
    /// Number of the population whose `state_bytes_per_actor` it is, if it is one.
    entries_of: Option<usize>,
}

impl From<String> for Contradiction {
    fn from(problem: String) -> Self {
        Self { problem, entries_of: None }
    }
}

impl WorkloadFile {
    /// The populations, checked.
    pub(super) fn populations(self) -> Result<Vec<Population>, Contradiction> {
        let mut populations = if self.population.is_empty() {
            vec![Population {
                name: self.name,
                weight: 1.0,
                event_bytes: required(self.event_bytes, "event_bytes")?,
                state_bytes: required(self.state_bytes, "state_bytes")?,
                state_growth_per_event: self.state_growth_per_event.unwrap_or(0.0),
                state_bytes_per_actor: self.state_bytes_per_actor,
                compressibility: self.compressibility.unwrap_or_else(default_compressibility),
                actors: required(self.actors, "actors")?,
                persistence: required(self.persistence, "persistence")?,
                commands: if self.transaction.is_empty() {
                    required(self.commands, "commands")?
                } else {
                    self.commands.unwrap_or_default()
                },
                preload: self.preload.unwrap_or_default(),
            }]
        } else {
            self.check_top()?;
            self.population
        };
        check_names(&populations)?;
        if self.transaction.is_empty() {
            let idle = populations.iter().find(|population| population.commands.is_empty());
            idle.map_or(Ok(()), |one| Err(format!("missing field `commands` of the population `{}`", one.name)))?;
        } else {
            resolve(&self.transaction, &mut populations)?;
        }
        let actors: u64 = populations.iter().map(|population| u64::from(population.actors.count)).sum();
        if actors > MOST_ACTORS {
            return Err(format!("{actors} actors in all populations, expected at most {MOST_ACTORS}").into());
        }
        check_entries(&populations)?;
        Ok(populations)
    }

    /// Without populations.
    pub(super) fn top(name: String, description: String, seed: u64, arrivals: Arrivals) -> Self {
        Self { name, description, seed, arrivals, ..Self::default() }
    }

    pub(super) fn of_transactions(self, transaction: Vec<Transaction>) -> Self {
        Self { transaction, ..self }
    }

    /// With these populations, whose commands are those of the transactions if there are any. The keys of a single population
    /// that is named like the workload stand at the top.
    pub(super) fn of_populations(self, mut populations: Vec<Population>) -> Self {
        if !self.transaction.is_empty() {
            for one in &mut populations {
                (one.weight, one.commands) = (1.0, CommandMix::default());
            }
        }
        match <[Population; 1]>::try_from(populations) {
            Ok([only]) if only.name == self.name => Self {
                event_bytes: Some(only.event_bytes),
                state_bytes: Some(only.state_bytes),
                state_growth_per_event: (only.state_growth_per_event > 0.0).then_some(only.state_growth_per_event),
                state_bytes_per_actor: only.state_bytes_per_actor,
                compressibility: Some(only.compressibility),
                actors: Some(only.actors),
                persistence: Some(only.persistence),
                commands: Some(only.commands).filter(|commands| !commands.is_empty()),
                preload: Some(only.preload),
                ..self
            },
            Ok(only) => Self { population: only.into(), ..self },
            Err(population) => Self { population, ..self },
        }
    }

    /// Keys of a population stand in its table.
    fn check_top(&self) -> Result<(), String> {
        let top = [
            ("event_bytes", self.event_bytes.is_some()),
            ("state_bytes", self.state_bytes.is_some()),
            ("state_growth_per_event", self.state_growth_per_event.is_some()),
            ("state_bytes_per_actor", !self.state_bytes_per_actor.is_empty()),
            ("compressibility", self.compressibility.is_some()),
            ("actors", self.actors.is_some()),
            ("persistence", self.persistence.is_some()),
            ("commands", self.commands.is_some()),
            ("preload", self.preload.is_some()),
        ];
        let given = top.into_iter().find(|(_, is_given)| *is_given);
        given
            .map_or(Ok(()), |(key, _)| Err(format!("`{key}` belongs into a `[[population]]`, of which there are some")))
    }
}

fn required<T>(value: Option<T>, key: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("missing field `{key}`"))
}

/// Actor types are named after their population and a number, and must differ.
fn check_names(populations: &[Population]) -> Result<(), String> {
    for (place, one) in populations.iter().enumerate() {
        for other in &populations[..place] {
            let clash = |long: &str, short: &str| {
                long.strip_prefix(short).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            };
            if clash(&one.name, &other.name) || clash(&other.name, &one.name) {
                return Err(format!(
                    "the populations `{}` and `{}` would name actor types alike, expected names that differ in more than \
                     digits at the end",
                    other.name, one.name
                ));
            }
        }
    }
    Ok(())
}

/// Entries are for actors of other populations, and no state is larger than a value can be.
fn check_entries(populations: &[Population]) -> Result<(), Contradiction> {
    for (number, one) in populations.iter().enumerate() {
        let wrong = |problem| Contradiction { problem, entries_of: Some(number) };
        let of = format!("`state_bytes_per_actor` of the population `{}`", one.name);
        let others: Vec<&str> =
            populations.iter().map(|known| known.name.as_str()).filter(|name| *name != one.name).collect();
        for name in one.state_bytes_per_actor.keys() {
            if *name == one.name {
                return Err(wrong(format!("{of} names that population itself, expected another one")));
            }
            if !others.contains(&name.as_str()) {
                let name = excerpt(name);
                return Err(wrong(format!(
                    "{of} names `{name}`, which is no population{}",
                    did_you_mean(&name, &others)
                )));
            }
        }
        let entries = one.entries_bytes(populations);
        let bytes = entries + f64::from(one.state_bytes.nominal_max_bytes());
        if entries > 0.0 && bytes > f64::from(MAX_VALUE_BYTES) {
            return Err(wrong(format!(
                "{of} makes a state of {bytes:.0} bytes, expected at most {MAX_VALUE_BYTES} (16 MiB)"
            )));
        }
    }
    Ok(())
}

/// The line, from 1, of a `state_bytes_per_actor` in a text that is no workload because of it.
pub(super) fn line_of_contradiction(text: &str) -> Option<usize> {
    #[derive(Deserialize)]
    struct Located {
        state_bytes_per_actor: Option<Spanned<IgnoredAny>>,
        #[serde(default)]
        population: Vec<Located>,
    }

    let contradiction = toml::from_str::<WorkloadFile>(text).ok()?.populations().err()?;
    let number = contradiction.entries_of?;
    let mut top: Located = toml::from_str(text).ok()?;
    let located = if top.population.is_empty() { top } else { top.population.swap_remove(number) };
    let start = located.state_bytes_per_actor?.span().start;
    Some(1 + text.get(..start)?.matches('\n').count())
}
