//! Commands that print what the program contains.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap::CommandFactory;
use serde::Serialize;
use serde_json::json;

use super::memory_chart;
use crate::cli::args::print::{CompletionsArgs, ManArgs, WorkloadsArgs};
use crate::cli::args::program::Args;
use crate::cli::error::CliError;
use crate::cli::manual::{self, Page};
use crate::cli::output::{self, Output, figure_table};
use crate::host::Machine;
use crate::load::{BlockReads, Source};
use crate::units;
use crate::workload::{Workload, path_text, shipped};

pub(crate) fn workloads(args: &WorkloadsArgs, output: Output) -> Result<(), CliError> {
    let workloads = shipped().iter().map(|workload| Workload::parse(workload.text)).collect::<Result<Vec<_>, _>>()?;
    let Some(name) = &args.name else { return output.result(&workloads, || list(&workloads, output)) };
    if args.memory {
        return memory(name, args.grown_by, output);
    }
    let Some((shipped, workload)) =
        shipped().iter().zip(&workloads).find(|(shipped, _)| name == Path::new(shipped.name))
    else {
        Workload::find(name)?;
        let name = path_text(name);
        return Err(CliError::Usage(format!("{name} is a file, expected a shipped workload, or --memory")));
    };
    output.result(workload, || output::raw(shipped.text))
}

/// Commands whose block reads are followed: more change the curve little.
const FOLLOWED_COMMANDS: u64 = 400_000;

fn memory(name: &Path, grown_by: u64, output: Output) -> Result<(), CliError> {
    let source = Source::Workload(Arc::new(Workload::find(name)?)).grown(grown_by);
    let reads = BlockReads::of(&source, FOLLOWED_COMMANDS);
    output.result(&reads, || memory_chart::print(reads.as_ref(), output))
}

fn list(workloads: &[Workload], output: Output) -> Result<(), CliError> {
    for workload in workloads {
        let facts = format!("{}, {}", units::counted(workload.actor_count(), "actor"), workload.persistence());
        output.sentence(&format!("{} — {facts}", workload.name))?;
        output.paragraph(&workload.description)?;
        output.line("")?;
    }
    output.sentence(
        "Run one with `ave-workbench run NAME`. Write your own from `ave-workbench workloads NAME > my.toml`.",
    )
}

#[derive(Debug, Serialize)]
struct MachineInfo {
    name: String,
    cpu_cores_count: usize,
    ram_bytes: u64,
    /// What its kernel leaves to programs and page cache.
    usable_ram_bytes: u64,
}

impl From<Machine> for MachineInfo {
    fn from(machine: Machine) -> Self {
        let usable_ram_bytes = machine.usable_ram_bytes();
        Self { name: machine.name, cpu_cores_count: machine.cores, ram_bytes: machine.ram_mb << 20, usable_ram_bytes }
    }
}

pub(crate) fn machines(output: Output) -> Result<(), CliError> {
    let machines: Vec<_> = Machine::profiles().into_iter().map(MachineInfo::from).collect();
    let row = |machine: &MachineInfo| {
        let [ram, usable] = [machine.ram_bytes, machine.usable_ram_bytes].map(|bytes| units::bytes(bytes as f64));
        vec![machine.name.clone(), machine.cpu_cores_count.to_string(), ram, usable]
    };
    output.result(&machines, || {
        output.line(&figure_table(
            &["machine", "cores", "RAM", "usable RAM"],
            1,
            machines.iter().map(row).collect(),
        ))?;
        output.sentence(
            "\nOther sizes: `--machine CORES,RAM_MIB`, such as `2,1500`. The kernel keeps the rest of the RAM.",
        )
    })
}

pub(crate) fn completions(args: &CompletionsArgs, output: Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ave-workbench", &mut script);
    let script = String::from_utf8_lossy(&script);
    output.result(&json!({ "shell": args.shell.to_string(), "script": script }), || output::raw(&script))
}

pub(crate) fn man(args: &ManArgs, output: Output) -> Result<(), CliError> {
    let pages = manual::pages(Args::command());
    match &args.directory {
        Some(directory) => write_pages(&pages, directory, output),
        // The page of the program.
        None => pages.first().map_or(Ok(()), |Page { file, text }| {
            output.result(&json!({ "file": file, "text": text }), || output::raw(text))
        }),
    }
}

fn write_pages(pages: &[Page], directory: &Path, output: Output) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| CliError::Write { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let files: Vec<_> = pages.iter().map(|page| directory.join(&page.file)).collect();
    for (page, path) in pages.iter().zip(&files) {
        fs::write(path, &page.text).map_err(failed(path))?;
    }
    let written = || output.line(&format!("{} in {}", units::counted(pages.len() as u64, "page"), directory.display()));
    let files: Vec<_> = files.iter().map(|file| path_text(file)).collect();
    output.result(&json!({ "files": files }), written)
}
