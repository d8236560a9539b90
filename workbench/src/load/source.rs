//! Where commands come from: a workload or a trace.

use std::sync::Arc;

use super::spec::Load;
use crate::trace::{Trace, TraceSource};
use crate::workload::{ActorNames, Arrivals, Planned, ValuePool, Workload, WorkloadSource};
use ave_actors_rocksdb::trace::{CommandKind, Op};

/// A workload or a trace to replay.
#[derive(Debug, Clone)]
pub enum Source {
    /// A workload, which is generated from its seed without end.
    Workload(Arc<Workload>),
    /// A trace.
    Trace {
        /// The records.
        trace: Arc<Trace>,
        /// Seed of the values, which a trace does not contain.
        seed: u64,
        /// How often it is repeated, each time with its own actors; `None` is without end.
        passes: Option<u64>,
    },
}

impl Source {
    /// Name of the workload or trace.
    pub fn name(&self) -> &str {
        match self {
            Self::Workload(workload) => &workload.name,
            Self::Trace { trace, .. } => &trace.provenance.name,
        }
    }

    /// Seed of everything random.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.seed,
            Self::Trace { seed, .. } => *seed,
        }
    }

    /// Distinct actors (of one pass).
    pub fn actors(&self) -> u64 {
        match self {
            Self::Workload(workload) => u64::from(workload.actors.count),
            Self::Trace { trace, .. } => trace.actors().len() as u64,
        }
    }

    /// Actor types that take turns in the numbers of its actors; 1 if they do not.
    pub(super) fn types(&self) -> u32 {
        match self {
            Self::Workload(workload) => workload.actors.types.max(1),
            Self::Trace { .. } => 1,
        }
    }

    /// The commands it issues, in report order.
    pub fn kinds(&self) -> Vec<CommandKind> {
        match self {
            Self::Workload(workload) => workload.commands.kinds(),
            Self::Trace { trace, .. } => trace.kinds(),
        }
    }

    /// Share of its commands that are of this kind, `0.0 ..= 1.0`.
    pub fn share(&self, kind: CommandKind) -> f64 {
        match self {
            Self::Workload(workload) => workload.commands.share(kind),
            Self::Trace { trace, .. } => trace.commands_of(kind) as f64 / trace.command_count().max(1) as f64,
        }
    }

    pub(crate) fn most_frequent(&self) -> CommandKind {
        let kinds = self.kinds().into_iter();
        kinds.max_by(|&a, &b| self.share(a).total_cmp(&self.share(b))).unwrap_or(CommandKind::Persist)
    }

    /// How its commands are spaced when they are offered at a rate. A trace's own rhythm is lost at another rate.
    pub fn arrivals(&self) -> Arrivals {
        match self {
            Self::Workload(workload) => workload.arrivals,
            Self::Trace { .. } => Arrivals::Poisson,
        }
    }

    /// Whether it ends by itself.
    pub const fn is_finite(&self) -> bool {
        matches!(self, Self::Trace { passes: Some(_), .. })
    }

    /// The same, a trace repeated this often; `None` is without end.
    pub(crate) fn with_passes(&self, passes: Option<u64>) -> Self {
        match self {
            Self::Workload(_) => self.clone(),
            Self::Trace { trace, seed, .. } => Self::Trace { trace: Arc::clone(trace), seed: *seed, passes },
        }
    }

    /// The same with other values, and, of a workload, other commands.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        match self {
            Self::Workload(workload) => Self::Workload(Arc::new(Workload { seed, ..(**workload).clone() })),
            Self::Trace { trace, passes, .. } => Self::Trace { trace: Arc::clone(trace), seed, passes: *passes },
        }
    }

    /// The same, a workload with at most this many events per actor in its preload.
    pub(super) fn with_preload(&self, most_events: u64) -> Self {
        let Self::Workload(workload) = self else { return self.clone() };
        let mut workload = (**workload).clone();
        workload.preload.events_per_actor = workload.preload.events_per_actor.min(most_events);
        Self::Workload(Arc::new(workload))
    }

    /// The actors of the first pass that belong to worker `worker` of `workers`.
    pub(super) fn actors_of(&self, worker: u64, workers: u64) -> impl Iterator<Item = u64> + use<> {
        (worker..self.actors()).step_by(usize::try_from(workers).unwrap_or(1))
    }

    /// Mean commands per second that a load of this source offers; `None` in a closed loop. Of a trace at its own times it is
    /// the mean over its length.
    pub fn offered_per_second(&self, load: Load) -> Option<f64> {
        match (load, self) {
            (Load::TraceTimes { speed }, Self::Trace { trace, .. }) => {
                let seconds = trace.duration_ns() as f64 / 1e9 / speed;
                (seconds > 0.0).then(|| trace.command_count() as f64 / seconds)
            }
            _ => load.mean_per_second(),
        }
    }

    /// Steps of the preload: a workload's commands, or a trace's actors with a prehistory.
    pub(crate) fn preload_steps(&self) -> u64 {
        match self {
            Self::Workload(_) => self.preload_commands(),
            Self::Trace { trace, .. } => trace.actors_with_prehistory(),
        }
    }

    /// Bytes of values in the preload, estimated from its first 1,000 steps.
    pub(crate) fn preload_bytes(&self) -> u64 {
        const SAMPLE: u64 = 1_000;
        let steps = self.preload_steps();
        let (mut ops, mut written) = (Vec::new(), 0);
        let sampled = steps.min(SAMPLE);
        let mut stream = self.stream(0, 1);
        for step in 0..sampled {
            ops.clear();
            match self {
                Self::Workload(_) => drop(stream.next(&mut ops)),
                Self::Trace { .. } => self.prehistory(step, &mut ops),
            }
            written += ops.iter().map(|op| u64::from(op.written_bytes())).sum::<u64>();
        }
        written * steps / sampled.max(1)
    }

    pub(crate) fn type_count(&self) -> u64 {
        match self {
            Self::Workload(workload) => u64::from(workload.actors.types),
            Self::Trace { trace, .. } => trace.type_count() as u64,
        }
    }

    /// Mean length of an actor's name, bytes.
    pub(crate) fn mean_name_bytes(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.actors.name_bytes as u64,
            Self::Trace { trace, .. } => {
                let bytes: usize = trace.actors().iter().map(|actor| actor.name.len()).sum();
                (bytes / trace.actors().len().max(1)) as u64
            }
        }
    }

    /// Commands of the preload, at the beginning of the stream.
    pub(crate) fn preload_commands(&self) -> u64 {
        match self {
            Self::Workload(workload) => u64::from(workload.actors.count) * workload.preload.events_per_actor,
            Self::Trace { .. } => 0,
        }
    }

    /// Appends to `ops` the writes of what an actor must have stored before its first command.
    pub(super) fn prehistory(&self, actor: u64, ops: &mut Vec<Op>) {
        if let Self::Trace { trace, .. } = self {
            let place = actor % trace.actors().len() as u64;
            trace.prehistory(u32::try_from(place).expect("a trace has fewer than 2^32 actors"), ops);
        }
    }

    /// The operations of a command; an actor's first command is preceded by its prehistory.
    pub(super) fn steps(&self, actor: u64, is_first: bool, ops: &[Op]) -> Vec<Op> {
        let mut steps = Vec::new();
        if is_first {
            self.prehistory(actor, &mut steps);
        }
        steps.extend_from_slice(ops);
        steps
    }

    /// Whether its commands may delete what was stored.
    pub(crate) fn deletes(&self) -> bool {
        match self {
            Self::Workload(workload) => {
                workload.persistence.compact_on_snapshot || workload.commands.weight(CommandKind::Purge) > 0.0
            }
            Self::Trace { .. } => true,
        }
    }

    pub(super) fn value_pool(&self) -> ValuePool {
        match self {
            Self::Workload(workload) => {
                let longest = workload.event_bytes.max_bytes().max(workload.state_bytes.max_bytes());
                // The store adds a counter to the state and may encrypt: see `actor::PersistenceRules`.
                ValuePool::new(workload.seed, workload.stored_compressibility(), longest + 64)
            }
            Self::Trace { trace, seed, .. } => {
                ValuePool::new(*seed, trace.provenance.compressibility, trace.longest_value())
            }
        }
    }

    pub(super) fn stream(&self, worker: u64, workers: u64) -> Stream {
        match self {
            Self::Workload(workload) => Stream::Workload(WorkloadSource::new(Arc::clone(workload), worker, workers)),
            Self::Trace { trace, passes, .. } => {
                Stream::Trace(TraceSource::new(Arc::clone(trace), worker, workers, *passes))
            }
        }
    }

    pub(super) fn actor(&self, actor: u64) -> (String, String) {
        match self {
            Self::Workload(workload) => {
                let names = ActorNames::new(workload.seed, workload.actors.name_bytes);
                let type_number = actor % u64::from(workload.actors.types);
                (format!("{}{type_number}", workload.name), names.name(actor))
            }
            Self::Trace { trace, .. } => {
                let count = trace.actors().len() as u64;
                let place = usize::try_from(actor % count).expect("below the number of actors");
                let known = &trace.actors()[place];
                match actor / count {
                    0 => (known.type_name.to_string(), known.name.to_string()),
                    pass => (known.type_name.to_string(), format!("{}-{pass}", known.name)),
                }
            }
        }
    }
}

#[derive(Debug)]
pub(super) enum Stream {
    Workload(WorkloadSource),
    Trace(TraceSource),
}

impl Stream {
    /// The next command and, in `ops`, its operations; `None` at the end.
    pub(super) fn next(&mut self, ops: &mut Vec<Op>) -> Option<Planned> {
        match self {
            Self::Workload(source) => Some(source.next(ops)),
            Self::Trace(source) => source.next(ops),
        }
    }

    pub(super) const fn preload_left(&self) -> u64 {
        match self {
            Self::Workload(source) => source.preload_left(),
            Self::Trace(_) => 0,
        }
    }
}
