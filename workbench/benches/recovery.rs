//! The start of an actor: creates its handles, reads its snapshot, replays the events after it, and writes a new
//! snapshot, with the calls of `ave-actors-store` in their order.
//!
//! The ids are `recovery/durability-off/EVENTS of BYTES` and `recovery/durability-on/…`, and `recovery/compacted/…` for
//! logs of which a thousand events before the snapshot were deleted. Filter with `cargo bench -- recovery`,
//! `-- recovery/durability-on`. Actors start in turn, and the block cache contains all of them. Set `TMPDIR` to choose
//! the disk.

#[path = "../../benches/fixture/mod.rs"]
mod fixture;

use std::cell::LazyCell;
use std::time::Duration;

use ave_actors_rocksdb::trace::{Op, OpKind};
use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::database::{Collection, DbManager, State};
use ave_workbench::actor::{ActorLog, Command, PersistenceRules, Strategy};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fixture::{DURABILITY, Database, key, log, value};

const ACTORS: usize = 50;
/// Number of replayed events, and the size of each in bytes.
const REPLAYED: [(u64, u32); 4] = [(0, 256), (10, 256), (100, 256), (100, 4096)];
const STATE_BYTES: u32 = 2_000;
/// Number of events before the snapshot of a compacted log.
const COMPACTED_EVENTS: u64 = 1_000;

/// Stopped actors, and the operations that the start of one issues.
struct Population {
    database: Database,
    /// Every value is a prefix of these bytes.
    bytes: Vec<u8>,
    start: Vec<Op>,
}

/// One actor's three stores.
struct Actor {
    events: RocksDbStore,
    states: RocksDbStore,
    metadata: RocksDbStore,
}

impl Population {
    fn new(durability: bool, before: u64, replayed: u64, event_bytes: u32) -> Self {
        let rules = PersistenceRules {
            strategy: Strategy::Full { snapshot_every: None },
            compact_on_snapshot: before > 0,
            encrypted: false,
        };
        let (mut log, mut past) = (ActorLog::default(), Vec::new());
        let persist = Command::Persist { event_bytes, state_bytes: STATE_BYTES };
        // At least one event, which the snapshot covers.
        (0..before.max(1)).for_each(|_| log.expand(rules, persist, &mut past));
        log.expand(rules, Command::Snapshot { state_bytes: STATE_BYTES }, &mut past);
        (0..replayed).for_each(|_| log.expand(rules, persist, &mut past));
        let mut start = Vec::new();
        log.expand(rules, Command::Recover { state_bytes: STATE_BYTES }, &mut start);
        // The next start needs the events that a compacting log deletes at the end of this one.
        start.retain(|op| op.kind != OpKind::EventsDel);
        let bytes = value(16 << 10);
        let database = Database::filled(durability, |manager| {
            // Interleaved, as in a running system, not actor by actor.
            let mut actors: Vec<Actor> = (0..ACTORS).map(|number| Actor::open(manager, number)).collect();
            for op in past {
                for actor in &mut actors {
                    actor.execute(op, &bytes);
                }
            }
        });
        Self { database, bytes, start }
    }

    /// The measured operations. They are the same each time, whatever the previous start wrote.
    fn start(&self, number: usize) {
        let mut actor = Actor::open(&self.database.manager, number);
        for &op in &self.start {
            actor.execute(op, &self.bytes);
        }
    }
}

impl Actor {
    fn open(manager: &RocksDbManager, number: usize) -> Self {
        let name = format!("actor-{number:04}");
        Self {
            events: log(manager, &name),
            states: manager.create_state("states", &name).expect("a state"),
            metadata: manager.create_state("metadata", &name).expect("a state"),
        }
    }

    fn execute(&mut self, op: Op, bytes: &[u8]) {
        let value = &bytes[..op.bytes as usize];
        match op.kind {
            // `Actor::open` creates the handles.
            OpKind::Open => {}
            OpKind::EventsPut => Collection::put(&mut self.events, &key(op.number), value).expect("a put"),
            OpKind::EventsGet => drop(Collection::get(&self.events, &key(op.number)).expect("an event")),
            OpKind::EventsDel => Collection::del(&mut self.events, &key(op.number)).expect("a delete"),
            OpKind::EventsLast => drop(self.events.last().expect("an answer")),
            OpKind::StatesPut => State::put(&mut self.states, value).expect("a put"),
            OpKind::StatesGet => drop(State::get(&self.states).expect("a snapshot")),
            OpKind::MetadataPut => State::put(&mut self.metadata, value).expect("a put"),
            OpKind::MetadataGet => drop(State::get(&self.metadata).expect("metadata")),
            OpKind::EventsPurge | OpKind::StatesPurge | OpKind::MetadataPurge => {
                unreachable!("the start of an actor purges nothing")
            }
        }
    }
}

fn recovery(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recovery");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20);
    group.throughput(Throughput::Elements(1));
    let plain = DURABILITY
        .into_iter()
        .flat_map(|(mode, durability)| REPLAYED.into_iter().map(move |replayed| (mode, durability, 0, replayed)));
    let compacted = REPLAYED.into_iter().map(|replayed| ("compacted", false, COMPACTED_EVENTS, replayed));
    for (name, durability, before, (events, bytes)) in plain.chain(compacted) {
        let population = LazyCell::new(|| Population::new(durability, before, events, bytes));
        let mut number = 0;
        group.bench_function(BenchmarkId::new(name, format_args!("{events} of {bytes}")), |bencher| {
            let population = &*population;
            bencher.iter(|| {
                number = (number + 1) % ACTORS;
                population.start(number);
            });
        });
    }
}

criterion_group!(recoveries, recovery);
criterion_main!(recoveries);
