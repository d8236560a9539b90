//! What a byte of the user costs the disk: light persists of actors of which some are busier than others, until the database
//! has stopped compacting. Snapshots are written over and over, which is where the writing goes.

use std::time::Duration;

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager, State};

use super::persist::{Actor, Sizes};
use crate::{
    Outcome, Peer, Run,
    data::{self, Random},
    host::{self, Io},
    measure::Section,
    outcome::Reader,
};

const EVENT_BYTES: usize = 256;

pub(super) fn run<P: Peer>(
    peer: &P,
    actors: u64,
    snapshot_bytes: usize,
    run: &Run,
    outcome: &mut Outcome,
) -> Result<()> {
    let dir = run.database("db")?;
    // A persist is an event with its key, a snapshot and metadata under the prefix.
    let persist_bytes = (EVENT_BYTES + snapshot_bytes + 60 + 3 * data::actor(0).len() + 1 + data::key(0).len()) as u64;
    let persists = run.scale.pick(200_000_000, 1_000_000_000) / persist_bytes;
    let mut manager = peer.open(&dir, false)?;
    let mut actors = (0..actors)
        .map(|n| Ok((Actor::<P>::create(&manager, "t", &data::actor(n))?, 0)))
        .collect::<Result<Vec<_>>>()?;

    let before = Io::now()?;
    let section = Section::begin();
    write(&mut actors, persists, &Sizes::new(EVENT_BYTES, snapshot_bytes))?;
    let spent = section.end();
    outcome.set("ops_per_s", spent.rate(persists));
    manager.stop()?;
    let settled = host::settle(Duration::from_secs(2), Duration::from_secs(60))?;
    outcome.set_text("settled", settled.to_string());

    let (after, user) = (Io::now()?, (persists * persist_bytes) as f64);
    outcome.set("user_mb", user / 1e6);
    outcome.set("write_amp", (after.written - before.written) as f64 / user);
    // Every byte goes to the log once, whatever the backend does with it later.
    outcome.set("write_amp_beyond_log", (after.written - before.written) as f64 / user - 1.0);
    outcome.set("disk_write_amp", (after.written_to_disk - before.written_to_disk) as f64 / user);
    outcome.set("space_mb", host::space(&dir)? as f64 / 1e6);
    outcome.set("cpu_s_all", host::process_cpu().as_secs_f64());
    verify(&actors, outcome)
}

fn write<P: Peer>(actors: &mut [(Actor<P>, u64)], persists: u64, sizes: &Sizes) -> Result<()> {
    let (mut random, count) = (Random::new(11), actors.len() as u64);
    for n in 0..persists {
        let (actor, next) = &mut actors[usize::try_from(random.skewed_below(count))?];
        sizes.persist(actor, &data::key(*next), n)?;
        *next += 1;
    }
    Ok(())
}

fn verify<P: Peer>(actors: &[(Actor<P>, u64)], outcome: &mut Outcome) -> Result<()> {
    let mut reader = Reader::default();
    for (actor, next) in actors {
        if *next > 0 {
            reader.add(&actor.states.get()?);
            reader.add(&actor.events.get(&data::key(next / 2))?);
            reader.add(&actor.events.get(&data::key(next - 1))?);
        }
    }
    outcome.read(&reader);
    Ok(())
}
