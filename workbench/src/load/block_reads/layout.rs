//! In which block each entry lies.
//!
//! Keys are ordered by the name of the actor and then by the number of the event. So the states of actors with neighbouring
//! names share a block, and the events of one actor lie beside each other, in blocks of its own if there are many of them.

use std::sync::Arc;

use super::geometry::{BlockGeometry, FamilyBlocks, FamilyKind};
use crate::load::source::Source;
use crate::load::walk::WalkStep;
use crate::workload::{PreloadContent, mix};
use ave_actors_rocksdb::trace::{Op, OpKind};

/// Actors and events of each from which the mean length of the preload's events is estimated.
const SAMPLED_ACTORS: u64 = 1_000;
const SAMPLED_EVENTS_OF_EACH: usize = 10;

/// What an actor has stored.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ActorBooks {
    /// Number of its first event.
    first_event: u64,
    /// Number of its next event.
    next_event: u64,
    /// Length of its state; 0 if it has none.
    pub(super) state_bytes: u32,
}

impl ActorBooks {
    /// Number of the next event.
    pub(super) const fn next_event(&self) -> u64 {
        self.next_event
    }

    /// How many stored events lie before this one.
    pub(super) const fn offset(&self, number: u64) -> u64 {
        number.saturating_sub(self.first_event)
    }

    /// Stored events.
    pub(super) const fn event_count(&self) -> u64 {
        self.offset(self.next_event)
    }

    pub(super) fn follow(&mut self, op: Op) {
        let next = op.number.saturating_add(1);
        match op.kind {
            OpKind::EventsPut => {
                if self.event_count() == 0 {
                    self.first_event = op.number;
                }
                self.next_event = next;
            }
            OpKind::EventsDel => self.first_event = self.first_event.max(next),
            OpKind::EventsPurge => (self.first_event, self.next_event) = (0, 0),
            OpKind::StatesPut => self.state_bytes = op.bytes,
            OpKind::StatesPurge => self.state_bytes = 0,
            _ => {}
        }
    }
}

/// What each actor has stored before the first command. Computed, not followed: it may be many times what the commands add.
pub(super) fn books_before(source: &Source) -> Vec<ActorBooks> {
    let mut before = Before::new(source);
    (0..source.actors()).map(|number| before.books(number)).collect()
}

/// The actors of a source before the first command, one after the other.
struct Before<'s> {
    source: &'s Source,
    /// Of a workload.
    content: Option<PreloadContent>,
    /// What wrote the content of the last actor, of a workload without its events.
    ops: Vec<Op>,
}

impl<'s> Before<'s> {
    fn new(source: &'s Source) -> Self {
        let content = match source {
            Source::Workload(workload) => Some(PreloadContent::new(Arc::clone(workload))),
            Source::Trace { .. } => None,
        };
        Self { source, content, ops: Vec::new() }
    }

    fn books(&mut self, number: u64) -> ActorBooks {
        self.ops.clear();
        let mut books = ActorBooks::default();
        if let Some(content) = &self.content {
            let stored = content.stored_events(number);
            (books.first_event, books.next_event) = (stored.start, stored.end);
            self.ops.extend(content.states(number).into_iter().flatten());
        } else {
            self.source.prehistory(number, &mut self.ops);
        }
        self.ops.iter().for_each(|&op| books.follow(op));
        books
    }
}

/// The content of the database during a walk: its size decides where the blocks end.
#[derive(Debug)]
pub(super) struct Census {
    actors: Vec<Counted>,
    event_bytes: Mean,
    name_bytes: Mean,
    metadata_bytes: Mean,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    books: ActorBooks,
    /// Stored at the same time.
    most_events: u64,
    actor_type: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, figure: f64) {
        self.sum += figure;
        self.count += 1.0;
    }

    fn get(self) -> f64 {
        self.sum / self.count.max(1.0)
    }
}

impl Census {
    /// What is stored before the first command.
    pub(super) fn new(source: &Source, geometry: &BlockGeometry) -> Self {
        let [event_bytes, name_bytes, metadata_bytes] = [Mean::default(); 3];
        let mut census = Self { actors: Vec::new(), event_bytes, name_bytes, metadata_bytes };
        let mut before = Before::new(source);
        let between_samples = (source.actors() / SAMPLED_ACTORS).max(1);
        for number in 0..source.actors() {
            let books = before.books(number);
            before.ops.iter().for_each(|&op| census.measure(op, geometry));
            let mut actor_type = 0;
            if let (Source::Workload(workload), Some(content)) = (source, &before.content) {
                let place = workload.place_of(number);
                actor_type = u32::try_from(place.type_number).expect("below the number of types");
                let events = content.stored_events(number).take(SAMPLED_EVENTS_OF_EACH);
                for event in events.filter(|_| number % between_samples == 0) {
                    census.measure(content.event(number, event), geometry);
                }
            }
            census.actors.push(Counted { books, most_events: books.event_count(), actor_type });
        }
        census
    }

    /// What each actor has stored so far.
    #[cfg(test)]
    pub(super) fn books(&self) -> Vec<ActorBooks> {
        self.actors.iter().map(|actor| actor.books).collect()
    }

    /// Counts the length of what an operation writes.
    fn measure(&mut self, op: Op, geometry: &BlockGeometry) {
        match op.kind {
            OpKind::EventsPut => self.event_bytes.add(geometry.inline_bytes(op.bytes)),
            OpKind::MetadataPut => self.metadata_bytes.add(op.bytes.into()),
            _ => {}
        }
    }

    /// Follows a command.
    pub(super) fn count(&mut self, step: &WalkStep<'_>, geometry: &BlockGeometry) {
        let Some(place) = place_of(step.actor, self.actors.len()) else { return };
        let mut actor = self.actors[place];
        actor.actor_type = step.actor_type;
        self.name_bytes.add(step.name_bytes.into());
        for &op in step.ops {
            actor.books.follow(op);
            self.measure(op, geometry);
            actor.most_events = actor.most_events.max(actor.books.event_count());
        }
        self.actors[place] = actor;
    }

    /// Lays out what was counted.
    pub(super) fn lay_out(self, source: &Source, geometry: &BlockGeometry) -> Layout {
        let mut types: Vec<TypeTotals> = Vec::new();
        let mut places = vec![ActorPlace::default(); self.actors.len()];
        for number in source.actors_by_name() {
            let actor = self.actors[number as usize];
            let at = actor.actor_type as usize;
            if at >= types.len() {
                types.resize(at + 1, TypeTotals::default());
            }
            let totals = &mut types[at];
            places[number as usize] = ActorPlace { rank: totals.states, first_event: totals.events };
            totals.states += u64::from(actor.books.state_bytes > 0);
            totals.events = totals.events.saturating_add(actor.most_events);
            totals.state_bytes += geometry.inline_bytes(actor.books.state_bytes);
            if geometry.is_blob(actor.books.state_bytes) {
                totals.blob_bytes += f64::from(geometry.blob_bytes(actor.books.state_bytes));
            }
        }
        let name_bytes = self.name_bytes.get();
        let blocks = |totals: &TypeTotals| {
            let family = |kind, entries, bytes| geometry.family(kind, entries, name_bytes, bytes);
            let state_bytes = totals.state_bytes / totals.states.max(1) as f64;
            [
                family(FamilyKind::Events, totals.events, self.event_bytes.get()),
                family(FamilyKind::States, totals.states, state_bytes),
                family(FamilyKind::Metadata, totals.states, self.metadata_bytes.get()),
            ]
        };
        let families: Vec<_> = types.iter().map(blocks).collect();
        let blobs: f64 = types.iter().map(|totals| totals.blob_bytes).sum();
        let stored_bytes = blobs + families.iter().flatten().map(|family| family.stored_bytes).sum::<f64>();
        Layout { places, families, event_bytes: self.event_bytes.get(), stored_bytes }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct TypeTotals {
    events: u64,
    states: u64,
    state_bytes: f64,
    blob_bytes: f64,
}

/// Where an actor's entries are among those of its type.
#[derive(Debug, Clone, Copy, Default)]
struct ActorPlace {
    /// States before its own.
    rank: u64,
    /// Events before its first one.
    first_event: u64,
}

/// A block: what identifies it, and what a cache takes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) hash: u64,
    pub(super) bytes: u32,
}

/// Where the entries of each actor lie.
#[derive(Debug)]
pub(super) struct Layout {
    places: Vec<ActorPlace>,
    /// Events, states and metadata of each actor type.
    families: Vec<[FamilyBlocks; 3]>,
    event_bytes: f64,
    stored_bytes: f64,
}

/// Tells apart the blocks of one family, and those of values outside of them.
#[derive(Debug, Clone, Copy)]
enum BlockKind {
    Data,
    Index,
    Filter,
    Blob,
}

impl Layout {
    /// What a cache of the whole database would take, bytes.
    pub(super) const fn stored_bytes(&self) -> f64 {
        self.stored_bytes
    }

    /// Mean length of an event in a block, bytes.
    pub(super) const fn event_bytes(&self) -> f64 {
        self.event_bytes
    }

    /// The place of an entry among those of its family: event number `offset` of those that are stored, or the state.
    /// `None` of an actor that the census did not count.
    pub(super) fn entry(&self, step: &WalkStep<'_>, kind: FamilyKind, offset: u64) -> Option<Entry<'_>> {
        let place = self.places[place_of(step.actor, self.places.len())?];
        let blocks = &self.families.get(step.actor_type as usize)?[kind as usize];
        let ordinal = match kind {
            FamilyKind::Events => place.first_event.saturating_add(offset),
            FamilyKind::States | FamilyKind::Metadata => place.rank,
        };
        Some(Entry { family: u64::from(step.actor_type) * 3 + kind as u64, ordinal, blocks })
    }

    /// A value of an actor outside of the blocks.
    pub(super) fn blob(actor: u64, kind: FamilyKind, geometry: &BlockGeometry, value_bytes: u32) -> Block {
        Block { hash: mix(kind as u64, BlockKind::Blob as u64, actor, 0), bytes: geometry.blob_bytes(value_bytes) }
    }
}

/// An entry of a column family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'l> {
    family: u64,
    ordinal: u64,
    blocks: &'l FamilyBlocks,
}

impl Entry<'_> {
    pub(super) fn data(&self) -> Block {
        self.block(BlockKind::Data, self.blocks.per_block, self.blocks.block_bytes)
    }

    pub(super) fn index(&self) -> Block {
        self.block(BlockKind::Index, self.blocks.per_index, self.blocks.index_bytes)
    }

    pub(super) fn filter(&self) -> Block {
        self.block(BlockKind::Filter, self.blocks.per_filter, self.blocks.filter_bytes)
    }

    fn block(&self, kind: BlockKind, entries: f64, bytes: u32) -> Block {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a block")]
        let number = (self.ordinal as f64 / entries) as u64;
        Block { hash: mix(self.family, kind as u64, number, 1), bytes }
    }
}

/// The index of an actor in a list of the first pass.
fn place_of(actor: u64, actors: usize) -> Option<usize> {
    usize::try_from(actor).ok().filter(|&place| place < actors)
}
