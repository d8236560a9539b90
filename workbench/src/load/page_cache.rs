//! The page cache as after a reboot, and as after a long time of running.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::directory_bytes;
use super::observer::{JobContext, Phase};
use crate::actor::Durability;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Writes every file below `directory` to the disk and removes it from the page cache. False if the system does not, such as
/// on a file system in memory.
pub(crate) fn forget(directory: &Path) -> io::Result<bool> {
    let mut forgotten = true;
    for_each_file(directory, &mut |file, bytes| {
        file.sync_all()?;
        forgotten &= forget_file(file, bytes);
        Ok(())
    })?;
    Ok(forgotten)
}

/// Reads up to `bytes` of the files below `directory`, the same share of every part of each file: all keys are then as likely to
/// be in the page cache. Ends early if the job is stopped. `durability` is that of the load that follows, for the observer.
pub(crate) fn fill(directory: &Path, bytes: u64, durability: Durability, job: JobContext<'_>) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    let all_bytes = directory_bytes(directory).max(1);
    job.observer.phase(durability, Phase::Cache, Some(bytes.min(all_bytes)));
    // Of the chunks; all of them from 1 on.
    let share = (bytes as f64 / all_bytes as f64).min(1.0);
    let (mut due_chunks, done) = (0.0, AtomicU64::new(0));
    for_each_file(directory, &mut |file, bytes| {
        let is_due = |_: &u64| {
            due_chunks += share;
            let is_due = due_chunks >= 1.0;
            due_chunks -= f64::from(u8::from(is_due));
            is_due
        };
        let chunks: Vec<u64> = (0..bytes).step_by(CHUNK_BYTES).filter(is_due).collect();
        // One thread after the other does not use what a disk can.
        let read = |buffer: &mut Vec<u8>, at| {
            if job.control.is_stopped() {
                return Ok(());
            }
            let read_bytes = file.read_at(buffer, at)? as u64;
            job.observer.progress(done.fetch_add(read_bytes, Ordering::Relaxed) + read_bytes, 0);
            Ok(())
        };
        chunks.into_par_iter().try_for_each_init(|| vec![0; CHUNK_BYTES], read)
    })
}

/// Calls `act` with every file below `directory` that is not empty, and its size in bytes. A database that is open may remove
/// files meanwhile.
fn for_each_file(directory: &Path, act: &mut dyn FnMut(&File, u64) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            for_each_file(&path, act)?;
        } else if metadata.is_file() && metadata.len() > 0 {
            act(&file, metadata.len())?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn forget_file(file: &File, bytes: u64) -> bool {
    // Three attempts: the kernel keeps a page that is in use.
    (0..3).any(|_| {
        let advised = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).is_ok();
        advised && [0, bytes / 2, bytes - 1].into_iter().all(|at| !is_cached(file, at))
    })
}

#[cfg(not(target_os = "linux"))]
fn forget_file(_file: &File, _bytes: u64) -> bool {
    false
}

/// A read that must not wait for the disk fails if the page is not cached.
#[cfg(target_os = "linux")]
fn is_cached(file: &File, at: u64) -> bool {
    let mut byte = [0];
    let read = rustix::io::preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], at, rustix::io::ReadWriteFlags::NOWAIT);
    read != Err(rustix::io::Errno::AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Control;

    #[cfg(all(feature = "rocksdb", target_os = "linux"))]
    #[test]
    fn a_session_begins_with_the_page_cache_of_a_machine_that_has_run_for_long_and_a_cold_load_without() {
        use crate::load::{DriveSpec, Load, RocksDbTarget, Session, Source, SystemClock, WarmUp, fill_database};
        use std::path::PathBuf;
        use std::time::Duration;

        use crate::workload::Workload;
        use ave_actors_store::config::MachineSpec;

        let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
        let (path, job) = (directory.path(), JobContext::silent(&control));
        let target = RocksDbTarget::new(MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 });
        let mut workload = Workload::find("ledger").unwrap();
        workload.populations[0].actors.count = 100;
        let source = Source::Workload(workload.into());
        fill_database(&target, &source, path, Durability::Off, job).unwrap();
        // Not every file system can.
        if !forget(path).unwrap() {
            return;
        }
        let mut session = Session::start_filled(&target, &source, path, Durability::Off, 1, job).unwrap();
        let of_tables =
            |entry: fs::DirEntry| entry.path().extension().filter(|name| *name == "sst").map(|_| entry.path());
        let tables: Vec<_> = fs::read_dir(path).unwrap().map(Result::unwrap).filter_map(of_tables).collect();
        let are_cached = || {
            let is_cached = |path: &PathBuf| {
                let file = File::open(path).unwrap();
                let bytes = file.metadata().unwrap().len();
                (0..bytes).step_by(4 << 10).all(|at| is_cached(&file, at))
            };
            tables.iter().all(is_cached)
        };
        assert!(!tables.is_empty() && are_cached());
        let spec = |warmup| DriveSpec {
            load: Load::Closed,
            warmup,
            measure: Some(Duration::from_millis(1)),
            lag_limit: None,
            settle: false,
        };
        let mut drive = |warmup| session.drive(&spec(warmup), &SystemClock::new(), job).unwrap();
        drive(WarmUp::Fixed(Duration::ZERO));
        assert!(are_cached());
        drive(WarmUp::Cold);
        assert!(!are_cached(), "a millisecond reads few of the pages again");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_part_of_every_file_fills_the_page_cache() {
        let directory = tempfile::tempdir().unwrap();
        let (control, off) = (Control::default(), Durability::Off);
        let job = JobContext::silent(&control);
        let files = ["a", "b"].map(|name| directory.path().join(name));
        for path in &files {
            fs::write(path, vec![7; 64 * CHUNK_BYTES]).unwrap();
        }
        // Not every file system can.
        if !forget(directory.path()).unwrap() {
            return;
        }
        let cached_chunks = |path: &Path| {
            let file = File::open(path).unwrap();
            // The last page of a chunk: the kernel reads ahead of what is read.
            (1..=64).filter(|chunk| is_cached(&file, chunk * CHUNK_BYTES as u64 - 1)).count()
        };
        fill(directory.path(), 16 * CHUNK_BYTES as u64, off, job).unwrap();
        for path in &files {
            assert!((8..=40).contains(&cached_chunks(path)), "{}", cached_chunks(path));
        }
        fill(directory.path(), u64::MAX, off, job).unwrap();
        assert!(files.iter().all(|path| cached_chunks(path) == 64));
    }

    #[test]
    fn files_read_back_unchanged_after_they_left_the_page_cache() {
        let directory = tempfile::tempdir().unwrap();
        let [top, below] = ["a", "deeper/b"].map(|name| directory.path().join(name));
        fs::create_dir(directory.path().join("deeper")).unwrap();
        let content = vec![7; 100_000];
        for path in [&top, &below] {
            fs::write(path, &content).unwrap();
        }
        fs::write(directory.path().join("empty"), "").unwrap();
        // Not every file system can.
        let _forgotten: bool = forget(directory.path()).unwrap();
        for path in [&top, &below] {
            assert!(fs::read(path).unwrap() == content, "{}", path.display());
        }
    }
}
