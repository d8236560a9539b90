//! Sorts any number of events by time.
//!
//! Events are sorted in runs of a fixed length. One run stays in memory; more are written to a temporary file without a
//! name, which disappears with the process, and merged when they are read back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::slice::ParallelSliceMut;

/// A row of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    /// Nanoseconds since 1970 in UTC.
    pub(super) time: i64,
    /// Number of the actor, in order of appearance.
    pub(super) actor: u32,
    pub(super) bytes: u32,
}

impl Event {
    const BYTES: usize = 16;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let [time, actor, bytes] = [self.time.cast_unsigned(), self.actor.into(), self.bytes.into()].map(u128::from);
        (time << 64 | actor << 32 | bytes).to_le_bytes()
    }

    #[expect(clippy::cast_possible_truncation, reason = "the parts of `to_bytes`")]
    const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let packed = u128::from_le_bytes(bytes);
        Self { time: (packed >> 64) as i64, actor: (packed >> 32) as u32, bytes: packed as u32 }
    }
}

pub(super) struct Sorter {
    run: Vec<Event>,
    run_events: usize,
    spill: File,
    /// Ranges of the runs in the file, in events.
    runs: Vec<Range<u64>>,
    /// Earliest and latest time so far.
    pub(super) span: Option<[i64; 2]>,
}

impl Sorter {
    /// Sorts runs of `run_events` events; more than one run goes to a nameless file in `directory`.
    pub(super) fn new(directory: &Path, run_events: usize) -> io::Result<Self> {
        let spill = tempfile::tempfile_in(directory)?;
        Ok(Self { run: Vec::new(), run_events: run_events.max(1), spill, runs: Vec::new(), span: None })
    }

    pub(super) fn extend(&mut self, mut events: impl ExactSizeIterator<Item = Event>) -> io::Result<()> {
        while events.len() > 0 {
            if self.run.len() == self.run_events {
                self.spill_run()?;
            }
            let room = self.run_events - self.run.len();
            for event in events.by_ref().take(room) {
                let [first, last] = self.span.unwrap_or([event.time; 2]);
                self.span = Some([first.min(event.time), last.max(event.time)]);
                self.run.push(event);
            }
        }
        Ok(())
    }

    fn sort_run(&mut self) {
        // Most logs are in order already. The sort is stable: rows of equal time keep their order.
        if !self.run.is_sorted_by_key(|event| event.time) {
            self.run.par_sort_by_key(|event| event.time);
        }
    }

    fn spill_run(&mut self) -> io::Result<()> {
        self.sort_run();
        let mut out = BufWriter::with_capacity(1 << 18, &self.spill);
        for event in &self.run {
            out.write_all(&event.to_bytes())?;
        }
        out.flush()?;
        drop(out);
        let start = self.runs.last().map_or(0, |run| run.end);
        self.runs.push(start..start + self.run.len() as u64);
        self.run.clear();
        Ok(())
    }

    /// The events in order of time; those of equal time in the order of the log.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        let mut cursors = Vec::new();
        if self.runs.is_empty() {
            self.sort_run();
            cursors.push(Cursor { left: 0..0, buffer: self.run.into_iter() });
        } else {
            self.spill_run()?;
            // The cursors have buffers of their own.
            drop(self.run);
            cursors.extend(self.runs.into_iter().map(|left| Cursor { left, buffer: Vec::new().into_iter() }));
        }
        let mut next = BinaryHeap::new();
        for (run, cursor) in cursors.iter_mut().enumerate() {
            next.extend(cursor.peek(&self.spill)?.map(|event| Reverse((event.time, run))));
        }
        Ok(Sorted { spill: self.spill, cursors, next })
    }
}

/// Merges sorted runs.
pub(super) struct Sorted {
    spill: File,
    cursors: Vec<Cursor>,
    /// Time of each run's next event, and the run: of equal times the earlier run comes first.
    next: BinaryHeap<Reverse<(i64, usize)>>,
}

impl Sorted {
    pub(super) fn next_event(&mut self) -> io::Result<Option<Event>> {
        let Some(mut first) = self.next.peek_mut() else { return Ok(None) };
        let run = first.0.1;
        let cursor = &mut self.cursors[run];
        let event = cursor.buffer.next();
        match cursor.peek(&self.spill)? {
            Some(following) => *first = Reverse((following.time, run)),
            None => drop(PeekMut::pop(first)),
        }
        Ok(event)
    }
}

struct Cursor {
    /// Events that are not in the buffer yet.
    left: Range<u64>,
    buffer: std::vec::IntoIter<Event>,
}

impl Cursor {
    /// Events read at once: 64 KiB of each run.
    const EVENTS: u64 = 4096;

    fn peek(&mut self, spill: &File) -> io::Result<Option<Event>> {
        if self.buffer.as_slice().is_empty() && !self.left.is_empty() {
            let start = self.left.start;
            self.left.start = self.left.end.min(start + Self::EVENTS);
            let events = usize::try_from(self.left.start - start).expect("at most 4096");
            let mut bytes = vec![0; events * Event::BYTES];
            spill.read_exact_at(&mut bytes, start * Event::BYTES as u64)?;
            let events = bytes.as_chunks().0.iter().map(|&bytes| Event::from_bytes(bytes));
            self.buffer = events.collect::<Vec<_>>().into_iter();
        }
        Ok(self.buffer.as_slice().first().copied())
    }
}
