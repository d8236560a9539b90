//! XES (IEEE 1849): XML of traces, which have attributes and events, which have attributes.
//!
//! A trace is an actor. As in a CSV file made of such a log, `case:` and the key name an attribute of the trace, the key
//! alone one of the event. The size of an event is that of its attributes' values, with a separator between them as in a row
//! of CSV; nested ones count, attributes of the trace do not.

use std::fs::File;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::job::ImportJob;
use super::rows::RowWriter;
use super::sources::{self, Decoded};
use super::xml::{Lines, attribute};
use crate::trace::error::TraceError;
use crate::units;

const CASE: &str = "case:concept:name";
const TIME: &str = "time:timestamp";
const SIZE: &str = "(the event's attributes)";
/// Begins the names of attributes of traces.
const OF_TRACE: &str = "case:";

pub(super) fn decode(job: &mut ImportJob<'_>) -> Result<Decoded, TraceError> {
    let mut options = job.options.clone();
    let actor = options.actor_column.get_or_insert_with(|| CASE.to_owned()).clone();
    let time = options.time_column.get_or_insert_with(|| TIME.to_owned()).clone();
    let payload = options.payload_column.take();
    // As an option may name them: one, or several with commas between them.
    let mut columns: Vec<String> = Vec::new();
    for name in [Some(&actor), Some(&time), options.type_column.as_ref(), options.size_column.as_ref()] {
        let parts = name.into_iter().flat_map(|name| name.split(',')).map(|part| part.trim().to_owned());
        let new: Vec<_> = parts.filter(|part| !columns.contains(part)).collect();
        columns.extend(new);
    }
    let size = payload.as_ref().map_or_else(|| SIZE.to_owned(), |payload| format!("({payload})"));
    let (mut rows, mut counts) = (Vec::new(), Counts::default());
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        let log = sources::open(job, source, &progress)?;
        let writer = RowWriter::new(job, &progress, &columns, &size)?;
        let mut reader = XesReader::new(job, source, log, writer, &columns, payload.clone());
        while reader.step()? {}
        rows.push(reader.finish(&mut counts)?);
    }
    options.size_column.get_or_insert(size);
    Ok(Decoded { rows, options, notes: counts.notes() })
}

/// What of the logs is special.
#[derive(Default)]
struct Counts {
    nameless_traces: u64,
    events_outside: u64,
}

impl Counts {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.nameless_traces > 0 {
            let traces = units::counted(self.nameless_traces, "trace");
            notes.push(format!("{traces} without `concept:name`: the position is the name"));
        }
        if self.events_outside > 0 {
            notes.push(format!("{} outside of traces: left out", units::counted(self.events_outside, "event")));
        }
        notes
    }
}

/// An attribute that is looked for.
#[derive(Default)]
struct Wanted {
    name: String,
    of_trace: String,
    of_event: String,
}

struct XesReader<'a, 'j, R> {
    job: &'a ImportJob<'j>,
    source: usize,
    xml: Reader<Lines<R>>,
    rows: RowWriter<'a, 'j>,
    wanted: Vec<Wanted>,
    payload: Option<String>,
    payload_bytes: usize,
    place: Place,
    /// Whether the log has ended.
    is_over: bool,
    /// Attributes that the next element is nested in.
    depth: usize,
    event_line: u64,
    event_bytes: usize,
    traces: u64,
    counts: Counts,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Log,
    Trace,
    Event,
    /// An event outside of a trace.
    LooseEvent,
}

/// An element of the log, copied from the buffer.
enum Part {
    Begin {
        name: String,
        is_empty: bool,
        key: String,
        /// A list has none.
        value: Option<String>,
    },
    End {
        name: String,
    },
    Nothing,
    Over,
}

impl<'a, 'j, R: BufRead> XesReader<'a, 'j, R> {
    fn new(
        job: &'a ImportJob<'j>,
        source: usize,
        log: R,
        rows: RowWriter<'a, 'j>,
        columns: &[String],
        payload: Option<String>,
    ) -> Self {
        let wanted = |name: &String| Wanted { name: name.clone(), ..Wanted::default() };
        Self {
            job,
            source,
            xml: Reader::from_reader(Lines::new(log)),
            rows,
            wanted: columns.iter().map(wanted).collect(),
            payload,
            payload_bytes: 0,
            place: Place::Log,
            is_over: false,
            depth: 0,
            event_line: 0,
            event_bytes: 0,
            traces: 0,
            counts: Counts::default(),
        }
    }

    /// Reads one part of the log; false at its end.
    fn step(&mut self) -> Result<bool, TraceError> {
        let mut buffer = Vec::new();
        let part = part(&mut self.xml, &mut buffer).map_err(|reason| self.bad(reason))?;
        match part {
            Part::Begin { name, is_empty, key, value } => self.begin(&name, is_empty, &key, value.as_deref())?,
            Part::End { name } => self.end(&name)?,
            Part::Nothing => {}
            Part::Over => return Ok(false),
        }
        Ok(true)
    }

    fn begin(&mut self, name: &str, is_empty: bool, key: &str, value: Option<&str>) -> Result<(), TraceError> {
        match (name, self.place) {
            ("trace", Place::Log) => {
                self.place = Place::Trace;
                self.traces += 1;
                self.wanted.iter_mut().for_each(|wanted| wanted.of_trace.clear());
            }
            ("event", Place::Log | Place::Trace) => {
                self.place = if self.place == Place::Log { Place::LooseEvent } else { Place::Event };
                self.event_line = self.line();
                (self.event_bytes, self.payload_bytes) = (0, 0);
                self.wanted.iter_mut().for_each(|wanted| wanted.of_event.clear());
            }
            (_, Place::Log | Place::LooseEvent) => {}
            _ => {
                if let Some(value) = value {
                    self.attribute(key, value);
                }
                self.depth += usize::from(!is_empty);
                return Ok(());
            }
        }
        if is_empty { self.end(name) } else { Ok(()) }
    }

    fn attribute(&mut self, key: &str, value: &str) {
        if self.place == Place::Event {
            self.event_bytes += value.len() + 1;
            if self.depth == 0 && self.payload.as_deref() == Some(key) {
                self.payload_bytes = value.len();
            }
        }
        if self.depth > 0 {
            return;
        }
        for wanted in &mut self.wanted {
            match self.place {
                Place::Trace if wanted.name.strip_prefix(OF_TRACE) == Some(key) => {
                    value.clone_into(&mut wanted.of_trace);
                }
                Place::Event if wanted.name == key => value.clone_into(&mut wanted.of_event),
                _ => {}
            }
        }
    }

    fn end(&mut self, name: &str) -> Result<(), TraceError> {
        match (name, self.place) {
            ("log", Place::Log) => self.is_over = true,
            ("trace", Place::Trace) => self.place = Place::Log,
            ("event", Place::Event) => {
                self.place = Place::Trace;
                return self.write_event();
            }
            ("event", Place::LooseEvent) => {
                self.place = Place::Log;
                self.counts.events_outside += 1;
            }
            (_, Place::Trace | Place::Event) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }

    fn write_event(&mut self) -> Result<(), TraceError> {
        for wanted in &mut self.wanted {
            if wanted.name == CASE && wanted.of_trace.is_empty() && wanted.of_event.is_empty() {
                wanted.of_trace = format!("trace {}", self.traces);
                self.counts.nameless_traces += 1;
            }
            let of_event = !wanted.of_event.is_empty();
            self.rows.field(if of_event { &wanted.of_event } else { &wanted.of_trace }.as_bytes())?;
        }
        let bytes = if self.payload.is_some() { self.payload_bytes } else { self.event_bytes.saturating_sub(1) };
        self.rows.row(bytes, &format!("line {}", self.event_line))
    }

    fn line(&self) -> u64 {
        self.xml.get_ref().line()
    }

    fn bad(&self, reason: String) -> TraceError {
        self.job.at(self.source, format!("line {}", self.line()), None, reason)
    }

    fn finish(self, counts: &mut Counts) -> Result<File, TraceError> {
        if self.place != Place::Log {
            return Err(self.bad("the log ends within a trace".to_owned()));
        }
        if !self.is_over {
            return Err(self.bad("cut off, expected `</log>`".to_owned()));
        }
        counts.nameless_traces += self.counts.nameless_traces;
        counts.events_outside += self.counts.events_outside;
        self.rows.finish()
    }
}

/// The next part, or what is wrong with it.
fn part<R: BufRead>(xml: &mut Reader<R>, buffer: &mut Vec<u8>) -> Result<Part, String> {
    let (element, is_empty) = match xml.read_event_into(buffer).map_err(|error| error.to_string())? {
        Event::Start(element) => (element, false),
        Event::Empty(element) => (element, true),
        Event::End(element) => return Ok(Part::End { name: element.local_name().as_ref().to_owned() }),
        Event::Eof => return Ok(Part::Over),
        _ => return Ok(Part::Nothing),
    };
    let name = element.local_name().as_ref().to_owned();
    // Their content looks like attributes of the log.
    if name == "global" && !is_empty {
        let end = element.to_end().into_owned();
        xml.read_to_end_into(end.name(), &mut Vec::new()).map_err(|error| error.to_string())?;
        return Ok(Part::Nothing);
    }
    let key = attribute(&element, "key")?.unwrap_or_default();
    Ok(Part::Begin { name, is_empty, key, value: attribute(&element, "value")? })
}
