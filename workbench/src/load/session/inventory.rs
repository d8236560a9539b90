//! What a database takes on the disk when nothing runs, and what of that is the data alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load::drive::Control;
use crate::load::engine::FamilySize;
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::session::{Session, Target, directory_bytes, manager};

/// A closed log is deleted a moment after the database was opened again: so many looks wait for it.
const LOOKS_FOR_OLD_LOGS: u32 = 20;
/// Looks in a row that find the directory unchanged.
const STILL_LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(100);

/// What is stored after so many commands, before and after everything was compacted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Commands completed since the database was new, the preload included.
    pub commands: u64,
    /// Column families after the database was closed, opened and had settled. Empty if the backend does not tell.
    pub at_rest: Vec<FamilySize>,
    /// The same after everything was compacted: the data alone.
    pub compacted: Vec<FamilySize>,
    /// The directory at rest, bytes.
    pub directory_bytes: u64,
}

impl Inventory {
    /// What the column families take at rest, bytes.
    pub fn family_bytes(&self) -> u64 {
        self.at_rest.iter().map(FamilySize::bytes).sum()
    }

    /// What lies beside the data at rest, bytes: manifest, options and the engine's own log.
    pub fn other_bytes(&self) -> u64 {
        self.directory_bytes.saturating_sub(self.family_bytes())
    }
}

impl<T: Target> Session<'_, T>
where
    T::Manager: Sync,
{
    /// Closes the database, opens it again, waits until it has settled, asks for sizes, compacts everything and asks
    /// again. The database can be driven on afterwards, but is tidier than one that was not looked at.
    ///
    /// Takes some 10 s per GB that is stored.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails.
    pub fn take_inventory(&mut self, job: JobContext<'_>) -> Result<Inventory, RunError> {
        self.pause()?;
        self.open(self.durability)?;
        self.settle(job);
        let directory_bytes = self.still_directory_bytes(job.control);
        let at_rest = self.family_sizes()?;
        self.target.compact(manager(self.manager.as_ref())).map_err(|source| self.failed("compact", source))?;
        let compacted = self.family_sizes()?;
        let commands = self.workers.iter().map(crate::load::session::Worker::completed).sum();
        self.start_actors(job)?;
        Ok(Inventory { commands, at_rest, compacted, directory_bytes })
    }

    fn family_sizes(&self) -> Result<Vec<FamilySize>, RunError> {
        let sizes = self.target.family_sizes(manager(self.manager.as_ref()));
        sizes.map_err(|source| self.failed("measure", source))
    }

    /// The size of the directory once it no longer changes.
    fn still_directory_bytes(&self, control: &Control) -> u64 {
        let (mut bytes, mut still) = (directory_bytes(&self.directory), 0);
        for _ in 0..LOOKS_FOR_OLD_LOGS {
            if still == STILL_LOOKS || control.is_stopped() {
                break;
            }
            std::thread::sleep(LOOK);
            let now = directory_bytes(&self.directory);
            still = if now == bytes { still + 1 } else { 0 };
            bytes = now;
        }
        bytes
    }
}
