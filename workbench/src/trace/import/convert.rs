//! From an event log to a trace file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::commands::{self, Extent};
use super::input::LogInput;
use super::job::ImportJob;
use super::observer::{ImportObserver, ImportStage};
use super::options::{ImportOptions, ImportSummary};
use super::read::Collected;
use super::sort::Sorter;
use super::survey::{Head, Survey};
use crate::trace::error::TraceError;
use crate::trace::writer::TraceWriter;
use ave_actors_rocksdb::files::directory_of;
use ave_actors_rocksdb::trace::{NameRule, Provenance};

/// Reads the event log at `log` and writes a trace to `output`.
///
/// Rows may come in any order; the trace is in order of time, and rows of equal time keep the log's order. The log is
/// plain, zstd or gzip, detected from its first bytes. Its text is UTF-8; of other bytes only the length matters, and
/// names that are not UTF-8 are read as Latin-1. Memory is bounded, see [`ImportLimits`](super::ImportLimits).
///
/// # Errors
///
/// [`TraceError`] with file, line, column and what was expected. Nothing is written unless all of the log is valid.
///
/// ```
/// use ave_workbench::trace::{ImportOptions, import};
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
    import_from(LogInput::file(log), output, options, &())
}

/// Like [`import`], from any reader, with an observer that sees the progress and may cancel.
///
/// # Errors
///
/// As for [`import`], and [`TraceError::Interrupted`] if the observer cancelled.
pub fn import_from(
    input: LogInput,
    output: &Path,
    options: &ImportOptions,
    observer: &dyn ImportObserver,
) -> Result<ImportSummary, TraceError> {
    let began = Instant::now();
    let mut job = ImportJob { input, output, options, observer };
    let mut log = job.input.open().map_err(|source| job.unreadable(source))?;
    let head = Head::read(&job, &mut log)?;
    let Survey { plan, described } = Survey::of(&mut job, &head)?;
    // Fails before the log is read if the output's directory cannot be written to.
    let sorter = Sorter::new(directory_of(output), options.limits.run_events);
    let mut collected = Collected::new(sorter.map_err(TraceError::file("create", output))?);
    let reader = std::mem::replace(&mut log.reader, Box::new(io::empty()));
    let blocks = head.into_blocks(reader, plan.delimiter, options.limits.block_bytes);
    collected.read(&job, &log, blocks, &plan)?;
    let summary = write(&job, collected, described)?;
    Ok(ImportSummary { elapsed: began.elapsed(), ..summary })
}

fn write(job: &ImportJob<'_>, collected: Collected, columns: Vec<String>) -> Result<ImportSummary, TraceError> {
    let [first, last] = collected.sorter.span().ok_or_else(|| job.empty())?;
    let assumptions = assumptions(job, &collected);
    let extent = Extent { first, events: collected.events };
    let names = collected.actors.into_names(job.options.names);
    let sorted = collected.sorter.finish().map_err(|source| job.unwritable(source))?;
    let mut writer = TraceWriter::create(job.output, &provenance(job, &assumptions))?;
    let operations = commands::write(job, sorted, &names, &extent, &mut writer)?;
    job.proceed_to(ImportStage::Write, extent.events, Some(extent.events))?;
    writer.finish()?;
    Ok(ImportSummary {
        events: extent.events,
        actors: names.len() as u64,
        operations,
        span: [first, last].map(timestamp),
        columns,
        assumptions,
        elapsed: Duration::ZERO,
    })
}

fn assumptions(job: &ImportJob<'_>, collected: &Collected) -> Vec<String> {
    let mut assumptions = vec![format!("every actor's serialised state is {} bytes", job.options.state_bytes)];
    if collected.has_local_times {
        let zone = job.options.time_zone.as_ref();
        let zone = zone.map_or("UTC", |zone| zone.iana_name().unwrap_or("the given time zone"));
        assumptions.push(format!("times without an offset are in {zone}"));
    }
    if collected.actors.any_latin_1() {
        assumptions.push("actor names that are not UTF-8 are Latin-1".to_owned());
    }
    assumptions
}

fn provenance(job: &ImportJob<'_>, assumptions: &[String]) -> Provenance {
    let log = job.input.name();
    let source: PathBuf = log.file_name().map(PathBuf::from).unwrap_or_default();
    Provenance {
        name: log.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned()),
        source: source.display().to_string(),
        made_by: format!("import, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        persistence: job.options.rules.to_string(),
        names_hashed: job.options.names == NameRule::Hash,
        recording: None,
        compressibility: if job.options.rules.encrypted { 0.0 } else { 0.5 },
        assumptions: assumptions.to_vec(),
    }
}

fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).expect("an i64 of nanoseconds lies between 1677 and 2262")
}
