//! Finds a log that is given twice, as a copy or compressed: its events would count twice.

use std::io::{self, Read};

use super::blocks::fill;
use super::job::ImportJob;
use super::sort::Event;
use crate::trace::error::TraceError;

const COMPARED_BYTES: usize = 256 << 10;

/// The events of a log in their order: their number and a hash of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fingerprint {
    events: u64,
    hash: u64,
}

impl Fingerprint {
    fn add(&mut self, event: &Event) {
        // FxHash: fast, and logs are no attack.
        const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
        for word in [event.time.cast_unsigned(), u64::from(event.actor) << 32 | u64::from(event.bytes)] {
            self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
        }
        self.events += 1;
    }
}

/// Logs that begin with all events of another.
#[derive(Debug, Default)]
pub(super) struct SeenLogs {
    /// Those that were read to their end.
    seen: Vec<Fingerprint>,
    current: Fingerprint,
    /// Length of the next log with which the current one is compared; 0 if there is none.
    next_events: u64,
    /// The longest log with which the current one begins.
    begins_with: Option<usize>,
    /// Such pairs whose contents differ or cannot be compared: the shorter log, its events, and the other.
    pub(super) repeated: Vec<(usize, u64, usize)>,
}

impl SeenLogs {
    pub(super) fn add(&mut self, event: &Event) {
        self.current.add(event);
        if self.current.events == self.next_events {
            self.begins_with = self.seen.iter().position(|seen| *seen == self.current).or(self.begins_with);
            self.compare_next();
        }
    }

    fn compare_next(&mut self) {
        let longer = self.seen.iter().map(|seen| seen.events).filter(|&events| events > self.current.events);
        self.next_events = longer.min().unwrap_or(0);
    }

    /// Ends the current log.
    ///
    /// # Errors
    ///
    /// [`TraceError::SameContent`] if one before has the same content.
    pub(super) fn end(&mut self, job: &mut ImportJob<'_>) -> Result<(), TraceError> {
        let (source, log) = (self.seen.len(), std::mem::take(&mut self.current));
        self.seen.push(log);
        self.compare_next();
        let Some(first) = self.begins_with.take() else { return Ok(()) };
        let is_whole = self.seen[first] == log;
        if is_whole && have_same_content(job, first, source).map_err(|error| job.unreadable(source, error))? {
            let [first, path] = [first, source].map(|source| job.input.name(source).to_owned());
            return Err(TraceError::SameContent { path, first });
        }
        let events = self.seen[first].events;
        // One event may be equal by chance.
        if is_whole || events > 1 {
            self.repeated.push((first, events, source));
        }
        Ok(())
    }
}

/// False if one of them is a pipe.
fn have_same_content(job: &mut ImportJob<'_>, first: usize, second: usize) -> io::Result<bool> {
    if ![first, second].iter().all(|&source| job.input.opens_again(source)) {
        return Ok(false);
    }
    let progress = job.input.progress();
    let mut logs: [Box<dyn Read + Send>; 2] = [job.input.open(first, &progress)?, job.input.open(second, &progress)?];
    let mut parts = [Vec::new(), Vec::new()];
    loop {
        for (log, part) in logs.iter_mut().zip(&mut parts) {
            part.clear();
            fill(log, part, COMPARED_BYTES)?;
        }
        if parts[0] != parts[1] || parts[0].is_empty() {
            return Ok(parts[0] == parts[1]);
        }
    }
}
