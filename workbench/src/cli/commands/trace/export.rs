//! `trace export`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{files, read};
use crate::cli::args::trace::{ExportArgs, TableArg, TableFormatArg};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::output_file;
use crate::trace::{AtomicFile, ExportError, Selection, Table, TableFormat, Trace, TraceError};
use crate::{trace, units};

pub(crate) fn run(args: &ExportArgs, output: Output) -> Result<(), CliError> {
    let selection = selection(args)?;
    let is_parquet = args.format == Some(TableFormatArg::Parquet);
    if table(args) == Table::Trace && args.format.is_some() && !is_parquet {
        return Err(CliError::Usage(
            "--format is of the tables `commands` and `actors`; a trace has its own".to_owned(),
        ));
    }
    if args.output.is_none() && output.json {
        let reason = "--json prints a summary, but standard output is the table: write the table to a file with -o, or use \
                      --format json-lines";
        return Err(CliError::Usage(reason.to_owned()));
    }
    let output = output_file::admit(args.output.as_deref(), args.overwrite, &files(&args.trace), output)?;
    let trace = read(&args.trace, args.allow_truncated)?;
    let Some(target) = &args.output else { return to_stdout(&trace, &selection, args) };
    let rows = to_file(&trace, &selection, args, target)?;
    let file = target.display().to_string();
    output.result(&serde_json::json!({ "file": file, "rows_count": rows }), || {
        output.line(&format!("{}: {file}", units::counted(rows, "row")))
    })
}

fn selection(args: &ExportArgs) -> Result<Selection, CliError> {
    let (from, to) = (args.from, args.to);
    if to.is_some_and(|to| to <= from) {
        return Err(CliError::Usage("--to: expected a time later than --from".to_owned()));
    }
    let to_ns = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Ok(Selection { from_ns: to_ns(from), to_ns: to.map(to_ns), actors_ratio: args.actors / 100.0, shard: args.shard })
}

fn table(args: &ExportArgs) -> Table {
    match args.table {
        Some(TableArg::Actors) => Table::Actors,
        Some(TableArg::Trace) => Table::Trace,
        None if args.format == Some(TableFormatArg::Parquet) || args.shard.is_some() => Table::Trace,
        Some(TableArg::Commands) | None => Table::Commands,
    }
}

fn write(
    trace: &Trace,
    selection: &Selection,
    args: &ExportArgs,
    out: &mut (impl Write + Send),
) -> Result<u64, ExportError> {
    let format = match args.format {
        None | Some(TableFormatArg::Csv) => TableFormat::Csv,
        Some(TableFormatArg::JsonLines) => TableFormat::JsonLines,
        Some(TableFormatArg::Parquet) => TableFormat::Parquet,
    };
    trace::export(trace, selection, table(args), format, out)
}

fn to_stdout(trace: &Trace, selection: &Selection, args: &ExportArgs) -> Result<(), CliError> {
    let mut stdout = BufWriter::new(std::io::stdout());
    write(trace, selection, args, &mut stdout).map_err(|error| export_error(error, args, CliError::Output))?;
    Ok(stdout.flush()?)
}

fn to_file(trace: &Trace, selection: &Selection, args: &ExportArgs, target: &Path) -> Result<u64, CliError> {
    let failed = |source| TraceError::file("write", target)(source).into();
    let mut file = AtomicFile::create(target).map_err(failed)?;
    let rows = write(trace, selection, args, &mut file).map_err(|error| export_error(error, args, failed))?;
    file.commit().map_err(failed)?;
    Ok(rows)
}

fn export_error(error: ExportError, args: &ExportArgs, write_error: impl FnOnce(io::Error) -> CliError) -> CliError {
    match error {
        ExportError::Read(source) => TraceError::file("read", &args.trace)(source).into(),
        ExportError::Write(source) => write_error(source),
        ExportError::ShardOfShard { .. } => CliError::Usage(format!("--shard: {error}")),
        ExportError::NothingOfShard => {
            TraceError::Empty { path: args.trace.clone(), what: "commands of this shard: use fewer shards" }.into()
        }
        ExportError::Nothing => {
            TraceError::Empty { path: args.trace.clone(), what: "commands of these actors in that time" }.into()
        }
    }
}
