//! What an actor has stored at each moment of a trace, and what it must have stored before.
//!
//! A recording starts when the recorder is switched on: its actors may be years old and read what no line of the trace
//! has written. A replay writes that beforehand, else its reads would find nothing: the actor's prehistory.

use ave_actors_rocksdb::trace::{Op, OpKind};

/// Event numbers, as ascending ranges that do not touch. Logs have no gaps: it is nearly always one range, which takes no
/// memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Numbers {
    #[default]
    None,
    One([u64; 2]),
    Several(Vec<[u64; 2]>),
}

impl Numbers {
    fn ranges(&self) -> &[[u64; 2]] {
        match self {
            Self::None => &[],
            Self::One(range) => std::slice::from_ref(range),
            Self::Several(ranges) => ranges,
        }
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let ranges = self.ranges();
        let index = ranges.partition_point(|range| range[1] < number);
        ranges.get(index).is_some_and(|range| range[0] <= number)
    }

    pub(super) fn insert(&mut self, number: u64) {
        match self {
            Self::None => *self = Self::One([number, number]),
            Self::One([_, last]) if last.checked_add(1) == Some(number) => *last = number,
            Self::One([first, last]) if (*first..=*last).contains(&number) => {}
            _ => self.change(|ranges| insert(ranges, number)),
        }
    }

    pub(super) fn remove(&mut self, number: u64) {
        if self.contains(number) {
            self.change(|ranges| remove(ranges, number));
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<[u64; 2]>)) {
        let mut ranges = match std::mem::take(self) {
            Self::None => Vec::new(),
            Self::One(range) => vec![range],
            Self::Several(ranges) => ranges,
        };
        change(&mut ranges);
        *self = match *ranges {
            [] => Self::None,
            [range] => Self::One(range),
            _ => Self::Several(ranges),
        };
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges().iter().flat_map(|range| range[0]..=range[1])
    }

    pub(super) fn count(&self) -> u64 {
        self.ranges().iter().map(|range| range[1] - range[0] + 1).sum()
    }
}

fn insert(ranges: &mut Vec<[u64; 2]>, number: u64) {
    // The first range that contains or touches the number, or lies behind it.
    let index = ranges.partition_point(|range| range[1].saturating_add(1) < number);
    match ranges.get_mut(index) {
        Some(range) if range[0] <= number.saturating_add(1) => {
            *range = [range[0].min(number), range[1].max(number)];
            let end = range[1];
            if ranges.get(index + 1).is_some_and(|next| end.checked_add(1) == Some(next[0])) {
                ranges[index][1] = ranges.remove(index + 1)[1];
            }
        }
        _ => ranges.insert(index, [number, number]),
    }
}

fn remove(ranges: &mut Vec<[u64; 2]>, number: u64) {
    let index = ranges.partition_point(|range| range[1] < number);
    let Some(&[first, last]) = ranges.get(index).filter(|range| range[0] <= number) else { return };
    let rest = [(first < number).then(|| [first, number - 1]), (number < last).then(|| [number + 1, last])];
    ranges.splice(index..=index, rest.into_iter().flatten());
}

/// What one actor must have stored before a trace begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prehistory {
    /// Those that the trace reads or deletes, which a replay needs.
    pub(super) events: Numbers,
    /// How many events there were, as far as the numbers show it.
    pub(super) stored_events: u64,
    /// Mean length of the events, where reads state it.
    pub(super) event_bytes: Option<u32>,
    pub(super) state_bytes: Option<u32>,
    pub(super) metadata_bytes: Option<u32>,
}

/// Number of snapshots and metadata from before the trace; no other value has it.
const BEFORE_ALL: u64 = u64::MAX;

impl Prehistory {
    /// Appends the operations that write it. `event_bytes` is the length of events of unknown length.
    pub(super) fn expand(&self, event_bytes: u32, ops: &mut Vec<Op>) {
        let event_bytes = self.event_bytes.unwrap_or(event_bytes);
        ops.extend(self.events.iter().map(|number| Op::new(OpKind::EventsPut, number, event_bytes)));
        ops.extend(self.state_bytes.map(|bytes| Op::new(OpKind::StatesPut, BEFORE_ALL, bytes)));
        ops.extend(self.metadata_bytes.map(|bytes| Op::new(OpKind::MetadataPut, BEFORE_ALL, bytes)));
    }
}

/// Stored data of one actor up to a line of the trace. Most actors have written all that they read and delete nothing.
#[derive(Debug, Default)]
pub(super) struct ActorHistory {
    present: Numbers,
    states_written: u64,
    metadata_written: u64,
    /// The number of the first event of which the trace shows that it is the next one, and one more; 0 if it shows none.
    first_next: u64,
    rest: Option<Box<History>>,
}

/// What is known of actors that read what they have not written, or delete.
#[derive(Debug, Default)]
struct History {
    /// Events that were present and are not.
    gone: Numbers,
    /// All events were deleted: nothing is left from before the trace.
    purged: bool,
    /// A read found nothing: events had been deleted.
    has_gaps: bool,
    before: Prehistory,
    read_bytes_sum: u64,
    read_count: u64,
}

impl ActorHistory {
    /// Applies an operation and completes it: numbers values, and marks reads that may find nothing. `reads_say_bytes` is
    /// whether a read of 0 bytes found nothing.
    pub(super) fn complete(&mut self, op: &mut Op, reads_say_bytes: bool) {
        match op.kind {
            OpKind::EventsPut => {
                self.has_next(op.number);
                self.present.insert(op.number);
            }
            OpKind::EventsGet => op.may_miss = !self.read(op.number, op.bytes, reads_say_bytes),
            OpKind::EventsLast if op.bytes > 0 => {
                self.has_next(op.number.saturating_add(1));
                self.read(op.number, op.bytes, true);
            }
            OpKind::EventsLast if reads_say_bytes => self.has_next(0),
            OpKind::EventsDel => {
                let is_known = self.is_known(op.number);
                let rest = self.rest.get_or_insert_default();
                if !rest.purged && !is_known {
                    rest.before.events.insert(op.number);
                }
                rest.gone.insert(op.number);
                self.present.remove(op.number);
            }
            OpKind::EventsPurge => {
                self.present = Numbers::default();
                self.rest.get_or_insert_default().purged = true;
            }
            OpKind::StatesPut => op.number = next(&mut self.states_written),
            OpKind::MetadataPut => op.number = next(&mut self.metadata_written),
            OpKind::StatesGet if op.bytes > 0 && self.states_written == 0 && !self.is_purged() => {
                self.rest.get_or_insert_default().before.state_bytes.get_or_insert(op.bytes);
            }
            OpKind::MetadataGet if op.bytes > 0 && self.metadata_written == 0 && !self.is_purged() => {
                self.rest.get_or_insert_default().before.metadata_bytes.get_or_insert(op.bytes);
            }
            _ => {}
        }
    }

    fn is_purged(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.purged)
    }

    /// Whether an event is or was present.
    fn is_known(&self, number: u64) -> bool {
        self.present.contains(number) || self.rest.as_ref().is_some_and(|rest| rest.gone.contains(number))
    }

    fn has_next(&mut self, number: u64) {
        if self.first_next == 0 && !self.is_purged() {
            self.first_next = number.saturating_add(1);
        }
    }

    fn read(&mut self, number: u64, bytes: u32, reads_say_bytes: bool) -> bool {
        if self.present.contains(number) {
            return true;
        }
        // Deleted, or read in vain when it was recorded.
        if self.is_purged() || self.is_known(number) {
            return false;
        }
        let rest = self.rest.get_or_insert_default();
        if reads_say_bytes && bytes == 0 {
            rest.has_gaps = true;
            return false;
        }
        if bytes > 0 {
            rest.read_bytes_sum += u64::from(bytes);
            rest.read_count += 1;
        }
        rest.before.events.insert(number);
        self.present.insert(number);
        true
    }

    /// Events are numbered from 0: with `keeps_all`, where the trace deletes no single events, all before the first one of the
    /// trace are stored, read or not, unless a read shows a gap. `None` if the actor has stored nothing before.
    pub(super) fn finish(self, keeps_all: bool) -> Option<Prehistory> {
        let first_next = self.first_next.saturating_sub(1);
        let History { has_gaps, mut before, read_bytes_sum, read_count, .. } = match self.rest {
            Some(rest) => *rest,
            None if first_next == 0 => return None,
            None => History::default(),
        };
        let shown = if keeps_all && !has_gaps { first_next } else { 0 };
        before.stored_events = shown.max(before.events.count());
        let mean = read_bytes_sum.checked_div(read_count);
        before.event_bytes = mean.and_then(|mean| u32::try_from(mean).ok());
        (before != Prehistory::default()).then_some(before)
    }
}

const fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn numbers_are_a_set(steps in prop::collection::vec((any::<bool>(), 0u64..24), 0..80)) {
            let (mut numbers, mut set) = (Numbers::default(), BTreeSet::new());
            for (inserts, number) in steps {
                if inserts { numbers.insert(number) } else { numbers.remove(number) }
                if inserts { set.insert(number) } else { set.remove(&number) };
                prop_assert_eq!(numbers.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(numbers.count(), set.len() as u64);
                prop_assert!((0..24).all(|number| numbers.contains(number) == set.contains(&number)));
            }
        }
    }

    fn completed(history: &mut ActorHistory, kind: OpKind, number: u64, bytes: u32) -> Op {
        let mut op = Op::new(kind, number, bytes);
        history.complete(&mut op, true);
        op
    }

    #[test]
    fn an_actor_that_reads_what_it_has_written_takes_56_bytes() {
        let mut history = ActorHistory::default();
        for number in 0..1000 {
            completed(&mut history, OpKind::EventsPut, number, 80);
            completed(&mut history, OpKind::EventsGet, number / 2, 80);
        }
        assert!(history.rest.is_none() && matches!(history.present, Numbers::One([0, 999])), "{history:?}");
        assert!(size_of::<ActorHistory>() <= 56);
    }

    #[test]
    fn reads_of_unwritten_data_make_a_prehistory() {
        let mut history = ActorHistory::default();
        completed(&mut history, OpKind::EventsLast, 41, 120);
        completed(&mut history, OpKind::StatesGet, 0, 900);
        completed(&mut history, OpKind::EventsGet, 40, 100);
        completed(&mut history, OpKind::EventsPut, 42, 80);
        assert!(!completed(&mut history, OpKind::EventsGet, 42, 80).may_miss);
        let before = history.finish(false).unwrap();
        assert_eq!(before.events.iter().collect::<Vec<_>>(), [40, 41]);
        assert_eq!((before.event_bytes, before.state_bytes, before.metadata_bytes), (Some(110), Some(900), None));
    }

    #[test]
    fn the_first_number_of_an_actor_shows_how_many_events_it_had() {
        for (kind, number, bytes, expected) in [
            (OpKind::EventsPut, 42, 80, 42),
            (OpKind::EventsLast, 41, 120, 42),
            (OpKind::EventsPut, 0, 80, 0),
            (OpKind::EventsLast, 0, 0, 0),
        ] {
            let mut history = ActorHistory::default();
            completed(&mut history, kind, number, bytes);
            completed(&mut history, OpKind::EventsPut, 42, 80);
            let before = history.finish(true).unwrap_or_default();
            assert_eq!(before.stored_events, expected, "{kind} {number}");
            assert!(before.events.count() <= 1, "a replay needs what is read");
        }
        let mut purged = ActorHistory::default();
        completed(&mut purged, OpKind::EventsPurge, 0, 0);
        completed(&mut purged, OpKind::EventsPut, 7, 80);
        assert_eq!(purged.finish(true), None);
    }

    #[test]
    fn reads_of_deleted_or_missing_events_may_miss() {
        let mut history = ActorHistory::default();
        completed(&mut history, OpKind::EventsPut, 0, 80);
        completed(&mut history, OpKind::EventsDel, 0, 0);
        assert!(completed(&mut history, OpKind::EventsGet, 0, 0).may_miss);
        assert!(completed(&mut history, OpKind::EventsGet, 9, 0).may_miss);
        completed(&mut history, OpKind::EventsPurge, 0, 0);
        assert!(completed(&mut history, OpKind::EventsGet, 7, 50).may_miss, "lost with the purge");
        assert_eq!(history.finish(false), None);
    }

    #[test]
    fn values_are_numbered_in_the_order_they_were_written() {
        let mut history = ActorHistory::default();
        let kinds = [OpKind::StatesPut, OpKind::StatesPut, OpKind::MetadataPut, OpKind::StatesPut];
        assert_eq!(kinds.map(|kind| completed(&mut history, kind, 0, 5).number), [0, 1, 0, 2]);
    }
}
