//! Which file a command may write: one rule for every `--output FILE`.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::overwrite::OverwriteArgs;
use super::error::CliError;
use super::output::Output;
use crate::trace::{is_same_file, is_standard_output};

/// Checks that a command may write `target`, before it begins: a file of its input is never replaced, and another file only
/// with `--force`. Pipes and devices are written through. Without a target, a command prints its result.
///
/// Returns the output for messages: none if they would mix with the result on standard output.
pub(crate) fn admit(
    target: Option<&Path>,
    overwrite: OverwriteArgs,
    inputs: &[PathBuf],
    output: Output,
) -> Result<Output, CliError> {
    let Some(target) = target else {
        let useless = || CliError::Usage("--force needs --output: nothing else is replaced".to_owned());
        return if overwrite.force { Err(useless()) } else { Ok(output) };
    };
    let refused = |reason: &str| Err(CliError::Usage(format!("--output {}: {reason}", target.display())));
    if inputs.iter().any(|input| is_same_file(input, target)) {
        return refused("is the input itself; choose another file");
    }
    if is_standard_output(target) {
        return Ok(Output { quiet: true, json: false });
    }
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => refused("is a directory, expected a file"),
        Ok(found) if found.is_file() && !overwrite.force => {
            refused("exists already; choose another file, or replace it with --force")
        }
        _ => Ok(output),
    }
}
