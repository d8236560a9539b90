//! The journal of a long job: each result is appended to one file as soon as it is known, so that an interrupted job can
//! be resumed.
//!
//! The file is a sequence of zstd frames with checksums, each of which holds one value as JSON (`zstdcat` prints them): the
//! version of the layout with the inputs of the job, then the entries. An entry is synced before the job continues. Where
//! the file is cut off or damaged, the rest is dropped when the journal is opened. One process at a time has it open, where
//! the file system has locks.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ave_actors_rocksdb::files::directory_of;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::host::{has_no_locks, sync_directory, sync_file};

/// Version of the layout, the entries of all jobs included. A journal of another version is replaced.
const VERSION: u32 = 2;
/// Fast: entries are written between two measurements.
const ZSTD_LEVEL: i32 = 1;
/// Attempts to lock a file that another process may remove before it is locked.
const LOCK_ATTEMPTS: u32 = 10;
/// Time between two of them if another process holds the lock.
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("another process has the journal {path} open", path = .0.display())]
    Locked(PathBuf),
    /// An action (`create`, `lock`, `read`, `write` or `remove`) failed on this file or its directory.
    #[error("cannot {0} the journal {path}: {2}", path = .1.display())]
    File(&'static str, PathBuf, #[source] io::Error),
}

#[derive(Debug)]
pub(crate) struct JournalFile {
    pub(crate) path: PathBuf,
    file: File,
    is_locked: bool,
    /// Bytes dropped since it was opened: a cut-off or damaged end, or a job with other inputs.
    pub(crate) dropped_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Heading<I> {
    version: u32,
    inputs: I,
}

impl JournalFile {
    /// Opens a journal with entries of type `E`, or creates it, its directory included. Returns the inputs with which it
    /// began; `None` if it has yet to [`begin`](Self::begin).
    pub(crate) fn open<I: DeserializeOwned, E: DeserializeOwned>(
        path: &Path,
    ) -> Result<(Self, Option<I>), JournalError> {
        let (file, is_locked) = lock(path)?;
        let mut journal = Self { path: path.to_owned(), file, is_locked, dropped_bytes: 0 };
        let (inputs, end) = whole_part::<I, E>(path).map_err(|source| failed("read", path, source))?;
        journal.truncate(end)?;
        Ok((journal, inputs))
    }

    /// Begins a job with these inputs; what the journal held is dropped.
    pub(crate) fn begin(&mut self, inputs: &impl Serialize) -> Result<(), JournalError> {
        self.truncate(0)?;
        self.append(&Heading { version: VERSION, inputs })?;
        sync_directory(directory_of(&self.path)).map_err(|source| failed("write", &self.path, source))
    }

    pub(crate) fn append(&mut self, entry: &impl Serialize) -> Result<(), JournalError> {
        let written = frame(entry).and_then(|bytes| {
            self.file.write_all(&bytes)?;
            sync_file(&self.file)
        });
        written.map_err(|source| failed("write", &self.path, source))
    }

    /// A note for the user if the file system has no locks.
    pub(crate) fn note(&self) -> Option<String> {
        let path = self.path.display();
        (!self.is_locked).then(|| {
            format!("the file system of {path} has no locks: run no other command with the same inputs meanwhile")
        })
    }

    /// The entries, in order, each read when it is needed.
    pub(crate) fn entries<E: DeserializeOwned>(
        &self,
    ) -> Result<impl Iterator<Item = Result<E, JournalError>> + '_, JournalError> {
        let mut reader =
            File::open(&self.path).map(BufReader::new).map_err(|source| failed("read", &self.path, source))?;
        next::<Heading<serde::de::IgnoredAny>>(&mut reader).map_err(|source| failed("read", &self.path, source))?;
        Ok(std::iter::from_fn(move || {
            next(&mut reader).map_err(|source| failed("read", &self.path, source)).transpose()
        }))
    }

    pub(crate) fn remove(self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(|source| failed("remove", &self.path, source))
    }

    fn truncate(&mut self, end: u64) -> Result<(), JournalError> {
        let length = self.file.metadata().map_err(|source| failed("read", &self.path, source))?.len();
        self.file.set_len(end).map_err(|source| failed("write", &self.path, source))?;
        self.dropped_bytes += length - end;
        Ok(())
    }
}

/// The inputs of a journal that no process has open; `None` for any other file.
pub(crate) fn inputs_of_unused<I: DeserializeOwned>(path: &Path) -> Option<I> {
    let file = File::open(path).ok()?;
    file.try_lock().ok()?;
    heading(&mut BufReader::new(file)).ok()?
}

/// Opens the file, and locks it where the file system has locks.
fn lock(path: &Path) -> Result<(File, bool), JournalError> {
    fs::create_dir_all(directory_of(path)).map_err(|source| failed("create", path, source))?;
    for _ in 0..LOCK_ATTEMPTS {
        let opened = File::options().read(true).append(true).create(true).open(path);
        let file = opened.map_err(|source| failed("create", path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            // Another process may look at its inputs for a moment.
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(LOCK_WAIT);
                continue;
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => return Ok((file, false)),
            Err(TryLockError::Error(source)) => return Err(failed("lock", path, source)),
        }
        // The lock of a file that was removed meanwhile excludes no other process.
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let own = file.metadata().map_err(|source| failed("read", path, source))?;
        if fs::metadata(path).is_ok_and(|there| identity(there) == identity(own)) {
            return Ok((file, true));
        }
    }
    Err(JournalError::Locked(path.to_owned()))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::File(action, path.to_owned(), source)
}

/// The inputs, and where the last whole entry ends; `None` and 0 if there are none.
fn whole_part<I: DeserializeOwned, E: DeserializeOwned>(path: &Path) -> io::Result<(Option<I>, u64)> {
    let mut reader = BufReader::new(File::open(path)?);
    let Some(inputs) = if_whole(heading(&mut reader))? else { return Ok((None, 0)) };
    let mut end = reader.stream_position()?;
    while if_whole(next::<E>(&mut reader))?.is_some() {
        end = reader.stream_position()?;
    }
    Ok((Some(inputs), end))
}

/// `None` for what is cut off or damaged, in contrast to what the system cannot read.
fn if_whole<T>(read: io::Result<Option<T>>) -> io::Result<Option<T>> {
    read.or_else(|error| if error.raw_os_error().is_some() { Err(error) } else { Ok(None) })
}

fn heading<I: DeserializeOwned>(reader: &mut BufReader<File>) -> io::Result<Option<I>> {
    let heading: Option<Heading<I>> = next(reader)?;
    Ok(heading.filter(|heading| heading.version == VERSION).map(|heading| heading.inputs))
}

/// The next value; `None` at the end of the file.
fn next<T: DeserializeOwned>(reader: &mut BufReader<File>) -> io::Result<Option<T>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut text = Vec::new();
    zstd::Decoder::with_buffer(reader)?.single_frame().read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

fn frame(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    serde_json::to_writer(&mut encoder, value)?;
    encoder.write_all(b"\n")?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Opened = (JournalFile, Option<String>);

    fn open(path: &Path) -> Opened {
        JournalFile::open::<String, u64>(path).unwrap()
    }

    fn entries(journal: &JournalFile) -> Vec<u64> {
        journal.entries().unwrap().map(Result::unwrap).collect()
    }

    /// A journal with the entries 1, 2 and 3, closed.
    fn written(directory: &Path) -> PathBuf {
        let path = directory.join("below").join("journal");
        let (mut journal, inputs) = open(&path);
        assert_eq!(inputs, None);
        journal.begin(&"inputs").unwrap();
        (1..=3).for_each(|entry: u64| journal.append(&entry).unwrap());
        path
    }

    #[test]
    fn an_entry_is_kept_whole_or_dropped_wherever_the_file_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let whole = fs::read(&path).unwrap();
        let mut most = 0;
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let (mut journal, inputs) = open(&path);
            let kept = entries(&journal);
            assert!(kept == [1, 2, 3][..kept.len()] && kept.len() >= most, "{length}: {kept:?}");
            most = kept.len();
            if inputs.is_some() {
                journal.append(&4_u64).unwrap();
                assert_eq!(entries(&open_again(journal)), [&kept[..], &[4]].concat());
            }
        }
        assert_eq!(most, 3);
    }

    fn open_again(journal: JournalFile) -> JournalFile {
        let path = journal.path.clone();
        drop(journal);
        open(&path).0
    }

    #[test]
    fn a_damaged_entry_is_dropped_with_those_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let mut bytes = fs::read(&path).unwrap();
        let place = bytes.len() - 1;
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        let (journal, inputs) = open(&path);
        assert_eq!((inputs.as_deref(), entries(&journal)), (Some("inputs"), vec![1, 2]));
        assert!(journal.dropped_bytes > 0);
    }

    #[test]
    fn a_journal_of_another_job_or_layout_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let (mut journal, _) = open(&path);
        journal.begin(&"others").unwrap();
        assert!(entries(&journal).is_empty() && journal.dropped_bytes > 0);
        drop(journal);
        assert_eq!(inputs_of_unused::<String>(&path).as_deref(), Some("others"));
        fs::write(&path, frame(&Heading { version: VERSION + 1, inputs: "others" }).unwrap()).unwrap();
        assert_eq!(open(&path).1, None);
    }

    #[test]
    fn one_process_at_a_time_has_a_journal_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = written(directory.path());
        let (journal, _) = open(&path);
        assert!(matches!(JournalFile::open::<String, u64>(&path), Err(JournalError::Locked { .. })));
        assert_eq!(inputs_of_unused::<String>(&path), None);
        journal.remove().unwrap();
        assert!(!path.exists() && open(&path).1.is_none());
    }
}
