//! The sources that the benchmarks of the runner replay: a small trace, and a shipped workload with fewer actors.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ave_actors_rocksdb::trace::{CommandKind, Provenance};
use ave_workbench::actor::{ActorLog, Command, Durability, PersistenceRules, Strategy};
use ave_workbench::load::{
    Clock, Control, DriveSpec, JobContext, Load, Measurement, Session, Source, SystemClock, Target, WarmUp,
};
use ave_workbench::trace::TraceBuilder;
use ave_workbench::workload::Workload;

const ACTORS: usize = 50;
/// Number of commands of the trace.
pub(crate) const COMMANDS: usize = 300;
/// Duration of one replay of a workload, which has no end.
const SLICE: Duration = Duration::from_millis(100);

/// Persist commands under light persistence, over the actors in turn.
pub(crate) fn trace() -> Source {
    let rules = PersistenceRules { strategy: Strategy::Light, compact_on_snapshot: false, encrypted: false };
    let provenance = Provenance { name: "bench".to_owned(), compressibility: 0.5, ..Provenance::default() };
    let mut builder = TraceBuilder::new(provenance);
    let mut logs = vec![ActorLog::default(); ACTORS];
    let mut ops = Vec::new();
    for (at_ns, actor) in (0..ACTORS).cycle().take(COMMANDS).enumerate() {
        ops.clear();
        logs[actor].expand(rules, Command::Persist { event_bytes: 250, state_bytes: 1_000 }, &mut ops);
        let place = builder.actor("bench", &format!("actor-{actor:04}"));
        builder.command(at_ns as u64, place, CommandKind::Persist, &mut ops).expect("kept in memory");
    }
    let trace = Arc::new(builder.finish().expect("kept in memory"));
    Source::Trace { trace, seed: 1, passes: Some(1) }
}

/// The shipped ledger with a tenth of its actors, which takes less time to fill.
pub(crate) fn workload() -> Source {
    let mut workload = Workload::find("ledger").expect("ships");
    workload.populations[0].actors.count /= 10;
    Source::Workload(workload.into())
}

/// A session with one worker, over a database with the preload of the source.
pub(crate) fn start<'t, T: Target>(
    target: &'t T,
    source: &Source,
    directory: &Path,
    durability: Durability,
) -> Session<'t, T> {
    Session::start(target, source, directory, durability, 1, JobContext::silent(&Control::default())).expect("starts")
}

/// Replays the whole trace.
pub(crate) fn replay<T: Target>(session: &mut Session<'_, T>) {
    let measurement = drive(session, None, &NoPause(SystemClock::new()));
    assert_eq!(measurement.command_count(), COMMANDS as u64);
}

/// The time of `commands` commands of a workload, from the rate of one slice.
pub(crate) fn replay_commands<T: Target>(session: &mut Session<'_, T>, commands: u64) -> Duration {
    loop {
        let measurement = drive(session, Some(SLICE), &SystemClock::new());
        // On a busy host the slice may end before the worker runs.
        if measurement.command_count() > 0 {
            return Duration::from_secs_f64(commands as f64 / measurement.commands_per_second());
        }
    }
}

fn drive<T: Target>(session: &mut Session<'_, T>, measure: Option<Duration>, clock: &impl Clock) -> Measurement {
    let spec = DriveSpec { load: Load::Closed, warmup: WarmUp::NONE, measure, lag_limit: None, settle: false };
    session.drive(&spec, clock, JobContext::silent(&Control::default())).expect("replays").measurement
}

/// The system clock without the pause in which workers start, which is part of the measurement here.
struct NoPause(SystemClock);

impl Clock for NoPause {
    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn wait_until(&self, at_ns: u64) {
        self.0.wait_until(at_ns);
    }
}
