//! Actors of `ave-actors-store` over RocksDB: they persist events, the system stops, and a new system over the same
//! directory recovers their state.

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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, keys, open};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
struct Deposited(u64);
impl Event for Deposited {}

#[derive(Debug, Clone)]
enum Request {
    Deposit(u64),
    Balance,
    Events { from: u64, to: u64 },
    LastEvent,
    Purge,
}
impl Message for Request {}

#[derive(Debug, Clone, PartialEq)]
enum Reply {
    Done,
    Balance(u64),
    Events(Vec<u64>),
}
impl Response for Reply {}

/// Names of the helpers with the database and the encryption key.
const DATABASE: &str = "database";
const KEY: &str = "key";

/// Defines an actor type: persistence, snapshot interval and compaction are properties of the type.
macro_rules! account {
    ($name:ident, $persistence:ty, every $every:expr, compact $compact:expr) => {
        #[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
        struct $name {
            balance: u64,
        }

        impl $name {
            async fn store(&self, ctx: &mut ActorContext<Self>, command: StoreCommand<Self, Deposited>) -> Reply {
                let store = ctx.get_child::<Store<Self>>("store").await.unwrap();
                match store.ask(command).await.unwrap() {
                    StoreResponse::Events(events) => Reply::Events(events.into_iter().map(|event| event.0).collect()),
                    StoreResponse::LastEvent(event) => Reply::Events(event.map(|event| event.0).into_iter().collect()),
                    _ => Reply::Done,
                }
            }
        }

        #[async_trait]
        impl Actor for $name {
            type Message = Request;
            type Event = Deposited;
            type Response = Reply;

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
                request: Request,
                ctx: &mut ActorContext<Self>,
            ) -> Result<Reply, ActorError> {
                Ok(match request {
                    Request::Deposit(amount) => {
                        self.persist(&Deposited(amount), ctx).await?;
                        Reply::Done
                    }
                    Request::Balance => Reply::Balance(self.balance),
                    Request::Events { from, to } => self.store(ctx, StoreCommand::GetEvents { from, to }).await,
                    Request::LastEvent => self.store(ctx, StoreCommand::LastEvent).await,
                    Request::Purge => self.store(ctx, StoreCommand::Purge).await,
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

    /// Stops the actors, then the database.
    async fn stop(mut self) {
        self.system.stop_system();
        timeout(DEADLINE, self.runner.run()).await.unwrap();
        self.manager.stop().unwrap();
    }
}

async fn ask<A>(actor: &ActorRef<A>, request: Request) -> Reply
where
    A: Actor<Message = Request, Response = Reply> + Handler<A>,
{
    timeout(DEADLINE, actor.ask(request)).await.unwrap().unwrap()
}

async fn deposit<A>(actor: &ActorRef<A>, amounts: impl IntoIterator<Item = u64>)
where
    A: Actor<Message = Request, Response = Reply> + Handler<A>,
{
    for amount in amounts {
        assert_eq!(ask(actor, Request::Deposit(amount)).await, Reply::Done);
    }
}

/// Deposits 1 to 10 in the first system and 11 to 13 in the second. The third must recover all of them.
async fn assert_recovers<A>(key: Option<&EncryptedKey>, events_kept: bool)
where
    A: PersistentActor<Event = Deposited, InitParams = (), Message = Request, Response = Reply>,
{
    let dir = tempdir().unwrap();
    let path = dir.path().join("db");
    for (balance_before, amounts) in [(0, 1..=10), (55, 11..=13)] {
        let running = Running::start(&path, key).await;
        let account = running.actor::<A>("account-1").await;
        let bystander = running.actor::<A>("account-1.savings").await;
        assert_eq!(ask(&account, Request::Balance).await, Reply::Balance(balance_before));
        deposit(&account, amounts).await;
        deposit(&bystander, [1000]).await;
        drop((account, bystander));
        running.stop().await;
    }

    let running = Running::start(&path, key).await;
    let account = running.actor::<A>("account-1").await;
    assert_eq!(ask(&account, Request::Balance).await, Reply::Balance(91));
    if events_kept {
        assert_eq!(ask(&account, Request::LastEvent).await, Reply::Events(vec![13]));
        assert_eq!(ask(&account, Request::Events { from: 9, to: 99 }).await, Reply::Events(vec![10, 11, 12, 13]));
    } else {
        assert_eq!(
            keys(&running.manager.create_collection("account_events", "account-1").unwrap()),
            Vec::<String>::new()
        );
    }
    deposit(&account, [9]).await;
    assert_eq!(ask(&account, Request::LastEvent).await, Reply::Events(vec![9]));

    assert_eq!(ask(&account, Request::Purge).await, Reply::Done);
    assert_eq!(ask(&account, Request::LastEvent).await, Reply::Events(vec![]));
    let bystander = running.actor::<A>("account-1.savings").await;
    assert_eq!(
        ask(&bystander, Request::Balance).await,
        Reply::Balance(2000),
        "the purge does not concern other actors"
    );
    drop((account, bystander));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_light_actor_recovers_its_state() {
    assert_recovers::<Light>(None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_actor_recovers_its_state() {
    assert_recovers::<Full>(None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_actor_that_compacts_its_log_recovers_its_state() {
    assert_recovers::<Compacting>(None, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_actors_recover_and_store_no_plain_text() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    assert_recovers::<Light>(Some(&key), true).await;
    assert_recovers::<Full>(Some(&key), true).await;
    assert_recovers::<Compacting>(Some(&key), false).await;

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
async fn a_full_actor_recovers_from_a_checkpoint_of_a_running_system() {
    let dir = tempdir().unwrap();
    let running = Running::start(&dir.path().join("db"), None).await;
    let account = running.actor::<Full>("account-1").await;
    deposit(&account, 1..=10).await;
    // A checkpoint of the running database has the content that a crash would leave now.
    let checkpoint = dir.path().join("checkpoint");
    running.manager.checkpoint(&checkpoint).unwrap();
    drop(account);
    running.stop().await;

    let running = Running::start(&checkpoint, None).await;
    let account = running.actor::<Full>("account-1").await;
    assert_eq!(ask(&account, Request::Balance).await, Reply::Balance(55));
    drop(account);
    running.stop().await;
}
