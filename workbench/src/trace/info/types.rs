//! What the actors of each type do.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer};

use super::sizes::{SizeCounter, Sizes};
use crate::trace::builder::Trace;
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

/// One actor type of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeInfo {
    /// Its name.
    pub type_name: String,
    /// Distinct actors.
    pub actors_count: u64,
    /// Commands by kind.
    #[serde(serialize_with = "by_name")]
    pub commands_count: BTreeMap<CommandKind, u64>,
    /// Share of its `persist` commands that wrote the state, 0 to 1: 1 is light persistence.
    pub persists_with_state_ratio: f64,
    /// Sizes of the events that are written, within 1 %; `None` without any.
    pub event_sizes: Option<Sizes>,
    /// Sizes of the snapshots that are written, within 1 %; `None` without any.
    pub state_sizes: Option<Sizes>,
    /// Bytes of all values written.
    pub written_bytes: u64,
}

impl TypeInfo {
    /// Number of commands.
    pub fn commands(&self) -> u64 {
        self.commands_count.values().sum()
    }

    /// Number of commands of a kind.
    pub(crate) fn commands_of(&self, kind: CommandKind) -> u64 {
        self.commands_count.get(&kind).copied().unwrap_or(0)
    }
}

/// Counts the commands of each type.
pub(super) struct TypeCounter {
    /// The type of each actor.
    types: Vec<u32>,
    counts: Vec<Counts>,
}

struct Counts {
    type_name: String,
    actors: u64,
    commands: [u64; CommandKind::ALL.len()],
    persists_with_state: u64,
    events: SizeCounter,
    states: SizeCounter,
    written_bytes: u64,
}

impl TypeCounter {
    pub(super) fn new(trace: &Trace) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut counts: Vec<Counts> = Vec::new();
        let mut types = Vec::with_capacity(trace.actors().len());
        for actor in trace.actors() {
            let at = *numbers.entry(&actor.type_name).or_insert_with(|| {
                counts.push(Counts::new(&actor.type_name));
                counts.len() - 1
            });
            counts[at].actors += 1;
            types.push(u32::try_from(at).expect("fewer types than actors"));
        }
        Self { types, counts }
    }

    pub(super) fn record(&mut self, actor: u32, kind: CommandKind, ops: &[Op]) {
        let counts = &mut self.counts[self.types[actor as usize] as usize];
        counts.commands[kind.index()] += 1;
        let with_state = ops.iter().any(|op| op.kind == OpKind::StatesPut);
        counts.persists_with_state += u64::from(kind == CommandKind::Persist && with_state);
        for op in ops {
            counts.written_bytes += u64::from(op.written_bytes());
            match op.kind {
                OpKind::EventsPut => counts.events.record(op.bytes),
                OpKind::StatesPut => counts.states.record(op.bytes),
                _ => {}
            }
        }
    }

    /// The types, those that write most first.
    pub(super) fn finish(self) -> Vec<TypeInfo> {
        let mut found: Vec<_> = self.counts.into_iter().map(Counts::finish).collect();
        found.sort_by(|a, b| b.written_bytes.cmp(&a.written_bytes).then_with(|| a.type_name.cmp(&b.type_name)));
        found
    }
}

impl Counts {
    fn new(type_name: &str) -> Self {
        Self {
            type_name: type_name.to_owned(),
            actors: 0,
            commands: [0; CommandKind::ALL.len()],
            persists_with_state: 0,
            events: SizeCounter::coarse(),
            states: SizeCounter::coarse(),
            written_bytes: 0,
        }
    }

    fn finish(self) -> TypeInfo {
        let count = |kind: CommandKind| (kind, self.commands[kind.index()]);
        let persists = self.commands[CommandKind::Persist.index()];
        TypeInfo {
            type_name: self.type_name,
            actors_count: self.actors,
            commands_count: CommandKind::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect(),
            persists_with_state_ratio: self.persists_with_state as f64 / persists.max(1) as f64,
            event_sizes: self.events.finish(),
            state_sizes: self.states.finish(),
            written_bytes: self.written_bytes,
        }
    }
}

pub(super) fn by_name<K: ToString, S: Serializer>(counts: &BTreeMap<K, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(kind, count)| (kind.to_string(), count)))
}
