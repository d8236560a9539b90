//! The commands of a source without a database: what would be stored follows from them alone.

use std::collections::HashMap;

use crate::load::source::{Source, Stream};
use ave_actors_rocksdb::trace::{CommandKind, Op};

/// The operations of one command, or of what an actor brings with it.
#[derive(Debug)]
pub struct Step<'a> {
    /// Whose they are.
    pub actor: u64,
    /// The number of its actor type, from 0.
    pub actor_type: u32,
    /// Length of its name, bytes.
    pub name_bytes: u32,
    /// Whether they are a command; otherwise what was there before the actor's first one.
    pub is_command: bool,
    /// The operations, in order.
    pub ops: &'a [Op],
}

/// Draws the commands of all workers in turns, the preload first.
#[derive(Debug)]
pub struct Walk {
    source: Source,
    streams: Vec<Option<Stream>>,
    turn: usize,
    /// The next actor of the first pass that may have a past.
    past: u64,
    /// Type and length of the name of each actor of a pass, by number; empty where they follow from the number.
    actors: Vec<(u32, u32)>,
    /// Actors of later passes that have begun.
    begun: Vec<bool>,
    ops: Vec<Op>,
}

impl Source {
    /// Walks this source as so many workers issue it.
    pub fn walk(&self, workers: u64) -> Walk {
        let workers = workers.clamp(1, self.actors().max(1));
        Walk {
            source: self.clone(),
            streams: (0..workers).map(|number| Some(self.stream(number, workers))).collect(),
            turn: 0,
            past: 0,
            actors: self.known_actors(),
            begun: Vec::new(),
            ops: Vec::new(),
        }
    }

    fn known_actors(&self) -> Vec<(u32, u32)> {
        let Self::Trace { trace, .. } = self else { return Vec::new() };
        let mut types: HashMap<&str, u32> = HashMap::new();
        let known = trace.actors().iter().map(|actor| {
            let next = u32::try_from(types.len()).unwrap_or(u32::MAX);
            let name_bytes = u32::try_from(actor.name.len()).unwrap_or(u32::MAX);
            (*types.entry(&actor.type_name).or_insert(next), name_bytes)
        });
        known.collect()
    }

    /// Whether its commands ever delete what was stored.
    pub(crate) fn deletes(&self) -> bool {
        match self {
            Self::Workload(workload) => {
                workload.persistence.compact_on_snapshot || workload.commands.weight(CommandKind::Purge) > 0.0
            }
            Self::Trace { .. } => true,
        }
    }
}

impl Walk {
    /// The next step; `None` at the end of a finite source.
    pub fn step(&mut self) -> Option<Step<'_>> {
        self.ops.clear();
        while self.past < self.source.actors() && matches!(self.source, Source::Trace { .. }) {
            let actor = self.past;
            self.past += 1;
            self.source.prehistory(actor, &mut self.ops);
            if !self.ops.is_empty() {
                return Some(self.told(actor, false));
            }
        }
        let actor = self.draw()?;
        Some(self.told(actor, true))
    }

    /// The next command of the worker whose turn it is, of another one if it has no more.
    fn draw(&mut self) -> Option<u64> {
        for _ in 0..self.streams.len() {
            let turn = self.turn;
            self.turn = (turn + 1) % self.streams.len();
            let Some(stream) = &mut self.streams[turn] else { continue };
            match stream.next(&mut self.ops) {
                Some(planned) => {
                    self.begin(planned.actor);
                    return Some(planned.actor);
                }
                None => self.streams[turn] = None,
            }
        }
        None
    }

    /// An actor of a later pass brings its past with its first command.
    fn begin(&mut self, actor: u64) {
        let Some(later) = actor.checked_sub(self.source.actors()).filter(|_| !self.actors.is_empty()) else { return };
        let place = usize::try_from(later).expect("actors fit in memory");
        if place >= self.begun.len() {
            self.begun.resize(place + 1, false);
        }
        if !std::mem::replace(&mut self.begun[place], true) {
            let command = std::mem::take(&mut self.ops);
            self.source.prehistory(actor, &mut self.ops);
            self.ops.extend(command);
        }
    }

    fn told(&self, actor: u64, is_command: bool) -> Step<'_> {
        let (actor_type, name_bytes) = match &self.source {
            Source::Workload(workload) => {
                let actor_type = actor % u64::from(workload.actors.types);
                (
                    u32::try_from(actor_type).unwrap_or(u32::MAX),
                    u32::try_from(workload.actors.name_bytes).unwrap_or(u32::MAX),
                )
            }
            Source::Trace { .. } => {
                let place = actor % self.source.actors();
                self.actors[usize::try_from(place).expect("below the number of actors")]
            }
        };
        Step { actor, actor_type, name_bytes, is_command, ops: &self.ops }
    }
}
