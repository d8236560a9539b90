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

/// Executes the next commands of a walk.
fn run(walk: &mut Walk, actors: &mut Actors<'_>, commands: u64) {
    for _ in 0..commands {
        let step = walk.step().unwrap();
        step.ops.iter().for_each(|&op| actors.execute(step.actor, op));
    }
}

#[test]
fn the_curve_predicts_the_misses_of_a_real_block_cache() {
    const COMMANDS: u64 = 30_000;
    // Every actor has a snapshot of all of its events, so that a recovery writes nothing.
    let workload = Workload::parse(
        "name='t'\ndescription='d'\nevent_bytes={constant=2000}\nstate_bytes={constant=900}\n\
         preload={events_per_actor=20}\n[actors]\ncount=2000\nskew={zipf=0.9}\n\
         [persistence]\nmode='full'\nsnapshot_every=20\n\
         [commands]\nrecover=5\nevents=3\nevents_per_query=10\nlast_event=2",
    );
    let workload = Arc::new(workload.unwrap());
    let preload = u64::from(workload.actors.count) * workload.preload.events_per_actor;
    let source = Source::Workload(workload);
    let directory = tempfile::tempdir().unwrap();
    let mut walk = source.walk(1);
    let mut manager = open(directory.path());
    run(&mut walk, &mut Actors::new(&manager), preload);
    manager.compact().unwrap();
    manager.stop().unwrap();
    drop(manager);

    let manager = open(directory.path());
    let mut actors = Actors::new(&manager);
    run(&mut walk, &mut actors, COMMANDS / 2);
    let before = manager.stats().unwrap();
    run(&mut walk, &mut actors, COMMANDS / 2);
    let after = manager.stats().unwrap();
    let misses = (after.block_cache_misses - before.block_cache_misses) as f64 / (COMMANDS / 2) as f64;

    let tuning = Tuning::new(&ResolvedSpec { ram_mb: RAM_MB, cpu_cores: 2 }, None);
    let curve = ReadCurve::of(&source, 1, &BlockGeometry::in_block_cache(&tuning), COMMANDS).unwrap();
    let memory_bytes = (after.memory_budget_bytes - after.memtable_bytes) as f64;
    assert!(curve.stored_bytes() > 2.0 * memory_bytes, "the database does not fit into the cache");
    let predicted = curve.disk_reads_per_command(memory_bytes);
    assert!((predicted / misses - 1.0).abs() < 0.12, "{predicted} predicted, {misses} measured");
}
