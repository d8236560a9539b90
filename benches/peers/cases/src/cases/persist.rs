//! What users wait for: a light `persist`, which is a put of the event, of the snapshot, and of the metadata, each in a
//! column family of its own. One thread serves 100 actors in turn.

use std::time::{Duration, Instant};

use anyhow::Result;
use ave_actors_store::database::{Collection, DbManager, State};

use crate::{
    Outcome, Peer, Run,
    data::{self, Values},
    measure::{Latencies, Section},
    outcome::Reader,
};

const ACTORS: usize = 100;
const EVENT_BYTES: usize = 256;
const SNAPSHOT_BYTES: usize = 1024;
/// The encrypted two counters of the store.
const METADATA_BYTES: usize = 60;

/// The three stores of one actor, as `ave-actors-store` names them.
pub(super) struct Actor<P: Peer> {
    pub(super) events: P::Collection,
    pub(super) states: P::State,
    pub(super) metadata: P::State,
}

impl<P: Peer> Actor<P> {
    pub(super) fn create(manager: &P::Manager, kind: &str, prefix: &str) -> Result<Self> {
        Ok(Self {
            events: manager.create_collection(&format!("{kind}_events"), prefix)?,
            states: manager.create_state(&format!("{kind}_states"), prefix)?,
            metadata: manager.create_state(&format!("{kind}_metadata"), prefix)?,
        })
    }
}

/// The values of light persists.
pub(super) struct Sizes {
    pub(super) event: Values,
    pub(super) snapshot: Values,
    pub(super) metadata: Values,
}

impl Sizes {
    pub(super) fn new(event: usize, snapshot: usize) -> Self {
        Self { event: Values::new(event), snapshot: Values::new(snapshot), metadata: Values::new(METADATA_BYTES) }
    }

    /// Persists event `n`, which stands under `key`, as the store does.
    pub(super) fn persist<P: Peer>(&self, actor: &mut Actor<P>, key: &str, n: u64) -> Result<()> {
        actor.events.put(key, self.event.get(n))?;
        actor.states.put(self.snapshot.get(n))?;
        actor.metadata.put(self.metadata.get(n))?;
        Ok(())
    }
}

pub(super) fn off<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let persists = run.scale.pick(10_000, 200_000);
    measure(peer, run, false, persists, Duration::MAX, outcome)
}

pub(super) fn on<P: Peer>(peer: &P, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let slice = run.scale.pick(Duration::from_millis(800), Duration::from_millis(1500));
    measure(peer, run, true, u64::MAX, slice, outcome)
}

fn measure<P: Peer>(
    peer: &P,
    run: &Run,
    durability: bool,
    persists: u64,
    limit: Duration,
    outcome: &mut Outcome,
) -> Result<()> {
    let manager = peer.open(&run.database("db")?, durability)?;
    let mut actors = (0..ACTORS as u64)
        .map(|n| Actor::<P>::create(&manager, "ledger", &data::actor(n)))
        .collect::<Result<Vec<_>>>()?;
    let sizes = Sizes::new(EVENT_BYTES, SNAPSHOT_BYTES);
    // Every actor's first event is the warm-up, and what is verified.
    persist_all(&mut actors, &sizes, 0..ACTORS as u64, Duration::MAX)?;
    let section = Section::begin();
    let latencies = persist_all(&mut actors, &sizes, ACTORS as u64..persists, limit)?;
    let spent = section.end();
    outcome.set("ops_per_s", spent.rate(latencies.count()));
    outcome.set("cpu_us_per_op", spent.cpu_micros_per(latencies.count()));
    latencies.report("", outcome);
    verify(&actors, outcome)
}

fn persist_all<P: Peer>(
    actors: &mut [Actor<P>],
    sizes: &Sizes,
    persists: std::ops::Range<u64>,
    limit: Duration,
) -> Result<Latencies> {
    let (start, mut keys) = (Instant::now(), Turns::from(persists.start));
    let mut latencies = Latencies::begin();
    for n in persists {
        let (actor, key) = keys.next();
        sizes.persist(&mut actors[actor], key, n)?;
        if latencies.lap() - start > limit {
            break;
        }
    }
    Ok(latencies)
}

/// Actor after actor; all events of one turn have the same key.
struct Turns {
    actor: usize,
    event: u64,
    key: String,
}

impl Turns {
    fn from(n: u64) -> Self {
        let event = n / ACTORS as u64;
        Self { actor: 0, event, key: data::key(event) }
    }

    fn next(&mut self) -> (usize, &str) {
        let actor = self.actor;
        self.actor += 1;
        if self.actor > ACTORS {
            (self.actor, self.event) = (1, self.event + 1);
            self.key = data::key(self.event);
            return (0, &self.key);
        }
        (actor, &self.key)
    }
}

/// The first event of every actor; the last ones depend on the speed.
fn verify<P: Peer>(actors: &[Actor<P>], outcome: &mut Outcome) -> Result<()> {
    let mut reader = Reader::default();
    for actor in actors {
        reader.add(&actor.events.get(&data::key(0))?);
        anyhow::ensure!(actor.states.get()?.len() == SNAPSHOT_BYTES, "a snapshot is not what was put");
        anyhow::ensure!(actor.metadata.get()?.len() == METADATA_BYTES, "metadata are not what was put");
    }
    outcome.read(&reader);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_through_all_actors_and_then_to_the_next_event() {
        let mut turns = Turns::from(0);
        for n in 0..350 {
            let (actor, key) = turns.next();
            assert_eq!((actor, key), (n % ACTORS, data::key((n / ACTORS) as u64).as_str()));
        }
    }
}
