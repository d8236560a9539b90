//! OCEL 2.0 in JSON: one object with lists of objects and of events, which touch objects.
//!
//! An object is an actor of its type; an event is one of each object that it touches. The size of an event is that of its
//! type and its attributes' values, with a separator between them as in a row of CSV.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::job::ImportJob;
use super::super::options::ImportOptions;
use super::rows::RowWriter;
use super::sources::{self, Decoded};
use crate::trace::error::TraceError;
use crate::units;
use crate::workload::{escape, excerpt};

const SIZE: &str = "(the event's type and attributes)";

#[derive(Deserialize)]
struct Object {
    id: String,
    #[serde(rename = "type")]
    type_name: Box<str>,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    time: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Attribute {
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Relationship {
    #[serde(rename = "objectId")]
    object: String,
}

impl Event {
    fn bytes(&self) -> usize {
        let value = |attribute: &Attribute| match &attribute.value {
            serde_json::Value::String(text) => text.len(),
            serde_json::Value::Null => 0,
            other => other.to_string().len(),
        };
        self.type_name.len() + self.attributes.iter().map(|attribute| 1 + value(attribute)).sum::<usize>()
    }
}

pub(super) fn decode(job: &mut ImportJob<'_>) -> Result<Decoded, TraceError> {
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
    sources::keep_all(job)?;
    let (mut rows, mut loose_events) = (Vec::new(), 0);
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        let mut objects: HashMap<String, Box<str>> = HashMap::new();
        let log = sources::open(job, source, &progress)?;
        read_each(job, source, log, "objects", |object: Object| {
            objects.insert(object.id, object.type_name);
            Ok(())
        })?;
        let log = sources::open(job, source, &progress)?;
        let mut writer = RowWriter::new(job, &progress, ["object", "type", "time"], SIZE)?;
        read_each(job, source, log, "events", |event: Event| {
            loose_events += u64::from(event.relationships.is_empty());
            write_event(job, source, &event, &objects, &mut writer)
        })?;
        rows.push(writer.finish()?);
    }
    let options = ImportOptions {
        actor_column: Some("object".to_owned()),
        time_column: Some("time".to_owned()),
        type_column: Some("type".to_owned()),
        size_column: Some(SIZE.to_owned()),
        ..given.clone()
    };
    let loose = units::counted(loose_events, "event");
    let notes = (loose_events > 0).then(|| format!("{loose} without an object: left out"));
    Ok(Decoded { rows, options, notes: notes.into_iter().collect() })
}

/// Writes a row for each object that an event touches.
fn write_event(
    job: &ImportJob<'_>,
    source: usize,
    event: &Event,
    objects: &HashMap<String, Box<str>>,
    rows: &mut RowWriter<'_, '_>,
) -> Result<(), TraceError> {
    let (place, bytes) = (format!("event `{}`", excerpt(&event.id)), event.bytes());
    for (number, Relationship { object }) in event.relationships.iter().enumerate() {
        // It may be touched in several roles.
        if event.relationships[..number].iter().any(|earlier| earlier.object == *object) {
            continue;
        }
        let Some(type_name) = objects.get(object) else {
            let reason = format!("`{}` is not among the objects", excerpt(object));
            return Err(job.at(source, place, Some("relationships".to_owned()), reason));
        };
        for field in [object, &**type_name, &event.time] {
            rows.field(field.as_bytes())?;
        }
        rows.row(bytes, &place)?;
    }
    Ok(())
}

/// Visits each item of a list of a log.
fn read_each<T: DeserializeOwned>(
    job: &ImportJob<'_>,
    source: usize,
    log: impl BufRead,
    list: &'static str,
    visit: impl FnMut(T) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_reader(log);
    let document = Document { list, items: Items { visit, failure: &mut failure, item: PhantomData } };
    let read = document.deserialize(&mut json).and_then(|()| json.end());
    match (failure, read) {
        (Some(failure), _) => Err(failure),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) if error.is_io() => Err(job.unreadable(source, error.into())),
        (None, Err(error)) => Err(job.at(source, format!("line {}", error.line()), None, escape(&error.to_string()))),
    }
}

/// The object that is the log; of its lists only one is read.
struct Document<'f, T, F> {
    list: &'static str,
    items: Items<'f, T, F>,
}

struct Items<'f, T, F> {
    visit: F,
    /// Why a visit failed.
    failure: &'f mut Option<TraceError>,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), TraceError>> DeserializeSeed<'de> for Document<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), TraceError>> Visitor<'de> for Document<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list `{}`", self.list)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut is_found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.list {
                is_found = true;
                map.next_value_seed(&mut self.items)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if is_found { Ok(()) } else { Err(serde::de::Error::missing_field(self.list)) }
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), TraceError>> DeserializeSeed<'de> for &mut Items<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(T) -> Result<(), TraceError>> Visitor<'de> for &mut Items<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            if let Err(failure) = (self.visit)(item) {
                *self.failure = Some(failure);
                return Err(serde::de::Error::custom("a bad item"));
            }
        }
        Ok(())
    }
}
