//! The size of a database on disk at rest, and of the data in it.

use serde::{Deserialize, Serialize};

use super::lifecycle::Session;
use super::state::directory_bytes;
use super::threads::POLL_INTERVAL;
use crate::load::control::Control;
use crate::load::engine::FamilySize;
use crate::load::error::RunError;
use crate::load::observer::JobContext;
use crate::load::target::Target;

/// Most polls for the size of the directory: an old log is deleted a moment after the database was opened.
const MAX_POLLS: u32 = 20;
/// Polls in a row that find the directory unchanged.
const STABLE_POLLS: u32 = 3;

/// Sizes of a database before and after full compaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Commands completed since the preload.
    pub commands: u64,
    /// Column families after a restart and the end of background work. Empty if the backend does not report them.
    pub at_rest: Vec<FamilySize>,
    /// Column families after full compaction: the data alone. Empty if they were not compacted.
    pub compacted: Vec<FamilySize>,
    /// The directory at rest, bytes.
    pub directory_bytes: u64,
}

impl Inventory {
    /// Size of the column families at rest, bytes.
    pub fn family_bytes(&self) -> u64 {
        self.at_rest.iter().map(FamilySize::bytes).sum()
    }

    /// Size of everything else at rest, bytes: manifest, options and the engine's own log.
    pub fn other_bytes(&self) -> u64 {
        self.directory_bytes.saturating_sub(self.family_bytes())
    }
}

#[expect(clippy::missing_errors_doc, reason = "`Session` documents them")]
impl<T: Target> Session<'_, T> {
    /// Measures the database at rest and, if `compacts` is true, compacted, outside of the memory limit of an emulated machine,
    /// and closes it. The session can be [resumed](Self::resume) and driven afterwards, but a compacted database is smaller
    /// and faster to read than without this.
    ///
    /// The compaction takes about 10 s per GB stored.
    pub fn take_inventory(&mut self, compacts: bool, job: JobContext<'_>) -> Result<Inventory, RunError> {
        job.lift_memory_limit()?;
        self.pause()?;
        self.open(self.durability)?;
        self.settle(job);
        let directory_bytes = self.stable_directory_bytes(job.control);
        let at_rest = self.family_sizes()?;
        let compacted = if compacts {
            self.target.compact(self.manager()).map_err(|source| self.failed("compact", source))?;
            self.family_sizes()?
        } else {
            Vec::new()
        };
        let commands = self.commands_issued();
        self.close()?;
        Ok(Inventory { commands, at_rest, compacted, directory_bytes })
    }

    fn family_sizes(&self) -> Result<Vec<FamilySize>, RunError> {
        let sizes = self.target.family_sizes(self.manager());
        sizes.map_err(|source| self.failed("measure", source))
    }

    fn stable_directory_bytes(&self, control: &Control) -> u64 {
        let (mut bytes, mut stable) = (directory_bytes(&self.directory), 0);
        for _ in 0..MAX_POLLS {
            if stable == STABLE_POLLS || control.is_stopped() {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
            let now = directory_bytes(&self.directory);
            stable = if now == bytes { stable + 1 } else { 0 };
            bytes = now;
        }
        bytes
    }
}
