//! A worker that starts its actors one after the other, as after a restart of the process.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::worker::{Shared, Worker};
use crate::actor::{ActorLog, Command, PersistenceRules, Strategy};
use crate::load::clock::Clock;
use crate::load::error::RunError;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::Expected;
use crate::measure::LatencyHistogram;
use crate::workload::{PreloadContent, mix};
use ave_actors_rocksdb::trace::{Op, OpKind};

/// What determines the operations of an actor's start, and what undoes them.
#[derive(Debug)]
pub(crate) struct History {
    log: ActorLog,
    /// What is stored. Events only where a start may delete them: a long log would take more memory than the database.
    stored: Expected,
    keeps_events: bool,
    pub(crate) written_bytes: u64,
}

/// An actor with a history, which may be a copy of another one's.
#[derive(Debug, Clone)]
pub(crate) struct RestartActor {
    pub(crate) actor: u64,
    /// The actor whose history it is: itself unless it is a copy.
    pub(crate) original: u64,
    pub(crate) history: Arc<History>,
}

impl History {
    /// Before the first command of an actor.
    fn new(source: &Source, actor: u64) -> Self {
        let keeps_events = rules(source, actor).compact_on_snapshot;
        let mut stored = Expected::before(source, actor, true);
        let written_bytes = stored.puts().map(|op| u64::from(op.bytes)).sum();
        let log = match source {
            Source::Workload(workload) => PreloadContent::new(Arc::clone(workload)).log(actor),
            Source::Trace { .. } => {
                let mut log = ActorLog::default();
                stored.puts().for_each(|op| log.follow(op));
                log
            }
        };
        if !keeps_events {
            stored.events.clear();
        }
        Self { log, stored, keeps_events, written_bytes }
    }

    fn is_empty(&self) -> bool {
        self.written_bytes == 0
    }

    fn follow(&mut self, ops: &[Op]) {
        for &op in ops {
            self.log.follow(op);
            if self.keeps_events || op.kind != OpKind::EventsPut {
                self.stored.apply(op, true);
            }
            self.written_bytes += u64::from(op.written_bytes());
        }
    }

    /// The operations of a start: `recover`, with the snapshot and the deletions that may end it. The snapshot is as large as
    /// the stored one.
    fn start(&self, source: &Source, actor: u64) -> Vec<Op> {
        let rules = rules(source, actor);
        let there = self.stored.state.map(|state| state.bytes.saturating_sub(rules.state_overhead()));
        let state_bytes = there.unwrap_or_else(|| first_state_bytes(source, actor, self.log.next_event()));
        let (mut log, mut ops) = (self.log, Vec::new());
        log.expand(rules, Command::Recover { state_bytes }, &mut ops);
        // A recording may have lost events.
        let may_miss = matches!(source, Source::Trace { .. });
        ops.iter_mut().filter(|op| op.kind == OpKind::EventsGet).for_each(|op| op.may_miss = may_miss);
        ops
    }
}

/// A trace does not contain how its actors persist. A start is assumed to delete the events that its snapshot covers if the
/// trace deletes any.
fn rules(source: &Source, actor: u64) -> PersistenceRules {
    match source {
        Source::Workload(workload) => workload.place_of(actor).population.rules(),
        Source::Trace { trace, .. } => PersistenceRules {
            strategy: Strategy::Full { snapshot_every: None },
            compact_on_snapshot: trace.operations_of(OpKind::EventsDel) > 0,
            encrypted: false,
        },
    }
}

/// Serialised state of an actor with so many events that has written none, bytes; 0 for a trace, in which it is unknown.
fn first_state_bytes(source: &Source, actor: u64, events: u64) -> u32 {
    match source {
        Source::Workload(workload) => {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(mix(workload.seed, actor, 0, 0));
            workload.place_of(actor).population.state_bytes(&workload.populations, events, &mut rng)
        }
        Source::Trace { .. } => 0,
    }
}

impl<T: Target> Worker<T> {
    /// Its actors that have stored something or issued commands, by number. `source` knows what the common actors have persisted.
    pub(crate) fn restart_actors(&self, source: &Source) -> Vec<RestartActor> {
        let mut stream = self.source.stream(self.number, self.workers);
        let of_first_pass = source.actors_of(self.number, self.workers);
        let before = of_first_pass.map(|actor| (actor, History::new(source, actor)));
        let mut histories: BTreeMap<u64, History> = before.filter(|(_, history)| !history.is_empty()).collect();
        let mut ops = Vec::new();
        for _ in 0..self.completed {
            let Some(planned) = stream.next(&mut ops) else { break };
            if planned.common.is_none() {
                histories.entry(planned.actor).or_insert_with(|| History::new(source, planned.actor)).follow(&ops);
            }
        }
        histories
            .into_iter()
            .map(|(actor, history)| RestartActor { actor, original: actor, history: Arc::new(history) })
            .collect()
    }

    /// Stores the preload of its actors for each actor of the population, and repeats all writes of their commands, in the
    /// same order, overwritten and deleted entries included, which a database keeps for a while.
    pub(crate) fn populate(
        &mut self,
        commands: u64,
        actors: &[RestartActor],
        shared: &Shared<'_, T>,
    ) -> Result<(), RunError> {
        let mut copies: HashMap<u64, Vec<u64>> = HashMap::new();
        for one in actors {
            copies.entry(one.original).or_default().push(one.actor);
            self.open(one.actor, shared)?;
            if one.original < self.source.actors() {
                for op in Expected::before(&self.source, one.original, true).puts() {
                    self.execute(one.actor, op, shared)?;
                }
            }
        }
        let mut stream = self.source.stream(self.number, self.workers);
        let (mut ops, mut begun) = (Vec::new(), HashSet::new());
        for _ in 0..commands {
            let Some(planned) = stream.next(&mut ops).filter(|_| !shared.control.is_stopped()) else { break };
            let is_first = planned.actor >= self.source.actors() && begun.insert(planned.actor);
            let mut changes = self.source.steps(planned.actor, is_first, &ops);
            changes.retain(|op| op.kind.changes());
            if changes.is_empty() {
                continue;
            }
            for &copy in copies.get(&planned.actor).into_iter().flatten() {
                for &op in &changes {
                    self.execute(copy, op, shared)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn recover(
        &mut self,
        actors: &[RestartActor],
        clock: &impl Clock,
        shared: &Shared<'_, T>,
    ) -> Result<LatencyHistogram, RunError> {
        let mut took = LatencyHistogram::new();
        for RestartActor { actor, history, .. } in actors.iter().take_while(|_| !shared.control.is_stopped()) {
            let ops = history.start(&self.source, *actor);
            let began_ns = clock.now_ns();
            for op in ops {
                self.execute(*actor, op, shared)?;
            }
            took.record(clock.now_ns() - began_ns);
        }
        Ok(took)
    }

    /// Undoes the writes of starts, on which later commands do not build.
    pub(crate) fn undo_recover(&mut self, actors: &[RestartActor], shared: &Shared<'_, T>) -> Result<(), RunError> {
        for RestartActor { actor, history, .. } in actors {
            let undo = history.stored.undo(&history.start(&self.source, *actor));
            if undo.is_empty() {
                continue;
            }
            self.open(*actor, shared)?;
            for op in undo {
                self.execute(*actor, op, shared)?;
            }
        }
        Ok(())
    }
}
