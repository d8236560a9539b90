//! `trace fit`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{files, print_replay, read};
use crate::cli::args::trace::FitArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, figure_table};
use crate::cli::output_file;
use crate::load::arrival_times;
use crate::trace;
use crate::trace::{Aspect, Fit, TraceError, replace_file};

#[derive(Serialize)]
struct FitDocument<'a> {
    workload_file: String,
    #[serde(flatten)]
    fit: &'a Fit,
    off: Vec<&'static str>,
}

pub(crate) fn run(args: &FitArgs, output: Output) -> Result<(), CliError> {
    let admit = |target: &Path| output_file::admit(Some(target), args.overwrite, &files(&args.trace), output);
    args.output.as_deref().map(admit).transpose()?;
    let fit = trace::fit(&read(&args.trace, args.allow_truncated)?, arrival_times)?;
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", fit.workload.name)));
    // Again: the default follows from the trace.
    let output = admit(&target)?;
    replace_file(&target, fit.to_toml().as_bytes()).map_err(TraceError::file("write", &target))?;
    let off: Vec<_> = fit.aspects.iter().filter(|aspect| !aspect.is_met()).map(|aspect| aspect.name).collect();
    let document = FitDocument { workload_file: target.display().to_string(), fit: &fit, off };
    output.result(&document, || print(&document, output))
}

fn print(FitDocument { workload_file, fit, off }: &FitDocument<'_>, output: Output) -> Result<(), CliError> {
    output.line(&table(&fit.aspects))?;
    for name in off {
        output.line(&format!("WARNING: the workload does not resemble the trace: {name}"))?;
    }
    fit.notes.iter().try_for_each(|note| output.line(&format!("  note: {note}")))?;
    let rate = fit.commands_per_second.filter(|&rate| rate >= 1.0).map(|rate| format!(" --rate {rate:.0}"));
    let rate = rate.unwrap_or_default();
    print_replay("Workload", workload_file.as_ref(), &rate, output)
}

fn table(aspects: &[Aspect]) -> String {
    let row = |aspect: &Aspect| {
        let verdict = match aspect.tolerance {
            None => "not judged".to_owned(),
            Some(tolerance) if aspect.is_met() => format!("ok, within {tolerance}"),
            Some(tolerance) => format!("OFF, more than {tolerance}"),
        };
        let difference = format!("{:.2} {}", aspect.difference, aspect.unit);
        vec![aspect.name.to_owned(), difference, verdict, aspect.detail.clone()]
    };
    let header = ["aspect", "largest difference", "", "trace and workload"];
    figure_table(&header, 4, aspects.iter().map(row).collect())
}
