//! Reads a log in parallel: blocks are read ahead while those before are parsed, and collected in their order.

use rayon::prelude::*;

use super::actors::Actors;
use super::blocks::{Blocks, CutError};
use super::input::LogProgress;
use super::job::ImportJob;
use super::observer::ImportStage;
use super::parse::{Parsed, Plan};
use super::sort::{Event, Sorter};
use crate::trace::error::TraceError;

pub(super) struct Collected {
    pub(super) sorter: Sorter,
    pub(super) actors: Actors,
    pub(super) events: u64,
    /// Whether a time has no offset.
    pub(super) has_local_times: bool,
    lines: u64,
}

impl Collected {
    pub(super) fn new(sorter: Sorter) -> Self {
        Self { sorter, actors: Actors::default(), events: 0, has_local_times: false, lines: 0 }
    }

    pub(super) fn read(
        &mut self,
        job: &ImportJob<'_>,
        log: &LogProgress,
        mut blocks: Blocks,
        plan: &Plan,
    ) -> Result<(), TraceError> {
        let mut has_header = true;
        let mut next = blocks.next_batch();
        while let Some(batch) = next {
            let parse = || {
                let numbered = batch.blocks.par_iter().enumerate();
                numbered.map(|(index, block)| plan.parse(block, has_header && index == 0)).collect::<Vec<_>>()
            };
            let (following, parsed) = rayon::join(|| blocks.next_batch(), parse);
            for parsed in parsed {
                let parsed = parsed.map_err(|bad| job.malformed(self.lines + bad.line + 1, bad.column, bad.reason))?;
                self.take(job, parsed)?;
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

    fn take(&mut self, job: &ImportJob<'_>, parsed: Parsed) -> Result<(), TraceError> {
        let too_many = || job.malformed(self.lines + 1, None, format!("more than {} actors", u32::MAX));
        let numbers = self.actors.numbers_of(parsed.actors).ok_or_else(too_many)?;
        self.events += parsed.events.len() as u64;
        let events = parsed.events.iter().map(|event| Event { actor: numbers[event.actor as usize], ..*event });
        self.sorter.extend(events).map_err(|source| job.unwritable(source))?;
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
