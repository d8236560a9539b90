//! `report`.

use super::merge;
use crate::workbench::cli::Ending;
use crate::workbench::cli::args::{FormatArg, ReportArgs, ReportCommand};
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output::{self, Output};
use crate::workbench::report::{ReportDirectory, html, markdown};

pub(in crate::workbench::cli) fn run(args: &ReportArgs, output: Output) -> Result<Ending, CliError> {
    if let Some(ReportCommand::Merge(merge)) = &args.command {
        return merge::run(merge, output);
    }
    let nothing = || CliError::Usage("give a report.json, or the directory that holds it".to_owned());
    let report = ReportDirectory::read(args.report.as_deref().ok_or_else(nothing)?)?;
    match args.format {
        _ if output.is_json() => output::json(&report)?,
        FormatArg::Html => output::raw(&html(&report))?,
        FormatArg::Markdown => output::raw(&markdown(&report))?,
        FormatArg::Json => output::json(&report)?,
    }
    Ok(Ending::Pass)
}
