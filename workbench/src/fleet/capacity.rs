//! The capacity of a machine by all of its plans.

use super::report_with_log::ReportWithLog;
use super::result::{MergedCapacity, RecommendationCount, TargetAnswer};
use crate::actor::Durability;
use crate::host::HOST;
use crate::report::{Capacity, GrowthInfo, Outcome, PlanResult, suffices};

/// `None` if no report is a plan.
pub(super) fn capacity(reports: &[ReportWithLog], durability: Durability) -> Option<MergedCapacity> {
    let found: Vec<Found<'_>> = reports.iter().filter_map(|one| Found::of(one, durability)).collect();
    if found.is_empty() {
        return None;
    }
    let capacities = || found.iter().map(|found| found.capacity);
    let growth = || found.iter().map(|found| found.growth);
    let sustained: Option<Vec<f64>> = found.iter().map(|found| found.sustained_per_second).collect();
    let holding = found.iter().filter(|found| found.holds).count();
    Some(MergedCapacity {
        saturation_range_per_second: known_ends(capacities().filter_map(|capacity| capacity.saturation_per_second)),
        sustained_per_second: sustained.and_then(|rates| rates.into_iter().reduce(f64::min)),
        most_sustained_per_second: found.iter().filter_map(|found| found.sustained_per_second).reduce(f64::max),
        answer: answer(&found),
        reports_holding_count: u32::try_from(holding).unwrap_or(u32::MAX),
        recommendations: recommendations(&found),
        database_bytes_per_million_commands: ends(growth().map(|growth| growth.per_million_commands_bytes)),
        database_bytes_per_day_at_target: ends(growth().map(|growth| growth.per_day_bytes)),
        days_until_disk_full: known_ends(growth().filter_map(|growth| growth.days_until_disk_full)),
    })
}

struct Found<'r> {
    capacity: &'r Capacity,
    growth: &'r GrowthInfo,
    /// Of the host itself if that was measured, which may exceed that of the machine it recommends.
    sustained_per_second: Option<f64>,
    profile: Option<&'r str>,
    holds: bool,
    outcome: Outcome,
}

impl<'r> Found<'r> {
    fn of(one: &'r ReportWithLog, durability: Durability) -> Option<Self> {
        let plan: &PlanResult = one.report.plan.as_ref()?;
        let capacity = plan.capacity(durability)?;
        let recommended = plan.recommendation(durability);
        let of_host = plan.profile(HOST).and_then(|host| host.mode(durability)?.sustained_per_second);
        let sustained_per_second = of_host.into_iter().chain(capacity.sustained_per_second).reduce(f64::max);
        Some(Self {
            capacity,
            growth: &plan.growth,
            sustained_per_second,
            profile: recommended.and_then(|recommended| recommended.profile.as_deref()),
            holds: recommended.is_some_and(|one| one.profile.is_some())
                && sustained_per_second.is_some_and(|rate| suffices(rate, plan.required_per_second)),
            outcome: one.report.verdict.outcome,
        })
    }
}

fn answer(found: &[Found<'_>]) -> TargetAnswer {
    let is_open = |found: &Found<'_>| found.outcome == Outcome::Inconclusive;
    if found.iter().any(|found| !found.holds && !is_open(found)) {
        TargetAnswer::Misses
    } else if found.iter().any(is_open) {
        TargetAnswer::Undecided
    } else {
        TargetAnswer::Holds
    }
}

fn recommendations(found: &[Found<'_>]) -> Vec<RecommendationCount> {
    let mut counts: Vec<RecommendationCount> = Vec::new();
    for found in found {
        match counts.iter_mut().find(|count| count.profile.as_deref() == found.profile) {
            Some(count) => count.reports_count += 1,
            None => counts.push(RecommendationCount { profile: found.profile.map(str::to_owned), reports_count: 1 }),
        }
    }
    counts.sort_by_key(|count| std::cmp::Reverse(count.reports_count));
    counts
}

/// The least and the most; zeroes without values.
pub(super) fn ends(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    known_ends(values).unwrap_or_default()
}

fn known_ends(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    Some([values.clone().reduce(f64::min)?, values.reduce(f64::max)?])
}
