//! From logs of any known kind to rows of CSV.

use super::super::input::LogProgress;
use super::super::job::ImportJob;
use super::super::options::ImportOptions;
use super::kind::{HEAD_BYTES, Kind, kind_of};
use super::ocel::Form;
use super::sources::Decoded;
use super::{json_lines, ocel, parquet, xes};
use crate::trace::error::TraceError;

type Decode = fn(&mut ImportJob<'_>) -> Result<Decoded, TraceError>;

/// Decodes the logs of a job and returns its options with the columns of the rows; `None` if the logs are CSV, or nothing
/// else that is known. `progress` counts the bytes of pipes.
pub(in super::super) fn decode(
    job: &mut ImportJob<'_>,
    progress: &LogProgress,
) -> Result<Option<ImportOptions>, TraceError> {
    let kind = kind_of_source(job, 0, progress)?;
    for source in 1..job.input.count() {
        let other = kind_of_source(job, source, progress)?;
        if other != kind {
            let reason = format!("{}, expected {} as {}", other.name(), kind.name(), job.input.name(0).display());
            return Err(job.at(source, "format".to_owned(), None, reason));
        }
    }
    let decode: Decode = match kind {
        Kind::Csv => return Ok(None),
        Kind::Xes => xes::decode,
        Kind::Ocel(Form::Json) => |job| ocel::decode(job, Form::Json),
        Kind::Ocel(Form::Xml) => |job| ocel::decode(job, Form::Xml),
        Kind::Ocel(Form::Sqlite) => |job| ocel::decode(job, Form::Sqlite),
        Kind::JsonLines => json_lines::decode,
        Kind::Parquet => parquet::decode,
    };
    let given = job.options;
    for (option, is_given) in [
        ("--delimiter", given.delimiter.is_some()),
        ("--no-header", !given.has_header),
        ("--skip-lines", given.skip_lines > 0),
        ("--comment", given.comment.is_some()),
        ("--escape", given.escape.is_some()),
    ] {
        if is_given {
            return Err(job.unsuitable(0, option, format!("the log is {}", kind.name())));
        }
    }
    let Decoded { rows, options, notes } = decode(job)?;
    for (source, rows) in rows.into_iter().enumerate() {
        job.input.replace_by_rows(source, rows);
    }
    job.format = Some(kind.name());
    job.notes = notes;
    Ok(Some(ImportOptions { delimiter: Some(b','), ..options }))
}

fn kind_of_source(job: &mut ImportJob<'_>, source: usize, progress: &LogProgress) -> Result<Kind, TraceError> {
    let head = job.input.first_bytes(source, HEAD_BYTES, progress).map_err(|error| job.unreadable(source, error))?;
    let path = job.input.name(source);
    kind_of(&head).map_err(|other| TraceError::NotALog {
        path: path.to_owned(),
        what: other.what.to_owned(),
        advice: other.advice(path),
    })
}
