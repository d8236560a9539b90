//! Many actor types: 100 of them are 300 column families. Time to create them, memory and rate of a load over all of
//! them, and times of stopping and opening.

use std::time::Duration;

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager, State};

use super::persist::{Actor, Sizes};
use crate::{
    Outcome, Peer, Run,
    data::{self, Random},
    host,
    measure::{Section, Spent},
    outcome::Reader,
};

const KINDS: usize = 100;
const ACTORS_PER_KIND: usize = 5;
const EVENT_BYTES: usize = 4096;
const SNAPSHOT_BYTES: usize = 1024;
const PERSIST_BYTES: u64 = (EVENT_BYTES + SNAPSHOT_BYTES + 60 + 3 * 12 + 21) as u64;
const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn run<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let dir = run.database("db")?;
    let mut manager = peer.open(&dir, false)?;
    host::reset_peak_memory()?;
    let section = Section::begin();
    let mut actors = create::<P>(&manager, KINDS)?;
    report("create", section.end(), outcome);
    outcome.set("create.rss_mib", host::peak_memory()? as f64 / MIB);

    host::reset_peak_memory()?;
    let persists = run.scale.pick(80_000_000, 1_200_000_000) / PERSIST_BYTES;
    let spent = load(&mut actors, persists)?;
    outcome.set("ops_per_s", spent.rate(persists));
    outcome.set("cpu_us_per_op", spent.cpu_micros_per(persists));
    outcome.set("rss_mib", host::peak_memory()? as f64 / MIB);
    if let Some(budget) = peer.memory_budget(&manager) {
        outcome.set("budget_mib", budget as f64 / MIB);
        outcome.set("rss_over_budget_mib", host::peak_memory()? as f64 / MIB - budget as f64 / MIB);
    }

    let section = Section::begin();
    manager.stop()?;
    report("stop", section.end(), outcome);
    drop((actors, manager));
    let section = Section::begin();
    let manager = peer.open(&dir, false)?;
    report("reopen", section.end(), outcome);
    verify::<P>(&manager, outcome)
}

fn report(part: &str, spent: Spent, outcome: &mut Outcome) {
    outcome.set(format!("{part}.s"), spent.wall.as_secs_f64());
    outcome.set(format!("{part}.cpu_s"), spent.cpu.as_secs_f64());
}

fn kind(n: usize) -> String {
    format!("type{n:04}")
}

fn create<P: Peer>(manager: &P::Manager, kinds: usize) -> Result<Vec<(Actor<P>, u64)>> {
    (0..kinds * ACTORS_PER_KIND)
        .map(|n| Ok((Actor::create(manager, &kind(n % kinds), &data::actor(n as u64))?, 0)))
        .collect()
}

/// Light persists of actors at random. Each knows its next event.
fn load<P: Peer>(actors: &mut [(Actor<P>, u64)], persists: u64) -> Result<Spent> {
    let sizes = Sizes::new(EVENT_BYTES, SNAPSHOT_BYTES);
    let mut random = Random::new(8);
    let section = Section::begin();
    for n in 0..persists {
        let (actor, next) = &mut actors[usize::try_from(random.below(actors.len() as u64))?];
        sizes.persist(actor, &data::key(*next), n)?;
        *next += 1;
    }
    Ok(section.end())
}

fn verify<P: Peer>(manager: &P::Manager, outcome: &mut Outcome) -> Result<()> {
    let mut reader = Reader::default();
    for (actor, _) in create::<P>(manager, KINDS)? {
        match actor.events.last()? {
            Some((key, value)) => {
                reader.add(key.as_bytes());
                reader.add(&value);
                reader.add(&actor.states.get()?);
                reader.add(&actor.metadata.get()?);
            }
            None => reader.add_nothing(),
        }
    }
    outcome.read(&reader);
    Ok(())
}

/// The same load over 3 and over 1,000 column families, fresh databases, in turn.
pub(super) fn many<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let persists = run.scale.pick(60_000_000, 400_000_000) / PERSIST_BYTES;
    let mut rates = [0.0; 2];
    for (n, (rate, kinds)) in rates.iter_mut().zip([1, 333]).enumerate() {
        let manager = peer.open(&run.database(&format!("db-{n}"))?, false)?;
        let section = Section::begin();
        let mut actors = create::<P>(&manager, kinds)?;
        report(&format!("create-{kinds}"), section.end(), outcome);
        host::settle(Duration::from_millis(300), Duration::from_secs(20))?;
        *rate = load(&mut actors, persists)?.rate(persists);
        outcome.set(format!("ops_per_s-{kinds}"), *rate);
    }
    outcome.set("many_over_few", rates[1] / rates[0]);
    Ok(())
}
