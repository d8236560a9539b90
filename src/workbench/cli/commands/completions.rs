//! `completions`.

use clap::CommandFactory;

use crate::workbench::cli::Ending;
use crate::workbench::cli::args::{Args, CompletionsArgs};
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output::{self, Output};

pub(in crate::workbench::cli) fn run(args: &CompletionsArgs, output: Output) -> Result<Ending, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ave-workbench", &mut script);
    let script = String::from_utf8_lossy(&script);
    if output.is_json() {
        output::json(&serde_json::json!({ "shell": args.shell.to_string(), "script": script }))?;
    } else {
        output::raw(&script)?;
    }
    Ok(Ending::Pass)
}
