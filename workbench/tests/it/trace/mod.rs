//! Traces: recording, import, fit, generation, reading.

mod fitting;
mod importing;
mod real_logs;
mod recorder;
mod traces;
