//! A manager that logs every call, in order, and forwards it to memory.

use std::sync::{Arc, Mutex};

use ave_actors_rocksdb::trace::{Op, OpKind};
use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};
use ave_actors_store::memory::{MemoryManager, MemoryStore};

/// Calls as lines such as `account-1 events.put 00000000000000000003 120`, in the order they were made.
#[derive(Clone, Default)]
pub(crate) struct CallLog {
    memory: MemoryManager,
    calls: Arc<Mutex<Vec<String>>>,
}

impl CallLog {
    /// The calls since the last `take`.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn open(&self, store: MemoryStore, kind: &str, name: &str, prefix: &str) -> LoggedStore {
        self.calls.lock().unwrap().push(format!("{prefix} {kind} {name}"));
        let family = name.rsplit('_').next().unwrap().to_owned();
        LoggedStore { store, calls: Arc::clone(&self.calls), handle: format!("{prefix} {family}") }
    }
}

impl DbManager<LoggedStore, LoggedStore> for CallLog {
    fn create_collection(&self, name: &str, prefix: &str) -> Result<LoggedStore, Error> {
        Ok(self.open(self.memory.create_collection(name, prefix)?, "create_collection", name, prefix))
    }

    fn create_state(&self, name: &str, prefix: &str) -> Result<LoggedStore, Error> {
        Ok(self.open(self.memory.create_state(name, prefix)?, "create_state", name, prefix))
    }
}

/// A handle whose calls are logged.
pub(crate) struct LoggedStore {
    store: MemoryStore,
    calls: Arc<Mutex<Vec<String>>>,
    /// Actor and family.
    handle: String,
}

impl LoggedStore {
    fn call(&self, what: std::fmt::Arguments<'_>) {
        self.calls.lock().unwrap().push(format!("{}.{what}", self.handle));
    }
}

impl Collection for LoggedStore {
    fn name(&self) -> &str {
        Collection::name(&self.store)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        self.call(format_args!("get {key}"));
        Collection::get(&self.store, key)
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        self.call(format_args!("put {key} {}", data.len()));
        Collection::put(&mut self.store, key, data)
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        self.call(format_args!("del {key}"));
        Collection::del(&mut self.store, key)
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        self.call(format_args!("last"));
        self.store.last()
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.call(format_args!("purge"));
        Collection::purge(&mut self.store)
    }

    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        self.call(format_args!("iter"));
        self.store.iter(reverse)
    }

    fn get_by_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        self.call(format_args!("get_by_range"));
        self.store.get_by_range(from, quantity)
    }
}

impl State for LoggedStore {
    fn name(&self) -> &str {
        State::name(&self.store)
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        self.call(format_args!("get"));
        State::get(&self.store)
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        self.call(format_args!("put {}", data.len()));
        State::put(&mut self.store, data)
    }

    fn del(&mut self) -> Result<(), Error> {
        self.call(format_args!("del"));
        State::del(&mut self.store)
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.call(format_args!("purge"));
        State::purge(&mut self.store)
    }
}

/// The calls of an operation of the model.
pub(crate) fn lines(op: &Op, type_name: &str, actor: &str) -> Vec<String> {
    if op.kind == OpKind::Open {
        return [("collection", "events"), ("state", "states"), ("state", "metadata")]
            .map(|(kind, family)| format!("{actor} create_{kind} {type_name}_{family}"))
            .to_vec();
    }
    let number = if op.kind.names_event() { format!(" {:020}", op.number) } else { String::new() };
    let bytes = if op.kind.writes_value() { format!(" {}", op.bytes) } else { String::new() };
    vec![format!("{actor} {}{number}{bytes}", op.kind)]
}
