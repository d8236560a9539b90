//! Reads a workload file.

use std::path::Path;

use super::arrivals::{Arrivals, arrivals};
use super::checks::{NAME, POPULATION, TOP, name, only};
use super::distribution::MAX_VALUE_BYTES;
use super::input_table::{Document, Table};
use super::input_text::{Problem, decode, excerpt, expected_names};
use super::population::Population;
use super::schema::{Workload, WorkloadError};
use super::transaction::{Misfit, Place, Transaction, resolve};
use crate::units;

/// Most actors of a workload.
const MOST_ACTORS: u64 = 100_000_000;
const POPULATIONS: &str = "population";
const TRANSACTIONS: &str = "transaction";

impl Workload {
    /// Reads a workload from the text of a file.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Line`] with the line, the field and what was expected.
    pub fn parse(text: &str) -> Result<Self, WorkloadError> {
        Self::parse_from(text, Path::new("workload"))
    }

    /// Reads a workload file.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Read`] if it cannot be read, [`WorkloadError::Line`] if it is not a valid workload.
    pub fn read(path: &Path) -> Result<Self, WorkloadError> {
        let bytes = std::fs::read(path).map_err(|source| WorkloadError::Read { path: path.to_owned(), source })?;
        let text = decode(bytes).map_err(|problem| WorkloadError::at(path, problem))?;
        Self::parse_from(&text, path)
    }

    pub(super) fn parse_from(text: &str, path: &Path) -> Result<Self, WorkloadError> {
        let document = Document::parse(text);
        document.and_then(|document| workload(&document.top())).map_err(|problem| WorkloadError::at(path, problem))
    }
}

fn workload(top: &Table<'_>) -> Result<Workload, Problem> {
    only(top, &[&TOP[..], &POPULATION[..]].concat())?;
    let named = name(&top.required("name", NAME)?)?;
    let expected = "a text on what it stands for, in quotes";
    let description = top.required("description", expected)?;
    let description = description.as_text().ok_or_else(|| description.wrong(expected))?.to_owned();
    let transaction_tables = tables(top, TRANSACTIONS)?;
    let transactions = transaction_tables.iter().map(Transaction::read).collect::<Result<Vec<_>, _>>()?;
    let population_tables = tables(top, POPULATIONS)?;
    let (places, mut populations) = if population_tables.is_empty() {
        (vec![top.clone()], vec![Population::read_named(top, named.clone(), 1.0)?])
    } else {
        check_top(top)?;
        let populations = population_tables.iter().map(Population::read).collect::<Result<Vec<_>, _>>()?;
        (population_tables, populations)
    };
    check_names(&populations, &places)?;
    if transactions.is_empty() {
        let idle = populations.iter().position(|population| population.commands.is_empty());
        let expected = "a table such as `{ persist = 80, recover = 20 }`, or `[[transaction]]` tables";
        idle.map_or(Ok(()), |number| Err(places[number].missing("commands", expected)))?;
    } else {
        resolve(&transactions, &mut populations).map_err(|misfit| located(misfit, &places, &transaction_tables))?;
    }
    check_actors(&populations, &places)?;
    check_entries(&populations, &places)?;
    Ok(Workload {
        name: named,
        description,
        seed: top.or("seed", 1, |field| field.whole("", 0..=u64::MAX))?,
        arrivals: top.or("arrivals", Arrivals::default(), arrivals)?,
        populations,
        transactions,
        common_events: Vec::new(),
    })
}

/// The tables of an array `[[name]]`; none if there is no such key.
fn tables<'a>(top: &Table<'a>, name: &str) -> Result<Vec<Table<'a>>, Problem> {
    let Some(field) = top.optional(name) else { return Ok(Vec::new()) };
    let expected = format!("`[[{name}]]` tables");
    field.list(&expected)?.iter().map(|entry| entry.table(&expected)).collect()
}

/// Keys of a population stand in its table.
fn check_top(top: &Table<'_>) -> Result<(), Problem> {
    let misplaced = top.fields().into_iter().find(|(name, _)| POPULATION.contains(name));
    misplaced.map_or(Ok(()), |(name, field)| {
        Err(field.problem(format!("`{name}` is at the top, expected in a `[[population]]`, as there are some")))
    })
}

fn located(misfit: Misfit, populations: &[Table<'_>], transactions: &[Table<'_>]) -> Problem {
    let table = match misfit.at {
        Place::Population(number) => &populations[number],
        Place::Transaction(number) => &transactions[number],
        Place::Step { transaction, step } => {
            let steps = transactions[transaction].optional("steps").and_then(|steps| steps.list("").ok());
            return match steps.as_deref().and_then(|steps| steps.get(step)) {
                Some(step) => step.problem(misfit.problem),
                None => transactions[transaction].problem(misfit.problem),
            };
        }
    };
    table.problem(misfit.problem)
}

fn check_actors(populations: &[Population], places: &[Table<'_>]) -> Result<(), Problem> {
    let mut actors = 0;
    for (population, place) in populations.iter().zip(places) {
        actors += u64::from(population.actors.count);
        if actors > MOST_ACTORS {
            let [actors, most] = [actors, MOST_ACTORS].map(units::count);
            return Err(place.problem(format!("{actors} actors in all populations, expected at most {most}")));
        }
    }
    Ok(())
}

/// Actor types are named after their population and a number, and must differ.
fn check_names(populations: &[Population], places: &[Table<'_>]) -> Result<(), Problem> {
    for (place, one) in populations.iter().enumerate() {
        for other in &populations[..place] {
            let clash = |long: &str, short: &str| {
                long.strip_prefix(short).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            };
            if clash(&one.name, &other.name) || clash(&other.name, &one.name) {
                return Err(places[place].problem(format!(
                    "the populations `{}` and `{}` would name actor types alike, expected names that differ in more than \
                     digits at the end",
                    other.name, one.name
                )));
            }
        }
    }
    Ok(())
}

/// Entries are for actors of other populations, and no state is larger than a value can be.
fn check_entries(populations: &[Population], places: &[Table<'_>]) -> Result<(), Problem> {
    for (one, place) in populations.iter().zip(places) {
        let Some(entries) = place.optional("state_bytes_per_actor") else { continue };
        let wrong = |text| entries.problem(text);
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
                    expected_names(&name, &others)
                )));
            }
        }
        let of_entries = one.entries_bytes(populations);
        let bytes = of_entries + f64::from(one.state_bytes.nominal_max_bytes());
        if of_entries > 0.0 && bytes > f64::from(MAX_VALUE_BYTES) {
            return Err(wrong(format!(
                "{of} makes a state of {} bytes, expected at most {} (16 MiB)",
                units::number(bytes),
                units::count(MAX_VALUE_BYTES.into())
            )));
        }
    }
    Ok(())
}
