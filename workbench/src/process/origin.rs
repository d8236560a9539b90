//! Databases that are filled once, and copied for each rig.
//!
//! A copy shares the files that never change: it takes milliseconds and no space until it is written to.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::actor::Durability;
use crate::load::{JobContext, RunError, Source, Target, fill_database, page_cache};

/// The filled databases of a testbed, which lie in its directory, and go with what is in it. One is filled at a time.
#[derive(Debug, Default)]
pub(super) struct Origins(Mutex<()>);

impl Origins {
    /// Creates in `copy` a database with the preload of `source`, which `key` identifies. The first one of a key fills a
    /// database in `directory`.
    ///
    /// Each durability mode has its own: the machines of two modes exist at the same time, and pages that one has read would
    /// serve the other beyond its memory.
    pub(super) fn copy_to<T: Target>(
        &self,
        copy: &Path,
        (directory, key): (&Path, &str),
        target: &T,
        source: &Source,
        durability: Durability,
        job: JobContext<'_>,
    ) -> Result<(), RunError> {
        let _one_at_a_time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = |durability: Durability| directory.join(format!("filled-{key}-{durability}"));
        let origin = path(durability);
        let failed = |error| RunError::Directory(origin.clone(), error);
        if !origin.is_dir() {
            // An incomplete database never has the name of a complete one.
            let incomplete = origin.with_extension("incomplete");
            match Durability::BOTH.into_iter().map(path).find(|other| other.is_dir()) {
                Some(other) => {
                    copy_database(&other, &incomplete, &|_| false).map_err(failed)?;
                    page_cache::forget(&other).map_err(failed)?;
                }
                None => fill(&incomplete, target, source, durability, job)?,
            }
            fs::rename(incomplete, &origin).map_err(failed)?;
        }
        // An emulated machine starts cold: pages are charged to the process that has read them, perhaps one that has ended.
        page_cache::forget(&origin).map_err(failed)?;
        let copied = copy_database(&origin, copy, &|name| target.is_immutable(name));
        copied.map_err(|error| RunError::Directory(copy.to_owned(), error))
    }
}

fn fill<T: Target>(
    directory: &Path,
    target: &T,
    source: &Source,
    durability: Durability,
    job: JobContext<'_>,
) -> Result<(), RunError> {
    let filled = fill_database(target, source, directory, durability, job);
    if filled.is_err() || job.control.is_stopped() {
        // What cannot be removed goes with the parent directory.
        let _ = fs::remove_dir_all(directory);
    }
    filled?;
    if job.control.is_stopped() { Err(RunError::Interrupted) } else { Ok(()) }
}

/// Copies the files of a closed database. Those that never change are linked, if the file system can.
fn copy_database(from: &Path, to: &Path, is_immutable: &dyn Fn(&str) -> bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_database(&entry.path(), &target, is_immutable)?;
            continue;
        }
        let is_shared = entry.file_name().to_str().is_some_and(is_immutable);
        if !is_shared || fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::directory_bytes;
    use std::path::PathBuf;

    #[test]
    fn a_copy_shares_what_never_changes_and_changes_nothing_of_its_origin() {
        use std::os::unix::fs::MetadataExt;
        let directory = tempfile::tempdir().unwrap();
        let [origin, copy] = ["origin", "copy"].map(|name| directory.path().join(name));
        fs::create_dir_all(origin.join("deeper")).unwrap();
        for name in ["1.sst", "CURRENT", "deeper/2.sst"] {
            fs::write(origin.join(name), name).unwrap();
        }
        copy_database(&origin, &copy, &|name| name != "CURRENT").unwrap();
        let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(origin.join("1.sst")), inode(copy.join("1.sst")));
        assert_eq!(inode(origin.join("deeper/2.sst")), inode(copy.join("deeper/2.sst")));
        assert_eq!(directory_bytes(directory.path()), 5 + 2 * 7 + 12, "what is shared counts once");
        fs::write(copy.join("CURRENT"), "changed").unwrap();
        fs::remove_file(copy.join("1.sst")).unwrap();
        assert_eq!(fs::read_to_string(origin.join("CURRENT")).unwrap(), "CURRENT");
        assert!(origin.join("1.sst").exists());
    }

    #[test]
    fn a_database_is_filled_again_once_its_directory_was_emptied() {
        use crate::load::{Control, NullBackend};
        use crate::workload::Workload;

        let directory = tempfile::tempdir().unwrap();
        let databases = directory.path().join("databases");
        let (source, control) = (Source::Workload(Workload::find("ledger").unwrap().into()), Control::default());
        let origins = Origins::default();
        for durability in Durability::BOTH {
            let (copy, job) = (databases.join("rig"), JobContext::silent(&control));
            origins.copy_to(&copy, (&databases, "0"), &NullBackend, &source, durability, job).unwrap();
            assert!(copy.is_dir(), "durability {durability}");
            fs::remove_dir_all(&databases).unwrap();
        }
    }

    #[cfg(feature = "rocksdb")]
    #[test]
    fn rigs_on_copies_of_a_grown_database_verify_clean_and_change_nothing_of_it() {
        use std::sync::Arc;
        use std::time::Duration;

        use crate::host::Machine;
        use crate::load::{Control, DriveSpec, Load, RocksDbTarget, SystemClock, WarmUp};
        use crate::process::{InProcess, RigOutcome, RigSpec, Testbed};
        use crate::workload::Workload;

        const GROWN_EVENTS: u64 = 5_000;
        // Its events are never deleted: every command leaves as many or more.
        let mut workload = Workload::find("ledger").unwrap();
        workload.populations[0].actors.count = 100;
        let (source, control, clock) = (Source::Workload(Arc::new(workload)), Control::default(), SystemClock::new());
        let (machine, directory) = (Machine::custom(2, 512), tempfile::tempdir().unwrap());
        let target = RocksDbTarget::new(machine.spec());
        let testbed = InProcess::new(&target, &source, directory.path(), &clock, JobContext::silent(&control));
        let spec = DriveSpec {
            load: Load::Closed,
            warmup: WarmUp::NONE,
            measure: Some(Duration::from_millis(50)),
            lag_limit: None,
            settle: false,
        };
        // Both origins, without the rigs' own directories.
        let origins = || {
            let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
            let filled = entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("filled-"));
            let files = filled.flat_map(|origin| fs::read_dir(origin).unwrap()).map(|file| file.unwrap().path());
            files.map(|path| (path.clone(), fs::read(path).unwrap())).collect::<std::collections::BTreeMap<_, _>>()
        };
        let mut filled = None;
        for workers in [1, 3] {
            for durability in [Durability::Off, Durability::On] {
                let rig = RigSpec { machine: &machine, grown_events: GROWN_EVENTS, durability, workers };
                let rig = testbed.set_up(&rig).unwrap();
                let mut rig = rig.completed().unwrap();
                rig.drive(&spec).unwrap();
                let RigOutcome::Completed(summary) = rig.finish(true).unwrap() else { panic!("out of memory") };
                let verified = summary.verified.unwrap();
                assert!(
                    verified.events > GROWN_EVENTS && summary.commands > 0,
                    "{verified:?} after {}",
                    summary.commands
                );
                assert_eq!((verified.lost, verified.differences), (0, Vec::new()));
            }
            let found = origins();
            assert!(found.len() > 4, "{:?}", found.keys());
            assert!(*filled.get_or_insert_with(|| found.clone()) == found, "{:?}", found.keys());
        }
    }
}
