//! Puts as fast as they go: each thread appends 256-byte events to the log of an actor of its own, all in one column
//! family. The plainest thing a store does, and the ceiling of every actor that persists.

use std::{
    path::Path,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ave_actors_store::database::{Collection, DbManager};

use crate::{
    Outcome, Peer, Run,
    data::{self, Key, Values},
    measure::{Latencies, Section, Spent},
    outcome::Reader,
};

/// Puts that each thread makes before the clock runs.
const WARM_UP: u64 = 100;

/// When the threads stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many puts each.
    Count(u64),
    /// After so long, but not before they have put what will be verified.
    Elapsed(Duration),
}

/// Writes events of one actor.
pub trait Log: Send {
    /// Puts one event.
    fn put(&mut self, key: &Key, value: &[u8]) -> Result<()>;
}

impl<F: FnMut(&Key, &[u8]) -> Result<()> + Send> Log for F {
    fn put(&mut self, key: &Key, value: &[u8]) -> Result<()> {
        self(key, value)
    }
}

/// The size of an event.
pub const EVENT_BYTES: usize = 256;

/// How long the case with durability off runs.
pub fn until_off(threads: u64, run: &Run) -> Until {
    Until::Count(run.scale.pick(100_000, 1_500_000) / threads)
}

/// How long one slice of a case with durability on runs: short, because the disk swings, and sides alternate.
pub fn until_on(run: &Run) -> Until {
    Until::Elapsed(run.scale.pick(Duration::from_millis(800), Duration::from_millis(1500)))
}

pub(super) fn off<P: Peer>(peer: &P, threads: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    through_traits(peer, &run.database("db")?, threads, false, until_off(threads, run), outcome)
}

pub(super) fn on<P: Peer>(peer: &P, threads: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    through_traits(peer, &run.database("db")?, threads, true, until_on(run), outcome)
}

fn through_traits<P: Peer>(
    peer: &P,
    dir: &Path,
    threads: u64,
    durability: bool,
    until: Until,
    outcome: &mut Outcome,
) -> Result<()> {
    let manager = peer.open(dir, durability)?;
    let logs = (0..threads)
        .map(|n| {
            let mut log = manager.create_collection("events", &data::actor(n))?;
            Ok(move |key: &Key, value: &[u8]| Ok(log.put(key.logical(), value)?))
        })
        .collect::<Result<Vec<_>>>()?;
    measure(logs, until, outcome)?;
    verify(threads, until, outcome, |actor, key| Ok(manager.create_collection("events", actor)?.get(key.logical())?))
}

/// Has one thread per log put events, and reports rate, latencies and CPU.
pub fn measure(logs: Vec<impl Log>, until: Until, outcome: &mut Outcome) -> Result<()> {
    let values = Values::new(EVENT_BYTES);
    let (latencies, spent) = put_all(logs, until, &values)?;
    outcome.set("ops_per_s", spent.rate(latencies.count()));
    outcome.set("cpu_us_per_op", spent.cpu_micros_per(latencies.count()));
    latencies.report("", outcome);
    Ok(())
}

fn put_all(logs: Vec<impl Log>, until: Until, values: &Values) -> Result<(Latencies, Spent)> {
    // All threads and the clock start together.
    let start = Barrier::new(logs.len() + 1);
    thread::scope(|scope| {
        let start = &start;
        let threads: Vec<_> = logs
            .into_iter()
            .enumerate()
            .map(|(n, mut log)| scope.spawn(move || put_one(&mut log, &data::actor(n as u64), until, values, start)))
            .collect();
        start.wait();
        let section = Section::begin();
        let mut all = Latencies::begin();
        for thread in threads {
            all.merge(&thread.join().expect("no panic in a writer")?);
        }
        Ok((all, section.end()))
    })
}

fn put_one(log: &mut impl Log, actor: &str, until: Until, values: &Values, start: &Barrier) -> Result<Latencies> {
    let mut key = Key::first(actor);
    let warm = (0..WARM_UP).try_for_each(|n| {
        log.put(&key, values.get(n))?;
        key.advance();
        Ok(())
    });
    // Before an error returns: the others wait for this thread.
    start.wait();
    warm.and_then(|()| put_until(log, key, until, values))
}

fn put_until(log: &mut impl Log, mut key: Key, until: Until, values: &Values) -> Result<Latencies> {
    let started = Instant::now();
    let mut n = WARM_UP;
    let mut latencies = Latencies::begin();
    loop {
        log.put(&key, values.get(n))?;
        let now = latencies.lap();
        n += 1;
        key.advance();
        let done = match until {
            Until::Count(count) => n >= count,
            Until::Elapsed(limit) => now - started >= limit,
        };
        if done {
            return Ok(latencies);
        }
    }
}

/// Reads back some of what every run has put, however fast it was.
pub fn verify(
    threads: u64,
    until: Until,
    outcome: &mut Outcome,
    mut read: impl FnMut(&str, &Key) -> Result<Vec<u8>>,
) -> Result<()> {
    let (count, step) = match until {
        Until::Count(count) => (count, count / 500 + 1),
        Until::Elapsed(_) => (WARM_UP, 1),
    };
    let mut reader = Reader::default();
    for actor in (0..threads).map(data::actor) {
        let mut key = Key::first(&actor);
        for n in 0..count {
            if n % step == 0 || n + 1 == count {
                let value = read(&actor, &key).with_context(|| format!("event {n} of {actor} was acknowledged"))?;
                reader.add(&value);
            }
            key.advance();
        }
    }
    outcome.read(&reader);
    Ok(())
}
