//! Decides from the first rows of a log how it is read.

use std::io::{self, Read};

use rayon::prelude::*;

use super::blocks::{Blocks, fill};
use super::columns::{Columns, guess_delimiter};
use super::job::ImportJob;
use super::observer::ImportStage;
use super::parse::{Plan, time_excerpt};
use super::rows::Rows;
use super::times::{ADVICE, DateOrder, Guess, KNOWN_FORMS, TimeForm, TimeReader, date_order, guess};
use crate::trace::error::TraceError;

const HEAD_BYTES: usize = 256 << 10;
/// Rows whose times decide the form.
const SAMPLE_ROWS: usize = 1000;

pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    /// Whether the log has no more.
    is_whole: bool,
}

impl Head {
    pub(super) fn read(job: &ImportJob<'_>, log: &mut dyn Read) -> Result<Self, TraceError> {
        let mut bytes = Vec::new();
        let is_whole = fill(log, &mut bytes, HEAD_BYTES).map_err(|source| job.unreadable(source))?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            let reason = "UTF-16, expected UTF-8 or Latin-1; convert it, for example with `iconv -f UTF-16 -t UTF-8`";
            return Err(job.malformed(1, None, reason.to_owned()));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Self { bytes, is_whole })
    }
}

/// How the log is read, and a description for the summary.
pub(super) fn survey(job: &mut ImportJob<'_>, head: &Head) -> Result<(Plan, Vec<String>), TraceError> {
    let options = job.options;
    let delimiter = options.delimiter.unwrap_or_else(|| guess_delimiter(&head.bytes));
    let mut rows = Rows::new(&head.bytes, delimiter);
    let header = rows.next_row().ok_or_else(|| job.empty())?;
    let columns = Columns::find(&job.input.name, header, options)?;
    let form = options.time_format.as_deref().map_or(TimeForm::Iso, TimeForm::named);
    let mut plan = Plan { delimiter, columns, times: TimeReader { form, zone: options.time_zone.clone() } };
    if options.time_format.is_none() {
        plan.times.form = find_form(job, head, &plan)?;
    }
    let guessed = |is_given: bool| if is_given { "" } else { " (guessed)" };
    let separator = if delimiter == b'\t' { "tab".to_owned() } else { format!("`{}`", char::from(delimiter)) };
    let mut described = plan.columns.described();
    described.insert(2, format!("time format: {}{}", plan.times.form.name(), guessed(options.time_format.is_some())));
    described.push(format!("field separator: {separator}{}", guessed(options.delimiter.is_some())));
    Ok((plan, described))
}

fn find_form(job: &mut ImportJob<'_>, head: &Head, plan: &Plan) -> Result<TimeForm, TraceError> {
    let (line, texts) = sample(head, plan);
    // Rows that do not fit the header are refused when they are read.
    let Some(first) = texts.first() else { return Ok(TimeForm::Iso) };
    let found = time_excerpt(first);
    let reason = match guess(&texts) {
        Guess::Is(form) => return Ok(form),
        Guess::Unknown => format!("`{found}`, expected a time: {KNOWN_FORMS}; {ADVICE}"),
        Guess::DaysOrMonthsFirst(separator) => {
            if let Some(order) = search_order(job, head, plan, separator)? {
                return Ok(TimeForm::Date(order, separator));
            }
            let searched = if job.input.opens_again { "the log" } else { "the first rows" };
            let s = char::from(separator);
            format!(
                "`{found}` has an ambiguous date: no date in {searched} has a day above 12; set the order with \
                 `--time-format '%d{s}%m{s}%Y …'` or `--time-format '%m{s}%d{s}%Y …'`"
            )
        }
    };
    Err(job.malformed(line, Some(plan.columns.names(&plan.columns.time)), reason))
}

/// Times of the first rows, and the line of the first of them.
fn sample(head: &Head, plan: &Plan) -> (u64, Vec<Vec<u8>>) {
    let mut rows = Rows::new(&head.bytes, plan.delimiter);
    let (mut line, mut texts) = (0, Vec::new());
    rows.next_row();
    while texts.len() < SAMPLE_ROWS
        && let Some(row) = rows.next_row()
    {
        let text = plan.fits(row).then(|| plan.time_text(row).into_owned());
        // The last record of a longer log is cut off.
        if let Some(text) = text.filter(|_| head.is_whole || !rows.is_at_end()) {
            if texts.is_empty() {
                line = rows.lines_before() + 1;
            }
            texts.push(text);
        }
    }
    (line, texts)
}

/// Searches the log for a date whose day is above 12.
fn search_order(
    job: &mut ImportJob<'_>,
    head: &Head,
    plan: &Plan,
    separator: u8,
) -> Result<Option<DateOrder>, TraceError> {
    let mut reader: Box<dyn Read + Send> = Box::new(io::empty());
    let (mut bytes, mut progress) = (Vec::new(), None);
    if job.input.opens_again && !head.is_whole {
        let log = job.input.open().map_err(|source| job.unreadable(source))?;
        (reader, progress) = (log.0, Some(log.1));
    } else {
        bytes.clone_from(&head.bytes);
    }
    let mut blocks = Blocks::new(reader, bytes, plan.delimiter, job.options.limits.block_bytes);
    while let Some(batch) = blocks.next_batch() {
        let found = batch.blocks.par_iter().find_map_first(|block| order_in(block, plan, separator));
        if found.is_some() {
            return Ok(found);
        }
        // An error that ended the log is reported when the log is read.
        job.proceed(ImportStage::Survey, progress.as_ref())?;
    }
    Ok(None)
}

fn order_in(block: &[u8], plan: &Plan, separator: u8) -> Option<DateOrder> {
    let mut rows = Rows::new(block, plan.delimiter);
    while let Some(row) = rows.next_row() {
        let order = plan.fits(row).then(|| date_order(&plan.time_text(row), separator));
        if let Some(Some(order)) = order {
            return Some(order);
        }
    }
    None
}
