//! What actors have stored during a trace, and how much of it is in use at once.

use serde::Serialize;

use crate::trace::builder::Trace;
use crate::trace::command::TraceCommand;
use ave_actors_rocksdb::trace::{Op, OpKind};

const SECOND_NS: u64 = 1_000_000_000;

/// What is stored at the end of a trace, in bytes of the values without keys and overhead of the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LiveData {
    /// Events, including those from before the trace that it reads.
    pub events_count: u64,
    /// Bytes of the events. Deleted events count with the mean length of the actor's events.
    pub events_bytes: u64,
    /// Bytes of the newest snapshot of each actor.
    pub states_bytes: u64,
    /// Bytes of the metadata.
    pub metadata_bytes: u64,
}

/// Data that is used in the busiest window of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WorkingSet {
    /// Length of the window, seconds.
    pub window_seconds: u64,
    /// Start of the window, seconds from the first command.
    pub start_seconds: u64,
    /// Commands in the window.
    pub commands_count: u64,
    /// Distinct actors that issued them.
    pub actors_count: u64,
    /// Bytes of all values written and read. Reads of unknown length count with what the actor has stored.
    pub touched_bytes: u64,
    /// Bytes that these actors had stored when they were last used: the cache needed to keep all of it.
    pub stored_bytes: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stored {
    events: u64,
    events_bytes: u64,
    state_bytes: u32,
    metadata_bytes: u32,
    /// Second of the last command, and one more; 0 before the first one.
    last_second: u64,
}

impl Stored {
    fn mean_event_bytes(&self) -> u64 {
        self.events_bytes.checked_div(self.events).unwrap_or(0)
    }

    const fn bytes(&self) -> u64 {
        self.events_bytes + self.state_bytes as u64 + self.metadata_bytes as u64
    }

    /// Applies an operation and returns the bytes it wrote or read.
    fn apply(&mut self, op: Op) -> u64 {
        let bytes = u64::from(op.bytes);
        let known = |otherwise: u64| if bytes > 0 { bytes } else { otherwise };
        match op.kind {
            OpKind::EventsPut => {
                self.events += 1;
                self.events_bytes += bytes;
            }
            OpKind::EventsDel => {
                self.events_bytes -= self.mean_event_bytes();
                self.events = self.events.saturating_sub(1);
                self.events_bytes *= u64::from(self.events > 0);
            }
            OpKind::EventsPurge => (self.events, self.events_bytes) = (0, 0),
            OpKind::StatesPut => self.state_bytes = op.bytes,
            OpKind::StatesPurge => self.state_bytes = 0,
            OpKind::MetadataPut => self.metadata_bytes = op.bytes,
            OpKind::MetadataPurge => self.metadata_bytes = 0,
            OpKind::EventsGet | OpKind::EventsLast => return known(self.mean_event_bytes()),
            OpKind::StatesGet => return known(self.state_bytes.into()),
            OpKind::MetadataGet => return known(self.metadata_bytes.into()),
            OpKind::Open => {}
        }
        op.written_bytes().into()
    }
}

/// Tracks what each actor has stored: 32 bytes an actor.
#[derive(Debug)]
pub(super) struct LiveCounter {
    actors: Vec<Stored>,
    windows: [Window; 2],
}

impl LiveCounter {
    pub(super) fn new(trace: &Trace) -> Self {
        let mut ops = Vec::new();
        let mut before = |actor| {
            trace.prehistory(actor, &mut ops);
            let mut stored = Stored::default();
            for op in ops.drain(..) {
                stored.apply(op);
            }
            stored
        };
        let actors = (0..).take(trace.actors().len()).map(&mut before).collect();
        Self { actors, windows: [Window::new(1), Window::new(60)] }
    }

    pub(super) fn record(&mut self, command: &TraceCommand, ops: &[Op]) {
        let stored = &mut self.actors[command.actor as usize];
        let before = stored.bytes();
        let touched: u64 = ops.iter().map(|&op| stored.apply(op)).sum();
        let second = command.at_ns / SECOND_NS;
        let last_second = stored.last_second.checked_sub(1);
        stored.last_second = second + 1;
        for window in &mut self.windows {
            window.record(second, last_second, touched, [before, stored.bytes()]);
        }
    }

    pub(super) fn finish(self) -> (LiveData, Vec<WorkingSet>) {
        let add = |mut sum: LiveData, stored: &Stored| {
            sum.events_count += stored.events;
            sum.events_bytes += stored.events_bytes;
            sum.states_bytes += u64::from(stored.state_bytes);
            sum.metadata_bytes += u64::from(stored.metadata_bytes);
            sum
        };
        let live = self.actors.iter().fold(LiveData::default(), add);
        (live, self.windows.into_iter().map(Window::finish).collect())
    }
}

/// Windows of equal length, one after the other, of which the busiest is kept.
#[derive(Debug)]
struct Window {
    seconds: u64,
    number: u64,
    open: WorkingSet,
    busiest: WorkingSet,
}

impl Window {
    fn new(seconds: u64) -> Self {
        let empty = WorkingSet { window_seconds: seconds, ..WorkingSet::default() };
        Self { seconds, number: 0, open: empty, busiest: empty }
    }

    /// A command of an actor in this second, its last one before it, and what the actor had stored before and after it.
    fn record(&mut self, second: u64, last_second: Option<u64>, touched: u64, [before, after]: [u64; 2]) {
        let number = second / self.seconds;
        if number != self.number {
            self.close();
            self.number = number;
            self.open.start_seconds = number * self.seconds;
        }
        let is_first = last_second.is_none_or(|last| last / self.seconds != number);
        self.open.actors_count += u64::from(is_first);
        self.open.commands_count += 1;
        self.open.touched_bytes += touched;
        // What the actor had stored when it was last used in the window counts already.
        self.open.stored_bytes = self.open.stored_bytes - if is_first { 0 } else { before } + after;
    }

    fn close(&mut self) {
        if self.open.commands_count > self.busiest.commands_count {
            self.busiest = self.open;
        }
        self.open = Self::new(self.seconds).open;
    }

    fn finish(mut self) -> WorkingSet {
        self.close();
        self.busiest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::builder::TraceBuilder;
    use ave_actors_rocksdb::trace::{CommandKind, Provenance};

    /// Second, actor and operations of a command.
    type TestCommand<'a> = (u64, &'a str, &'a [(OpKind, u64, u32)]);

    fn counted(commands: &[TestCommand<'_>]) -> (LiveData, Vec<WorkingSet>) {
        let mut builder = TraceBuilder::new(Provenance::default());
        for &(second, name, ops) in commands {
            let actor = builder.actor("t", name);
            let mut ops: Vec<Op> = ops.iter().map(|&(kind, number, bytes)| Op::new(kind, number, bytes)).collect();
            builder.command(second * SECOND_NS, actor, CommandKind::Persist, &mut ops).unwrap();
        }
        let trace = builder.finish().unwrap();
        let mut live = LiveCounter::new(&trace);
        trace.for_each_command(|command, ops| live.record(&command, ops)).unwrap();
        live.finish()
    }

    #[test]
    fn deleted_purged_and_overwritten_data_does_not_count() {
        let (live, _) = counted(&[
            (0, "a", &[(OpKind::EventsPut, 0, 100), (OpKind::StatesPut, 0, 50), (OpKind::MetadataPut, 0, 16)]),
            (0, "a", &[(OpKind::EventsPut, 1, 300), (OpKind::StatesPut, 0, 70)]),
            (0, "a", &[(OpKind::EventsDel, 0, 0)]),
            (0, "b", &[(OpKind::EventsPut, 0, 100), (OpKind::EventsDel, 0, 0), (OpKind::EventsDel, 1, 0)]),
            (0, "c", &[(OpKind::EventsPut, 0, 9), (OpKind::StatesPut, 0, 9)]),
            (0, "c", &[(OpKind::EventsPurge, 0, 0), (OpKind::StatesPurge, 0, 0)]),
        ]);
        assert_eq!(live, LiveData { events_count: 1, events_bytes: 200, states_bytes: 70, metadata_bytes: 16 });
        // Prehistory counts.
        let (live, _) = counted(&[(0, "a", &[(OpKind::EventsGet, 3, 80), (OpKind::StatesGet, 0, 40)])]);
        assert_eq!((live.events_count, live.events_bytes, live.states_bytes), (1, 80, 40));
    }

    #[test]
    fn the_busiest_second_counts_each_actor_once() {
        let put = |number, bytes| (OpKind::EventsPut, number, bytes);
        let (_, sets) = counted(&[
            (0, "a", &[put(0, 10)]),
            (5, "a", &[put(1, 20)]),
            (5, "b", &[put(0, 7)]),
            (5, "a", &[put(2, 30)]),
            (70, "c", &[put(0, 1)]),
        ]);
        let second = WorkingSet {
            window_seconds: 1,
            start_seconds: 5,
            commands_count: 3,
            actors_count: 2,
            touched_bytes: 57,
            stored_bytes: 67,
        };
        assert_eq!(sets[0], second);
        assert_eq!((sets[1].commands_count, sets[1].actors_count, sets[1].start_seconds), (4, 2, 0));
    }
}
