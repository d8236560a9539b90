//! A workload as a trace: the commands of a run with one worker, and their times.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::builder::{Trace, TraceBuilder};
use super::command::{TraceActor, TraceCommand};
use super::error::TraceError;
use super::writer::TraceWriter;
use crate::units;
use crate::workload::{PreloadCommands, PreloadContent, Workload, WorkloadSource};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

/// Length of a generated trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerateLength {
    /// A number of commands, without the preload.
    Commands(u64),
    /// The commands that are due before this time.
    Time(Duration),
}

/// Where the preloaded events of a workload go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preload {
    /// Before the trace, as in a recording that starts later: event numbers continue after them, and a replay first writes
    /// those that the trace reads, with the mean length of the trace's events.
    AsPast,
    /// `persist` commands at time 0, ahead of all others.
    AsCommands,
}

/// Options of [`generate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenerateOptions {
    /// Commands or time.
    pub length: GenerateLength,
    /// Where the preloaded events go.
    pub preload: Preload,
    /// Commands per second of `arrival_times`, for the provenance.
    pub per_second: f64,
}

/// Size of a generated trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerateSummary {
    /// Commands, those of the preload included if they are commands.
    pub commands: u64,
    /// Storage operations, which are lines.
    pub operations: u64,
    /// Time of the last command, nanoseconds.
    pub duration_ns: u64,
}

/// Writes a workload as a trace to `path`, compressed if that ends in `.zst`. An incomplete file is never visible.
///
/// The commands are those that a run with one worker issues, due at `arrival_times`, nanoseconds from the start and
/// ascending; commands without storage operations are skipped. `goes_on` is called now and then with the number of
/// commands so far; if it is false, nothing is written.
///
/// Memory: 80 bytes an actor.
///
/// # Errors
///
/// [`TraceError::File`] if the file cannot be written; [`TraceError::Empty`] if nothing is due; [`TraceError::Interrupted`] if
/// it does not go on.
pub fn generate(
    workload: &Arc<Workload>,
    path: &Path,
    options: &GenerateOptions,
    arrival_times: impl Iterator<Item = u64>,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Result<GenerateSummary, TraceError> {
    let mut writer = TraceWriter::create(path, &provenance(workload, options))?;
    let mut summary = GenerateSummary::default();
    let mut generator = Generator::new(workload, options, arrival_times);
    while let Some(command) = generator.next() {
        let TraceActor { type_name, name } = generator.actors.of(command.actor);
        writer.command(&type_name, &name, command.at_ns, command.kind, &generator.ops)?;
        summary.commands += 1;
        summary.operations += generator.ops.len() as u64;
        summary.duration_ns = command.at_ns;
        if summary.commands.is_multiple_of(PROGRESS_EVERY) && !goes_on(summary.commands) {
            return Err(TraceError::Interrupted);
        }
    }
    if summary.commands == 0 {
        return Err(TraceError::Empty { path: path.to_owned(), what: "commands: nothing is due in that time" });
    }
    writer.finish()?;
    Ok(summary)
}

/// The same in memory.
pub(super) fn generate_trace(
    workload: &Arc<Workload>,
    options: &GenerateOptions,
    arrival_times: impl Iterator<Item = u64>,
) -> Result<Trace, TraceError> {
    let mut builder = TraceBuilder::new(provenance(workload, options));
    let mut generator = Generator::new(workload, options, arrival_times);
    while let Some(command) = generator.next() {
        let actor = generator.actors.of(command.actor);
        let number = builder.actor(&actor.type_name, &actor.name);
        builder.command(command.at_ns, number, command.kind, &mut generator.ops)?;
    }
    builder.finish()
}

const PROGRESS_EVERY: u64 = 1 << 16;

fn provenance(workload: &Workload, options: &GenerateOptions) -> Provenance {
    let rate = options.per_second;
    let mut assumptions = vec![format!(
        "commands of one writer, seed {}, {:?} arrivals at {}",
        workload.seed,
        workload.arrivals,
        units::commands_per_second(rate)
    )];
    for population in &workload.populations {
        let (of, preload) = (&population.name, population.preload);
        let each = (preload.events_per_actor, "of every actor of");
        let more = (preload.events_by_popularity, "more of busier actors, of");
        for (events, whose) in [each, more].into_iter().filter(|(events, _)| *events > 0) {
            let events = units::counted(events, "event");
            assumptions.push(match options.preload {
                Preload::AsPast => format!("{events}, {whose} {of}, from before the trace"),
                Preload::AsCommands => format!("{events}, {whose} {of}, at time 0 as the preload"),
            });
        }
    }
    Provenance {
        name: workload.name.clone(),
        source: format!("workload {}", workload.name),
        made_by: format!("generator, ave-actors-rocksdb {}", env!("CARGO_PKG_VERSION")),
        persistence: workload.persistence(),
        names_hashed: false,
        compressibility: workload.stored_compressibility(),
        assumptions,
        ..Provenance::default()
    }
}

/// What an actor has stored last, for the lengths of its reads.
#[derive(Debug, Clone, Copy, Default)]
struct Newest {
    event: Option<(u64, u32)>,
    state_bytes: u32,
    metadata_bytes: u32,
}

impl Newest {
    /// What the preload leaves.
    fn after_preload(content: &PreloadContent, actor: u64) -> Self {
        let last = content.stored_events(actor).next_back().map(|number| content.event(actor, number));
        let [state_bytes, metadata_bytes] = content.states(actor).map_or([0; 2], |ops| ops.map(|op| op.bytes));
        Self { event: last.map(|op| (op.number, op.bytes)), state_bytes, metadata_bytes }
    }

    /// Applies an operation, and completes a read with what it finds.
    fn complete(&mut self, op: &mut Op) {
        match op.kind {
            OpKind::EventsPut => self.event = Some((op.number, op.bytes)),
            OpKind::EventsDel => self.event = self.event.filter(|&(number, _)| number != op.number),
            OpKind::EventsLast => (op.number, op.bytes) = self.event.unwrap_or((0, 0)),
            OpKind::EventsPurge => self.event = None,
            OpKind::StatesPut => self.state_bytes = op.bytes,
            OpKind::StatesGet => op.bytes = self.state_bytes,
            OpKind::StatesPurge => self.state_bytes = 0,
            OpKind::MetadataPut => self.metadata_bytes = op.bytes,
            OpKind::MetadataGet => op.bytes = self.metadata_bytes,
            OpKind::MetadataPurge => self.metadata_bytes = 0,
            OpKind::EventsGet | OpKind::Open => {}
        }
    }
}

struct Generator<I> {
    /// Commands at time 0 that precede the source's.
    preload: Option<PreloadCommands>,
    source: WorkloadSource,
    actors: Names,
    newest: Vec<Newest>,
    arrival_times: I,
    options: GenerateOptions,
    commands: u64,
    ops: Vec<Op>,
}

impl<I: Iterator<Item = u64>> Generator<I> {
    fn new(workload: &Arc<Workload>, options: &GenerateOptions, arrival_times: I) -> Self {
        let content = PreloadContent::new(Arc::clone(workload));
        let actors = 0..workload.actor_count();
        let newest = match options.preload {
            Preload::AsPast => actors.map(|actor| Newest::after_preload(&content, actor)).collect(),
            Preload::AsCommands => actors.map(|_| Newest::default()).collect(),
        };
        Self {
            preload: (options.preload == Preload::AsCommands).then(|| PreloadCommands::new(content)),
            source: WorkloadSource::new(Arc::clone(workload), 0, 1),
            actors: Names::new(workload),
            newest,
            arrival_times,
            options: *options,
            commands: 0,
            ops: Vec::new(),
        }
    }

    /// The actor and the kind of the next command of the preload; `None` after its end.
    fn draw_preload(&mut self) -> Option<(u64, CommandKind)> {
        let actor = self.preload.as_mut()?.next(&mut self.ops);
        if actor.is_none() {
            self.preload = None;
        }
        Some((actor?, CommandKind::Persist))
    }

    /// The next command, with the workload's number of the actor.
    fn next(&mut self) -> Option<TraceCommand> {
        let (at_ns, (actor, kind)) = match self.draw_preload() {
            Some(command) => (0, command),
            None => (self.next_time()?, self.draw_with_operations()),
        };
        let actor = u32::try_from(actor).expect("a workload has fewer");
        for op in &mut self.ops {
            self.newest[actor as usize].complete(op);
        }
        Some(TraceCommand { at_ns, actor, kind })
    }

    fn draw_with_operations(&mut self) -> (u64, CommandKind) {
        loop {
            let planned = self.source.next(&mut self.ops);
            if !self.ops.is_empty() {
                return (planned.actor, planned.kind);
            }
        }
    }

    fn next_time(&mut self) -> Option<u64> {
        let at_ns = self.arrival_times.next()?;
        self.commands += 1;
        let is_due = match self.options.length {
            GenerateLength::Commands(commands) => self.commands <= commands,
            GenerateLength::Time(time) => u128::from(at_ns) < time.as_nanos(),
        };
        is_due.then_some(at_ns)
    }
}

struct Names {
    workload: Arc<Workload>,
    types: Vec<Arc<str>>,
}

impl Names {
    fn new(workload: &Arc<Workload>) -> Self {
        let types = workload.type_names().into_iter().map(Into::into).collect();
        Self { workload: Arc::clone(workload), types }
    }

    fn of(&self, actor: u32) -> TraceActor {
        let type_number = self.workload.place_of(actor.into()).type_number;
        let type_name = Arc::clone(&self.types[usize::try_from(type_number).expect("types are few")]);
        TraceActor { type_name, name: self.workload.actor(actor.into()).1.into_boxed_str() }
    }
}
