//! `workloads`.

use crate::cli::args::WorkloadsArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::Output;
use crate::report::Outcome;
use crate::units;
use crate::workload::{Workload, WorkloadError, shipped};

pub(crate) fn run(args: &WorkloadsArgs, output: Output) -> Result<Outcome, CliError> {
    match &args.name {
        Some(name) => print(name, output)?,
        None => list(output)?,
    }
    Ok(Outcome::Pass)
}

fn print(name: &str, output: Output) -> Result<(), CliError> {
    let Some(found) = shipped().iter().find(|workload| workload.name == name) else {
        let known: Vec<_> = shipped().iter().map(|workload| workload.name).collect();
        return Err(WorkloadError::Unknown { name: name.to_owned(), known: known.join(", ") }.into());
    };
    if output.is_json() { output::json(&Workload::parse(found.text)?) } else { output::raw(found.text) }
}

fn list(output: Output) -> Result<(), CliError> {
    let workloads: Vec<Workload> =
        shipped().iter().map(|workload| Workload::parse(workload.text)).collect::<Result<_, _>>()?;
    if output.is_json() {
        return output::json(&workloads);
    }
    for workload in &workloads {
        let facts = format!("{}, {}", units::counted(u64::from(workload.actors.count), "actor"), workload.rules());
        output.sentence(&format!("{} — {facts}", workload.name))?;
        output.paragraph(&workload.description)?;
        output.line("")?;
    }
    output.sentence(
        "Run one with `ave-workbench run NAME`. Write your own from `ave-workbench workloads NAME > my.toml`.",
    )
}
