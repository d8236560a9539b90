//! A workload that ships, through the workbench's own runner: what `ave-workbench run` measures, on every backend.
//!
//! The runner issues commands as fast as they go and afterwards compares the database with what it
//! acknowledged: number, order and bytes. It knows no backend, it is generic over `DbManager`, as the cases are. Loads
//! last equally long on every side; a faster one gets more done, and has a larger database for it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use ave_actors_rocksdb::trace::CommandKind;
use ave_actors_store::Error;
use ave_workbench::actor::Durability;
use ave_workbench::load::{
    Control, Drive, DriveSpec, JobContext, Load, Session, Source, SystemClock, Target, Verified, WarmUp,
};
use ave_workbench::workload::Workload;

use crate::{Outcome, Peer, Run};

/// Actors, instead of the number in the workload: `SQLite` opens six connections for each, and two files for each of those.
const ACTORS: u32 = 500;
/// Cores of the machine profile that every backend is tuned for.
const WORKERS: u64 = 2;

pub(super) fn run<P: Peer>(peer: &P, name: &str, durability: bool, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let mut workload = Workload::find(name)?;
    workload.actors.count = ACTORS;
    // Names become names of tables, in which `SQLite` does not allow hyphens.
    workload.name = workload.name.replace('-', "_");
    let source = Source::Workload(Arc::new(workload));
    let durability = if durability { Durability::On } else { Durability::Off };
    let spec = DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::Fixed(Duration::from_millis(300)),
        measure: Some(run.scale.pick(Duration::from_millis(1200), Duration::from_secs(5))),
        lag_limit: None,
        settle: true,
    };

    let (target, control, dir) = (Through(peer), Control::default(), run.database("db")?);
    let job = JobContext::silent(&control);
    let mut session = Session::start(&target, &source, &dir, durability, WORKERS, job)?;
    let drive = session.drive(&spec, &SystemClock::new(), job)?;
    report(&drive, outcome);
    let (verified, _) = session.finish(true, job)?;
    verify(&verified.unwrap_or_default(), outcome)
}

fn report(drive: &Drive, outcome: &mut Outcome) {
    let Drive { measurement, usage, .. } = drive;
    outcome.set("ops_per_s", measurement.commands_per_second());
    outcome.set("cpu_us_per_op", usage.cpu_seconds * 1e6 / measurement.command_count().max(1) as f64);
    for kind in [CommandKind::Persist, CommandKind::Recover] {
        let Some(latency) = measurement.command(kind) else { continue };
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            outcome.set(format!("{kind}_{name}_us"), latency.service.quantile(quantile) as f64 / 1e3);
        }
    }
}

/// The database equals the model of the runner.
fn verify(verified: &Verified, outcome: &mut Outcome) -> Result<()> {
    ensure!(verified.actors > 0, "nothing was compared");
    let differs = verified.lost > 0 || !verified.differences.is_empty();
    ensure!(!differs, "the database differs from what was acknowledged: {}", verified.differences.join("; "));
    outcome.set("verified_events", verified.events as f64);
    outcome.set("verified_states", verified.states as f64);
    Ok(())
}

/// A peer as a target of the runner.
struct Through<'p, P>(&'p P);

impl<P: Peer> Target for Through<'_, P> {
    type Collection = P::Collection;
    type State = P::State;
    type Manager = P::Manager;

    fn open(&self, directory: &Path, durability: Durability) -> Result<P::Manager, Error> {
        self.0.open(directory, durability.is_on())
    }
}
