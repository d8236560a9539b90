//! `trace import`.

use std::path::{Path, PathBuf};

use crate::actor::{PersistenceRules, Strategy};
use crate::cli::args::trace::{ImportArgs, PersistenceArg};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::ImportProgress;
use crate::cli::resolve;
use crate::trace::{ImportLimits, ImportOptions, ImportSummary, LogInput};
use crate::workload::escape;
use crate::{trace, units};
use ave_actors_rocksdb::trace::NameRule;

const STANDARD_INPUT: &str = "-";

pub(crate) fn run(args: &ImportArgs, output: Output) -> Result<(), CliError> {
    let stem = log_name(&args.log);
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{stem}.trace.csv.zst")));
    let options = options(args, &stem);
    let progress = ImportProgress::new(output, resolve::stop_on_ctrl_c()?);
    let summary = trace::import_from(input(&args.log, &target)?, &target, &options, &progress);
    progress.bar.finish_and_clear();
    let summary = summary?;
    output.result(&json_summary(&summary, &target), || print(&summary, &target.display().to_string(), output))
}

fn print(summary: &ImportSummary, target: &str, output: Output) -> Result<(), CliError> {
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
    let (rate, seconds) = (units::number(summary.rows_per_second()), units::seconds(summary.elapsed.as_secs_f64()));
    output.line(&format!("Imported in {seconds}, {rate} rows/s."))?;
    output.line(&format!("Trace: {target}\nReplay it with `ave-workbench run {target}`."))
}

/// The log's name without extensions: `orders` for `orders.csv.gz`.
fn log_name(log: &Path) -> String {
    if log.as_os_str() == STANDARD_INPUT {
        return "stdin".to_owned();
    }
    let is_packed = log.extension().is_some_and(|extension| extension == "zst" || extension == "gz");
    let unpacked = if is_packed { log.with_extension("") } else { log.to_owned() };
    unpacked.file_stem().map_or_else(|| "trace".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn input(log: &Path, target: &Path) -> Result<LogInput, CliError> {
    if log.as_os_str() == STANDARD_INPUT {
        return Ok(LogInput::reader("standard input", std::io::stdin()));
    }
    let same = log.canonicalize().is_ok_and(|log| target.canonicalize().is_ok_and(|target| target == log));
    if same {
        return Err(CliError::Usage(format!("--output {}: is the log itself", target.display())));
    }
    Ok(LogInput::file(log))
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
        "elapsed_seconds": summary.elapsed.as_secs_f64(),
        "rows_per_second": summary.rows_per_second(),
    })
}

fn options(args: &ImportArgs, stem: &str) -> ImportOptions {
    let snapshot_every = (args.snapshot_every > 0).then_some(args.snapshot_every);
    ImportOptions {
        actor_column: args.actor_column.clone(),
        time_column: args.time_column.clone(),
        time_format: args.time_format.clone(),
        time_zone: args.time_zone.clone(),
        payload_column: args.payload_column.clone(),
        delimiter: args.delimiter,
        rules: PersistenceRules {
            strategy: match args.persistence {
                PersistenceArg::Light => Strategy::Light,
                PersistenceArg::Full => Strategy::Full { snapshot_every },
            },
            compact_on_snapshot: args.compact_on_snapshot,
            encrypted: args.encrypted,
        },
        state_bytes: args.state_bytes,
        type_name: args.type_name.clone().unwrap_or_else(|| column_family_name(stem)),
        names: if args.keep_names { NameRule::Keep } else { NameRule::Hash },
        limits: ImportLimits::default(),
    }
}

/// A file's name as part of a column family's, without commas and the like.
fn column_family_name(stem: &str) -> String {
    stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
