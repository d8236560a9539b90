//! From an event log to a trace file.

use std::path::Path;
use std::time::{Duration, Instant};

use super::formats::decode;
use super::input::LogInput;
use super::job::ImportJob;
use super::observer::{ImportObserver, ImportStage};
use super::open_log::OpenLog;
use super::options::{ImportOptions, ImportSummary, SkippedRows};
use super::parse::Plan;
use super::read::Collected;
use super::sort::Sorter;
use super::survey::{survey, take_header};
use super::warnings::{Warnings, timestamp, zone_name};
use crate::actor::{ActorLog, Command};
use crate::trace::error::TraceError;
use crate::trace::writer::TraceWriter;
use ave_actors_rocksdb::trace::{CommandKind, NameRule, Provenance};

const EVENTS_PER_STEP: u64 = 1 << 16;

/// Reads the event log at `log` and writes a trace to `output`.
///
/// Rows may come in any order; the trace is in order of time, and rows of equal time keep the log's order. The log is
/// plain, zstd or gzip, detected from its first bytes. Its text is UTF-8 or UTF-16; of other bytes only the length
/// matters, and names that are not UTF-8 are read as Latin-1. Memory is bounded, see [`ImportLimits`](super::ImportLimits).
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

/// Like [`import`], from several files or any reader, with an observer that sees the progress and may cancel.
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
    let mut job = ImportJob {
        input,
        output,
        options,
        observer,
        format: None,
        notes: Vec::new(),
        skipped: SkippedRows::default(),
    };
    if job.input.count() == 0 {
        return Err(job.empty());
    }
    let mut progress = job.input.progress();
    let decoded = decode(&mut job, &progress)?;
    if let Some(options) = &decoded {
        job.options = options;
        progress = job.input.progress();
    }
    let mut log = OpenLog::open(&mut job, 0, &progress)?;
    let (plan, described) = survey(&mut job, &mut log)?;
    // Fails before the log is read if the output's directory cannot be written to.
    let sorter = Sorter::new(&job.directory(), options.limits.run_events);
    let sorter = sorter.map_err(TraceError::file("create", output))?;
    let mut collected = Collected::new(sorter, &plan, std::mem::take(&mut job.skipped));
    collected.read(&mut job, &progress, log, &plan)?;
    for source in 1..job.input.count() {
        let mut log = OpenLog::open(&mut job, source, &progress)?;
        take_header(&job, &mut log, &plan)?;
        collected.read(&mut job, &progress, log, &plan)?;
    }
    let summary = write(&job, collected, &plan, described)?;
    Ok(ImportSummary { elapsed: began.elapsed(), ..summary })
}

/// Writes every event as a `persist` command, timed from the first one on.
fn write(
    job: &ImportJob<'_>,
    collected: Collected,
    plan: &Plan,
    columns: Vec<String>,
) -> Result<ImportSummary, TraceError> {
    let [first, last] = collected.sorter.span.ok_or_else(|| job.empty())?;
    let assumptions = assumptions(job, &collected, plan);
    let mut warnings = Warnings::new(job, &collected, plan);
    let (skipped, blank_rows) = (collected.skipped, collected.blank_rows);
    let names = collected.actors.into_named(job.options.names, &job.options.type_name);
    let mut events = collected.sorter.finish().map_err(|source| job.unwritable(source))?;
    let mut writer = TraceWriter::create(job.output, &provenance(job, &assumptions))?;
    let ImportOptions { rules, state_bytes, .. } = job.options;
    let mut logs = vec![ActorLog::default(); names.len()];
    let (mut ops, mut done, mut operations) = (Vec::new(), 0u64, 0);
    while let Some(event) = events.next_event().map_err(|source| job.unwritable(source))? {
        let actor = event.actor as usize;
        warnings.see(event);
        ops.clear();
        let command = Command::Persist { event_bytes: event.bytes, state_bytes: *state_bytes };
        logs[actor].expand(*rules, command, &mut ops);
        operations += ops.len() as u64;
        writer.command(
            &names[actor].type_name,
            &names[actor].name,
            event.time.abs_diff(first),
            CommandKind::Persist,
            &ops,
        )?;
        done += 1;
        if done.is_multiple_of(EVENTS_PER_STEP) || done == collected.events {
            job.proceed_to(ImportStage::Write, done, Some(collected.events))?;
        }
    }
    writer.finish()?;
    Ok(ImportSummary {
        events: done,
        actors: names.len() as u64,
        operations,
        span: [first, last].map(timestamp),
        columns,
        assumptions,
        warnings: warnings.finish(),
        skipped,
        blank_rows,
        elapsed: Duration::ZERO,
    })
}

fn assumptions(job: &ImportJob<'_>, collected: &Collected, plan: &Plan) -> Vec<String> {
    let ImportOptions { rules, state_bytes, .. } = job.options;
    let stored = state_bytes + rules.state_overhead();
    let mut assumptions = vec![format!("every actor's serialised state is {state_bytes} bytes, {stored} as stored")];
    if collected.has_local_times {
        let zone = zone_name(job.options.time_zone.as_ref());
        assumptions.push(format!("times without an offset are in {zone}"));
    }
    if plan.times.form.has_short_years() {
        assumptions.push("years of two digits are 1969 to 2068".to_owned());
    }
    if let Some(year) = job.options.year.filter(|_| collected.has_yearless_times) {
        assumptions.push(format!("times without a year are in {year}"));
    }
    if collected.actors.any_latin_1 {
        assumptions.push("actor names that are not UTF-8 are Latin-1".to_owned());
    }
    assumptions.extend(job.notes.iter().cloned());
    assumptions
}

fn provenance(job: &ImportJob<'_>, assumptions: &[String]) -> Provenance {
    let log = job.input.name(0);
    let more = match job.input.count() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Provenance {
        name: log.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned()),
        source: format!("{}{more}", log.file_name().unwrap_or_default().display()),
        made_by: format!("import, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        persistence: job.options.rules.to_string(),
        names_hashed: job.options.names == NameRule::Hash,
        compressibility: if job.options.rules.encrypted { 0.0 } else { 0.5 },
        assumptions: assumptions.to_vec(),
        ..Provenance::default()
    }
}
