//! Reads a log in parallel: blocks are read ahead while those before are parsed, and collected in their order.

use rayon::prelude::*;

use super::actors::Actors;
use super::blocks::{Blocks, CutError};
use super::input::OpenLog;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::parse::{Parsed, Plan};
use super::sort::{Event, Sorter};
use crate::trace::error::TraceError;

/// Blocks of a batch for each thread: enough that no thread waits long for the last one.
const BLOCKS_PER_THREAD: usize = 4;

/// Hands out blocks several at a time.
pub(super) struct Batches {
    /// Absent when there are no more.
    blocks: Option<Blocks>,
}

/// Blocks in the order of the log, and the error that ended the log behind them.
pub(super) struct Batch {
    pub(super) blocks: Vec<Vec<u8>>,
    pub(super) failure: Option<CutError>,
}

impl Batches {
    pub(super) const fn new(blocks: Blocks) -> Self {
        Self { blocks: Some(blocks) }
    }

    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let source = self.blocks.as_mut()?;
        let mut batch = Batch { blocks: Vec::new(), failure: None };
        let wanted = BLOCKS_PER_THREAD * rayon::current_num_threads();
        while batch.blocks.len() < wanted {
            match source.next_block() {
                Ok(Some(block)) => batch.blocks.push(block),
                Ok(None) => {
                    self.blocks = None;
                    break;
                }
                Err(error) => {
                    batch.failure = Some(error);
                    self.blocks = None;
                    break;
                }
            }
        }
        Some(batch)
    }
}

/// Events and actors read so far.
pub(super) struct Collected {
    pub(super) sorter: Sorter,
    pub(super) actors: Actors,
    pub(super) events: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
    /// Lines of the blocks so far.
    lines: u64,
}

impl Collected {
    pub(super) fn new(sorter: Sorter) -> Self {
        Self { sorter, actors: Actors::default(), events: 0, has_local_times: false, lines: 0 }
    }

    /// Reads all of a log.
    pub(super) fn read(
        &mut self,
        job: &ImportJob<'_>,
        log: &OpenLog,
        blocks: Blocks,
        plan: &Plan,
    ) -> Result<(), TraceError> {
        let mut batches = Batches::new(blocks);
        let mut has_header = true;
        let mut next = batches.next_batch();
        while let Some(batch) = next {
            let parse = || {
                let blocks = batch.blocks.par_iter().enumerate();
                blocks.map(|(index, block)| plan.parse(block, has_header && index == 0)).collect::<Vec<_>>()
            };
            let (following, parsed) = rayon::join(|| batches.next_batch(), parse);
            for parsed in parsed {
                let parsed = parsed.map_err(|bad| job.malformed(self.lines + bad.line + 1, bad.column, bad.reason))?;
                self.take(job, &parsed)?;
            }
            if let Some(failure) = batch.failure {
                return Err(self.failed(job, failure));
            }
            job.proceed(ImportStage::Read, Some(log))?;
            has_header &= batch.blocks.is_empty();
            next = following;
        }
        Ok(())
    }

    fn take(&mut self, job: &ImportJob<'_>, parsed: &Parsed<'_>) -> Result<(), TraceError> {
        let too_many = || job.malformed(self.lines + 1, None, format!("more than {} actors", u32::MAX));
        let numbers = self.actors.numbers(&parsed.names).ok_or_else(too_many)?;
        let events = parsed.events.iter().map(|event| Event { actor: numbers[event.actor as usize], ..*event });
        self.sorter.extend(events).map_err(|source| job.unwritable(source))?;
        self.events += parsed.events.len() as u64;
        self.lines += parsed.lines;
        self.has_local_times |= parsed.has_local_times;
        Ok(())
    }

    fn failed(&self, job: &ImportJob<'_>, failure: CutError) -> TraceError {
        match failure {
            CutError::Read(source) => job.unreadable(source),
            CutError::OpenQuote(line) => {
                job.malformed(self.lines + line + 1, None, "unclosed quote at the beginning of a field".to_owned())
            }
        }
    }
}
