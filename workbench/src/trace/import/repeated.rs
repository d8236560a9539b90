//! Finds a log that is given twice, as a copy or compressed: its events would count twice.

use std::io::{self, Read};

use super::blocks::fill;
use super::job::ImportJob;
use super::sort::Event;
use crate::trace::error::TraceError;

const COMPARED_BYTES: usize = 256 << 10;

/// The events of a log in their order: their number and a hash of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) events: u64,
    hash: u64,
}

impl Fingerprint {
    pub(super) fn add(&mut self, event: &Event) {
        // FxHash: fast, and logs are no attack.
        const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
        for word in [event.time.cast_unsigned(), u64::from(event.actor) << 32 | u64::from(event.bytes)] {
            self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
        }
        self.events += 1;
    }
}

/// Logs that have been read, and pairs with equal events whose contents differ or cannot be compared.
#[derive(Debug, Default)]
pub(super) struct SeenLogs {
    seen: Vec<Fingerprint>,
    pub(super) alike: Vec<[usize; 2]>,
}

impl SeenLogs {
    /// Notes the next log.
    ///
    /// # Errors
    ///
    /// [`TraceError::SameContent`] if one before has the same content.
    pub(super) fn see(&mut self, job: &mut ImportJob<'_>, log: Fingerprint) -> Result<(), TraceError> {
        let source = self.seen.len();
        let before = self.seen.iter().position(|seen| *seen == log && log.events > 0);
        self.seen.push(log);
        let Some(first) = before else { return Ok(()) };
        if have_same_content(job, first, source).map_err(|error| job.unreadable(source, error))? {
            let [first, path] = [first, source].map(|source| job.input.name(source).to_owned());
            return Err(TraceError::SameContent { path, first });
        }
        self.alike.push([first, source]);
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
