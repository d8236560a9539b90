//! Which actors belong to one subject.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::trace::builder::Trace;

/// Share of the actors of a type that have the name of a subject, and of the subjects that have an actor of it.
const MOST: f64 = 0.9;

/// Most actors of a type that subjects share, as a share of the subjects.
const MOST_SHARED: f64 = 0.5;

/// The actors of a trace by subject.
#[derive(Debug)]
pub(super) struct Subjects {
    /// By actor; `None` if it belongs to no subject.
    of_actor: Vec<Option<u32>>,
    pub(super) count: usize,
    /// Types of which each subject has an actor.
    pub(super) type_names: Vec<String>,
    /// Types with so few actors that subjects share them.
    shared: HashSet<Arc<str>>,
}

impl Subjects {
    /// The subjects are the actors of the type with the most of them; those of other types belong to the subject of their name if
    /// about every subject has one. `None` if there is but one subject.
    pub(super) fn of(trace: &Trace) -> Option<Self> {
        let mut types: HashMap<&Arc<str>, Vec<usize>> = HashMap::new();
        for (number, actor) in trace.actors().iter().enumerate() {
            types.entry(&actor.type_name).or_default().push(number);
        }
        let (_, largest) = types.iter().max_by_key(|&(name, actors)| (actors.len(), std::cmp::Reverse(*name)))?;
        let count = largest.len();
        if count < 2 {
            return None;
        }
        let name = |actor: usize| &*trace.actors()[actor].name;
        let subjects: HashMap<&str, u32> = largest.iter().map(|&actor| name(actor)).zip(0..).collect();
        let mut of_actor = vec![None; trace.actors().len()];
        let mut type_names = Vec::new();
        for (type_name, actors) in &types {
            let known = actors.iter().filter(|&&actor| subjects.contains_key(name(actor))).count() as f64;
            if known >= MOST * actors.len() as f64 && known >= MOST * count as f64 {
                for &actor in actors {
                    of_actor[actor] = subjects.get(name(actor)).copied();
                }
                type_names.push(type_name.to_string());
            }
        }
        let is_shared = |actors: &Vec<usize>| actors.len() as f64 <= MOST_SHARED * count as f64;
        let shared = types.iter().filter(|(_, actors)| is_shared(actors)).map(|(name, _)| Arc::clone(name)).collect();
        Some(Self { of_actor, count, type_names, shared })
    }

    /// Whether subjects share the actors of a type.
    pub(super) fn share(&self, type_name: &str) -> bool {
        self.shared.contains(type_name)
    }

    pub(super) fn of_actor(&self, actor: u32) -> Option<u32> {
        self.of_actor[actor as usize]
    }
}
