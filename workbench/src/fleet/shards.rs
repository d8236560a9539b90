//! Shards of one trace, replayed on as many hosts: their figures add up to those of the trace.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::error::{MergeError, numbered};
use super::report_with_log::ReportWithLog;
use super::result::ShardedTrace;
use crate::actor::Durability;
use crate::report::{ModeResult, Report, ReportKind, ShardInfo, Warning};
use crate::units;

pub(super) const ADDING_METHOD: &str = "Shards. The rates of the shards are added, also round by round, and so are \
    their commands, their storage operations and the sizes of their databases. A shard that ends before the others still \
    counts with its own rate.";

/// Longest time between the starts of shards that ran together, as a share of the shortest measured time.
const APART_SHARE: f64 = 0.1;

/// Whether any report is that of a shard.
pub(super) fn has_shards(reports: &[ReportWithLog]) -> bool {
    reports.iter().any(|one| one.report.source.shard.is_some())
}

/// Checks that the reports, all of shards of one trace, have each of its shards once; sorts them.
pub(super) fn complete(reports: &mut [ReportWithLog]) -> Result<ShardedTrace, MergeError> {
    if let Some(plan) = reports.iter().find(|one| one.report.kind == ReportKind::Plan) {
        return Err(MergeError::PlanOfShard(plan.path.clone()));
    }
    let mut by_number = BTreeMap::new();
    for one in &*reports {
        if let Some(shard) = &one.report.source.shard
            && let Some(first) = by_number.insert(shard.number, one)
        {
            let (first, second) = (first.path.clone(), one.path.clone());
            return Err(MergeError::ShardTwice { number: shard.number, first, second });
        }
    }
    let shards = || reports.iter().filter_map(|one| one.report.source.shard.as_ref());
    let Some(ShardInfo { count, trace_sha256, trace_commands_count, trace_operations_count, .. }) = shards().next()
    else {
        return Err(MergeError::Nothing);
    };
    let missing: Vec<u32> = (1..=*count).filter(|number| !by_number.contains_key(number)).collect();
    if !missing.is_empty() {
        return Err(MergeError::ShardsMissing { missing, count: *count });
    }
    let found = [shards().map(|shard| shard.commands_count).sum(), shards().map(|shard| shard.operations_count).sum()];
    let expected = [*trace_commands_count, *trace_operations_count];
    if found != expected {
        return Err(MergeError::ShardsAltered { found, expected });
    }
    let sharded = ShardedTrace {
        shards_count: *count,
        trace_sha256: trace_sha256.clone(),
        commands_count: expected[0],
        operations_count: expected[1],
    };
    reports.sort_by_key(|one| one.report.source.shard.as_ref().map(|shard| shard.number));
    Ok(sharded)
}

/// The rates of the rounds of all shards together, commands per second: the lowest and the highest.
pub(super) fn added_range(modes: &[&ModeResult]) -> [f64; 2] {
    let rounds = modes.iter().map(|mode| mode.rounds.len()).min().unwrap_or_default();
    let sums = (0..rounds).map(|round| modes.iter().map(|mode| mode.rounds[round].commands_per_second).sum::<f64>());
    super::capacity::ends(sums)
}

/// Doubts about shards that did not run together, or not to their ends.
pub(super) fn shard_warnings(
    reports: &[ReportWithLog],
    sharded: &ShardedTrace,
    durabilities: &[Durability],
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = apart(reports).into_iter().chain(one_host(reports)).collect();
    warnings.extend(durabilities.iter().filter_map(|&durability| not_replayed(reports, sharded, durability)));
    warnings
}

/// Shards of equal preparations measure as far apart as they began.
fn apart(reports: &[ReportWithLog]) -> Option<Warning> {
    let began = |one: &ReportWithLog| {
        let Report { started_at, settings, .. } = &one.report;
        settings.start_at.as_ref().unwrap_or(started_at).parse::<Timestamp>().ok()
    };
    let starts = || reports.iter().filter_map(began);
    let seconds = starts().max()?.duration_since(starts().min()?).as_secs_f64();
    let shortest = reports.iter().map(measured_seconds).fold(f64::INFINITY, f64::min);
    if seconds <= APART_SHARE * shortest {
        return None;
    }
    let [apart, measured] = [seconds, shortest].map(units::seconds);
    let together = if seconds < shortest {
        format!("they ran together for about {} of it", units::seconds(shortest - seconds))
    } else {
        "they did not run together".to_owned()
    };
    Some(Warning {
        what: format!("The shards began up to {apart} apart, and the shortest measured for {measured}: {together}."),
        hint: "What hosts share, such as a network disk, was not under the load of all of them. Begin them together: \
               `run --start-at`."
            .to_owned(),
    })
}

/// Time of all rounds and modes.
fn measured_seconds(one: &ReportWithLog) -> f64 {
    let modes = one.report.modes.iter().filter(|mode| mode.achieved_per_second > 0.0);
    modes.map(|mode| mode.commands_count as f64 / mode.achieved_per_second).sum()
}

fn one_host(reports: &[ReportWithLog]) -> Option<Warning> {
    let mut hosts: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for Report { host, source, .. } in reports.iter().map(|one| &one.report) {
        if let Some((host, shard)) = host.boot_id.as_deref().zip(source.shard.as_ref()) {
            hosts.entry(host).or_default().push(shard.number);
        }
    }
    let shared: Vec<String> = hosts.values().filter(|shards| shards.len() > 1).map(|shards| numbered(shards)).collect();
    (!shared.is_empty()).then(|| Warning {
        what: format!("Shards were measured on one host: {}.", shared.join("; ")),
        hint: "Runs one after the other had the whole host each, so their sum is the rate of no machine. Measure each shard \
               on a host of its own."
            .to_owned(),
    })
}

/// A trace that is replayed once per round has all of its operations in each.
fn not_replayed(reports: &[ReportWithLog], sharded: &ShardedTrace, durability: Durability) -> Option<Warning> {
    let settings = &reports.first()?.report.settings;
    if settings.measure_seconds.is_some() || settings.warmup_seconds > 0.0 {
        return None;
    }
    let modes = || reports.iter().filter_map(|one| one.mode(durability));
    let rounds: BTreeSet<usize> = modes().map(|mode| mode.rounds.len()).collect();
    let found: u64 = modes().map(|mode| mode.operations_count).sum();
    let expected = sharded.operations_count.saturating_mul(u64::from(settings.rounds_count));
    (found != expected || rounds.len() > 1).then(|| Warning {
        what: format!(
            "With durability {durability} the shards issued {} storage operations, the trace has {} in {}.",
            units::count(found),
            units::count(expected),
            units::counted(u64::from(settings.rounds_count), "round"),
        ),
        hint: "A run was interrupted. Repeat it before a decision.".to_owned(),
    })
}
