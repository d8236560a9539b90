//! Real actors over the published `ave-actors` facade, with this backend under it.
//!
//! A cart that stores its state with every event (light) and a ledger that replays its events (full) are stopped and
//! restarted in a new actor system over the same directory. Exits with a non-zero code if either loses its state.

use std::{error::Error, path::Path};

use async_trait::async_trait;
use ave_actors::{
    Actor, ActorContext, ActorError, ActorPath, ActorRef, ActorSystem, Event, FullPersistence, Handler,
    LightPersistence, MachineSpec, Message, PersistentActor, Response, RocksDbManager, SystemRef, SystemRunner,
};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

const DATABASE: &str = "database";

#[derive(Debug, Clone, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
struct Added(u64);
impl Event for Added {}

#[derive(Debug, Clone)]
enum Request {
    Add(u64),
    Total,
}
impl Message for Request {}

#[derive(Debug, Clone, PartialEq)]
struct Total(u64);
impl Response for Total {}

/// Defines the same actor with different persistence, which is a property of the actor type.
macro_rules! summing_actor {
    ($name:ident, $persistence:ty, $store:literal) => {
        #[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
        struct $name {
            total: u64,
        }

        #[async_trait]
        impl Actor for $name {
            type Message = Request;
            type Event = Added;
            type Response = Total;

            fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
                tracing::info_span!($store, id)
            }

            async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
                let manager: RocksDbManager =
                    ctx.system().get_helper(DATABASE).await.expect("the database is added before any actor starts");
                self.start_store($store, None, ctx, manager, None).await
            }
        }

        #[async_trait]
        impl Handler<$name> for $name {
            async fn handle_message(
                &mut self,
                _sender: ActorPath,
                request: Request,
                ctx: &mut ActorContext<Self>,
            ) -> Result<Total, ActorError> {
                if let Request::Add(amount) = request {
                    self.persist(&Added(amount), ctx).await?;
                }
                Ok(Total(self.total))
            }
        }

        impl PersistentActor for $name {
            type Persistence = $persistence;
            type InitParams = ();

            fn create_initial((): ()) -> Self {
                Self { total: 0 }
            }

            fn apply(&mut self, event: &Added) -> Result<(), ActorError> {
                self.total += event.0;
                Ok(())
            }
        }
    };
}

summing_actor!(Cart, LightPersistence, "cart");
summing_actor!(Ledger, FullPersistence, "ledger");

/// One run of the application: an actor system and its database.
struct Run {
    system: SystemRef,
    runner: SystemRunner,
    manager: RocksDbManager,
    cart: ActorRef<Cart>,
    ledger: ActorRef<Ledger>,
}

impl Run {
    async fn start(path: &Path) -> Result<Self, Box<dyn Error>> {
        let spec = MachineSpec::Custom { ram_mb: 1024, cpu_cores: 2 };
        let manager = RocksDbManager::new(&path.to_path_buf(), true, Some(spec))?;
        let (system, runner) = ActorSystem::create(CancellationToken::new(), CancellationToken::new());
        system.add_helper(DATABASE, manager.clone()).await;
        let cart = system.create_root_actor("cart-1", Cart::initial(())).await?;
        let ledger = system.create_root_actor("ledger-1", Ledger::initial(())).await?;
        Ok(Self { system, runner, manager, cart, ledger })
    }

    async fn add(&self, amounts: impl IntoIterator<Item = u64>) -> Result<(), ActorError> {
        for amount in amounts {
            self.cart.ask(Request::Add(amount)).await?;
            self.ledger.ask(Request::Add(amount)).await?;
        }
        Ok(())
    }

    async fn expect(&self, total: u64) -> Result<(), Box<dyn Error>> {
        let cart = self.cart.ask(Request::Total).await?;
        let ledger = self.ledger.ask(Request::Total).await?;
        println!("cart (light): {}, ledger (full): {}, expected: {total}", cart.0, ledger.0);
        if (cart, ledger) == (Total(total), Total(total)) { Ok(()) } else { Err("an actor lost its state".into()) }
    }

    async fn stop(mut self) -> Result<(), Box<dyn Error>> {
        use ave_actors::DbManager;

        self.system.stop_system();
        self.runner.run().await;
        self.manager.stop()?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("db");

    println!("first run: adding 1 to 150");
    let run = Run::start(&path).await?;
    run.expect(0).await?;
    run.add(1..=150).await?;
    run.expect(11_325).await?;
    run.stop().await?;

    println!("second run: recovering, then adding 1000");
    let run = Run::start(&path).await?;
    run.expect(11_325).await?;
    run.add([1000]).await?;
    run.stop().await?;

    println!("third run: recovering");
    let run = Run::start(&path).await?;
    run.expect(12_325).await?;
    run.stop().await?;
    println!("both actors recovered their state");
    Ok(())
}
