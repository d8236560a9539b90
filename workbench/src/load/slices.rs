//! Passes the latencies of each second from the workers to the thread that watches them, while they run.
//!
//! A worker records into preallocated histograms. At the end of a second it swaps them for empty ones and pushes the full
//! ones into a lock-free queue; the watcher turns them into compact slices and returns the emptied histograms. So workers
//! never allocate, however long the run.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;

use super::requests::RequestKind;
use crate::measure::{LatencyHistogram, Slice};

pub(super) const SLICE_NS: u64 = 1_000_000_000;
/// Spare histograms for each kind of request a worker issues: the watcher has a second to return one.
const SPARE: usize = 1;

#[derive(Debug)]
struct Counted {
    request: usize,
    slice: usize,
    histogram: LatencyHistogram,
}

#[derive(Debug)]
pub(super) struct SliceExchange {
    full: ArrayQueue<Counted>,
    empty: ArrayQueue<LatencyHistogram>,
    /// Commands the worker completed under this load, and the time they took.
    commands: AtomicU64,
    busy_ns: AtomicU64,
}

impl SliceExchange {
    pub(super) fn new(kinds: usize) -> Self {
        let spares = (SPARE * kinds).max(1);
        let exchange = Self {
            full: ArrayQueue::new(spares),
            empty: ArrayQueue::new(spares),
            commands: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
        };
        for _ in 0..spares {
            let _ = exchange.empty.push(LatencyHistogram::resident());
        }
        exchange
    }

    /// Commands the worker completed so far, and the time they took, nanoseconds.
    pub(super) fn progress(&self) -> [u64; 2] {
        [self.commands.load(Ordering::Relaxed), self.busy_ns.load(Ordering::Relaxed)]
    }

    /// Collects what the worker has passed on; true if there was anything.
    pub(super) fn collect(&self, slices: &mut Slices) -> bool {
        let mut took = false;
        while let Some(Counted { request, slice, mut histogram }) = self.full.pop() {
            slices.add(request, slice, &Slice::of(&histogram));
            histogram.clear();
            let _ = self.empty.push(histogram);
            took = true;
        }
        took
    }
}

#[derive(Debug)]
pub(super) struct SliceCounter<'e> {
    exchange: &'e SliceExchange,
    /// Histograms of the current slice, by the index of the request.
    counting: Vec<Option<LatencyHistogram>>,
    slice: usize,
    progress: [u64; 2],
    /// Slices for which the watcher left no empty histogram: only a simulated clock is that fast.
    kept: Slices,
}

impl<'e> SliceCounter<'e> {
    pub(super) fn new(exchange: &'e SliceExchange, requests: &[RequestKind]) -> Self {
        let mut counting: Vec<Option<LatencyHistogram>> = Vec::new();
        for request in requests {
            let place = request.index();
            if counting.len() <= place {
                counting.resize_with(place + 1, || None);
            }
            counting[place] = Some(LatencyHistogram::resident());
        }
        Self { exchange, counting, slice: 0, progress: [0; 2], kept: Slices::default() }
    }

    pub(super) fn completed(&mut self, took_ns: u64) {
        self.progress = [self.progress[0] + 1, self.progress[1] + took_ns];
        self.exchange.commands.store(self.progress[0], Ordering::Relaxed);
        self.exchange.busy_ns.store(self.progress[1], Ordering::Relaxed);
    }

    /// Counts a response time of a request that was due `since_ns` after measuring began. Times of one worker ascend.
    pub(super) fn count(&mut self, request: RequestKind, since_ns: u64, response_ns: u64) {
        let slice = usize::try_from(since_ns / SLICE_NS).unwrap_or(usize::MAX);
        if slice != self.slice {
            self.pass_on();
            self.slice = slice;
        }
        if let Some(histogram) = &mut self.counting[request.index()] {
            histogram.record(response_ns);
        }
    }

    // Once a second, so it must not be inlined into the measured path.
    #[cold]
    #[inline(never)]
    fn pass_on(&mut self) {
        for (request, counting) in self.counting.iter_mut().enumerate() {
            let Some(histogram) = counting.as_mut().filter(|counted| counted.count() > 0) else { continue };
            if let Some(empty) = self.exchange.empty.pop() {
                let histogram = std::mem::replace(histogram, empty);
                // The queue has room for every histogram.
                let _ = self.exchange.full.push(Counted { request, slice: self.slice, histogram });
            } else {
                self.kept.add(request, self.slice, &Slice::of(histogram));
                histogram.clear();
            }
        }
    }

    /// What the exchange does not hold.
    pub(super) fn finish(mut self) -> Slices {
        self.pass_on();
        self.kept
    }
}

#[derive(Debug, Default)]
pub(super) struct Slices {
    /// By the index of the request.
    by_request: Vec<Vec<Slice>>,
    pub(super) all: Slice,
}

impl Slices {
    fn add(&mut self, request: usize, slice: usize, counted: &Slice) {
        if self.by_request.len() <= request {
            self.by_request.resize_with(request + 1, Vec::new);
        }
        let slices = &mut self.by_request[request];
        if slices.len() <= slice {
            slices.resize(slice + 1, Slice::default());
        }
        slices[slice].add(counted);
        self.all.add(counted);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (request, slices) in other.by_request.iter().enumerate() {
            for (place, slice) in slices.iter().enumerate() {
                self.add(request, place, slice);
            }
        }
    }

    pub(super) fn take(&mut self, request: RequestKind) -> Vec<Slice> {
        self.by_request.get_mut(request.index()).map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_rocksdb::trace::CommandKind;

    const REQUESTS: [RequestKind; 3] = [
        RequestKind::Command(CommandKind::Persist),
        RequestKind::Command(CommandKind::Recover),
        RequestKind::Transaction(0),
    ];

    /// Nothing is lost or counted elsewhere, however often the watcher collects.
    #[test]
    fn every_latency_arrives_in_its_slice() {
        for watch_every in [1, 50, usize::MAX] {
            let exchange = SliceExchange::new(REQUESTS.len());
            let mut counter = SliceCounter::new(&exchange, &REQUESTS);
            let mut slices = Slices::default();
            for (n, &request) in (0..2_000_u64).zip(REQUESTS.iter().cycle()) {
                counter.count(request, n * SLICE_NS / 20, 1_000 + n);
                counter.completed(7);
                if usize::try_from(n).unwrap().is_multiple_of(watch_every) {
                    exchange.collect(&mut slices);
                }
            }
            assert_eq!(exchange.progress(), [2_000, 14_000]);
            slices.merge(&counter.finish());
            exchange.collect(&mut slices);
            assert!(!exchange.collect(&mut slices), "nothing is left");
            assert_eq!(slices.all, (0..2_000).map(|n| 1_000 + n).collect());
            let [mut all, recover, transaction] = REQUESTS.map(|request| slices.take(request));
            for (place, slice) in all.iter_mut().enumerate() {
                slice.add(&recover[place]);
                slice.add(&transaction[place]);
            }
            assert_eq!(all.len(), 100);
            for (place, slice) in (0..).zip(&all) {
                let expected: Slice = (0..20).map(|n| 1_000 + 20 * place + n).collect();
                assert_eq!(*slice, expected, "slice {place}");
            }
        }
    }
}
