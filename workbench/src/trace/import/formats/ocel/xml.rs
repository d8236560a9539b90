//! OCEL 2.0 in XML: `<objects>` and `<events>`, and the types of their attributes in `<event-types>`.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Xml};

use super::super::xml::{Lines, append_text, attribute};
use super::sink::{Event, Sink};
use super::value::{BOOLEAN_BYTES, number_bytes};
use crate::trace::error::TraceError;
use crate::workload::{escape, excerpt};

/// What a log is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Objects, and the types of attributes.
    Objects,
    Events,
}

/// An element, by the elements around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Log,
    Objects,
    Object,
    EventTypes,
    EventType,
    Declarations,
    Declaration,
    Events,
    Event,
    Values,
    Value,
    Relations,
    Relation,
    Other,
}

impl Element {
    /// The element of this name in another one.
    fn within(parent: Option<Self>, name: &str) -> Self {
        match (parent, name) {
            (None, _) => Self::Log,
            (Some(Self::Log), "objects") => Self::Objects,
            (Some(Self::Objects), "object") => Self::Object,
            (Some(Self::Log), "event-types") => Self::EventTypes,
            (Some(Self::EventTypes), "event-type") => Self::EventType,
            (Some(Self::EventType), "attributes") => Self::Declarations,
            (Some(Self::Declarations), "attribute") => Self::Declaration,
            (Some(Self::Log), "events") => Self::Events,
            (Some(Self::Events), "event") => Self::Event,
            (Some(Self::Event), "attributes") => Self::Values,
            (Some(Self::Values), "attribute") => Self::Value,
            (Some(Self::Event), "objects") => Self::Relations,
            // `relationship`; `object` in logs of early writers.
            (Some(Self::Relations), _) => Self::Relation,
            _ => Self::Other,
        }
    }
}

/// Types of the attributes of events, by the type of the event and the name of the attribute.
type Declared = HashMap<(String, String), String>;

/// The event that is read.
#[derive(Default)]
struct OpenEvent {
    place: String,
    type_name: String,
    time: String,
    attribute_bytes: usize,
    objects: Vec<String>,
}

pub(super) fn read([objects, events]: [impl BufRead; 2], sink: &mut Sink<'_, '_>) -> Result<(), TraceError> {
    let mut declared = Declared::new();
    XmlReader::new(Pass::Objects, objects, sink, &mut declared).read()?;
    XmlReader::new(Pass::Events, events, sink, &mut declared).read()
}

struct XmlReader<'r, 'a, 'j, R> {
    pass: Pass,
    xml: Reader<Lines<R>>,
    sink: &'r mut Sink<'a, 'j>,
    declared: &'r mut Declared,
    /// From the outermost element on.
    open: Vec<Element>,
    event_type: String,
    event: OpenEvent,
    /// Name and text of the attribute that is read.
    value: (String, String),
}

impl<'r, 'a, 'j, R: BufRead> XmlReader<'r, 'a, 'j, R> {
    fn new(pass: Pass, log: R, sink: &'r mut Sink<'a, 'j>, declared: &'r mut Declared) -> Self {
        let mut xml = Reader::from_reader(Lines::new(log));
        xml.config_mut().expand_empty_elements = true;
        let (event_type, event, value) = (String::new(), OpenEvent::default(), (String::new(), String::new()));
        Self { pass, xml, sink, declared, open: Vec::new(), event_type, event, value }
    }

    fn read(&mut self) -> Result<(), TraceError> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let read = self.xml.read_event_into(&mut buffer);
            let done = match read.map_err(|error| escape(&error.to_string())) {
                Ok(Xml::Start(element)) => self.begin(&element),
                Ok(Xml::End(_)) => {
                    self.end()?;
                    Ok(())
                }
                Ok(Xml::Eof) if self.open.is_empty() => return Ok(()),
                Ok(Xml::Eof) => Err("cut off, expected `</log>`".to_owned()),
                Ok(text) if self.open.last() == Some(&Element::Value) => append_text(&text, &mut self.value.1),
                Ok(_) => Ok(()),
                Err(reason) => Err(reason),
            };
            done.map_err(|reason| self.sink.bad(self.line(), reason))?;
        }
    }

    fn line(&self) -> String {
        format!("line {}", self.xml.get_ref().line())
    }

    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let kind = Element::within(self.open.last().copied(), element.local_name().as_ref());
        self.open.push(kind);
        match (self.pass, kind) {
            (Pass::Objects, Element::Object) => {
                self.sink.object(required(element, "id")?, &required(element, "type")?);
            }
            (Pass::Objects, Element::EventType) => self.event_type = required(element, "name")?,
            (Pass::Objects, Element::Declaration) => {
                let name = (self.event_type.clone(), required(element, "name")?);
                self.declared.insert(name, attribute(element, "type")?.unwrap_or_default());
            }
            (Pass::Events, Element::Event) => {
                let id = required(element, "id")?;
                self.event = OpenEvent {
                    place: format!("{}, event `{}`", self.line(), excerpt(&id)),
                    type_name: required(element, "type")?,
                    time: required(element, "time")?,
                    ..OpenEvent::default()
                };
            }
            (Pass::Events, Element::Value) => {
                self.value = (attribute(element, "name")?.unwrap_or_default(), String::new());
            }
            (Pass::Events, Element::Relation) => self.event.objects.push(required(element, "object-id")?),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), TraceError> {
        let kind = self.open.pop();
        if self.pass == Pass::Objects {
            return Ok(());
        }
        if kind == Some(Element::Value) {
            self.event.attribute_bytes += 1 + self.value_bytes();
        }
        if kind == Some(Element::Event) {
            let OpenEvent { place, type_name, time, attribute_bytes, objects } = &self.event;
            self.sink.event(&Event { type_name, time, attribute_bytes: *attribute_bytes, objects, place })?;
        }
        Ok(())
    }

    fn value_bytes(&mut self) -> usize {
        let (name, text) = std::mem::take(&mut self.value);
        let declared = self.declared.get(&(self.event.type_name.clone(), name));
        match declared.map_or("string", String::as_str) {
            "boolean" => BOOLEAN_BYTES,
            "float" => text.trim().parse().map_or(text.len(), number_bytes),
            _ => text.len(),
        }
    }
}

fn required(element: &BytesStart<'_>, name: &str) -> Result<String, String> {
    let missing = || format!("<{}> without `{name}`", excerpt(element.local_name().as_ref()));
    attribute(element, name)?.ok_or_else(missing)
}
