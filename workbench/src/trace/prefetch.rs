//! Reads the chunks of a long trace ahead of its replay, so that no read of a file falls between two looks at the clock.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::trace::checked::Trace;

/// Chunks that are ready, at most: about a hundred thousand operations.
const AHEAD: usize = 4;
/// Pause of the reader while enough is ready, far shorter than a chunk takes to replay.
const PAUSE: Duration = Duration::from_millis(1);

/// The chunks of a trace, over and over.
#[derive(Debug)]
pub(super) struct Prefetch {
    shared: Arc<Shared>,
    /// The chunk in hand.
    current: Option<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    ready: ArrayQueue<io::Result<Vec<u8>>>,
    /// Buffers to be filled again: nothing is allocated while the trace is replayed.
    used: ArrayQueue<Vec<u8>>,
    stop: AtomicBool,
}

impl Prefetch {
    pub(super) fn start(trace: Arc<Trace>) -> Self {
        let shared = Arc::new(Shared {
            ready: ArrayQueue::new(AHEAD),
            used: ArrayQueue::new(AHEAD + 1),
            stop: AtomicBool::new(false),
        });
        let reader = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.read_ahead(&trace))
        };
        Self { shared, current: None, reader: Some(reader) }
    }

    /// The chunk in hand, or the next one.
    ///
    /// # Panics
    ///
    /// If the file cannot be read.
    pub(super) fn chunk(&mut self) -> &[u8] {
        if self.current.is_none() {
            let chunk = loop {
                match self.shared.ready.pop() {
                    Some(chunk) => break chunk,
                    None => std::thread::yield_now(),
                }
            };
            self.current = Some(chunk.expect("the temporary file of the trace can be read"));
        }
        self.current.as_deref().unwrap_or(&[])
    }

    /// Gives the chunk in hand back.
    pub(super) fn release(&mut self) {
        if let Some(chunk) = self.current.take() {
            // There is room for all buffers that exist.
            let _ = self.shared.used.push(chunk);
        }
    }
}

impl Shared {
    fn read_ahead(&self, trace: &Trace) {
        let content = trace.content();
        for chunk in (0..content.chunk_count()).cycle() {
            let mut buffer = self.used.pop().unwrap_or_default();
            let mut read = content.read(chunk, &mut buffer).map(|()| buffer);
            while let Err(unread) = self.ready.push(read) {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::park_timeout(PAUSE);
                read = unread;
            }
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        while self.shared.ready.pop().is_some() {}
        if let Some(reader) = self.reader.take() {
            reader.thread().unpark();
            // It cannot panic in a way that matters once nobody reads.
            let _ = reader.join();
        }
    }
}
