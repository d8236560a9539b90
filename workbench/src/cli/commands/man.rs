//! `man`.

use std::fs;
use std::path::Path;

use clap::CommandFactory;

use crate::cli::args::{Args, ManArgs};
use crate::cli::error::CliError;
use crate::cli::manual::Page;
use crate::cli::output::Output;
use crate::cli::{manual, output};
use crate::report::{Outcome, ReportError};
use crate::units;

pub(crate) fn run(args: &ManArgs, output: Output) -> Result<Outcome, CliError> {
    let pages = manual::pages(Args::command());
    match &args.directory {
        Some(directory) => write(&pages, directory, output)?,
        None => print(&pages, output)?,
    }
    Ok(Outcome::Pass)
}

/// Prints the page of the program.
fn print(pages: &[Page], output: Output) -> Result<(), CliError> {
    let Some(page) = pages.first() else { return Ok(()) };
    if output.is_json() {
        return output::json(&serde_json::json!({ "file": page.file, "text": page.text }));
    }
    output::raw(&page.text)
}

fn write(pages: &[Page], directory: &Path, output: Output) -> Result<(), CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ReportError::Write(path, source)
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    for page in pages {
        let path = directory.join(&page.file);
        fs::write(&path, &page.text).map_err(failed(&path))?;
    }
    if output.is_json() {
        let files: Vec<_> = pages.iter().map(|page| directory.join(&page.file).display().to_string()).collect();
        return output::json(&serde_json::json!({ "files": files }));
    }
    output.line(&format!("{} in {}", units::counted(pages.len() as u64, "page"), directory.display()))
}
