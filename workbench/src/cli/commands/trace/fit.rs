//! `trace fit`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::args::FitArgs;
use crate::cli::commands::trace::read;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{Ending, output};
use crate::load::arrival_times;
use crate::trace;
use crate::trace::{Aspect, Fit, TraceError};

/// The result for programs.
#[derive(Serialize)]
struct Told<'a> {
    workload_file: String,
    #[serde(flatten)]
    fit: &'a Fit,
    /// Names of the aspects that are off.
    off: Vec<&'static str>,
}

pub(crate) fn fit(args: &FitArgs, output: Output) -> Result<Ending, CliError> {
    let read = read(&args.trace, args.allow_truncated)?;
    let fit = trace::fit(&read, arrival_times)?;
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", fit.workload.name)));
    write(&target, &fit.to_toml())?;
    let off: Vec<_> = fit.aspects.iter().filter(|aspect| !aspect.is_met()).map(|aspect| aspect.name).collect();
    if output.is_json() {
        output::json(&Told { workload_file: target.display().to_string(), fit: &fit, off })?;
        return Ok(Ending::Pass);
    }
    output.line(&table(&fit.aspects))?;
    for name in off {
        output.line(&format!("WARNING: the workload does not resemble the trace in its {name}"))?;
    }
    fit.notes.iter().try_for_each(|note| output.line(&format!("  note: {note}")))?;
    let path = target.display();
    let rate = fit.commands_per_second.filter(|&rate| rate >= 1.0).map(|rate| format!(" --rate {rate:.0}"));
    let rate = rate.unwrap_or_default();
    output.line(&format!("Workload: {path}\nReplay it with `ave-workbench run {path}{rate}`."))?;
    Ok(Ending::Pass)
}

fn table(aspects: &[Aspect]) -> String {
    let row = |aspect: &Aspect| {
        let verdict = match aspect.tolerance {
            None => "not judged".to_owned(),
            Some(tolerance) if aspect.is_met() => format!("ok, within {tolerance}"),
            Some(tolerance) => format!("OFF, more than {tolerance}"),
        };
        vec![
            aspect.name.to_owned(),
            format!("{:.2} {}", aspect.difference, aspect.unit),
            verdict,
            aspect.detail.clone(),
        ]
    };
    let header = ["aspect", "largest difference", "", "trace and workload"];
    output::text_table(&header, aspects.iter().map(row).collect())
}

/// Writes beside the target and moves it there, so that no half of a workload is left behind.
fn write(target: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source| TraceError::File { action: "write", path: target.to_owned(), source };
    let mut file = trace::beside(target).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    Ok(trace::put_in_place(file, target).map_err(failed)?)
}
