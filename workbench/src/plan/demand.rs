//! Machines over the demand: the machine for each rate, why the others are rejected, what they cost, and which to order.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::actor::Durability;
use crate::catalogue::{Catalogue, CatalogueMachine, HOURS_PER_MONTH};
use crate::host::HOST;
use crate::plan::limits::{Limits, machine};
use crate::plan::regret::{Choice, Growing, least_regret};
use crate::plan::spec::Demand;
use crate::plan::stored_data::date_after;
use crate::report::{
    CatalogueEntry, CatalogueInfo, DemandInfo, DemandMode, DemandStep, End, Evidence, LeastRegret, MachineCost,
    MachineMode, MachineStanding, PlanResult, ProfileEvidence, Reason, ReasonKind, Recommendation, Report,
    TargetMachine, ValidUntil, suffices,
};
use crate::units::{self, DAYS_PER_MONTH};
use crate::workload::path_text;

const SECONDS_PER_HOUR: f64 = 3_600.0;

/// A catalogue as reports have it.
pub(super) fn catalogue_info(catalogue: &Catalogue) -> CatalogueInfo {
    let entry = |CatalogueMachine { machine, disk, price }: &CatalogueMachine| CatalogueEntry {
        profile: machine.name.clone(),
        cpu_millicores_count: machine.millicores,
        ram_bytes: machine.ram_mb << 20,
        price_per_month: price.as_ref().map(|price| price.per_month),
        price_on: price.as_ref().map(|price| price.on.to_string()),
        disk_bytes: disk.bytes,
        disk_sync_ns: disk.sync_ns,
        disk_writes_per_second: disk.writes_per_second,
        disk_bytes_per_second: disk.bytes_per_second,
    };
    let prices = catalogue.machines.iter().filter_map(|one| one.price.as_ref());
    CatalogueInfo {
        origin: path_text(&catalogue.origin),
        currency: catalogue.currency.clone(),
        prices_on: prices.map(|price| price.on).min().map(|day| day.to_string()),
        machines: catalogue.machines.iter().map(entry).collect(),
    }
}

/// What a machine costs at the target; `None` if its price is not known.
pub(super) fn cost(catalogue: Option<&CatalogueInfo>, profile: &str, target_per_second: f64) -> Option<MachineCost> {
    let catalogue = catalogue?;
    let entry = catalogue.entry(profile)?;
    let per_month = entry.price_per_month?;
    let million_commands = target_per_second * HOURS_PER_MONTH * SECONDS_PER_HOUR / 1e6;
    Some(MachineCost {
        currency: catalogue.currency.clone()?,
        per_month,
        per_million_commands: per_month / million_commands,
        price_on: entry.price_on.clone()?,
    })
}

/// What is known of a candidate at other rates than the target.
pub(super) trait Reach {
    /// The highest target that it is known to sustain with the headroom until the horizon.
    fn usable(&self, known: &ProfileEvidence, durability: Durability) -> Option<f64>;

    /// The highest demand that it is known to sustain with the headroom while the demand grows from a target that it is enough
    /// for, its disk aside.
    fn usable_by_rate(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> f64;

    /// Days until its disk is full at a target; `None` if not within a hundred years, and where nothing is known of it.
    fn days_until_full(&self, known: &ProfileEvidence, target_per_second: f64) -> Option<f64>;
}

impl Reach for Limits<'_> {
    fn usable(&self, known: &ProfileEvidence, durability: Durability) -> Option<f64> {
        let measured = self.plan.profile(&known.profile)?;
        Limits::usable(self, measured, measured.mode(durability)?)
    }

    fn usable_by_rate(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> f64 {
        Limits::usable_by_rate(self, known, mode, target_per_second)
    }

    fn days_until_full(&self, known: &ProfileEvidence, target_per_second: f64) -> Option<f64> {
        Limits::days_until_full(self, known, target_per_second)
    }
}

/// Adds the machines over the demand to the report of a plan that was measured, and to its verdict which one to order.
pub(super) fn add_demand(report: &mut Report, demand: &Demand) {
    let Some(plan) = &report.plan else { return };
    let found = demand_info(plan, &Limits::new(plan, report, demand), demand);
    add(report, found);
}

/// The same where what is known of the machines is not from this report alone.
#[cfg(feature = "rocksdb")]
pub(super) fn add_demand_of(report: &mut Report, reach: &impl Reach, demand: &Demand) {
    if let Some(found) = report.plan.as_ref().map(|plan| demand_info(plan, reach, demand)) {
        add(report, found);
    }
}

/// The day on which the rates of a report were measured.
pub(super) fn day_of(report: &Report) -> Date {
    let started: Option<Timestamp> = report.started_at.parse().ok();
    started.map_or_else(|| jiff::Zoned::now().date(), |started| started.to_zoned(TimeZone::UTC).date())
}

/// Where the growing demand exceeds what a recommended machine sustains before anything else ends the answer, that ends it.
/// `first_day` is that of the plan.
pub(super) fn end_with_demand(plan: &mut PlanResult, first_day: Date) {
    let Some(demand) = &plan.demand else { return };
    let likely = demand.targets_per_second.len() / 2;
    let months = plan.recommendations.iter().filter_map(|one| {
        let mode = demand.modes.iter().find(|mode| mode.durability == one.durability)?;
        let target = mode.targets.get(likely).filter(|target| target.profile == one.profile)?;
        target.enough_for_months
    });
    let Some(days) = months.reduce(f64::min).map(|months| months * DAYS_PER_MONTH) else { return };
    // What fills a disk is known already.
    if plan.valid_until.as_ref().is_none_or(|known| days < known.days - 1.0) {
        plan.valid_until = Some(ValidUntil { days, on: date_after(first_day, days), end: End::Demand });
    }
}

fn add(report: &mut Report, found: DemandInfo) {
    let orders = found.modes.iter().filter_map(|mode| mode.least_regret.as_ref());
    let reasons = orders.map(|order| Reason::new(ReasonKind::Demand, order.sentence.clone())).collect::<Vec<_>>();
    report.verdict.reasons.extend(reasons);
    if let Some(plan) = &mut report.plan {
        plan.demand = Some(found);
    }
}

fn demand_info(plan: &PlanResult, reach: &impl Reach, demand: &Demand) -> DemandInfo {
    let targets_per_second = demand.targets(plan.target_per_second);
    let likely = targets_per_second.len() / 2;
    let factor = 1.0 + demand.growth_percent_per_month / 100.0;
    let demands: Vec<_> = targets_per_second.iter().map(|&per_second| Growing { per_second, factor }).collect();
    let of_mode = |recommendation: &Recommendation| {
        ModeDemand { plan, reach, recommendation, machines: machines(plan, reach, recommendation) }.info(
            &demands,
            likely,
            demand.months,
        )
    };
    let modes: Vec<_> = plan.recommendations.iter().map(of_mode).collect();
    let price = |on: bool| {
        let one = plan.recommendations.iter().find(|one| one.durability.is_on() == on)?;
        one.cost.as_ref().map(|cost| cost.per_month)
    };
    DemandInfo {
        targets_per_second,
        growth_percent_per_month: demand.growth_percent_per_month,
        months: demand.months,
        durability_per_month: price(true).zip(price(false)).map(|(on, off)| on - off),
        modes,
    }
}

/// What ends a machine that is enough today.
#[derive(Debug, Clone, Copy)]
enum DemandEnd {
    Rate,
    Disk,
}

/// A candidate with its figures in one durability mode.
struct Candidate<'a> {
    known: &'a ProfileEvidence,
    /// At the target.
    mode: &'a MachineMode,
    usable_per_second: Option<f64>,
    per_month: Option<f64>,
}

struct ModeDemand<'a, R> {
    plan: &'a PlanResult,
    reach: &'a R,
    recommendation: &'a Recommendation,
    /// In the order of preference, without this host, which cannot be bought.
    machines: Vec<Candidate<'a>>,
}

fn machines<'a>(plan: &'a PlanResult, reach: &impl Reach, recommendation: &Recommendation) -> Vec<Candidate<'a>> {
    let candidate = |known: &'a ProfileEvidence| {
        let mode = known.mode(recommendation.durability)?;
        let usable_per_second = reach.usable(known, recommendation.durability);
        let entry = plan.catalogue.as_ref().and_then(|catalogue| catalogue.entry(&known.profile));
        let per_month = entry.and_then(|entry| entry.price_per_month);
        Some(Candidate { known, mode, usable_per_second, per_month })
    };
    plan.profiles.iter().filter(|known| known.profile != HOST).filter_map(candidate).collect()
}

impl<R: Reach> ModeDemand<'_, R> {
    fn info(&self, demands: &[Growing], likely: usize, months: f64) -> DemandMode {
        let standing = |candidate: &Candidate<'_>| MachineStanding {
            profile: candidate.known.profile.clone(),
            is_chosen: self.is_chosen(candidate),
            usable_per_second: candidate.usable_per_second,
            price_per_month: candidate.per_month,
            reason: self.reason(candidate),
        };
        DemandMode {
            durability: self.recommendation.durability,
            machines: self.machines.iter().map(standing).collect(),
            steps: self.steps(),
            targets: demands.iter().map(|&demand| self.target(demand, months)).collect(),
            least_regret: self.order(demands, likely, months),
        }
    }

    fn is_chosen(&self, candidate: &Candidate<'_>) -> bool {
        self.recommendation.profile.as_ref() == Some(&candidate.known.profile)
    }

    /// Candidates that are known to be enough for a target.
    fn enough(&self, target_per_second: f64) -> impl Iterator<Item = &Candidate<'_>> {
        self.machines.iter().filter(move |one| is_enough(one, target_per_second))
    }

    /// One step up to each limit of a candidate.
    fn steps(&self) -> Vec<DemandStep> {
        let mut ends: Vec<f64> = self.machines.iter().filter_map(|one| one.usable_per_second).collect();
        ends.sort_by(f64::total_cmp);
        ends.dedup_by(|a, b| suffices(*b, *a));
        let mut steps: Vec<DemandStep> = Vec::new();
        for to_per_second in ends {
            let smallest = self.enough(to_per_second).min_by_key(|one| machine(one.known).size());
            let Some(smallest) = smallest.map(|one| one.known.profile.clone()) else { continue };
            let cheapest = self.enough(to_per_second).find(|one| one.per_month.is_some());
            let step = DemandStep {
                from_per_second: steps.last().map_or(0.0, |last| last.to_per_second),
                to_per_second,
                smallest,
                cheapest: cheapest.map(|one| one.known.profile.clone()),
                price_per_month: cheapest.and_then(|one| one.per_month),
            };
            match steps.last_mut() {
                Some(last) if last.smallest == step.smallest && last.cheapest == step.cheapest => {
                    last.to_per_second = to_per_second;
                }
                _ => steps.push(step),
            }
        }
        steps
    }

    /// What ends a candidate first that is enough for a demand today, and after how many months, in thousandths; `None` if nothing does
    /// within so many, beyond which nothing is known.
    fn first_end(&self, candidate: &Candidate<'_>, demand: Growing, months: f64) -> Option<(f64, DemandEnd)> {
        let usable = self.reach.usable_by_rate(candidate.known, candidate.mode, demand.per_second);
        let by_rate = demand.months_until(usable).map(|until| (until, DemandEnd::Rate));
        let full = self.reach.days_until_full(candidate.known, demand.per_second);
        let by_disk = full.map(|days| (days / DAYS_PER_MONTH, DemandEnd::Disk));
        let (until, end) = by_rate.into_iter().chain(by_disk).min_by(|a, b| a.0.total_cmp(&b.0))?;
        (until < months).then(|| ((1e3 * until).floor() / 1e3, end))
    }

    fn target(&self, demand: Growing, months: f64) -> TargetMachine {
        let first = self.enough(demand.per_second).next();
        TargetMachine {
            per_second: demand.per_second,
            profile: first.map(|one| one.known.profile.clone()),
            price_per_month: first.and_then(|one| one.per_month),
            enough_for_months: first.and_then(|one| self.first_end(one, demand, months)).map(|(until, _)| until),
        }
    }

    fn order(&self, demands: &[Growing], likely: usize, months: f64) -> Option<LeastRegret> {
        let currency = self.plan.catalogue.as_ref()?.currency.as_ref()?;
        let priced = self.machines.iter().filter_map(|one| {
            let (per_month, usable_per_second) = one.per_month.zip(one.usable_per_second)?;
            let sustained_per_second = self.reach.usable_by_rate(one.known, one.mode, usable_per_second);
            let name = one.known.profile.clone();
            Some((one, Choice { name, per_month, usable_per_second, sustained_per_second }))
        });
        let (candidates, choices): (Vec<_>, Vec<_>) = priced.unzip();
        let (place, regrets) = least_regret(&choices, demands, likely, months)?;
        let chosen = &choices[place];
        let end = |&demand: &Growing| {
            if is_enough(candidates[place], demand.per_second) {
                self.first_end(candidates[place], demand, months)
            } else {
                Some((0.0, DemandEnd::Rate))
            }
        };
        let ends: Vec<_> = demands.iter().map(end).collect();
        let durability = self.recommendation.durability;
        let price = units::money(chosen.per_month, currency);
        // Of equal ones the lowest demand.
        let worst = regrets.iter().zip(demands).rev().max_by(|a, b| a.0.total_cmp(b.0));
        let regret = worst.filter(|(regret, _)| **regret > 0.0).map_or_else(String::new, |(regret, demand)| {
            format!(
                "; in {} it costs at most {} more than always having the cheapest machine that is enough, at {}",
                units::months(months),
                units::money(*regret, currency),
                units::commands_per_second(demand.per_second)
            )
        });
        let next = ends.get(likely).copied().flatten().map_or_else(String::new, |(until, end)| {
            let until = units::months(until);
            match end {
                DemandEnd::Rate => format!("; the likely demand exceeds what it is known to sustain after {until}"),
                DemandEnd::Disk => format!("; at the likely demand its disk is full after {until}"),
            }
        });
        let beyond = demands.iter().find(|demand| self.enough(demand.per_second).next().is_none());
        let none = beyond.map_or_else(String::new, |demand| {
            format!("; no machine is known to be enough for {}", units::commands_per_second(demand.per_second))
        });
        Some(LeastRegret {
            profile: chosen.name.clone(),
            price_per_month: chosen.per_month,
            sentence: format!(
                "With durability {durability}, {} at {price} per month is regretted least{regret}{next}{none}.",
                chosen.name
            ),
            regrets,
            enough_for_months: ends.iter().map(|end| end.map(|(until, _)| until)).collect(),
        })
    }

    /// Why a candidate is recommended or rejected.
    fn reason(&self, candidate: &Candidate<'_>) -> String {
        let Candidate { mode, per_month, .. } = candidate;
        let plan = self.plan;
        if self.is_chosen(candidate) {
            let how = if per_month.is_some() { "cheapest" } else { "smallest" };
            let required = units::rate(plan.required_per_second);
            return format!("the {how} that sustains the required {required}{}", self.without_disk(candidate));
        }
        match (mode.holds, &mode.lacking) {
            (Some(true), _) => self.reason_against_enough(candidate),
            (Some(false), Some(lacking)) => lacking.evidence.clone(),
            (None, Some(lacking)) => format!("not known: {}", lacking.evidence),
            (Some(false), None) => too_slow(mode, plan),
            (None, None) => not_known(mode, plan),
        }
    }

    /// That its price is that of a machine without a disk, where those of others include one.
    fn without_disk(&self, candidate: &Candidate<'_>) -> &'static str {
        let Some(catalogue) = self.plan.catalogue.as_ref().filter(|_| candidate.per_month.is_some()) else { return "" };
        let has_disk = |name: &str| catalogue.entry(name).is_some_and(|entry| entry.disk_bytes.is_some());
        let others_have = self.machines.iter().any(|one| has_disk(&one.known.profile));
        if others_have && !has_disk(&candidate.known.profile) { "; its disk comes on top of its price" } else { "" }
    }

    fn reason_against_enough(&self, candidate: &Candidate<'_>) -> String {
        let chosen = self.machines.iter().find(|one| self.is_chosen(one));
        let name = chosen.map_or("another machine", |one| one.known.profile.as_str());
        let catalogue = self.plan.catalogue.as_ref();
        let currency = catalogue.and_then(|catalogue| catalogue.currency.as_deref());
        let is_larger = chosen.is_none_or(|chosen| machine(chosen.known).size() < machine(candidate.known).size());
        match (candidate.per_month, chosen.and_then(|one| one.per_month), currency) {
            (Some(own), Some(least), Some(currency)) => {
                // Of the prices as they are shown.
                let [own, least] = [own, least].map(|price| (100.0 * price).round());
                let more = units::money((own - least) / 100.0, currency);
                if own > least {
                    format!("sustains it, and costs {more} per month more than {name}")
                } else {
                    format!("sustains it, and costs as much as {name}, which is no larger")
                }
            }
            (None, Some(_), Some(_)) => "sustains it, and has no price in the catalogue".to_owned(),
            _ if is_larger => format!("sustains it, and is larger than {name}"),
            _ => format!("sustains it, and is as large as {name}"),
        }
    }
}

fn is_enough(candidate: &Candidate<'_>, target_per_second: f64) -> bool {
    candidate.usable_per_second.is_some_and(|usable| suffices(usable, target_per_second))
}

fn too_slow(mode: &MachineMode, plan: &PlanResult) -> String {
    let required = units::rate(plan.required_per_second);
    let binds = mode.binds().and_then(|binding| binding.resource.name());
    let binds = binds.map_or_else(String::new, |resource| format!("; the limit is {resource}"));
    match mode.sustained_per_second {
        Some(rate) if suffices(rate, plan.required_per_second) => {
            "sustains it now, and not with the database of the horizon".to_owned()
        }
        Some(rate) if mode.evidence == Evidence::Predicted => {
            format!("is predicted to sustain {} of the required {required}", units::rate(rate))
        }
        Some(rate) => format!("sustains {} of the required {required}{binds}", units::rate(rate)),
        None => format!("does not sustain the required {required}{binds}"),
    }
}

fn not_known(mode: &MachineMode, plan: &PlanResult) -> String {
    let required = units::rate(plan.required_per_second);
    match (mode.evidence, mode.range_per_second, mode.sustained_per_second) {
        (_, Some([low, high]), _) => {
            let how = if mode.evidence == Evidence::Predicted { "prediction" } else { "extrapolation" };
            format!("not known: {} to {} by {how}, {required} are required", units::number(low), units::rate(high))
        }
        (_, None, Some(rate)) if suffices(rate, plan.required_per_second) => {
            format!("not known: sustains {} now; no rate is known for the database of the horizon", units::rate(rate))
        }
        (Evidence::Implied, None, Some(rate)) => {
            format!("not known: sustains {} at least, {required} are required", units::rate(rate))
        }
        _ => format!("not known: {}", mode.reason),
    }
}
