//! Threads for the workers of a session.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crate::load::drive::Worker;
use crate::load::target::Target;

pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Runs `work` on a thread for each worker, and calls `poll` on this one at an interval until all have finished.
pub(super) fn with_each<T: Target, V: Send>(
    workers: &mut [Worker<T>],
    work: impl Fn(&mut Worker<T>) -> V + Sync,
    poll: impl Fn(),
) -> Vec<V> {
    let (parts, ()) = with_each_and(workers, work, |is_finished| {
        while !is_finished() {
            std::thread::park_timeout(POLL_INTERVAL);
            poll();
        }
    });
    parts
}

/// Runs `work` on a thread for each worker and `meanwhile` on this one. `meanwhile` can query whether all have finished;
/// this thread is unparked whenever one has.
pub(super) fn with_each_and<T: Target, V: Send, M>(
    workers: &mut [Worker<T>],
    work: impl Fn(&mut Worker<T>) -> V + Sync,
    meanwhile: impl FnOnce(&dyn Fn() -> bool) -> M,
) -> (Vec<V>, M) {
    let watcher = std::thread::current();
    let left = AtomicUsize::new(workers.len());
    std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| {
                let (watcher, left, work) = (&watcher, &left, &work);
                scope.spawn(move || {
                    let _finished = OnDrop(|| {
                        left.fetch_sub(1, Ordering::Release);
                        watcher.unpark();
                    });
                    work(worker)
                })
            })
            .collect();
        let seen = meanwhile(&|| left.load(Ordering::Acquire) == 0);
        // A panic of a worker is a bug in the backend or here: it continues in this thread.
        let join = |thread: ScopedJoinHandle<'_, V>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        (running.into_iter().map(join).collect(), seen)
    })
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
