//! The files of bulk loads on the disk: what an opening finds of those that were interrupted.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ave_actors_store::Error;
use tracing::{info, warn};

use super::{column::ColumnFamily, directory, engine::Engine, error};

/// First part of the name of the directory of a load.
pub(super) const DIRECTORY: &str = "bulk-load-";
/// The list of the files: per line the number of the file, a space, and the name of its column family in hexadecimal.
pub(super) const COMMITTED: &str = "COMMITTED";

pub(super) fn file_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:06}.sst"))
}

/// The files of a committed load by column family.
fn read_list(directory: &Path) -> io::Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for line in fs::read_to_string(directory.join(COMMITTED))?.lines() {
        let parsed = line.split_once(' ').and_then(|(number, name)| Some((number.parse().ok()?, parse_hex(name)?)));
        let (number, family) = parsed.ok_or_else(|| io::Error::other(format!("the list of files has '{line}'")))?;
        files.entry(family).or_default().push(file_path(directory, number));
    }
    Ok(files)
}

fn parse_hex(text: &str) -> Option<String> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    String::from_utf8((0..text.len()).step_by(2).map(byte).collect::<Option<_>>()?).ok()
}

/// Adds the files of a committed load that are still there, and removes its directory.
pub(super) fn ingest(
    engine: &Engine,
    family: impl Fn(&str) -> Result<Arc<ColumnFamily>, Error>,
    directory: &Path,
) -> Result<(), Error> {
    let context = engine.error_context();
    let failed = |action, cause: &io::Error| error::directory(context, action, directory, cause);
    let families = read_list(directory).map_err(|cause| failed("read the list of files in", &cause))?;
    for (name, mut files) in families {
        let family = family(&name)?;
        // RocksDB moves the files of a column family when all of them are a part of the database.
        files.retain(|file| file.exists());
        family.ingest(files).map_err(|cause| family.failed("bulk load", &cause))?;
    }
    fs::remove_dir_all(directory).map_err(|cause| failed("remove the bulk load", &cause))
}

/// Completes the loads that a killed process had committed, and removes the others.
pub(super) fn recover(engine: &Engine, family: impl Fn(&str) -> Result<Arc<ColumnFamily>, Error>) -> Result<(), Error> {
    for directory in loads(engine)? {
        if directory.join(COMMITTED).exists() {
            ingest(engine, &family, &directory)?;
            info!(path = %engine.path().display(), "finished an interrupted bulk load");
        } else {
            let removed = fs::remove_dir_all(&directory);
            removed.unwrap_or_else(|cause| warn!(path = %directory.display(), %cause, "cannot remove a bulk load"));
        }
    }
    Ok(())
}

/// Fails if a part of a committed load may be missing.
pub(super) fn check_complete(engine: &Engine) -> Result<(), Error> {
    let is_committed = |directory: &PathBuf| directory.join(COMMITTED).exists();
    if loads(engine)?.iter().any(is_committed) { Err(error::incomplete_load(engine.path())) } else { Ok(()) }
}

fn loads(engine: &Engine) -> Result<Vec<PathBuf>, Error> {
    let path = engine.path();
    let names = directory::list(path)
        .map_err(|cause| error::directory(engine.error_context(), "list the directory", path, &cause))?;
    Ok(names.iter().filter(|name| name.starts_with(DIRECTORY)).map(|name| path.join(name)).collect())
}
