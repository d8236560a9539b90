//! Busy actors of a real actor system on two worker threads: each persists its next event as soon as the last one is
//! stored. How many of their writes share a sync decides how many persists a second there are.

use std::{
    fmt,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use ave_actors_actor::{
    Actor, ActorContext, ActorPath, ActorRef, ActorSystem, Error as ActorError, Event, Handler, Message, Response,
    SystemRef,
};
use ave_actors_store::{
    database::{Collection, DbManager},
    store::{FullPersistence, LightPersistence, Persistence, PersistentActor},
};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use tokio::{runtime, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Outcome, Peer, Run,
    data::{self, Values},
    measure::{Latencies, Section, Spent},
    outcome::Reader,
};

const WORKER_THREADS: usize = 2;
const EVENT_BYTES: usize = 420;
const STATE_BYTES: usize = 700;
const DATABASE: &str = "database";
const FAMILY: &str = "ledger";
/// Persists of each actor before the clock runs. The first is also what is verified.
const WARM_UP: u64 = 2;

pub(super) fn light<P: Peer>(peer: &P, actors: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    measure::<P, LightPersistence>(peer, actors, run, outcome)
}

pub(super) fn full<P: Peer>(peer: &P, actors: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    measure::<P, FullPersistence>(peer, actors, run, outcome)
}

fn measure<P: Peer, M: Mode>(peer: &P, actors: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let slice = run.scale.pick(Duration::from_millis(1500), Duration::from_secs(4));
    let manager = peer.open(&run.database("db")?, true)?;
    let runtime = runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build()?;
    let (latencies, spent) = runtime.block_on(work::<P, M>(manager.clone(), actors, slice))?;
    outcome.set("ops_per_s", spent.rate(latencies.count()));
    outcome.set("cpu_us_per_op", spent.cpu_micros_per(latencies.count()));
    latencies.report("", outcome);
    verify::<P>(&manager, actors, outcome)
}

async fn work<P: Peer, M: Mode>(manager: P::Manager, actors: u64, slice: Duration) -> Result<(Latencies, Spent)> {
    let stop = CancellationToken::new();
    let (system, mut runner) = ActorSystem::create(stop.clone(), CancellationToken::new());
    system.add_helper(DATABASE, manager).await;
    let running = tokio::spawn(async move { runner.run().await });
    let mut accounts = Vec::new();
    for number in 0..actors {
        accounts.push(start::<P, M>(&system, number).await?);
    }
    persist_all(&accounts, Until::Count(WARM_UP)).await?;
    let section = Section::begin();
    let latencies = persist_all(&accounts, Until::Time(Instant::now() + slice)).await?;
    let spent = section.end();
    stop.cancel();
    running.await?;
    Ok((latencies, spent))
}

async fn start<P: Peer, M: Mode>(system: &SystemRef, number: u64) -> Result<ActorRef<Account<P, M>>> {
    let created = system.create_root_actor(&data::actor(number), Account::<P, M>::initial(())).await;
    created.map_err(|error| anyhow!("actor {number}: {error}"))
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Count(u64),
    Time(Instant),
}

/// Keeps every actor busy.
async fn persist_all<P: Peer, M: Mode>(accounts: &[ActorRef<Account<P, M>>], until: Until) -> Result<Latencies> {
    let values = Arc::new(Values::new(EVENT_BYTES));
    let mut clients = JoinSet::new();
    for account in accounts {
        clients.spawn(persist(account.clone(), Arc::clone(&values), until));
    }
    let mut all = Latencies::begin();
    while let Some(client) = clients.join_next().await {
        all.merge(&client??);
    }
    Ok(all)
}

async fn persist<P: Peer, M: Mode>(
    account: ActorRef<Account<P, M>>,
    values: Arc<Values>,
    until: Until,
) -> Result<Latencies> {
    let mut count = 0;
    let mut latencies = Latencies::begin();
    loop {
        let entry = Entry(values.get(count).to_vec());
        account.ask(Add(entry)).await.map_err(|error| anyhow!("persist: {error}"))?;
        count += 1;
        let now = latencies.lap();
        let done = match until {
            Until::Count(limit) => count >= limit,
            Until::Time(limit) => now >= limit,
        };
        if done {
            return Ok(latencies);
        }
    }
}

/// The first event of every actor; the last ones depend on the speed.
fn verify<P: Peer>(manager: &P::Manager, actors: u64, outcome: &mut Outcome) -> Result<()> {
    let mut reader = Reader::default();
    for number in 0..actors {
        let events = manager.create_collection(&format!("{FAMILY}_events"), &data::actor(number))?;
        reader.add(&events.get(&data::key(0))?);
    }
    outcome.read(&reader);
    Ok(())
}

/// How the actors persist.
trait Mode: Persistence + Send + Sync + 'static {}

impl<M: Persistence + Send + Sync + 'static> Mode for M {}

#[derive(Debug, Clone, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
struct Entry(Vec<u8>);
impl Event for Entry {}

#[derive(Debug, Clone)]
struct Add(Entry);
impl Message for Add {}

struct Done;
impl Response for Done {}

#[derive(BorshSerialize, BorshDeserialize)]
struct Account<P, M> {
    state: Vec<u8>,
    #[borsh(skip)]
    kind: PhantomData<fn() -> (P, M)>,
}

impl<P, M> Clone for Account<P, M> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), kind: PhantomData }
    }
}

impl<P, M> fmt::Debug for Account<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

#[async_trait]
impl<P: Peer, M: Mode> Actor for Account<P, M> {
    type Message = Add;
    type Event = Entry;
    type Response = Done;

    fn get_span(id: &str, _parent: Option<tracing::Span>) -> tracing::Span {
        tracing::info_span!("account", id)
    }

    async fn pre_start(&mut self, ctx: &mut ActorContext<Self>) -> Result<(), ActorError> {
        let name = ctx.path().key();
        let database: Option<P::Manager> = ctx.system().get_helper(DATABASE).await;
        let database = database.ok_or_else(|| ActorError::Functional { description: "no database".to_owned() })?;
        self.start_store(FAMILY, Some(name), ctx, database, None).await
    }
}

#[async_trait]
impl<P: Peer, M: Mode> Handler<Self> for Account<P, M> {
    async fn handle_message(
        &mut self,
        _sender: ActorPath,
        Add(entry): Add,
        ctx: &mut ActorContext<Self>,
    ) -> Result<Done, ActorError> {
        self.persist(&entry, ctx).await?;
        Ok(Done)
    }
}

impl<P: Peer, M: Mode> PersistentActor for Account<P, M> {
    type Persistence = M;
    type InitParams = ();

    fn create_initial((): ()) -> Self {
        Self { state: vec![0; STATE_BYTES], kind: PhantomData }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), ActorError> {
        // The state changes with each event, and keeps its size.
        self.state[..8].copy_from_slice(&entry.0[..8]);
        Ok(())
    }

    fn snapshot_every() -> Option<u64> {
        None
    }
}
