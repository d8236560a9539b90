//! A real actor with a store, for tests of its calls on that store. A type parameter decides how it persists.

use std::fmt::Debug;
use std::marker::PhantomData;

use async_trait::async_trait;
use ave_actors_actor::{
    Actor, ActorContext, ActorPath, ActorRef, ActorSystem, EncryptedKey, Error as ActorError, Event, Handler, Message,
    Response, SystemRef, SystemRunner,
};
use ave_actors_rocksdb::RecordingManager;
#[cfg(feature = "rocksdb")]
use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::memory::MemoryManager;
use ave_actors_store::store::{
    FullPersistence, LightPersistence, Persistence, PersistenceType, PersistentActor, Store, StoreCommand,
};
use ave_workbench::actor::{Command, PersistenceRules, Strategy as When};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::recording::CallLog;

/// How a type of actor persists, as in an implementation of `PersistentActor`.
pub(crate) trait Rules: Debug + Default + Clone + Send + Sync + 'static {
    type Persistence: Persistence;
    /// Name of the type, the prefix of its column families.
    const NAME: &str;
    const SNAPSHOT_EVERY: Option<u64>;
    const COMPACT: bool;
}

macro_rules! rules {
    ($($name:ident: $persistence:ty, every $every:expr, compact $compact:expr;)+) => {$(
        #[derive(Debug, Default, Clone)]
        pub(crate) struct $name;

        impl Rules for $name {
            type Persistence = $persistence;
            const NAME: &str = stringify!($name);
            const SNAPSHOT_EVERY: Option<u64> = $every;
            const COMPACT: bool = $compact;
        }
    )+};
}

rules! {
    Light: LightPersistence, every None, compact false;
    LightCompacting: LightPersistence, every None, compact true;
    Full: FullPersistence, every Some(4), compact false;
    FullEachTime: FullPersistence, every Some(1), compact false;
    FullByHand: FullPersistence, every None, compact false;
    Compacting: FullPersistence, every Some(3), compact true;
    CompactingByHand: FullPersistence, every None, compact true;
}

/// The same for the model of the workbench.
pub(crate) fn model_rules<R: Rules>(encrypted: bool) -> PersistenceRules {
    PersistenceRules {
        strategy: match R::Persistence::get_persistence() {
            PersistenceType::Light => When::Light,
            PersistenceType::Full => When::Full { snapshot_every: R::SNAPSHOT_EVERY },
        },
        compact_on_snapshot: R::COMPACT,
        encrypted,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub(crate) struct AccountEvent(Vec<u8>);
impl Event for AccountEvent {}

#[derive(Debug, Clone)]
pub(crate) enum Request {
    Persist(AccountEvent),
    Snapshot,
    Events { from: u64, to: u64 },
    LastEvent,
    Purge,
    Nothing,
}
impl Message for Request {}

/// Serialised size of the actor after a request.
pub(crate) struct StateBytes(u32);
impl Response for StateBytes {}

/// An actor whose state grows and shrinks with its history.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub(crate) struct Account<R: Rules> {
    state: Vec<u8>,
    #[borsh(skip)]
    rules: PhantomData<R>,
}

const LARGEST_STATE: usize = 700;
const DATABASE: &str = "database";
const KEY: &str = "key";
/// Separates the key prefix and the number of the start in the name of an actor.
const START: &str = "--";

/// The database of a system.
#[derive(Clone)]
pub(crate) enum Database {
    CallLog(CallLog),
    Memory(RecordingManager<MemoryManager>),
    #[cfg(feature = "rocksdb")]
    RocksDb(RecordingManager<RocksDbManager>),
}

#[async_trait]
impl<R: Rules> Actor for Account<R> {
    type Message = Request;
    type Event = AccountEvent;
    type Response = StateBytes;

    fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
        tracing::info_span!("account", id)
    }

    async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
        let database: Database = ctx.system().get_helper(DATABASE).await.unwrap();
        let key: Option<EncryptedKey> = ctx.system().get_helper(KEY).await;
        let prefix = ctx.path().key().split(START).next().map(str::to_owned);
        match database {
            Database::CallLog(manager) => self.start_store(R::NAME, prefix, ctx, manager, key).await,
            Database::Memory(manager) => self.start_store(R::NAME, prefix, ctx, manager, key).await,
            #[cfg(feature = "rocksdb")]
            Database::RocksDb(manager) => self.start_store(R::NAME, prefix, ctx, manager, key).await,
        }
    }
}

#[async_trait]
impl<R: Rules> Handler<Self> for Account<R> {
    async fn handle_message(
        &mut self,
        _sender: ActorPath,
        request: Request,
        ctx: &mut ActorContext<Self>,
    ) -> Result<StateBytes, ActorError> {
        let store = ctx.get_child::<Store<Self>>("store").await?;
        match request {
            Request::Persist(event) => self.persist(&event, ctx).await?,
            Request::Snapshot => self.snapshot(ctx).await?,
            // A range deleted by compaction is an error; the test is about the calls on the database.
            Request::Events { from, to } => drop(store.ask(StoreCommand::GetEvents { from, to }).await),
            Request::LastEvent => drop(store.ask(StoreCommand::LastEvent).await?),
            Request::Purge => drop(store.ask(StoreCommand::Purge).await?),
            Request::Nothing => {}
        }
        Ok(StateBytes(serialised_bytes(self)))
    }
}

impl<R: Rules> PersistentActor for Account<R> {
    type Persistence = R::Persistence;
    type InitParams = ();

    fn create_initial((): ()) -> Self {
        Self { state: Vec::new(), rules: PhantomData }
    }

    fn apply(&mut self, event: &AccountEvent) -> Result<(), ActorError> {
        let len = (self.state.len() + event.0.len()) % LARGEST_STATE;
        self.state.resize(len, 7);
        Ok(())
    }

    fn snapshot_every() -> Option<u64> {
        R::SNAPSHOT_EVERY
    }

    fn compact_on_snapshot() -> bool {
        R::COMPACT
    }
}

fn serialised_bytes(value: &impl BorshSerialize) -> u32 {
    u32::try_from(borsh::to_vec(value).unwrap().len()).unwrap()
}

/// One step of a test.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Persist(usize),
    Snapshot,
    /// A new actor starts over the same database, without a stop of the old one.
    CrashAndRecover,
    Events {
        from: u64,
        length: u64,
    },
    LastEvent,
    Purge,
}

/// A system of actors over one database.
pub(crate) struct System {
    system: SystemRef,
    _runner: SystemRunner,
}

impl System {
    pub(crate) async fn new(database: &Database, key: Option<&EncryptedKey>) -> Self {
        let (system, runner) = ActorSystem::create(CancellationToken::new(), CancellationToken::new());
        system.add_helper(DATABASE, database.clone()).await;
        if let Some(key) = key {
            system.add_helper(KEY, key.clone()).await;
        }
        Self { system, _runner: runner }
    }
}

/// The running actor.
pub(crate) struct ActorInstance<R: Rules> {
    system: SystemRef,
    prefix: String,
    actor: ActorRef<Account<R>>,
    starts: u32,
}

impl<R: Rules> ActorInstance<R> {
    pub(crate) async fn first(System { system, .. }: &System, prefix: &str) -> Self {
        let actor = Self::start(system, prefix, 0).await;
        Self { system: system.clone(), prefix: prefix.to_owned(), actor, starts: 1 }
    }

    async fn start(system: &SystemRef, prefix: &str, start: u32) -> ActorRef<Account<R>> {
        system
            .create_root_actor(&format!("{prefix}{START}{}-{start}", R::NAME), Account::<R>::initial(()))
            .await
            .unwrap()
    }

    pub(crate) async fn state_bytes(&self) -> u32 {
        self.ask(Request::Nothing).await
    }

    async fn ask(&self, request: Request) -> u32 {
        self.actor.ask(request).await.unwrap().0
    }

    /// Performs a step, and returns the command for the model.
    pub(crate) async fn perform(&mut self, step: &Step) -> Command {
        match *step {
            Step::Persist(len) => {
                let event = AccountEvent(vec![1; len]);
                let event_bytes = serialised_bytes(&event);
                Command::Persist { event_bytes, state_bytes: self.ask(Request::Persist(event)).await }
            }
            Step::Snapshot => Command::Snapshot { state_bytes: self.ask(Request::Snapshot).await },
            Step::CrashAndRecover => {
                self.actor = Self::start(&self.system, &self.prefix, self.starts).await;
                self.starts += 1;
                Command::Recover { state_bytes: self.ask(Request::Nothing).await }
            }
            Step::Events { from, length } => {
                // One before `from` is an empty range.
                let to = (from + length).saturating_sub(1);
                self.ask(Request::Events { from, to }).await;
                Command::Events { from, to }
            }
            Step::LastEvent => {
                self.ask(Request::LastEvent).await;
                Command::LastEvent
            }
            Step::Purge => {
                self.ask(Request::Purge).await;
                Command::Purge
            }
        }
    }
}
