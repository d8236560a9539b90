//! Traces: recording, import, fit, generation, reading.

mod fitting;
mod importing;
mod recorder;
mod traces;
