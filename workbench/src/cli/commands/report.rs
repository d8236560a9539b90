//! `report`.

use std::path::{Path, PathBuf};

use super::merge;
use crate::cli::args::report::{FormatArg, ReportArgs, ReportCommand};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{browser, output, output_file};
use crate::render::{html, markdown};
use crate::report::{Outcome, Report, ReportDirectory, ReportError};
use crate::trace::replace_file;
use crate::workload::{is_stream, path_text};

const PAGE: &str = "report.html";

pub(crate) fn run(args: &ReportArgs, output: Output) -> Result<Outcome, CliError> {
    if let Some(ReportCommand::Merge(merge)) = &args.command {
        return merge::run(merge, output);
    }
    show(args, output).map(|()| Outcome::Pass)
}

fn show(args: &ReportArgs, output: Output) -> Result<(), CliError> {
    let missing = || CliError::Usage("expected a report.json or its directory".to_owned());
    let path = args.report.as_deref().ok_or_else(missing)?;
    if args.open && args.format != FormatArg::Html {
        return Err(CliError::Usage("--open requires --format html".to_owned()));
    }
    let output = output_file::admit(args.output.as_deref(), args.overwrite, &[ReportDirectory::file(path)], output)?;
    let target = target(args, path)?;
    let report = ReportDirectory::read(path)?;
    match target {
        Some(target) => to_file(&report, args, &target, output),
        None => output.result(&report, || output::raw(&rendered(&report, args.format)?)),
    }
}

/// The output file: with --open, the page of the report by default.
fn target(args: &ReportArgs, report: &Path) -> Result<Option<PathBuf>, CliError> {
    if args.output.is_some() || !args.open {
        return Ok(args.output.clone());
    }
    if is_stream(report) {
        let reason = "must be a file: --open writes the page beside it; or name the page with --output";
        return Err(CliError::Usage(format!("{}: {reason}", path_text(report))));
    }
    Ok(Some(if report.is_dir() { report.join(PAGE) } else { report.with_file_name(PAGE) }))
}

fn rendered(report: &Report, format: FormatArg) -> Result<String, CliError> {
    Ok(match format {
        FormatArg::Html => html(report),
        FormatArg::Markdown => markdown(report),
        FormatArg::Json => serde_json::to_string_pretty(report).map_err(std::io::Error::from)? + "\n",
    })
}

fn to_file(report: &Report, args: &ReportArgs, target: &Path, output: Output) -> Result<(), CliError> {
    replace_file(target, rendered(report, args.format)?.as_bytes())
        .map_err(|source| ReportError::Write(target.to_owned(), source))?;
    let shown = target.display().to_string();
    output.result(&serde_json::json!({ "file": shown }), || output.line(&format!("Report: {shown}")))?;
    if args.open {
        browser::open(target).map_err(|source| CliError::Browser { page: target.to_owned(), source })?;
    }
    Ok(())
}
