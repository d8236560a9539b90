//! Objects and events of a log, in any form, to rows.

use std::collections::HashMap;
use std::fs::File;

use super::super::super::input::LogProgress;
use super::super::super::job::ImportJob;
use super::super::rows::RowWriter;
use crate::trace::error::TraceError;
use crate::workload::excerpt;

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

impl<'a, 'j> Sink<'a, 'j> {
    pub(super) fn new(
        job: &'a ImportJob<'j>,
        source: usize,
        progress: &'a LogProgress,
        rows: RowWriter<'a, 'j>,
    ) -> Self {
        Self { job, source, progress, objects: HashMap::new(), rows, loose_events: 0 }
    }

    /// The rows, and how many events touch no object.
    pub(super) fn finish(self) -> Result<(File, u64), TraceError> {
        Ok((self.rows.finish()?, self.loose_events))
    }

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
