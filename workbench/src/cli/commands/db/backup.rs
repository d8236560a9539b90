//! `db backup`.

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_rocksdb::backend::Backups;
use serde::Serialize;

use super::operation::{BackupInfo, at_rate, failed, with_progress};
use crate::cli::args::db::DbBackupArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::units;
use crate::workload::escape;

#[derive(Debug, Serialize)]
struct BackupResult {
    #[serde(flatten)]
    backup: BackupInfo,
    kept_count: usize,
    unreadable_log_bytes: u64,
}

pub(crate) fn run(args: &DbBackupArgs, output: Output) -> Result<(), CliError> {
    let backups = at_rate(Backups::new(&args.to), args.rate);
    let backups = match args.keep {
        Some(keep) => backups.keep(keep.get()),
        None => backups,
    };
    // The other opening creates a missing database.
    drop(RocksDbManager::open_read_only(&args.directory, None).map_err(failed)?);
    let manager = RocksDbManager::new(&args.directory, true, None).map_err(failed)?;
    let backup =
        with_progress(output, "backing up", |progress| manager.backup(&backups, |step| progress.observe(step)))?;
    let result = BackupResult {
        backup: BackupInfo::from(&backup),
        kept_count: backups.list().map_err(failed)?.len(),
        unreadable_log_bytes: manager.unreadable_log_bytes(),
    };
    output.result(&result, || print(&result, output))
}

fn print(result: &BackupResult, output: Output) -> Result<(), CliError> {
    let BackupInfo { id, path, bytes, copied_bytes, .. } = &result.backup;
    let [bytes, copied] = [*bytes, *copied_bytes].map(|bytes| units::bytes(bytes as f64));
    output.sentence(&format!(
        "Backup {id} is complete and verified: {bytes}, {copied} of it copied, in {}.",
        escape(path)
    ))?;
    output.sentence(&format!("{} in total.", units::counted(result.kept_count as u64, "backup")))?;
    if result.unreadable_log_bytes > 0 {
        let bytes = units::bytes(result.unreadable_log_bytes as f64);
        output.sentence(&format!(
            "warning: {bytes} of the write-ahead logs were unreadable and are not in the backup."
        ))?;
    }
    Ok(())
}
