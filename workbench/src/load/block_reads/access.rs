//! The blocks that storage operations read, as the backend executes them.

use super::geometry::{BlockGeometry, FamilyKind};
use super::layout::{ActorBooks, Block, Layout};
use crate::load::walk::WalkStep;
use ave_actors_rocksdb::trace::{Op, OpKind};

/// The backend reads the events of one actor ahead if it gets them one by one: so many entries first, after a read of the
/// last event, and at most (`src/backend/read_ahead.rs`).
const FIRST_WINDOW: u64 = 16;
const REPLAY_WINDOW: u64 = 64;
const LONGEST_WINDOW: u64 = 256;
/// And so many bytes of values at a time.
const WINDOW_BYTES: f64 = 65_536.0;

/// An access to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// It must be in memory: else it is read from the disk.
    Read(Block),
    /// It is in memory afterwards.
    Write(Block),
}

/// Follows what the actors have stored, and derives the accesses from it.
#[derive(Debug)]
pub(super) struct Accesses<'l> {
    geometry: BlockGeometry,
    layout: &'l Layout,
    actors: Vec<ActorBooks>,
}

/// The events that the backend has read ahead for an actor during a command.
#[derive(Debug, Default)]
struct ReadAhead {
    knows_last: bool,
    last_was_read: bool,
    expected: Option<u64>,
    /// Events below this number are in memory.
    read_to: u64,
    window: u64,
}

impl<'l> Accesses<'l> {
    /// `actors` is what each actor has stored before the first step.
    pub(super) const fn new(geometry: BlockGeometry, layout: &'l Layout, actors: Vec<ActorBooks>) -> Self {
        Self { geometry, layout, actors }
    }

    /// The accesses of a step, in order.
    pub(super) fn step(&mut self, step: &WalkStep<'_>, visit: &mut impl FnMut(Access)) {
        let Some(place) = usize::try_from(step.actor).ok().filter(|&place| place < self.actors.len()) else { return };
        let mut ahead = ReadAhead::default();
        for &op in step.ops {
            self.op(step, self.actors[place], op, &mut ahead, visit);
            self.actors[place].follow(op);
        }
    }

    fn op(
        &self,
        step: &WalkStep<'_>,
        books: ActorBooks,
        op: Op,
        ahead: &mut ReadAhead,
        visit: &mut impl FnMut(Access),
    ) {
        let kind = FamilyKind::of(op);
        match op.kind {
            OpKind::EventsGet => self.get_event(step, books, op.number, ahead, visit),
            OpKind::EventsLast => {
                ahead.last_was_read = true;
                if !std::mem::replace(&mut ahead.knows_last, true) {
                    self.seek(step, books.event_count().saturating_sub(1), visit);
                }
            }
            OpKind::StatesGet | OpKind::MetadataGet => self.get_state(step, books, kind, visit),
            OpKind::EventsPut | OpKind::StatesPut | OpKind::MetadataPut => {
                *ahead = ReadAhead::default();
                if self.geometry.keeps_written() {
                    self.put(step, books, op, visit);
                }
            }
            // Deletions do not read, and purges are rare.
            OpKind::EventsDel | OpKind::EventsPurge | OpKind::StatesPurge | OpKind::MetadataPurge | OpKind::Open => {}
        }
    }

    fn put(&self, step: &WalkStep<'_>, books: ActorBooks, op: Op, visit: &mut impl FnMut(Access)) {
        let kind = FamilyKind::of(op);
        if let Some(entry) = self.layout.entry(step, kind, books.offset(op.number)) {
            visit(Access::Write(entry.data()));
        }
        if kind == FamilyKind::States && self.geometry.is_blob(op.bytes) {
            visit(Access::Write(Layout::blob(step.actor, kind, &self.geometry, op.bytes)));
        }
    }

    /// A point read looks into the filter first, and reads no more if there is no such entry.
    fn get_state(&self, step: &WalkStep<'_>, books: ActorBooks, kind: FamilyKind, visit: &mut impl FnMut(Access)) {
        let Some(entry) = self.layout.entry(step, kind, 0) else { return };
        visit(Access::Read(entry.filter()));
        if books.state_bytes == 0 {
            return;
        }
        visit(Access::Read(entry.index()));
        visit(Access::Read(entry.data()));
        if kind == FamilyKind::States && self.geometry.is_blob(books.state_bytes) {
            visit(Access::Read(Layout::blob(step.actor, kind, &self.geometry, books.state_bytes)));
        }
    }

    fn get_event(
        &self,
        step: &WalkStep<'_>,
        books: ActorBooks,
        number: u64,
        ahead: &mut ReadAhead,
        visit: &mut impl FnMut(Access),
    ) {
        let offset = books.offset(number);
        let continues = ahead.expected.replace(number.saturating_add(1)) == Some(number);
        if continues && number < ahead.read_to {
            return;
        }
        let replays = std::mem::take(&mut ahead.last_was_read) && number.saturating_add(1) < books.next_event();
        if !continues {
            ahead.window = if replays { REPLAY_WINDOW } else { FIRST_WINDOW };
            if !replays {
                if let Some(entry) = self.layout.entry(step, FamilyKind::Events, offset) {
                    visit(Access::Read(entry.filter()));
                    visit(Access::Read(entry.index()));
                    visit(Access::Read(entry.data()));
                }
                return;
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events")]
        let fitting = (WINDOW_BYTES / self.layout.event_bytes().max(1.0)) as u64;
        let end = books.next_event().min(number.saturating_add(ahead.window.min(fitting.max(1))));
        ahead.window = (2 * ahead.window).min(LONGEST_WINDOW);
        ahead.read_to = end;
        self.seek(step, offset, visit);
        let mut known = None;
        for offset in offset..books.offset(end) {
            let block = self.layout.entry(step, FamilyKind::Events, offset).map(|entry| entry.data());
            // The seek has read the first one.
            if let Some(block) = block.filter(|_| known.is_some() && known != block) {
                visit(Access::Read(block));
            }
            known = block;
        }
    }

    /// A search for the first event from a place on: it does not look into filters.
    fn seek(&self, step: &WalkStep<'_>, offset: u64, visit: &mut impl FnMut(Access)) {
        if let Some(entry) = self.layout.entry(step, FamilyKind::Events, offset) {
            visit(Access::Read(entry.index()));
            visit(Access::Read(entry.data()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::block_reads::layout::Census;
    use crate::load::source::Source;
    use crate::workload::Workload;
    use ave_actors_rocksdb::backend::Tuning;
    use ave_actors_store::config::ResolvedSpec;
    use std::sync::Arc;

    const EVENTS: u64 = 200;

    /// The accesses of operations of an actor with 200 events of 1,000 bytes, some 15 in a block, and a state.
    fn accesses(keeps_written: bool, ops: &[Op]) -> Vec<Access> {
        let tuning = Tuning::new(&ResolvedSpec { ram_mb: 4096, cpu_cores: 2 }, None);
        let in_block_cache = BlockGeometry::in_block_cache(&tuning);
        let geometry = if keeps_written { BlockGeometry::in_page_cache(&tuning, 0.5) } else { in_block_cache };
        let text = "name='t'\ndescription='d'\nevent_bytes={constant=1}\nstate_bytes={constant=1}\n\
                    [actors]\ncount=1\n[persistence]\nmode='light'\n[commands]\npersist=1";
        let source = Source::Workload(Arc::new(Workload::parse(text).unwrap()));
        let stored: Vec<Op> = (0..EVENTS)
            .map(|number| Op::new(OpKind::EventsPut, number, 1_000))
            .chain([Op::new(OpKind::StatesPut, 0, 500), Op::new(OpKind::MetadataPut, 0, 16)])
            .collect();
        let step = |ops| WalkStep { actor: 0, actor_type: 0, name_bytes: 44, is_command: true, ops };
        let mut census = Census::new(&source, &geometry);
        census.count(&step(&stored), &geometry);
        let books = census.books();
        let layout = census.lay_out(&source, &geometry);
        let mut accesses = Accesses::new(geometry, &layout, books);
        let mut found = Vec::new();
        accesses.step(&step(ops), &mut |access| found.push(access));
        found
    }

    fn read(kind: OpKind, number: u64) -> Op {
        Op::new(kind, number, 0)
    }

    #[test]
    fn a_point_read_needs_filter_index_and_block_and_a_search_no_filter() {
        assert_eq!(accesses(true, &[read(OpKind::StatesGet, 0)]).len(), 3);
        assert_eq!(accesses(true, &[read(OpKind::EventsGet, 7)]).len(), 3);
        assert_eq!(accesses(true, &[read(OpKind::EventsLast, 0)]).len(), 2);
        let twice = accesses(true, &[read(OpKind::EventsLast, 0), read(OpKind::EventsLast, 0)]);
        assert_eq!(twice.len(), 2, "the last event is remembered");
    }

    #[test]
    fn events_in_sequence_are_read_in_windows_of_whole_blocks() {
        let queried: Vec<Op> = (0..EVENTS).map(|number| read(OpKind::EventsGet, number)).collect();
        let found = accesses(true, &queried);
        let mut blocks = found.clone();
        blocks.dedup();
        assert!(found.len() < 60, "far fewer than three per event: {}", found.len());
        let distinct: std::collections::HashSet<_> = found
            .iter()
            .map(|access| match access {
                Access::Read(block) | Access::Write(block) => block.hash,
            })
            .collect();
        // 200 events in blocks of 15, a filter, an index.
        assert!((14..=17).contains(&distinct.len()), "{}", distinct.len());
    }

    #[test]
    fn a_write_leaves_its_block_in_the_page_cache_alone() {
        let write = [Op::new(OpKind::EventsPut, EVENTS, 1_000)];
        assert!(matches!(accesses(true, &write)[..], [Access::Write(_)]));
        assert_eq!(accesses(false, &write), []);
    }

    #[test]
    fn a_large_state_is_read_from_its_own_place() {
        let large = [Op::new(OpKind::StatesPut, 1, 100_000), read(OpKind::StatesGet, 0)];
        let found = accesses(false, &large);
        assert_eq!(found.len(), 4);
        assert!(matches!(found[3], Access::Read(block) if block.bytes == 100_000));
    }
}
