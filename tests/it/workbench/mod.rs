//! What the workbench promises: its model of actors, its figures, its files and its command line.

// Helpers are part of the tests: a failure in one is a failure of the test that called it, and so is what it says.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod account;
mod actor_model;
mod after_kills;
mod answers;
mod certificates;
mod certifying;
#[cfg(feature = "rocksdb")]
mod certifying_cli;
#[cfg(feature = "rocksdb")]
mod cli;
#[cfg(feature = "rocksdb")]
mod cli_terminal;
mod cli_traces;
mod comparing;
#[cfg(feature = "rocksdb")]
mod comparing_cli;
mod confinement;
mod deployment;
#[cfg(feature = "rocksdb")]
mod documentation;
#[cfg(feature = "rocksdb")]
mod emulation;
mod fitting;
mod forecasting;
mod importing;
mod known_latency;
mod memory;
mod merging;
mod planning;
mod recorder;
mod recording;
mod reporting;
mod traces;
mod verification;

use std::sync::Arc;

use ave_actors_rocksdb::workbench::actor::{CommandKind, Op};
use ave_actors_rocksdb::workbench::runner::Source;
use ave_actors_rocksdb::workbench::trace::{Provenance, Trace, TraceActor, TraceBuilder, TraceCommand};
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

/// A command of a trace with all that its lines say.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    at_ns: u64,
    actor: TraceActor,
    kind: CommandKind,
    ops: Vec<Op>,
}

/// All commands of a trace.
fn told(trace: &Trace) -> Vec<Told> {
    let (mut commands, mut told, mut ops) = (trace.commands(), Vec::new(), Vec::new());
    while let Some(TraceCommand { at_ns, actor, kind }) = commands.next(&mut ops).unwrap() {
        told.push(Told { at_ns, actor: trace.actors()[actor as usize].clone(), kind, ops: ops.clone() });
    }
    told
}

/// The trace of these commands.
fn trace_told(provenance: Provenance, told: &[Told]) -> Trace {
    let mut builder = TraceBuilder::new(provenance);
    for command in told {
        let actor = builder.actor(&command.actor.type_name, &command.actor.name);
        builder.command(command.at_ns, actor, command.kind, &mut command.ops.clone()).unwrap();
    }
    builder.finish().unwrap()
}

/// The first `commands` commands of a workload with a millisecond between them. Commands that ask nothing of the store
/// leave no line in a trace and are passed over.
fn story_of(workload: &Arc<Workload>, commands: usize) -> Vec<Told> {
    let mut source = WorkloadSource::new(Arc::clone(workload), 0, 1);
    let (mut story, mut ops) = (Vec::new(), Vec::new());
    while story.len() < commands {
        let planned = source.next(&mut ops);
        if ops.is_empty() {
            continue;
        }
        let actor = TraceActor::new("account", &format!("actor-{}", planned.actor));
        story.push(Told { at_ns: story.len() as u64 * 1_000_000, actor, kind: planned.kind, ops: ops.clone() });
    }
    story
}

/// The same as a trace.
fn trace_of(workload: &Arc<Workload>, commands: usize) -> Trace {
    trace_told(provenance("generated"), &story_of(workload, commands))
}

/// A trace that is replayed `passes` times.
fn replay(trace: impl Into<Arc<Trace>>, passes: u64) -> Source {
    Source::Trace { trace: trace.into(), seed: 3, passes: Some(passes) }
}

fn provenance(name: &str) -> Provenance {
    Provenance { name: name.to_owned(), source: "a test".to_owned(), compressibility: 0.5, ..Provenance::default() }
}
