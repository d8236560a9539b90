//! The log of an actor that compacts on snapshot: its events were put and then deleted one by one. `last`, which every
//! recovery reads twice, must skip the tombstones.
//!
//! Every call is made through a collection created for it, as a recovery does, and no other handle of the log lives:
//! nothing is remembered from the call before. A user would call it now and then, so the case does, every 100 ms, until
//! it has stopped getting faster; then it is compared with `last` of a short log in the same column family.

use std::{
    hint::black_box,
    ops::Range,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager};

use super::{fill, read_all};
use crate::{
    Outcome, Peer, Run,
    catalog::Pattern,
    data::{self, Values},
    measure::{micros, time_calls},
    outcome::Reader,
};

const EVENT_BYTES: usize = 100;
const SHORT_LOGS: u64 = 10;
const SHORT_EVENTS: u64 = 100;
const PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(20);
/// `last` has settled when so many calls in a row were not a tenth faster than the fastest before.
const SETTLED_CALLS: u32 = 10;
const MEASURED_CALLS: u64 = 200;
const MEASURED_TIME: Duration = Duration::from_secs(2);

const LONG: u64 = SHORT_LOGS / 2;

pub(super) fn run<P: Peer>(peer: &P, pattern: Pattern, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let dir = run.database("db")?;
    let mut manager = peer.open(&dir, false)?;
    for n in short_logs() {
        fill(std::slice::from_mut(&mut log::<P>(&manager, n)?), SHORT_EVENTS, &Values::new(EVENT_BYTES))?;
    }
    let start = Instant::now();
    write(&mut log::<P>(&manager, LONG)?, pattern, run.scale.pick(100_000, 1_000_000))?;
    outcome.set("write_s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    measure::<P>(&manager, "", outcome)?;
    outcome.set("measured_after_s", start.elapsed().as_secs_f64());
    outcome.set("oldest_us", oldest(&log::<P>(&manager, LONG)?)?);
    verify(&log::<P>(&manager, LONG)?, outcome)?;

    manager.stop()?;
    drop(manager);
    measure::<P>(&peer.open(&dir, false)?, "reopened.", outcome)
}

/// Their names come before and after the long one's.
fn short_logs() -> impl Iterator<Item = u64> {
    (0..=SHORT_LOGS).filter(|n| *n != LONG)
}

fn log<P: Peer>(manager: &P::Manager, n: u64) -> Result<P::Collection> {
    Ok(manager.create_collection("events", &data::actor(n))?)
}

fn write(log: &mut impl Collection, pattern: Pattern, events: u64) -> Result<()> {
    match pattern {
        Pattern::All => put(log, 0..events).and_then(|()| delete(log, 0..events)),
        Pattern::Tail => put(log, 0..events).and_then(|()| delete(log, 0..events - 10)),
        Pattern::Interleaved => (0..events / 1000).map(|n| n * 1000..(n + 1) * 1000).try_for_each(|batch| {
            put(log, batch.clone())?;
            delete(log, batch)
        }),
    }
}

fn put(log: &mut impl Collection, events: Range<u64>) -> Result<()> {
    let values = Values::new(EVENT_BYTES);
    for n in events {
        log.put(&data::key(n), values.get(n))?;
    }
    Ok(())
}

/// As `Store::compact_to_snapshot` does.
fn delete(log: &mut impl Collection, events: Range<u64>) -> Result<()> {
    for n in events {
        log.del(&data::key(n))?;
    }
    Ok(())
}

fn measure<P: Peer>(manager: &P::Manager, prefix: &str, outcome: &mut Outcome) -> Result<()> {
    let mut call = |n: u64| last::<P>(manager, n);
    outcome.set(format!("{prefix}first_us"), micros(call(LONG)?));
    settle(|| call(LONG))?;
    let short: Vec<u64> = short_logs().collect();
    let (long, short) = (median(&[LONG], &mut call)?, median(&short, &mut call)?);
    outcome.set(format!("{prefix}long_us"), long);
    outcome.set(format!("{prefix}short_us"), short);
    outcome.set(format!("{prefix}long_over_short"), long / short);
    Ok(())
}

fn last<P: Peer>(manager: &P::Manager, n: u64) -> Result<Duration> {
    let prefix = data::actor(n);
    let start = Instant::now();
    let log = manager.create_collection("events", &prefix)?;
    black_box(log.last()?);
    Ok(start.elapsed())
}

fn settle(mut call: impl FnMut() -> Result<Duration>) -> Result<()> {
    let start = Instant::now();
    let (mut best, mut calls) = (call()?, 0);
    while calls < SETTLED_CALLS && start.elapsed() < PATIENCE {
        thread::sleep(PAUSE);
        let now = call()?;
        calls = if now < best * 9 / 10 { 0 } else { calls + 1 };
        best = best.min(now);
    }
    Ok(())
}

/// The median call over these logs, in microseconds.
fn median(logs: &[u64], call: &mut impl FnMut(u64) -> Result<Duration>) -> Result<f64> {
    for n in logs {
        call(*n)?;
    }
    let (latencies, _) =
        time_calls(MEASURED_CALLS, MEASURED_TIME, |n| call(logs[usize::try_from(n)? % logs.len()]).map(|_| ()))?;
    Ok(latencies.micros(50.0))
}

/// What it costs to get to the oldest event that is left: a walk over the graves from the other side.
fn oldest(log: &impl Collection) -> Result<f64> {
    let (latencies, _) = time_calls(MEASURED_CALLS, MEASURED_TIME, |_| {
        black_box(log.iter(false)?.next().transpose()?);
        anyhow::Ok(())
    })?;
    Ok(latencies.micros(50.0))
}

fn verify(log: &impl Collection, outcome: &mut Outcome) -> Result<()> {
    let mut reader = Reader::default();
    match log.last()? {
        Some((key, value)) => {
            reader.add(key.as_bytes());
            reader.add(&value);
        }
        None => reader.add_nothing(),
    }
    read_all(log, &mut reader)?;
    outcome.read(&reader);
    Ok(())
}
