//! A report on disk: one directory per run that appears complete or not at all.
//!
//! The files are written and synced under a hidden temporary name beside their destination, and the directory is
//! renamed once it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::host::{sync_directory, sync_file};
use crate::report::{Report, SCHEMA_VERSION};

const JSON_FILE: &str = "report.json";

/// Longest name taken from a workload; file systems allow 255 bytes with stamp, suffix and temporary marks.
const NAME_LENGTH: usize = 80;

/// How many reports of one name and second find a directory before writing gives up.
const NUMBERED_NAMES: u32 = 1_000;

/// How a rename to a name that is taken fails.
const CLASHES: [io::ErrorKind; 3] =
    [io::ErrorKind::AlreadyExists, io::ErrorKind::DirectoryNotEmpty, io::ErrorKind::NotADirectory];

/// Why a report, or a file like it, could not be written or read: the file or directory, and the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The root cannot be created or does not take files.
    #[error("{} does not take reports: choose another directory or make it writable", .0.display())]
    RootNotWritable(PathBuf, #[source] io::Error),
    /// A file of the report could not be written; nothing is left under the final name.
    #[error("the report could not be written to {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The report has no JSON form.
    #[error("the report for {} has no JSON form", .0.display())]
    Serialise(PathBuf, #[source] serde_json::Error),
    /// The name and second are taken by too many reports already.
    #[error("{} and every numbered name after it are taken", .0.display())]
    NoFreeName(PathBuf),
    /// The path of the directory is taken.
    #[error("{} is there already: choose another name, or remove it", .0.display())]
    Taken(PathBuf),
    /// There is no report at this path.
    #[error("there is no report at {}: give a report directory or its report.json", .0.display())]
    Missing(PathBuf, #[source] io::Error),
    /// The file is there and cannot be read.
    #[error("the {} {} cannot be read", .0, .1.display())]
    Read(&'static str, PathBuf, #[source] io::Error),
    /// The file is not JSON, or not of this kind.
    #[error("{}:{line}:{column}: not a {what}", path.display())]
    Invalid {
        /// `report` or `certificate`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 before the first character of a line.
        column: usize,
        /// The error of the parser.
        source: serde_json::Error,
    },
    /// The report does not say when it began.
    #[error("{}: `started_at` is `{found}`, expected a moment such as `2026-03-01T09:30:00Z`: the report is damaged", path.display())]
    StartedAt {
        /// The file.
        path: PathBuf,
        /// The value in the file.
        found: String,
    },
    /// The file was written by a build with another layout.
    #[error(
        "{} has {what} layout {found}, this build reads {expected}: use the version of ave-workbench it names under reproduce",
        path.display()
    )]
    SchemaVersion {
        /// `report` or `certificate`.
        what: &'static str,
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

    /// Adds files to the next report, such as a histogram log, each with its plain name.
    #[must_use]
    pub fn attach(mut self, files: Vec<(String, Vec<u8>)>) -> Self {
        self.attachments.extend(files);
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
        probe().map_err(|source| ReportError::RootNotWritable(root.to_owned(), source))
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
        let files: Vec<_> = self.attachments.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let fill = |staging: &Path| write_result(staging, "report", report, rendered, &files);
        Destination::Below(&self.root).create(&name, fill)
    }

    /// Whether it is a directory without a report of its own, which may have reports in it.
    pub(crate) fn has_reports(path: &Path) -> bool {
        path.is_dir() && !path.join(JSON_FILE).exists()
    }

    /// The JSON file of a report, of which `path` is the directory or the file itself.
    pub(crate) fn file(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(JSON_FILE) } else { path.to_owned() }
    }

    /// Reads a report back from its directory or from the JSON file itself.
    ///
    /// # Errors
    ///
    /// [`ReportError::Missing`], [`ReportError::Read`], [`ReportError::Invalid`] with line and column, or
    /// [`ReportError::SchemaVersion`] with the version found and the one this build reads.
    pub fn read(path: &Path) -> Result<Report, ReportError> {
        let file = Self::file(path);
        let read = read_json(&file, "report", SCHEMA_VERSION).map_err(|error| match error {
            ReportError::Read(_, path, source) if source.kind() == io::ErrorKind::NotFound => {
                ReportError::Missing(path, source)
            }
            error => error,
        });
        let (report, _): (Report, _) = read?;
        if report.started_at.parse::<Timestamp>().is_err() {
            return Err(ReportError::StartedAt { path: file, found: report.started_at });
        }
        Ok(report)
    }
}

/// The directories in `path` with a report, by name, without hidden ones, which are incomplete.
pub(crate) fn report_directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    let is_hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let shown = entries.iter().filter(|entry| !is_hidden(entry)).map(fs::DirEntry::path);
    let mut found: Vec<_> = shown.filter(|path| path.join(JSON_FILE).is_file()).collect();
    found.sort();
    Ok(found)
}

/// The one field every layout has.
#[derive(Deserialize)]
struct Layout {
    schema_version: u64,
}

/// Reads a file of a layout, and its text. The version comes first: a layout this build does not know would otherwise fail
/// at whatever field it meets first.
pub(crate) fn read_json<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
    expected: u32,
) -> Result<(T, String), ReportError> {
    let path = path.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(ReportError::Read(what, path, source)),
    };
    let parsed = serde_json::from_str::<Layout>(&text).and_then(|Layout { schema_version: found }| {
        let is_known = found == u64::from(expected);
        if is_known { serde_json::from_str(&text).map(Ok) } else { Ok(Err(found)) }
    });
    match parsed {
        Ok(Ok(value)) => Ok((value, text)),
        Ok(Err(found)) => Err(ReportError::SchemaVersion { what, path, found, expected }),
        Err(source) => Err(ReportError::Invalid { what, path, line: source.line(), column: source.column(), source }),
    }
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
    /// Writes `<stem>.json`, `<stem>.md`, `<stem>.html` and further files, all or nothing; returns their directory, by default
    /// `<name>-<stem>-<moment>`.
    pub(crate) fn write(
        self,
        stem: &str,
        [name, moment]: [&str; 2],
        result: &impl Serialize,
        rendered: &Rendered,
        files: &[(&str, &[u8])],
    ) -> Result<PathBuf, ReportError> {
        let name = stamped_name(&format!("{name}-{stem}"), moment);
        self.create(&name, |staging| write_result(staging, stem, result, rendered, files))
    }

    /// Creates the directory, below a root with this `name`, from what `fill` puts into a hidden one. A rename never
    /// replaces a directory that is not empty, so a report that appears in between is safe.
    fn create(self, name: &str, fill: impl FnOnce(&Path) -> Result<(), ReportError>) -> Result<PathBuf, ReportError> {
        let (wanted, names) = match self {
            Self::Below(root) => (root.join(name), NUMBERED_NAMES),
            Self::Exactly(path) => (path.to_owned(), 1),
        };
        let Some(name) = wanted.file_name() else { return Err(ReportError::Taken(wanted)) };
        let root = wanted.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let staging = staging_directory(root, &name.to_string_lossy())
            .map_err(|source| ReportError::RootNotWritable(root.to_owned(), source))?;
        fill(staging.path())?;
        for number in 1..=names {
            let path = numbered(&wanted, number);
            match fs::rename(staging.path(), &path) {
                Ok(()) => {
                    // The directory has its final name: its guard has nothing left to remove.
                    let _ = staging.keep();
                    sync_directory(root).map_err(|source| ReportError::Write(root.to_owned(), source))?;
                    return Ok(path);
                }
                Err(error) if CLASHES.contains(&error.kind()) => {}
                Err(source) => return Err(ReportError::Write(path, source)),
            }
        }
        Err(if names == 1 { ReportError::Taken(wanted) } else { ReportError::NoFreeName(wanted) })
    }
}

/// A hidden directory that is removed unless it is kept; its name marks it as no report.
fn staging_directory(root: &Path, name: &str) -> io::Result<TempDir> {
    fs::create_dir_all(root)?;
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    // As any directory: the owner's alone, the default for temporary ones, would stay with the finished report.
    builder.permissions(fs::Permissions::from_mode(0o777));
    builder.tempdir_in(root)
}

fn write_result(
    directory: &Path,
    stem: &str,
    result: &impl Serialize,
    rendered: &Rendered,
    files: &[(&str, &[u8])],
) -> Result<(), ReportError> {
    let [html, markdown, json] = ["html", "md", "json"].map(|extension| format!("{stem}.{extension}"));
    let text =
        serde_json::to_string_pretty(result).map_err(|source| ReportError::Serialise(directory.join(&json), source))?;
    let pages = [
        (html.as_str(), rendered.html.as_bytes()),
        (markdown.as_str(), rendered.markdown.as_bytes()),
        (json.as_str(), text.as_bytes()),
    ];
    for (name, bytes) in files.iter().copied().chain(pages) {
        let path = directory.join(name);
        write_synced(&path, bytes).map_err(|source| ReportError::Write(path, source))?;
    }
    sync_directory(directory).map_err(|source| ReportError::Write(directory.to_owned(), source))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    sync_file(&file)
}

fn numbered(wanted: &Path, number: u32) -> PathBuf {
    let mut name = wanted.as_os_str().to_owned();
    if number > 1 {
        name.push(format!("-{number}"));
    }
    name.into()
}

/// `<name>-<moment in UTC>`, whatever the name.
fn stamped_name(name: &str, moment: &str) -> String {
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
        let error = Destination::Below(root.path()).create("run", |staging| {
            fs::write(staging.join(JSON_FILE), "{}").unwrap();
            assert!(!root.path().join("run").exists(), "not there while it is being written");
            Err(ReportError::Write(staging.join("report.html"), io::ErrorKind::StorageFull.into()))
        });
        assert!(matches!(error, Err(ReportError::Write(..))), "{error:?}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_exact_name_is_taken_only_if_nothing_stands_there() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            Destination::Exactly(&root.path().join(name)).create("", |staging| {
                fs::write(staging.join(JSON_FILE), "{}").unwrap();
                Ok(())
            })
        };
        fs::create_dir(root.path().join("empty")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        for name in ["new", "empty"] {
            let path = write(name).unwrap();
            assert_eq!(path, root.path().join(name));
            assert!(path.join(JSON_FILE).is_file());
        }
        for name in ["new", "file", ".."] {
            assert!(matches!(write(name), Err(ReportError::Taken(path)) if path == root.path().join(name)));
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
    }
}
