//! The thread that empties the queue.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::trace::recorder::actors::Known;
use crate::trace::recorder::commands::{Call, Commands};
use crate::trace::recorder::error::RecorderError;
use crate::trace::recorder::intake::Intake;
use crate::trace::recorder::output::Output;

/// The writer looks into the queue so often. It is never woken up by an actor: that would be a system call.
const LONGEST_NAP: Duration = Duration::from_millis(10);
const SHORTEST_NAP: Duration = Duration::from_millis(1);
/// Places of the queue per nap of a millisecond: an actor fills them no faster.
const PLACES_PER_MS: usize = 4096;
/// After so many operations the writer looks whether commands can be written.
const BATCH: usize = 1024;

/// What the thread owns.
pub(super) struct Writer {
    pub(super) intake: Arc<Intake>,
    pub(super) known: Known,
    pub(super) commands: Commands,
    pub(super) output: Output,
    pub(super) flush_interval: Duration,
}

impl Writer {
    /// Writes until the recording is closed, and then completes it.
    pub(super) fn run(mut self) -> Result<(), RecorderError> {
        let flush_ns = u64::try_from(self.flush_interval.as_nanos()).unwrap_or(u64::MAX);
        let nap = nap(self.intake.queue.capacity()).min(self.flush_interval.max(SHORTEST_NAP));
        let mut flushed_ns = 0;
        loop {
            // Looked at before the queue is emptied: what came in until then is written.
            let is_open = self.intake.is_open();
            self.drain();
            let now_ns = self.intake.now_ns();
            if now_ns.saturating_sub(flushed_ns) >= flush_ns {
                self.output.flush();
                flushed_ns = now_ns;
            }
            if !is_open {
                break;
            }
            thread::park_timeout(nap);
        }
        let Self { mut commands, mut output, .. } = self;
        commands.emit_all(|command| output.command(&command));
        output.finish()
    }

    fn drain(&mut self) {
        // Looked at before the queue: all that these actors called is in it.
        let gone = self.known.gone();
        let mut left = self.intake.queue.len();
        loop {
            let batch = left.min(BATCH);
            for call in (0..batch).map_while(|_| self.intake.queue.pop()) {
                if let Some(actor) = self.known.actor(call.actor) {
                    self.commands.accept(Call { actor, time: call.time, op: call.op });
                }
            }
            let output = &mut self.output;
            self.commands.emit(self.intake.now_ns(), |command| output.command(&command));
            left -= batch;
            if left == 0 {
                break;
            }
        }
        self.known.forget(&gone);
    }
}

fn nap(queue_length: usize) -> Duration {
    Duration::from_millis((queue_length / PLACES_PER_MS) as u64).clamp(SHORTEST_NAP, LONGEST_NAP)
}
