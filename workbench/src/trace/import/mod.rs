//! Turning an event log into a trace.
//!
//! An event log is any CSV file in which a row is an event, one column names the case it belongs to and one the time.
//! A case becomes an actor, a row becomes a `persist` command, and the length of the row (or of a chosen column) is
//! the size of the event. What the log does not say, the size of the actors' state, is an option, and is said.
//!
//! The log goes through once, in blocks that all threads parse (`blocks`, `rows`, `parse`); its events, 16 bytes each,
//! are sorted by time, on disk if there are many (`sort`), and written as commands (`commands`). How its fields are
//! separated and its times written is found out before, from its first rows (`survey`, `columns`, `times`). Nothing here
//! knows databases or terminals.

mod actors;
mod blocks;
mod columns;
mod commands;
mod input;
mod observer;
mod options;
mod parse;
mod read;
mod rows;
mod sort;
mod survey;
mod times;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use jiff::Timestamp;

use crate::trace::error::TraceError;
use crate::trace::import::commands::Extent;
use crate::trace::import::input::OpenLog;
use crate::trace::import::read::Collected;
use crate::trace::import::sort::Sorter;
use crate::trace::import::survey::{Head, Survey};
use crate::trace::writer::TraceWriter;
use ave_actors_rocksdb::files::directory_of;
use ave_actors_rocksdb::trace::Provenance;
pub use input::LogInput;
pub use observer::{ImportObserver, ImportStage, Unobserved};
pub use options::{ImportLimits, ImportOptions, ImportSummary};

/// Reads the event log at `log` and writes a trace to `output`.
///
/// Rows may come in any order; the trace is in order of time, and rows of equal time keep the log's order. The log is
/// plain, zstd or gzip, told by its first bytes. Its text is UTF-8; in other bytes only lengths matter, and names that
/// are not UTF-8 are read as Latin-1. Memory is bounded, see [`ImportLimits`].
///
/// # Errors
///
/// [`TraceError`] with file, line, column and what was expected. Nothing is written unless all of the log is good.
///
/// ```
/// use ave_actors_rocksdb::workbench::trace::{ImportOptions, import};
///
/// let directory = tempfile::tempdir()?;
/// let [log, trace] = ["log.csv", "log.trace.csv.zst"].map(|name| directory.path().join(name));
/// std::fs::write(&log, "case_id;at;what\n7;01.02.2024 10:00;opened\n7;01.02.2024 10:05;closed\n")?;
/// let options = ImportOptions { time_column: Some("at".to_owned()), ..ImportOptions::default() };
/// let summary = import(&log, &trace, &options)?;
/// assert_eq!((summary.events, summary.actors, summary.operations), (2, 1, 6));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn import(log: &Path, output: &Path, options: &ImportOptions) -> Result<ImportSummary, TraceError> {
    import_from(LogInput::file(log), output, options, &Unobserved)
}

/// Like [`import`], from any reader, told to `observer`, which may stop it.
///
/// # Errors
///
/// As for [`import`], and [`TraceError::Interrupted`] if the observer stopped it.
pub fn import_from(
    input: LogInput,
    output: &Path,
    options: &ImportOptions,
    observer: &dyn ImportObserver,
) -> Result<ImportSummary, TraceError> {
    let began = Instant::now();
    let mut import = Import { input, output, options, observer };
    let mut log = import.input.open().map_err(|source| import.unreadable(source))?;
    let head = Head::read(&import, &mut log)?;
    let Survey { plan, described } = Survey::of(&mut import, &head)?;
    let mut collected = Collected::new(import.sorter()?);
    let reader = std::mem::replace(&mut log.reader, Box::new(io::empty()));
    let blocks = head.into_blocks(reader, plan.delimiter, options.limits.block_bytes);
    collected.read(&import, &log, blocks, &plan)?;
    let summary = import.write(collected, described)?;
    Ok(ImportSummary { elapsed: began.elapsed(), ..summary })
}

/// One import: from where, to where, how, and who watches.
struct Import<'a> {
    input: LogInput,
    output: &'a Path,
    options: &'a ImportOptions,
    observer: &'a dyn ImportObserver,
}

impl Import<'_> {
    /// Found out before the log is read: whether the output's directory can be written to.
    fn sorter(&self) -> Result<Sorter, TraceError> {
        Sorter::new(directory_of(self.output), self.options.limits.run_events).map_err(|source| TraceError::File {
            action: "create",
            path: self.output.to_owned(),
            source,
        })
    }

    fn write(&self, collected: Collected, columns: Vec<String>) -> Result<ImportSummary, TraceError> {
        let [first, last] = collected.sorter.span().ok_or_else(|| self.empty())?;
        let assumptions = self.assumptions(&collected);
        let extent = Extent { first, events: collected.events };
        let names = collected.actors.into_names(self.options.names);
        let sorted = collected.sorter.finish().map_err(|source| self.unwritable(source))?;
        let mut writer = TraceWriter::create(self.output, &self.provenance(&assumptions))?;
        let operations = commands::write(self, sorted, &names, &extent, &mut writer)?;
        self.proceed_to(ImportStage::Write, extent.events, Some(extent.events))?;
        writer.finish()?;
        Ok(ImportSummary {
            events: extent.events,
            actors: names.len() as u64,
            operations,
            span: [first, last].map(moment),
            columns,
            assumptions,
            elapsed: std::time::Duration::ZERO,
        })
    }

    fn assumptions(&self, collected: &Collected) -> Vec<String> {
        let mut assumptions = vec![format!("every actor's serialised state is {} bytes", self.options.state_bytes)];
        if collected.has_local_times {
            assumptions.push(match &self.options.time_zone {
                None => "times without an offset are in UTC".to_owned(),
                Some(zone) => {
                    let name = zone.iana_name().map_or_else(|| "the time zone told".to_owned(), str::to_owned);
                    format!("times without an offset are in {name}")
                }
            });
        }
        if collected.actors.any_latin_1() {
            assumptions.push("actors' names that are not UTF-8 are Latin-1".to_owned());
        }
        assumptions
    }

    fn provenance(&self, assumptions: &[String]) -> Provenance {
        let log = self.input.name();
        let source: PathBuf = log.file_name().map(PathBuf::from).unwrap_or_default();
        Provenance {
            name: log.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned()),
            source: source.display().to_string(),
            made_by: format!("import, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            persistence: self.options.rules.to_string(),
            names_hashed: self.options.names == ave_actors_rocksdb::trace::NameRule::Hash,
            recording: None,
            compressibility: if self.options.rules.encrypted { 0.0 } else { 0.5 },
            assumptions: assumptions.to_vec(),
        }
    }

    /// Says how much of the log is read; an error if that is enough.
    fn proceed(&self, stage: ImportStage, log: Option<&OpenLog>) -> Result<(), TraceError> {
        let done = log.map_or(0, |log| log.taken.load(Ordering::Relaxed));
        self.proceed_to(stage, done, log.and_then(|log| log.size))
    }

    fn proceed_to(&self, stage: ImportStage, done: u64, total: Option<u64>) -> Result<(), TraceError> {
        self.observer.progress(stage, done, total);
        if self.observer.is_stopped() { Err(TraceError::Interrupted) } else { Ok(()) }
    }

    fn empty(&self) -> TraceError {
        TraceError::Empty { path: self.input.name().to_owned(), what: "events" }
    }

    fn unreadable(&self, source: io::Error) -> TraceError {
        TraceError::File { action: "read", path: self.input.name().to_owned(), source }
    }

    fn unwritable(&self, source: io::Error) -> TraceError {
        TraceError::File { action: "write", path: self.output.to_owned(), source }
    }

    fn bad_line(&self, line: u64, reason: String) -> TraceError {
        TraceError::Line { path: self.input.name().to_owned(), line, reason }
    }

    fn bad_field(&self, line: u64, column: Option<String>, reason: String) -> TraceError {
        match column {
            Some(column) => TraceError::Field { path: self.input.name().to_owned(), line, column, reason },
            None => self.bad_line(line, reason),
        }
    }
}

fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).expect("an i64 of nanoseconds lies between 1677 and 2262")
}
