//! Where commands come from: a workload or a trace.

use std::sync::Arc;
use std::time::Duration;

use super::error::RunError;
use super::requests::RequestKind;
use super::spec::Load;
use crate::trace::{Trace, TraceSource};
use crate::units;
use crate::workload::{
    Arrivals, CommonActors, Planned, PoolOf, Population, Preload, PreloadContent, Transaction, ValuePool, Workload,
    WorkloadSource, share_of_worker,
};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

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
            Self::Workload(workload) => workload.actor_count(),
            Self::Trace { trace, .. } => trace.actors().len() as u64,
        }
    }

    /// Most writers: an actor, or the subject of a transaction, has one at a time.
    pub fn most_writers(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.most_writers(),
            Self::Trace { .. } => self.actors(),
        }
    }

    /// The commands it issues, and the transactions that they belong to, in report order.
    pub(crate) fn requests(&self) -> Vec<RequestKind> {
        let commands = self.kinds().into_iter().map(RequestKind::Command);
        commands.chain((0..self.transactions().len()).map(RequestKind::Transaction)).collect()
    }

    /// The actors that are common to all workers, if its commands belong to transactions.
    pub(super) fn common_actors(&self) -> Option<CommonActors> {
        let Self::Workload(workload) = self else { return None };
        (!self.transactions().is_empty()).then(|| CommonActors::new(workload))
    }

    /// The same after its common actors have persisted so many events each.
    pub(super) fn with_common_events(&self, events: &[u64]) -> Self {
        match self {
            Self::Workload(workload) if !workload.transactions.is_empty() => {
                Self::Workload(Arc::new(workload.with_common_events(events.to_vec())))
            }
            _ => self.clone(),
        }
    }

    /// Commands that begin together when they are offered at a rate, on average: those of a transaction, or 1.
    pub(crate) fn commands_per_arrival(&self) -> f64 {
        match self {
            Self::Workload(workload) => workload.commands_per_arrival(),
            Self::Trace { .. } => 1.0,
        }
    }

    /// The commands it issues, in report order.
    pub fn kinds(&self) -> Vec<CommandKind> {
        match self {
            Self::Workload(workload) => workload.kinds(),
            Self::Trace { trace, .. } => trace.kinds(),
        }
    }

    /// The storage operations that its commands may expand to.
    pub(super) fn operations(&self) -> Vec<OpKind> {
        use OpKind::{
            EventsDel, EventsGet, EventsLast, EventsPurge, EventsPut, MetadataGet, MetadataPurge, MetadataPut, Open,
            StatesGet, StatesPurge, StatesPut,
        };
        let workload = match self {
            Self::Workload(workload) => workload,
            Self::Trace { trace, .. } => {
                return OpKind::ALL.into_iter().filter(|&kind| trace.operations_of(kind) > 0).collect();
            }
        };
        let mut operations = Vec::new();
        for kind in self.kinds() {
            operations.extend_from_slice(match kind {
                CommandKind::Persist => &[EventsPut, StatesPut, MetadataPut],
                CommandKind::Snapshot => &[StatesGet, EventsGet, StatesPut, MetadataPut],
                CommandKind::Recover => &[Open, EventsLast, StatesGet, MetadataGet, EventsGet, StatesPut, MetadataPut],
                CommandKind::Events => &[EventsGet],
                CommandKind::LastEvent => &[EventsLast],
                CommandKind::Purge => &[EventsPurge, StatesPurge, MetadataPurge],
            });
        }
        if workload.populations.iter().any(|population| population.persistence.compact_on_snapshot) {
            operations.push(EventsDel);
        }
        operations.sort_unstable_by_key(|operation| operation.index());
        operations.dedup();
        operations
    }

    /// Share of its commands that are of this kind, `0.0 ..= 1.0`.
    pub fn share(&self, kind: CommandKind) -> f64 {
        match self {
            Self::Workload(workload) => workload.share(kind),
            Self::Trace { trace, .. } => trace.commands_of(kind) as f64 / trace.command_count().max(1) as f64,
        }
    }

    /// The transaction that begins most often, or else the most frequent command.
    pub(crate) fn most_frequent_request(&self) -> RequestKind {
        let mut requests = self.requests();
        if !self.transactions().is_empty() {
            requests.retain(|request| matches!(request, RequestKind::Transaction(_)));
        }
        let most = requests.into_iter().max_by(|&a, &b| self.per_command(a).total_cmp(&self.per_command(b)));
        most.unwrap_or(RequestKind::Command(CommandKind::Persist))
    }

    /// Its transactions; none of a trace.
    pub(crate) fn transactions(&self) -> &[Transaction] {
        match self {
            Self::Workload(workload) => &workload.transactions,
            Self::Trace { .. } => &[],
        }
    }

    /// Name of a command or transaction.
    pub(crate) fn request_name(&self, request: RequestKind) -> &str {
        match request {
            RequestKind::Command(kind) => kind.name(),
            RequestKind::Transaction(number) => self.transactions().get(number).map_or("", |one| &one.name),
        }
    }

    /// The request with such a name.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that lists what is issued; `what` is `a rate of …` or the like.
    pub(super) fn request_named(&self, is_named: impl Fn(&str) -> bool, what: &str) -> Result<RequestKind, RunError> {
        let requests = self.requests();
        let found = requests.iter().find(|&&request| is_named(self.request_name(request)));
        found.copied().ok_or_else(|| {
            let issued: Vec<_> = requests.iter().map(|&request| self.request_name(request)).collect();
            RunError::Settings(format!("{what}, which `{}` never issues; it issues {}", self.name(), issued.join(", ")))
        })
    }

    /// How many requests of this kind there are for each command, 0 to 1.
    pub(crate) fn per_command(&self, request: RequestKind) -> f64 {
        match request {
            RequestKind::Command(kind) => self.share(kind),
            RequestKind::Transaction(number) => {
                let all: f64 = self.transactions().iter().map(|one| one.weight).sum();
                let weight = self.transactions().get(number).map_or(0.0, |one| one.weight);
                weight / all / self.commands_per_arrival()
            }
        }
    }

    /// How its commands are spaced when they are offered at a rate. A trace's own rhythm is lost at another rate.
    pub fn arrivals(&self) -> Arrivals {
        match self {
            Self::Workload(workload) => workload.arrivals,
            Self::Trace { .. } => Arrivals::Poisson,
        }
    }

    /// What users must know of a trace that is repeated: its actors are new ones each time.
    pub(crate) fn repetition(&self) -> Option<String> {
        let Self::Trace { trace, passes: None, .. } = self else { return None };
        Some(format!(
            "the trace has {}; at its end it is repeated with new actors, for as long as is measured",
            units::counted(trace.command_count(), "command")
        ))
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
        for population in &mut workload.populations {
            let events_per_actor = population.preload.events_per_actor.min(most_events);
            population.preload = Preload { events_per_actor, events_by_popularity: 0 };
        }
        Self::Workload(Arc::new(workload))
    }

    /// The same after so many more events, spread over the actors by their popularity: a database as it will be later. A
    /// trace does not grow.
    #[must_use]
    pub fn grown(&self, events: u64) -> Self {
        match self {
            Self::Workload(workload) => Self::Workload(Arc::new(workload.grown(events))),
            Self::Trace { .. } => self.clone(),
        }
    }

    /// The number of events for [`grown`](Self::grown) with which a compacted database takes about so many bytes on disk;
    /// `None` if it does not grow to that: a trace, or actors whose snapshots delete their events.
    pub fn growth_to(&self, disk_bytes: u64) -> Option<u64> {
        let missing = disk_bytes.saturating_sub(self.preload_disk_bytes());
        if missing == 0 {
            return Some(0);
        }
        let per_event = self.disk_bytes_per_event();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events, saturating")]
        let events = (missing as f64 / per_event) as u64;
        (per_event >= 1.0).then_some(events)
    }

    /// Size of the database now, and bytes per event of its growth; `None` if no state grows with the events of its actor.
    pub(crate) fn growing_bytes(&self) -> Option<[f64; 2]> {
        let Self::Workload(workload) = self else { return None };
        if workload.populations.iter().all(|population| population.state_growth_per_event <= 0.0) {
            return None;
        }
        let per_event = self.disk_bytes_per_event();
        (per_event > 0.0).then_some([self.preload_disk_bytes() as f64, per_event])
    }

    /// Bytes by which a compacted database grows with an event, from the next million.
    fn disk_bytes_per_event(&self) -> f64 {
        const SAMPLE: u64 = 1 << 20;
        let grown = self.grown(SAMPLE).preload_disk_bytes().saturating_sub(self.preload_disk_bytes());
        grown as f64 / SAMPLE as f64
    }

    /// Bytes of the values that a command of a workload writes after its preload, on average; 1 for a trace, which does not
    /// grow.
    pub(crate) fn written_bytes_per_command(&self) -> f64 {
        match self {
            Self::Workload(workload) => workload.written_bytes_per_command(),
            Self::Trace { .. } => 1.0,
        }
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
                trace.commands_per_second().map(|rate| rate * speed)
            }
            _ => load.mean_per_second(),
        }
    }

    /// How long a load offers commands behind its warm-up, nanoseconds: the measured time. For a trace at its own times it ends
    /// with the mean pause behind the last command; 0 if only the backend decides.
    pub(super) fn offered_ns(&self, load: Load, measure: Option<Duration>, warmup_ns: u64) -> u64 {
        let measure_ns = measure.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        let own = match (load, self) {
            (Load::TraceTimes { speed }, Self::Trace { trace, passes: Some(passes), .. }) => {
                let commands = (trace.command_count() * passes) as f64;
                let last_ns = ((trace.duration_ns() + 1) * passes - 1) as f64 / speed;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
                let end_ns = (last_ns * commands / (commands - 1.0).max(1.0)) as u64;
                Some(end_ns.saturating_sub(warmup_ns))
            }
            _ => self.is_finite().then_some(0),
        };
        own.into_iter().chain(measure_ns).min().unwrap_or(0)
    }

    /// Whether its actors have stored anything before their first commands.
    pub(crate) fn has_preload(&self) -> bool {
        match self {
            Self::Workload(workload) => workload.preload_events() > 0,
            Self::Trace { trace, .. } => trace.actors_with_prehistory() > 0,
        }
    }

    /// Bytes of values that the preload stores. The sizes of a workload's are estimated from a sample.
    pub(crate) fn preload_bytes(&self) -> u64 {
        self.preload_volume().value_bytes
    }

    /// Bytes that a compacted database with the preload takes, estimated.
    pub(crate) fn preload_disk_bytes(&self) -> u64 {
        let PreloadVolume { entries, value_bytes } = self.preload_volume();
        let compressed = value_bytes as f64 * (1.0 - self.compressibility());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes, not negative")]
        let bytes = compressed as u64 + entries * KEY_IN_TABLE_BYTES;
        bytes
    }

    /// Share of each stored value that repeats, 0 to 1.
    pub(crate) fn compressibility(&self) -> f64 {
        match self {
            Self::Workload(workload) => workload.stored_compressibility(),
            Self::Trace { trace, .. } => trace.provenance.compressibility.clamp(0.0, 1.0),
        }
    }

    fn preload_volume(&self) -> PreloadVolume {
        match self {
            Self::Workload(workload) => PreloadVolume::of_workload(workload),
            Self::Trace { .. } => {
                let (mut volume, mut ops) = (PreloadVolume::default(), Vec::new());
                for actor in 0..self.actors() {
                    ops.clear();
                    self.prehistory(actor, &mut ops);
                    volume.entries += ops.len() as u64;
                    volume.value_bytes += ops.iter().map(|op| u64::from(op.bytes)).sum::<u64>();
                }
                volume
            }
        }
    }

    /// The numbers of its actors, of one pass, in the order of their names.
    pub(super) fn actors_by_name(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..u32::try_from(self.actors()).expect("fewer than 2^32 actors")).collect();
        match self {
            Self::Workload(workload) => {
                numbers.sort_by_cached_key(|&actor| workload.leading_name(actor.into()));
            }
            Self::Trace { trace, .. } => {
                numbers.sort_unstable_by_key(|&actor| &trace.actors()[actor as usize].name);
            }
        }
        numbers
    }

    pub(crate) fn type_count(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.type_count(),
            Self::Trace { trace, .. } => trace.type_count() as u64,
        }
    }

    /// Mean length of an actor's name, bytes.
    pub(crate) fn mean_name_bytes(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.mean_name_bytes(),
            Self::Trace { trace, .. } => {
                let bytes: usize = trace.actors().iter().map(|actor| actor.name.len()).sum();
                (bytes / trace.actors().len().max(1)) as u64
            }
        }
    }

    /// Events that the actors have persisted before their first commands; 0 for a trace.
    pub(crate) fn preload_events(&self) -> u64 {
        match self {
            Self::Workload(workload) => workload.preload_events(),
            Self::Trace { .. } => 0,
        }
    }

    /// Appends to `ops` the writes of what an actor of a trace must have stored before its first command.
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
            Self::Workload(workload) => workload.populations.iter().any(|population| {
                population.persistence.compact_on_snapshot || population.commands.weight(CommandKind::Purge) > 0.0
            }),
            Self::Trace { .. } => true,
        }
    }

    pub(super) fn value_pool(&self) -> ValuePool {
        match self {
            Self::Workload(workload) => {
                // The store adds a counter to the state and may encrypt: see `actor::PersistenceRules`.
                let pool = |population: &Population| PoolOf {
                    actors: u64::from(population.actors.count),
                    compressibility: population.stored_compressibility(),
                    longest: population.longest_value(&workload.populations) + 64,
                };
                ValuePool::of_populations(workload.seed, workload.populations.iter().map(pool))
            }
            Self::Trace { trace, seed, .. } => {
                ValuePool::new(*seed, trace.provenance.compressibility, trace.longest_value())
            }
        }
    }

    /// Share of all commands that worker `worker` of `workers` issues, 0 to 1.
    pub(super) fn share_of_worker(&self, worker: u64, workers: u64) -> f64 {
        match self {
            Self::Workload(workload) => share_of_worker(workload, worker, workers),
            Self::Trace { .. } => 1.0 / workers as f64,
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
            Self::Workload(workload) => workload.actor(actor),
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

/// Bytes of a key in a compacted table, index and filter included: neighbours share most of it.
const KEY_IN_TABLE_BYTES: u64 = 10;

#[derive(Debug, Clone, Copy, Default)]
struct PreloadVolume {
    entries: u64,
    value_bytes: u64,
}

impl PreloadVolume {
    /// Counts exactly, and draws the sizes of some values of some actors.
    fn of_workload(workload: &Arc<Workload>) -> Self {
        const ACTORS: u64 = 100;
        const EVENTS_OF_EACH: usize = 50;
        let content = PreloadContent::new(Arc::clone(workload));
        let mut volume = Self::default();
        for (_, actors) in workload.ranges() {
            let between_samples = ((actors.end - actors.start) / ACTORS).max(1);
            let (mut events, mut states) = (Sample::default(), Sample::default());
            for (place, actor) in (0..).zip(actors) {
                let stored = content.stored_events(actor);
                let has_state = content.log(actor).next_state() > 0;
                events.count += stored.end - stored.start;
                states.count += 2 * u64::from(has_state);
                if place % between_samples == 0 {
                    stored.take(EVENTS_OF_EACH).for_each(|number| events.add(content.event(actor, number)));
                    content.states(actor).into_iter().flatten().for_each(|op| states.add(op));
                }
            }
            volume.entries += events.count + states.count;
            volume.value_bytes += events.bytes() + states.bytes();
        }
        volume
    }
}

/// A count of values, and the sizes of some of them.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    count: u64,
    sampled: u64,
    sampled_bytes: u64,
}

impl Sample {
    fn add(&mut self, op: Op) {
        self.sampled += 1;
        self.sampled_bytes += u64::from(op.bytes);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes, not negative")]
    fn bytes(self) -> u64 {
        (self.count as f64 * self.sampled_bytes as f64 / self.sampled.max(1) as f64) as u64
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::shipped;

    #[test]
    fn commands_expand_to_no_other_operations() {
        for named in shipped() {
            let source = Source::Workload(Arc::new(Workload::parse(named.text).unwrap()));
            let (operations, mut stream, mut ops) = (source.operations(), source.stream(0, 1), Vec::new());
            for _ in 0..5_000 {
                stream.next(&mut ops);
                let other = ops.iter().find(|op| !operations.contains(&op.kind));
                assert!(other.is_none(), "{}: {other:?}", named.name);
            }
        }
    }
}
