//! `db info`.

use std::path::Path;

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_rocksdb::backend::{ActorSize, Backups, ColumnFamilySize, LastBackup, LevelStats};
use serde::Serialize;

use super::operation::{BackupInfo, failed, in_use, rfc3339};
use crate::cli::args::db::DbInfoArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, facts, figure_table};
use crate::units;
use crate::workload::escape;

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum InfoResult {
    Database(DatabaseInfo),
    Backups { directory: String, backups: Vec<BackupInfo> },
}

#[derive(Debug, Serialize)]
struct DatabaseInfo {
    directory: String,
    in_use: bool,
    rocksdb_version: Option<String>,
    column_families: Vec<FamilyInfo>,
    sst_bytes: u64,
    blob_bytes: u64,
    log_bytes: u64,
    unreadable_log_bytes: u64,
    actors_count: u64,
    largest_actors: Vec<ActorInfo>,
    last_backup: Option<LastBackupInfo>,
}

#[derive(Debug, Serialize)]
struct FamilyInfo {
    name: String,
    bytes: u64,
    blob_bytes: u64,
    levels: Vec<LevelInfo>,
}

#[derive(Debug, Serialize)]
struct LevelInfo {
    files_count: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct ActorInfo {
    #[serde(rename = "type")]
    actor_type: String,
    name: String,
    approximate_bytes: u64,
}

#[derive(Debug, Serialize)]
struct LastBackupInfo {
    created_at: String,
    path: String,
}

impl From<ColumnFamilySize> for FamilyInfo {
    fn from(size: ColumnFamilySize) -> Self {
        let bytes = size.bytes();
        let level = |level: LevelStats| LevelInfo { files_count: level.files, bytes: level.bytes };
        let levels = size.levels.into_iter().map(level).collect();
        Self { name: size.name, bytes, blob_bytes: size.blob_bytes, levels }
    }
}

impl From<ActorSize> for ActorInfo {
    fn from(ActorSize { actor_type, name, approximate_bytes }: ActorSize) -> Self {
        Self { actor_type, name, approximate_bytes }
    }
}

impl From<LastBackup> for LastBackupInfo {
    fn from(backup: LastBackup) -> Self {
        Self { created_at: rfc3339(backup.created), path: backup.path.display().to_string() }
    }
}

pub(crate) fn run(args: &DbInfoArgs, output: Output) -> Result<(), CliError> {
    let directory = args.directory.display().to_string();
    let result = if Backups::is_directory_of_backups(&args.directory) {
        let backups = Backups::new(&args.directory).list().map_err(failed)?;
        InfoResult::Backups { directory, backups: backups.iter().map(BackupInfo::from).collect() }
    } else {
        let in_use = in_use(&args.directory)?;
        InfoResult::Database(of_database(&args.directory, in_use, args.largest).map_err(failed)?)
    };
    output.result(&result, || match &result {
        InfoResult::Database(info) => print_database(info, output),
        InfoResult::Backups { directory, backups } => print_backups(directory, backups, output),
    })
}

fn of_database(path: &Path, in_use: bool, largest: usize) -> Result<DatabaseInfo, ave_actors_store::Error> {
    let manager = RocksDbManager::open_read_only(path, None)?;
    let (stats, sizes) = (manager.stats()?, manager.actor_sizes(largest)?);
    Ok(DatabaseInfo {
        directory: path.display().to_string(),
        in_use,
        rocksdb_version: manager.rocksdb_version(),
        column_families: manager.column_family_sizes()?.into_iter().map(FamilyInfo::from).collect(),
        sst_bytes: stats.sst_bytes,
        blob_bytes: stats.blob_bytes,
        log_bytes: stats.wal_file_bytes,
        unreadable_log_bytes: manager.unreadable_log_bytes(),
        actors_count: sizes.actors,
        largest_actors: sizes.largest.into_iter().map(ActorInfo::from).collect(),
        last_backup: manager.last_backup().map(LastBackupInfo::from),
    })
}

fn print_database(info: &DatabaseInfo, output: Output) -> Result<(), CliError> {
    output.line(&facts(&rows(info)))?;
    let families = info.column_families.iter().map(|family| {
        let levels = family.levels.iter().map(|level| level.files_count.to_string()).collect::<Vec<_>>().join(" ");
        vec![escape(&family.name), bytes(family.bytes), bytes(family.blob_bytes), levels]
    });
    let header = ["column family", "size", "large values", "files per level"];
    output.line(&format!("\n{}", figure_table(&header, 1, families.collect())))?;
    if info.largest_actors.is_empty() {
        return Ok(());
    }
    let actors = info
        .largest_actors
        .iter()
        .map(|actor| vec![escape(&actor.actor_type), escape(&actor.name), bytes(actor.approximate_bytes)]);
    output.line(&format!("\n{}", figure_table(&["actor type", "actor", "approximate size"], 2, actors.collect())))
}

fn rows(info: &DatabaseInfo) -> Vec<(&'static str, String)> {
    let backup = info.last_backup.as_ref().map_or_else(
        || "none".to_owned(),
        |backup| format!("{} in {}", units::moment(&backup.created_at), escape(&backup.path)),
    );
    let logs = match info.unreadable_log_bytes {
        0 => bytes(info.log_bytes),
        unreadable => format!("{}, {} of it unreadable", bytes(info.log_bytes), bytes(unreadable)),
    };
    vec![
        ("database", escape(&info.directory)),
        ("in use", if info.in_use { "by another process" } else { "no" }.to_owned()),
        ("RocksDB", info.rocksdb_version.as_deref().map_or_else(|| "unknown version".to_owned(), escape)),
        ("tables", bytes(info.sst_bytes)),
        ("large values", bytes(info.blob_bytes)),
        ("logs", logs),
        ("actors", units::count(info.actors_count)),
        ("last backup", backup),
    ]
}

fn print_backups(directory: &str, backups: &[BackupInfo], output: Output) -> Result<(), CliError> {
    output.sentence(&format!("{} has {}.", escape(directory), units::counted(backups.len() as u64, "backup")))?;
    if backups.is_empty() {
        return Ok(());
    }
    let rows = backups.iter().map(|backup| {
        vec![backup.id.to_string(), units::moment(&backup.created_at), bytes(backup.bytes), bytes(backup.copied_bytes)]
    });
    output.line(&format!("\n{}", figure_table(&["backup", "written", "size", "copied"], 2, rows.collect())))
}

fn bytes(bytes: u64) -> String {
    units::bytes(bytes as f64)
}
