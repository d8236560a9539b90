//! The curve of block reads against the block cache of a real database.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_rocksdb::trace::{Op, OpKind};
use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::config::{MachineSpec, ResolvedSpec};
use ave_actors_store::database::{Collection, DbManager, State};
use ave_workbench::load::{BlockGeometry, ReadCurve, Source, Walk};
use ave_workbench::workload::Workload;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The memory budget of the database is then the least, 32 MiB.
const RAM_MB: u64 = 512;

fn open(directory: &Path) -> RocksDbManager {
    let spec = MachineSpec::Custom { ram_mb: RAM_MB, cpu_cores: 2 };
    RocksDbManager::new(&directory.to_path_buf(), false, Some(spec)).unwrap()
}

/// The handles of actors: events, state, metadata.
struct Actors<'m> {
    manager: &'m RocksDbManager,
    handles: HashMap<u64, [RocksDbStore; 3]>,
    value: Vec<u8>,
}

impl<'m> Actors<'m> {
    fn new(manager: &'m RocksDbManager) -> Self {
        let mut value = vec![0; 64 << 10];
        Xoshiro256PlusPlus::seed_from_u64(1).fill_bytes(&mut value);
        Self { manager, handles: HashMap::new(), value }
    }

    fn execute(&mut self, actor: u64, op: Op) {
        let [events, states, metadata] = self.handles.entry(actor).or_insert_with(|| {
            let name = format!("{:032x}{actor:012x}", Xoshiro256PlusPlus::seed_from_u64(actor).random::<u128>());
            [
                self.manager.create_collection("t0_events", &name).unwrap(),
                self.manager.create_state("t0_states", &name).unwrap(),
                self.manager.create_state("t0_metadata", &name).unwrap(),
            ]
        });
        let key = format!("{:020}", op.number);
        let value = &self.value[..op.bytes as usize];
        match op.kind {
            OpKind::Open => {}
            OpKind::EventsPut => Collection::put(events, &key, value).unwrap(),
            OpKind::EventsGet => drop(Collection::get(events, &key).unwrap()),
            OpKind::EventsLast => drop(events.last().unwrap()),
            OpKind::StatesPut => State::put(states, value).unwrap(),
            OpKind::StatesGet => drop(State::get(states)),
            OpKind::MetadataPut => State::put(metadata, value).unwrap(),
            OpKind::MetadataGet => drop(State::get(metadata)),
            other => unreachable!("{other:?} does not occur"),
        }
    }
}

/// Executes the next step of a walk; false if it was a part of the preload.
fn step(walk: &mut Walk, actors: &mut Actors<'_>) -> bool {
    let step = walk.step().unwrap();
    for &op in step.ops {
        actors.execute(step.actor, op);
    }
    step.is_command
}

/// Misses per command of a block cache of 32 MiB: of a real one, and as predicted.
fn real_and_predicted(workload: &str, commands: u64) -> [f64; 2] {
    let source = Source::Workload(Arc::new(Workload::parse(workload).unwrap()));
    let directory = tempfile::tempdir().unwrap();
    let mut walk = source.walk(1);
    let mut manager = open(directory.path());
    let mut actors = Actors::new(&manager);
    while !step(&mut walk, &mut actors) {}
    drop(actors);
    manager.compact().unwrap();
    manager.stop().unwrap();
    drop(manager);

    let manager = open(directory.path());
    let mut actors = Actors::new(&manager);
    let half = commands / 2;
    (0..half).for_each(|_| assert!(step(&mut walk, &mut actors)));
    let before = manager.stats().unwrap();
    (0..half).for_each(|_| assert!(step(&mut walk, &mut actors)));
    let after = manager.stats().unwrap();
    let misses = (after.block_cache_misses - before.block_cache_misses) as f64 / half as f64;

    let tuning = Tuning::new(&ResolvedSpec { ram_mb: RAM_MB, cpu_cores: 2 }, None);
    let curve = ReadCurve::of(&source, 1, &BlockGeometry::in_block_cache(&tuning), commands).unwrap();
    let memory_bytes = (after.memory_budget_bytes - after.memtable_bytes) as f64;
    assert!(curve.stored_bytes() > 2.0 * memory_bytes, "the database does not fit into the cache");
    [misses, curve.disk_reads_per_command(memory_bytes)]
}

const MIX: &str = "recover=5\nevents=3\nevents_per_query=10\nlast_event=2";

/// Every actor has a snapshot of all of its events, so that a recovery writes nothing.
fn workload(event_bytes: u32, events_per_actor: u32, actors: u32, skew: &str, commands: &str) -> String {
    format!(
        "name='t'\ndescription='d'\nevent_bytes={{constant={event_bytes}}}\nstate_bytes={{constant=900}}\n\
         preload={{events_per_actor={events_per_actor}}}\n[actors]\ncount={actors}\nskew={skew}\n\
         [persistence]\nmode='full'\nsnapshot_every={events_per_actor}\n[commands]\n{commands}"
    )
}

#[test]
fn the_curve_predicts_the_misses_of_a_real_block_cache() {
    let [real, predicted] = real_and_predicted(&workload(2_000, 20, 2_000, "{zipf=0.9}", MIX), 30_000);
    assert!((predicted / real - 1.0).abs() < 0.12, "{predicted} predicted, {real} measured");
}

#[test]
#[ignore = "a minute: prints the figures of docs/methodology.md"]
fn predictions_for_several_workloads() {
    for (what, workload) in [
        ("Zipf 0.9, mix", workload(2_000, 20, 3_000, "{zipf=0.9}", MIX)),
        ("uniform, mix", workload(2_000, 20, 3_000, "'uniform'", MIX)),
        ("Zipf 0.6, long logs, mix", workload(500, 400, 600, "{zipf=0.6}", MIX)),
        ("Zipf 0.9, short logs, mix", workload(400, 20, 20_000, "{zipf=0.9}", MIX)),
        ("Zipf 0.9, recoveries", workload(2_000, 20, 3_000, "{zipf=0.9}", "recover=1")),
        ("Zipf 0.9, queries of 10 events", workload(2_000, 20, 3_000, "{zipf=0.9}", "events=1\nevents_per_query=10")),
        ("Zipf 0.9, last events", workload(2_000, 20, 3_000, "{zipf=0.9}", "last_event=1")),
    ] {
        let [real, predicted] = real_and_predicted(&workload, 60_000);
        let error = 100.0 * (predicted / real - 1.0);
        println!("| {what} | {real:.3} | {predicted:.3} | {error:+.1} % |");
    }
}
