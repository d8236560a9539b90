//! What a certification has done so far, on disk, so that it can be gone on with.
//!
//! A directory holds what it is about, the state it is in, and a file for each finished segment. Every file is put in
//! its place whole; a lock keeps others away for as long as the process lives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::certify::error::CertifyError;
use crate::certify::inputs::CertifyInputs;
use crate::certify::room::FullDisk;
use crate::certify::slices::Segment;
use crate::host::{Claim, LockOn, LockedDirectory};
use crate::load::{SessionSize, Verified, directory_bytes};
use crate::process::SuspendedRig;
use crate::trace::{beside, put_in_place};

/// Version of the files; raised when a field changes its meaning.
const VERSION: u32 = 1;
/// Characters of the digest in the names of directories.
const NAME_LENGTH: usize = 16;
const PREFIX: &str = ".certify-";
const LOCK: &str = "lock";
const LOCK_ON: LockOn = LockOn::File(LOCK);
const HEAD: &str = "certification.json";
const STATE: &str = "state.json";
/// How hard segments are compressed: little, they are written between two loads.
const ZSTD_LEVEL: i32 = 1;

/// What a certification is about, and where it runs. It goes on only in the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalHead {
    /// Its inputs.
    pub inputs: CertifyInputs,
    /// Directory under which its databases are, absolute.
    pub data_directory: PathBuf,
    /// The machine, in words.
    pub machine: String,
    /// The command line that began it.
    pub command: String,
    /// When it began.
    pub began_at: Timestamp,
}

impl JournalHead {
    /// Where the databases are.
    pub fn databases(&self) -> PathBuf {
        self.data_directory.join(format!(".ave-certify-{}", short(&self.inputs.digest())))
    }
}

fn short(digest: &str) -> &str {
    &digest[..NAME_LENGTH.min(digest.len())]
}

/// How a certification was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionKind {
    /// Somebody asked it to stop: the database was closed.
    Stopped,
    /// The process ended without closing the database: it was killed, the machine went down, or an operation failed.
    Ended,
}

/// A time at which a certification did not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// The mode that was driven.
    pub durability: Durability,
    /// How.
    pub kind: InterruptionKind,
    /// Slices of the mode that were whole by then.
    pub after_slices: u64,
    /// When it stopped; `None` if nobody could write that down.
    pub stopped_at: Option<Timestamp>,
    /// When it went on; `None` if it has not.
    pub resumed_at: Option<Timestamp>,
    /// Whether it went on, or will, with a new database.
    pub database_is_new: bool,
}

/// The database of a mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    /// There is none.
    #[default]
    None,
    /// It is open. Found when a process starts, it was not closed.
    Open,
    /// It was closed.
    Suspended(SuspendedRig),
}

/// Why a mode ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyEnd {
    /// Commands were too late.
    GaveUp,
    /// The disk would have filled.
    FullDisk(FullDisk),
}

/// What was found when a mode was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// What was compared; `None` if there was no database any more.
    pub verified: Option<Verified>,
    /// What the last database stored.
    pub size: SessionSize,
}

/// How far a mode is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeState {
    /// The mode.
    pub durability: Durability,
    /// Its database.
    pub database: DatabaseState,
    /// Databases taken so far.
    pub databases: u32,
    /// Why it ended early, if it did.
    pub early_end: Option<EarlyEnd>,
    /// What was found when it was over.
    pub finished: Option<Finished>,
}

/// How far a certification is, segments apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalState {
    /// Every mode that was begun, in the order in which they are certified.
    pub modes: Vec<ModeState>,
    /// Interruptions, in order.
    pub interruptions: Vec<Interruption>,
}

/// The journal of a certification, locked for as long as it exists.
#[derive(Debug)]
pub struct Journal {
    directory: LockedDirectory,
    head: JournalHead,
    state: JournalState,
}

impl Journal {
    /// Opens the journal of a certification below `root`, or begins it. With `fresh` what was there is forgotten.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Locked`] if another process has it, [`CertifyError::Elsewhere`] if it was begun in another place,
    /// [`CertifyError::Journal`] if its files fail.
    pub fn open(root: &Path, head: JournalHead, fresh: bool) -> Result<Self, CertifyError> {
        let directory = root.join(format!("{PREFIX}{}", short(&head.inputs.digest())));
        let directory = lock(&directory)?;
        if fresh {
            clear(directory.path())?;
        }
        let mut journal = Self { directory, head, state: JournalState::default() };
        match read_json::<Versioned<JournalHead>>(&journal.directory().join(HEAD))? {
            None => journal.begin()?,
            Some(found) => journal.take_up(found)?,
        }
        Ok(journal)
    }

    fn begin(&self) -> Result<(), CertifyError> {
        self.write(STATE, &self.state)?;
        self.write(HEAD, &Versioned { version: VERSION, content: &self.head })
    }

    fn take_up(&mut self, found: Versioned<JournalHead>) -> Result<(), CertifyError> {
        let head = found.content;
        let other = [
            (head.machine != self.head.machine).then(|| format!("on another machine ({})", head.machine)),
            (head.data_directory != self.head.data_directory)
                .then(|| format!("with the databases in {}", head.data_directory.display())),
        ];
        if let Some(place) = other.into_iter().flatten().next() {
            return Err(CertifyError::Elsewhere { path: self.directory().to_owned(), place });
        }
        self.state = read_json(&self.directory().join(STATE))?.unwrap_or_default();
        self.head = head;
        Ok(())
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it is about.
    pub const fn head(&self) -> &JournalHead {
        &self.head
    }

    /// How far it is.
    pub const fn state(&self) -> &JournalState {
        &self.state
    }

    /// Changes how far it is.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut JournalState)) -> Result<(), CertifyError> {
        change(&mut self.state);
        self.write(STATE, &self.state)
    }

    /// Changes how far a mode is, which is begun if it was not.
    pub(super) fn change_mode(
        &mut self,
        durability: Durability,
        change: impl FnOnce(&mut ModeState),
    ) -> Result<(), CertifyError> {
        self.change(|state| {
            let known = state.modes.iter().position(|mode| mode.durability == durability);
            let place = known.unwrap_or_else(|| {
                let (database, databases) = (DatabaseState::None, 0);
                state.modes.push(ModeState { durability, database, databases, early_end: None, finished: None });
                state.modes.len() - 1
            });
            change(&mut state.modes[place]);
        })
    }

    /// How far a mode is; `None` if it was not begun.
    pub fn mode(&self, durability: Durability) -> Option<&ModeState> {
        self.state.modes.iter().find(|mode| mode.durability == durability)
    }

    /// Writes down a finished segment. What was in its place is replaced.
    pub(super) fn add(&self, durability: Durability, segment: &Segment) -> Result<(), CertifyError> {
        let path = self.segment_path(durability, segment.number);
        let bytes = serde_json::to_vec(segment).map_err(io::Error::from);
        let packed = bytes.and_then(|bytes| zstd::encode_all(bytes.as_slice(), ZSTD_LEVEL));
        packed.and_then(|bytes| put(&path, &bytes)).map_err(|source| failed("write", &path, source))
    }

    /// The finished segments of a mode, in order, each read when it is asked for.
    pub fn segments(&self, durability: Durability) -> impl Iterator<Item = Result<Segment, CertifyError>> + '_ {
        let paths = (1..).map(move |number| self.segment_path(durability, number));
        paths.take_while(|path| path.exists()).map(|path| {
            let file = File::open(&path).map_err(|source| failed("read", &path, source))?;
            let text = zstd::decode_all(file).map_err(|source| failed("read", &path, source))?;
            serde_json::from_slice(&text).map_err(|source| failed("read", &path, source.into()))
        })
    }

    fn segment_path(&self, durability: Durability, number: u64) -> PathBuf {
        self.directory().join(format!("durability-{durability}-{number:06}.json.zst"))
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), CertifyError> {
        let path = self.directory().join(name);
        let bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from);
        bytes.and_then(|bytes| put(&path, &bytes)).map_err(|source| failed("write", &path, source))
    }

    /// Removes it: the certification is over.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Journal`] if its files fail.
    pub fn remove(self) -> Result<(), CertifyError> {
        // What it is about goes first: without that, nothing else counts.
        clear(self.directory())?;
        self.directory.remove(Duration::ZERO).map_err(|source| failed("remove", self.directory(), source))
    }
}

/// A file and the version of its layout.
#[derive(Serialize, Deserialize)]
struct Versioned<C> {
    version: u32,
    content: C,
}

/// A certification that was begun and not ended, and that no process works at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its journal.
    pub journal: PathBuf,
    /// Where its databases are.
    pub databases: PathBuf,
    /// Bytes of both.
    pub bytes: u64,
    /// The command line that goes on with it.
    pub command: String,
}

/// The certifications below `root` that were begun and not ended, and that no process works at.
pub fn unfinished(root: &Path) -> Vec<Unfinished> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let journals = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    let mut found: Vec<_> = journals.filter_map(|entry| look(&entry.path())).collect();
    found.sort_by(|a, b| a.journal.cmp(&b.journal));
    found
}

/// What cannot be read is none of ours, or of another version.
fn look(journal: &Path) -> Option<Unfinished> {
    let Ok(Claim::Held(_lock)) = LockedDirectory::claim_stale(journal, LOCK_ON) else { return None };
    let head: JournalHead = read_json::<Versioned<JournalHead>>(&journal.join(HEAD)).ok()??.content;
    let databases = head.databases();
    let bytes = directory_bytes(journal) + directory_bytes(&databases);
    Some(Unfinished { journal: journal.to_owned(), databases, bytes, command: head.command })
}

/// Attempts to lock a directory that other processes remove meanwhile.
const LOCK_ATTEMPTS: u32 = 10;

/// Creates and locks a journal's directory.
fn lock(directory: &Path) -> Result<LockedDirectory, CertifyError> {
    for _ in 0..LOCK_ATTEMPTS {
        fs::create_dir_all(directory).map_err(|source| failed("create", directory, source))?;
        let claim = LockedDirectory::claim(directory, LOCK_ON).map_err(|source| failed("lock", directory, source))?;
        match claim {
            Claim::Held(locked) => return Ok(locked),
            Claim::Busy => break,
            Claim::NoLocks(_) => return Err(failed("lock", directory, io::ErrorKind::Unsupported.into())),
            Claim::Gone => {}
        }
    }
    Err(CertifyError::Locked { path: directory.to_owned() })
}

/// Removes all but the lock.
fn clear(directory: &Path) -> Result<(), CertifyError> {
    let entries = fs::read_dir(directory).map_err(|source| failed("read", directory, source))?;
    // What it is about goes first: without it nothing else counts.
    let head = directory.join(HEAD);
    let others = entries.flatten().map(|entry| entry.path()).filter(|path| *path != head && !path.ends_with(LOCK));
    let paths: Vec<_> = std::iter::once(head.clone()).filter(|head| head.exists()).chain(others).collect();
    paths.iter().try_for_each(|path| fs::remove_file(path).map_err(|source| failed("remove", path, source)))
}

/// Puts a file in its place.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes)?;
    put_in_place(file, path)
}

/// A file of JSON; `None` if there is none.
fn read_json<V: DeserializeOwned>(path: &Path) -> Result<Option<V>, CertifyError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|source| failed("read", path, source))?,
    };
    serde_json::from_slice(&text).map(Some).map_err(|source| failed("read", path, source.into()))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> CertifyError {
    CertifyError::Journal { action, path: path.to_owned(), source }
}
