//! `trace fit`.

use std::path::PathBuf;

use serde::Serialize;

use super::read::read;
use crate::cli::args::FitArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::Output;
use crate::load::arrival_times;
use crate::report::Outcome;
use crate::trace;
use crate::trace::{Aspect, Fit, TraceError, replace_file};

/// The output of `--json`.
#[derive(Serialize)]
struct FitDocument<'a> {
    workload_file: String,
    #[serde(flatten)]
    fit: &'a Fit,
    /// Names of the aspects that are off.
    off: Vec<&'static str>,
}

pub(crate) fn fit(args: &FitArgs, output: Output) -> Result<Outcome, CliError> {
    let fit = trace::fit(&read(&args.trace, args.allow_truncated)?, arrival_times)?;
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", fit.workload.name)));
    replace_file(&target, fit.to_toml().as_bytes()).map_err(TraceError::file("write", &target))?;
    let off: Vec<_> = fit.aspects.iter().filter(|aspect| !aspect.is_met()).map(|aspect| aspect.name).collect();
    if output.is_json() {
        output::json(&FitDocument { workload_file: target.display().to_string(), fit: &fit, off })?;
        return Ok(Outcome::Pass);
    }
    output.line(&table(&fit.aspects))?;
    for name in off {
        output.line(&format!("WARNING: the workload does not resemble the trace: {name}"))?;
    }
    fit.notes.iter().try_for_each(|note| output.line(&format!("  note: {note}")))?;
    let path = target.display();
    let rate = fit.commands_per_second.filter(|&rate| rate >= 1.0).map(|rate| format!(" --rate {rate:.0}"));
    let rate = rate.unwrap_or_default();
    output.line(&format!("Workload: {path}\nReplay it with `ave-workbench run {path}{rate}`."))?;
    Ok(Outcome::Pass)
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
