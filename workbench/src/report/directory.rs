//! A report on disk: one directory per run that appears complete or not at all.
//!
//! The files are written and synced under a hidden temporary name beside their destination, and the directory is
//! renamed once it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::files::sync_directory;
use jiff::Timestamp;
use serde::Deserialize;
use tempfile::TempDir;

use crate::report::{Report, SCHEMA_VERSION};

const JSON_FILE: &str = "report.json";
const MARKDOWN_FILE: &str = "report.md";
const HTML_FILE: &str = "report.html";

/// Longest name taken from a workload; file systems allow 255 bytes with stamp, suffix and temporary marks.
const NAME_LENGTH: usize = 80;

/// How many reports of one name and second find a directory before writing gives up.
const CLASHES: u32 = 1_000;

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The root cannot be created or does not take files.
    #[error("{} does not take reports: choose another directory or make it writable", path.display())]
    RootNotWritable {
        /// The root directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file of the report could not be written; nothing is left under the final name.
    #[error("the report could not be written to {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The report has no JSON form.
    #[error("the report for {} has no JSON form", path.display())]
    Serialise {
        /// The file it was meant for.
        path: PathBuf,
        /// The error of the serialiser.
        source: serde_json::Error,
    },
    /// The name and second are taken by too many reports already.
    #[error("{} and every numbered name after it are taken", path.display())]
    NoFreeName {
        /// The first name tried.
        path: PathBuf,
    },
    /// The path of the directory is taken.
    #[error("{} is there already: choose another name, or remove it", path.display())]
    Taken {
        /// The directory wanted.
        path: PathBuf,
    },
    /// There is no report at this path.
    #[error("there is no report at {}: give a report directory or its report.json", path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The report is there and cannot be read.
    #[error("the report {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not JSON, or not a report.
    #[error("{}:{line}:{column}: not a report", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 before the first character of a line.
        column: usize,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// The report was written by a build with another layout.
    #[error(
        "{} has report layout {found}, this build reads {expected}: use the version of ave-workbench it names under reproduce",
        path.display()
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
        /// The version this build reads.
        expected: u32,
    },
}

/// A result as pages.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// One file that needs no network.
    pub html: String,
    /// One page of Markdown.
    pub markdown: String,
}

/// Writes reports below a root directory, and reads them back.
#[derive(Debug, Clone)]
pub struct ReportDirectory {
    root: PathBuf,
    attachments: Vec<(String, Vec<u8>)>,
}

impl ReportDirectory {
    /// Reports will go below `root`, which is created when the first one is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), attachments: Vec::new() }
    }

    /// Adds a file to the next report, such as a histogram log. Its name is reduced to a plain file name; one that a
    /// report file bears already is numbered.
    #[must_use]
    pub fn attach(mut self, name: &str, bytes: Vec<u8>) -> Self {
        let name = plain_name(name);
        let taken = |candidate: &str| {
            [JSON_FILE, MARKDOWN_FILE, HTML_FILE].contains(&candidate)
                || self.attachments.iter().any(|(attached, _)| attached == candidate)
        };
        let numbered = (2_u32..).map(|number| format!("{number}-{name}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|candidate| !taken(candidate));
        self.attachments.push((free.unwrap_or(name), bytes));
        self
    }

    /// Creates `root` if needed and checks that a report directory can be made in it; call it before a long run.
    ///
    /// # Errors
    ///
    /// [`ReportError::RootNotWritable`] with the error of the system.
    pub fn check_writable(root: &Path) -> Result<(), ReportError> {
        let probe = || {
            let staging = staging_directory(root, "check")?;
            write_synced(&staging.path().join(JSON_FILE), b"{}")?;
            staging.close()
        };
        probe().map_err(|source| ReportError::RootNotWritable { path: root.to_owned(), source })
    }

    /// Writes `report.json`, `report.md`, `report.html` and the attachments to `<root>/<name>-<start>/` and returns
    /// that path; a name that is taken gets a number.
    ///
    /// # Errors
    ///
    /// [`ReportError::RootNotWritable`], [`ReportError::Serialise`], [`ReportError::Write`] or
    /// [`ReportError::NoFreeName`]. After any of them nothing exists under the final name.
    pub fn write(&self, report: &Report, rendered: &Rendered) -> Result<PathBuf, ReportError> {
        let name = stamped_name(&report.name, &report.started_at);
        whole_directory(&self.root.join(name), Naming::FirstFree, |staging| self.fill(staging, report, rendered))
    }

    fn fill(&self, staging: &Path, report: &Report, rendered: &Rendered) -> Result<(), ReportError> {
        let json = serde_json::to_string_pretty(report)
            .map_err(|source| ReportError::Serialise { path: staging.join(JSON_FILE), source })?;
        let attachments = self.attachments.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let files = [
            (HTML_FILE, rendered.html.as_bytes()),
            (MARKDOWN_FILE, rendered.markdown.as_bytes()),
            (JSON_FILE, json.as_bytes()),
        ];
        write_files(staging, attachments.chain(files))
    }

    /// Reads a report back from its directory or from the JSON file itself.
    ///
    /// # Errors
    ///
    /// [`ReportError::Missing`], [`ReportError::Read`], [`ReportError::Invalid`] with line and column, or
    /// [`ReportError::SchemaVersion`] with the version found and the one this build reads.
    pub fn read(path: &Path) -> Result<Report, ReportError> {
        let path = if path.is_dir() { path.join(JSON_FILE) } else { path.to_owned() };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(ReportError::Missing { path, source });
            }
            Err(source) => return Err(ReportError::Read { path, source }),
        };
        parse(&text, path)
    }
}

/// The one field every layout has.
#[derive(Deserialize)]
struct Layout {
    schema_version: u64,
}

/// The version first: a layout this build does not know would otherwise fail at whatever field it meets first.
fn parse(text: &str, path: PathBuf) -> Result<Report, ReportError> {
    let parsed = serde_json::from_str::<Layout>(text).and_then(|layout| {
        if layout.schema_version == u64::from(SCHEMA_VERSION) {
            serde_json::from_str(text).map(Ok)
        } else {
            Ok(Err(layout.schema_version))
        }
    });
    match parsed {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(found)) => Err(ReportError::SchemaVersion { path, found, expected: SCHEMA_VERSION }),
        Err(source) => Err(ReportError::Invalid { path, line: source.line(), column: source.column(), source }),
    }
}

/// What to do if a name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Take the first name that is free, numbered.
    FirstFree,
    /// Take this name or none. An empty directory is free.
    Exactly,
}

/// Directory of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// Below this directory, which is created if need be, as `<name>-<moment>`; a name that is taken gets a number.
    Below(&'a Path),
    /// This directory, which must not exist or be empty.
    Exactly(&'a Path),
}

impl Destination<'_> {
    /// Creates the directory of a comparison with everything `fill` puts into it, or nothing. `moment` is when it was made,
    /// RFC 3339.
    pub(crate) fn whole_directory(
        self,
        name: &str,
        moment: &str,
        fill: impl FnOnce(&Path) -> Result<(), ReportError>,
    ) -> Result<PathBuf, ReportError> {
        match self {
            Self::Below(root) => whole_directory(&root.join(stamped_name(name, moment)), Naming::FirstFree, fill),
            Self::Exactly(path) => whole_directory(path, Naming::Exactly, fill),
        }
    }
}

/// Creates the directory `wanted` with everything `fill` puts into it, or nothing. Parent directories are created.
pub(crate) fn whole_directory(
    wanted: &Path,
    naming: Naming,
    fill: impl FnOnce(&Path) -> Result<(), ReportError>,
) -> Result<PathBuf, ReportError> {
    let name = wanted.file_name().ok_or_else(|| ReportError::Taken { path: wanted.to_owned() })?;
    let root = wanted.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staging = staging_directory(root, &name.to_string_lossy())
        .map_err(|source| ReportError::RootNotWritable { path: root.to_owned(), source })?;
    fill(staging.path())?;
    let path = match naming {
        Naming::FirstFree => publish(staging.path(), wanted)?,
        Naming::Exactly => publish_as(staging.path(), wanted)?,
    };
    // The directory has its final name: its guard has nothing left to remove.
    let _ = staging.keep();
    sync_directory(root).map_err(|source| ReportError::Write { path: root.to_owned(), source })?;
    Ok(path)
}

/// A hidden directory that is removed unless it is kept; its name marks it as no report.
fn staging_directory(root: &Path, name: &str) -> io::Result<TempDir> {
    fs::create_dir_all(root)?;
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any directory: the owner's alone, the default for temporary ones, would stay with the finished report.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(root)
}

/// Puts files into a directory and syncs them and it.
pub(crate) fn write_files<'f>(
    directory: &Path,
    files: impl Iterator<Item = (&'f str, &'f [u8])>,
) -> Result<(), ReportError> {
    for (name, bytes) in files {
        let path = directory.join(name);
        write_synced(&path, bytes).map_err(|source| ReportError::Write { path, source })?;
    }
    sync_directory(directory).map_err(|source| ReportError::Write { path: directory.to_owned(), source })
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames the finished directory to the first free name. A rename never replaces a directory that is not empty,
/// so a report that appears in between is safe.
fn publish(staging: &Path, wanted: &Path) -> Result<PathBuf, ReportError> {
    for clash in 1..=CLASHES {
        let candidate = numbered(wanted, clash);
        if candidate.symlink_metadata().is_ok() {
            continue;
        }
        match fs::rename(staging, &candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) if is_clash(error.kind()) => {}
            Err(source) => return Err(ReportError::Write { path: candidate, source }),
        }
    }
    Err(ReportError::NoFreeName { path: wanted.to_owned() })
}

/// Renames the finished directory to this name, unless it is taken.
fn publish_as(staging: &Path, wanted: &Path) -> Result<PathBuf, ReportError> {
    let path = wanted.to_owned();
    match fs::rename(staging, wanted) {
        Ok(()) => Ok(path),
        Err(error) if is_clash(error.kind()) => Err(ReportError::Taken { path }),
        Err(source) => Err(ReportError::Write { path, source }),
    }
}

fn numbered(wanted: &Path, clash: u32) -> PathBuf {
    if clash == 1 {
        return wanted.to_owned();
    }
    let mut name = wanted.as_os_str().to_owned();
    name.push(format!("-{clash}"));
    name.into()
}

fn is_clash(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory)
}

/// `<name>-<moment in UTC>`, whatever the name.
pub(crate) fn stamped_name(name: &str, moment: &str) -> String {
    let name = plain_name(name);
    moment.parse::<Timestamp>().map_or_else(
        |_| format!("{name}-{}", plain_name(moment)),
        |moment| format!("{name}-{}", moment.strftime("%Y%m%dT%H%M%SZ")),
    )
}

/// A name that is valid in every file system: letters, digits, dot, dash and underscore; no path, not hidden, not empty.
fn plain_name(name: &str) -> String {
    let replaced: String = name
        .chars()
        .take(NAME_LENGTH)
        .map(|character| {
            let plain = character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
            if plain { character } else { '-' }
        })
        .collect();
    let trimmed = replaced.trim_matches(['.', '-']);
    if trimmed.is_empty() { "report".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_the_root_or_hide() {
        assert_eq!(plain_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(plain_name(".hidden"), "hidden");
        assert_eq!(plain_name("año nuevo"), "a-o-nuevo");
        assert_eq!(plain_name("///"), "report");
        assert_eq!(plain_name("steady_light.v2"), "steady_light.v2");
        assert_eq!(plain_name(&"x".repeat(500)).len(), NAME_LENGTH);
    }

    #[test]
    fn writing_that_fails_half_way_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let error = whole_directory(&root.path().join("run"), Naming::FirstFree, |staging| {
            fs::write(staging.join(JSON_FILE), "{}").unwrap();
            assert!(!root.path().join("run").exists(), "not there while it is being written");
            let path = staging.join(HTML_FILE);
            Err(ReportError::Write { path, source: io::ErrorKind::StorageFull.into() })
        });
        assert!(matches!(error, Err(ReportError::Write { .. })), "{error:?}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_exact_name_is_taken_only_if_nothing_stands_there() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let file = std::iter::once((JSON_FILE, &b"{}"[..]));
            whole_directory(&root.path().join(name), Naming::Exactly, |staging| write_files(staging, file))
        };
        fs::create_dir(root.path().join("empty")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        for name in ["new", "empty"] {
            let path = write(name).unwrap();
            assert_eq!(path, root.path().join(name));
            assert!(path.join(JSON_FILE).is_file());
        }
        for name in ["new", "file", ".."] {
            assert!(matches!(write(name), Err(ReportError::Taken { path }) if path == root.path().join(name)));
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
    }

    #[test]
    fn attachments_never_replace_a_report_file() {
        let directory = ReportDirectory::new("unused").attach("report.json", vec![]).attach("a/b", vec![]);
        let names: Vec<_> = directory.attachments.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["2-report.json", "a-b"]);
    }
}
