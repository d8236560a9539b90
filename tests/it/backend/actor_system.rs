//! Real actors of `ave-actors-store` over RocksDB: they persist, the system stops, another one starts over the same
//! directory, and they are what they were.

use std::path::Path;

use async_trait::async_trait;
use ave_actors_actor::{
    Actor, ActorContext, ActorPath, ActorRef, ActorSystem, EncryptedKey, Error as ActorError, Event, Handler, Message,
    Response, SystemRef, SystemRunner,
};
use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::{
    database::{Collection, DbManager},
    store::{FullPersistence, LightPersistence, PersistentActor, Store, StoreCommand, StoreResponse},
};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

use super::{keys, open};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
struct Deposited(u64);
impl Event for Deposited {}

#[derive(Debug, Clone)]
enum Ask {
    Deposit(u64),
    Balance,
    Events { from: u64, to: u64 },
    LastEvent,
    Purge,
}
impl Message for Ask {}

#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Done,
    Balance(u64),
    Events(Vec<u64>),
}
impl Response for Answer {}

/// What an actor finds its database and its key under.
const DATABASE: &str = "database";
const KEY: &str = "key";

/// An account as an actor type of its own: persistence, snapshot interval and compaction belong to the type.
macro_rules! account {
    ($name:ident, $persistence:ty, every $every:expr, compact $compact:expr) => {
        #[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
        struct $name {
            balance: u64,
        }

        impl $name {
            async fn store(&self, ctx: &mut ActorContext<Self>, command: StoreCommand<Self, Deposited>) -> Answer {
                let store = ctx.get_child::<Store<Self>>("store").await.unwrap();
                match store.ask(command).await.unwrap() {
                    StoreResponse::Events(events) => Answer::Events(events.into_iter().map(|event| event.0).collect()),
                    StoreResponse::LastEvent(event) => Answer::Events(event.map(|event| event.0).into_iter().collect()),
                    _ => Answer::Done,
                }
            }
        }

        #[async_trait]
        impl Actor for $name {
            type Message = Ask;
            type Event = Deposited;
            type Response = Answer;

            fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
                tracing::info_span!("account", id)
            }

            async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
                let manager: RocksDbManager = ctx.system().get_helper(DATABASE).await.unwrap();
                let key: Option<EncryptedKey> = ctx.system().get_helper(KEY).await;
                self.start_store("account", None, ctx, manager, key).await
            }
        }

        #[async_trait]
        impl Handler<$name> for $name {
            async fn handle_message(
                &mut self,
                _sender: ActorPath,
                ask: Ask,
                ctx: &mut ActorContext<Self>,
            ) -> Result<Answer, ActorError> {
                Ok(match ask {
                    Ask::Deposit(amount) => {
                        self.persist(&Deposited(amount), ctx).await?;
                        Answer::Done
                    }
                    Ask::Balance => Answer::Balance(self.balance),
                    Ask::Events { from, to } => self.store(ctx, StoreCommand::GetEvents { from, to }).await,
                    Ask::LastEvent => self.store(ctx, StoreCommand::LastEvent).await,
                    Ask::Purge => self.store(ctx, StoreCommand::Purge).await,
                })
            }
        }

        impl PersistentActor for $name {
            type Persistence = $persistence;
            type InitParams = ();

            fn create_initial((): ()) -> Self {
                Self { balance: 0 }
            }

            fn apply(&mut self, event: &Deposited) -> Result<(), ActorError> {
                self.balance += event.0;
                Ok(())
            }

            fn snapshot_every() -> Option<u64> {
                $every
            }

            fn compact_on_snapshot() -> bool {
                $compact
            }
        }
    };
}

account!(Light, LightPersistence, every None, compact false);
account!(Full, FullPersistence, every Some(4), compact false);
account!(Compacting, FullPersistence, every Some(4), compact true);

/// An actor system over one database directory.
struct Running {
    system: SystemRef,
    runner: SystemRunner,
    manager: RocksDbManager,
}

impl Running {
    async fn start(path: &Path, key: Option<&EncryptedKey>) -> Self {
        let (system, runner) = ActorSystem::create(CancellationToken::new(), CancellationToken::new());
        let manager = open(path);
        system.add_helper(DATABASE, manager.clone()).await;
        if let Some(key) = key {
            system.add_helper(KEY, key.clone()).await;
        }
        Self { system, runner, manager }
    }

    async fn actor<A>(&self, name: &str) -> ActorRef<A>
    where
        A: PersistentActor<Event = Deposited, InitParams = ()>,
    {
        self.system.create_root_actor(name, A::initial(())).await.unwrap()
    }

    /// Stops the actors, then the database, as an application does.
    async fn stop(mut self) {
        self.system.stop_system();
        self.runner.run().await;
        self.manager.stop().unwrap();
    }
}

async fn ask<A>(actor: &ActorRef<A>, ask: Ask) -> Answer
where
    A: Actor<Message = Ask, Response = Answer> + Handler<A>,
{
    actor.ask(ask).await.unwrap()
}

async fn deposit<A>(actor: &ActorRef<A>, amounts: impl IntoIterator<Item = u64>)
where
    A: Actor<Message = Ask, Response = Answer> + Handler<A>,
{
    for amount in amounts {
        assert_eq!(ask(actor, Ask::Deposit(amount)).await, Answer::Done);
    }
}

/// Deposits 1 to 10 in one life and 11 to 13 in the next; the third life must know all of it.
async fn lives_on<A>(key: Option<&EncryptedKey>, events_kept: bool)
where
    A: PersistentActor<Event = Deposited, InitParams = (), Message = Ask, Response = Answer>,
{
    let dir = tempdir().unwrap();
    let path = dir.path().join("db");
    for (balance_before, amounts) in [(0, 1..=10), (55, 11..=13)] {
        let running = Running::start(&path, key).await;
        let account = running.actor::<A>("account-1").await;
        let bystander = running.actor::<A>("account-1.savings").await;
        assert_eq!(ask(&account, Ask::Balance).await, Answer::Balance(balance_before));
        deposit(&account, amounts).await;
        deposit(&bystander, [1000]).await;
        drop((account, bystander));
        running.stop().await;
    }

    let running = Running::start(&path, key).await;
    let account = running.actor::<A>("account-1").await;
    assert_eq!(ask(&account, Ask::Balance).await, Answer::Balance(91));
    if events_kept {
        assert_eq!(ask(&account, Ask::LastEvent).await, Answer::Events(vec![13]));
        assert_eq!(ask(&account, Ask::Events { from: 9, to: 99 }).await, Answer::Events(vec![10, 11, 12, 13]));
    } else {
        assert_eq!(
            keys(&running.manager.create_collection("account_events", "account-1").unwrap()),
            Vec::<String>::new()
        );
    }
    deposit(&account, [9]).await;
    assert_eq!(ask(&account, Ask::LastEvent).await, Answer::Events(vec![9]));

    assert_eq!(ask(&account, Ask::Purge).await, Answer::Done);
    assert_eq!(ask(&account, Ask::LastEvent).await, Answer::Events(vec![]));
    let bystander = running.actor::<A>("account-1.savings").await;
    assert_eq!(ask(&bystander, Ask::Balance).await, Answer::Balance(2000), "a purge is nobody else's business");
    drop((account, bystander));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_light_actor_lives_on() {
    lives_on::<Light>(None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_actor_lives_on() {
    lives_on::<Full>(None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_actor_that_compacts_its_log_lives_on() {
    lives_on::<Compacting>(None, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_actors_live_on_and_leave_no_plain_text() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    lives_on::<Light>(Some(&key), true).await;
    lives_on::<Full>(Some(&key), true).await;
    lives_on::<Compacting>(Some(&key), false).await;

    let dir = tempdir().unwrap();
    let running = Running::start(dir.path(), Some(&key)).await;
    let account = running.actor::<Full>("account-1").await;
    deposit(&account, [u64::from_le_bytes(*b"a secret")]).await;
    let events = running.manager.create_collection("account_events", "account-1").unwrap();
    let (_, stored) = events.last().unwrap().unwrap();
    assert!(!stored.windows(8).any(|window| window == b"a secret"));
    drop((account, events));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_no_event_of_a_full_actor() {
    let dir = tempdir().unwrap();
    let running = Running::start(&dir.path().join("db"), None).await;
    let account = running.actor::<Full>("account-1").await;
    deposit(&account, 1..=10).await;
    // A checkpoint of the running database is what a crash at this moment leaves behind.
    let crashed = dir.path().join("crashed");
    running.manager.checkpoint(&crashed).unwrap();
    drop(account);
    running.stop().await;

    let running = Running::start(&crashed, None).await;
    let account = running.actor::<Full>("account-1").await;
    assert_eq!(ask(&account, Ask::Balance).await, Answer::Balance(55));
    drop(account);
    running.stop().await;
}
