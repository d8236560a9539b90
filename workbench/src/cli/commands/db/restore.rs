//! `db restore`.

use ave_actors_rocksdb::backend::Backups;
use serde::Serialize;

use super::operation::{BackupInfo, at_rate, with_progress};
use crate::cli::args::db::DbRestoreArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::units;
use crate::workload::escape;

#[derive(Debug, Serialize)]
struct RestoreResult {
    directory: String,
    backup: BackupInfo,
}

pub(crate) fn run(args: &DbRestoreArgs, output: Output) -> Result<(), CliError> {
    let backups = at_rate(Backups::new(&args.backups), args.rate);
    let backup = with_progress(output, "restoring", |progress| {
        backups.restore(args.backup, &args.to, |step| progress.observe(step))
    })?;
    let result = RestoreResult { directory: args.to.display().to_string(), backup: BackupInfo::from(&backup) };
    output.result(&result, || {
        let BackupInfo { id, created_at, bytes, .. } = &result.backup;
        let (bytes, directory) = (units::bytes(*bytes as f64), escape(&result.directory));
        output.sentence(&format!("Restored backup {id} of {created_at}, {bytes}, to {directory}."))
    })
}
