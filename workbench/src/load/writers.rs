//! How many writers are in flight: threads that issue commands, each with one command at a time.

use crate::actor::Durability;
use crate::host::thread_room;
use crate::load::error::RunError;
use crate::load::source::Source;
use crate::units;

/// Most writers of a run: more threads than a machine can use, and few enough for every system to start.
pub(crate) const MOST_WRITERS: u64 = 1024;
/// Writers with durability on by default.
const DURABLE_WRITERS: u64 = 64;
/// Threads of the workbench and the database beside the writers and one for each core: watching and reporting, flushes,
/// compactions and statistics. Counted: 13 with two cores, of a run with one writer.
const OTHER_THREADS: u64 = 16;

/// Writers in flight in each durability mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writers {
    /// With durability off, at least 1.
    pub off: u64,
    /// With durability on, at least 1.
    pub on: u64,
}

impl Writers {
    /// As many in both modes.
    pub const fn both(count: u64) -> Self {
        Self { off: count, on: count }
    }

    /// As many as an actor system has on a machine with `cores` cores.
    ///
    /// With durability off, a write runs inline on a thread of the runtime, which has one per core: one writer per core.
    ///
    /// With durability on, the backend hands the other tasks of a thread to another one while a write waits for the sync
    /// (`RocksDbManager::release_worker_threads`), so that every busy actor is a writer, up to the runtime's limit of blocking
    /// threads (512 with tokio). An open loop needs as many writers as actors can be busy at once: at a rate λ and a latency
    /// W that is λW on average, 20 at 2,000 commands/s and 10 ms. 64 leave room for moments that are three times as busy, and
    /// let writers share syncs about as much as 512 do: 17,400 and 22,500 persists/s in `docs/tuning.md`.
    pub fn of_actor_system(cores: usize) -> Self {
        Self { off: (cores as u64).max(1), on: DURABLE_WRITERS }
    }

    /// In a mode.
    pub const fn of(self, durability: Durability) -> u64 {
        if durability.is_on() { self.on } else { self.off }
    }

    /// At most so many in either mode, and at least one: those of [`Source::most_writers`].
    #[must_use]
    pub fn at_most(self, most: u64) -> Self {
        let most = most.max(1);
        Self { off: self.off.min(most), on: self.on.min(most) }
    }

    /// What to tell a user who requested more writers than `source` has actors.
    pub(crate) fn surplus(requested: Option<u64>, source: &Source) -> Option<String> {
        let most = source.most_writers().max(1);
        let requested = requested.filter(|&requested| requested > most)?;
        let used = units::counted(most, "writer");
        let limit = if source.common_actors().is_some() {
            format!("{}, each with one transaction at a time", units::counted(most, "subject"))
        } else {
            format!("{}, each with one command at a time", units::counted(most, "actor"))
        };
        Some(format!("--writers {requested}: `{}` has {limit}; {used}", source.name()))
    }

    /// Checks that these modes have from 1 to 1,024 writers, and that this process may start as many threads.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] with the number, the limit and where it is set.
    pub fn check(self, durabilities: &[Durability]) -> Result<(), RunError> {
        for &durability in durabilities {
            let writers = self.of(durability);
            if writers == 0 || writers > MOST_WRITERS {
                return Err(RunError::Settings(format!("{writers} writers, expected 1 to {MOST_WRITERS}")));
            }
            check_threads(writers)?;
        }
        Ok(())
    }
}

fn check_threads(writers: u64) -> Result<(), RunError> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let others = OTHER_THREADS + cores;
    let Some(room) = thread_room().filter(|room| room.left < writers + others) else { return Ok(()) };
    let needed = format!("{} need as many threads", units::counted(writers, "writer"));
    Err(RunError::Settings(format!(
        "{needed}, the database and the workbench {others}; this process may create {} more ({}). Give fewer with --writers, \
         or raise the limit",
        room.left, room.limit
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durable_writes_have_more_writers_than_a_machine_has_cores() {
        let writers = Writers::of_actor_system(2);
        assert_eq!((writers.of(Durability::Off), writers.of(Durability::On)), (2, 64));
    }

    #[test]
    fn there_are_no_more_writers_than_actors() {
        assert_eq!(Writers::of_actor_system(4).at_most(3), Writers { off: 3, on: 3 });
        assert_eq!(Writers::both(5).at_most(0), Writers::both(1));
    }

    #[test]
    fn only_the_modes_that_are_measured_are_checked() {
        let writers = Writers { off: 1, on: 0 };
        assert!(writers.check(&[Durability::Off]).is_ok());
        assert!(writers.check(&Durability::BOTH).unwrap_err().to_string().starts_with("0 writers, expected 1 to 1024"));
    }
}
