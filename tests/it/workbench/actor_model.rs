//! The commands of the workbench expand to exactly what the published `Store` issues: real actors run over a manager
//! that writes down every call, and the model must predict each of them.

use std::fmt::Debug;
use std::marker::PhantomData;

use async_trait::async_trait;
use ave_actors_actor::{
    Actor, ActorContext, ActorPath, ActorRef, ActorSystem, EncryptedKey, Error as ActorError, Event, Handler, Message,
    Response, SystemRef, SystemRunner,
};
use ave_actors_rocksdb::workbench::actor::{ActorLog, Command, PersistenceRules, Strategy as When};
use ave_actors_store::store::{
    FullPersistence, LightPersistence, Persistence, PersistenceType, PersistentActor, Store, StoreCommand,
};
use borsh::{BorshDeserialize, BorshSerialize};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::recording::{Recorder, lines};

/// How a type of actor persists: what a `PersistentActor` says in its implementation.
trait Rules: Debug + Default + Clone + Send + Sync + 'static {
    type Persistence: Persistence;
    const SNAPSHOT_EVERY: Option<u64>;
    const COMPACT: bool;
}

macro_rules! rules {
    ($($name:ident: $persistence:ty, every $every:expr, compact $compact:expr;)+) => {$(
        #[derive(Debug, Default, Clone)]
        struct $name;

        impl Rules for $name {
            type Persistence = $persistence;
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
fn model_rules<R: Rules>(encrypted: bool) -> PersistenceRules {
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
struct Happened(Vec<u8>);
impl Event for Happened {}

#[derive(Debug, Clone)]
enum Ask {
    Persist(Happened),
    Snapshot,
    Events { from: u64, to: u64 },
    LastEvent,
    Purge,
    Nothing,
}
impl Message for Ask {}

/// The actor's serialised size after it did what it was asked.
struct StateBytes(u32);
impl Response for StateBytes {}

/// An actor whose state grows and shrinks with its history.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
struct Account<R: Rules> {
    state: Vec<u8>,
    #[borsh(skip)]
    rules: PhantomData<R>,
}

const LARGEST_STATE: usize = 700;
const RECORDER: &str = "recorder";
const KEY: &str = "key";
const PREFIX: &str = "account-1";

#[async_trait]
impl<R: Rules> Actor for Account<R> {
    type Message = Ask;
    type Event = Happened;
    type Response = StateBytes;

    fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
        tracing::info_span!("account", id)
    }

    async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
        let recorder: Recorder = ctx.system().get_helper(RECORDER).await.unwrap();
        let key: Option<EncryptedKey> = ctx.system().get_helper(KEY).await;
        self.start_store("account", Some(PREFIX.to_owned()), ctx, recorder, key).await
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
enum Step {
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (0usize..400).prop_map(Step::Persist),
        2 => Just(Step::Snapshot),
        3 => Just(Step::CrashAndRecover),
        3 => (0u64..30, 0u64..12).prop_map(|(from, length)| Step::Events { from, length }),
        2 => Just(Step::LastEvent),
        1 => Just(Step::Purge),
    ];
    prop::collection::vec(step, 1..60)
}

/// The actor in its present life.
struct Life<R: Rules> {
    system: SystemRef,
    _runner: SystemRunner,
    actor: ActorRef<Account<R>>,
    lives: u32,
}

impl<R: Rules> Life<R> {
    async fn first(recorder: &Recorder, key: Option<&EncryptedKey>) -> Self {
        let (system, runner) = ActorSystem::create(CancellationToken::new(), CancellationToken::new());
        system.add_helper(RECORDER, recorder.clone()).await;
        if let Some(key) = key {
            system.add_helper(KEY, key.clone()).await;
        }
        let actor = Self::start(&system, 0).await;
        Self { system, _runner: runner, actor, lives: 1 }
    }

    async fn start(system: &SystemRef, life: u32) -> ActorRef<Account<R>> {
        system.create_root_actor(&format!("life-{life}"), Account::<R>::initial(())).await.unwrap()
    }

    async fn ask(&self, ask: Ask) -> u32 {
        self.actor.ask(ask).await.unwrap().0
    }

    /// Does it for real, and returns what the model is told about it.
    async fn perform(&mut self, step: &Step) -> Command {
        match *step {
            Step::Persist(len) => {
                let event = Happened(vec![1; len]);
                let event_bytes = serialised_bytes(&event);
                Command::Persist { event_bytes, state_bytes: self.ask(Ask::Persist(event)).await }
            }
            Step::Snapshot => Command::Snapshot { state_bytes: self.ask(Ask::Snapshot).await },
            Step::CrashAndRecover => {
                self.actor = Self::start(&self.system, self.lives).await;
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

/// What the model says is called.
fn predicted(log: &mut ActorLog, rules: PersistenceRules, command: Command) -> Vec<String> {
    let mut ops = Vec::new();
    log.expand(rules, command, &mut ops);
    ops.iter().flat_map(|op| lines(op, "account", PREFIX)).collect()
}

async fn live<R: Rules>(steps: &[Step], key: Option<&EncryptedKey>) -> Result<(), TestCaseError> {
    let (recorder, rules) = (Recorder::default(), model_rules::<R>(key.is_some()));
    let mut log = ActorLog::default();
    let mut life = Life::<R>::first(&recorder, key).await;
    let state_bytes = life.ask(Ask::Nothing).await;
    prop_assert_eq!(recorder.take(), predicted(&mut log, rules, Command::Recover { state_bytes }), "the first start");
    for (place, step) in steps.iter().enumerate() {
        let command = life.perform(step).await;
        prop_assert_eq!(recorder.take(), predicted(&mut log, rules, command), "step {}: {:?}", place, step);
    }
    Ok(())
}

fn every_life_is_predicted<R: Rules>(key: Option<&EncryptedKey>) {
    // Encryption changes lengths and nothing else, and is slow in an unoptimised build.
    let cases = if key.is_some() { 12 } else { 48 };
    // Dropping the runtime drops the actors as a crash does: none of them is stopped.
    let run = |steps: Vec<Step>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live::<R>(&steps, key))
    };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&steps(), run).unwrap();
}

#[test]
fn light_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Light>(None);
    every_life_is_predicted::<LightCompacting>(None);
}

#[test]
fn full_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Full>(None);
    every_life_is_predicted::<FullEachTime>(None);
    every_life_is_predicted::<FullByHand>(None);
}

#[test]
fn compacting_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Compacting>(None);
    every_life_is_predicted::<CompactingByHand>(None);
}

#[test]
fn encrypted_actors_issue_what_the_model_says() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    every_life_is_predicted::<Light>(Some(&key));
    every_life_is_predicted::<Full>(Some(&key));
    every_life_is_predicted::<Compacting>(Some(&key));
}
