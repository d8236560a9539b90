//! Reads logs in parallel: blocks are read ahead while those before are parsed, and collected in their order.

use rayon::prelude::*;

use super::actors::Actors;
use super::blocks::{Blocks, CutError};
use super::input::LogProgress;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::open_log::OpenLog;
use super::options::SkippedRows;
use super::parse::{BadRow, Flaw, Parsed, Plan};
use super::repeated::SeenLogs;
use super::sort::{Event, Sorter};
use crate::trace::error::TraceError;

/// Dates without a year that go back by more are those of the next year.
const HALF_A_YEAR: i64 = 180 * 86_400 * 1_000_000_000;

pub(super) struct Collected {
    pub(super) sorter: Sorter,
    pub(super) actors: Actors,
    pub(super) events: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
    /// Whether a time has no year.
    pub(super) has_yearless_times: bool,
    /// Events at times that the clocks showed twice.
    pub(super) repeated_times: u64,
    /// Events at times that the clocks skipped.
    pub(super) skipped_times: u64,
    /// How often the times went back by half a year from one row to the next.
    pub(super) steps_back: u64,
    pub(super) skipped: SkippedRows,
    pub(super) blank_rows: u64,
    pub(super) logs: SeenLogs,
    /// Time of each actor's last event in the order of the log; only if the clocks of the zone change.
    last: Option<Vec<i64>>,
    last_of_all: i64,
    /// Lines of the current log so far.
    lines: u64,
}

impl Collected {
    /// `skipped` are the rows that were left out when the log was decoded.
    pub(super) fn new(sorter: Sorter, plan: &Plan, skipped: SkippedRows) -> Self {
        let changes = plan.times.zone.as_ref().is_some_and(|zone| zone.to_fixed_offset().is_err());
        Self {
            sorter,
            actors: Actors::default(),
            events: 0,
            has_local_times: false,
            has_yearless_times: false,
            repeated_times: 0,
            skipped_times: 0,
            steps_back: 0,
            skipped,
            blank_rows: 0,
            logs: SeenLogs::default(),
            last: changes.then(Vec::new),
            last_of_all: i64::MIN,
            lines: 0,
        }
    }

    pub(super) fn read(
        &mut self,
        job: &mut ImportJob<'_>,
        progress: &LogProgress,
        log: OpenLog,
        plan: &Plan,
    ) -> Result<(), TraceError> {
        let source = log.source;
        let mut blocks = Blocks::new(log.rest, log.head, plan.dialect, job.options.limits.block_bytes);
        self.lines = log.lines_before;
        let mut next = blocks.next_batch();
        while let Some(batch) = next {
            let parse = || batch.blocks.par_iter().map(|block| plan.parse(block)).collect::<Vec<_>>();
            let (following, parsed) = rayon::join(|| blocks.next_batch(), parse);
            for parsed in parsed {
                let parsed = parsed.map_err(|bad| self.malformed(job, source, bad))?;
                self.take(job, source, parsed)?;
            }
            if let Some(failure) = batch.failure {
                return Err(self.failed(job, source, failure));
            }
            job.proceed(ImportStage::Read, progress)?;
            next = following;
        }
        self.logs.end(job)
    }

    fn take(&mut self, job: &ImportJob<'_>, source: usize, mut parsed: Parsed) -> Result<(), TraceError> {
        self.skip(job, source, &mut parsed)?;
        let too_many = || job.malformed(source, self.lines + 1, None, format!("more than {} actors", u32::MAX));
        let numbers = self.actors.numbers_of(parsed.actors).ok_or_else(too_many)?;
        for event in &mut parsed.events {
            event.actor = numbers[event.actor as usize];
        }
        self.keep_order(&mut parsed.events, &parsed.repeated);
        for event in &parsed.events {
            self.steps_back += u64::from(event.time < self.last_of_all.saturating_sub(HALF_A_YEAR));
            self.last_of_all = event.time;
            self.logs.add(event);
        }
        self.events += parsed.events.len() as u64;
        self.blank_rows += parsed.blank_rows;
        self.skipped_times += parsed.skipped_times;
        self.sorter.extend(parsed.events.into_iter()).map_err(|error| job.unwritable(error))?;
        self.lines += parsed.lines;
        self.has_local_times |= parsed.has_local_times;
        self.has_yearless_times |= parsed.has_yearless_times;
        Ok(())
    }

    /// Counts the rows that were skipped; fails above the limit.
    fn skip(&mut self, job: &ImportJob<'_>, source: usize, parsed: &mut Parsed) -> Result<(), TraceError> {
        let Some(first) = parsed.first_skipped.take() else { return Ok(()) };
        let counts = &mut self.skipped;
        counts.without_actor += parsed.skipped[Flaw::NoActor as usize];
        counts.without_time += parsed.skipped[Flaw::NoTime as usize];
        counts.ragged += parsed.skipped[Flaw::Ragged as usize];
        counts.too_large += parsed.skipped[Flaw::TooLarge as usize];
        let error = self.malformed(job, source, first);
        self.skipped.check(job.options.skip_bad_rows.unwrap_or(0), error)
    }

    /// Of two times that the clocks showed, takes the second if the first is before the actor's event above.
    fn keep_order(&mut self, events: &mut [Event], repeated: &[(usize, i64)]) {
        self.repeated_times += repeated.len() as u64;
        let Some(last) = &mut self.last else { return };
        let mut repeated = repeated.iter().peekable();
        for (place, event) in events.iter_mut().enumerate() {
            let actor = event.actor as usize;
            if last.len() <= actor {
                last.resize(actor + 1, i64::MIN);
            }
            if let Some(&(_, later)) = repeated.next_if(|repeated| repeated.0 == place)
                && event.time < last[actor]
                && later >= last[actor]
            {
                event.time = later;
            }
            last[actor] = event.time;
        }
    }

    fn malformed(&self, job: &ImportJob<'_>, source: usize, bad: BadRow) -> TraceError {
        job.malformed(source, self.lines + bad.line + 1, bad.column, bad.reason)
    }

    fn failed(&self, job: &ImportJob<'_>, source: usize, failure: CutError) -> TraceError {
        match failure {
            CutError::Read(error) => job.unreadable(source, error),
            CutError::OpenQuote(line) => {
                let escape = "; if a backslash stands before quotes, pass --escape '\\'";
                let escape = if job.options.escape.is_none() { escape } else { "" };
                let reason = format!("unclosed quote at the beginning of a field{escape}");
                job.malformed(source, self.lines + line + 1, None, reason)
            }
        }
    }
}
