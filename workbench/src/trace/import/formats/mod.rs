//! Event logs that are not CSV: XES, OCEL 2.0, JSON lines, Parquet.
//!
//! A log is recognised by its first bytes (`kind`), never by its name. It is decoded once to rows of CSV in a temporary
//! file without a name (`rows`), which are then imported like any other CSV. Each row ends with the size of its event and
//! with its place in the original, which errors name. This module knows nothing of times, actors or traces.

mod decode;
mod json_lines;
mod kind;
mod ocel;
mod parquet;
mod rows;
mod sources;
mod xes;
mod xml;

pub(super) use decode::decode;
