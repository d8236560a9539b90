//! Figures by actor type: the types of a trace, or the populations of a workload.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::measure::{CompactHistogram, Slice};

/// Most types with figures of their own; the actors of further ones count as one type more.
const MOST_TYPES: usize = 255;
const FURTHER_TYPES: &str = "further types";

/// What the actors of one type did under a load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorTypeLoad {
    /// Name of the type or population.
    pub name: String,
    /// Bytes of the values that its commands wrote.
    pub written_bytes: u64,
    /// Response times of its commands, from the intended start.
    pub response: Slice,
    /// Times of its commands in the backend, from the actual start.
    pub service: Slice,
}

impl ActorTypeLoad {
    /// Adds the figures of the same types, which other rounds or workers may have none of.
    pub(super) fn add_all(all: &mut Vec<Self>, others: &[Self]) {
        for (place, other) in others.iter().enumerate() {
            if place == all.len() {
                all.push(Self { name: other.name.clone(), ..Self::default() });
            }
            let own = &mut all[place];
            own.written_bytes += other.written_bytes;
            own.response.add(&other.response);
            own.service.add(&other.service);
        }
    }
}

/// The type of each actor.
#[derive(Debug)]
pub(super) struct ActorTypes {
    names: Vec<String>,
    places: Places,
}

#[derive(Debug)]
enum Places {
    /// The actors are numbered through the types; the end of each.
    Ends(Vec<u64>),
    /// By actor.
    Each(Vec<u8>),
}

impl ActorTypes {
    pub(super) fn of(source: &Source) -> Self {
        match source {
            Source::Workload(workload) => Self {
                names: workload.populations.iter().map(|population| population.name.clone()).collect(),
                places: Places::Ends(workload.ranges().map(|(_, range)| range.end).collect()),
            },
            Source::Trace { trace, .. } => {
                let mut names: Vec<String> = Vec::new();
                let mut numbers: HashMap<&str, u8> = HashMap::new();
                let mut place_of = |type_name| {
                    *numbers.entry(type_name).or_insert_with(|| {
                        match names.len() {
                            ..MOST_TYPES => names.push(type_name.to_owned()),
                            MOST_TYPES => names.push(FURTHER_TYPES.to_owned()),
                            _ => {}
                        }
                        u8::try_from(names.len() - 1).expect("at most 255")
                    })
                };
                let places = trace.actors().iter().map(|actor| place_of(&*actor.type_name)).collect();
                Self { names, places: Places::Each(places) }
            }
        }
    }

    /// No figures where there is one type: they are those of the whole.
    pub(super) fn tallies(&self) -> Vec<ActorTypeTally> {
        if self.names.len() < 2 { Vec::new() } else { self.names.iter().map(|_| ActorTypeTally::default()).collect() }
    }

    /// The place of an actor's type among the tallies. The numbers of copies follow those of the actors.
    pub(super) fn place(&self, actor: u64) -> usize {
        match &self.places {
            Places::Ends(ends) => {
                let original = actor % ends.last().copied().unwrap_or(1);
                ends.partition_point(|&end| end <= original)
            }
            Places::Each(places) => {
                let original = actor % places.len() as u64;
                usize::from(places[usize::try_from(original).expect("actors fit in memory")])
            }
        }
    }

    /// Names the figures of the tallies.
    pub(super) fn name(&self, loads: &mut [ActorTypeLoad]) {
        loads.iter_mut().zip(&self.names).for_each(|(load, name)| name.clone_into(&mut load.name));
    }
}

/// One worker's figures of one type while a load runs.
#[derive(Debug, Default)]
pub(super) struct ActorTypeTally {
    written_bytes: u64,
    response: CompactHistogram,
    service: CompactHistogram,
}

impl ActorTypeTally {
    pub(super) fn count(&mut self, response_ns: u64, service_ns: u64, written_bytes: u64) {
        self.response.record(response_ns);
        self.service.record(service_ns);
        self.written_bytes += written_bytes;
    }

    pub(super) fn finish(self) -> ActorTypeLoad {
        let [response, service] = [self.response, self.service].map(Slice::from);
        ActorTypeLoad { name: String::new(), written_bytes: self.written_bytes, response, service }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::trace::TraceBuilder;
    use crate::workload::Workload;
    use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

    fn trace(types: &[&str]) -> Source {
        let mut builder = TraceBuilder::new(Provenance::default());
        for (at_ns, name) in (0..).zip(types) {
            let actor = builder.actor(name, &format!("actor-{at_ns}"));
            builder.command(at_ns, actor, CommandKind::Persist, &mut [Op::new(OpKind::EventsPut, 0, 10)]).unwrap();
        }
        Source::Trace { trace: Arc::new(builder.finish().unwrap()), seed: 1, passes: None }
    }

    #[test]
    fn actors_of_a_trace_and_their_copies_belong_to_their_types() {
        let types = ActorTypes::of(&trace(&["cart", "order", "cart"]));
        assert_eq!(types.names, ["cart", "order"]);
        assert_eq!((0..6).map(|actor| types.place(actor)).collect::<Vec<_>>(), [0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn types_beyond_255_count_as_one() {
        let names: Vec<String> = (0..300).map(|number| format!("type-{number}")).collect();
        let types = ActorTypes::of(&trace(&names.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(
            (types.names.len(), types.names[254].as_str(), types.names[255].as_str()),
            (256, "type-254", "further types")
        );
        assert_eq!([0, 254, 255, 299].map(|actor| types.place(actor)), [0, 254, 255, 255]);
    }

    #[test]
    fn actors_of_a_workload_and_their_copies_belong_to_their_populations() {
        let workload = Arc::new(Workload::find("ledger-node").unwrap());
        let types = ActorTypes::of(&Source::Workload(Arc::clone(&workload)));
        for actor in 0..2 * workload.actor_count() {
            assert_eq!(types.place(actor), workload.place_of(actor).index, "actor {actor}");
        }
    }
}
