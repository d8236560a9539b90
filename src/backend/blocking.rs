//! Lets the other tasks of a worker thread run while one of them waits for the disk.
//!
//! `ave-actors-store` writes inside an asynchronous task. A durable write blocks its worker thread for a sync, and
//! RocksDB makes one sync for all writes in flight. Without this module at most as many writes share a sync as the
//! runtime has worker threads.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task,
};

thread_local! {
    /// Whether tokio has refused on this thread: it runs a `LocalSet`, whose tasks cannot move.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `wait`, which blocks the thread. In a task of a multi-thread runtime, the other tasks of the thread move to
/// another one for that time.
pub(super) fn block<R>(wait: impl FnOnce() -> R) -> R {
    if !is_task_of_a_worker() || REFUSED.get() {
        return wait();
    }
    let mut wait = Some(wait);
    let mut run = || wait.take().map(|wait| wait());
    // tokio panics instead of returning an error, before it runs the closure.
    match panic::catch_unwind(AssertUnwindSafe(|| task::block_in_place(&mut run))) {
        Ok(Some(result)) => result,
        Ok(None) => unreachable!("the closure runs once"),
        Err(panic) => match run() {
            Some(result) => {
                REFUSED.set(true);
                result
            }
            None => panic::resume_unwind(panic),
        },
    }
}

/// Whether this thread runs all tasks of its runtime.
pub(super) fn is_on_the_only_worker() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.metrics().num_workers() == 1)
}

/// A current-thread runtime has no other thread, and outside of a task there are no other tasks.
fn is_task_of_a_worker() -> bool {
    task::try_id().is_some()
        && Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};
    use tokio::{
        runtime::{Builder, Runtime},
        task::LocalSet,
    };

    fn one_worker() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    #[test]
    fn another_task_of_the_only_worker_runs_during_the_wait() {
        let (send, receive) = mpsc::channel();
        let runtime = one_worker();
        let waiting = runtime.spawn(async move { block(|| receive.recv_timeout(Duration::from_secs(60))) });
        runtime.spawn(async move { send.send(()) });
        assert_eq!(runtime.block_on(waiting).unwrap(), Ok(()));
    }

    #[test]
    fn waits_wherever_a_thread_cannot_be_released() {
        assert_eq!(block(|| 1), 1, "no runtime");
        let current_thread = Builder::new_current_thread().build().unwrap();
        assert_eq!(current_thread.block_on(async { tokio::spawn(async { block(|| 2) }).await.unwrap() }), 2);
        assert_eq!(one_worker().block_on(async { block(|| 3) }), 3, "no task");
        for _ in 0..2 {
            let local = async { task::spawn_local(async { block(|| 4) }).await.unwrap() };
            assert_eq!(one_worker().block_on(LocalSet::new().run_until(local)), 4, "a task that cannot move");
        }
    }

    #[test]
    fn a_panic_during_the_wait_is_the_callers() {
        let panicked = one_worker().block_on(one_worker().spawn(async { block(|| panic!("of the caller")) }));
        assert_eq!(*panicked.unwrap_err().into_panic().downcast::<&str>().unwrap(), "of the caller");
    }
}
