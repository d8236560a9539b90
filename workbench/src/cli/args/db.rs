//! `db`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::values;

/// Inspect, verify, back up and restore a database
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ave-workbench db info /var/lib/ledger/db
  ave-workbench db verify /var/lib/ledger/db
  ave-workbench db backup /var/lib/ledger/db --to /backups/ledger
  ave-workbench db restore /backups/ledger --to /var/lib/ledger/db")]
pub(crate) enum DbCommand {
    Info(DbInfoArgs),
    Verify(DbVerifyArgs),
    Backup(DbBackupArgs),
    Restore(DbRestoreArgs),
}

/// Show sizes, actors and the last backup of a database, or list the backups in a directory
///
/// Opens the database read-only: it changes no file, and an application may have the database open. Sizes of actors are
/// estimates of the compressed bytes in tables.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench db info /var/lib/ledger/db
  ave-workbench db info /var/lib/ledger/db --largest 50
  ave-workbench db info /backups/ledger --json | jq .backups")]
pub(crate) struct DbInfoArgs {
    /// Directory of a database, a backup, or backups
    pub(crate) directory: PathBuf,
    /// Number of largest actors to list
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub(crate) largest: usize,
}

/// Read a whole database or its backups and verify every checksum
///
/// Changes no file. Exit code 1 and the names of the files if any is damaged. An application must not have the database
/// open: verify a backup then, or call `scrub` in the application.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench db verify /var/lib/ledger/db
  ave-workbench db verify /backups/ledger --rate 50
  ave-workbench db verify /backups/ledger --backup 12")]
pub(crate) struct DbVerifyArgs {
    /// Directory of a database, a backup, or backups
    pub(crate) directory: PathBuf,
    /// Backup to verify [default: all]
    #[arg(long, value_name = "ID")]
    pub(crate) backup: Option<u64>,
    /// Limit of the read rate, MB/s [default: none]
    #[arg(long, value_name = "MB_PER_SECOND", allow_negative_numbers = true, value_parser = values::above_zero)]
    pub(crate) rate: Option<f64>,
}

/// Write a verified backup of a database that no application has open
///
/// Copies files that the previous backup does not have. Opens the database, which replays its logs. An application that
/// has the database open calls `backup` itself, beside the load.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench db backup /var/lib/ledger/db --to /backups/ledger
  ave-workbench db backup /var/lib/ledger/db --to /backups/ledger \\
    --keep 7 --rate 50")]
pub(crate) struct DbBackupArgs {
    /// Directory of the database
    pub(crate) directory: PathBuf,
    /// Directory of its backups; new, or from an earlier backup
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Number of latest backups to keep; older ones are deleted [default: all]
    #[arg(long, value_name = "COUNT")]
    pub(crate) keep: Option<NonZeroUsize>,
    /// Limit of the copy rate, MB/s [default: none]
    #[arg(long, value_name = "MB_PER_SECOND", allow_negative_numbers = true, value_parser = values::above_zero)]
    pub(crate) rate: Option<f64>,
}

/// Restore a backup to a new or empty directory
///
/// Compares every checksum. An interrupted restoration leaves nothing, a killed one a directory that no application
/// opens: run the same command again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench db restore /backups/ledger --to /var/lib/ledger/db
  ave-workbench db restore /backups/ledger --to /tmp/db --backup 12")]
pub(crate) struct DbRestoreArgs {
    /// Directory of the backups
    pub(crate) backups: PathBuf,
    /// Directory to restore to; new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Backup to restore [default: the latest]
    #[arg(long, value_name = "ID")]
    pub(crate) backup: Option<u64>,
    /// Limit of the copy rate, MB/s [default: none]
    #[arg(long, value_name = "MB_PER_SECOND", allow_negative_numbers = true, value_parser = values::above_zero)]
    pub(crate) rate: Option<f64>,
}
