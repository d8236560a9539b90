//! Whether an actor named `a` keeps its hands off the events of an actor named `a.b`.

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager};

use crate::{Outcome, Peer, Run, data};

pub(super) fn run<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let manager = peer.open(&run.database("db")?, false)?;
    let mut short = manager.create_collection("events", "a")?;
    let mut long = manager.create_collection("events", "a.b")?;
    short.put(&data::key(1), b"of a")?;
    long.put(&data::key(2), b"of a.b")?;

    let mut leaks = Vec::new();
    if short.last()?.is_none_or(|(_, value)| value != b"of a") {
        leaks.push("last");
    }
    if short.iter(false)?.count() != 1 {
        leaks.push("iter");
    }
    if short.get_by_range(None, 10)?.len() != 1 {
        leaks.push("get_by_range");
    }
    short.purge()?;
    if long.last()?.is_none() {
        leaks.push("purge");
    }
    let verdict = if leaks.is_empty() { "isolated".to_owned() } else { format!("leaks: {}", leaks.join(", ")) };
    outcome.set("leaks", leaks.len() as f64);
    outcome.set_text("verdict", verdict);
    Ok(())
}
