//! Threads for the workers of a session.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle};
use std::time::Duration;

use crate::load::drive::Worker;
use crate::load::error::RunError;
use crate::load::target::Target;

pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `work` on a thread for each worker, and calls `poll` on this one at an interval until all have finished.
///
/// # Errors
///
/// [`RunError::Threads`] before any work has begun.
pub(super) fn with_each<T: Target, V: Send>(
    workers: &mut [Worker<T>],
    work: impl Fn(&mut Worker<T>) -> V + Sync,
    poll: impl Fn(),
) -> Result<Vec<V>, RunError> {
    let (parts, ()) = with_each_and(workers, work, |is_finished| {
        while !is_finished() {
            std::thread::park_timeout(POLL_INTERVAL);
            poll();
        }
    })?;
    Ok(parts)
}

/// Runs `work` on a thread for each worker and `meanwhile` on this one. `meanwhile` can query whether all have finished;
/// this thread is unparked whenever one has.
///
/// # Errors
///
/// [`RunError::Threads`] before any work has begun.
pub(super) fn with_each_and<T: Target, V: Send, M>(
    workers: &mut [Worker<T>],
    work: impl Fn(&mut Worker<T>) -> V + Sync,
    meanwhile: impl FnOnce(&dyn Fn() -> bool) -> M,
) -> Result<(Vec<V>, M), RunError> {
    let watcher = std::thread::current();
    let count = workers.len();
    let left = AtomicUsize::new(count);
    // Whether all threads exist: none begins before that.
    let all_started: OnceLock<bool> = OnceLock::new();
    std::thread::scope(|scope| {
        let mut running = Vec::with_capacity(count);
        for worker in workers {
            let (watcher, left, work, all_started) = (&watcher, &left, &work, &all_started);
            let started = Builder::new().spawn_scoped(scope, move || {
                let _finished = OnDrop(|| {
                    left.fetch_sub(1, Ordering::Release);
                    watcher.unpark();
                });
                all_started.wait().then(|| work(worker))
            });
            match started {
                Ok(thread) => running.push(thread),
                Err(error) => {
                    // The threads that exist end, and the scope waits for them.
                    let _ = all_started.set(false);
                    return Err(RunError::Threads(count as u64, error));
                }
            }
        }
        let _ = all_started.set(true);
        let seen = meanwhile(&|| left.load(Ordering::Acquire) == 0);
        // A panic of a worker is a bug in the backend or here: it continues in this thread.
        let join = |thread: ScopedJoinHandle<'_, Option<V>>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((running.into_iter().filter_map(join).collect(), seen))
    })
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
