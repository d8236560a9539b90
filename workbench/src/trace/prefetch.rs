//! Reads the chunks of a long trace ahead of its replay, so that no file access delays a command.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::builder::Trace;

/// Chunks that are ready, at most: about a hundred thousand operations.
const AHEAD: usize = 4;

/// The chunks of a trace, over and over. The thread that reads them ends with it.
#[derive(Debug)]
pub(super) struct Prefetch {
    /// Never locked: a receiver alone is not `Sync`.
    ready: Mutex<Receiver<io::Result<Vec<u8>>>>,
    /// Buffers are filled again: nothing is allocated during the replay.
    used: SyncSender<Vec<u8>>,
    current: Option<Vec<u8>>,
}

impl Prefetch {
    pub(super) fn start(trace: Arc<Trace>) -> Self {
        let (chunks, ready) = sync_channel(AHEAD);
        let (used, empty) = sync_channel::<Vec<u8>>(AHEAD + 2);
        std::thread::spawn(move || {
            let content = &trace.content;
            for chunk in (0..content.chunk_count()).cycle() {
                let mut buffer = empty.try_recv().unwrap_or_default();
                let read = content.chunk(chunk, &mut buffer).map(|_| ());
                if chunks.send(read.map(|()| buffer)).is_err() {
                    return;
                }
            }
        });
        Self { ready: Mutex::new(ready), used, current: None }
    }

    /// The current chunk.
    ///
    /// # Panics
    ///
    /// If the file cannot be read.
    pub(super) fn chunk(&mut self) -> &[u8] {
        self.current.get_or_insert_with(|| {
            let ready = self.ready.get_mut().expect("it is never locked");
            let chunk = ready.recv().expect("the reader runs as long as this");
            chunk.expect("the temporary file of the trace can be read")
        })
    }

    pub(super) fn release(&mut self) {
        if let Some(chunk) = self.current.take() {
            // There is space for all buffers that exist.
            let _ = self.used.try_send(chunk);
        }
    }
}
