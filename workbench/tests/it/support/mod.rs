//! What the tests share: workloads, traces, faulty stores, reports.

pub(crate) mod account;
// The library's tests make the same faults.
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../../tests/it/backend/faults/child.rs"]
pub(crate) mod faults;
pub(crate) mod memory;
pub(crate) mod recording;
pub(crate) mod reporting;
pub(crate) mod sample;
pub(crate) mod skip;

use std::sync::Arc;

use ave_actors_rocksdb::trace::{CommandKind, Op, Provenance};
use ave_workbench::load::Source;
use ave_workbench::trace::{Trace, TraceActor, TraceBuilder, TraceCommand};
use ave_workbench::workload::{Workload, WorkloadSource};

/// A workload of `actors` actors; `rest` is what stands behind `[persistence]`.
pub(crate) fn workload(actors: u32, rest: &str) -> Arc<Workload> {
    let text = format!(
        "name = 'small'\ndescription = 'd'\n\
         event_bytes = {{ uniform = {{ min = 8, max = 200 }} }}\nstate_bytes = {{ constant = 300 }}\n\
         [actors]\ncount = {actors}\n[persistence]\n{rest}"
    );
    Arc::new(Workload::parse(&text).unwrap())
}

/// A command of a trace with its actor and operations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TracedCommand {
    pub(crate) at_ns: u64,
    pub(crate) actor: TraceActor,
    pub(crate) kind: CommandKind,
    pub(crate) ops: Vec<Op>,
}

/// All commands of a trace.
pub(crate) fn commands_in(trace: &Trace) -> Vec<TracedCommand> {
    let mut commands = Vec::new();
    let each = |TraceCommand { at_ns, actor, kind }, ops: &[Op]| {
        commands.push(TracedCommand { at_ns, actor: trace.actors()[actor as usize].clone(), kind, ops: ops.to_vec() });
    };
    trace.for_each_command(each).unwrap();
    commands
}

/// The trace of these commands.
pub(crate) fn trace_of_commands(provenance: Provenance, commands: &[TracedCommand]) -> Trace {
    let mut builder = TraceBuilder::new(provenance);
    for command in commands {
        let actor = builder.actor(&command.actor.type_name, &command.actor.name);
        builder.command(command.at_ns, actor, command.kind, &mut command.ops.clone()).unwrap();
    }
    builder.finish().unwrap()
}

/// The first `commands` commands of a workload with a millisecond between them. Commands without storage
/// operations are not in a trace and are skipped.
pub(crate) fn story_of(workload: &Arc<Workload>, commands: usize) -> Vec<TracedCommand> {
    let mut source = WorkloadSource::new(Arc::clone(workload), 0, 1);
    let (mut story, mut ops) = (Vec::new(), Vec::new());
    while story.len() < commands {
        let planned = source.next(&mut ops);
        if ops.is_empty() {
            continue;
        }
        let actor = TraceActor::new("account", &format!("actor-{}", planned.actor));
        story.push(TracedCommand {
            at_ns: story.len() as u64 * 1_000_000,
            actor,
            kind: planned.kind,
            ops: ops.clone(),
        });
    }
    story
}

/// The same as a trace.
pub(crate) fn trace_of(workload: &Arc<Workload>, commands: usize) -> Trace {
    trace_of_commands(provenance("generated"), &story_of(workload, commands))
}

/// A trace that is replayed `passes` times.
pub(crate) fn replay(trace: impl Into<Arc<Trace>>, passes: u64) -> Source {
    Source::Trace { trace: trace.into(), seed: 3, passes: Some(passes) }
}

pub(crate) fn provenance(name: &str) -> Provenance {
    Provenance { name: name.to_owned(), source: "a test".to_owned(), compressibility: 0.5, ..Provenance::default() }
}
