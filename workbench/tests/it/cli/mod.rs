//! The command line: options, exit codes, output.

mod certifying_cli;
pub(crate) mod cli;
mod cli_terminal;
mod cli_traces;
mod comparing_cli;
