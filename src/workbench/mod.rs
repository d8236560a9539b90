//! The workbench: replays what actors ask of their store, measures it, and sizes the machine.
pub mod report;
