//! The command line: arguments, progress, tables, exit codes.
//!
//! Everything a person types or sees on a terminal is here, and nothing is measured here. Nobody imports this module
//! but the binary.

pub(crate) mod args;
mod bar;
mod browser;
mod certify_progress;
mod commands;
#[cfg(test)]
mod documented;
mod doing;
pub(crate) mod error;
mod import_progress;
mod live;
mod manual;
pub(crate) mod output;
mod pace;
mod progress;
mod prose;
pub(crate) mod resolve;
mod run_agenda;
mod style;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Args, Command, TraceCommand};
use crate::cli::error::CliError;
use crate::cli::output::Output;

use crate::host::remove_stale_groups;
use crate::process::confined::{self, ConfinedExit};
use crate::process::{rig, victim};
use crate::report::{Outcome, Verdict};

/// How a command ended, if it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Pass,
    Fail,
    Inconclusive,
}

impl Ending {
    /// 0 pass, 1 objective missed or slower, 3 inconclusive; errors have 2 and 4, see [`CliError::exit_code`].
    fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 3,
        })
    }
}

/// Parses the command line, does what it says, and tells the exit code:
/// 0 pass, 1 objective missed or slower, 2 usage, 3 inconclusive, 4 input, output or database.
pub fn main() -> ExitCode {
    style::heed_dumb_terminals();
    let args = Args::parse();
    let output = Output::new(args.quiet, args.json);
    let ended = run_confined(&args, output)
        .and_then(|ended| ended.map_or_else(|| dispatch(&args, output).map(Ending::exit_code), Ok));
    match ended {
        Ok(code) => code,
        // Whoever closed the pipe has seen enough.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            error.exit_code()
        }
    }
}

/// Runs the command within the limits of a machine, if it names one and this is not the confined process already.
fn run_confined(args: &Args, output: Output) -> Result<Option<ExitCode>, CliError> {
    let named = match &args.command {
        Command::Run(run) => run.machine.as_deref().zip(Some(&run.place.data_dir)),
        Command::Certify(certify) => certify.machine.as_deref().zip(Some(&certify.data_dir)),
        _ => None,
    };
    let Some((text, data_directory)) = named.filter(|_| !confined::is_confined()) else { return Ok(None) };
    let machine = resolve::machine_here(text)?;
    // Ctrl-C reaches the confined process as well, which cleans up; this process waits for it.
    ctrlc::set_handler(|| {}).map_err(|error| CliError::Usage(format!("cannot catch Ctrl-C: {error}")))?;
    let code = match confined::run(&machine, data_directory, &output)? {
        ConfinedExit::Code(code) => ExitCode::from(code),
        ConfinedExit::OutOfMemory => {
            let sentence = format!("{machine} dies at this load: it was killed when its memory was used up.");
            if output.is_json() {
                output::json(&Verdict { outcome: Outcome::Fail, sentence, certainty: None, reasons: Vec::new() })?;
            } else {
                output.verdict(Outcome::Fail, &sentence)?;
            }
            ExitCode::FAILURE
        }
    };
    Ok(Some(code))
}

fn dispatch(args: &Args, output: Output) -> Result<Ending, CliError> {
    if matches!(args.command, Command::Run(_) | Command::Plan(_) | Command::Certify(_)) {
        // A killed workbench cannot clean up. What cannot be removed now, the next start tries again.
        let _ = remove_stale_groups();
    }
    match &args.command {
        Command::Host(host) => commands::host::run(host, output),
        Command::Run(run) => commands::run::run(run, output),
        Command::Plan(plan) => commands::plan::run(plan, output),
        Command::Certify(certify) => commands::certify::run(certify, output),
        Command::Compare(compare) => commands::compare::run(compare, output),
        Command::Workloads(workloads) => commands::workloads::run(workloads, output),
        Command::Trace(TraceCommand::Import(import)) => commands::trace::import(import, output),
        Command::Trace(TraceCommand::Info(info)) => commands::trace::info(info, output),
        Command::Trace(TraceCommand::Fit(fit)) => commands::trace::fit(fit, output),
        Command::Trace(TraceCommand::Generate(generate)) => commands::trace::generate(generate, output),
        Command::Trace(TraceCommand::Export(export)) => commands::trace::export(export, output),
        Command::Report(report) => commands::report::run(report, output),
        Command::Completions(completions) => commands::completions::run(completions, output),
        Command::Man(man) => commands::man::run(man, output),
        Command::Rig(_) => Ok(rig::run().map(|()| Ending::Pass)?),
        Command::CrashVictim(_) => Ok(victim::run().map(|()| Ending::Pass)?),
    }
}
