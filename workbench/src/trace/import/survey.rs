//! Decides from the first rows of a log how it is read.

use std::io::Read;

use rayon::prelude::*;

use super::blocks::{Blocks, CutError, Dialect};
use super::columns::Columns;
use super::delimiter::guess_delimiter;
use super::input::LogProgress;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::open_log::OpenLog;
use super::options::ImportOptions;
use super::parse::{Plan, time_excerpt};
use super::rows::{Rows, joined};
use super::sample::Sample;
use super::times::{ADVICE, Candidates, Guess, KNOWN_FORMS, TimeForm, TimeReader, guess};
use crate::trace::error::TraceError;
use crate::units;

/// How the log is read, and a description for the summary. Takes the header from the log.
pub(super) fn survey(job: &mut ImportJob<'_>, log: &mut OpenLog) -> Result<(Plan, Vec<String>), TraceError> {
    let options = job.options;
    let (comment, escape) = (options.comment, options.escape);
    let delimiter = options.delimiter.or(log.separator);
    let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(&log.head, comment, escape));
    let dialect = Dialect { delimiter, comment, escape };
    let mut sample = Sample::read(job, log, dialect)?;
    while sample.rows.is_empty() && log.grow_head(job)? {
        sample = Sample::read(job, log, dialect)?;
    }
    let reader = |form| TimeReader { form, zone: options.time_zone.clone(), year: options.year };
    let given = options.time_format.as_deref().map(|format| reader(TimeForm::named(format)));
    let columns = Columns::find(job, &sample, given.as_ref())?;
    let given_form = given.map(|reader| reader.form);
    let is_given = given_form.is_some();
    let times = reader(TimeForm::Iso);
    let without_actor = without_actor(&sample, &columns);
    let skips_bad_rows = options.skip_bad_rows.is_some();
    let ImportOptions { hexadecimal_payload, type_separator, .. } = *options;
    let mut plan = Plan { dialect, columns, times, hexadecimal_payload, type_separator, skips_bad_rows, without_actor };
    plan.times.form = find_form(job, log, &sample, &plan, given_form)?;
    let names: Vec<&[u8]> = plan.columns.time.iter().map(|&at| plan.columns.headers[at].as_bytes()).collect();
    let first_row = names.join(&b' ');
    if options.has_header && plan.times.read(&first_row).is_some() {
        let reason = format!(
            "`{}` in the first row is a time, expected names of columns; a log without them needs --no-header",
            time_excerpt(&first_row)
        );
        return Err(job.malformed(log.source, log.lines_before + 1, None, reason));
    }
    log.drop_lines(sample.header_bytes);
    let guessed = |is_given: bool| if is_given { "" } else { " (guessed)" };
    let separator = if delimiter == b'\t' { "tab".to_owned() } else { format!("`{}`", char::from(delimiter)) };
    let mut described = plan.columns.described();
    described.insert(2, format!("time format: {}{}", plan.times.form.name(), guessed(is_given)));
    described.push(match job.format {
        Some(format) => format!("format: {format}"),
        None => format!("field separator: {separator}{}", guessed(options.delimiter.or(log.separator).is_some())),
    });
    Ok((plan, described))
}

/// Takes the header from a further log; fails unless it is that of the first one.
pub(super) fn take_header(job: &ImportJob<'_>, log: &mut OpenLog, plan: &Plan) -> Result<(), TraceError> {
    let sample = Sample::read(job, log, plan.dialect)?;
    let expected = &plan.columns.headers;
    if sample.headers == *expected {
        log.drop_lines(sample.header_bytes);
        return Ok(());
    }
    let other = sample.headers.iter().zip(expected).position(|(found, expected)| found != expected);
    let differs = other.map_or_else(
        || format!("{} columns, expected {}", sample.headers.len(), expected.len()),
        |at| {
            let [found, expected] = [&sample.headers[at], &expected[at]].map(|name| crate::workload::excerpt(name));
            format!("column {} is `{found}`, expected `{expected}`", at + 1)
        },
    );
    let first = job.input.name(0).display();
    Err(job.malformed(log.source, log.lines_before + 1, None, format!("{differs} as in {first}")))
}

fn without_actor(sample: &Sample, columns: &Columns) -> String {
    let is_blank = |row: &csv::ByteRecord| joined(row, &columns.actor, b' ').trim_ascii().is_empty();
    let blank = sample.rows.iter().filter(|sample| is_blank(&sample.row)).count();
    if blank == 0 {
        return String::new();
    }
    let rows = units::counted(sample.rows.len() as u64, "row");
    format!(" ({:.0} % of the first {rows} have none)", 100.0 * blank as f64 / sample.rows.len() as f64)
}

/// The form that was given, or is found from the first rows.
fn find_form(
    job: &mut ImportJob<'_>,
    log: &mut OpenLog,
    sample: &Sample,
    plan: &Plan,
    given: Option<TimeForm>,
) -> Result<TimeForm, TraceError> {
    // Rows that do not fit the header are refused when they are read.
    let rows: Vec<_> = sample.rows.iter().filter(|sample| plan.fits(&sample.row)).collect();
    let texts: Vec<_> = rows.iter().map(|sample| plan.time_text(&sample.row).into_owned()).collect();
    let found = match given {
        Some(form) => Ok(form),
        None if texts.is_empty() => Ok(TimeForm::Iso),
        None => guessed_form(job, log, &texts, plan)?,
    };
    let (place, reason) = match found {
        Err(flaw) => flaw,
        Ok(form) => {
            let Some((place, precision_ns)) = form.rounding(&texts) else { return Ok(form) };
            let precision = units::duration(precision_ns);
            let reason = format!(
                "times rounded to {precision}, as a spreadsheet rounds long numbers; export them as whole numbers or as dates"
            );
            (place, reason)
        }
    };
    let reason = format!("`{}`: {reason}", time_excerpt(&texts[place]));
    Err(job.malformed(log.source, rows[place].line, Some(plan.columns.names(&plan.columns.time)), reason))
}

/// The form of the texts, or the place of one that has none, and the reason.
fn guessed_form(
    job: &mut ImportJob<'_>,
    log: &mut OpenLog,
    texts: &[Vec<u8>],
    plan: &Plan,
) -> Result<Result<TimeForm, (usize, String)>, TraceError> {
    Ok(Err(match guess(texts, job.options.year, job.options.time_zone.as_ref()) {
        Guess::Is(form) => return Ok(Ok(form)),
        Guess::OtherZone(place, problem) => (place, problem),
        Guess::Unknown if is_cut_clock(&texts[0]) => {
            let reason = "minutes and seconds, as a spreadsheet shows a time; export it with its date and hour";
            (0, reason.to_owned())
        }
        Guess::Unknown => (0, format!("expected a time: {KNOWN_FORMS}; {ADVICE}")),
        Guess::WithoutYear => (0, "a date without a year; set it, for example `--year 2015`".to_owned()),
        Guess::Number(place, readings) => {
            (place, format!("not clearly a time: {readings}; set one with --time-format or another column"))
        }
        Guess::Ambiguous(candidates) => {
            let left = search_order(job, log, plan, candidates)?;
            if let Some(form) = left.decided() {
                return Ok(Ok(form.clone()));
            }
            let place = texts.iter().position(|text| left.fit(text)).unwrap_or(0);
            let readings = left.readings(&texts[place]).join(" or ");
            (place, format!("an ambiguous date: {readings}; no date of the log has a single reading"))
        }
    }))
}

/// `24:56.3`, of which a spreadsheet hides date and hour.
fn is_cut_clock(text: &[u8]) -> bool {
    let [minutes @ .., b':', tens, ones, b'.', tenths] = text.trim_ascii() else { return false };
    matches!(minutes.len(), 1 | 2) && minutes.iter().chain([tens, ones, tenths]).all(u8::is_ascii_digit)
}

/// Searches the logs for a date that has only one of the orders.
fn search_order(
    job: &mut ImportJob<'_>,
    log: &mut OpenLog,
    plan: &Plan,
    mut candidates: Candidates,
) -> Result<Candidates, TraceError> {
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        let (head, rest) = if job.input.opens_again(source) {
            let again = OpenLog::open(job, source, &progress)?;
            (again.head, again.rest)
        } else if source == log.source {
            (log.head.clone(), log.spool(job, &progress)?)
        } else {
            // Another pipe is read once. If it could decide, the order is an option.
            continue;
        };
        search_in(job, source, &progress, rest, head, plan, &mut candidates)?;
        if candidates.decided().is_some() {
            break;
        }
    }
    Ok(candidates)
}

fn search_in(
    job: &ImportJob<'_>,
    source: usize,
    progress: &LogProgress,
    rest: Box<dyn Read + Send>,
    head: Vec<u8>,
    plan: &Plan,
    candidates: &mut Candidates,
) -> Result<(), TraceError> {
    let mut blocks = Blocks::new(rest, head, plan.dialect, job.options.limits.block_bytes);
    while let Some(batch) = blocks.next_batch() {
        let found: Vec<_> = batch.blocks.par_iter().map(|block| narrowed(block, plan, candidates.clone())).collect();
        for behind in &found {
            candidates.meet(behind);
        }
        if candidates.decided().is_some() {
            return Ok(());
        }
        // An unclosed quote is reported when the log is read.
        if let Some(CutError::Read(error)) = batch.failure {
            return Err(job.unreadable(source, error));
        }
        job.proceed(ImportStage::Survey, progress)?;
    }
    Ok(())
}

fn narrowed(block: &[u8], plan: &Plan, mut candidates: Candidates) -> Candidates {
    let mut rows = Rows::new(block, plan.dialect);
    while candidates.decided().is_none()
        && let Some(row) = rows.next_row()
    {
        if plan.fits(row) {
            candidates.narrow(&plan.time_text(row));
        }
    }
    candidates
}
