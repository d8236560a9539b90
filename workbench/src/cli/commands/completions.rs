//! `completions`.

use clap::CommandFactory;

use crate::cli::args::{Args, CompletionsArgs};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::Output;
use crate::report::Outcome;

pub(crate) fn run(args: &CompletionsArgs, output: Output) -> Result<Outcome, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ave-workbench", &mut script);
    let script = String::from_utf8_lossy(&script);
    if output.is_json() {
        output::json(&serde_json::json!({ "shell": args.shell.to_string(), "script": script }))?;
    } else {
        output::raw(&script)?;
    }
    Ok(Outcome::Pass)
}
