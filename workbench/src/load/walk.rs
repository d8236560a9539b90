//! The commands of a source without a database: they alone determine what would be stored.

use std::collections::HashMap;

use super::drive::mark;
use super::source::{Source, Stream};
use super::verify::Expected;
use crate::workload::CommonActors;
use ave_actors_rocksdb::trace::Op;

/// The operations of one command, or a part of what an actor has stored before its first command.
#[derive(Debug)]
pub struct WalkStep<'a> {
    /// Number of the actor.
    pub actor: u64,
    /// Number of its actor type, from 0.
    pub actor_type: u32,
    /// Length of its name, bytes.
    pub name_bytes: u32,
    /// Whether they are a command; otherwise a part of the preload.
    pub is_command: bool,
    /// In the order of execution.
    pub ops: &'a [Op],
}

/// Most events of the preload in one step.
const EVENTS_PER_STEP: u64 = 1 << 12;

/// Goes through the preload, then draws the commands of all workers in turns.
#[derive(Debug)]
pub struct Walk {
    source: Source,
    streams: Vec<Option<Stream>>,
    /// The actors that are common to all workers.
    common: Option<CommonActors>,
    turn: usize,
    /// The actor of the first pass whose preload is next, and how many of its events are done.
    next_preload: (u64, u64),
    /// Type and length of the name of each actor of a pass, by number; empty where they follow from the number.
    actors: Vec<(u32, u32)>,
    /// Actors of later passes that have begun.
    begun: Vec<bool>,
    ops: Vec<Op>,
}

impl Source {
    /// Walks this source in the order in which `workers` workers issue it.
    pub fn walk(&self, workers: u64) -> Walk {
        let workers = workers.clamp(1, self.most_writers().max(1));
        Walk {
            source: self.clone(),
            common: self.common_actors(),
            streams: (0..workers).map(|number| Some(self.stream(number, workers))).collect(),
            turn: 0,
            next_preload: (0, 0),
            actors: self.known_actors(),
            begun: Vec::new(),
            ops: Vec::new(),
        }
    }

    /// The same without the preload: the commands alone.
    pub(super) fn walk_commands(&self, workers: u64) -> Walk {
        Walk { next_preload: (self.actors(), 0), ..self.walk(workers) }
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
}

impl Walk {
    /// The next step; `None` at the end of a finite source.
    pub fn step(&mut self) -> Option<WalkStep<'_>> {
        let (actor, is_command) = match self.draw_preload() {
            Some(actor) => (actor, false),
            None => (self.draw()?, true),
        };
        Some(self.step_of(actor, is_command))
    }

    /// The next step of the preload; `None` after its end.
    pub(crate) fn preload_step(&mut self) -> Option<WalkStep<'_>> {
        let actor = self.draw_preload()?;
        Some(self.step_of(actor, false))
    }

    fn draw_preload(&mut self) -> Option<u64> {
        self.ops.clear();
        while self.next_preload.0 < self.source.actors() {
            let (actor, done) = self.next_preload;
            let before = Expected::before(&self.source, actor, true);
            let end = done.saturating_add(EVENTS_PER_STEP);
            let (is_first, is_last) = (done == 0, end >= before.event_count());
            self.ops.extend(before.puts_at(done..end, is_first));
            self.next_preload = if is_last { (actor + 1, 0) } else { (actor, end) };
            if !self.ops.is_empty() {
                return Some(actor);
            }
        }
        None
    }

    /// The next command of the worker whose turn it is, or of another one if that has no more.
    fn draw(&mut self) -> Option<u64> {
        self.ops.clear();
        for _ in 0..self.streams.len() {
            let turn = self.turn;
            self.turn = (turn + 1) % self.streams.len();
            let Some(stream) = &mut self.streams[turn] else { continue };
            match stream.next(&mut self.ops) {
                Some(planned) => {
                    if let Some((common, place)) = self.common.as_ref().zip(planned.common) {
                        common.lock(place).expand(planned.kind, &mut self.ops);
                    }
                    self.begin(planned.actor);
                    return Some(planned.actor);
                }
                None => self.streams[turn] = None,
            }
        }
        None
    }

    /// An actor of a later pass writes its prehistory with its first command.
    fn begin(&mut self, actor: u64) {
        let Some(later) = actor.checked_sub(self.source.actors()).filter(|_| !self.actors.is_empty()) else { return };
        let place = usize::try_from(later).expect("actors fit in memory");
        if mark(&mut self.begun, place) {
            let command = std::mem::take(&mut self.ops);
            self.source.prehistory(actor, &mut self.ops);
            self.ops.extend(command);
        }
    }

    fn step_of(&self, actor: u64, is_command: bool) -> WalkStep<'_> {
        let (actor_type, name_bytes) = match &self.source {
            Source::Workload(workload) => {
                let place = workload.place_of(actor);
                let name_bytes = u32::try_from(place.population.actors.name_bytes).unwrap_or(u32::MAX);
                (u32::try_from(place.type_number).unwrap_or(u32::MAX), name_bytes)
            }
            Source::Trace { .. } => {
                let place = actor % self.source.actors();
                self.actors[usize::try_from(place).expect("below the number of actors")]
            }
        };
        WalkStep { actor, actor_type, name_bytes, is_command, ops: &self.ops }
    }
}
