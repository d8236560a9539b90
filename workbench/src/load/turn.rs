//! A worker's share of the commands, and how a closed loop keeps it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::source::Source;

/// Deviation of a share from an even one below which it counts as even: actors rarely divide by the workers.
const EVEN: f64 = 0.1;
/// Commands by which a worker may be ahead of its share.
const AHEAD: f64 = 8.0;
const PAUSE: Duration = Duration::from_micros(50);

/// A worker among all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) worker: u64,
    pub(super) workers: u64,
    /// Share of all commands, above 0; the shares of all workers add up to 1.
    pub(super) share: f64,
    /// Commands that begin together, on average.
    pub(super) commands_per_arrival: f64,
    /// Whether all workers have about the same share.
    pub(super) are_shares_even: bool,
}

impl Turn {
    /// Of workers with equal shares.
    pub(super) fn equal(worker: u64, workers: u64) -> Self {
        Self { worker, workers, share: 1.0 / workers as f64, commands_per_arrival: 1.0, are_shares_even: true }
    }

    pub(super) fn of(source: &Source, worker: u64, workers: u64) -> Self {
        let share = |worker| source.share_of_worker(worker, workers);
        let is_even = |worker| (share(worker) * workers as f64 - 1.0).abs() <= EVEN;
        Self {
            worker,
            workers,
            share: share(worker),
            commands_per_arrival: source.commands_per_arrival(),
            are_shares_even: (0..workers).all(is_even),
        }
    }
}

/// Keeps the mix of a closed loop in which some workers have more commands than others: each waits while it is ahead of its
/// share. Otherwise a worker whose actors have few commands would issue as many as the others.
pub(super) struct Mix<'a> {
    share: f64,
    own: u64,
    all: &'a AtomicU64,
}

impl<'a> Mix<'a> {
    /// `all` counts the commands of all workers.
    pub(super) const fn new(share: f64, all: &'a AtomicU64) -> Self {
        Self { share, own: 0, all }
    }

    /// Waits for the worker's turn, or until `is_over`. Not all workers are ahead at the same time: the shares add up to 1.
    pub(super) fn wait(&mut self, is_over: impl Fn() -> bool) {
        while self.own as f64 > AHEAD + self.share * self.all.load(Ordering::Relaxed) as f64 && !is_over() {
            std::thread::sleep(PAUSE);
        }
        self.own += 1;
        self.all.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_waits_while_it_is_ahead_of_its_share() {
        let all = AtomicU64::new(0);
        let (mut small, mut large) = (Mix::new(0.1, &all), Mix::new(0.9, &all));
        let mut issued = [0_u64; 2];
        for _ in 0..10_000 {
            for (mix, issued) in [&mut small, &mut large].into_iter().zip(&mut issued) {
                // One thread drives both: a worker that would wait lets the other one go on.
                if (mix.own as f64) <= AHEAD + mix.share * all.load(Ordering::Relaxed) as f64 {
                    mix.wait(|| false);
                    *issued += 1;
                }
            }
        }
        let share = issued[0] as f64 / issued.iter().sum::<u64>() as f64;
        assert!((share - 0.1).abs() < 0.01, "{issued:?}");
    }
}
