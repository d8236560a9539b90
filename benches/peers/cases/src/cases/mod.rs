//! The cases, one module each.

mod actors;
mod compacted;
mod families;
mod isolation;
mod persist;
mod purge;
pub mod put;
mod range;
mod reads;
mod recover;
mod workload;
mod write_amp;

use std::path::Path;

use anyhow::Result;
use ave_actors_store::database::Collection;

use crate::{Outcome, Peer, Run, catalog::Work, data, outcome::Reader};

/// Runs a case against a backend and puts the figures into `outcome`.
pub fn run<P: Peer>(work: Work, peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    match work {
        Work::Workload { name, durability } => workload::run(peer, name, durability, run, outcome),
        Work::PutOff { threads } => put::off(peer, threads, run, outcome),
        Work::PutOn { threads } => put::on(peer, threads, run, outcome),
        Work::PersistOff => persist::off(peer, run, outcome),
        Work::PersistOn => persist::on(peer, run, outcome),
        Work::ActorsLight { actors } => actors::light(peer, actors, run, outcome),
        Work::ActorsFull { actors } => actors::full(peer, actors, run, outcome),
        Work::Reads => reads::run(peer, run, outcome),
        Work::Recover => recover::run(peer, run, outcome),
        Work::Range { events } => range::run(peer, events, run, outcome),
        Work::LastCompacted(pattern) => compacted::run(peer, pattern, run, outcome),
        Work::Families => families::run(peer, run, outcome),
        Work::ManyFamilies => families::many(peer, run, outcome),
        Work::WriteAmplification { actors, snapshot_bytes } => {
            write_amp::run(peer, actors, snapshot_bytes, run, outcome)
        }
        Work::Isolation => isolation::run(peer, run, outcome),
        Work::Purge => purge::run(peer, run, outcome),
    }
}

/// Opens a database that was filled and closed, and waits until it has stopped compacting.
fn reopen<P: Peer>(peer: &P, dir: &Path, durability: bool) -> Result<P::Manager> {
    let manager = peer.open(dir, durability)?;
    settle_briefly()?;
    Ok(manager)
}

fn settle_briefly() -> Result<()> {
    use std::time::Duration;
    crate::host::settle(Duration::from_millis(300), Duration::from_secs(20))?;
    Ok(())
}

/// Appends events to several logs in turn, as actors that live side by side do.
fn fill(logs: &mut [impl Collection], events: u64, values: &data::Values) -> Result<()> {
    for n in 0..events {
        let key = data::key(n);
        for (number, log) in logs.iter_mut().enumerate() {
            log.put(&key, values.get(n * 31 + number as u64))?;
        }
    }
    Ok(())
}

/// Reads a whole log.
fn read_all(log: &impl Collection, reader: &mut Reader) -> Result<()> {
    for item in log.iter(false)? {
        let (key, value) = item?;
        reader.add(key.as_bytes());
        reader.add(&value);
    }
    Ok(())
}
