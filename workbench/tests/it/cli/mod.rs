//! The command line: options, exit codes, output.

mod certify;
mod compare;
mod db;
pub(crate) mod figures;
mod history;
mod host;
mod import;
mod interruption;
mod metrics;
mod output_file;
mod paths;
mod prediction;
mod print;
pub(crate) mod program;
mod report;
mod run;
mod terminal;
mod trace;
mod usage;
