//! What a load measured: histograms per command and operation, whole and by slices of time.

use crate::workbench::actor::{CommandKind, Op, OpKind};
use crate::workbench::measure::LatencyHistogram;

/// Latency of one kind of command.
#[derive(Debug, Clone, Default)]
pub struct CommandLatency {
    /// From the intended start: what the user waits.
    pub response: LatencyHistogram,
    /// From the actual start: what the backend takes.
    pub service: LatencyHistogram,
    /// Response times by the slice of time in which the command was due.
    pub slices: Vec<LatencyHistogram>,
}

/// Everything measured under one load.
#[derive(Debug, Clone, Default)]
pub struct Measurement {
    /// Per command, at [`CommandKind::index`]; `None` where it was not issued.
    pub commands: [Option<CommandLatency>; CommandKind::ALL.len()],
    /// Per storage operation, at [`OpKind::index`]; `None` where it was not issued.
    pub operations: [Option<LatencyHistogram>; OpKind::ALL.len()],
    /// Bytes of the values that were written.
    pub payload_bytes: u64,
    /// The same, warm-up included.
    pub payload_bytes_with_warmup: u64,
    /// Measured time, nanoseconds: from the end of the warm-up to the end of the last command.
    pub elapsed_ns: u64,
    /// Length of a slice, nanoseconds.
    pub slice_ns: u64,
    /// How late a worker that was free began a command: what the generator itself adds.
    pub wake_lag: LatencyHistogram,
    /// Commands issued, warm-up included.
    pub issued: u64,
    /// Whether the load was given up because commands were too late.
    pub gave_up: bool,
    /// How late the last command began, nanoseconds: the length of the queue when the load ended. 0 in a closed loop.
    pub final_lag_ns: u64,
}

impl Measurement {
    /// Commands measured.
    pub fn command_count(&self) -> u64 {
        self.commands.iter().flatten().map(|latency| latency.service.count()).sum()
    }

    /// Storage operations measured.
    pub fn operation_count(&self) -> u64 {
        self.operations.iter().flatten().map(LatencyHistogram::count).sum()
    }

    /// Whether commands piled up: the load was given up, or its last commands began late by more than a twentieth of
    /// the time measured. A count would not tell: arrivals at random are more or fewer than their rate by chance.
    pub fn fell_behind(&self) -> bool {
        self.gave_up || self.final_lag_ns > self.elapsed_ns / 20
    }

    /// Commands completed per second of measured time, 0 if none was.
    pub fn commands_per_second(&self) -> f64 {
        if self.elapsed_ns == 0 { 0.0 } else { self.command_count() as f64 * 1e9 / self.elapsed_ns as f64 }
    }

    /// Latency of a command, if it was issued.
    pub const fn command(&self, kind: CommandKind) -> Option<&CommandLatency> {
        self.commands[kind.index()].as_ref()
    }

    /// Response times of all commands together, slice by slice.
    pub fn slices_of_all_commands(&self) -> Vec<LatencyHistogram> {
        let mut all: Vec<LatencyHistogram> = Vec::new();
        for latency in self.commands.iter().flatten() {
            add_slices(&mut all, &latency.slices);
        }
        all
    }

    /// Several rounds as one: histograms and times add up, slices follow each other.
    pub fn over_rounds<'a>(rounds: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for round in rounds {
            let elapsed_ns = all.elapsed_ns + round.elapsed_ns;
            let mut before: Vec<_> = all
                .commands
                .iter_mut()
                .map(|command| command.as_mut().map(|latency| std::mem::take(&mut latency.slices)))
                .collect();
            all.merge(round.clone());
            for (command, before) in all.commands.iter_mut().zip(&mut before) {
                if let (Some(command), Some(mut slices)) = (command, before.take()) {
                    slices.append(&mut command.slices);
                    command.slices = slices;
                }
            }
            all.elapsed_ns = elapsed_ns;
        }
        all
    }

    /// Adds what another worker measured under the same load.
    pub(super) fn merge(&mut self, other: Self) {
        for (own, other) in self.commands.iter_mut().zip(other.commands) {
            match (own, other) {
                (_, None) => {}
                (own @ None, other) => *own = other,
                (Some(own), Some(other)) => {
                    own.response.add(&other.response);
                    own.service.add(&other.service);
                    add_slices(&mut own.slices, &other.slices);
                }
            }
        }
        for (own, other) in self.operations.iter_mut().zip(other.operations) {
            match (own, other) {
                (_, None) => {}
                (own @ None, other) => *own = other,
                (Some(own), Some(other)) => own.add(&other),
            }
        }
        self.payload_bytes += other.payload_bytes;
        self.payload_bytes_with_warmup += other.payload_bytes_with_warmup;
        self.elapsed_ns = self.elapsed_ns.max(other.elapsed_ns);
        self.slice_ns = other.slice_ns;
        self.wake_lag.add(&other.wake_lag);
        self.issued += other.issued;
        self.gave_up |= other.gave_up;
        self.final_lag_ns = self.final_lag_ns.max(other.final_lag_ns);
    }
}

fn add_slices(all: &mut Vec<LatencyHistogram>, slices: &[LatencyHistogram]) {
    if all.len() < slices.len() {
        all.resize_with(slices.len(), LatencyHistogram::coarse);
    }
    for (sum, slice) in all.iter_mut().zip(slices) {
        sum.add(slice);
    }
}

/// One worker's tally while a load runs. Histograms for everything the source can issue exist before it starts.
#[derive(Debug)]
pub(super) struct Tally {
    measurement: Measurement,
    measure_from_ns: u64,
}

/// Slices are a second long, and longer in long runs so that there are at most this many.
const MOST_SLICES: u64 = 120;

impl Tally {
    /// A tally that counts commands due at `measure_from_ns` or later; `length_ns` is how long it will count, if that
    /// is known.
    pub(super) fn new(kinds: &[CommandKind], measure_from_ns: u64, length_ns: Option<u64>) -> Self {
        let second = 1_000_000_000;
        let slice_ns = length_ns.map_or(second, |length| length.div_ceil(MOST_SLICES).max(second));
        let ready = length_ns.map_or(0, |length| usize::try_from(length.div_ceil(slice_ns)).unwrap_or(0));
        let mut measurement = Measurement { slice_ns, ..Measurement::default() };
        for kind in kinds {
            // Each is made anew: a copy would touch its pages, and memory is one of the figures.
            let slices = (0..ready).map(|_| LatencyHistogram::coarse()).collect();
            measurement.commands[kind.index()] = Some(CommandLatency { slices, ..CommandLatency::default() });
        }
        for operation in &mut measurement.operations {
            *operation = Some(LatencyHistogram::new());
        }
        Self { measurement, measure_from_ns }
    }

    /// Counts an operation that took `took_ns` within a command due at `due_ns`.
    pub(super) fn operation(&mut self, op: Op, due_ns: u64, took_ns: u64) {
        self.measurement.payload_bytes_with_warmup += u64::from(op.written_bytes());
        if due_ns < self.measure_from_ns {
            return;
        }
        self.measurement.payload_bytes += u64::from(op.written_bytes());
        if let Some(histogram) = &mut self.measurement.operations[op.kind.index()] {
            histogram.record(took_ns);
        }
    }

    /// Counts a command.
    pub(super) fn command(&mut self, kind: CommandKind, due_ns: u64, start_ns: u64, end_ns: u64) {
        self.measurement.issued += 1;
        if due_ns < self.measure_from_ns {
            return;
        }
        let since = due_ns - self.measure_from_ns;
        let slice = usize::try_from(since / self.measurement.slice_ns).unwrap_or(usize::MAX);
        let latency = self.measurement.commands[kind.index()].get_or_insert_with(CommandLatency::default);
        if slice >= latency.slices.len() {
            latency.slices.resize_with(slice + 1, LatencyHistogram::coarse);
        }
        let response = end_ns - due_ns;
        self.measurement.final_lag_ns = start_ns - due_ns;
        latency.response.record(response);
        latency.service.record(end_ns - start_ns);
        latency.slices[slice].record(response);
        self.measurement.elapsed_ns = self.measurement.elapsed_ns.max(end_ns - self.measure_from_ns);
    }

    /// Counts how late a free worker began.
    pub(super) fn wake_lag(&mut self, nanoseconds: u64) {
        self.measurement.wake_lag.record(nanoseconds);
    }

    /// Remembers that the load was given up.
    pub(super) const fn give_up(&mut self) {
        self.measurement.gave_up = true;
    }

    /// What was measured, without the histograms that stayed empty.
    pub(super) fn finish(mut self) -> Measurement {
        for operation in &mut self.measurement.operations {
            operation.take_if(|histogram| histogram.count() == 0);
        }
        for command in &mut self.measurement.commands {
            command.take_if(|latency| latency.service.count() == 0);
        }
        self.measurement
    }
}
