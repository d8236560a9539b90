//! Compares a trace with a generated one, aspect by aspect.

use serde::Serialize;

use crate::trace::info::{Sizes, TraceInfo};
use ave_actors_rocksdb::trace::{CommandKind, OpKind};

/// Values beyond a percentile that its comparison needs.
const VALUES_BEYOND: f64 = 10.0;
/// Values that the comparison of the largest needs: of fewer, it is random.
const VALUES_FOR_MAX: u64 = 10_000;
/// Commands that the comparison of their dispersion needs: thirty windows of a hundred.
pub(super) const COMMANDS_FOR_DISPERSION: u64 = 3_000;
/// Share of all bytes from which on those of a population are judged.
const LEAST_BYTES: f64 = 0.01;
/// Percent by which mean rates may differ at most: with more, a comparison of them means nothing.
const LARGEST_RATE_TOLERANCE: f64 = 30.0;
/// Index of dispersion above which it is compared; below, commands are about independent.
pub(super) const CLUSTERED: f64 = 2.0;

/// One aspect of a trace, and the difference of a fitted workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aspect {
    /// Aspect, for tables and warnings.
    pub name: &'static str,
    /// Unit of `difference` and `tolerance`: `percentage points`, `percent` of the trace's figure, or `absolute`.
    pub unit: &'static str,
    /// Both figures, and where the difference is largest.
    pub detail: String,
    /// The largest difference, not negative.
    pub difference: f64,
    /// Largest acceptable difference; `None` if the aspect is not judged.
    pub tolerance: Option<f64>,
}

impl Aspect {
    /// Whether the difference is acceptable.
    pub fn is_met(&self) -> bool {
        self.tolerance.is_none_or(|tolerance| self.difference <= tolerance)
    }
}

/// Compares a trace with a generated one. Aspects that neither has are left out. `rate_error` is the relative standard
/// error of the generated mean rate.
pub(super) fn compare(trace: &TraceInfo, generated: &TraceInfo, rate_error: f64) -> Vec<Aspect> {
    let both = [trace, generated];
    let mut aspects = vec![
        mix("command mix", CommandKind::ALL, TraceInfo::command_share, both),
        mix("operation mix", OpKind::ALL, TraceInfo::operation_share, both),
    ];
    aspects.extend(sizes(["event sizes", "largest event"], both.map(|info| info.event_sizes.as_ref())));
    aspects.extend(sizes(["state sizes", "largest state"], both.map(|info| info.state_sizes.as_ref())));
    let [one, other] = both.map(|info| 100.0 * info.skew.busiest_1_percent_share_ratio);
    // Fewer commands are those of fewer actors.
    let [commands, generated_commands] = both.map(|info| info.commands_count.values().sum::<u64>());
    let is_as_long = generated_commands >= commands;
    aspects.extend([
        absolute("skew exponent", 0.1, both.map(|info| info.skew.zipf_exponent)),
        points("share of the busiest 1 %", None, ((one - other).abs(), format!("{one:.2} % and {other:.2} %"))),
        percent("actors that occur", is_as_long.then_some(10.0), both.map(|info| info.actors_count as f64)),
    ]);
    if trace.commands_per_second > 0.0 {
        // The number of few bursts is random; that of very few says nothing.
        let tolerance = (300.0 * rate_error).ceil().max(10.0);
        let tolerance = (tolerance <= LARGEST_RATE_TOLERANCE).then_some(tolerance);
        aspects.push(percent("mean rate", tolerance, both.map(|info| info.commands_per_second)));
    }
    if let [Some(one), Some(other)] = both.map(|info| info.rhythm.burstiness_ratio) {
        aspects.push(absolute("burstiness", 0.1, [one, other]));
    }
    if let [Some(one), Some(other)] = both.map(|info| info.rhythm.dispersion_per_100_commands_ratio) {
        let enough = commands >= COMMANDS_FOR_DISPERSION;
        aspects.push(clustering(enough, one, other));
    }
    aspects
}

/// Bytes that a population writes, in a trace and as its workload has it.
pub(super) struct PopulationBytes {
    pub(super) name: String,
    pub(super) trace: f64,
    pub(super) workload: f64,
    /// Its commands in the trace.
    pub(super) commands: u64,
}

impl PopulationBytes {
    fn difference(&self) -> f64 {
        percent_off(self.trace, self.workload)
    }

    /// 10 %, or what few commands vary by: two standard errors of their number, and twice that, as each of them rewrites a state that
    /// has grown with their number.
    fn tolerance(&self) -> f64 {
        (400.0 / (self.commands.max(1) as f64).sqrt()).max(10.0)
    }
}

/// Compares the bytes that populations write, of the trace and of the workload: the one that is furthest off for its number of commands.
pub(super) fn bytes_by_population(populations: &[PopulationBytes]) -> Option<Aspect> {
    let all: f64 = populations.iter().map(|one| one.trace).sum();
    // A population that writes next to nothing decides nothing.
    let judged = populations.iter().filter(|one| one.trace >= LEAST_BYTES * all);
    let off = |one: &PopulationBytes| one.difference() / one.tolerance();
    let furthest = judged.max_by(|a, b| off(a).total_cmp(&off(b)))?;
    let detail = format!("{}: {} and {}", furthest.name, rounded(furthest.trace), rounded(furthest.workload));
    let (difference, tolerance) = (furthest.difference(), Some(furthest.tolerance().round()));
    Some(Aspect { name: "bytes by population", unit: "percent", detail, difference, tolerance })
}

/// The share of the trace's commands that the workload's transactions are made of, 0 to 1.
pub(super) fn commands_in_chains(share: f64) -> Aspect {
    let left = 100.0 * (1.0 - share).max(0.0);
    points("commands in transactions", Some(10.0), (left, format!("100 % and {:.1} %", 100.0 - left)))
}

fn mix<K: Copy + ToString, const N: usize>(
    name: &'static str,
    kinds: [K; N],
    share: impl Fn(&TraceInfo, K) -> f64,
    infos: [&TraceInfo; 2],
) -> Aspect {
    let differ = |kind: K| {
        let [one, other] = infos.map(|info| 100.0 * share(info, kind));
        ((one - other).abs(), format!("{}: {one:.2} % and {other:.2} %", kind.to_string()))
    };
    let largest = kinds.into_iter().map(differ).max_by(|a, b| a.0.total_cmp(&b.0));
    points(name, Some(1.0), largest.unwrap_or_default())
}

fn points(name: &'static str, tolerance: Option<f64>, (difference, detail): (f64, String)) -> Aspect {
    Aspect { name, unit: "percentage points", detail, difference, tolerance }
}

fn absolute(name: &'static str, tolerance: f64, [one, other]: [f64; 2]) -> Aspect {
    let detail = format!("{one:.2} and {other:.2}");
    Aspect { name, unit: "absolute", detail, difference: (one - other).abs(), tolerance: Some(tolerance) }
}

fn percent(name: &'static str, tolerance: Option<f64>, [one, other]: [f64; 2]) -> Aspect {
    let detail = format!("{} and {}", rounded(one), rounded(other));
    Aspect { name, unit: "percent", detail, difference: percent_off(one, other), tolerance }
}

/// Commands that come more evenly than at random are compared with 1, which is random.
fn clustering(enough: bool, one: f64, other: f64) -> Aspect {
    let is_judged = enough && one.max(other) > CLUSTERED;
    let aspect = percent("dispersion of 100 commands", is_judged.then_some(30.0), [one, other]);
    Aspect { difference: 100.0 * (one - other).abs() / one.max(1.0), ..aspect }
}

fn rounded(figure: f64) -> String {
    match figure.abs() {
        ..0.1 => format!("{figure:.2e}"),
        ..100.0 => format!("{figure:.2}"),
        _ => format!("{figure:.0}"),
    }
}

fn percent_off(one: f64, other: f64) -> f64 {
    100.0 * (one - other).abs() / one.abs().max(f64::MIN_POSITIVE)
}

/// Quantiles p1 to p99 with enough values, and the largest value.
fn sizes(names: [&'static str; 2], both: [Option<&Sizes>; 2]) -> Vec<Aspect> {
    let only = |who: &str| vec![size_aspect(names[0], (100.0, format!("only {who} writes any")))];
    let (one, other) = match both {
        [None, None] => return Vec::new(),
        [Some(_), None] => return only("the trace"),
        [None, Some(_)] => return only("the workload"),
        [Some(one), Some(other)] => (one, other),
    };
    let count = one.count().min(other.count());
    let supported = |percent: &usize| {
        let share = (*percent).min(100 - percent) as f64 / 100.0;
        count as f64 * share >= VALUES_BEYOND
    };
    let differ = |percent: usize| {
        let expected = one.quantile_bytes(10 * percent);
        let found = nearest(other, percent, count, expected);
        (size_off(expected, found), format!("p{percent}: {expected} and {found} B"))
    };
    let largest = (1..100).filter(supported).map(differ).max_by(|a, b| a.0.total_cmp(&b.0));
    let mut aspects: Vec<Aspect> = largest.map(|largest| size_aspect(names[0], largest)).into_iter().collect();
    if count >= VALUES_FOR_MAX {
        let [a, b] = [one, other].map(|sizes| sizes.quantile_bytes(1000));
        aspects.push(size_aspect(names[1], (size_off(a, b), format!("{a} and {b} B"))));
    }
    aspects
}

fn size_aspect(name: &'static str, (difference, detail): (f64, String)) -> Aspect {
    Aspect { name, unit: "percent", detail, difference, tolerance: Some(10.0) }
}

/// The quantile closest to `expected` within two standard errors of a share, `2 sqrt(p (1 - p) / n)`. Where sizes jump,
/// the neighbouring quantile may be very different.
fn nearest(sizes: &Sizes, percent: usize, count: u64, expected: u32) -> u32 {
    let share = percent as f64 / 100.0;
    let error = 2_000.0 * (share * (1.0 - share) / count as f64).sqrt();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousandths")]
    let error = error.round().clamp(0.0, 1000.0) as usize;
    let low = sizes.quantile_bytes((10 * percent).saturating_sub(error));
    let high = sizes.quantile_bytes(10 * percent + error);
    expected.clamp(low, high)
}

/// In percent; a difference of one byte does not count.
fn size_off(expected: u32, found: u32) -> f64 {
    if expected.abs_diff(found) <= 1 { 0.0 } else { percent_off(f64::from(expected), f64::from(found)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::builder::TraceBuilder;
    use crate::trace::info::info;
    use ave_actors_rocksdb::trace::{Op, Provenance};

    /// Each command is of another actor.
    fn of(commands: u64) -> TraceInfo {
        let mut builder = TraceBuilder::new(Provenance::default());
        for number in 0..commands {
            let actor = builder.actor("t", &number.to_string());
            let mut ops = [Op::new(OpKind::EventsPut, 0, 10)];
            builder.command(number, actor, CommandKind::Persist, &mut ops).unwrap();
        }
        info(&builder.finish().unwrap()).unwrap()
    }

    #[test]
    fn actors_of_fewer_commands_are_not_judged_by_their_number() {
        let judged = |commands| {
            let aspects = compare(&of(100), &of(commands), 0.0);
            let actors = aspects.into_iter().find(|aspect| aspect.name == "actors that occur").unwrap();
            (actors.tolerance.is_some(), actors.is_met())
        };
        assert_eq!([50, 100, 200].map(judged), [(false, true), (true, true), (true, false)]);
    }
}
