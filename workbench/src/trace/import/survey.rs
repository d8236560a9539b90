//! Decides from the first rows of a log how it is read.

use std::io::Read;

use rayon::prelude::*;

use super::blocks::{Blocks, fill, lines};
use super::columns::{Columns, guess_delimiter};
use super::input::OpenLog;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::options::ImportOptions;
use super::parse::{Plan, time_excerpt};
use super::read::Batches;
use super::rows::Rows;
use super::times::{ADVICE, DateOrder, Guess, KNOWN_FORMS, TimeForm, TimeReader, date_order, guess};
use crate::trace::error::TraceError;

/// Bytes that are read ahead for the survey.
const HEAD_BYTES: usize = 256 << 10;
/// Rows whose times decide the form.
const SAMPLE_ROWS: usize = 1000;

/// The first bytes of a log.
pub(super) struct Head {
    bytes: Vec<u8>,
    /// Whether the log has no more.
    is_whole: bool,
}

impl Head {
    pub(super) fn read(job: &ImportJob<'_>, log: &mut OpenLog) -> Result<Self, TraceError> {
        let mut bytes = Vec::new();
        let is_whole = fill(&mut log.reader, &mut bytes, HEAD_BYTES).map_err(|source| job.unreadable(source))?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            let reason = "UTF-16, expected UTF-8 or Latin-1; convert it, for example with `iconv -f UTF-16 -t UTF-8`";
            return Err(job.malformed(1, None, reason.to_owned()));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Self { bytes, is_whole })
    }

    /// The log cut into blocks from its beginning on.
    pub(super) fn into_blocks(self, reader: Box<dyn Read + Send>, delimiter: u8, block_bytes: usize) -> Blocks {
        Blocks::new(reader, self.bytes, delimiter, block_bytes)
    }
}

/// How the log is read, and a description for the summary.
pub(super) struct Survey {
    pub(super) plan: Plan,
    pub(super) described: Vec<String>,
}

impl Survey {
    pub(super) fn of(job: &mut ImportJob<'_>, head: &Head) -> Result<Self, TraceError> {
        let options = job.options;
        let delimiter = options.delimiter.unwrap_or_else(|| guess_delimiter(&head.bytes));
        let mut rows = Rows::new(&head.bytes, delimiter);
        if !rows.advance() {
            return Err(job.empty());
        }
        let columns = Columns::find(job.input.name(), &rows, options)?;
        let form = match options.time_format.as_deref() {
            Some(format) => TimeForm::named(format),
            None => find_form(job, head, &columns, delimiter)?,
        };
        let described = described(&columns, &form, delimiter, options);
        let times = TimeReader { form, zone: options.time_zone.clone() };
        Ok(Self { plan: Plan { delimiter, columns, times }, described })
    }
}

fn described(columns: &Columns, form: &TimeForm, delimiter: u8, options: &ImportOptions) -> Vec<String> {
    let guessed = |is_given: bool| if is_given { "" } else { " (guessed)" };
    let mut lines = columns.described();
    lines.insert(2, format!("time format: {}{}", form.name(), guessed(options.time_format.is_some())));
    let name = match delimiter {
        b'\t' => "tab".to_owned(),
        other => format!("`{}`", char::from(other)),
    };
    lines.push(format!("field separator: {name}{}", guessed(options.delimiter.is_some())));
    lines
}

/// The time of a row, and its line.
struct Sampled {
    line: u64,
    text: Vec<u8>,
}

fn find_form(job: &mut ImportJob<'_>, head: &Head, columns: &Columns, delimiter: u8) -> Result<TimeForm, TraceError> {
    let sample = sample(head, columns, delimiter);
    // Rows that do not fit the header are refused when they are read.
    let Some(first) = sample.first() else { return Ok(TimeForm::Iso) };
    let texts: Vec<_> = sample.iter().map(|sampled| sampled.text.clone()).collect();
    match guess(&texts) {
        Guess::Is(form) => Ok(form),
        Guess::Unknown => {
            let reason = format!("`{}`, expected a time: {KNOWN_FORMS}; {ADVICE}", time_excerpt(&first.text));
            Err(job.malformed(first.line, Some(columns.names(&columns.time)), reason))
        }
        Guess::DaysOrMonthsFirst(separator) => match search_order(job, head, columns, delimiter, separator)? {
            Some(order) => Ok(TimeForm::Date(order, separator)),
            None => Err(undecided(job, columns, first, separator)),
        },
    }
}

fn sample(head: &Head, columns: &Columns, delimiter: u8) -> Vec<Sampled> {
    let mut rows = Rows::new(&head.bytes, delimiter);
    let mut sample = Vec::new();
    rows.advance();
    while sample.len() < SAMPLE_ROWS && rows.advance() {
        let is_cut_off = !head.is_whole && rows.end() == head.bytes.len();
        if rows.len() == columns.headers.len() && !is_cut_off {
            let text = Plan::time_text(&columns.time, &rows).into_owned();
            sample.push(Sampled { line: lines(&head.bytes[..rows.start()]) + 1, text });
        }
    }
    sample
}

/// Searches the log for a date whose day is above 12.
fn search_order(
    job: &mut ImportJob<'_>,
    head: &Head,
    columns: &Columns,
    delimiter: u8,
    separator: u8,
) -> Result<Option<DateOrder>, TraceError> {
    let (blocks, log) = if job.input.opens_again() && !head.is_whole {
        let mut log = job.input.open().map_err(|source| job.unreadable(source))?;
        let reader = std::mem::replace(&mut log.reader, Box::new(std::io::empty()));
        (Blocks::new(reader, Vec::new(), delimiter, job.options.limits.block_bytes), Some(log))
    } else {
        let block_bytes = job.options.limits.block_bytes;
        (Blocks::new(Box::new(std::io::empty()), head.bytes.clone(), delimiter, block_bytes), None)
    };
    let mut batches = Batches::new(blocks);
    while let Some(batch) = batches.next_batch() {
        let found = batch.blocks.par_iter().find_map_first(|block| order_in(block, columns, delimiter, separator));
        if found.is_some() {
            return Ok(found);
        }
        job.proceed(ImportStage::Survey, log.as_ref())?;
        // The error is reported when the log is read.
        if batch.failure.is_some() {
            break;
        }
    }
    Ok(None)
}

fn order_in(block: &[u8], columns: &Columns, delimiter: u8, separator: u8) -> Option<DateOrder> {
    let mut rows = Rows::new(block, delimiter);
    while rows.advance() {
        if rows.len() == columns.headers.len()
            && let Some(order) = date_order(&Plan::time_text(&columns.time, &rows), separator)
        {
            return Some(order);
        }
    }
    None
}

fn undecided(job: &ImportJob<'_>, columns: &Columns, first: &Sampled, separator: u8) -> TraceError {
    let (found, s) = (time_excerpt(&first.text), char::from(separator));
    let searched = if job.input.opens_again() { "the log" } else { "the first rows" };
    let reason = format!(
        "`{found}` has an ambiguous date: no date in {searched} has a day above 12; set the order with \
         `--time-format '%d{s}%m{s}%Y …'` or `--time-format '%m{s}%d{s}%Y …'`"
    );
    job.malformed(first.line, Some(columns.names(&columns.time)), reason)
}
