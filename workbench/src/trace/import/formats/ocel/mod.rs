//! OCEL 2.0: a log of objects, and of events that touch objects, in JSON, in XML or in SQLite.
//!
//! An object is an actor of its type; an event is one of each object that it touches. The size of an event is that of its
//! type and its attributes' values, with a separator between them as in a row of CSV (`value`). The three forms of a log
//! give the same rows: each is read (`json`, `xml`, `sqlite`) into one sink (`sink`).

mod decode;
mod json;
mod sink;
mod sqlite;
mod value;
mod xml;

pub(super) use decode::{Form, decode};
pub(super) use sqlite::MAGIC as SQLITE_MAGIC;
