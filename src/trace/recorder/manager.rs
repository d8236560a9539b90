//! A manager that forwards every call and records it.

use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};

use super::handle_calls::{EventCalls, StateCalls};
use super::session::Recorder;

/// A manager that records the calls on its handles. Pass it to the actor system in place of the wrapped manager.
///
/// Recording adds at most some 100 ns to a call; a call never waits for the recorder and never fails because of it.
///
/// ```
/// use ave_actors_rocksdb::RecordingManager;
/// use ave_actors_store::database::{Collection, DbManager};
/// use ave_actors_store::memory::MemoryManager;
///
/// // Without a recorder it only forwards calls, so that a configuration can turn recording off.
/// let manager = RecordingManager::new(MemoryManager::default(), None);
/// let mut events = manager.create_collection("account_events", "account-1")?;
/// events.put("00000000000000000000", b"opened")?;
/// # Ok::<_, ave_actors_store::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RecordingManager<M> {
    inner: M,
    recorder: Option<Recorder>,
}

impl<M> RecordingManager<M> {
    /// Wraps a manager. Without a recorder, calls are only forwarded.
    pub const fn new(inner: M, recorder: Option<Recorder>) -> Self {
        Self { inner, recorder }
    }

    /// The wrapped manager, for methods beside the trait: statistics, checkpoints.
    pub const fn inner(&self) -> &M {
        &self.inner
    }

    /// The recorder, if any.
    pub const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }
}

impl<M, C, S> DbManager<RecordingCollection<C>, RecordingState<S>> for RecordingManager<M>
where
    M: DbManager<C, S>,
    C: Collection,
    S: State,
{
    fn create_collection(&self, name: &str, prefix: &str) -> Result<RecordingCollection<C>, Error> {
        let create = || self.inner.create_collection(name, prefix);
        let (inner, calls) = EventCalls::of(self.recorder.as_ref(), name, prefix, create)?;
        Ok(RecordingCollection { inner, calls })
    }

    fn create_state(&self, name: &str, prefix: &str) -> Result<RecordingState<S>, Error> {
        let create = || self.inner.create_state(name, prefix);
        let (inner, calls) = StateCalls::of(self.recorder.as_ref(), name, prefix, create)?;
        Ok(RecordingState { inner, calls })
    }

    /// Stops the wrapped manager. The recording continues: open handles may still be used.
    fn stop(&mut self) -> Result<(), Error> {
        self.inner.stop()
    }
}

/// A collection whose calls are recorded.
#[derive(Debug)]
pub struct RecordingCollection<C> {
    inner: C,
    calls: EventCalls,
}

impl<C: Collection> Collection for RecordingCollection<C> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        self.calls.get(key, || self.inner.get(key))
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        self.calls.put(key, data, || self.inner.put(key, data))
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        self.calls.del(key, || self.inner.del(key))
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        self.calls.last(|| self.inner.last())
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.calls.purge(|| self.inner.purge())
    }

    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        self.calls.foreign(|| self.inner.iter(reverse))
    }

    fn get_by_range(&self, from: Option<String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        self.calls.foreign(|| self.inner.get_by_range(from, quantity))
    }
}

/// A state whose calls are recorded.
#[derive(Debug)]
pub struct RecordingState<S> {
    inner: S,
    calls: StateCalls,
}

impl<S: State> State for RecordingState<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        self.calls.get(|| self.inner.get())
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        self.calls.put(data, || self.inner.put(data))
    }

    fn del(&mut self) -> Result<(), Error> {
        self.calls.foreign(|| self.inner.del())
    }

    fn purge(&mut self) -> Result<(), Error> {
        self.calls.purge(|| self.inner.purge())
    }
}
