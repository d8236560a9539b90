//! Traces: recording, import, fit, generation, reading.

mod fitting;
mod formats;
mod importing;
mod ocel;
mod parquet_tables;
mod real_logs;
mod recorder;
mod traces;
