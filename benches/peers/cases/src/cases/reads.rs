//! Reads of logs that lie in files and in the block cache: 20 actors with 10,000 events of 256 bytes in one column
//! family, written, closed, opened and read once before the clock runs. And, as `get-hit-mem`, of events that no file
//! holds yet.

use std::{
    hint::black_box,
    ops::Range,
    time::{Duration, Instant},
};

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
/// A backend that looks at every entry to find the last gets this long for each figure, and is not waited for.
const LONGEST: Duration = Duration::from_secs(1);
/// How often the time is looked at meanwhile, at most.
const BATCHES: u64 = 1_000;

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

    let [keys, absent] = [data::keys(EVENTS), (EVENTS..2 * EVENTS).map(data::key).collect()];
    let names: Vec<String> = (0..actors).map(data::actor).collect();
    let calls = run.scale.pick(100_000, 400_000);
    if run.wants("get-hit") {
        hits(&logs, &keys, 0..calls / 4)?;
        report("get-hit", calls, 1, |calls| hits(&logs, &keys, calls), outcome)?;
    }
    if run.wants("get-miss") {
        report("get-miss", calls, 1, |calls| misses(&logs, &absent, calls), outcome)?;
    }
    if run.wants("last") {
        report("last", calls / 4, 1, |calls| last(&logs, calls), outcome)?;
    }
    if run.wants("last-anew") {
        report("last-anew", calls / 4, 1, |calls| last_anew::<P>(&manager, &names, calls), outcome)?;
    }
    if run.wants("iter") {
        report("iter", 3 * logs.len() as u64, EVENTS, |calls| iterate(&logs, calls), outcome)?;
    }
    Ok(())
}

fn in_memory<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let manager = peer.open(&run.database("memory")?, false)?;
    let mut logs = logs::<P>(&manager, 4)?;
    // 6 MB: less than any memtable here.
    fill(&mut logs, 5_000, &Values::new(EVENT_BYTES))?;
    let (keys, calls) = (data::keys(5_000), run.scale.pick(100_000, 400_000));
    hits(&logs, &keys, 0..calls / 4)?;
    report("get-hit-mem", calls, 1, |calls| hits(&logs, &keys, calls), outcome)
}

fn logs<P: Peer>(manager: &P::Manager, actors: u64) -> Result<Vec<P::Collection>> {
    (0..actors).map(|n| Ok(manager.create_collection("events", &data::actor(n))?)).collect()
}

/// Time and CPU per operation, over all calls or those of [`LONGEST`]: a clock around each would cost as much as the
/// cheapest. A call makes so many operations.
fn report(
    part: &str,
    calls: u64,
    operations: u64,
    mut work: impl FnMut(Range<u64>) -> Result<()>,
    outcome: &mut Outcome,
) -> Result<()> {
    let (batch, mut done) = (calls.div_ceil(BATCHES), 0);
    let (section, start) = (Section::begin(), Instant::now());
    while done < calls && start.elapsed() < LONGEST {
        work(done..done + batch)?;
        done += batch;
    }
    let spent = section.end();
    outcome.set(format!("{part}.us"), spent.micros_per(done * operations));
    outcome.set(format!("{part}.cpu_us"), spent.cpu_micros_per(done * operations));
    Ok(())
}

/// The turn of a number among so many.
fn turn(n: u64, many: usize) -> Result<usize> {
    Ok(usize::try_from(n)? % many)
}

fn hits(logs: &[impl Collection], keys: &[String], calls: Range<u64>) -> Result<()> {
    for n in calls {
        let at = turn(n * STEP, logs.len() * keys.len())?;
        black_box(logs[at / keys.len()].get(&keys[at % keys.len()])?);
    }
    Ok(())
}

/// Keys that would follow the last ones: within the range of the files, so that only filters can exclude them.
fn misses(logs: &[impl Collection], absent: &[String], calls: Range<u64>) -> Result<()> {
    // The keys of the next log follow, except after the last log.
    let logs = &logs[..logs.len() - 1];
    for n in calls {
        match black_box(logs[turn(n, logs.len())?].get(&absent[turn(n * STEP, absent.len())?])) {
            Err(Error::EntryNotFound { .. }) => {}
            other => bail!("an absent key gave {other:?}"),
        }
    }
    Ok(())
}

/// Again and again through the same handles: a backend may remember what it answered.
fn last(logs: &[impl Collection], calls: Range<u64>) -> Result<()> {
    for n in calls {
        black_box(logs[turn(n, logs.len())?].last()?);
    }
    Ok(())
}

/// Through a handle made for the call, as when an actor is created.
fn last_anew<P: Peer>(manager: &P::Manager, names: &[String], calls: Range<u64>) -> Result<()> {
    for n in calls {
        black_box(manager.create_collection("events", &names[turn(n, names.len())?])?.last()?);
    }
    Ok(())
}

fn iterate(logs: &[impl Collection], calls: Range<u64>) -> Result<()> {
    for n in calls {
        for item in logs[turn(n, logs.len())?].iter(false)? {
            black_box(item?);
        }
    }
    Ok(())
}
