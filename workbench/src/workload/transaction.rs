//! Transactions: the chains of commands, over actors of several populations, that requests of users cause.

use serde::Serialize;

use super::checks::{NAME, commands, name, no_pause, weight};
use super::input_table::{Field, Table};
use super::input_text::{Problem, excerpt, expected_names};
use super::population::{CommandMix, Population};
use ave_actors_rocksdb::trace::CommandKind;

/// Most transactions of a workload.
pub(crate) const MOST_TRANSACTIONS: usize = 16;

/// A chain of commands, a `[[transaction]]` of a workload file: one begins when the one before it has ended.
///
/// Each transaction has a subject: of the populations with the most actors, and of smaller ones, one actor each belongs to it. A
/// population with fewer actors than there are subjects is common to all writers: a command waits until its actor is free. Where
/// the actors do not divide evenly by the writers, an actor may belong to two subjects of its writer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// 1 to 64 letters, digits, `-` or `_`, and not the name of a command: `fact` in `--slo fact:p99=200ms`.
    pub name: String,
    /// Weight among the transactions, above 0. Default 1.
    pub weight: f64,
    /// What it does, in order; at least one step.
    pub steps: Vec<Step>,
}

/// Commands of one actor within a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Name of the population of the actor.
    pub population: String,
    /// Its commands, in order; at least one. Actors that are common to all writers persist and read. A `snapshot` that is the
    /// last command of its actor in the transaction is an orderly stop.
    pub commands: Vec<CommandKind>,
}

const STEPS: &str = "one or more steps such as `[{ population = \"cart\", commands = [\"recover\", \"persist\"] }]`";

impl Transaction {
    /// Reads a `[[transaction]]`.
    pub(super) fn read(table: &Table<'_>) -> Result<Self, Problem> {
        no_pause(table)?;
        table.only(&["name", "weight", "steps"])?;
        let named = table.required("name", NAME)?;
        let name = name(&named)?;
        if name.parse::<CommandKind>().is_ok() {
            return Err(named.wrong("another name, since this one is that of a command"));
        }
        Ok(Self {
            name,
            weight: table.or("weight", 1.0, weight)?,
            steps: table.required("steps", STEPS)?.list(STEPS)?.iter().map(Step::read).collect::<Result<_, _>>()?,
        })
    }

    /// Number of its commands.
    pub(crate) fn command_count(&self) -> usize {
        self.steps.iter().map(|step| step.commands.len()).sum()
    }

    /// Its commands and the name of the population of each.
    pub(super) fn commands(&self) -> impl Iterator<Item = (&str, CommandKind)> {
        self.steps.iter().flat_map(|step| step.commands.iter().map(|&kind| (step.population.as_str(), kind)))
    }
}

impl Step {
    fn read(entry: &Field<'_>) -> Result<Self, Problem> {
        let table = entry.table("`{ population = \"cart\", commands = [\"recover\", \"persist\"] }`")?;
        no_pause(&table)?;
        table.only(&["population", "commands"])?;
        let expected = "the name of a population, in quotes";
        let population = table.required("population", expected)?;
        Ok(Self {
            population: population.as_text().ok_or_else(|| population.wrong(expected))?.to_owned(),
            commands: commands(&table.required("commands", "commands such as `[\"recover\", \"persist\"]`")?)?,
        })
    }
}

/// Transactions and populations that do not fit each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) problem: String,
    pub(super) at: Place,
}

/// A place in a workload, by numbers from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Population(usize),
    Transaction(usize),
    Step { transaction: usize, step: usize },
}

/// The most actors of a population.
pub(super) fn subjects(populations: &[Population]) -> u32 {
    populations.iter().map(|population| population.actors.count).max().unwrap_or(1)
}

/// Checks transactions, and gives each population the commands that they issue on its actors.
pub(super) fn resolve(transactions: &[Transaction], populations: &mut [Population]) -> Result<(), Misfit> {
    check(transactions, populations)?;
    for (number, population) in populations.iter_mut().enumerate() {
        let mut mix = CommandMix::default();
        let mut all = 0.0;
        for transaction in transactions {
            for (_, kind) in transaction.commands().filter(|(name, _)| *name == population.name) {
                *mix.weight_mut(kind) += transaction.weight;
                all += transaction.weight;
            }
        }
        if all <= 0.0 {
            let problem = format!("no transaction has a step for the population `{}`, expected one", population.name);
            return Err(Misfit { problem, at: Place::Population(number) });
        }
        (population.weight, population.commands) = (all, mix);
    }
    Ok(())
}

fn check(transactions: &[Transaction], populations: &[Population]) -> Result<(), Misfit> {
    for (number, transaction) in transactions.iter().enumerate() {
        let (name, at) = (&transaction.name, Place::Transaction(number));
        if number == MOST_TRANSACTIONS {
            let problem = format!("{} transactions, expected at most {MOST_TRANSACTIONS}", transactions.len());
            return Err(Misfit { problem, at });
        }
        if transactions[..number].iter().any(|other| other.name == *name) {
            return Err(Misfit {
                problem: format!("two transactions are named `{name}`, expected names of their own"),
                at,
            });
        }
        for (place, step) in transaction.steps.iter().enumerate() {
            let at = Place::Step { transaction: number, step: place };
            check_step(transaction, step, populations).map_err(|problem| Misfit { problem, at })?;
        }
    }
    let has_commands =
        |one: &Population| one.commands != CommandMix::default() || one.weight.to_bits() != 1f64.to_bits();
    populations.iter().position(has_commands).map_or(Ok(()), |number| {
        let name = &populations[number].name;
        let problem = format!(
            "the population `{name}` has a `weight` or `commands`, expected none beside `[[transaction]]` tables"
        );
        Err(Misfit { problem, at: Place::Population(number) })
    })
}

fn check_step(transaction: &Transaction, step: &Step, populations: &[Population]) -> Result<(), String> {
    let (name, of) = (&transaction.name, excerpt(&step.population));
    let Some(population) = populations.iter().find(|population| population.name == step.population) else {
        let known: Vec<&str> = populations.iter().map(|population| population.name.as_str()).collect();
        let expected = expected_names(&step.population, &known);
        return Err(format!("the transaction `{name}` has a step for `{of}`, which is no population{expected}"));
    };
    let shareable = [CommandKind::Persist, CommandKind::Events, CommandKind::LastEvent];
    let is_common = population.actors.count < subjects(populations);
    match step.commands.iter().find(|kind| is_common && !shareable.contains(kind)) {
        None => Ok(()),
        Some(kind) => Err(format!(
            "the transaction `{name}` issues `{kind}` on `{of}`, whose actors are common to several subjects, expected \
             `persist`, `events` or `last_event`"
        )),
    }
}
