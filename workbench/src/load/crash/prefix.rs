//! After how many operations of one worker a database had the content that it has.

use std::collections::BTreeMap;

use ave_actors_store::Error;

use super::share::{COMMANDS_LOOKED_AHEAD, steps};
use crate::load::ack_log::Position;
use crate::load::handles::event_key;
use crate::load::source::Source;
use crate::load::target::Target;
use crate::load::verify::{Expected, Found, Ledger, Stored, Verified, Written};
use crate::workload::ValuePool;
use ave_actors_rocksdb::trace::{Op, OpKind};

/// A position, and the number of entries that differ from what must be stored there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    differing: usize,
    position: Position,
}

/// Compares the database with its content at every position from `from` to one operation after `to`. Returns the last
/// position at which nothing differs, or else the one at which least does, and what does. Writes from `from` on count in
/// the result.
pub(super) fn compare<T: Target>(
    stored: &Stored<'_, T>,
    from: Position,
    to: Position,
) -> Result<(Verified, Position), Error> {
    let best = find(stored, from, to)?;
    let mut ledger = Ledger::default();
    walk(stored.source, &mut ledger, best.position, |ledger, actor, op, position| {
        let counts = (position.commands, position.operations) >= (from.commands, from.operations);
        ledger.expected(stored.source, actor, false).apply(op, counts);
    });
    let mut verified = ledger.verify(stored, || true)?;
    if let Some(first) = verified.differences.first_mut() {
        let Position { commands, operations } = best.position;
        *first = format!(
            "the database is not what it was after any number of commands; least differs from {commands} commands and \
             {operations} operations of the next, of {} acknowledged: {first}",
            to.commands
        );
    }
    Ok((verified, best.position))
}

fn find<T: Target>(stored: &Stored<'_, T>, from: Position, to: Position) -> Result<Candidate, Error> {
    let source = stored.source;
    // First the actors, also those whose first command comes late: nothing of them may be there before.
    let mut ledger = Ledger::default();
    let end = Position { commands: to.commands, operations: to.operations + 1 };
    walk(source, &mut ledger, end, |_, _, _, _| {});
    let mut actors = BTreeMap::new();
    for (&actor, expected) in &ledger.actors {
        actors.insert(actor, Compared::new(actor, stored.pool, expected.clone(), stored.read(actor)?));
    }
    let mut differing: usize = actors.values().map(|compared| compared.differing).sum();
    let mut best: Option<Candidate> = None;
    let mut consider = |position: Position, differing| {
        let is_in_range = (position.commands, position.operations) >= (from.commands, from.operations);
        if is_in_range && best.is_none_or(|best| differing <= best.differing) {
            best = Some(Candidate { differing, position });
        }
    };
    let mut next = Position::default();
    walk(source, &mut Ledger::default(), end, |_, actor, op, position| {
        consider(position, differing);
        if let Some(compared) = actors.get_mut(&actor) {
            differing -= compared.differing;
            compared.apply(op);
            differing += compared.differing;
        }
        next = Position { operations: position.operations + 1, ..position };
    });
    consider(next, differing);
    Ok(best.unwrap_or(Candidate { differing, position: from }))
}

/// Calls `apply` with every operation before `end`, its actor, and the position before it. Afterwards `ledger` has all
/// actors of the following commands.
fn walk(source: &Source, ledger: &mut Ledger, end: Position, mut apply: impl FnMut(&mut Ledger, u64, Op, Position)) {
    if ledger.actors.is_empty() {
        *ledger = Ledger::preloaded(source, 0, 1, false);
    }
    let (mut stream, mut ops) = (source.stream(0, 1), Vec::new());
    for commands in 0..=end.commands {
        let Some(planned) = stream.next(&mut ops) else { return };
        let steps = steps(source, ledger, planned, &ops);
        ledger.expected(source, planned.actor, false);
        let count = if commands < end.commands { steps.len() as u64 } else { end.operations };
        for (operations, &op) in (0..count).zip(&steps) {
            apply(ledger, planned.actor, op, Position { commands, operations });
        }
    }
    for _ in 0..COMMANDS_LOOKED_AHEAD {
        let Some(planned) = stream.next(&mut ops) else { return };
        ledger.expected(source, planned.actor, false);
    }
}

/// What must be stored of an actor at a position, what is, and the number of entries that differ.
struct Compared<'a> {
    actor: u64,
    pool: &'a ValuePool,
    expected: Expected,
    found: Found,
    differing: usize,
}

impl<'a> Compared<'a> {
    fn new(actor: u64, pool: &'a ValuePool, expected: Expected, found: Found) -> Self {
        let mut compared = Self { actor, pool, expected, found, differing: 0 };
        compared.differing = compared.count();
        compared
    }

    fn count(&self) -> usize {
        let is_there = |number: &u64| self.found.events.contains_key(event_key(*number, &mut [0; 20]));
        let expected = || self.expected.events().map(|written| written.number);
        let surplus = self.found.events.len() - expected().filter(is_there).count();
        let events = expected().filter(|&number| self.event_differs(number)).count();
        surplus + events + usize::from(self.state_differs()) + usize::from(self.metadata_differs())
    }

    fn apply(&mut self, op: Op) {
        let differs: fn(&Self, u64) -> bool = match op.kind {
            OpKind::EventsPut | OpKind::EventsDel => Self::event_differs,
            OpKind::StatesPut | OpKind::StatesPurge => |compared, _| compared.state_differs(),
            OpKind::MetadataPut | OpKind::MetadataPurge => |compared, _| compared.metadata_differs(),
            OpKind::EventsPurge => {
                self.expected.apply(op, true);
                self.differing = self.count();
                return;
            }
            _ => return,
        };
        self.differing -= usize::from(differs(self, op.number));
        self.expected.apply(op, true);
        self.differing += usize::from(differs(self, op.number));
    }

    fn event_differs(&self, number: u64) -> bool {
        let found = self.found.events.get(event_key(number, &mut [0; 20]));
        self.differs(OpKind::EventsPut, self.expected.event(number).as_ref(), found)
    }

    fn state_differs(&self) -> bool {
        self.differs(OpKind::StatesPut, self.expected.state.as_ref(), self.found.state.as_ref())
    }

    fn metadata_differs(&self) -> bool {
        self.differs(OpKind::MetadataPut, self.expected.metadata.as_ref(), self.found.metadata.as_ref())
    }

    fn differs(&self, kind: OpKind, expected: Option<&Written>, found: Option<&Vec<u8>>) -> bool {
        let expected = expected.map(|written| self.pool.value(self.actor, kind, written.number, written.bytes));
        expected != found.map(Vec::as_slice)
    }
}
