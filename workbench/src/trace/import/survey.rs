//! The look at the first rows of a log that decides how all of it is read.

use std::io::Read;

use rayon::prelude::*;

use crate::trace::error::TraceError;
use crate::trace::import::Import;
use crate::trace::import::blocks::{Blocks, fill, lines};
use crate::trace::import::columns::{Columns, guess_delimiter};
use crate::trace::import::input::OpenLog;
use crate::trace::import::observer::ImportStage;
use crate::trace::import::parse::{Plan, unknown_form};
use crate::trace::import::read::Batches;
use crate::trace::import::rows::Rows;
use crate::trace::import::times::{ADVICE, Form, Guess, Order, TimeReader, between_orders, guess};

/// What is read ahead to find out how the log is written.
const HEAD_BYTES: usize = 256 << 10;
/// Rows whose times are looked at.
const SAMPLE_ROWS: usize = 1000;

/// The beginning of a log.
pub(super) struct Head {
    bytes: Vec<u8>,
    /// Whether that is all of it.
    is_whole: bool,
}

impl Head {
    pub(super) fn read(import: &Import<'_>, log: &mut OpenLog) -> Result<Self, TraceError> {
        let mut bytes = Vec::new();
        let is_whole = fill(&mut log.reader, &mut bytes, HEAD_BYTES).map_err(|source| import.unreadable(source))?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            let reason = "UTF-16, expected UTF-8 or Latin-1; convert it, for example with `iconv -f UTF-16 -t UTF-8`";
            return Err(import.bad_line(1, reason.to_owned()));
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

/// How the log is read, and what of it was guessed.
pub(super) struct Survey {
    pub(super) plan: Plan,
    pub(super) described: Vec<String>,
}

impl Survey {
    pub(super) fn of(import: &mut Import<'_>, head: &Head) -> Result<Self, TraceError> {
        let options = import.options;
        let delimiter = options.delimiter.unwrap_or_else(|| guess_delimiter(&head.bytes));
        let mut rows = Rows::new(&head.bytes, delimiter);
        if !rows.advance() {
            return Err(import.empty());
        }
        let columns = Columns::find(import.input.name(), &rows, options)?;
        let form = match options.time_format.as_deref() {
            Some(format) => Form::told(format),
            None => find_form(import, head, &columns, delimiter)?,
        };
        let described = described(&columns, &form, delimiter, options);
        let times = TimeReader { form, zone: options.time_zone.clone() };
        Ok(Self { plan: Plan { delimiter, columns, times }, described })
    }
}

fn described(
    columns: &Columns,
    form: &Form,
    delimiter: u8,
    options: &crate::trace::import::options::ImportOptions,
) -> Vec<String> {
    let guessed = |told: bool| if told { "" } else { " (guessed)" };
    let mut lines = columns.described();
    lines.insert(2, format!("time format: {}{}", form.words(), guessed(options.time_format.is_some())));
    let name = match delimiter {
        b'\t' => "tab".to_owned(),
        other => format!("`{}`", char::from(other)),
    };
    lines.push(format!("field separator: {name}{}", guessed(options.delimiter.is_some())));
    lines
}

/// The time of a row, and the line it stands on.
struct Sampled {
    line: u64,
    text: Vec<u8>,
}

fn find_form(import: &mut Import<'_>, head: &Head, columns: &Columns, delimiter: u8) -> Result<Form, TraceError> {
    let sample = sample(head, columns, delimiter);
    // Rows that do not even fit the header are refused when they are read.
    let Some(first) = sample.first() else { return Ok(Form::Iso) };
    let texts: Vec<_> = sample.iter().map(|sampled| sampled.text.clone()).collect();
    match guess(&texts) {
        Guess::Is(form) => Ok(form),
        Guess::Unknown => {
            let (column, reason) = unknown_form(columns, &first.text);
            Err(import.bad_field(first.line, column, reason))
        }
        Guess::DaysOrMonthsFirst(separator) => match search_order(import, head, columns, delimiter, separator)? {
            Some(order) => Ok(Form::Date(order, separator)),
            None => Err(undecided(import, columns, first, separator)),
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

/// Looks through the log for a date whose day is above 12.
fn search_order(
    import: &mut Import<'_>,
    head: &Head,
    columns: &Columns,
    delimiter: u8,
    separator: u8,
) -> Result<Option<Order>, TraceError> {
    let (blocks, log) = if import.input.opens_again() && !head.is_whole {
        let mut log = import.input.open().map_err(|source| import.unreadable(source))?;
        let reader = std::mem::replace(&mut log.reader, Box::new(std::io::empty()));
        (Blocks::new(reader, Vec::new(), delimiter, import.options.limits.block_bytes), Some(log))
    } else {
        let block_bytes = import.options.limits.block_bytes;
        (Blocks::new(Box::new(std::io::empty()), head.bytes.clone(), delimiter, block_bytes), None)
    };
    let mut batches = Batches::new(blocks);
    while let Some(batch) = batches.next_batch() {
        let found = batch.blocks.par_iter().find_map_first(|block| order_in(block, columns, delimiter, separator));
        if found.is_some() {
            return Ok(found);
        }
        import.proceed(ImportStage::Survey, log.as_ref())?;
        // What is wrong with the log is told when it is read.
        if batch.failure.is_some() {
            break;
        }
    }
    Ok(None)
}

fn order_in(block: &[u8], columns: &Columns, delimiter: u8, separator: u8) -> Option<Order> {
    let mut rows = Rows::new(block, delimiter);
    while rows.advance() {
        if rows.len() == columns.headers.len()
            && let Some(order) = between_orders(&Plan::time_text(&columns.time, &rows), separator)
        {
            return Some(order);
        }
    }
    None
}

fn undecided(import: &Import<'_>, columns: &Columns, first: &Sampled, separator: u8) -> TraceError {
    let (found, s) = (String::from_utf8_lossy(first.text.trim_ascii()), char::from(separator));
    let where_looked = if import.input.opens_again() { "the log" } else { "the first rows" };
    let reason = format!(
        "`{found}`, which is a day of two months: no date in {where_looked} has a day above 12, so say whether days \
         (`--time-format '%d{s}%m{s}%Y …'`) or months (`%m{s}%d{s}%Y …`) come first; {ADVICE}"
    );
    import.bad_field(first.line, Some(columns.names(&columns.time)), reason)
}
