//! A finished plan, ranked again: other targets, growth, headroom, machines or prices, without measuring.
//!
//! The rates are those of the plan. What they say about another target is [`Limits`]; what they say about another machine
//! is what a plan derives for machines that it did not search. Nothing is claimed beyond: what the plan does not know
//! stays unknown.

use std::path::{Path, PathBuf};

use crate::catalogue::Catalogue;
use crate::host::{HOST, MILLI, Machine};
use crate::load::Rate;
use crate::plan::candidate_hosts::CandidateHosts;
use crate::plan::changed_demand::ChangedDemand;
use crate::plan::demand::{add_demand_of, catalogue_info, day_of, end_with_demand};
use crate::plan::error::PlanError;
use crate::plan::evidence::KnownRates;
use crate::plan::limits::{Limits, has_given_disk, machine};
use crate::plan::other_host::OtherHost;
use crate::plan::ranked::Ranked;
use crate::plan::report::joined;
use crate::plan::scaling::{Scaling, ScalingRefusal};
use crate::plan::sentences;
use crate::plan::spec::{Demand, by_preference, check_headroom};
use crate::report::{
    CatalogueEntry, CatalogueInfo, Evidence, MachineMode, PlanResult, ProfileEvidence, RankedFrom, Recommendation,
    Report, suffices,
};
use crate::units;
use crate::workload::{excerpt, path_text};

/// What changes; `None` keeps what the plan has.
#[derive(Debug)]
pub(crate) struct RerankRequest<'a> {
    /// Where the report is, for messages.
    pub(crate) path: &'a Path,
    pub(crate) target: Option<&'a Rate>,
    /// Lowest and highest target that are thought possible.
    pub(crate) range: Option<&'a [Rate; 2]>,
    pub(crate) growth_percent_per_month: Option<f64>,
    pub(crate) headroom_percent: Option<f64>,
    pub(crate) catalogue: Option<Catalogue>,
    /// Other hosts: what they will sustain, instead of the machines of the plan.
    pub(crate) hosts: &'a [PathBuf],
    pub(crate) command: String,
    /// RFC 3339 in UTC.
    pub(crate) started_at: String,
}

/// Ranks the machines of a finished plan again.
pub(crate) fn rerank(report: &Report, request: &RerankRequest<'_>) -> Result<Report, PlanError> {
    let path = path_text(request.path);
    let Some(plan) = &report.plan else {
        return Err(PlanError::Usage(format!("--from {path}: it is the report of a run, expected that of a plan")));
    };
    if let Some(origin) = &plan.ranked_from {
        let report = &origin.report;
        return Err(PlanError::Usage(format!(
            "--from {path}: it ranks the plan {report} again and measured nothing, expected that plan"
        )));
    }
    let commands = |rate: &Rate| commands_per_second(rate, plan, &path);
    let target_per_second = request.target.map(commands).transpose()?.unwrap_or(plan.target_per_second);
    let range = request.range.map(|[low, high]| Ok::<_, PlanError>([commands(low)?, commands(high)?])).transpose()?;
    // Without a target, those of the plan.
    let range = range.or_else(|| range_of(plan).filter(|_| request.target.is_none()));
    let headroom_percent = request.headroom_percent.unwrap_or(plan.headroom_percent);
    check_headroom(headroom_percent).map_err(|error| PlanError::Usage(error.to_string()))?;
    let before = demand_of(plan);
    let demand = Demand {
        range_per_second: range,
        growth_percent_per_month: request.growth_percent_per_month.unwrap_or(before.growth_percent_per_month),
        ..before
    };
    let (others, prices) = other_hosts(report, request)?;
    // A disk that was given is attached to whichever machine is bought.
    let candidates = request.catalogue.clone().filter(|_| others.is_empty());
    let candidates = candidates.map(|one| if has_given_disk(report) { one.without_disks() } else { one });
    let known = with_candidates(&Limits::new(plan, report, &before), candidates.as_ref());
    let changed = ChangedDemand::new(report, plan, target_per_second, &demand);
    let limits = Limits { headroom_percent, measured: plan, ..Limits::new(&known, report, &demand) };
    let ranked = Ranked { before: plan, limits, changed };
    let targets = demand.targets(target_per_second);
    let hosts = (!others.is_empty()).then(|| CandidateHosts::new(report, &ranked, &others, prices, &targets));
    let mut plan = hosts.as_ref().map_or_else(|| ranked.plan(), CandidateHosts::plan);
    plan.ranked_from = Some(RankedFrom {
        report: path,
        started_at: report.started_at.clone(),
        target_per_second: ranked.before.target_per_second,
    });
    let certainty = hosts.as_ref().map_or_else(|| ranked.certainty(report, &plan), CandidateHosts::certainty);
    let mut found = Report {
        started_at: request.started_at.clone(),
        verdict: ranked.verdict(report, &plan, certainty),
        durability_price: report.durability_price.clone().filter(|_| hosts.is_none()).map(|price| ranked.price(price)),
        ..report.clone()
    };
    found.reproduce.command.clone_from(&request.command);
    let rate = sentences::rate_words(plan.transaction(), plan.target_per_second);
    let goal = sentences::goal(&found, &rate, &plan);
    let at_risk = found.durability_price.as_ref().and_then(|price| price.at_risk.as_ref());
    let at_risk = at_risk.cloned();
    let is_decided = ranked.is_decided(report, &plan);
    found.plan = Some(plan);
    match &hosts {
        Some(hosts) => add_demand_of(&mut found, hosts, &demand),
        None => add_demand_of(&mut found, &ranked.limits, &demand),
    }
    if let Some(plan) = &mut found.plan {
        end_with_demand(plan, day_of(report));
        found.verdict.sentence = hosts.as_ref().map_or_else(
            || sentences::answer(is_decided, &goal, plan, at_risk.as_ref()),
            |hosts| sentences::with_validity(hosts.sentence(plan.required_per_second, &goal), plan),
        );
    }
    Ok(found)
}

/// The lowest and the highest target of a plan.
fn range_of(plan: &PlanResult) -> Option<[f64; 2]> {
    let [low, _, high] = plan.demand.as_ref()?.targets_per_second[..] else { return None };
    Some([low, high])
}

/// Growth and months of a plan.
fn demand_of(plan: &PlanResult) -> Demand {
    let known = plan.demand.as_ref();
    Demand {
        range_per_second: None,
        growth_percent_per_month: known.map_or(0.0, |demand| demand.growth_percent_per_month),
        months: known.map_or_else(|| Demand::default().months, |demand| demand.months),
    }
}

/// The plan of a report at another target.
pub(super) fn at_target(report: &Report, plan: &PlanResult, target_per_second: f64) -> PlanResult {
    let demand = demand_of(plan);
    let changed = ChangedDemand::new(report, plan, target_per_second, &demand);
    Ranked { before: plan, limits: Limits::new(plan, report, &demand), changed }.plan()
}

/// The hosts, each with a name of its own, and their prices if there is a catalogue.
fn other_hosts(
    report: &Report,
    request: &RerankRequest<'_>,
) -> Result<(Vec<OtherHost>, Option<CatalogueInfo>), PlanError> {
    let read = |path: &PathBuf| OtherHost::read(path, (request.path, report));
    let mut hosts = request.hosts.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for (place, host) in hosts.iter().enumerate() {
        if let Some(earlier) = hosts[..place].iter().find(|earlier| earlier.stem == host.stem) {
            return Err(PlanError::Usage(format!(
                "--host: {} and {} have one name, `{}`: rename one of them",
                earlier.origin, host.origin, host.stem
            )));
        }
    }
    let prices = request.catalogue.as_ref().filter(|_| !hosts.is_empty()).map(|one| prices(one, &mut hosts));
    let prices = prices.transpose()?;
    Ok((hosts, prices))
}

/// The machines of a catalogue that are these hosts, by the names of their files. Their disks were probed.
fn prices(catalogue: &Catalogue, hosts: &mut [OtherHost]) -> Result<CatalogueInfo, PlanError> {
    let mut info = catalogue_info(catalogue);
    for host in hosts.iter_mut() {
        let Some(entry) = info.entry(&host.stem) else { continue };
        let millicores = u64::from(host.host.usable_cores_count) * MILLI;
        if entry.cpu_millicores_count != millicores {
            return Err(PlanError::Usage(format!(
                "--host {}: it has {}, and `{}` in {} has {}: is it the profile of another machine?",
                host.origin,
                units::cores(millicores),
                host.stem,
                info.origin,
                units::cores(entry.cpu_millicores_count)
            )));
        }
        host.name.clone_from(&host.stem);
    }
    info.machines.retain(|entry| hosts.iter().any(|host| host.name == entry.profile));
    if info.machines.is_empty() {
        let stems: Vec<_> = hosts.iter().map(|host| host.stem.as_str()).collect();
        return Err(PlanError::Usage(format!(
            "--machines {}: none of its machines has the name of a file of --host ({}): name the file after the machine",
            info.origin,
            stems.join(", ")
        )));
    }
    for entry in &mut info.machines {
        let CatalogueEntry { disk_bytes, disk_sync_ns, disk_writes_per_second, disk_bytes_per_second, .. } = entry;
        (*disk_bytes, *disk_sync_ns, *disk_writes_per_second, *disk_bytes_per_second) = (None, None, None, None);
    }
    Ok(info)
}

/// By what the plan says of the requests of its source.
fn commands_per_second(rate: &Rate, plan: &PlanResult, path: &str) -> Result<f64, PlanError> {
    let Some(of) = &rate.of else { return Ok(rate.per_second) };
    if let Some(request) = plan.requests.iter().find(|request| rate.is_of(&request.name)) {
        return Ok(rate.per_second * request.commands_per_request);
    }
    let of = excerpt(of);
    let issued: Vec<_> = plan.requests.iter().map(|request| request.name.as_str()).collect();
    Err(PlanError::Usage(if issued.is_empty() {
        format!(
            "--target: {path} was written by an earlier version and does not say how many commands `{of}` is: give commands/s"
        )
    } else {
        format!("--target: a rate of `{of}/s`, which the plan of {path} never issues; it issues {}", issued.join(", "))
    }))
}

/// The same plan with the machines of a catalogue as candidates, cheapest first.
fn with_candidates(limits: &Limits<'_>, catalogue: Option<&Catalogue>) -> PlanResult {
    let plan = limits.plan;
    let Some(catalogue) = catalogue else { return plan.clone() };
    let mut candidates: Vec<_> = catalogue
        .machines
        .iter()
        .map(|one| {
            (one.price.as_ref().map(|price| price.per_month), one.machine.clone(), evidence(limits, &one.machine))
        })
        .collect();
    let host = plan.profiles.iter().find(|known| known.profile == HOST);
    candidates.extend(host.map(|known| (None, machine(known), known.clone())));
    candidates.sort_by(|a, b| by_preference((a.0, &a.1), (b.0, &b.1)));
    let profiles = candidates.into_iter().map(|(_, _, known)| known).collect();
    let mut plan = PlanResult { profiles, catalogue: Some(catalogue_info(catalogue)), ..plan.clone() };
    // The disks of the catalogue.
    let limits = Limits { plan: &plan.clone(), ..*limits };
    for known in &mut plan.profiles {
        let lacking: Vec<_> =
            known.modes.iter().map(|mode| limits.shortfall(known, mode, limits.plan.target_per_second)).collect();
        for (mode, shortfall) in known.modes.iter_mut().zip(lacking) {
            if let Some(shortfall) = shortfall {
                mode.holds = shortfall.holds();
            }
        }
    }
    plan
}

/// What a plan says about a machine that was perhaps no candidate of it.
fn evidence(limits: &Limits<'_>, wanted: &Machine) -> ProfileEvidence {
    let plan = limits.plan;
    let named = |known: ProfileEvidence| ProfileEvidence {
        profile: wanted.name.clone(),
        cpu_cores_count: u32::try_from(wanted.cores).unwrap_or(u32::MAX),
        cpu_millicores_count: wanted.part_of_a_core(),
        ram_bytes: wanted.ram_mb << 20,
        ..known
    };
    if let Some(same) = plan.profiles.iter().find(|known| machine(known).is_same_size(wanted)) {
        let is_same = same.profile == wanted.name;
        let mode = |mode: &MachineMode| {
            // The disk of the machine in the plan is not that of this one.
            let by_disk = limits.shortfall(same, mode, plan.target_per_second).is_some();
            let of_same = if is_same { String::new() } else { format!("has the size of {}: ", same.profile) };
            let is_too_slow = mode.sustained_per_second.is_some_and(|rate| !suffices(rate, plan.required_per_second));
            MachineMode {
                holds: mode.holds.filter(|_| !by_disk || is_too_slow),
                lacking: None,
                reason: of_same + &mode.reason,
                ..mode.clone()
            }
        };
        let modes = same.modes.iter().map(mode).collect();
        return named(ProfileEvidence { modes, ..same.clone() });
    }
    let modes: Vec<_> = plan.recommendations.iter().map(|one| derived(plan, one, wanted)).collect();
    let (evidence, reason) = joined(&modes);
    named(ProfileEvidence {
        profile: String::new(),
        cpu_cores_count: 0,
        cpu_millicores_count: None,
        ram_bytes: 0,
        evidence,
        reason,
        modes,
    })
}

fn derived(plan: &PlanResult, recommendation: &Recommendation, wanted: &Machine) -> MachineMode {
    let durability = recommendation.durability;
    let machines: Vec<_> = plan.profiles.iter().map(|known| (machine(known), known)).collect();
    let was_searched =
        |mode: &MachineMode| matches!(mode.evidence, Evidence::Measured | Evidence::Emulated | Evidence::CoresEmulated);
    let rate = |known: &ProfileEvidence| {
        let mode = known.mode(durability).filter(|mode| was_searched(mode))?;
        mode.sustained_per_second
    };
    let scaling = plan.scaling.iter().find(|scaling| scaling.durability == durability);
    let law: Option<Result<Scaling, ScalingRefusal>> = scaling.map(|scaling| Scaling::fit(&scaling.points));
    let rates = KnownRates {
        durability,
        rates: machines.iter().filter_map(|(machine, known)| Some((machine, rate(known)?))).collect(),
        law: law.as_ref().map(Result::as_ref),
    };
    let not_measured = |refusal: &str| format!("the plan measured no machine that is no larger{refusal}");
    let found = rates.verdict(wanted, plan.required_per_second, not_measured);
    // A smaller machine may sustain the rate for a time only.
    let holds_until_the_horizon = machines
        .iter()
        .filter(|(machine, _)| wanted.is_at_least(machine))
        .any(|(_, known)| known.mode(durability).is_some_and(|mode| mode.holds == Some(true)));
    let is_known = found.evidence == Evidence::Extrapolated || holds_until_the_horizon;
    MachineMode { holds: found.holds.filter(|_| is_known), ..found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CatalogueMachine, DiskFigures, Price};
    use crate::plan::stored_data::StoredData;
    use crate::report::{DiskOrigin, End, HorizonInfo, HorizonMode, Outcome, RequestCommands, ValidUntil};

    /// A plan for 500 commands/s with 30 % headroom in which nano was emulated and sustained 17,256 and 12,259.
    fn measured() -> Report {
        let mut report = committed();
        let plan = report.plan.as_mut().unwrap();
        // Whatever the sample says of its horizon: here nothing grows.
        plan.horizon = None;
        plan.forecast = None;
        for known in &mut plan.profiles {
            for mode in &mut known.modes {
                let rate = if mode.durability.is_on() { 12_000.0 } else { 17_000.0 };
                mode.sustained_per_second = Some(rate);
                mode.holds = Some(true);
            }
        }
        report
    }

    fn request(target: Option<f64>) -> RerankRequest<'static> {
        RerankRequest {
            path: Path::new("report.json"),
            target: target.map(|per_second| &*Box::leak(Box::new(Rate { per_second, of: None }))),
            range: None,
            growth_percent_per_month: None,
            headroom_percent: None,
            catalogue: None,
            hosts: &[],
            command: "ave-workbench plan --from report.json".to_owned(),
            started_at: "2026-11-29T12:00:00Z".to_owned(),
        }
    }

    fn catalogue(machines: &[(&str, u64, u64, f64)]) -> Catalogue {
        let machine = |&(name, millicores, ram_mb, per_month): &(&str, u64, u64, f64)| CatalogueMachine {
            machine: Machine::named(name.to_owned(), millicores, ram_mb),
            disk: DiskFigures::default(),
            price: Some(Price { per_month, on: jiff::civil::date(2026, 11, 28) }),
        };
        let machines = machines.iter().map(machine).collect();
        Catalogue { origin: "m.csv".into(), currency: Some("EUR".to_owned()), machines }
    }

    fn holds(report: &Report, profile: &str) -> [Option<bool>; 2] {
        let known = report.plan.as_ref().unwrap().profile(profile).unwrap();
        [known.modes[0].holds, known.modes[1].holds]
    }

    fn chosen(report: &Report) -> Vec<Option<&str>> {
        report.plan.as_ref().unwrap().recommendations.iter().map(|one| one.profile.as_deref()).collect()
    }

    #[test]
    fn the_same_request_gives_the_same_machines() {
        let report = measured();
        let ranked = rerank(&report, &request(None)).unwrap();
        assert_eq!(chosen(&ranked), chosen(&report));
        assert_eq!(ranked.verdict.outcome, Outcome::Pass);
        let plan = ranked.plan.unwrap();
        assert_eq!(plan.ranked_from.unwrap().report, "report.json");
        assert_eq!(plan.recommendations[0].expected, report.plan.unwrap().recommendations[0].expected);
    }

    #[test]
    fn a_higher_target_holds_up_to_the_measured_rates_and_no_further() {
        let report = measured();
        // 30 % headroom: 12,000 and 17,000 carry 8,400 and 11,900.
        let ranked = rerank(&report, &request(Some(8_000.0))).unwrap();
        assert_eq!((holds(&ranked, "nano"), chosen(&ranked)), ([Some(true); 2], vec![Some("nano"); 2]));
        let ranked = rerank(&report, &request(Some(10_000.0))).unwrap();
        assert_eq!(holds(&ranked, "nano"), [Some(true), Some(false)], "its own highest rate is known");
        assert_eq!(holds(&ranked, "medium"), [Some(true), None], "at least that of nano, which says nothing of more");
        assert_eq!(chosen(&ranked), [Some("nano"), None]);
        assert_eq!(ranked.verdict.outcome, Outcome::Inconclusive);
        let plan = ranked.plan.as_ref().unwrap();
        assert!(plan.recommendations[0].expected.is_none(), "no load was measured at that target");
        assert!(plan.demand.as_ref().unwrap().modes[1].machines[1].reason.starts_with("not known: sustains 12,000/s"));
    }

    #[test]
    fn a_machine_that_failed_is_not_known_at_a_lower_target_unless_its_rate_is() {
        let mut report = measured();
        for mode in &mut report.plan.as_mut().unwrap().profiles[0].modes {
            mode.holds = Some(false);
            mode.sustained_per_second = mode.durability.is_on().then_some(400.0);
        }
        let ranked = rerank(&report, &request(Some(250.0))).unwrap();
        assert_eq!(holds(&ranked, "nano"), [None, Some(true)]);
        let ranked = rerank(&report, &request(Some(600.0))).unwrap();
        assert_eq!(holds(&ranked, "nano"), [Some(false); 2]);
    }

    #[test]
    fn a_headroom_that_leaves_nothing_is_refused() {
        for percent in [100.0, 150.0, -1.0, f64::NAN] {
            let error = rerank(&measured(), &RerankRequest { headroom_percent: Some(percent), ..request(None) });
            assert!(error.unwrap_err().to_string().starts_with("a headroom of"), "{percent}");
        }
    }

    #[test]
    fn the_target_of_a_what_if_is_answered_as_a_new_ranking_answers_it() {
        let report = measured();
        let plan = report.plan.as_ref().unwrap();
        for target in [100.0, 500.0, 10_000.0] {
            let ranked = rerank(&report, &request(Some(target))).unwrap().plan.unwrap();
            let after = at_target(&report, plan, target);
            assert_eq!((&after.profiles, after.growth), (&ranked.profiles, ranked.growth), "{target}");
            let names =
                |plan: &PlanResult| plan.recommendations.iter().map(|one| one.profile.clone()).collect::<Vec<_>>();
            assert_eq!(names(&after), names(&ranked), "{target}");
        }
    }

    #[test]
    fn more_headroom_needs_more_of_the_rate() {
        let report = measured();
        let more = RerankRequest { headroom_percent: Some(97.0), ..request(None) };
        let ranked = rerank(&report, &more).unwrap();
        assert_eq!(holds(&ranked, "nano"), [Some(true), Some(false)], "16,667 are required");
    }

    #[test]
    fn the_cheapest_machine_of_another_catalogue_is_chosen_by_what_is_known_of_its_size() {
        let report = measured();
        let machines =
            [("half", 500, 512, 1.0), ("dear", 2_000, 512, 9.0), ("same", 2_000, 512, 4.0), ("big", 4_000, 8_192, 3.0)];
        let other = RerankRequest { catalogue: Some(catalogue(&machines)), ..request(None) };
        let ranked = rerank(&report, &other).unwrap();
        assert_eq!(chosen(&ranked), [Some("big"); 2], "at least as large as nano, and cheaper");
        assert_eq!(holds(&ranked, "half"), [None; 2], "smaller than all that was measured");
        let plan = ranked.plan.as_ref().unwrap();
        let names: Vec<_> = plan.profiles.iter().map(|known| known.profile.as_str()).collect();
        assert_eq!(names, ["half", "big", "same", "dear", "this host"]);
        assert_eq!(plan.profiles[2].evidence, Evidence::Emulated, "it has the size of nano");
        let cost = plan.recommendations[1].cost.as_ref().unwrap();
        assert!((cost.per_million_commands - 3.0 / (500.0 * 730.0 * 3_600.0 / 1e6)).abs() < 1e-12);
        let demand = plan.demand.as_ref().unwrap();
        assert_eq!(demand.durability_per_month, Some(0.0));
        let reason = |name: &str| {
            let mode = demand.modes[0].machines.iter().find(|one| one.profile == name).unwrap();
            mode.reason.clone()
        };
        assert_eq!(reason("dear"), "sustains it, and costs 6.00 EUR per month more than big");
        assert!(reason("half").starts_with("not known: the plan measured no machine"), "{}", reason("half"));
    }

    #[test]
    fn a_growing_database_carries_a_higher_target_only_as_far_as_it_was_modelled() {
        let mut report = measured();
        let plan = report.plan.as_mut().unwrap();
        let (points, beyond) = ([(1e9, 12_000.0), (1e10, 6_000.0)], [(4e10, 3_000.0)]);
        let mode = |one: &Recommendation| HorizonMode::of_nano(one.durability, &points, &beyond);
        plan.horizon = Some(HorizonInfo::of_growing_reads(1e10, plan.recommendations.iter().map(mode).collect()));
        let ranked = |target| holds(&rerank(&report, &request(Some(target))).unwrap(), "nano");
        // Twice the rate: 20 GB, about 5,000 commands/s, of which 70 % are 3,500.
        assert_eq!(ranked(1_000.0), [Some(true); 2]);
        // Four times: 40 GB, 3,000 commands/s, and 2,857 are required.
        assert_eq!(ranked(2_000.0), [Some(true); 2]);
        // Beyond, no database was modelled: less than what is sustained today is not ruled out.
        assert_eq!(ranked(3_000.0), [None; 2]);
        // A machine of half the size, measured on the same database, keeps the share of its rate that nano keeps of a database
        // with as much less memory.
        let mut half = report.plan.as_ref().unwrap().profile("nano").unwrap().clone();
        (half.profile, half.cpu_cores_count, half.ram_bytes) = ("half".to_owned(), 1, half.ram_bytes / 2);
        for mode in &mut half.modes {
            (mode.holds, mode.sustained_per_second) = (Some(true), Some(4_000.0));
        }
        let mut with_half = report.clone();
        with_half.plan.as_mut().unwrap().profiles.push(half);
        let usable = |report: &Report, name: &str| {
            let plan = report.plan.as_ref().unwrap();
            let limits = Limits::new(plan, report, &demand_of(plan));
            let known = plan.profile(name).unwrap();
            known.modes.iter().map(|mode| limits.usable(known, mode).unwrap()).collect::<Vec<_>>()
        };
        for (half, nano) in usable(&with_half, "half").into_iter().zip(usable(&with_half, "nano")) {
            assert!(half > 50.0 && half < nano && half < 0.7 * 4_000.0 / 2.0, "{half} {nano}");
        }
        // A model that errs with durability off: what is sustained with it on is sustained without.
        let modes = &mut report.plan.as_mut().unwrap().horizon.as_mut().unwrap().modes;
        modes[0].beyond[0].per_second = 2_000.0;
        assert_eq!(holds(&rerank(&report, &request(Some(2_000.0))).unwrap(), "nano"), [Some(true); 2]);
    }

    /// The plan of the repository, on a disk of its host: it is full before the horizon.
    fn committed() -> Report {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
        let mut report: Report = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
        let plan = report.plan.as_mut().unwrap();
        plan.growth.disk_origin = DiskOrigin::Host;
        plan.forecast.as_mut().unwrap().disk_origin = DiskOrigin::Host;
        report
    }

    /// Of the committed plan, with one machine of the size of nano and this disk.
    fn of_a_catalogue(report: &Report, name: &str, disk_bytes: Option<u64>, target: f64) -> Report {
        let mut catalogue = catalogue(&[(name, 2_000, 512, 7.9)]);
        catalogue.machines[0].disk.bytes = disk_bytes;
        rerank(report, &RerankRequest { catalogue: Some(catalogue), ..request(Some(target)) }).unwrap()
    }

    #[test]
    fn the_name_of_a_machine_decides_nothing() {
        for name in ["nano", "other", "2xlarge"] {
            let ranked = of_a_catalogue(&committed(), name, None, 600.0);
            assert_eq!(ranked.verdict.outcome, Outcome::Pass, "{name}: {}", ranked.verdict.sentence);
            assert_eq!(chosen(&ranked), [Some(name); 2]);
        }
    }

    #[test]
    fn a_disk_that_is_too_small_rules_a_machine_out_and_no_other_is_bought_for_it() {
        let (mut unmodelled, known) = (committed(), committed());
        unmodelled.plan.as_mut().unwrap().horizon = None;
        for report in [unmodelled, known] {
            let ranked = of_a_catalogue(&report, "small-disk", Some(2_000_000_000), 500.0);
            assert_eq!((holds(&ranked, "small-disk"), chosen(&ranked)), ([Some(false); 2], vec![None; 2]));
            assert_eq!(ranked.verdict.outcome, Outcome::Fail, "{}", ranked.verdict.sentence);
        }
    }

    #[test]
    fn the_disk_of_a_machine_lasts_until_the_horizon_that_was_asked_for() {
        // The disk of the plan was full long before, and the catalogue has another one.
        let ranked = of_a_catalogue(&committed(), "other", Some(520_000_000_000), 500.0);
        assert_eq!((holds(&ranked, "other"), ranked.verdict.outcome), ([Some(false); 2], Outcome::Fail));
        let sentence = &ranked.verdict.sentence;
        assert!(
            sentence.contains("until the horizon: other does now, but its disk of 484 GiB is full after"),
            "{sentence}"
        );
        let plan = ranked.plan.as_ref().unwrap();
        let lacking = plan.profiles[0].modes[0].binds().unwrap();
        assert_eq!(lacking.resource, crate::report::Resource::DiskSpace);
        let ranked = of_a_catalogue(&committed(), "other", Some(20_000_000_000_000), 500.0);
        assert!(holds(&ranked, "other").iter().all(|holds| *holds != Some(false)), "{}", ranked.verdict.sentence);
        let plan = ranked.plan.as_ref().unwrap();
        if chosen(&ranked)[0].is_some() {
            assert_eq!(plan.forecast.as_ref().unwrap().disk_bytes, 20_000_000_000_000, "the disk of the machine");
        }
    }

    /// The same plan on a disk of this origin, for a catalogue.
    fn on_disk_of(origin: DiskOrigin) -> Report {
        let mut report = committed();
        let plan = report.plan.as_mut().unwrap();
        plan.growth.disk_origin = origin;
        plan.forecast.as_mut().unwrap().disk_origin = origin;
        plan.catalogue = Some(catalogue_info(&catalogue(&[("before", 2_000, 512, 7.9)])));
        report
    }

    #[test]
    fn a_machine_of_which_no_disk_is_known_needs_one_that_lasts_until_the_horizon() {
        for origin in [DiskOrigin::Host, DiskOrigin::Machine, DiskOrigin::Attached] {
            let ranked = of_a_catalogue(&on_disk_of(origin), "other", None, 50.0);
            let plan = ranked.plan.as_ref().unwrap();
            assert_eq!((chosen(&ranked), plan.growth.disk_origin), (vec![Some("other"); 2], DiskOrigin::Attached));
            let forecast = plan.forecast.as_ref().unwrap();
            let year = StoredData::of(forecast).bytes_after(365.25);
            let needed = year.high + forecast.compaction_headroom_bytes as f64;
            assert!((forecast.disk_bytes as f64 / needed - 1.0).abs() < 1e-6, "{} {needed}", forecast.disk_bytes);
            assert_eq!(plan.growth.disk_bytes, forecast.disk_bytes);
            assert_eq!((forecast.days_until_disk_full, &forecast.disk_full_on), (None, &None));
            assert!(plan.valid_until.as_ref().is_none_or(|valid| valid.end != End::Disk), "{:?}", plan.valid_until);
            let targets = &plan.demand.as_ref().unwrap().modes[0].targets;
            assert_eq!(targets[0].enough_for_months, None);
        }
        let given = of_a_catalogue(&on_disk_of(DiskOrigin::Given), "other", None, 50.0).plan.unwrap();
        assert_eq!(given.growth.disk_bytes, committed().plan.unwrap().growth.disk_bytes);
    }

    #[test]
    fn a_disk_that_was_given_for_a_catalogue_counts_for_another_one_too() {
        let report = on_disk_of(DiskOrigin::Given);
        let ranked = of_a_catalogue(&report, "small-disk", Some(2_000_000_000), 500.0);
        assert_eq!(holds(&ranked, "small-disk"), [Some(true); 2], "{}", ranked.verdict.sentence);
        let plan = ranked.plan.as_ref().unwrap();
        let forecast = report.plan.as_ref().unwrap().forecast.as_ref().unwrap();
        assert_eq!(plan.forecast.as_ref().unwrap().disk_bytes, forecast.disk_bytes);
        // The disk is full long before the horizon: no machine is enough until then.
        let target = &plan.demand.as_ref().unwrap().modes[0].targets[0];
        let full = plan.forecast.as_ref().unwrap().days_until_disk_full.unwrap();
        assert!((target.enough_for_months.unwrap() * units::DAYS_PER_MONTH - full).abs() < 0.1, "{target:?} {full}");
    }

    #[test]
    fn without_a_forecast_it_is_not_known_how_long_a_disk_lasts() {
        let ranked = of_a_catalogue(&measured(), "other", Some(40_000_000_000), 500.0);
        assert_eq!((holds(&ranked, "other"), ranked.verdict.outcome), ([None; 2], Outcome::Inconclusive));
        let reason = &ranked.plan.as_ref().unwrap().demand.as_ref().unwrap().modes[0].machines[0].reason;
        assert!(reason.starts_with("not known: how long its disk lasts"), "{reason}");
    }

    #[test]
    fn a_machine_that_is_too_slow_is_so_with_any_disk() {
        let mut report = committed();
        let plan = report.plan.as_mut().unwrap();
        plan.catalogue = Some(catalogue_info(&catalogue(&[("nano", 2_000, 512, 7.9)])));
        plan.catalogue.as_mut().unwrap().machines[0].disk_bytes = Some(1_000_000_000);
        let nano = plan.profiles.iter_mut().find(|known| known.profile == "nano").unwrap();
        for mode in &mut nano.modes {
            (mode.holds, mode.sustained_per_second) = (Some(false), Some(100.0));
        }
        let ranked = of_a_catalogue(&report, "nano", Some(20_000_000_000_000), 500.0);
        assert_eq!(holds(&ranked, "nano"), [Some(false); 2]);
        let reason = &ranked.plan.as_ref().unwrap().demand.as_ref().unwrap().modes[0].machines[0].reason;
        assert!(reason.starts_with("sustains 100/s of the required 714/s"), "{reason}");
    }

    #[test]
    fn a_demand_that_no_machine_is_enough_for_is_named_beside_the_order() {
        let range = [300.0, 1e6].map(|per_second| Rate { per_second, of: None });
        let request = RerankRequest {
            range: Some(&range),
            catalogue: Some(catalogue(&[("cheap", 2_000, 512, 3.0)])),
            ..request(None)
        };
        let ranked = rerank(&measured(), &request).unwrap();
        let order = ranked.plan.unwrap().demand.unwrap().modes.remove(0).least_regret.unwrap();
        assert!(
            order.sentence.ends_with("; no machine is known to be enough for 1,000,000 commands/s."),
            "{}",
            order.sentence
        );
    }

    #[test]
    fn what_ends_first_is_in_the_first_sentence_at_any_target() {
        for target in [500.0, 900.0] {
            let ranked = rerank(&committed(), &request(Some(target))).unwrap();
            let until = ranked.plan.as_ref().unwrap().valid_until.as_ref().unwrap();
            assert_eq!(until.end, End::Disk);
            let ends = format!("valid until {}, when the disk is full.", until.on.as_ref().unwrap());
            assert!(ranked.verdict.sentence.ends_with(&ends), "{}", ranked.verdict.sentence);
        }
    }

    #[test]
    fn the_day_on_which_the_demand_exceeds_a_machine_is_not_that_of_another() {
        let mut report = committed();
        let before = Some(ValidUntil { days: 5.0, on: None, end: End::Demand });
        report.plan.as_mut().unwrap().valid_until = before;
        let plan = rerank(&report, &request(None)).unwrap().plan.unwrap();
        let until = plan.valid_until.unwrap();
        assert_eq!((until.end, Some(until.days)), (End::Disk, plan.growth.days_until_disk_full));
    }

    #[test]
    fn growth_of_the_demand_moves_the_forecast_and_none_leaves_it() {
        let report = committed();
        let grown = |percent: Option<f64>| {
            let request = RerankRequest { growth_percent_per_month: percent, ..request(None) };
            rerank(&report, &request).unwrap().plan.unwrap()
        };
        let plan = report.plan.as_ref().unwrap();
        for percent in [None, Some(0.0)] {
            let same = grown(percent);
            assert_eq!((&same.forecast, &same.horizon), (&plan.forecast, &plan.horizon));
            assert_eq!((&same.growth, &same.valid_until), (&plan.growth, &plan.valid_until));
        }
        let full = |plan: &PlanResult| plan.forecast.as_ref().unwrap().days_until_disk_full.unwrap();
        let [now, four, twenty] = [full(plan), full(&grown(Some(4.0))), full(&grown(Some(20.0)))];
        assert!(twenty < four && four < now, "{twenty} {four} {now}");
        let plan = grown(Some(20.0));
        assert_eq!(plan.growth.days_until_disk_full, Some(twenty));
        let valid_until = plan.valid_until.unwrap();
        assert!((valid_until.days - twenty).abs() < 1.0, "the disk ends it: {valid_until:?}");
    }

    #[test]
    fn a_target_in_transactions_needs_the_requests_of_the_plan() {
        let mut report = measured();
        report.plan.as_mut().unwrap().requests.clear();
        let fifty = Rate { per_second: 50.0, of: Some("facts".to_owned()) };
        let ask = |report: &Report| rerank(report, &RerankRequest { target: Some(&fifty), ..request(None) });
        let error = ask(&report).unwrap_err().to_string();
        assert!(error.contains("--target: report.json was written by an earlier version"), "{error}");
        let plan = report.plan.as_mut().unwrap();
        let named =
            |name: &str| RequestCommands { name: name.to_owned(), is_transaction: true, commands_per_request: 19.0 };
        plan.requests = vec![named("subject")];
        assert!(ask(&report).unwrap_err().to_string().contains("never issues; it issues subject"));
        let plan = report.plan.as_mut().unwrap();
        plan.requests.push(named("fact"));
        plan.slo.command = "fact".to_owned();
        let ranked = ask(&report).unwrap();
        assert!((ranked.plan.as_ref().unwrap().target_per_second - 950.0).abs() < 1e-9);
        assert!(ranked.verdict.sentence.contains("50 fact/s (950 commands/s)"), "{}", ranked.verdict.sentence);
    }

    #[test]
    fn what_ranks_again_is_no_plan_to_rank() {
        let report = measured();
        let ranked = rerank(&report, &request(None)).unwrap();
        let error = rerank(&ranked, &request(None)).unwrap_err().to_string();
        assert!(error.contains("ranks the plan report.json again and measured nothing"), "{error}");
        let run = Report { plan: None, ..report };
        assert!(rerank(&run, &request(None)).unwrap_err().to_string().contains("the report of a run"));
    }
}
