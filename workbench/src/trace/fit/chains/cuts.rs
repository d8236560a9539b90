//! The commands of each subject, cut into chains at its pauses.

use std::collections::HashMap;

use crate::workload::MOST_TRANSACTIONS;

/// Number of a command kind of an actor type.
pub(super) type Label = u16;

/// A command of a subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnCommand {
    pub(super) at_ns: u64,
    pub(super) label: Label,
}

/// Chains that are alike: each actor type does the same in the same order.
#[derive(Debug)]
pub(super) struct Kind {
    /// The commonest order.
    pub(super) labels: Vec<Label>,
    /// How many chains there are, in whatever order their types take turns.
    pub(super) count: usize,
    /// Times of the commands of each chain in the commonest order, by their first one.
    pub(super) times: Vec<Vec<u64>>,
}

/// The chains of all subjects.
#[derive(Debug)]
pub(super) struct Cut {
    /// Commonest first.
    pub(super) kinds: Vec<Kind>,
    /// Time from one command to the next within a chain, at most, nanoseconds.
    pub(super) pause_ns: u64,
    /// Time at which each of these chains begins, ascending.
    pub(super) starts_ns: Vec<u64>,
    /// Commands in them.
    pub(super) explained: usize,
}

/// Share of the commands of the subjects that chains have to explain.
const MOST: f64 = 0.9;
/// Chains that are alike are a kind from one in so many on, and from this number on.
const ONE_IN: usize = 50;
const LEAST_COUNT: usize = 20;
/// Quantiles of the times between commands that are looked at for a jump.
const QUANTILES: usize = 200;
/// Factor between neighbouring quantiles from which on they differ by a jump.
const JUMP: f64 = 3.0;
/// Jumps that are tried, the greatest first.
const MOST_JUMPS: usize = 4;

/// Cuts the commands of each subject where the times between them jump; whole if they never do. `None` if chains that are alike
/// explain too little. `type_of` is the actor type of a label.
pub(super) fn cut(subjects: &[Vec<OwnCommand>], type_of: impl Fn(Label) -> usize) -> Option<Cut> {
    let mut pauses = jumps(subjects);
    pauses.push(u64::MAX);
    pauses.into_iter().find_map(|pause_ns| cut_at(subjects, pause_ns, &type_of))
}

/// Times that separate those within chains from those between them, the clearest first.
fn jumps(subjects: &[Vec<OwnCommand>]) -> Vec<u64> {
    let between = |pair: &[OwnCommand]| pair[1].at_ns - pair[0].at_ns;
    let mut times: Vec<u64> = subjects.iter().flat_map(|own| own.windows(2).map(between)).collect();
    times.sort_unstable();
    let quantile = |at: usize| times[at * (times.len() - 1) / QUANTILES].max(1);
    // Chains have two commands and more: at least half of the times lie within them.
    let pairs = (QUANTILES / 2..=QUANTILES).filter(|_| !times.is_empty()).map(|at| (quantile(at - 1), quantile(at)));
    let mut jumps: Vec<(f64, u64)> = pairs
        .map(|(below, above)| (above as f64 / below as f64, below.saturating_mul(above).isqrt().max(below)))
        .filter(|(factor, _)| *factor >= JUMP)
        .collect();
    jumps.sort_by(|a, b| b.0.total_cmp(&a.0));
    jumps.into_iter().take(MOST_JUMPS).map(|(_, pause)| pause).collect()
}

/// Chains by the order of their commands.
type Orders<'a> = HashMap<Vec<Label>, Vec<&'a [OwnCommand]>>;

fn cut_at(subjects: &[Vec<OwnCommand>], pause_ns: u64, type_of: &impl Fn(Label) -> usize) -> Option<Cut> {
    let follows = |one: &OwnCommand, next: &OwnCommand| next.at_ns - one.at_ns <= pause_ns;
    let mut orders: HashMap<Vec<Label>, Orders<'_>> = HashMap::new();
    let (mut all, mut chains) = (0, 0);
    for chain in subjects.iter().flat_map(|own| own.chunk_by(follows)) {
        let labels: Vec<Label> = chain.iter().map(|command| command.label).collect();
        let mut by_type = labels.clone();
        by_type.sort_by_key(|&label| type_of(label));
        orders.entry(by_type).or_default().entry(labels).or_default().push(chain);
        (all, chains) = (all + chain.len(), chains + 1);
    }
    let least = LEAST_COUNT.max(chains / ONE_IN);
    let count = |orders: &Orders<'_>| orders.values().map(Vec::len).sum::<usize>();
    let mut known: Vec<_> = orders.into_iter().filter(|(_, orders)| count(orders) >= least).collect();
    known.sort_by(|(a, x), (b, y)| count(y).cmp(&count(x)).then_with(|| a.cmp(b)));
    known.truncate(MOST_TRANSACTIONS);
    let explained: usize = known.iter().map(|(labels, orders)| labels.len() * count(orders)).sum();
    if (explained as f64) < MOST * all as f64 || explained == 0 {
        return None;
    }
    let chains = known.iter().flat_map(|(_, orders)| orders.values().flatten());
    let mut starts_ns: Vec<u64> = chains.map(|chain| chain[0].at_ns).collect();
    starts_ns.sort_unstable();
    let kind = |(_, orders): (_, Orders<'_>)| {
        let count = count(&orders);
        let (labels, chains) =
            orders.into_iter().max_by(|(a, x), (b, y)| x.len().cmp(&y.len()).then_with(|| b.cmp(a)))?;
        let of = |chain: &[OwnCommand]| chain.iter().map(|command| command.at_ns).collect();
        let mut times: Vec<Vec<u64>> = chains.into_iter().map(of).collect();
        times.sort_unstable();
        Some(Kind { labels, count, times })
    };
    Some(Cut { kinds: known.into_iter().filter_map(kind).collect(), pause_ns, starts_ns, explained })
}
