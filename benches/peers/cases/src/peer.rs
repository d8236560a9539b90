//! A measured backend, and the parameters of a measurement.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ave_actors_store::{
    Error,
    config::{MachineProfile, MachineSpec},
    database::{Collection, DbManager, State},
};

/// The machine that every backend is tuned for.
pub const MACHINE: MachineSpec = MachineSpec::Profile(MachineProfile::Medium);

/// A backend that can be opened in a directory.
pub trait Peer: Sync + 'static {
    /// Its collections.
    type Collection: Collection;
    /// Its states.
    type State: State;
    /// Its manager.
    type Manager: DbManager<Self::Collection, Self::State> + Clone + 'static;

    /// Opens the database in `dir`, which exists; creates it where there is none.
    ///
    /// # Errors
    ///
    /// The backend's own.
    fn open(&self, dir: &Path, durability: bool) -> Result<Self::Manager, Error>;

    /// Memory budget of the backend in bytes, if it has one.
    fn memory_budget(&self, _manager: &Self::Manager) -> Option<u64> {
        None
    }
}

/// How much work a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Enough for a result in some minutes, on the slowest backend too.
    Small,
    /// What an hour is worth: databases outgrow memtables and caches.
    Full,
}

impl Scale {
    /// One of two, by scale.
    pub fn pick<T>(self, small: T, full: T) -> T {
        match self {
            Self::Small => small,
            Self::Full => full,
        }
    }
}

/// One run of one case.
#[derive(Debug, Clone)]
pub struct Run {
    /// An empty directory.
    pub dir: PathBuf,
    /// How much work.
    pub scale: Scale,
    /// The one part of the case that is wanted, `None` for all.
    pub part: Option<String>,
}

impl Run {
    /// Whether this part of the case is wanted.
    pub fn wants(&self, part: &str) -> bool {
        self.part.as_deref().is_none_or(|wanted| wanted == part)
    }

    /// A directory for a database of this run.
    pub fn database(&self, name: &str) -> Result<PathBuf> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(dir)
    }
}
