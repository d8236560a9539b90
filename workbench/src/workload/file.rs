//! The keys of a workload file, as they are written.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arrivals::Arrivals;
use super::distribution::SizeDistribution;
use super::population::{Actors, CommandMix, Persistence, Population, Preload};
use super::transaction::Transaction;

/// A file with `[[population]]` tables, or with the keys of one population at the top.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct WorkloadFile {
    name: String,
    description: String,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_bytes: Option<SizeDistribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_bytes: Option<SizeDistribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_growth_per_event: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    state_bytes_per_actor: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compressibility: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actors: Option<Actors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<Persistence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commands: Option<CommandMix>,
    arrivals: Arrivals,
    #[serde(skip_serializing_if = "Option::is_none")]
    preload: Option<Preload>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    population: Vec<Population>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transaction: Vec<Transaction>,
}

impl WorkloadFile {
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
}
