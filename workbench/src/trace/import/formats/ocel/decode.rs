//! From the logs of a job to rows.

use std::collections::HashMap;
use std::io::BufRead;

use super::super::super::input::LogProgress;
use super::super::super::job::ImportJob;
use super::super::super::options::ImportOptions;
use super::super::rows::RowWriter;
use super::super::sources::{self, Decoded};
use super::{json, sqlite, xml};
use crate::trace::error::TraceError;
use crate::units;
use crate::workload::excerpt;

const SIZE: &str = "(the event's type and attributes)";

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Form {
    Json,
    Xml,
    Sqlite,
}

/// An event of any form.
pub(super) struct Event<'e> {
    pub(super) type_name: &'e str,
    pub(super) time: &'e str,
    /// Lengths of the attributes' values, each with a separator.
    pub(super) attribute_bytes: usize,
    /// The objects that it touches; one may occur several times, in several roles.
    pub(super) objects: &'e [String],
    /// Where it is in the log.
    pub(super) place: &'e str,
}

/// Takes the objects of a log, then its events.
pub(super) struct Sink<'a, 'j> {
    pub(super) job: &'a ImportJob<'j>,
    pub(super) source: usize,
    pub(super) progress: &'a LogProgress,
    /// Types of the objects.
    objects: HashMap<String, Box<str>>,
    rows: RowWriter<'a, 'j>,
    loose_events: u64,
}

impl Sink<'_, '_> {
    pub(super) fn object(&mut self, id: String, type_name: &str) {
        self.objects.insert(id, type_name.into());
    }

    pub(super) fn has_object(&self, id: &str) -> bool {
        self.objects.contains_key(id)
    }

    /// Writes a row for each object that the event touches.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), TraceError> {
        let Event { type_name, time, attribute_bytes, objects, place } = *event;
        self.loose_events += u64::from(objects.is_empty());
        for (number, object) in objects.iter().enumerate() {
            if objects[..number].contains(object) {
                continue;
            }
            let Some(object_type) = self.objects.get(object) else {
                return Err(self.bad(place.to_owned(), format!("`{}` is not among the objects", excerpt(object))));
            };
            for field in [object, &**object_type, time] {
                self.rows.field(field.as_bytes())?;
            }
            self.rows.row(type_name.len() + attribute_bytes, place)?;
        }
        Ok(())
    }

    /// An error at a place of the log.
    pub(super) fn bad(&self, place: String, reason: String) -> TraceError {
        self.job.at(self.source, place, None, reason)
    }
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
        let mut sink = Sink {
            job,
            source,
            progress: &progress,
            objects: HashMap::new(),
            rows: RowWriter::new(job, &progress, ["object", "type", "time"], SIZE)?,
            loose_events: 0,
        };
        match logs {
            None => sqlite::read(&mut sink)?,
            Some(logs) if form == Form::Xml => xml::read(logs, &mut sink)?,
            Some(logs) => json::read(logs, &mut sink)?,
        }
        loose_events += sink.loose_events;
        rows.push(sink.rows.finish()?);
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
