//! Which actor types of a trace are alike: each group becomes a population.

use std::collections::HashSet;

use super::chains::Chains;
use super::derive::in_names;
use crate::trace::builder::Trace;
use crate::trace::error::TraceError;
use crate::trace::info::{Sizes, TypeInfo};
use ave_actors_rocksdb::trace::CommandKind;

/// Most populations of a fitted workload; the types that have the fewest commands share the last one.
const MOST_GROUPS: usize = 24;
/// Ratio of two medians up to which sizes are alike.
const ALIKE_SIZES: f64 = 1.3;
/// Commands of which two types differ, as a share, up to which they are alike.
const ALIKE_COMMANDS: f64 = 0.1;

/// Types that are alike.
pub(super) struct Group {
    /// Name of a population.
    pub(super) name: String,
    type_names: Vec<String>,
    /// Their commands; `None` if they are all there are.
    part: Option<Trace>,
}

impl Group {
    /// The commands of the group, of a trace that was grouped.
    pub(super) fn part<'t>(&'t self, whole: &'t Trace) -> &'t Trace {
        self.part.as_ref().unwrap_or(whole)
    }

    pub(super) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.type_names.iter().map(String::as_str)
    }

    /// Whether a type belongs to the group.
    pub(super) fn has(&self, type_name: &str) -> bool {
        self.type_names.iter().any(|own| own == type_name)
    }
}

/// Groups the types of a trace, most commands first. With chains, each type that has a part in them stands alone, and the others are
/// left out.
pub(super) fn groups(trace: &Trace, types: &[TypeInfo], chains: Option<&Chains>) -> Result<Vec<Group>, TraceError> {
    let belongs = |one: &&TypeInfo| chains.is_none_or(|chains| chains.has(&one.type_name));
    let mut by_commands: Vec<&TypeInfo> = types.iter().filter(belongs).collect();
    by_commands.sort_by(|a, b| b.commands().cmp(&a.commands()).then_with(|| a.type_name.cmp(&b.type_name)));
    let mut groups: Vec<Vec<&TypeInfo>> = Vec::new();
    for one in by_commands {
        let alike = groups.iter().position(|group| are_alike(group[0], one)).filter(|_| chains.is_none());
        match alike {
            Some(at) => groups[at].push(one),
            None if groups.len() < MOST_GROUPS || chains.is_some() => groups.push(vec![one]),
            None => groups[MOST_GROUPS - 1].push(one),
        }
    }
    let (mut names, is_only) = (HashSet::new(), groups.len() == 1);
    let of = |group: Vec<&TypeInfo>| {
        let type_names: Vec<String> = group.iter().map(|one| one.type_name.clone()).collect();
        let name = unused(name(&type_names), &mut names);
        let keeps = |actor: u32| type_names.iter().any(|name| **name == *trace.actors()[actor as usize].type_name);
        let part = if is_only { None } else { Some(trace.part(keeps)?) };
        Ok(Group { name, type_names, part })
    };
    groups.into_iter().map(of).collect()
}

fn are_alike(one: &TypeInfo, other: &TypeInfo) -> bool {
    let is_single = |info: &TypeInfo| info.actors_count == 1;
    let sizes = |one: &Option<Sizes>, other: &Option<Sizes>| match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let [a, b] = [one, other].map(|sizes| f64::from(sizes.quantile_bytes(500).max(1)));
            (a / b).max(b / a) <= ALIKE_SIZES
        }
        _ => false,
    };
    let share = |info: &TypeInfo, kind| info.commands_of(kind) as f64 / info.commands().max(1) as f64;
    let commands: f64 = CommandKind::ALL.iter().map(|&kind| (share(one, kind) - share(other, kind)).abs()).sum();
    is_single(one) == is_single(other)
        && (one.persists_with_state_ratio > 0.5) == (other.persists_with_state_ratio > 0.5)
        && commands / 2.0 <= ALIKE_COMMANDS
        && sizes(&one.event_sizes, &other.event_sizes)
        && sizes(&one.state_sizes, &other.state_sizes)
}

/// What the names of the types begin with, without digits at the end, in the characters and the length of a population's name.
fn name(type_names: &[String]) -> String {
    let first = &type_names[0];
    let common = |other: &String| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = type_names.iter().map(common).min().unwrap_or(0);
    let begins = String::from_utf8_lossy(&first.as_bytes()[..length]).into_owned();
    let whole = if begins.is_empty() { first.clone() } else { begins };
    let name: String = in_names(&whole).take(60).collect();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '_');
    if name.is_empty() { "actors".to_owned() } else { name.to_owned() }
}

/// The name, longer if it is taken.
fn unused(mut name: String, taken: &mut HashSet<String>) -> String {
    while !taken.insert(name.clone()) {
        name.push('x');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_types_have_in_common() {
        let name = |names: &[&str]| name(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(name(&["ledger0", "ledger3", "ledger12"]), "ledger");
        assert_eq!(name(&["sn_register"]), "sn_register");
        assert_eq!(name(&["one", "two"]), "one");
        assert_eq!(name(&["12"]), "actors");
        assert_eq!(name(&["é"]), "actors");
        let mut taken = HashSet::new();
        assert_eq!([(); 3].map(|()| unused("a".to_owned(), &mut taken)), ["a", "ax", "axx"]);
    }
}
