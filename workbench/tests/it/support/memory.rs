//! A backend in memory that keeps what it is given, or fails to in one way.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};
use ave_actors_store::memory::{MemoryManager, MemoryStore};
use ave_actors_store::{Error, StoreOperation};
use ave_workbench::actor::Durability;
use ave_workbench::load::Target;

/// What goes wrong. Writes are counted from 0 within a family: `events`, `states` or `metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// This write of the family is acknowledged and not stored.
    Lose(&'static str, u64),
    /// This write of the family is stored with one bit turned.
    Alter(&'static str, u64),
    /// This write of the family is stored without its last byte.
    Shorten(&'static str, u64),
    /// This write of the family fails, and so does everything after it until the database is opened again: as if the
    /// process had been killed before it was stored.
    DieBefore(&'static str, u64),
    /// The same after it was stored.
    DieAfter(&'static str, u64),
    /// With this event another one is stored that nobody wrote.
    Invent(u64),
    /// Deletions are acknowledged and not done.
    KeepDeleted,
    /// Purges of the family are acknowledged and not done.
    KeepPurged(&'static str),
    /// Once it is opened again, the first two actors have changed places.
    SwapActors,
}

/// Databases by directory; they are there as long as this is.
pub(crate) struct Memory {
    fault: Fault,
    databases: Mutex<HashMap<PathBuf, Database>>,
    /// Writes to all databases that were acknowledged.
    acknowledged: Arc<AtomicU64>,
}

impl Memory {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, databases: Mutex::default(), acknowledged: Arc::default() }
    }

    /// Writes to all databases that were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }
}

#[derive(Clone, Default)]
struct Database {
    memory: MemoryManager,
    /// Actors in the order they were first heard of.
    actors: Arc<Mutex<Vec<String>>>,
    /// Writes per family so far.
    writes: Arc<Mutex<HashMap<String, Arc<AtomicU64>>>>,
}

impl Target for Memory {
    type Collection = FaultyStore;
    type State = FaultyStore;
    type Manager = FaultyManager;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn open(&self, directory: &Path, _durability: Durability) -> Result<FaultyManager, Error> {
        let mut databases = self.databases.lock().unwrap();
        let reopened = databases.contains_key(directory);
        let database = databases.entry(directory.to_owned()).or_default().clone();
        let acknowledged = Arc::clone(&self.acknowledged);
        Ok(FaultyManager { database, fault: self.fault, reopened, dead: Arc::default(), acknowledged })
    }
}

#[derive(Clone)]
pub(crate) struct FaultyManager {
    database: Database,
    fault: Fault,
    reopened: bool,
    dead: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
}

impl FaultyManager {
    /// The actor that is found under a name.
    fn found(&self, prefix: &str) -> String {
        let mut actors = self.database.actors.lock().unwrap();
        let place = actors.iter().position(|known| known == prefix).unwrap_or_else(|| {
            actors.push(prefix.to_owned());
            actors.len() - 1
        });
        let swaps = self.fault == Fault::SwapActors && self.reopened && place < 2;
        if swaps { actors[1 - place].clone() } else { prefix.to_owned() }
    }

    fn store(&self, store: MemoryStore, name: &str) -> FaultyStore {
        let family = name.rsplit('_').next().unwrap().to_owned();
        let writes = Arc::clone(self.database.writes.lock().unwrap().entry(family.clone()).or_default());
        let (dead, acknowledged) = (Arc::clone(&self.dead), Arc::clone(&self.acknowledged));
        FaultyStore { store, family, writes, fault: self.fault, dead, acknowledged }
    }
}

impl DbManager<FaultyStore, FaultyStore> for FaultyManager {
    fn create_collection(&self, name: &str, prefix: &str) -> Result<FaultyStore, Error> {
        Ok(self.store(self.database.memory.create_collection(name, &self.found(prefix))?, name))
    }

    fn create_state(&self, name: &str, prefix: &str) -> Result<FaultyStore, Error> {
        Ok(self.store(self.database.memory.create_state(name, &self.found(prefix))?, name))
    }
}

pub(crate) struct FaultyStore {
    store: MemoryStore,
    family: String,
    writes: Arc<AtomicU64>,
    fault: Fault,
    /// Whether its process counts as killed.
    dead: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
}

impl FaultyStore {
    /// Stores a value as the fault wants it.
    fn put_with(
        &mut self,
        data: &[u8],
        put: impl Fn(&mut MemoryStore, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let number = self.writes.load(Ordering::Relaxed);
        let (dies, is_stored) = match self.fault {
            Fault::DieBefore(family, nth) if family == self.family && nth == number => (true, false),
            Fault::DieAfter(family, nth) if family == self.family && nth == number => (true, true),
            _ => (false, true),
        };
        let dead = self.dead.fetch_or(dies, Ordering::SeqCst);
        if !dead
            && is_stored
            && let Some(data) = self.stored(data)
        {
            put(&mut self.store, &data)?;
        }
        if dead || dies {
            self.writes.fetch_add(u64::from(!is_stored), Ordering::Relaxed);
            return Err(Error::Store { operation: StoreOperation::Persist, reason: "killed".to_owned() });
        }
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// What becomes of a value on its way in; `None` if it is lost.
    fn stored(&self, data: &[u8]) -> Option<Vec<u8>> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let mut data = data.to_vec();
        match self.fault {
            Fault::Lose(family, nth) if family == self.family && nth == number => return None,
            Fault::Alter(family, nth) if family == self.family && nth == number => {
                let middle = data.len() / 2;
                data[middle] ^= 1;
            }
            Fault::Shorten(family, nth) if family == self.family && nth == number => drop(data.pop()),
            _ => {}
        }
        Some(data)
    }

    fn keeps_purged(&self) -> bool {
        matches!(self.fault, Fault::KeepPurged(family) if family == self.family)
    }
}

impl Collection for FaultyStore {
    fn name(&self) -> &str {
        Collection::name(&self.store)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        Collection::get(&self.store, key)
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        if self.fault == Fault::Invent(self.writes.load(Ordering::Relaxed)) {
            Collection::put(
                &mut self.store,
                &format!("{:020}", key.parse::<u64>().unwrap() + 1),
                b"nobody wrote this",
            )?;
        }
        self.put_with(data, |store, data| Collection::put(store, key, data))
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        if self.fault == Fault::KeepDeleted { Ok(()) } else { Collection::del(&mut self.store, key) }
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        self.store.last()
    }

    fn purge(&mut self) -> Result<(), Error> {
        if self.keeps_purged() { Ok(()) } else { Collection::purge(&mut self.store) }
    }

    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        self.store.iter(reverse)
    }
}

impl State for FaultyStore {
    fn name(&self) -> &str {
        State::name(&self.store)
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        State::get(&self.store)
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        self.put_with(data, State::put)
    }

    fn del(&mut self) -> Result<(), Error> {
        State::del(&mut self.store)
    }

    fn purge(&mut self) -> Result<(), Error> {
        if self.keeps_purged() { Ok(()) } else { State::purge(&mut self.store) }
    }
}
