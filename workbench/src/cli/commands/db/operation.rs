//! What the commands on a database share: their progress, errors, and parts of their results.

use std::path::Path;
use std::time::SystemTime;

use ave_actors_rocksdb::backend::{Backup, Backups, Damage, is_in_use};
use ave_actors_store::Error;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::DatabaseProgress;
use crate::cli::resolve;
use crate::workload::escape;

/// Bytes per MB.
const MB: f64 = 1e6;

/// One backup in results.
#[derive(Debug, Serialize)]
pub(super) struct BackupInfo {
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) created_at: String,
    pub(super) bytes: u64,
    pub(super) copied_bytes: u64,
    pub(super) files_count: usize,
}

impl From<&Backup> for BackupInfo {
    fn from(backup: &Backup) -> Self {
        Self {
            id: backup.id,
            path: backup.path.display().to_string(),
            created_at: rfc3339(backup.created),
            bytes: backup.bytes,
            copied_bytes: backup.copied_bytes,
            files_count: backup.files,
        }
    }
}

/// A damaged file in results.
#[derive(Debug, Serialize)]
pub(super) struct DamageInfo {
    pub(super) file: String,
    pub(super) reason: String,
}

impl From<Damage> for DamageInfo {
    fn from(damage: Damage) -> Self {
        Self { file: damage.file.display().to_string(), reason: damage.reason }
    }
}

/// Whether another process has the database open.
pub(super) fn in_use(directory: &Path) -> Result<bool, CliError> {
    is_in_use(directory).map_err(|cause| {
        CliError::Backend(escape(&format!("cannot read the lock file in {}: {cause}", directory.display())))
    })
}

pub(super) fn rfc3339(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| time.to_string())
}

/// `backups` with a rate limit in MB/s.
pub(super) fn at_rate(backups: Backups, megabytes_per_second: Option<f64>) -> Backups {
    match bytes_per_second(megabytes_per_second) {
        Some(limit) => backups.bytes_per_second(limit),
        None => backups,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above 0, and a fraction of a byte is nothing"
)]
pub(super) fn bytes_per_second(megabytes_per_second: Option<f64>) -> Option<u64> {
    megabytes_per_second.map(|rate| (rate * MB) as u64)
}

/// The backend's message, escaped: it contains paths and names of the database.
pub(super) fn failed(error: Error) -> CliError {
    let reason = match error {
        Error::CreateStore { reason } | Error::Store { reason, .. } => reason,
        other => other.to_string(),
    };
    CliError::Backend(escape(&reason))
}

/// Runs an operation with progress that Ctrl-C interrupts.
pub(super) fn with_progress<R>(
    output: Output,
    label: &'static str,
    run: impl FnOnce(&mut DatabaseProgress) -> Result<R, Error>,
) -> Result<R, CliError> {
    let mut progress = DatabaseProgress::new(output, label, resolve::stop_on_ctrl_c(output)?);
    let result = run(&mut progress);
    let is_stopped = progress.finish();
    result.map_err(|error| match failed(error) {
        CliError::Backend(reason) if is_stopped => CliError::Interrupted(reason),
        error => error,
    })
}
