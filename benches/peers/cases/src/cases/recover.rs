//! A restart: every actor is created and recovers.
//!
//! 2,000 actors of one type, each with 100 events that were compacted away, a 1 KiB snapshot, and 50 events after it.
//! A recovery is what `Store::new` and then `Store::recover` do: make the collection and the two states, `last`, the
//! snapshot, the metadata; the snapshot and `last` again, 50 `get`s of consecutive keys, and put the new snapshot and
//! metadata. *Warm* finds the data in the block cache. *Cold* opens the database with none of it in memory, and
//! recovers some hundred actors once.

use std::{hint::black_box, path::Path, time::Duration};

use anyhow::{Context, Result};
use ave_actors_store::database::{Collection, DbManager, State};

use super::{
    persist::{Actor, Sizes},
    reopen, settle_briefly,
};
use crate::{
    Outcome, Peer, Run,
    data::{self, Random},
    host::{self, Io},
    measure::{Latencies, Section, micros},
    outcome::Reader,
};

const KIND: &str = "t";
const COMPACTED: u64 = 100;
const EVENTS: u64 = 150;
const EVENT_BYTES: usize = 256;
const SNAPSHOT_BYTES: usize = 1024;

pub(super) fn run<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let (dir, actors) = (run.database("db")?, run.scale.pick(250, 2_000));
    let recovery = Recovery { sizes: Sizes::new(EVENT_BYTES, SNAPSHOT_BYTES), keys: data::keys(EVENTS) };
    recovery.fill(peer, &dir, actors)?;
    Recovery::verify(peer, &dir, actors, outcome)?;
    if run.wants("cold") {
        recovery.cold(peer, &dir, actors, outcome)?;
    }
    if run.wants("warm") {
        recovery.warm(peer, &dir, actors, run, outcome)?;
    }
    Ok(())
}

/// What was read must look used.
fn ignore(bytes: &[u8]) {
    black_box(bytes);
}

struct Recovery {
    sizes: Sizes,
    keys: Vec<String>,
}

impl Recovery {
    fn fill<P: Peer>(&self, peer: &P, dir: &Path, actors: u64) -> Result<()> {
        let mut manager = peer.open(dir, false)?;
        let mut all =
            (0..actors).map(|n| Actor::<P>::create(&manager, KIND, &data::actor(n))).collect::<Result<Vec<_>>>()?;
        self.append(&mut all, 0..COMPACTED)?;
        for (n, actor) in all.iter_mut().enumerate() {
            actor.states.put(self.sizes.snapshot.get(n as u64))?;
            actor.metadata.put(self.sizes.metadata.get(n as u64))?;
            for key in &self.keys[..usize::try_from(COMPACTED)?] {
                actor.events.del(key)?;
            }
        }
        self.append(&mut all, COMPACTED..EVENTS)?;
        manager.stop()?;
        // As in a process that goes on for a while: compactions run before it ends.
        settle_briefly()
    }

    /// Events of all actors in turn: as time passes, not actor by actor.
    fn append<P: Peer>(&self, actors: &mut [Actor<P>], events: std::ops::Range<u64>) -> Result<()> {
        for n in events {
            let key = &self.keys[usize::try_from(n)?];
            for (number, actor) in actors.iter_mut().enumerate() {
                actor.events.put(key, self.sizes.event.get(n * 7 + number as u64))?;
            }
        }
        Ok(())
    }

    fn verify<P: Peer>(peer: &P, dir: &Path, actors: u64, outcome: &mut Outcome) -> Result<()> {
        let manager = peer.open(dir, false)?;
        let mut reader = Reader::default();
        for n in 0..actors {
            read::<P>(&manager, &data::actor(n), &mut |bytes| reader.add(bytes))?;
        }
        outcome.read(&reader);
        Ok(())
    }

    fn cold<P: Peer>(&self, peer: &P, dir: &Path, actors: u64, outcome: &mut Outcome) -> Result<()> {
        host::evict(dir)?;
        outcome.set_text("cold.how", "database closed, posix_fadvise(DONTNEED) on its files, opened again");
        let section = Section::begin();
        let manager = peer.open(dir, false)?;
        outcome.set("cold.open_ms", section.end().wall.as_secs_f64() * 1e3);
        let before = Io::now()?.read_from_disk;
        let count = actors / 5;
        // Neighbours share blocks, so every fifth; in an order that is not the files'.
        let step = 97;
        let order = (0..count).map(|n| (n * step % count) * 5);
        self.measure::<P>(&manager, "cold", order, outcome)?;
        outcome.set("cold.disk_kib_per_op", (Io::now()?.read_from_disk - before) as f64 / 1024.0 / count as f64);
        Ok(())
    }

    fn warm<P: Peer>(&self, peer: &P, dir: &Path, actors: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
        let manager = reopen(peer, dir, false)?;
        for n in 0..actors {
            read::<P>(&manager, &data::actor(n), &mut ignore)?;
        }
        let mut random = Random::new(3);
        let count = run.scale.pick(2_000, 10_000);
        let order: Vec<u64> = (0..count).map(|_| random.below(actors)).collect();
        self.measure::<P>(&manager, "warm", order.into_iter(), outcome)
    }

    fn measure<P: Peer>(
        &self,
        manager: &P::Manager,
        part: &str,
        order: impl Iterator<Item = u64>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let section = Section::begin();
        let mut latencies = Latencies::begin();
        let mut writing = Duration::ZERO;
        for n in order {
            writing += self.recover::<P>(manager, n).with_context(|| format!("recovery of actor {n}"))?;
            latencies.lap();
        }
        let spent = section.end();
        let count = latencies.count();
        outcome.set(format!("{part}.us"), spent.micros_per(count));
        outcome.set(format!("{part}.cpu_us"), spent.cpu_micros_per(count));
        outcome.set(format!("{part}.write_us"), micros(writing) / count as f64);
        outcome.set(format!("{part}.count"), count as f64);
        latencies.report(&format!("{part}."), outcome);
        Ok(())
    }

    /// Returns how long the two puts at the end took.
    fn recover<P: Peer>(&self, manager: &P::Manager, n: u64) -> Result<Duration> {
        let mut actor = read::<P>(manager, &data::actor(n), &mut ignore)?;
        let start = std::time::Instant::now();
        actor.states.put(self.sizes.snapshot.get(n))?;
        actor.metadata.put(self.sizes.metadata.get(n))?;
        Ok(start.elapsed())
    }
}

/// What `Store::new` and then `Store::recover` read of one actor.
fn read<P: Peer>(manager: &P::Manager, prefix: &str, seen: &mut impl FnMut(&[u8])) -> Result<Actor<P>> {
    let actor = Actor::<P>::create(manager, KIND, prefix)?;
    // `Store::new`
    let (last, _) = actor.events.last()?.context("an actor without events")?;
    seen(&actor.states.get()?);
    seen(&actor.metadata.get()?);
    // `Store::recover`
    seen(&actor.states.get()?);
    actor.events.last()?.context("an actor without events")?;
    let last: u64 = last.parse()?;
    for n in COMPACTED..=last {
        seen(&actor.events.get(&data::key(n))?);
    }
    Ok(actor)
}
