//! `report`.

use crate::workbench::cli::Ending;
use crate::workbench::cli::args::{FormatArg, ReportArgs};
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output::{self, Output};
use crate::workbench::report::{ReportDirectory, html, markdown};

pub(in crate::workbench::cli) fn run(args: &ReportArgs, output: Output) -> Result<Ending, CliError> {
    let path = if args.report.is_dir() { args.report.join("report.json") } else { args.report.clone() };
    let report = ReportDirectory::read(&path)?;
    match args.format {
        _ if output.is_json() => output::json(&report)?,
        FormatArg::Html => output::raw(&html(&report))?,
        FormatArg::Markdown => output::raw(&markdown(&report))?,
        FormatArg::Json => output::json(&report)?,
    }
    Ok(Ending::Pass)
}
