//! The keys of a workload file.

use serde::{Deserialize, Serialize};

use super::arrivals::{Arrivals, arrivals};
use super::checks::{default_compressibility, name, some_growth, some_share, some_sizes, whole};
use super::distribution::SizeDistribution;
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

impl WorkloadFile {
    /// The populations, checked.
    pub(super) fn populations(self) -> Result<Vec<Population>, String> {
        let mut populations = if self.population.is_empty() {
            vec![Population {
                name: self.name,
                weight: 1.0,
                event_bytes: required(self.event_bytes, "event_bytes")?,
                state_bytes: required(self.state_bytes, "state_bytes")?,
                state_growth_per_event: self.state_growth_per_event.unwrap_or(0.0),
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
            return Err(format!("{actors} actors in all populations, expected at most {MOST_ACTORS}"));
        }
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
