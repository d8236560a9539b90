//! A trace in memory or in a temporary file, and how it is put together.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::command::{TraceActor, TraceCommand};
use super::content::{Content, ContentWriter, MEMORY_BYTES};
use super::error::TraceError;
use super::history::{ActorHistory, Prehistory};
use super::packed::ChunkReader;
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

/// The commands of a trace, which can be read any number of times.
///
/// Memory: its actors with their names, about 200 bytes each, and up to 64 MiB of commands; more commands are kept in a
/// temporary file.
#[derive(Debug, Default)]
pub struct Trace {
    /// Source and assumptions, from the first line of the file.
    pub provenance: Provenance,
    actors: Vec<TraceActor>,
    counts: Counts,
    /// Of the actors that have one, by their numbers.
    prehistory: Vec<(u32, Prehistory)>,
    pub(super) content: Content,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    commands: [u64; CommandKind::ALL.len()],
    operations: [u64; OpKind::ALL.len()],
    duration_ns: u64,
    longest_value: u32,
    event_bytes: u64,
    types: usize,
    dropped: u64,
}

impl Trace {
    /// All actors, in the order of their first commands.
    pub fn actors(&self) -> &[TraceActor] {
        &self.actors
    }

    /// Calls `visit` for every command with its operations, in order of time.
    ///
    /// # Errors
    ///
    /// If the temporary file of a long trace cannot be read.
    pub fn for_each_command(&self, mut visit: impl FnMut(TraceCommand, &[Op])) -> io::Result<()> {
        self.try_for_each_command(|command, ops| {
            visit(command, ops);
            Ok(())
        })
    }

    /// The same until `visit` fails.
    pub(super) fn try_for_each_command<E: From<io::Error>>(
        &self,
        mut visit: impl FnMut(TraceCommand, &[Op]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut buffer, mut ops) = (Vec::new(), Vec::new());
        for chunk in 0..self.content.chunk_count() {
            let bytes = self.content.chunk(chunk, &mut buffer)?;
            let mut reader = ChunkReader::default();
            while let Some(command) = reader.next(bytes, &mut ops, |_| true) {
                visit(command, &ops)?;
                ops.clear();
            }
        }
        Ok(())
    }

    /// Number of commands.
    pub fn command_count(&self) -> u64 {
        self.counts.commands.iter().sum()
    }

    /// Number of commands of a kind.
    pub const fn commands_of(&self, kind: CommandKind) -> u64 {
        self.counts.commands[kind.index()]
    }

    /// Number of storage operations.
    pub fn operation_count(&self) -> u64 {
        self.counts.operations.iter().sum()
    }

    pub(crate) const fn operations_of(&self, kind: OpKind) -> u64 {
        self.counts.operations[kind.index()]
    }

    /// Operations that the recorder had to drop.
    pub const fn dropped_count(&self) -> u64 {
        self.counts.dropped
    }

    /// Time of the last command, nanoseconds from the start.
    pub const fn duration_ns(&self) -> u64 {
        self.counts.duration_ns
    }

    /// Mean rate: the times between its commands, which are one less than these, over their sum. `None` if all commands came
    /// at once.
    pub fn commands_per_second(&self) -> Option<f64> {
        let seconds = self.duration_ns() as f64 / 1e9;
        (seconds > 0.0).then(|| self.command_count().saturating_sub(1) as f64 / seconds)
    }

    /// The kinds of commands in it, in report order.
    pub fn kinds(&self) -> Vec<CommandKind> {
        CommandKind::ALL.into_iter().filter(|&kind| self.commands_of(kind) > 0).collect()
    }

    pub(crate) const fn type_count(&self) -> usize {
        self.counts.types
    }

    /// Longest value that is read or written, its prehistory included, in bytes.
    pub(crate) const fn longest_value(&self) -> u32 {
        self.counts.longest_value
    }

    /// Actors that had stored something before the trace began: they read it, or their first event is not number 0.
    pub fn actors_with_prehistory(&self) -> u64 {
        self.prehistory.len() as u64
    }

    /// Events that were stored before the trace began: all before an actor's first one, or, where the trace deletes events,
    /// those that it reads or deletes. A replay stores those that are read or deleted.
    pub fn prehistory_events(&self) -> u64 {
        self.prehistory.iter().fold(0, |sum, (_, before)| sum.saturating_add(before.stored_events))
    }

    /// Appends to `ops` the operations that write what an actor must have stored before a replay. Events of unknown length
    /// get the mean length of the trace's events.
    ///
    /// # Panics
    ///
    /// If there is no such actor.
    pub fn prehistory(&self, actor: u32, ops: &mut Vec<Op>) {
        assert!((actor as usize) < self.actors.len(), "actor {actor} of {}", self.actors.len());
        let Ok(place) = self.prehistory.binary_search_by_key(&actor, |(actor, _)| *actor) else { return };
        let (_, before) = &self.prehistory[place];
        let mean = self.counts.event_bytes.checked_div(self.operations_of(OpKind::EventsPut));
        before.expand(mean.and_then(|mean| u32::try_from(mean).ok()).unwrap_or(UNKNOWN_EVENT_BYTES), ops);
    }
}

const UNKNOWN_EVENT_BYTES: u32 = 256;

/// Assembles a trace, command by command.
///
/// ```
/// use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};
/// use ave_workbench::trace::TraceBuilder;
///
/// let mut builder = TraceBuilder::new(Provenance::default());
/// let actor = builder.actor("account", "alice");
/// builder.command(0, actor, CommandKind::Persist, &mut [Op::new(OpKind::EventsPut, 0, 120)])?;
/// builder.command(1_000_000, actor, CommandKind::LastEvent, &mut [Op::new(OpKind::EventsLast, 0, 0)])?;
/// let trace = builder.finish()?;
/// assert_eq!((trace.command_count(), trace.duration_ns()), (2, 1_000_000));
/// # Ok::<(), ave_workbench::trace::TraceError>(())
/// ```
#[derive(Debug)]
pub struct TraceBuilder {
    trace: Trace,
    types: Vec<Arc<str>>,
    /// Numbers of the actors, by type and name.
    numbers: HashTable<u32>,
    hasher: RandomState,
    histories: Vec<ActorHistory>,
    content: ContentWriter,
    /// Time of the first command, from which times count; 0 in a shard, whose times count from that of the whole trace.
    first_ns: Option<u64>,
}

impl TraceBuilder {
    /// A trace without commands. A long one is kept in the system's directory for temporary files.
    pub fn new(provenance: Provenance) -> Self {
        Self::in_directory(provenance, &std::env::temp_dir(), MEMORY_BYTES)
    }

    /// A trace without commands. More than `memory_bytes` of them go to a temporary file in `directory`.
    pub(super) fn in_directory(provenance: Provenance, directory: &Path, memory_bytes: usize) -> Self {
        // The shards of a trace begin at the same time, that of its first command.
        let first_ns = provenance.shard.as_ref().map(|_| 0);
        Self {
            trace: Trace { provenance, ..Trace::default() },
            types: Vec::new(),
            numbers: HashTable::new(),
            hasher: RandomState::new(),
            histories: Vec::new(),
            content: ContentWriter::new(directory, memory_bytes),
            first_ns,
        }
    }

    /// The number of an actor; a new one if the actor is new.
    ///
    /// # Panics
    ///
    /// If there are 2^32 others.
    pub fn actor(&mut self, type_name: &str, name: &str) -> u32 {
        // There are few types: a linear search is fast.
        let index = self.types.iter().position(|known| **known == *type_name).unwrap_or_else(|| {
            self.types.push(type_name.into());
            self.types.len() - 1
        });
        let (type_name, actors, hasher) = (&self.types[index], &mut self.trace.actors, &self.hasher);
        let hash = |type_name: &Arc<str>, name: &str| hasher.hash_one((Arc::as_ptr(type_name).addr(), name));
        let is_same = |actor: &TraceActor| *actor.name == *name && Arc::ptr_eq(&actor.type_name, type_name);
        let known = self.numbers.entry(
            hash(type_name, name),
            |&number| is_same(&actors[number as usize]),
            |&number| hash(&actors[number as usize].type_name, &actors[number as usize].name),
        );
        let free = match known {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(free) => free,
        };
        let number = u32::try_from(actors.len()).expect("fewer than 2^32 actors");
        free.insert(number);
        actors.push(TraceActor { type_name: Arc::clone(type_name), name: name.into() });
        self.histories.push(ActorHistory::default());
        number
    }

    /// Appends a command of actor number `actor`. Numbers of states and metadata, and whether a read may miss, are filled
    /// in.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the temporary file of a long trace cannot be written.
    ///
    /// # Panics
    ///
    /// If there is no such actor, or if the command is earlier than the one before.
    pub fn command(&mut self, at_ns: u64, actor: u32, kind: CommandKind, ops: &mut [Op]) -> Result<(), TraceError> {
        let at_ns = at_ns - *self.first_ns.get_or_insert(at_ns);
        let Trace { counts, provenance, .. } = &mut self.trace;
        assert!(at_ns >= counts.duration_ns, "commands come in order of time");
        let history = &mut self.histories[actor as usize];
        for op in &mut *ops {
            history.complete(op, provenance.reads_say_bytes());
            counts.operations[op.kind.index()] += 1;
            counts.longest_value = counts.longest_value.max(op.bytes);
            if op.kind == OpKind::EventsPut {
                counts.event_bytes += u64::from(op.bytes);
            }
        }
        counts.commands[kind.index()] += 1;
        counts.duration_ns = at_ns;
        self.content.push(TraceCommand { at_ns, actor, kind }, ops)
    }

    pub(super) const fn dropped(&mut self, count: u64) {
        self.trace.counts.dropped += count;
    }

    pub(super) const fn provenance(&self) -> &Provenance {
        &self.trace.provenance
    }

    pub(super) fn assume(&mut self, assumption: String) {
        self.trace.provenance.assumptions.push(assumption);
    }

    /// Continues with the next part of a recording; false if it is none.
    pub(super) fn continue_with(&mut self, next: Provenance) -> bool {
        let continues = self.trace.provenance.continues(&next);
        if continues {
            self.trace.provenance.recording = next.recording;
        }
        continues
    }

    /// The trace.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the temporary file of a long trace cannot be written.
    pub fn finish(mut self) -> Result<Trace, TraceError> {
        let keeps_all = self.trace.operations_of(OpKind::EventsDel) == 0;
        drop(self.numbers);
        let histories = (0..).zip(self.histories);
        let before = histories.filter_map(|(actor, history)| Some((actor, history.finish(keeps_all)?)));
        self.trace.prehistory = before.collect();
        self.trace.counts.types = self.types.len();
        self.trace.counts.longest_value = self.trace.counts.longest_value.max(UNKNOWN_EVENT_BYTES);
        self.trace.content = self.content.finish()?;
        Ok(self.trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands_of(trace: &Trace) -> Vec<(TraceCommand, Vec<Op>)> {
        let mut found = Vec::new();
        trace.for_each_command(|command, ops| found.push((command, ops.to_vec()))).unwrap();
        found
    }

    #[test]
    fn a_long_trace_in_a_file_is_the_same_as_one_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let build = |memory_bytes| {
            let mut builder = TraceBuilder::in_directory(Provenance::default(), directory.path(), memory_bytes);
            let actors = [builder.actor("a", "one"), builder.actor("a", "two"), builder.actor("b", "one")];
            for n in 0..200_000_u32 {
                let mut ops = [Op::new(OpKind::EventsPut, u64::from(n), n % 500), Op::new(OpKind::StatesPut, 0, 900)];
                let at_ns = 7_000 + u64::from(n) * 1_000;
                builder.command(at_ns, actors[n as usize % 3], CommandKind::Persist, &mut ops).unwrap();
            }
            builder.finish().unwrap()
        };
        let (in_memory, in_file) = (build(usize::MAX), build(1 << 20));
        assert!(matches!(in_file.content, Content::File { .. }) && in_file.content.chunk_count() > 4);
        assert!(matches!(in_memory.content, Content::Memory(_)));
        let commands = commands_of(&in_memory);
        assert_eq!(commands.len(), 200_000);
        assert_eq!(commands, commands_of(&in_file));
        assert_eq!(commands[0].0.at_ns, 0, "times count from the first command");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");
    }
}
