//! The writer thread: queue to commands to files.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::actors::ActorCache;
use super::commands::{Call, Commands};
use super::error::RecorderError;
use super::intake::Intake;
use super::output::Output;

/// Bounds of the interval between reads of the queue. Actors do not wake the writer: that would be a system call.
const MAX_INTERVAL: Duration = Duration::from_millis(10);
const MIN_INTERVAL: Duration = Duration::from_millis(1);
/// Queue capacity per millisecond of the interval: actors fill it no faster.
const CAPACITY_PER_MS: usize = 4096;
/// Operations between two attempts to write commands.
const BATCH: usize = 1024;

pub(super) struct Writer {
    pub(super) intake: Arc<Intake>,
    pub(super) known: ActorCache,
    pub(super) commands: Commands,
    pub(super) output: Output,
    pub(super) flush_interval: Duration,
}

impl Writer {
    pub(super) fn run(mut self) -> Result<(), RecorderError> {
        let flush_ns = u64::try_from(self.flush_interval.as_nanos()).unwrap_or(u64::MAX);
        let fill_ms = (self.intake.queue.capacity() / CAPACITY_PER_MS) as u64;
        let most = MAX_INTERVAL.min(self.flush_interval.max(MIN_INTERVAL));
        let interval = Duration::from_millis(fill_ms).clamp(MIN_INTERVAL, most);
        let mut flushed_ns = 0;
        loop {
            // Read before the queue, so that all operations until then are written.
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
            thread::park_timeout(interval);
        }
        let Self { mut commands, mut output, .. } = self;
        commands.emit_all(|command| output.command(&command));
        output.finish()
    }

    fn drain(&mut self) {
        // Read before the queue, which has all operations of these actors.
        let closed = self.known.closed();
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
        self.known.remove(&closed);
    }
}
