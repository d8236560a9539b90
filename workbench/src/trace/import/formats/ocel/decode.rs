//! From the logs of a job to rows.

use std::io::BufRead;

use super::super::super::input::LogProgress;
use super::super::super::job::ImportJob;
use super::super::super::options::ImportOptions;
use super::super::rows::RowWriter;
use super::super::sources::{self, Decoded};
use super::sink::Sink;
use super::{json, sqlite, xml};
use crate::trace::error::TraceError;
use crate::units;

const SIZE: &str = "(the event's type and attributes)";

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Form {
    Json,
    Xml,
    Sqlite,
}

pub(in super::super) fn decode(job: &mut ImportJob<'_>, form: Form) -> Result<Decoded, TraceError> {
    refuse_columns(job)?;
    if form != Form::Sqlite {
        sources::keep_all(job)?;
    }
    let (mut rows, mut loose_events) = (Vec::new(), 0);
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        // SQLite reads the file itself.
        let logs = if form == Form::Sqlite { None } else { Some(twice(job, source, &progress)?) };
        let rows_of_log = RowWriter::new(job, &progress, ["object", "type", "time"], SIZE)?;
        let mut sink = Sink::new(job, source, &progress, rows_of_log);
        match logs {
            None => sqlite::read(&mut sink)?,
            Some(logs) if form == Form::Xml => xml::read(logs, &mut sink)?,
            Some(logs) => json::read(logs, &mut sink)?,
        }
        let (file, loose) = sink.finish()?;
        loose_events += loose;
        rows.push(file);
    }
    let options = ImportOptions {
        actor_column: Some("object".to_owned()),
        time_column: Some("time".to_owned()),
        type_column: Some("type".to_owned()),
        size_column: Some(SIZE.to_owned()),
        ..job.options.clone()
    };
    let loose = units::counted(loose_events, "event");
    let notes = (loose_events > 0).then(|| format!("{loose} without an object: left out"));
    Ok(Decoded { rows, options, notes: notes.into_iter().collect() })
}

/// The log for its objects and once more for its events: they may come in any order.
fn twice(
    job: &mut ImportJob<'_>,
    source: usize,
    progress: &LogProgress,
) -> Result<[impl BufRead + use<>; 2], TraceError> {
    Ok([sources::open(job, source, progress)?, sources::open(job, source, progress)?])
}

fn refuse_columns(job: &ImportJob<'_>) -> Result<(), TraceError> {
    let given = job.options;
    for (option, column) in [
        ("--actor-column", &given.actor_column),
        ("--time-column", &given.time_column),
        ("--payload-column", &given.payload_column),
        ("--type-column", &given.type_column),
        ("--size-column", &given.size_column),
    ] {
        if column.is_some() {
            return Err(job.unsuitable(0, option, "an OCEL log has objects and events, not columns"));
        }
    }
    Ok(())
}
