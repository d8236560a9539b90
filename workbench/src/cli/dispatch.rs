//! From the command line to a command, and from its outcome to the exit code.

use std::process::ExitCode;
use std::sync::Arc;

use ave_actors_rocksdb::machine::process_share;
use clap::Parser;

use super::args::db::DbCommand;
use super::args::print::MachinesArgs;
use super::args::program::{Args, Command};
use super::args::trace::TraceCommand;
use super::error::CliError;
use super::output::{self, Output};
use super::{commands, resolve, style};
use crate::host::{Machine, remove_stale_groups, thread_room};
use crate::process::confined::{self, ConfinedChild, ConfinedExit};
use crate::process::{rig, victim};
use crate::report::{Outcome, Verdict};

/// Runs the command line. Exit codes: 0 pass; 1 objective missed, data lost or damaged, or regression; 2 invalid arguments; 3
/// inconclusive; 4 input, output or database error.
pub fn main() -> ExitCode {
    style::disable_colour_on_dumb_terminals();
    let args = Args::parse();
    let output = Output { quiet: args.quiet, json: args.json };
    let ended = match check_environment(&args).and_then(|()| run_confined(&args, output)) {
        Ok(None) => dispatch(&args, output).map(exit_code),
        Ok(Some(code)) => Ok(code),
        Err(error) => Err(error),
    };
    match ended {
        Ok(code) => code,
        // The reader of the pipe has stopped reading, as `head` does.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            error.exit_code()
        }
    }
}

fn exit_code(outcome: Outcome) -> ExitCode {
    ExitCode::from(match outcome {
        Outcome::Pass => 0,
        Outcome::Fail => 1,
        Outcome::Inconclusive => 3,
    })
}

/// The databases that are measured must not be recorded like those of an application.
fn check_environment(args: &Args) -> Result<(), CliError> {
    const RECORDS: &str = "AVE_TRACE_DIR";
    let measures = matches!(args.command, Command::Run(_) | Command::Plan(_) | Command::Certify(_));
    if measures && std::env::var_os(RECORDS).is_some_and(|directory| !directory.is_empty()) {
        let reason = "is set: it would record the databases that are measured; unset it";
        return Err(CliError::Usage(format!("{RECORDS} {reason}")));
    }
    Ok(())
}

/// Runs the command in a child process under a machine's limits if it names a machine, unless this is that child.
fn run_confined(args: &Args, output: Output) -> Result<Option<ExitCode>, CliError> {
    let (machine, data) = match &args.command {
        Command::Run(run) => (&run.machine.machine, &run.place.data),
        Command::Certify(certify) => (&certify.machine.machine, &certify.data),
        _ => return Ok(None),
    };
    let Some(machine) = machine.as_ref().filter(|_| !confined::is_confined()) else { return Ok(None) };
    check_fits(machine)?;
    // The confined process cleans up, and this one waits for it. Ctrl-C reaches both; `kill` and service managers signal this
    // one alone.
    let child = Arc::new(ConfinedChild::default());
    let signalled = Arc::clone(&child);
    ctrlc::set_handler(move || signalled.terminate())
        .map_err(|error| CliError::Usage(format!("cannot catch Ctrl-C: {error}")))?;
    match confined::run(machine, resolve::data_directory(data)?, &output, &child)? {
        ConfinedExit::Code(code) => Ok(Some(ExitCode::from(code))),
        ConfinedExit::OutOfMemory => {
            let sentence = format!("{machine} dies at this load: it was killed when its memory was used up.");
            let verdict = Verdict { outcome: Outcome::Fail, sentence, certainty: None, reasons: Vec::new() };
            output.result(&verdict, || output.verdict(verdict.outcome, &verdict.sentence))?;
            Ok(Some(exit_code(Outcome::Fail)))
        }
    }
}

/// Checks that this process may use as many cores and as much memory as `machine` has.
fn check_fits(machine: &Machine) -> Result<(), CliError> {
    let share = process_share();
    let host = Machine::host(u32::try_from(share.cpu.cores).unwrap_or(u32::MAX), share.ram.bytes);
    if machine.fits_in(&host) {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "--machine {machine}: {}, which is more than this process may use; the largest machine it can emulate has {}",
        Machine::size_text(machine.cores, machine.ram_mb),
        Machine::size_text(host.cores, host.most_emulated_ram_mb())
    )))
}

/// Checks that the threads of a command can be started: libraries panic where one cannot. Those of writers are checked with their
/// number.
fn check_threads(command: &Command) -> Result<(), CliError> {
    // Of signals, of the progress, of a sort.
    const OTHERS: u64 = 4;
    // As many reads at once, and the queue of syncs.
    const OF_PROBE: u64 = 40;
    let needed = match command {
        Command::Host(_) => OF_PROBE,
        Command::Run(_) | Command::Plan(_) | Command::Certify(_) | Command::Trace(_) | Command::History(_) => {
            OTHERS + process_share().cpu.cores as u64
        }
        _ => return Ok(()),
    };
    let Some(room) = thread_room().filter(|room| room.left < needed) else { return Ok(()) };
    Err(CliError::Usage(format!(
        "{needed} threads are needed, and this process may create {} more ({}): raise the limit",
        room.left, room.limit
    )))
}

fn dispatch(args: &Args, output: Output) -> Result<Outcome, CliError> {
    check_threads(&args.command)?;
    if matches!(args.command, Command::Run(_) | Command::Plan(_) | Command::Certify(_)) {
        // Control groups of a killed workbench. What cannot be removed now is tried again by the next start.
        let _ = remove_stale_groups();
    }
    match &args.command {
        Command::Run(run) => return commands::run::run(run, output),
        Command::Plan(plan) => return commands::plan::run(plan, output),
        Command::Certify(certify) => return commands::certify::run(certify, output),
        Command::Compare(compare) => return commands::compare::run(compare, output),
        Command::History(history) => return commands::history::run(history, output),
        Command::Report(report) => return commands::report::run(report, output),
        Command::Db(DbCommand::Verify(verify)) => return commands::db::verify::run(verify, output),
        Command::Db(DbCommand::Info(info)) => commands::db::info::run(info, output)?,
        Command::Db(DbCommand::Backup(backup)) => commands::db::backup::run(backup, output)?,
        Command::Db(DbCommand::Restore(restore)) => commands::db::restore::run(restore, output)?,
        Command::Host(host) => commands::host::run(host, output)?,
        Command::Workloads(workloads) => commands::print::workloads(workloads, output)?,
        Command::Machines(MachinesArgs {}) => commands::print::machines(output)?,
        Command::Trace(TraceCommand::Import(import)) => commands::trace::import::run(import, output)?,
        Command::Trace(TraceCommand::Info(info)) => commands::trace::info::run(info, output)?,
        Command::Trace(TraceCommand::Fit(fit)) => commands::trace::fit::run(fit, output)?,
        Command::Trace(TraceCommand::Generate(generate)) => commands::trace::generate::run(generate, output)?,
        Command::Trace(TraceCommand::Export(export)) => commands::trace::export::run(export, output)?,
        Command::Completions(completions) => commands::print::completions(completions, output)?,
        Command::Man(man) => commands::print::man(man, output)?,
        Command::Rig => rig::run()?,
        Command::CrashVictim => victim::run()?,
    }
    Ok(Outcome::Pass)
}
