//! Records the actors of a small bank: accounts under light persistence, ledgers under full persistence with a snapshot
//! every 50 entries, with occasional restarts and queries.
//!
//! Run it with `cargo run --features trace --example record_actor_system [DIRECTORY [SEED]]`. The default directory is
//! a temporary one, the default seed 1. The seed determines the commands; their times also depend on the machine.

use std::error::Error;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use ave_actors_actor::{
    Actor, ActorContext, ActorPath, ActorRef, ActorSystem, Error as ActorError, Event, Handler, Message, Response,
    SystemRef,
};
use ave_actors_rocksdb::{Compression, Recorder, RecorderOptions, RecordingManager, RocksDbManager};
use ave_actors_store::database::DbManager;
use ave_actors_store::store::{FullPersistence, LightPersistence, Persistence, PersistentActor, Store, StoreCommand};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// The manager that the actors use.
type Database = RecordingManager<RocksDbManager>;
const DATABASE: &str = "database";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let temporary = || std::env::temp_dir().join(format!("ave-bank-{}", std::process::id()));
    let directory = arguments.next().map_or_else(temporary, PathBuf::from);
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let recordings = directory.join("recordings");
    record::<Accounts>(&directory, &recordings, seed).await?;
    record::<Ledgers>(&directory, &recordings, seed).await?;
    print_next_steps(&recordings)
}

/// Records one actor system over one database, from its first call to its last.
async fn record<B: Book>(directory: &Path, recordings: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let name = format!("recorded-{}s", B::NAME);
    let options = RecorderOptions::new(recordings).name(&name).source("examples/record_actor_system.rs");
    let recorder = Recorder::start(options.compression(Compression::Zstd))?;
    let rocksdb = RocksDbManager::new(&directory.join(B::NAME), false, None)?;
    let mut database: Database = RecordingManager::new(rocksdb, Some(recorder.clone()));

    let stop = CancellationToken::new();
    let (system, mut runner) = ActorSystem::create(stop.clone(), CancellationToken::new());
    system.add_helper(DATABASE, database.clone()).await;
    let running = tokio::spawn(async move { runner.run().await });
    Bank::<B>::open(&system).await?.work(&mut Random(seed)).await?;
    stop.cancel();
    running.await?;

    // After the actors have stopped: those under full persistence write a snapshot then.
    let stats = recorder.finish()?;
    database.stop()?;
    print(&format!("{name}: {} operations, {} dropped, {} bytes", stats.recorded, stats.dropped, stats.bytes));
    Ok(())
}

fn print_next_steps(recordings: &Path) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(recordings)? {
        let part = entry?.path();
        print(&format!("\nave-workbench trace info {0}\nave-workbench run {0}", part.display()));
    }
    Ok(())
}

/// A type of actors and its persistence.
trait Book: Debug + Clone + Send + Sync + 'static {
    type Persistence: Persistence;
    const NAME: &str;
    const ACTORS: u64;
    const SNAPSHOT_EVERY: Option<u64>;
    /// Size of the serialised state, in bytes.
    const STATE_BYTES: usize;
    /// A tenth of the pause between two bursts of commands.
    const PAUSE: Duration;
}

/// Many small actors that store their state with every event.
#[derive(Debug, Clone)]
struct Accounts;

impl Book for Accounts {
    type Persistence = LightPersistence;
    const NAME: &str = "account";
    const ACTORS: u64 = 200;
    const SNAPSHOT_EVERY: Option<u64> = None;
    const STATE_BYTES: usize = 400;
    const PAUSE: Duration = Duration::from_millis(2);
}

/// A few large actors that store their state every 50 events.
#[derive(Debug, Clone)]
struct Ledgers;

impl Book for Ledgers {
    type Persistence = FullPersistence;
    const NAME: &str = "ledger";
    const ACTORS: u64 = 12;
    const SNAPSHOT_EVERY: Option<u64> = Some(50);
    const STATE_BYTES: usize = 8_000;
    const PAUSE: Duration = Duration::from_millis(1);
}

/// Commands per recording.
const COMMANDS: u64 = 6_000;

struct Bank<B: Book> {
    system: SystemRef,
    actors: Vec<ActorRef<Page<B>>>,
    starts: u64,
}

impl<B: Book> Bank<B> {
    async fn open(system: &SystemRef) -> Result<Self, ActorError> {
        let mut bank = Self { system: system.clone(), actors: Vec::new(), starts: 0 };
        for number in 0..B::ACTORS {
            let actor = bank.start(number).await?;
            bank.actors.push(actor);
        }
        Ok(bank)
    }

    /// The name up to the dot is the prefix of its keys, which does not change with a restart.
    async fn start(&mut self, number: u64) -> Result<ActorRef<Page<B>>, ActorError> {
        self.starts += 1;
        let name = format!("{}-{number}.{}", B::NAME, self.starts);
        self.system.create_root_actor(&name, Page::<B>::initial(())).await
    }

    async fn work(&mut self, random: &mut Random) -> Result<(), ActorError> {
        for _ in 0..COMMANDS {
            // The smaller of two random numbers: some actors get more commands than others.
            let number = random.below(B::ACTORS).min(random.below(B::ACTORS));
            let index = usize::try_from(number).unwrap_or(0);
            match random.below(100) {
                0 => {
                    self.actors[index].ask_stop().await?;
                    self.actors[index] = self.start(number).await?;
                }
                1..4 => self.send(index, Request::LastEntry).await?,
                4..8 => self.send(index, Request::Entries { from: random.below(40) }).await?,
                _ => self.send(index, Request::Add(random.entry())).await?,
            }
            if random.below(20) == 0 {
                tokio::time::sleep(B::PAUSE * 10).await;
            }
        }
        Ok(())
    }

    async fn send(&self, index: usize, request: Request) -> Result<(), ActorError> {
        self.actors[index].ask(request).await.map(drop)
    }
}

/// A pseudo-random generator (`SplitMix64`).
struct Random(u64);

impl Random {
    const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    fn entry(&mut self) -> Entry {
        Entry { amount: self.below(100_000), text: "x".repeat(usize::try_from(20 + self.below(200)).unwrap_or(20)) }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
struct Entry {
    amount: u64,
    text: String,
}
impl Event for Entry {}

#[derive(Debug, Clone)]
enum Request {
    Add(Entry),
    Entries { from: u64 },
    LastEntry,
}
impl Message for Request {}

struct Done;
impl Response for Done {}

/// An actor of the bank: a sum, and padding up to the size of the state.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
struct Page<B: Book> {
    sum: u64,
    padding: Vec<u8>,
    #[borsh(skip)]
    book: PhantomData<B>,
}

#[async_trait]
impl<B: Book> Actor for Page<B> {
    type Message = Request;
    type Event = Entry;
    type Response = Done;

    fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
        tracing::info_span!("page", id)
    }

    async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
        let name = ctx.path().key();
        let prefix = name.split('.').next().map(str::to_owned);
        let database: Option<Database> = ctx.system().get_helper(DATABASE).await;
        let database = database.ok_or_else(|| ActorError::Functional { description: "no database".to_owned() })?;
        self.start_store(B::NAME, prefix, ctx, database, None).await
    }
}

#[async_trait]
impl<B: Book> Handler<Self> for Page<B> {
    async fn handle_message(
        &mut self,
        _sender: ActorPath,
        request: Request,
        ctx: &mut ActorContext<Self>,
    ) -> Result<Done, ActorError> {
        let store = ctx.get_child::<Store<Self>>("store").await?;
        match request {
            Request::Add(entry) => self.persist(&entry, ctx).await?,
            Request::Entries { from } => drop(store.ask(StoreCommand::GetEvents { from, to: from + 9 }).await?),
            Request::LastEntry => drop(store.ask(StoreCommand::LastEvent).await?),
        }
        Ok(Done)
    }
}

impl<B: Book> PersistentActor for Page<B> {
    type Persistence = B::Persistence;
    type InitParams = ();

    fn create_initial((): ()) -> Self {
        Self { sum: 0, padding: vec![0; B::STATE_BYTES], book: PhantomData }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), ActorError> {
        self.sum = self.sum.wrapping_add(entry.amount);
        Ok(())
    }

    fn snapshot_every() -> Option<u64> {
        B::SNAPSHOT_EVERY
    }
}

#[allow(clippy::print_stdout)]
fn print(line: &str) {
    println!("{line}");
}
