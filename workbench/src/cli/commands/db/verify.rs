//! `db verify`.

use ave_actors_rocksdb::backend::{Backups, Scrub, scrub};
use serde::Serialize;

use super::operation::{DamageInfo, at_rate, bytes_per_second, failed, in_use, with_progress};
use crate::cli::args::db::DbVerifyArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::report::Outcome;
use crate::units;
use crate::workload::escape;

#[derive(Debug, Serialize)]
struct VerifyResult {
    directory: String,
    outcome: Outcome,
    /// What was verified, in words.
    verified: String,
    damage: Vec<DamageInfo>,
    unreadable_log_bytes: u64,
}

pub(crate) fn run(args: &DbVerifyArgs, output: Output) -> Result<Outcome, CliError> {
    let result = if Backups::is_directory_of_backups(&args.directory) {
        of_backups(args, output)?
    } else if args.backup.is_some() {
        let directory = escape(&args.directory.display().to_string());
        return Err(CliError::Usage(format!("--backup: {directory} is no directory of backups")));
    } else {
        of_database(args, output)?
    };
    output.result(&result, || print(&result, output))?;
    Ok(result.outcome)
}

fn of_backups(args: &DbVerifyArgs, output: Output) -> Result<VerifyResult, CliError> {
    let backups = at_rate(Backups::new(&args.directory), args.rate);
    let damage =
        with_progress(output, "verifying", |progress| backups.verify(args.backup, |step| progress.observe(step)))?;
    let verified = match args.backup {
        Some(id) => format!("backup {id}"),
        None => units::counted(backups.list().map_err(failed)?.len() as u64, "backup"),
    };
    Ok(result(args, verified, damage.into_iter().map(DamageInfo::from).collect(), 0))
}

fn of_database(args: &DbVerifyArgs, output: Output) -> Result<VerifyResult, CliError> {
    if in_use(&args.directory)? {
        let directory = escape(&args.directory.display().to_string());
        return Err(CliError::Backend(format!(
            "the database at {directory} is in use: another process changes its files. Verify a backup, or call `scrub` \
             in that process"
        )));
    }
    let rate = bytes_per_second(args.rate);
    let Scrub { damage, entries, bytes, files, unreadable_log_bytes } =
        with_progress(output, "verifying", |progress| scrub(&args.directory, rate, |step| progress.observe(step)))?;
    let (files, entries) = (units::counted(files as u64, "table"), units::count(entries));
    let verified = format!("{files}, {entries} entries, {} of keys and values", units::bytes(bytes as f64));
    Ok(result(args, verified, damage.into_iter().map(DamageInfo::from).collect(), unreadable_log_bytes))
}

fn result(args: &DbVerifyArgs, verified: String, damage: Vec<DamageInfo>, unreadable_log_bytes: u64) -> VerifyResult {
    let outcome = if damage.is_empty() { Outcome::Pass } else { Outcome::Fail };
    VerifyResult { directory: args.directory.display().to_string(), outcome, verified, damage, unreadable_log_bytes }
}

fn print(result: &VerifyResult, output: Output) -> Result<(), CliError> {
    let (directory, verified) = (escape(&result.directory), &result.verified);
    if result.damage.is_empty() {
        output.verdict(result.outcome, &format!("{directory} is undamaged: {verified}."))?;
    } else {
        let files = units::counted(result.damage.len() as u64, "damaged file");
        output.verdict(result.outcome, &format!("{directory} has {files}: {verified}."))?;
        output.list(result.damage.iter().map(|damage| escape(&format!("{}: {}", damage.file, damage.reason))))?;
    }
    if result.unreadable_log_bytes > 0 {
        let bytes = units::bytes(result.unreadable_log_bytes as f64);
        output.sentence(&format!("{bytes} of the write-ahead logs cannot be read."))?;
    }
    Ok(())
}
