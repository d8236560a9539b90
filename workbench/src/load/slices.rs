//! Hands the latencies of each second from the workers to whoever watches them, while they go on.
//!
//! A worker counts into histograms that exist. At the end of a second it swaps them for empty ones and pushes the full ones
//! into a queue without locks; the watcher makes small slices of them and gives the emptied histograms back. So a run may
//! be as long as it likes and the worker never allocates.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;

use crate::measure::{LatencyHistogram, Slice};
use ave_actors_rocksdb::trace::CommandKind;

/// Length of a slice.
pub(super) const SLICE_NS: u64 = 1_000_000_000;
/// Empty histograms in stock for each kind of command a worker issues, beside the one it counts into.
const SPARE: usize = 2;

/// What a worker counted of one kind in one slice.
#[derive(Debug)]
struct Counted {
    kind: CommandKind,
    slice: usize,
    histogram: LatencyHistogram,
}

/// The desk between one worker and its watcher.
#[derive(Debug)]
pub(super) struct Desk {
    full: ArrayQueue<Counted>,
    empty: ArrayQueue<LatencyHistogram>,
    /// Commands the worker completed under this load, and the time they took.
    commands: AtomicU64,
    busy_ns: AtomicU64,
}

impl Desk {
    pub(super) fn new(kinds: usize) -> Self {
        let stock = (SPARE * kinds).max(1);
        let desk = Self {
            full: ArrayQueue::new(stock),
            empty: ArrayQueue::new(stock),
            commands: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
        };
        for _ in 0..stock {
            let _ = desk.empty.push(LatencyHistogram::new());
        }
        desk
    }

    /// Commands the worker completed so far, and the time they took, nanoseconds.
    pub(super) fn progress(&self) -> [u64; 2] {
        [self.commands.load(Ordering::Relaxed), self.busy_ns.load(Ordering::Relaxed)]
    }

    /// Takes what the worker handed over; whether that was anything.
    pub(super) fn collect(&self, slices: &mut Slices) -> bool {
        let mut took = false;
        while let Some(Counted { kind, slice, mut histogram }) = self.full.pop() {
            slices.add(kind, slice, &Slice::of(&histogram));
            histogram.clear();
            let _ = self.empty.push(histogram);
            took = true;
        }
        took
    }
}

/// A worker's side of the desk.
#[derive(Debug)]
pub(super) struct SliceCounter<'d> {
    desk: &'d Desk,
    /// The slice in hand, by kind.
    counting: [Option<LatencyHistogram>; CommandKind::ALL.len()],
    slice: usize,
    progress: [u64; 2],
    /// What the watcher left no empty histogram for: only a clock that is not the real one is that fast.
    kept: Slices,
}

impl<'d> SliceCounter<'d> {
    pub(super) fn new(desk: &'d Desk, kinds: &[CommandKind]) -> Self {
        let mut counting = [const { None }; CommandKind::ALL.len()];
        for kind in kinds {
            counting[kind.index()] = Some(LatencyHistogram::new());
        }
        Self { desk, counting, slice: 0, progress: [0; 2], kept: Slices::default() }
    }

    /// Tells the watcher of one more command.
    pub(super) fn completed(&mut self, took_ns: u64) {
        self.progress = [self.progress[0] + 1, self.progress[1] + took_ns];
        self.desk.commands.store(self.progress[0], Ordering::Relaxed);
        self.desk.busy_ns.store(self.progress[1], Ordering::Relaxed);
    }

    /// Counts a response time of a command that was due `since_ns` after measuring began. Times of one worker ascend.
    pub(super) fn count(&mut self, kind: CommandKind, since_ns: u64, response_ns: u64) {
        let slice = usize::try_from(since_ns / SLICE_NS).unwrap_or(usize::MAX);
        if slice != self.slice {
            self.hand_over();
            self.slice = slice;
        }
        self.counting[kind.index()].get_or_insert_default().record(response_ns);
    }

    // Once a second: it must not weigh on the path that counts.
    #[cold]
    #[inline(never)]
    fn hand_over(&mut self) {
        for kind in CommandKind::ALL {
            let Some(histogram) = self.counting[kind.index()].as_mut().filter(|counted| counted.count() > 0) else {
                continue;
            };
            if let Some(empty) = self.desk.empty.pop() {
                let histogram = std::mem::replace(histogram, empty);
                // As many fit in as there are histograms in stock.
                let _ = self.desk.full.push(Counted { kind, slice: self.slice, histogram });
            } else {
                self.kept.add(kind, self.slice, &Slice::of(histogram));
                histogram.clear();
            }
        }
    }

    /// What the watcher has not got.
    pub(super) fn finish(mut self) -> Slices {
        for kind in CommandKind::ALL {
            if let Some(histogram) = self.counting[kind.index()].as_ref().filter(|counted| counted.count() > 0) {
                self.kept.add(kind, self.slice, &Slice::of(histogram));
            }
        }
        self.kept
    }
}

/// Slices by kind of command.
#[derive(Debug, Default)]
pub(super) struct Slices {
    by_kind: [Vec<Slice>; CommandKind::ALL.len()],
    /// All of them together.
    all: Slice,
}

impl Slices {
    fn add(&mut self, kind: CommandKind, slice: usize, counted: &Slice) {
        let slices = &mut self.by_kind[kind.index()];
        if slices.len() <= slice {
            slices.resize(slice + 1, Slice::default());
        }
        slices[slice].add(counted);
        self.all.add(counted);
    }

    /// Every latency there is, of all kinds.
    pub(super) const fn all(&self) -> &Slice {
        &self.all
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (kind, slices) in CommandKind::ALL.into_iter().zip(other.by_kind) {
            for (place, slice) in slices.iter().enumerate() {
                self.add(kind, place, slice);
            }
        }
    }

    pub(super) fn take(&mut self, kind: CommandKind) -> Vec<Slice> {
        std::mem::take(&mut self.by_kind[kind.index()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a watcher that is always there, now and then, or never, nothing is lost or counted elsewhere.
    #[test]
    fn every_latency_arrives_in_its_slice() {
        for watch_every in [1, 50, usize::MAX] {
            let desk = Desk::new(2);
            let mut counter = SliceCounter::new(&desk, &[CommandKind::Persist, CommandKind::Recover]);
            let mut slices = Slices::default();
            for n in 0..2_000_u64 {
                let kind = if n % 3 == 0 { CommandKind::Recover } else { CommandKind::Persist };
                counter.count(kind, n * SLICE_NS / 20, 1_000 + n);
                counter.completed(7);
                if usize::try_from(n).unwrap().is_multiple_of(watch_every) {
                    desk.collect(&mut slices);
                }
            }
            assert_eq!(desk.progress(), [2_000, 14_000]);
            slices.merge(counter.finish());
            desk.collect(&mut slices);
            assert!(!desk.collect(&mut slices), "there is nothing left");
            assert_eq!(*slices.all(), (0..2_000).map(|n| 1_000 + n).collect());
            let mut all = slices.take(CommandKind::Persist);
            for (slice, other) in all.iter_mut().zip(slices.take(CommandKind::Recover)) {
                slice.add(&other);
            }
            assert_eq!(all.len(), 100);
            for (place, slice) in (0..).zip(&all) {
                let expected: Slice = (0..20).map(|n| 1_000 + 20 * place + n).collect();
                assert_eq!(*slice, expected, "slice {place}");
            }
        }
    }
}
