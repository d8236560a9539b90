//! Reads of logs that lie in files and in the block cache: 20 actors with 10,000 events of 256 bytes in one column
//! family, written, closed, opened and read once before the clock runs. And, as `get-hit-mem`, of events that no file
//! holds yet.

use std::hint::black_box;

use anyhow::{Result, bail};
use ave_actors_store::{
    Error,
    database::{Collection, DbManager},
};

use super::{fill, read_all, reopen};
use crate::{
    Outcome, Peer, Run,
    data::{self, Values},
    measure::Section,
    outcome::Reader,
};

const EVENTS: u64 = 10_000;
const EVENT_BYTES: usize = 256;
/// A prime: visits every event of every log and no two neighbours.
const STEP: u64 = 7919;

pub(super) fn run<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    if ["get-hit", "get-miss", "last", "last-anew", "iter"].into_iter().any(|part| run.wants(part)) {
        flushed(peer, run, outcome)?;
    }
    if run.wants("get-hit-mem") {
        in_memory(peer, run, outcome)?;
    }
    Ok(())
}

fn flushed<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let (dir, actors) = (run.database("flushed")?, run.scale.pick(5, 20));
    let values = Values::new(EVENT_BYTES);
    let mut manager = peer.open(&dir, false)?;
    fill(&mut logs::<P>(&manager, actors)?, EVENTS, &values)?;
    manager.stop()?;
    drop(manager);

    let manager = reopen(peer, &dir, false)?;
    let logs = logs::<P>(&manager, actors)?;
    let mut reader = Reader::default();
    logs.iter().try_for_each(|log| read_all(log, &mut reader))?;
    outcome.read(&reader);

    let keys = data::keys(EVENTS);
    let calls = run.scale.pick(100_000, 400_000);
    if run.wants("get-hit") {
        hits(&logs, &keys, calls / 4)?;
        report("get-hit", calls, || hits(&logs, &keys, calls), outcome)?;
    }
    if run.wants("get-miss") {
        report("get-miss", calls, || misses(&logs, calls), outcome)?;
    }
    if run.wants("last") {
        report("last", calls / 4, || last(&logs, calls / 4), outcome)?;
    }
    if run.wants("last-anew") {
        report("last-anew", calls / 4, || last_anew::<P>(&manager, actors, calls / 4), outcome)?;
    }
    if run.wants("iter") {
        let entries = EVENTS * logs.len() as u64 * 3;
        report("iter", entries, || (0..3).try_for_each(|_| iterate(&logs)), outcome)?;
    }
    Ok(())
}

fn in_memory<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let manager = peer.open(&run.database("memory")?, false)?;
    let mut logs = logs::<P>(&manager, 4)?;
    // 6 MB: less than any memtable here.
    fill(&mut logs, 5_000, &Values::new(EVENT_BYTES))?;
    let (keys, calls) = (data::keys(5_000), run.scale.pick(100_000, 400_000));
    hits(&logs, &keys, calls / 4)?;
    report("get-hit-mem", calls, || hits(&logs, &keys, calls), outcome)
}

fn logs<P: Peer>(manager: &P::Manager, actors: u64) -> Result<Vec<P::Collection>> {
    (0..actors).map(|n| Ok(manager.create_collection("events", &data::actor(n))?)).collect()
}

/// Time and CPU per operation, over all of them: a clock around each would cost as much as the cheapest.
fn report(part: &str, operations: u64, work: impl FnOnce() -> Result<()>, outcome: &mut Outcome) -> Result<()> {
    let section = Section::begin();
    work()?;
    let spent = section.end();
    outcome.set(format!("{part}.us"), spent.micros_per(operations));
    outcome.set(format!("{part}.cpu_us"), spent.cpu_micros_per(operations));
    Ok(())
}

fn hits(logs: &[impl Collection], keys: &[String], calls: u64) -> Result<()> {
    let (step, all) = (usize::try_from(STEP)?, logs.len() * keys.len());
    let mut at = 0;
    for _ in 0..calls {
        at = (at + step) % all;
        black_box(logs[at / keys.len()].get(&keys[at % keys.len()])?);
    }
    Ok(())
}

/// Keys that would follow the last ones: within the range of the files, so that only filters can tell.
fn misses(logs: &[impl Collection], calls: u64) -> Result<()> {
    // The keys of the next log follow, except after the last log.
    let absent: Vec<String> = (0..EVENTS).map(|n| data::key(EVENTS + n)).collect();
    let logs = &logs[..logs.len() - 1];
    let (mut log, mut key) = (0, 0);
    for _ in 0..calls {
        (log, key) = ((log + 1) % logs.len(), (key + usize::try_from(STEP)?) % absent.len());
        match black_box(logs[log].get(&absent[key])) {
            Err(Error::EntryNotFound { .. }) => {}
            other => bail!("an absent key gave {other:?}"),
        }
    }
    Ok(())
}

/// Again and again through the same handles: a backend may remember what it answered.
fn last(logs: &[impl Collection], calls: u64) -> Result<()> {
    for n in 0..usize::try_from(calls)? {
        black_box(logs[n % logs.len()].last()?);
    }
    Ok(())
}

/// Through a handle made for the call, as when an actor is created.
fn last_anew<P: Peer>(manager: &P::Manager, actors: u64, calls: u64) -> Result<()> {
    let names: Vec<String> = (0..actors).map(data::actor).collect();
    for n in 0..usize::try_from(calls)? {
        black_box(manager.create_collection("events", &names[n % names.len()])?.last()?);
    }
    Ok(())
}

fn iterate(logs: &[impl Collection]) -> Result<()> {
    for log in logs {
        for item in log.iter(false)? {
            black_box(item?);
        }
    }
    Ok(())
}
