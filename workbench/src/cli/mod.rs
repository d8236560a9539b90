//! The command line: arguments, progress, tables, exit codes.
//!
//! Nothing is measured here. Only the binary imports this module.

pub(crate) mod args;
mod browser;
mod commands;
mod dispatch;
pub(crate) mod error;
#[cfg(test)]
mod help_tests;
mod input_file;
mod manual;
mod metrics;
pub(crate) mod output;
mod output_file;
mod progress;
pub(crate) mod resolve;
mod style;
mod values;

pub use dispatch::main;
