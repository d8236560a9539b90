//! `completions`.

use clap::CommandFactory;

use crate::workbench::cli::Ending;
use crate::workbench::cli::args::{Args, CompletionsArgs};
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output;

pub(in crate::workbench::cli) fn run(args: &CompletionsArgs) -> Result<Ending, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ave-workbench", &mut script);
    output::raw(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Pass)
}
