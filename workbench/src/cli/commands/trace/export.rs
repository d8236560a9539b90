//! `trace export`.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::cli::args::{ExportArgs, TableArg, TableFormatArg};
use crate::cli::commands::trace::{read, unreadable};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::{Ending, output, resolve};
use crate::trace::{ExportError, Selection, Table, TableFormat, Trace, TraceError};
use crate::{trace, units};

/// zstd level of what is exported: the default.
const ZSTD_LEVEL: i32 = 3;

pub(crate) fn export(args: &ExportArgs, output: Output) -> Result<Ending, CliError> {
    let selection = selection(args)?;
    if args.output.is_none() && output.is_json() {
        let reason = "--json tells what was written, and standard output takes the table: name a file with -o, or ask \
                      for --format json-lines";
        return Err(CliError::Usage(reason.to_owned()));
    }
    let trace = read(&args.trace, args.allow_truncated)?;
    let rows = match &args.output {
        Some(target) => to_file(&trace, &selection, args, target)?,
        None => to_stdout(&trace, &selection, args)?,
    };
    if let Some(target) = &args.output {
        tell(rows, target, output)?;
    }
    Ok(Ending::Pass)
}

fn selection(args: &ExportArgs) -> Result<Selection, CliError> {
    if !(args.actors > 0.0 && args.actors <= 100.0) {
        let reason = format!("--actors {}: expected a share of more than 0 and at most 100 percent", args.actors);
        return Err(CliError::Usage(reason));
    }
    let time =
        |option: &str, text: &Option<String>| text.as_ref().map(|text| resolve::duration(option, text)).transpose();
    let (from, to) = (time("--from", &args.from)?.unwrap_or_default(), time("--to", &args.to)?);
    if to.is_some_and(|to| to <= from) {
        return Err(CliError::Usage("--to: expected a time later than --from".to_owned()));
    }
    let to_ns = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Ok(Selection { from_ns: to_ns(from), to_ns: to.map(to_ns), actors_ratio: args.actors / 100.0 })
}

fn write(trace: &Trace, selection: &Selection, args: &ExportArgs, out: &mut impl Write) -> Result<u64, ExportError> {
    let table = match args.table {
        TableArg::Commands => Table::Commands,
        TableArg::Actors => Table::Actors,
        TableArg::Trace => Table::Trace,
    };
    let format = match args.format {
        TableFormatArg::Csv => TableFormat::Csv,
        TableFormatArg::JsonLines => TableFormat::JsonLines,
    };
    trace::export(trace, selection, table, format, out)
}

fn to_stdout(trace: &Trace, selection: &Selection, args: &ExportArgs) -> Result<u64, CliError> {
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    let rows = write(trace, selection, args, &mut stdout).map_err(|error| told(error, args, CliError::Output))?;
    stdout.flush()?;
    Ok(rows)
}

/// Writes beside the target and moves it there: the file is whole or not there.
fn to_file(trace: &Trace, selection: &Selection, args: &ExportArgs, target: &Path) -> Result<u64, CliError> {
    let failed = |source| CliError::Trace(TraceError::File { action: "write", path: target.to_owned(), source });
    let file = trace::beside(target).map_err(failed)?;
    let mut out = BufWriter::new(file.as_file());
    let rows = if target.extension().is_some_and(|extension| extension == "zst") {
        let mut packed = zstd::Encoder::new(out, ZSTD_LEVEL).map_err(failed)?;
        packed.include_checksum(true).map_err(failed)?;
        let rows = write(trace, selection, args, &mut packed);
        out = packed.finish().map_err(failed)?;
        rows
    } else {
        write(trace, selection, args, &mut out)
    };
    let rows = rows.map_err(|error| told(error, args, failed))?;
    out.flush().map_err(failed)?;
    drop(out);
    trace::put_in_place(file, target).map_err(failed)?;
    Ok(rows)
}

fn told(error: ExportError, args: &ExportArgs, written: impl FnOnce(std::io::Error) -> CliError) -> CliError {
    match error {
        ExportError::Read(source) => unreadable(&args.trace)(source),
        ExportError::Write(source) => written(source),
        ExportError::Nothing => {
            TraceError::Empty { path: args.trace.clone(), what: "commands of these actors in that time" }.into()
        }
    }
}

fn tell(rows: u64, target: &Path, output: Output) -> Result<(), CliError> {
    if output.is_json() {
        return output::json(&serde_json::json!({ "file": target.display().to_string(), "rows_count": rows }));
    }
    output.line(&format!("{}: {}", units::counted(rows, "row"), target.display()))
}
