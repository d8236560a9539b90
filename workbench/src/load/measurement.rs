//! Measurements of a load: histograms per command and operation, in total and by slices of time.

use serde::{Deserialize, Serialize};

use crate::measure::{LatencyHistogram, Percentile, Slice};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind};

use super::actor_types::{ActorTypeLoad, ActorTypeTally, ActorTypes};
use super::requests::RequestKind;
use super::slices::{SLICE_NS, SliceCounter, SliceExchange, Slices};
use crate::workload::Planned;

/// Latency of one kind of command or transaction.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CommandLatency {
    /// From the intended start: what users wait.
    pub response: LatencyHistogram,
    /// From the actual start: the time in the backend.
    pub service: LatencyHistogram,
    /// Response times by the slice of time in which the command, or its transaction, was due, see [`Measurement::slice_seconds`].
    pub slices: Vec<Slice>,
}

/// Everything measured under one load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measurement {
    /// Per command, at [`CommandKind::index`]; `None` where it was not issued.
    pub commands: [Option<CommandLatency>; CommandKind::ALL.len()],
    /// Per transaction, by its number in the workload, with its name. The service time is from the start of its first command: it contains waits
    /// for actors that are common to all writers.
    pub transactions: Vec<(String, CommandLatency)>,
    /// Per storage operation, at [`OpKind::index`]; `None` where it was not issued.
    pub operations: [Option<LatencyHistogram>; OpKind::ALL.len()],
    /// Per actor type; empty where there is one.
    pub actor_types: Vec<ActorTypeLoad>,
    /// Bytes of the values that were written.
    pub payload_bytes: u64,
    /// Bytes of the values that were written, warm-up included.
    pub payload_bytes_with_warmup: u64,
    /// Measured time, nanoseconds: from the end of the warm-up to the end of the last command, or of the time in which commands
    /// were offered if that is later.
    pub elapsed_ns: u64,
    /// How late an idle worker began a command: the generator's own lateness.
    pub wake_lag: LatencyHistogram,
    /// Commands issued, warm-up included.
    pub issued: u64,
    /// Whether the load was given up because commands were too late.
    pub gave_up: bool,
    /// Lateness of the last command, nanoseconds: the length of the queue when the load ended. 0 in a closed loop.
    pub final_lag_ns: u64,
    /// Length of a slice, seconds: 1, unless slices were merged.
    pub slice_seconds: u32,
}

impl Default for Measurement {
    fn default() -> Self {
        Self {
            commands: Default::default(),
            transactions: Vec::new(),
            operations: Default::default(),
            actor_types: Vec::new(),
            payload_bytes: 0,
            payload_bytes_with_warmup: 0,
            elapsed_ns: 0,
            wake_lag: LatencyHistogram::default(),
            issued: 0,
            gave_up: false,
            final_lag_ns: 0,
            slice_seconds: 1,
        }
    }
}

/// The generator's own lateness as a share of the p99 response time: limits for a warning, and for an inconclusive result.
pub(crate) const GENERATOR_SHARE: [f64; 2] = [0.25, 0.5];

/// The generator's own lateness and the response times that include it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GeneratorLag {
    /// p99 of the lateness of idle workers, nanoseconds.
    pub lag_ns: u64,
    /// p99 of the response times of all commands, nanoseconds.
    pub response_ns: u64,
}

impl GeneratorLag {
    /// Over several loads; `None` if there are too few samples for either percentile.
    pub(crate) fn over<'a>(rounds: impl IntoIterator<Item = &'a Measurement>) -> Option<Self> {
        let (mut lag, mut response) = (LatencyHistogram::new(), LatencyHistogram::new());
        for round in rounds {
            lag.add(&round.wake_lag);
            round.commands.iter().flatten().for_each(|latency| response.add(&latency.response));
        }
        Some(Self { lag_ns: lag.percentile(Percentile::P99)?, response_ns: response.percentile(Percentile::P99)? })
    }

    pub(crate) fn share(self) -> f64 {
        self.lag_ns as f64 / (self.response_ns as f64).max(1.0)
    }
}

impl Measurement {
    /// Length of a slice, nanoseconds.
    pub const fn slice_ns(&self) -> u64 {
        self.slice_seconds as u64 * SLICE_NS
    }

    /// With slices of `seconds` seconds.
    ///
    /// # Panics
    ///
    /// If slices were merged before, or `seconds` is 0.
    #[must_use]
    pub fn in_slices_of(mut self, seconds: u32) -> Self {
        assert!(self.slice_seconds == 1 && seconds > 0, "slices are merged once, from 1 s");
        for latency in
            self.commands.iter_mut().flatten().chain(self.transactions.iter_mut().map(|(_, latency)| latency))
        {
            let parts = latency.slices.chunks(seconds as usize);
            let sum = |mut sum: Slice, slice: &Slice| {
                sum.add(slice);
                sum
            };
            latency.slices = parts.map(|part| part.iter().fold(Slice::default(), sum)).collect();
        }
        self.slice_seconds = seconds;
        self
    }

    /// Commands measured.
    pub fn command_count(&self) -> u64 {
        self.commands.iter().flatten().map(|latency| latency.service.count()).sum()
    }

    /// Storage operations measured.
    pub fn operation_count(&self) -> u64 {
        self.operations.iter().flatten().map(LatencyHistogram::count).sum()
    }

    /// Whether the backend fell behind: the load was given up, or its last command was late by more than 1/20 of the measured
    /// time. Counts do not show it: random arrivals vary around their rate.
    pub fn fell_behind(&self) -> bool {
        self.fell_behind_by_more_than(0)
    }

    /// The same where a lag of so many nanoseconds is no queue: in a short load one slow command is a twentieth of the time.
    pub(crate) fn fell_behind_by_more_than(&self, tolerated_ns: u64) -> bool {
        self.gave_up || self.final_lag_ns > tolerated_ns.max(self.elapsed_ns / 20)
    }

    /// Commands completed per second of measured time, 0 if none was.
    pub fn commands_per_second(&self) -> f64 {
        if self.elapsed_ns == 0 { 0.0 } else { self.command_count() as f64 * 1e9 / self.elapsed_ns as f64 }
    }

    /// Latency of a kind of command; `None` if none was issued.
    pub const fn command(&self, kind: CommandKind) -> Option<&CommandLatency> {
        self.commands[kind.index()].as_ref()
    }

    /// Response time of a kind of request, nanoseconds; `None` if the samples do not support the percentile.
    pub(crate) fn response_ns(&self, request: RequestKind, percentile: Percentile) -> Option<u64> {
        self.request(request)?.response.percentile(percentile)
    }

    /// Latency of a kind of request; `None` if none was issued.
    pub fn request(&self, request: RequestKind) -> Option<&CommandLatency> {
        match request {
            RequestKind::Command(kind) => self.command(kind),
            RequestKind::Transaction(number) => {
                let known = self.transactions.get(number).map(|(_, latency)| latency);
                known.filter(|latency| latency.service.count() > 0)
            }
        }
    }

    /// What was issued, by name: transactions first.
    pub(crate) fn by_name(&self) -> impl Iterator<Item = (&str, &CommandLatency)> {
        let transactions = self.transactions.iter().filter(|(_, latency)| latency.service.count() > 0);
        let commands = CommandKind::ALL.into_iter().filter_map(|kind| Some((kind.name(), self.command(kind)?)));
        transactions.map(|(name, latency)| (name.as_str(), latency)).chain(commands)
    }

    /// Response times of all commands together, slice by slice.
    pub fn slices_of_all_commands(&self) -> Vec<Slice> {
        let mut all: Vec<Slice> = Vec::new();
        for latency in self.commands.iter().flatten() {
            add_slices(&mut all, &latency.slices);
        }
        all
    }

    /// Several rounds as one: histograms and times are added, slices are appended.
    pub(crate) fn over_rounds<'a>(rounds: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for round in rounds {
            let elapsed_ns = all.elapsed_ns + round.elapsed_ns;
            all.add(round, Vec::extend_from_slice);
            all.elapsed_ns = elapsed_ns;
        }
        all
    }

    /// Counts the pause behind the last command, unless the load was given up or nothing was measured: without it the rate of
    /// a few commands is too high.
    pub(super) fn lasts_at_least(&mut self, offered_ns: u64) {
        if !self.gave_up && self.command_count() > 0 {
            self.elapsed_ns = self.elapsed_ns.max(offered_ns);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.add(other, add_slices);
    }

    fn add(&mut self, other: &Self, add_slices: impl Fn(&mut Vec<Slice>, &[Slice])) {
        for (own, other) in self.commands.iter_mut().zip(&other.commands) {
            let Some(other) = other else { continue };
            own.get_or_insert_default().add(other, &add_slices);
        }
        let known = self.transactions.len().min(other.transactions.len());
        for ((_, own), (_, other)) in self.transactions.iter_mut().zip(&other.transactions) {
            own.add(other, &add_slices);
        }
        self.transactions.extend_from_slice(&other.transactions[known..]);
        for (own, other) in self.operations.iter_mut().zip(&other.operations) {
            let Some(other) = other else { continue };
            own.get_or_insert_default().add(other);
        }
        ActorTypeLoad::add_all(&mut self.actor_types, &other.actor_types);
        self.payload_bytes += other.payload_bytes;
        self.payload_bytes_with_warmup += other.payload_bytes_with_warmup;
        self.elapsed_ns = self.elapsed_ns.max(other.elapsed_ns);
        self.wake_lag.add(&other.wake_lag);
        self.issued += other.issued;
        self.gave_up |= other.gave_up;
        self.final_lag_ns = self.final_lag_ns.max(other.final_lag_ns);
        self.slice_seconds = other.slice_seconds;
    }
}

impl CommandLatency {
    fn take_slices(&mut self, request: RequestKind, slices: &mut Slices) {
        self.slices = slices.take(request);
        self.response = self.slices.iter().collect();
    }

    fn add(&mut self, other: &Self, add_slices: impl Fn(&mut Vec<Slice>, &[Slice])) {
        self.response.add(&other.response);
        self.service.add(&other.service);
        add_slices(&mut self.slices, &other.slices);
    }
}

fn add_slices(all: &mut Vec<Slice>, slices: &[Slice]) {
    if all.len() < slices.len() {
        all.resize(slices.len(), Slice::default());
    }
    for (sum, slice) in all.iter_mut().zip(slices) {
        sum.add(slice);
    }
}

/// When a command, or the transaction that it belongs to, was due and begun, and from when on requests count, nanoseconds of the
/// clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) due: u64,
    pub(super) start: u64,
    pub(super) counts_from: u64,
    /// Whether its first command is of this load.
    pub(super) is_whole: bool,
}

impl Arrival {
    const fn since_ns(self) -> u64 {
        self.due - self.counts_from
    }
}

/// One worker's measurement while a load runs. All histograms are allocated before it starts, about 270 kB each: those of the
/// operations and commands that the source issues.
#[derive(Debug)]
pub(super) struct Tally<'e> {
    pub(super) measurement: Measurement,
    /// Service times of commands and transactions; response times are in the slices.
    service: [Option<LatencyHistogram>; CommandKind::ALL.len()],
    transactions: Vec<LatencyHistogram>,
    slices: SliceCounter<'e>,
    types: &'e ActorTypes,
    actor_types: Vec<ActorTypeTally>,
    /// Bytes that the current command has written.
    command_bytes: u64,
}

impl<'e> Tally<'e> {
    pub(super) fn new(
        requests: &[RequestKind],
        operations: &[OpKind],
        types: &'e ActorTypes,
        exchange: &'e SliceExchange,
    ) -> Self {
        let resident = || Some(LatencyHistogram::resident());
        let (mut service, mut measured) = ([const { None }; CommandKind::ALL.len()], Measurement::default());
        let mut transactions = Vec::new();
        for request in requests {
            match request {
                RequestKind::Command(kind) => service[kind.index()] = resident(),
                RequestKind::Transaction(_) => transactions.push(LatencyHistogram::resident()),
            }
        }
        for operation in operations {
            measured.operations[operation.index()] = resident();
        }
        measured.wake_lag.clear();
        let slices = SliceCounter::new(exchange, requests);
        let actor_types = types.tallies();
        Self { measurement: measured, service, transactions, slices, types, actor_types, command_bytes: 0 }
    }

    pub(super) fn warm_up_operation(&mut self, op: Op) {
        self.measurement.payload_bytes_with_warmup += u64::from(op.written_bytes());
    }

    pub(super) fn operation(&mut self, op: Op, took_ns: u64) {
        self.warm_up_operation(op);
        self.measurement.payload_bytes += u64::from(op.written_bytes());
        self.command_bytes += u64::from(op.written_bytes());
        self.measurement.operations[op.kind.index()].get_or_insert_default().record(took_ns);
    }

    pub(super) fn warm_up_command(&mut self, took_ns: u64) {
        self.measurement.issued += 1;
        self.slices.completed(took_ns);
    }

    /// Records a command that was due at `due_ns`: with its arrival, or when the command before it in its transaction ended.
    pub(super) fn command(&mut self, planned: &Planned, arrival: Arrival, due_ns: u64, start_ns: u64, end_ns: u64) {
        let kind = planned.kind;
        if !self.actor_types.is_empty() {
            let written_bytes = std::mem::take(&mut self.command_bytes);
            self.actor_types[self.types.place(planned.actor)].count(end_ns - due_ns, end_ns - start_ns, written_bytes);
        }
        self.warm_up_command(end_ns - start_ns);
        self.slices.count(kind.into(), arrival.since_ns(), end_ns - due_ns);
        self.service[kind.index()].get_or_insert_default().record(end_ns - start_ns);
        self.measurement.final_lag_ns = arrival.start - arrival.due;
        self.measurement.elapsed_ns = self.measurement.elapsed_ns.max(end_ns - arrival.counts_from);
    }

    /// Records a transaction.
    pub(super) fn transaction(&mut self, number: usize, arrival: Arrival, end_ns: u64) {
        self.slices.count(RequestKind::Transaction(number), arrival.since_ns(), end_ns - arrival.due);
        self.transactions[number].record(end_ns - arrival.start);
    }

    /// The measurement, and the slices that were not passed on yet.
    pub(super) fn finish(mut self) -> (Measurement, Slices) {
        let latency = |service| CommandLatency { service, ..CommandLatency::default() };
        for (command, service) in self.measurement.commands.iter_mut().zip(self.service) {
            *command = service.map(latency);
        }
        let transactions = self.transactions.into_iter().map(latency);
        self.measurement.transactions = transactions.map(|latency| (String::new(), latency)).collect();
        self.measurement.actor_types = self.actor_types.into_iter().map(ActorTypeTally::finish).collect();
        (self.measurement, self.slices.finish())
    }
}

impl Measurement {
    /// Adds the response times. `transactions` are the names of the source's.
    pub(super) fn complete<'n>(&mut self, mut slices: Slices, transactions: impl IntoIterator<Item = &'n str>) {
        for kind in CommandKind::ALL {
            let command = &mut self.commands[kind.index()];
            command.take_if(|latency| latency.service.count() == 0);
            if let Some(latency) = command {
                latency.take_slices(kind.into(), &mut slices);
            }
        }
        for (number, ((name, latency), known)) in self.transactions.iter_mut().zip(transactions).enumerate() {
            known.clone_into(name);
            latency.take_slices(RequestKind::Transaction(number), &mut slices);
        }
        for operation in &mut self.operations {
            operation.take_if(|histogram| histogram.count() == 0);
        }
    }
}
