//! A trace as one worker replays it.

use std::sync::Arc;

use super::Trace;
use crate::workbench::actor::Op;
use crate::workbench::workload::Planned;

/// The commands of one worker's actors, in the trace's order, as often as asked.
///
/// Actor `a` belongs to worker `a % workers`. Each pass through the trace has actors of its own, numbered after those
/// of the pass before, and begins where the pass before ended, so that a short trace can load a system for long.
#[derive(Debug)]
pub struct TraceSource {
    trace: Arc<Trace>,
    worker: u64,
    workers: u64,
    passes: Option<u64>,
    pass: u64,
    place: usize,
}

impl TraceSource {
    /// The share of worker `worker` of `workers` in `passes` passes through the trace; `None` never ends.
    ///
    /// # Panics
    ///
    /// If `worker >= workers`.
    pub fn new(trace: Arc<Trace>, worker: u64, workers: u64, passes: Option<u64>) -> Self {
        assert!(worker < workers, "worker {worker} of {workers}");
        Self { trace, worker, workers, passes, pass: 0, place: 0 }
    }

    /// The next command of this worker's actors and, in `ops`, its operations; `None` at the end.
    pub fn next(&mut self, ops: &mut Vec<Op>) -> Option<Planned> {
        ops.clear();
        let mut idle_passes = 0;
        while self.passes.is_none_or(|passes| self.pass < passes) {
            let actors = self.trace.actors.len() as u64;
            while let Some(command) = self.trace.commands.get(self.place) {
                self.place += 1;
                let actor = u64::from(command.actor) + self.pass * actors;
                if actor % self.workers == self.worker {
                    ops.extend_from_slice(self.trace.ops_of(command));
                    // One nanosecond between passes keeps their order.
                    let at_ns = command.at_ns.saturating_add(self.pass.saturating_mul(self.trace.duration_ns() + 1));
                    return Some(Planned { actor, kind: command.kind, at_ns: Some(at_ns) });
                }
            }
            self.place = 0;
            self.pass += 1;
            idle_passes += 1;
            // A worker may find nothing in one pass when there are fewer actors than workers, never in that many.
            if idle_passes > self.workers {
                return None;
            }
        }
        None
    }
}
