//! Transactions: the chains of commands, over actors of several populations, that requests of users cause.

use serde::{Deserialize, Serialize};

use super::checks::{name, weight};
use super::population::{CommandMix, Population};
use ave_actors_rocksdb::trace::CommandKind;

/// Most transactions of a workload.
pub(crate) const MOST_TRANSACTIONS: usize = 16;

/// A chain of commands, a `[[transaction]]` of a workload file: one begins when the one before it has ended.
///
/// Each transaction has a subject: of the populations with the most actors, and of smaller ones, one actor each belongs to it. A
/// population with fewer actors than there are subjects is common to all writers: a command waits until its actor is free. Where
/// the actors do not divide evenly by the writers, an actor may belong to two subjects of its writer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// 1 to 64 letters, digits, `-` or `_`, and not the name of a command: `fact` in `--slo fact:p99=200ms`.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Weight among the transactions, above 0. Default 1.
    #[serde(default = "one", deserialize_with = "weight")]
    pub weight: f64,
    /// What it does, in order; at least one step.
    pub steps: Vec<Step>,
}

/// Commands of one actor within a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name of the population of the actor.
    pub population: String,
    /// Its commands, in order; at least one. Actors that are common to all writers persist and read. A `snapshot` that is the
    /// last command of its actor in the transaction is an orderly stop.
    pub commands: Vec<CommandKind>,
}

const fn one() -> f64 {
    1.0
}

impl Transaction {
    /// Number of its commands.
    pub(crate) fn command_count(&self) -> usize {
        self.steps.iter().map(|step| step.commands.len()).sum()
    }

    /// Its commands and the name of the population of each.
    pub(super) fn commands(&self) -> impl Iterator<Item = (&str, CommandKind)> {
        self.steps.iter().flat_map(|step| step.commands.iter().map(|&kind| (step.population.as_str(), kind)))
    }
}

/// The most actors of a population.
pub(super) fn subjects(populations: &[Population]) -> u32 {
    populations.iter().map(|population| population.actors.count).max().unwrap_or(1)
}

/// Checks transactions, and gives each population the commands that they issue on its actors.
pub(super) fn resolve(transactions: &[Transaction], populations: &mut [Population]) -> Result<(), String> {
    check(transactions, populations)?;
    for population in populations {
        let mut mix = CommandMix::default();
        let mut all = 0.0;
        for transaction in transactions {
            for (_, kind) in transaction.commands().filter(|(name, _)| *name == population.name) {
                *mix.weight_mut(kind) += transaction.weight;
                all += transaction.weight;
            }
        }
        if all <= 0.0 {
            return Err(format!("no transaction has a step for the population `{}`", population.name));
        }
        (population.weight, population.commands) = (all, mix);
    }
    Ok(())
}

fn check(transactions: &[Transaction], populations: &[Population]) -> Result<(), String> {
    if transactions.len() > MOST_TRANSACTIONS {
        return Err(format!("{} transactions, expected at most {MOST_TRANSACTIONS}", transactions.len()));
    }
    for (place, transaction) in transactions.iter().enumerate() {
        let name = &transaction.name;
        if name.parse::<CommandKind>().is_ok() {
            return Err(format!("the transaction `{name}` has the name of a command, expected another one"));
        }
        if transactions[..place].iter().any(|other| other.name == *name) {
            return Err(format!("two transactions are named `{name}`"));
        }
        if transaction.steps.iter().any(|step| step.commands.is_empty()) || transaction.steps.is_empty() {
            return Err(format!(
                "the transaction `{name}` has an empty step, expected `{{ population, commands = [...] }}`"
            ));
        }
        for (of, kind) in transaction.commands() {
            let known = populations.iter().find(|population| population.name == of);
            let population = known
                .ok_or_else(|| format!("the transaction `{name}` has a step for `{of}`, which is no population"))?;
            let shareable = [CommandKind::Persist, CommandKind::Events, CommandKind::LastEvent];
            if population.actors.count < subjects(populations) && !shareable.contains(&kind) {
                return Err(format!(
                    "the transaction `{name}` issues `{kind}` on `{of}`, whose actors are common to several subjects, expected \
                     persist, events or last_event"
                ));
            }
        }
    }
    let given =
        populations.iter().find(|one| one.commands != CommandMix::default() || one.weight.to_bits() != 1f64.to_bits());
    given.map_or(Ok(()), |one| {
        Err(format!(
            "`weight` and `commands` of the population `{}` are those of the transactions: remove them",
            one.name
        ))
    })
}
