//! Finds the chains of a trace.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::cuts::{Cut, Label, OwnCommand, cut};
use super::shared::{Placed, places};
use super::subjects::Subjects;
use crate::trace::builder::Trace;
use crate::workload::MOST_TRANSACTIONS;
use ave_actors_rocksdb::trace::CommandKind;

/// Commands of a trace that are looked at, at most: the first ones.
const MOST_COMMANDS: usize = 2_000_000;
/// Share of all commands that the chains have to explain.
const MOST: f64 = 0.9;
/// Commands of shared actors that belong to no chain, as a share of the number of chains and of twice their own, from which on they are
/// kept: a few are left where chains of one subject follow without a pause.
const LEAST_ALONE: f64 = 0.02;
/// What actors that all subjects share can do in a chain.
const SHAREABLE: [CommandKind; 3] = [CommandKind::Persist, CommandKind::Events, CommandKind::LastEvent];

/// The chains of a trace.
#[derive(Debug)]
pub(in super::super) struct Chains {
    /// Commonest first; then commands of shared actors that belong to no chain, each alone.
    pub(in super::super) kinds: Vec<Chain>,
    /// Types of which each subject has an actor.
    of_subjects: Vec<String>,
    /// Time at which each chain begins, ascending, nanoseconds.
    pub(in super::super) starts_ns: Vec<u64>,
    /// Share of the commands that belong to them, 0 to 1.
    pub(in super::super) explained: f64,
}

/// Chains that are alike.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Chain {
    /// Actor type and kind, in order.
    pub(in super::super) commands: Vec<(Arc<str>, CommandKind)>,
    /// How many there are.
    pub(in super::super) count: usize,
}

impl Chains {
    /// Whether each subject has an actor of this type.
    pub(in super::super) fn is_of_subjects(&self, type_name: &str) -> bool {
        self.of_subjects.iter().any(|own| own == type_name)
    }

    /// Whether an actor type has a part in them.
    pub(in super::super) fn has(&self, type_name: &str) -> bool {
        self.kinds.iter().any(|chain| chain.commands.iter().any(|(of, _)| **of == *type_name))
    }
}

/// Actor types and kinds by label.
#[derive(Default)]
struct Labels {
    numbers: HashMap<(Arc<str>, CommandKind), Label>,
    names: Vec<(Arc<str>, CommandKind)>,
}

impl Labels {
    fn of(&mut self, type_name: &Arc<str>, kind: CommandKind) -> Option<Label> {
        let key = (Arc::clone(type_name), kind);
        if let Some(&label) = self.numbers.get(&key) {
            return Some(label);
        }
        let label = Label::try_from(self.names.len()).ok()?;
        self.numbers.insert(key.clone(), label);
        self.names.push(key);
        Some(label)
    }
}

/// The chains that the commands of a trace form; `None` if no few of them explain most commands, or if they are of one
/// actor type.
pub(in super::super) fn chains(trace: &Trace) -> io::Result<Option<Chains>> {
    if trace.type_count() < 2 {
        return Ok(None);
    }
    let Some(subjects) = Subjects::of(trace) else { return Ok(None) };
    let mut labels = Labels::default();
    let mut own: Vec<Vec<OwnCommand>> = vec![Vec::new(); subjects.count];
    let mut shared: HashMap<Label, Vec<u64>> = HashMap::new();
    let mut all = 0;
    trace.for_each_command(|command, _| {
        let type_name = &trace.actors()[command.actor as usize].type_name;
        let Some(label) = labels.of(type_name, command.kind).filter(|_| all < MOST_COMMANDS) else { return };
        all += 1;
        match subjects.of_actor(command.actor) {
            Some(subject) => own[subject as usize].push(OwnCommand { at_ns: command.at_ns, label }),
            None if SHAREABLE.contains(&command.kind) && subjects.share(type_name) => {
                shared.entry(label).or_default().push(command.at_ns);
            }
            None => {}
        }
    })?;
    let mut types: Vec<&str> = labels.names.iter().map(|(name, _)| &**name).collect();
    types.sort_unstable();
    let type_of = |label: Label| types.partition_point(|&name| name < &*labels.names[usize::from(label)].0);
    let Some(cut) = cut(&own, type_of) else { return Ok(None) };
    let mut explained = cut.explained;
    let mut placed: Vec<Vec<Placed>> = cut.kinds.iter().map(|_| Vec::new()).collect();
    let mut shared: Vec<_> = shared.into_iter().collect();
    shared.sort_unstable_by_key(|(label, _)| *label);
    let mut alone = Vec::new();
    for (label, times) in shared {
        let (found, left) = places(&cut, label, &times);
        for (all, found) in placed.iter_mut().zip(found) {
            explained += found.iter().map(|one| one.count).sum::<usize>();
            all.extend(found);
        }
        if left as f64 >= LEAST_ALONE * cut.starts_ns.len().max(2 * times.len()) as f64 {
            alone.push(Chain { commands: vec![labels.names[usize::from(label)].clone()], count: left });
        }
    }
    let explained = explained as f64 / all.max(1) as f64;
    let mut kinds = with_shared(&cut, placed, &labels.names);
    let several = kinds.iter().flat_map(|chain| &chain.commands).any(|(name, _)| *name != kinds[0].commands[0].0);
    alone.truncate(MOST_TRANSACTIONS.saturating_sub(kinds.len()));
    kinds.extend(alone);
    let of_subjects = subjects.type_names;
    Ok((several && explained >= MOST).then_some(Chains { kinds, of_subjects, starts_ns: cut.starts_ns, explained }))
}

/// The own commands of each kind, and what belongs between them.
fn with_shared(cut: &Cut, placed: Vec<Vec<Placed>>, names: &[(Arc<str>, CommandKind)]) -> Vec<Chain> {
    let name = |label: Label| names[usize::from(label)].clone();
    let chain = |(kind, mut placed): (&super::cuts::Kind, Vec<Placed>)| {
        placed.sort_by_key(|one| (one.after, one.offset_ns));
        let at = |after: usize| placed.iter().filter(move |one| one.after == after).map(|one| name(one.label));
        let mut commands: Vec<_> = at(0).collect();
        for (number, &label) in kind.labels.iter().enumerate() {
            commands.push(name(label));
            commands.extend(at(number + 1));
        }
        Chain { commands, count: kind.count }
    };
    cut.kinds.iter().zip(placed).map(chain).collect()
}
