//! What the workbench promises: its model of actors, its figures, its files and its command line.

// Helpers are part of the tests: a failure in one is a failure of the test that called it, and so is what it says.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod account;
mod actor_model;
#[cfg(feature = "rocksdb")]
mod cli;
mod known_latency;
mod memory;
mod planning;
mod recorder;
mod recording;
mod traces;
mod verification;

use std::sync::Arc;

use ave_actors_rocksdb::workbench::runner::Source;
use ave_actors_rocksdb::workbench::trace::{Provenance, Trace, TraceActor, TraceCommand};
use ave_actors_rocksdb::workbench::workload::{Workload, WorkloadSource};

/// A workload of `actors` actors; `rest` is what stands behind `[persistence]`.
fn workload(actors: u32, rest: &str) -> Arc<Workload> {
    let text = format!(
        "name = 'small'\ndescription = 'd'\n\
         event_bytes = {{ uniform = {{ min = 8, max = 200 }} }}\nstate_bytes = {{ constant = 300 }}\n\
         [actors]\ncount = {actors}\n[persistence]\n{rest}"
    );
    Arc::new(Workload::parse(&text).unwrap())
}

/// The first `commands` commands of a workload as a trace with a millisecond between them. Commands that ask nothing of
/// the store leave no line in a trace and are passed over.
fn trace_of(workload: &Arc<Workload>, commands: usize) -> Trace {
    let mut source = WorkloadSource::new(Arc::clone(workload), 0, 1);
    let mut trace = Trace { provenance: provenance("generated"), ..Trace::default() };
    let mut places = std::collections::HashMap::new();
    let mut ops = Vec::new();
    while trace.commands.len() < commands {
        let planned = source.next(&mut ops);
        if ops.is_empty() {
            continue;
        }
        let actor = *places.entry(planned.actor).or_insert_with(|| {
            trace.actors.push(TraceActor { type_name: "account".to_owned(), name: format!("actor-{}", planned.actor) });
            u32::try_from(trace.actors.len() - 1).unwrap()
        });
        let start = trace.ops.len();
        trace.ops.extend_from_slice(&ops);
        let at_ns = trace.commands.len() as u64 * 1_000_000;
        trace.commands.push(TraceCommand { at_ns, actor, kind: planned.kind, ops: start..trace.ops.len() });
    }
    trace
}

/// A trace that is replayed `passes` times.
fn replay(trace: Trace, passes: u64) -> Source {
    Source::Trace { trace: Arc::new(trace), seed: 3, passes: Some(passes) }
}

fn provenance(name: &str) -> Provenance {
    Provenance { name: name.to_owned(), source: "a test".to_owned(), compressibility: 0.5, ..Provenance::default() }
}
