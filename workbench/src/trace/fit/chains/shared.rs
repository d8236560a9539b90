//! Commands of actors that all subjects share, and the chains to which they belong.

use super::cuts::{Cut, Kind, Label};

/// Mean rank of the time until the next command, among those from moments by chance, above which it follows by chance: without
/// any relation it is one half.
const BY_CHANCE: f64 = 0.45;
/// Share of the chains of a kind that have to be followed by a command.
const MOST: f64 = 0.8;
/// Chains of a kind that are looked at to choose a place, at most.
const MOST_LOOKED_AT: usize = 4_000;
/// Chains that have no foreign commands in a place, which the order of its commands is taken from if there are so many.
const FEWEST_ALONE: usize = 20;

/// A command that belongs to each chain of a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Own commands of the chain before it.
    pub(super) after: usize,
    /// Median time from the own command before it, or to the first one, which is negative; nanoseconds.
    pub(super) offset_ns: i64,
    pub(super) label: Label,
    /// How many chains there are.
    pub(super) count: usize,
}

/// The places of one label's commands, whose times ascend, in the chains of each kind.
///
/// The place after which a command follows soonest, compared with moments by chance within the same chains, comes first; then what
/// follows there is looked at, until the places have as many commands as there are or the rest follows by chance. A place between two
/// own commands is also one if more commands lie there than beside the chain in the same time. Returns how many commands are left.
pub(super) fn places(cut: &Cut, label: Label, times: &[u64]) -> (Vec<Vec<Placed>>, usize) {
    let gap = |kind: usize, place: usize| Gap { kind: &cut.kinds[kind], place, pause_ns: cut.pause_ns };
    let chances: Vec<Chances> = cut.kinds.iter().map(|kind| Chances::of(kind, times)).collect();
    let mut candidates: Vec<Candidate> = Vec::new();
    for (kind, known) in cut.kinds.iter().enumerate() {
        for place in 0..=known.labels.len() {
            let gap = gap(kind, place);
            let excess = gap.excess(times);
            candidates
                .push(Candidate { excess, ..gap.candidate(kind, times, &starts_of(known, place), &chances[kind]) });
        }
    }
    let mut found: Vec<Vec<Placed>> = cut.kinds.iter().map(|_| Vec::new()).collect();
    let mut left = times.len();
    loop {
        let is_open = |one: &&mut Candidate| {
            let chains = MOST * cut.kinds[one.kind].times.len() as f64;
            let is_more = one.excess > one.placed as f64 + 0.5;
            (one.rank < BY_CHANCE || is_more) && one.count as f64 >= chains && left as f64 >= chains
        };
        let open = candidates.iter_mut().filter(is_open);
        let Some(best) = open.min_by(|a, b| a.rank.total_cmp(&b.rank)) else { break };
        let Candidate { kind, place, offset_ns, .. } = *best;
        let count = cut.kinds[kind].count;
        found[kind].push(Placed { after: place, offset_ns, label, count });
        left = left.saturating_sub(count);
        let (placed, excess) = (best.placed + 1, best.excess);
        *best = Candidate { excess, placed, ..gap(kind, place).candidate(kind, times, &best.upto, &chances[kind]) };
    }
    for (kind, placed) in found.iter_mut().enumerate() {
        for place in 0..=cut.kinds[kind].labels.len() {
            let here: Vec<&mut Placed> = placed.iter_mut().filter(|one| one.after == place).collect();
            gap(kind, place).refine(times, here);
        }
    }
    (found, left)
}

/// From when on a place of each chain is looked at: its own command before it, or the first one for what precedes the chain.
fn starts_of(kind: &Kind, place: usize) -> Vec<u64> {
    kind.times.iter().map(|times| times[place.saturating_sub(1)]).collect()
}

/// A place in the chains of a kind: before the first own command, or after the own command of that number, up to the next one.
struct Gap<'a> {
    kind: &'a Kind,
    place: usize,
    pause_ns: u64,
}

/// What follows in a place of the chains of a kind.
struct Candidate {
    kind: usize,
    place: usize,
    /// Mean rank of the times until the command, see [`Chances::rank`]; 1 where none follows.
    rank: f64,
    /// See [`Gap::excess`].
    excess: f64,
    /// Commands that were placed here.
    placed: usize,
    /// Chains in which a command follows.
    count: usize,
    offset_ns: i64,
    /// Until when the commands of each chain are taken, with this one.
    upto: Vec<u64>,
}

impl Gap<'_> {
    /// The next command of a chain in this place: its number among `times`.
    fn next(&self, times: &[u64], chain: usize, from: u64) -> Option<usize> {
        if self.place == 0 {
            let at = times.partition_point(|&time| time < from).checked_sub(1)?;
            return (from - times[at] <= self.pause_ns).then_some(at);
        }
        let at = times.partition_point(|&time| time < from);
        let time = *times.get(at)?;
        let end = self.kind.times[chain].get(self.place).copied();
        (time < end.unwrap_or_else(|| from.saturating_add(self.pause_ns).saturating_add(1))).then_some(at)
    }

    /// The commands that follow `from`, a time for each chain.
    fn candidate(&self, kind: usize, times: &[u64], from: &[u64], chances: &Chances) -> Candidate {
        let mut upto = from.to_vec();
        let (mut offsets, mut ranks) = (Vec::new(), Vec::new());
        let step = chances.step;
        for (chain, upto) in upto.iter_mut().enumerate() {
            let is_looked_at = chain.is_multiple_of(step);
            let Some(at) = self.next(times, chain, *upto) else {
                ranks.extend(is_looked_at.then_some(1.0));
                continue;
            };
            ranks.extend(is_looked_at.then(|| chances.rank(self.place, times[at].abs_diff(*upto))));
            // The next one is looked for behind it, or before it in front of a chain.
            *upto = if self.place == 0 { times[at] } else { times[at] + 1 };
            let own = self.kind.times[chain][self.place.saturating_sub(1)];
            offsets.push(i64::try_from(times[at].abs_diff(own)).unwrap_or(i64::MAX));
        }
        offsets.sort_unstable();
        let offset = offsets.get(offsets.len() / 2).copied().unwrap_or(0);
        let offset_ns = if self.place == 0 { -offset } else { offset };
        let rank = ranks.iter().sum::<f64>() / ranks.len().max(1) as f64;
        Candidate { kind, place: self.place, rank, excess: 0.0, placed: 0, count: offsets.len(), offset_ns, upto }
    }

    /// Commands in this place, if it lies between two own commands, on average beyond those of the same time before and after the chain.
    fn excess(&self, times: &[u64]) -> f64 {
        if self.place == 0 || self.place == self.kind.labels.len() {
            return 0.0;
        }
        let before = |at: u64| times.partition_point(|&time| time < at) as f64;
        let within = |from: u64, length: u64| before(from.saturating_add(length)) - before(from);
        let of = |own: &Vec<u64>| {
            let (first, last) = (own[0], own[own.len() - 1]);
            let (from, length) = (own[self.place - 1], own[self.place] - own[self.place - 1]);
            let beside = [first.saturating_sub(last - first + length), last.saturating_add(last - first)];
            within(from, length) - beside.map(|from| within(from, length)).iter().sum::<f64>() / 2.0
        };
        self.kind.times.iter().map(of).sum::<f64>() / self.kind.times.len().max(1) as f64
    }

    /// Sets the offsets of what was placed here by the chains that have just as many commands in this place, if there are enough of them:
    /// in others, some of the commands belong to chains beside them.
    fn refine(&self, times: &[u64], mut placed: Vec<&mut Placed>) {
        if self.place == 0 || self.place == self.kind.labels.len() || placed.is_empty() {
            return;
        }
        let offsets = |own: &Vec<u64>| {
            let [from, to] = [own[self.place - 1], own[self.place]];
            let [first, end] = [from, to].map(|at| times.partition_point(|&time| time < at));
            let offset = |&time: &u64| i64::try_from(time - from).unwrap_or(i64::MAX);
            (end - first == placed.len()).then(|| times[first..end].iter().map(offset).collect::<Vec<_>>())
        };
        let known: Vec<Vec<i64>> = self.kind.times.iter().filter_map(offsets).collect();
        if known.len() < FEWEST_ALONE {
            return;
        }
        for (number, one) in placed.iter_mut().enumerate() {
            let mut offsets: Vec<i64> = known.iter().map(|offsets| offsets[number]).collect();
            offsets.sort_unstable();
            one.offset_ns = offsets[offsets.len() / 2];
        }
    }
}

/// Times to the nearest command from moments within the chains of a kind, ascending: how soon commands follow by chance. Moments are
/// spread evenly by the golden ratio.
struct Chances {
    /// One in so many chains is looked at.
    step: usize,
    /// To the command before the moment.
    before: Vec<u64>,
    /// To the command after it.
    after: Vec<u64>,
}

impl Chances {
    fn of(kind: &Kind, times: &[u64]) -> Self {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let step = kind.times.len().div_ceil(MOST_LOOKED_AT).max(1);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (chain, own) in kind.times.iter().enumerate().step_by(step) {
            let length = own[own.len() - 1] - own[0];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let moment = own[0] + ((chain as f64 * GOLDEN).fract() * length as f64) as u64;
            let at = times.partition_point(|&time| time < moment);
            before.push(at.checked_sub(1).map_or(u64::MAX, |at| moment - times[at]));
            after.push(times.get(at).map_or(u64::MAX, |time| time - moment));
        }
        before.sort_unstable();
        after.sort_unstable();
        Self { step, before, after }
    }

    /// Rank of the time until the next command of a place: 0 if it follows at once, on average a half if by chance.
    fn rank(&self, place: usize, lag_ns: u64) -> f64 {
        let lags = if place == 0 { &self.before } else { &self.after };
        lags.partition_point(|&other| other < lag_ns) as f64 / lags.len() as f64
    }
}
