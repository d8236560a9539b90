//! Deleting: many short logs as a whole, one long one as a whole, and events one by one.

use anyhow::{Result, ensure};
use ave_actors_store::database::{Collection, DbManager};

use super::fill;
use crate::{
    Outcome, Peer, Run,
    data::{self, Values},
    measure::Section,
    outcome::Reader,
};

const EVENT_BYTES: usize = 256;
const SHORT_EVENTS: u64 = 100;

pub(super) fn run<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let mut manager = peer.open(&run.database("db")?, false)?;
    let values = Values::new(EVENT_BYTES);
    let (logs, long_events) = run.scale.pick((1_000, 20_000), (2_000, 100_000));
    let mut short =
        (0..logs).map(|n| Ok(manager.create_collection("events", &data::actor(n))?)).collect::<Result<Vec<_>>>()?;
    fill(&mut short, SHORT_EVENTS, &values)?;
    let mut long = manager.create_collection("events", &data::actor(logs))?;
    fill(std::slice::from_mut(&mut long), long_events, &values)?;
    let mut plain = manager.create_collection("plain", &data::actor(0))?;
    fill(std::slice::from_mut(&mut plain), long_events, &values)?;

    let mut mixed =
        (0..logs).map(|n| Ok(manager.create_collection("mixed", &data::actor(n))?)).collect::<Result<Vec<_>>>()?;
    fill(&mut mixed, SHORT_EVENTS, &values)?;
    let section = Section::begin();
    manager.stop()?;
    outcome.set("stop.s", section.end().wall.as_secs_f64());
    purge_short(&mut short, outcome)?;
    purge_and_read(&mut mixed, outcome)?;
    let section = Section::begin();
    long.purge()?;
    outcome.set("long.us", section.end().micros_per(1));
    delete(&mut plain, long_events, outcome)?;

    let mut reader = Reader::default();
    for log in short.iter().chain([&long, &plain]) {
        ensure!(log.last()?.is_none(), "a log has events after it was emptied");
        reader.add_nothing();
    }
    outcome.read(&reader);
    Ok(())
}

fn purge_short(logs: &mut [impl Collection], outcome: &mut Outcome) -> Result<()> {
    let section = Section::begin();
    for log in logs.iter_mut() {
        log.purge()?;
    }
    outcome.set("short.us", section.end().micros_per(logs.len() as u64));
    Ok(())
}

/// Reads another log after each purge: the first read after a range deletion may sort all of them.
fn purge_and_read(logs: &mut [impl Collection], outcome: &mut Outcome) -> Result<()> {
    let section = Section::begin();
    for n in 1..logs.len() {
        logs[n - 1].purge()?;
        ensure!(logs[n].get(&data::key(SHORT_EVENTS / 2)).is_ok(), "a purge deletes the events of another log");
    }
    outcome.set("read.us", section.end().micros_per(logs.len() as u64));
    Ok(())
}

fn delete(log: &mut impl Collection, events: u64, outcome: &mut Outcome) -> Result<()> {
    let keys = data::keys(events);
    let section = Section::begin();
    for key in &keys {
        log.del(key)?;
    }
    outcome.set("del.us", section.end().micros_per(events));
    Ok(())
}
