//! Ten events from the middle of a long log: what paging through an actor's history costs, and whether that grows with
//! the history.

use std::{hint::black_box, time::Duration};

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager};

use super::{fill, settle_briefly};
use crate::{
    Outcome, Peer, Run,
    data::{self, Values},
    measure::time_calls,
    outcome::Reader,
};

const EVENT_BYTES: usize = 100;
const WANTED: isize = 10;
/// The log that the long one is compared with.
const SHORT: u64 = 100_000;

pub(super) fn run<P: Peer>(peer: &P, events: u64, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let mut manager = peer.open(&run.database("db")?, false)?;
    let values = Values::new(EVENT_BYTES);
    let mut log = manager.create_collection("events", &data::actor(1))?;
    let mut short = manager.create_collection("events", &data::actor(0))?;
    fill(std::slice::from_mut(&mut short), SHORT.min(events), &values)?;
    fill(std::slice::from_mut(&mut log), events, &values)?;
    manager.stop()?;
    settle_briefly()?;

    let mut reader = Reader::default();
    for value in middle(&log, events)? {
        reader.add(&value);
    }
    outcome.read(&reader);
    let micros = measure(&log, events, run)?;
    outcome.set("us", micros);
    outcome.set("over_1e5", micros / measure(&short, SHORT.min(events), run)?);
    Ok(())
}

/// The median call, in microseconds.
fn measure(log: &impl Collection, events: u64, run: &Run) -> Result<f64> {
    middle(log, events)?;
    let calls = run.scale.pick(2_000, 20_000);
    let (latencies, _) = time_calls(calls, Duration::from_secs(1), |_| {
        black_box(middle(log, events)?);
        anyhow::Ok(())
    })?;
    Ok(latencies.micros(50.0))
}

fn middle(log: &impl Collection, events: u64) -> Result<Vec<Vec<u8>>> {
    Ok(log.get_by_range(Some(data::key(events / 2)), WANTED)?)
}
