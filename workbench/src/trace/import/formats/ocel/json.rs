//! OCEL 2.0 in JSON: one object with lists of objects and of events.

use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::super::super::job::ImportJob;
use super::sink::{Event, Sink};
use super::value::{BOOLEAN_BYTES, number_bytes};
use crate::trace::error::TraceError;
use crate::workload::{escape, excerpt};

#[derive(Deserialize)]
struct JsonObject {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
}

#[derive(Deserialize)]
struct JsonEvent {
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
    value: Value,
}

#[derive(Deserialize)]
struct Relationship {
    #[serde(rename = "objectId")]
    object: String,
}

impl JsonEvent {
    fn attribute_bytes(&self) -> usize {
        // The other forms do not have an attribute without a value.
        let valued = self.attributes.iter().map(|attribute| &attribute.value).filter(|value| !value.is_null());
        valued.map(|value| 1 + value_bytes(value)).sum()
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bool(_) => BOOLEAN_BYTES,
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(0, number_bytes),
        other => other.to_string().len(),
    }
}

pub(super) fn read([objects, events]: [impl BufRead; 2], sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
    let (job, source) = (sink.job, sink.source);
    read_each(job, source, objects, "objects", |object: JsonObject| {
        sink.object(object.id, &object.type_name);
        Ok(())
    })?;
    read_each(job, source, events, "events", |event: JsonEvent| {
        let attribute_bytes = event.attribute_bytes();
        let touched: Vec<_> = event.relationships.into_iter().map(|related| related.object).collect();
        sink.event(&Event {
            type_name: &event.type_name,
            time: &event.time,
            attribute_bytes,
            objects: &touched,
            place: &format!("event `{}`", excerpt(&event.id)),
        })
    })
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
