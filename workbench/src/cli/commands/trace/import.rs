//! `trace import`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{files, print_replay};
use crate::actor::{PersistenceRules, Strategy};
use crate::cli::args::trace::{ImportArgs, PersistenceArg, PresetArg};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::output_file;
use crate::cli::progress::ImportProgress;
use crate::cli::resolve;
use crate::cli::values::{STANDARD_INPUT, opened};
use crate::report::Warning;
use crate::trace::{ImportLimits, ImportOptions, ImportSummary, LogInput, Preset, TraceError, family_name};
use crate::workload::{escape, is_stream};
use crate::{trace, units};
use ave_actors_rocksdb::trace::NameRule;

pub(crate) fn run(args: &ImportArgs, output: Output) -> Result<(), CliError> {
    let logs = logs(args)?;
    let stem = log_name(&logs[0]);
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{stem}.trace.csv.zst")));
    let inputs: Vec<_> = logs.iter().flat_map(|log| files(&opened(log.clone()))).collect();
    let output = output_file::admit(Some(&target), args.overwrite, &inputs, output)?;
    let options = options(args, &stem)?;
    let input = input(&logs)?;
    let progress = ImportProgress::new(output, resolve::stop_on_ctrl_c(output)?);
    let summary = trace::import_from(input, &target, &options, &progress);
    progress.bar.finish_and_clear();
    let summary = summary?;
    output.result(&json_summary(&summary, &target), || print(&summary, &target, output))
}

fn print(summary: &ImportSummary, target: &Path, output: Output) -> Result<(), CliError> {
    output.line(&format!(
        "{} over {}, {}, {} to {}",
        units::counted(summary.events, "event"),
        units::counted(summary.actors, "actor"),
        units::counted(summary.operations, "storage operation"),
        summary.span[0],
        summary.span[1],
    ))?;
    summary.columns.iter().try_for_each(|column| output.line(&escape(&format!("  {column}"))))?;
    summary.assumptions.iter().try_for_each(|assumed| output.line(&format!("  assumed: {assumed}")))?;
    if summary.blank_rows > 0 {
        let rows = units::counted(summary.blank_rows, "row");
        output.line(&format!("  left out: {rows} of separators alone"))?;
    }
    if let Some(first) = &summary.skipped.first {
        let reasons = summary.skipped.reasons();
        output.line(&escape(&format!("  left out: {reasons}; the first: {first}")))?;
    }
    let warning = |warning: &trace::ImportWarning| Warning { what: warning.what.clone(), hint: warning.hint.clone() };
    output.warnings(&summary.warnings.iter().map(warning).collect::<Vec<_>>())?;
    let (rate, seconds) = (units::number(summary.rows_per_second()), units::seconds(summary.elapsed.as_secs_f64()));
    output.line(&format!("Imported in {seconds}, {rate} rows/s."))?;
    print_replay("Trace", target, "", output)
}

/// The log's name without extensions: `orders` for `orders.csv.gz`.
fn log_name(log: &Path) -> String {
    if log.as_os_str() == STANDARD_INPUT || is_stream(log) {
        return "stdin".to_owned();
    }
    let is_packed = log.extension().is_some_and(|extension| extension == "zst" || extension == "gz");
    let unpacked = if is_packed { log.with_extension("") } else { log.to_owned() };
    unpacked.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The logs in their order, with the files that a pattern matches. At least one.
fn logs(args: &ImportArgs) -> Result<Vec<PathBuf>, CliError> {
    let mut logs = Vec::new();
    for log in &args.logs {
        let pattern = log.to_str().filter(|name| name.contains(['*', '?', '[']) && !log.exists());
        let Some(pattern) = pattern else {
            logs.push(log.clone());
            continue;
        };
        let invalid = |error: &dyn std::fmt::Display| CliError::Usage(format!("{pattern}: {error}"));
        let matches = glob::glob(pattern).map_err(|error| invalid(&error))?;
        let before = logs.len();
        for path in matches {
            // A pattern means files: `logs/*` leaves out directories.
            logs.extend(Some(path.map_err(|error| invalid(&error))?).filter(|path| !path.is_dir()));
        }
        logs.extend(not_utf_8(pattern));
        if logs.len() == before {
            let none = std::io::Error::new(std::io::ErrorKind::NotFound, "no file has such a name");
            return Err(TraceError::File { action: "read", path: log.clone(), source: none }.into());
        }
    }
    let mut known = HashMap::new();
    for log in &logs {
        let shown = log.display();
        if log.is_dir() {
            return Err(CliError::Usage(format!(
                "{shown}: a directory, expected a log; give its files, such as '{shown}/*'"
            )));
        }
        // Links and other spellings lead to one file. Pipes have no other names.
        let place = log.canonicalize().unwrap_or_else(|_| log.clone());
        if let Some(first) = known.insert(place, log) {
            let same =
                if first == log { "listed twice".to_owned() } else { format!("the same file as {}", first.display()) };
            return Err(CliError::Usage(format!("{shown}: {same}; give each log once")));
        }
    }
    Ok(logs)
}

/// The files whose names are not UTF-8 that a pattern matches: `glob` leaves them out.
fn not_utf_8(pattern: &str) -> Vec<PathBuf> {
    let pattern_path = Path::new(pattern);
    let (directory, name) = (pattern_path.parent().unwrap_or(Path::new("")), pattern_path.file_name());
    let Some(Ok(name)) = name.and_then(OsStr::to_str).map(glob::Pattern::new) else { return Vec::new() };
    let listed = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let names = std::fs::read_dir(listed).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    let mut others: Vec<_> =
        names.filter(|found| found.to_str().is_none() && name.matches(&found.to_string_lossy())).collect();
    others.sort_unstable();
    others.into_iter().map(|found| directory.join(found)).collect()
}

fn input(logs: &[PathBuf]) -> Result<LogInput, CliError> {
    if logs.iter().any(|log| log.as_os_str() == STANDARD_INPUT) {
        return if logs.len() == 1 {
            Ok(LogInput::reader("standard input", std::io::stdin()))
        } else {
            Err(CliError::Usage("`-`: standard input cannot be one of several logs".to_owned()))
        };
    }
    Ok(LogInput::files(logs.iter().cloned()))
}

fn json_summary(summary: &ImportSummary, target: &Path) -> serde_json::Value {
    serde_json::json!({
        "trace": target.display().to_string(),
        "events_count": summary.events,
        "actors_count": summary.actors,
        "operations_count": summary.operations,
        "first_event_at": summary.span[0].to_string(),
        "last_event_at": summary.span[1].to_string(),
        "columns": summary.columns,
        "assumptions": summary.assumptions,
        "warnings": summary.warnings.iter().map(|warning| {
            serde_json::json!({ "what": warning.what, "hint": warning.hint })
        }).collect::<Vec<_>>(),
        "blank_rows_count": summary.blank_rows,
        "skipped_rows_count": summary.skipped.total(),
        "skipped_rows": {
            "without_actor_count": summary.skipped.without_actor,
            "without_time_count": summary.skipped.without_time,
            "ragged_count": summary.skipped.ragged,
            "too_large_count": summary.skipped.too_large,
            "first": summary.skipped.first,
        },
        "elapsed_seconds": summary.elapsed.as_secs_f64(),
        "rows_per_second": summary.rows_per_second(),
    })
}

/// Events between snapshots by default.
const SNAPSHOT_EVERY: u64 = 100;

fn options(args: &ImportArgs, stem: &str) -> Result<ImportOptions, CliError> {
    let strategy = match (args.persistence, args.snapshot_every) {
        (PersistenceArg::Light, None) => Strategy::Light,
        (PersistenceArg::Light, Some(_)) => {
            let reason =
                "--snapshot-every needs --persistence full: with light persistence every event writes the state";
            return Err(CliError::Usage(reason.to_owned()));
        }
        (PersistenceArg::Full, given) => {
            Strategy::Full { snapshot_every: Some(given.unwrap_or(SNAPSHOT_EVERY)).filter(|&every| every > 0) }
        }
    };
    if args.compact_on_snapshot && !matches!(strategy, Strategy::Full { snapshot_every: Some(_) }) {
        let reason = "--compact-on-snapshot needs snapshots: --persistence full, and --snapshot-every above 0";
        return Err(CliError::Usage(reason.to_owned()));
    }
    let options = ImportOptions {
        actor_column: args.actor_column.clone(),
        time_column: args.time_column.clone(),
        time_format: args.time_format.clone(),
        year: args.year,
        time_zone: args.time_zone.clone(),
        payload_column: args.payload_column.clone(),
        size_column: args.size_column.clone(),
        hexadecimal_payload: false,
        delimiter: args.delimiter,
        has_header: !args.no_header,
        skip_lines: args.skip_lines,
        comment: args.comment,
        escape: args.escape,
        skip_bad_rows: args.skip_bad_rows,
        rules: PersistenceRules { strategy, compact_on_snapshot: args.compact_on_snapshot, encrypted: args.encrypted },
        state_bytes: args.state_bytes,
        type_name: args.type_name.clone().unwrap_or_else(|| family_name(stem)),
        type_column: args.type_column.clone(),
        type_separator: args.type_separator,
        names: if args.keep_names { NameRule::Keep } else { NameRule::Hash },
        limits: ImportLimits::default(),
    };
    let Some(preset) = args.preset else { return Ok(options) };
    Ok(options.with_preset(match preset {
        PresetArg::AkkaJdbc => Preset::AkkaJdbc,
        PresetArg::Marten => Preset::Marten,
        PresetArg::MessageDb => Preset::MessageDb,
        PresetArg::Eventstoredb => Preset::EventStoreDb,
    }))
}
