//! A real actor with a store, for tests of what it asks of that store: how it persists is a type, and one line makes it do
//! each thing an actor can do.

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

use super::recording::Recorder;

/// How a type of actor persists: what a `PersistentActor` says in its implementation.
pub(crate) trait Rules: Debug + Default + Clone + Send + Sync + 'static {
    type Persistence: Persistence;
    /// Name of the type, from which its column families have theirs.
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

/// The same, as the workbench says it.
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
pub(crate) struct Happened(Vec<u8>);
impl Event for Happened {}

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Persist(Happened),
    Snapshot,
    Events { from: u64, to: u64 },
    LastEvent,
    Purge,
    Nothing,
}
impl Message for Ask {}

/// The actor's serialised size after it did what it was asked.
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
/// Between the prefix of an actor's keys and the number of its life, in the name of the actor.
const LIFE: &str = "--";

/// What the actors of a system persist to.
#[derive(Clone)]
pub(crate) enum Database {
    Written(Recorder),
    Memory(RecordingManager<MemoryManager>),
    #[cfg(feature = "rocksdb")]
    RocksDb(RecordingManager<RocksDbManager>),
}

#[async_trait]
impl<R: Rules> Actor for Account<R> {
    type Message = Ask;
    type Event = Happened;
    type Response = StateBytes;

    fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
        tracing::info_span!("account", id)
    }

    async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
        let database: Database = ctx.system().get_helper(DATABASE).await.unwrap();
        let key: Option<EncryptedKey> = ctx.system().get_helper(KEY).await;
        let prefix = ctx.path().key().split(LIFE).next().map(str::to_owned);
        match database {
            Database::Written(manager) => self.start_store(R::NAME, prefix, ctx, manager, key).await,
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
        ask: Ask,
        ctx: &mut ActorContext<Self>,
    ) -> Result<StateBytes, ActorError> {
        let store = ctx.get_child::<Store<Self>>("store").await?;
        match ask {
            Ask::Persist(event) => self.persist(&event, ctx).await?,
            Ask::Snapshot => self.snapshot(ctx).await?,
            // A range that compaction deleted is refused; what matters here is what was asked of the database.
            Ask::Events { from, to } => drop(store.ask(StoreCommand::GetEvents { from, to }).await),
            Ask::LastEvent => drop(store.ask(StoreCommand::LastEvent).await?),
            Ask::Purge => drop(store.ask(StoreCommand::Purge).await?),
            Ask::Nothing => {}
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

    fn apply(&mut self, event: &Happened) -> Result<(), ActorError> {
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

/// One thing that happens to the actor.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Persist(usize),
    Snapshot,
    /// The actor is gone without having been stopped, and a new one starts over the same database.
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

/// The actor in its present life.
pub(crate) struct Life<R: Rules> {
    system: SystemRef,
    prefix: String,
    actor: ActorRef<Account<R>>,
    lives: u32,
}

impl<R: Rules> Life<R> {
    pub(crate) async fn first(System { system, .. }: &System, prefix: &str) -> Self {
        let actor = Self::start(system, prefix, 0).await;
        Self { system: system.clone(), prefix: prefix.to_owned(), actor, lives: 1 }
    }

    async fn start(system: &SystemRef, prefix: &str, life: u32) -> ActorRef<Account<R>> {
        system.create_root_actor(&format!("{prefix}{LIFE}{}-{life}", R::NAME), Account::<R>::initial(())).await.unwrap()
    }

    pub(crate) async fn state_bytes(&self) -> u32 {
        self.ask(Ask::Nothing).await
    }

    async fn ask(&self, ask: Ask) -> u32 {
        self.actor.ask(ask).await.unwrap().0
    }

    /// Does it for real, and returns what the model is told about it.
    pub(crate) async fn perform(&mut self, step: &Step) -> Command {
        match *step {
            Step::Persist(len) => {
                let event = Happened(vec![1; len]);
                let event_bytes = serialised_bytes(&event);
                Command::Persist { event_bytes, state_bytes: self.ask(Ask::Persist(event)).await }
            }
            Step::Snapshot => Command::Snapshot { state_bytes: self.ask(Ask::Snapshot).await },
            Step::CrashAndRecover => {
                self.actor = Self::start(&self.system, &self.prefix, self.lives).await;
                self.lives += 1;
                Command::Recover { state_bytes: self.ask(Ask::Nothing).await }
            }
            Step::Events { from, length } => {
                // One before `from` is an empty range.
                let to = (from + length).saturating_sub(1);
                self.ask(Ask::Events { from, to }).await;
                Command::Events { from, to }
            }
            Step::LastEvent => {
                self.ask(Ask::LastEvent).await;
                Command::LastEvent
            }
            Step::Purge => {
                self.ask(Ask::Purge).await;
                Command::Purge
            }
        }
    }
}
