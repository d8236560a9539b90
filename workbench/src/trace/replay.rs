//! The share of a trace that one worker replays.

use std::sync::Arc;

use super::builder::Trace;
use super::content::Content;
use super::packed::ChunkReader;
use super::prefetch::Prefetch;
use crate::workload::Planned;
use ave_actors_rocksdb::trace::Op;

/// The commands of one worker's actors, in the order of the trace.
///
/// Actor `a` belongs to worker `a % workers`. Each pass through the trace has actors of its own, numbered after those
/// of the pass before, and begins where the pass before ended, so that a short trace can load a system for long.
///
/// A trace that is kept in a file is read ahead by another thread.
#[derive(Debug)]
pub(crate) struct TraceSource {
    trace: Arc<Trace>,
    worker: u64,
    workers: u64,
    passes: Option<u64>,
    pass: u64,
    chunk: usize,
    reader: ChunkReader,
    /// Passes in a row without a command for this worker.
    idle_passes: u64,
    prefetch: Option<Prefetch>,
}

impl TraceSource {
    /// The share of worker `worker` of `workers` in `passes` passes through the trace; `None` never ends.
    ///
    /// # Panics
    ///
    /// If `worker >= workers`.
    pub(crate) fn new(trace: Arc<Trace>, worker: u64, workers: u64, passes: Option<u64>) -> Self {
        assert!(worker < workers, "worker {worker} of {workers}");
        let in_file = matches!(trace.content, Content::File { .. });
        let prefetch = in_file.then(|| Prefetch::start(Arc::clone(&trace)));
        Self {
            trace,
            worker,
            workers,
            passes,
            pass: 0,
            chunk: 0,
            reader: ChunkReader::default(),
            idle_passes: 0,
            prefetch,
        }
    }

    /// The next command of this worker's actors and, in `ops`, its operations; `None` at the end.
    ///
    /// # Panics
    ///
    /// If the temporary file of a long trace cannot be read.
    pub(crate) fn next(&mut self, ops: &mut Vec<Op>) -> Option<Planned> {
        ops.clear();
        loop {
            if self.chunk == self.trace.content.chunk_count() && !self.next_pass() {
                return None;
            }
            if let Some(planned) = self.next_in_chunk(ops) {
                self.idle_passes = 0;
                return Some(planned);
            }
            if let Some(prefetch) = &mut self.prefetch {
                prefetch.release();
            }
            self.chunk += 1;
            self.reader = ChunkReader::default();
        }
    }

    /// False at the end of the last pass, or if nothing is left for this worker in any.
    fn next_pass(&mut self) -> bool {
        self.pass += 1;
        self.idle_passes += 1;
        self.chunk = 0;
        // A worker may find nothing in one pass when there are fewer actors than workers, never in that many.
        self.trace.command_count() > 0
            && self.idle_passes <= self.workers
            && self.passes.is_none_or(|passes| self.pass < passes)
    }

    /// The next command of this worker in the current chunk.
    fn next_in_chunk(&mut self, ops: &mut Vec<Op>) -> Option<Planned> {
        let bytes = match (&mut self.prefetch, &self.trace.content) {
            (Some(prefetch), _) => prefetch.chunk(),
            (None, Content::Memory(chunks)) => &chunks[self.chunk],
            (None, Content::File { .. }) => unreachable!("a file is read ahead"),
        };
        let first_actor = self.pass * self.trace.actors().len() as u64;
        let (worker, workers) = (self.worker, self.workers);
        loop {
            let mut is_own = false;
            let command = self.reader.next(bytes, ops, |command| {
                is_own = (first_actor + u64::from(command.actor)) % workers == worker;
                is_own
            })?;
            if is_own {
                // One nanosecond between passes keeps their order.
                let pass_ns = self.pass.saturating_mul(self.trace.duration_ns() + 1);
                let actor = first_actor + u64::from(command.actor);
                let at_ns = Some(command.at_ns.saturating_add(pass_ns));
                return Some(Planned { actor, kind: command.kind, at_ns, link: None, common: None });
            }
        }
    }
}
