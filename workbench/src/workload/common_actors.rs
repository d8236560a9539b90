//! Actors that the transactions of all writers use.

use std::sync::Arc;

use parking_lot::{FairMutex, FairMutexGuard};

use super::population::Population;
use super::preload::PreloadContent;
use super::schema::Workload;
use crate::actor::{ActorLog, Command};
use ave_actors_rocksdb::trace::{CommandKind, Op};

/// The counters of the common actors of a workload with transactions. Each executes one command at a time, for the writers in
/// the order in which they ask.
///
/// What an actor has persisted depends on the number of its events alone, not on which writer issued which.
#[derive(Debug)]
pub(crate) struct CommonActors {
    content: PreloadContent,
    actors: Vec<CommonActor>,
}

#[derive(Debug)]
struct CommonActor {
    number: u64,
    events_before: u64,
    log: FairMutex<ActorLog>,
}

/// A common actor that executes a command.
pub(crate) struct Busy<'a> {
    content: &'a PreloadContent,
    actor: u64,
    population: &'a Population,
    log: FairMutexGuard<'a, ActorLog>,
}

impl CommonActors {
    /// As they are before the first command of `workload`, which may know of events that they have persisted.
    pub(crate) fn new(workload: &Arc<Workload>) -> Self {
        let content = PreloadContent::new(Arc::clone(workload));
        let actor = |number| CommonActor {
            number,
            events_before: content.events(number) - workload.common_events_of(workload.place_of(number)),
            log: FairMutex::new(content.log(number)),
        };
        let actors = workload.common_actors().map(actor).collect();
        Self { content, actors }
    }

    /// The numbers of the actors.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.actors.iter().map(|actor| actor.number)
    }

    /// Events that each has persisted since the preload.
    pub(crate) fn events(&self) -> Vec<u64> {
        self.actors.iter().map(|actor| actor.log.lock().next_event() - actor.events_before).collect()
    }

    /// Waits until the actor is free.
    pub(crate) fn lock(&self, place: usize) -> Busy<'_> {
        let CommonActor { number, log, .. } = &self.actors[place];
        let population = self.content.population(*number);
        Busy { content: &self.content, actor: *number, population, log: log.lock() }
    }
}

impl Busy<'_> {
    /// Appends the operations of its next command to `ops`. `events` reads the newest ones, and is a `persist` if there are none.
    pub(crate) fn expand(&mut self, kind: CommandKind, ops: &mut Vec<Op>) {
        let (first, next) = (self.log.compacted, self.log.next_event());
        let command = match kind {
            CommandKind::LastEvent => Command::LastEvent,
            CommandKind::Events if first < next => {
                let length = self.population.commands.query_length();
                Command::Events { from: next.saturating_sub(length).max(first), to: next - 1 }
            }
            _ => self.content.persist(self.actor, &self.log),
        };
        self.log.expand(self.population.rules(), command, ops);
    }
}
