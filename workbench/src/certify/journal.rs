//! The journal of a certification: its state after each change, and each finished segment.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::CertifyError;
use super::inputs::CertifyInputs;
use super::slices::Segment;
use super::state::{CertifyState, ModeState};
use crate::actor::Durability;
use crate::load::directory_bytes;
use crate::process::{JournalError, JournalFile, inputs_of_unused};
use crate::report::build_name;
use crate::units;
use crate::workload::{any_path, path_text};

const DIGEST_LENGTH: usize = 16;
const PREFIX: &str = ".certify-";
const SUFFIX: &str = ".journal";

/// The inputs of a certification and where it runs. It is resumed only there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalHead {
    /// The inputs of the certificate.
    pub inputs: CertifyInputs,
    /// Parent directory of the databases, absolute.
    #[serde(with = "any_path")]
    pub data_directory: PathBuf,
    /// Processor, cores and RAM.
    pub machine: String,
    /// Commit of the build, if it is known.
    #[serde(default)]
    pub commit: Option<String>,
    /// The command line that resumes it.
    pub command: String,
    /// When it began.
    pub began_at: Timestamp,
}

impl JournalHead {
    /// Directory of the databases.
    pub fn databases(&self) -> PathBuf {
        self.data_directory.join(format!(".ave-certify-{}", self.short_digest()))
    }

    fn short_digest(&self) -> String {
        self.inputs.digest().chars().take(DIGEST_LENGTH).collect()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one entry exists at a time")]
enum Entry<'a> {
    State(Cow<'a, CertifyState>),
    Segment(Durability, Cow<'a, Segment>),
}

/// The journal of a certification, locked until it is dropped.
#[derive(Debug)]
pub struct CertifyJournal {
    file: JournalFile,
    head: JournalHead,
    pub(super) state: CertifyState,
}

impl CertifyJournal {
    /// Opens the journal of a certification below `root`, or begins it; with `fresh` it begins again.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Elsewhere`] if it began on another machine or in another data directory, [`CertifyError::Journal`] if
    /// another process has it open or its file fails.
    pub fn open(root: &Path, head: JournalHead, fresh: bool) -> Result<Self, CertifyError> {
        let path = root.join(format!("{PREFIX}{}{SUFFIX}", head.short_digest()));
        let (mut file, found) = JournalFile::open::<JournalHead, Entry<'_>>(&path)?;
        let Some(found) = found.filter(|_| !fresh) else {
            file.begin(&head)?;
            return Ok(Self { file, head, state: CertifyState::default() });
        };
        if let Some(place) = other_place(&found, &head) {
            return Err(CertifyError::Elsewhere { path, place });
        }
        let mut state = CertifyState::default();
        for entry in file.entries()? {
            if let Entry::State(newer) = entry? {
                state = newer.into_owned();
            }
        }
        Ok(Self { file, head: found, state })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// A note for the user if the file system has no locks.
    pub(super) fn note(&self) -> Option<String> {
        self.file.note()
    }

    /// What the certification began with.
    pub const fn head(&self) -> &JournalHead {
        &self.head
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut CertifyState)) -> Result<(), CertifyError> {
        change(&mut self.state);
        Ok(self.file.append(&Entry::State(Cow::Borrowed(&self.state)))?)
    }

    pub(super) fn save(&mut self, mode: &ModeState) -> Result<(), CertifyError> {
        self.change(|state| state.set(mode))
    }

    pub(super) fn add(&mut self, durability: Durability, segment: &Segment) -> Result<(), CertifyError> {
        Ok(self.file.append(&Entry::Segment(durability, Cow::Borrowed(segment)))?)
    }

    /// The finished segments of a mode, in order, each read when it is needed.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Journal`] if the file cannot be read.
    pub fn segments(
        &self,
        durability: Durability,
    ) -> Result<impl Iterator<Item = Result<Segment, CertifyError>> + '_, CertifyError> {
        let of_mode = move |entry: Result<Entry<'static>, JournalError>| match entry {
            Ok(Entry::Segment(mode, segment)) => (mode == durability).then(|| Ok(segment.into_owned())),
            Ok(Entry::State(_)) => None,
            Err(error) => Some(Err(error.into())),
        };
        Ok(self.file.entries()?.filter_map(of_mode))
    }

    pub(super) fn remove_databases(&self) -> Result<(), CertifyError> {
        let path = self.head.databases();
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CertifyError::DataDirectory(path, source)),
            _ => Ok(()),
        }
    }

    /// Removes databases and journal: the certification is finished.
    ///
    /// # Errors
    ///
    /// [`CertifyError::DataDirectory`] or [`CertifyError::Journal`] if they cannot be removed.
    pub fn remove(self) -> Result<(), CertifyError> {
        self.remove_databases()?;
        Ok(self.file.remove()?)
    }
}

/// The machine, build or data directory of a certification, if it is not the one of `own`.
fn other_place(found: &JournalHead, own: &JournalHead) -> Option<String> {
    if found.commit != own.commit {
        let build = build_name(&found.inputs.package_version, found.commit.as_deref());
        return Some(format!("with another build ({build})"));
    }
    if found.machine != own.machine {
        return Some(format!("on another machine ({})", found.machine));
    }
    let directory = &found.data_directory;
    (*directory != own.data_directory).then(|| format!("with the databases in {}", path_text(directory)))
}

/// Describes the interrupted certifications below `root` that no process works on, by name. Files that are no journals of
/// this version are left out.
pub(super) fn describe_unfinished(root: &Path) -> Vec<String> {
    let is_journal = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let journals = entries.filter(|entry| is_journal(&entry.file_name().to_string_lossy()));
    let mut journals: Vec<_> = journals.map(|entry| entry.path()).collect();
    journals.sort();
    journals.iter().filter_map(|journal| describe(journal)).collect()
}

fn describe(journal: &Path) -> Option<String> {
    let head: JournalHead = inputs_of_unused(journal)?;
    let databases = head.databases();
    let bytes = fs::metadata(journal).ok()?.len() + directory_bytes(&databases);
    Some(format!(
        "an unfinished certification uses {} in {} and {}; resume it with `{}` or delete both",
        units::bytes(bytes as f64),
        journal.display(),
        databases.display(),
        head.command
    ))
}
