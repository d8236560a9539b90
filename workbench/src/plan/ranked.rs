//! A finished plan at another demand: its machines judged again, the recommendations and the verdict that follow.

use crate::host::HOST;
use crate::plan::certainty;
use crate::plan::changed_demand::ChangedDemand;
use crate::plan::demand::cost;
use crate::plan::limits::{Limits, machine};
use crate::plan::machine_disk::Shortfall;
use crate::plan::report::joined;
use crate::plan::sentences;
use crate::plan::spec::required_rate;
use crate::report::{
    Capacity, Certainty, CertaintyLevel, ContainerLimits, DISTURBED, Disk, DurabilityPrice, MachineMode, Outcome,
    PlanResult, ProfileEvidence, RateTrials, Reason, ReasonKind, Recommendation, Report, UNDECIDED, Verdict, spec_json,
    suffices,
};
use crate::units;

/// A plan that is ranked for a demand.
pub(super) struct Ranked<'a> {
    /// As it was measured.
    pub(super) before: &'a PlanResult,
    /// With the candidates and the headroom of the request; its plan is at the target that was measured.
    pub(super) limits: Limits<'a>,
    pub(super) changed: ChangedDemand<'a>,
}

impl Ranked<'_> {
    pub(super) fn plan(&self) -> PlanResult {
        let known = self.limits.plan;
        let target_per_second = self.changed.target_per_second;
        let profiles: Vec<_> = known.profiles.iter().map(|one| judged(&self.limits, one, target_per_second)).collect();
        let ranked = self.with_profiles(profiles);
        let recommendations: Vec<_> =
            self.before.recommendations.iter().map(|one| self.recommendation(&ranked, one)).collect();
        let is_at_least_before = |one: &Recommendation| {
            let of = |plan: &PlanResult, one: &Recommendation| Some(machine(plan.profile(one.profile.as_ref()?)?));
            let before = self.before.recommendation(one.durability).and_then(|before| of(self.before, before));
            of(&ranked, one).zip(before).is_some_and(|(now, before)| now.is_at_least(&before))
        };
        let lasts = suffices(self.before.target_per_second, target_per_second)
            && recommendations.iter().all(is_at_least_before);
        let chosen = || recommendations.iter().filter_map(|one| one.profile.as_deref());
        let disk = ranked.catalogue.as_ref().and_then(|catalogue| catalogue.least_disk(chosen()));
        let disk = disk.or_else(|| chosen().next().map(|_| self.limits.other_disk));
        let is_other = |disk: &Disk| ranked.forecast.as_ref().is_some_and(|known| known.is_on_other_than(*disk));
        let forecast = match disk.filter(is_other) {
            Some(disk) => self.changed.forecast_with(disk),
            None => ranked.forecast.clone(),
        };
        let known = forecast.as_ref();
        let valid_until = if lasts { self.changed.valid_until(known) } else { self.changed.disk_until(known) };
        let growth = self.changed.growth_info(known);
        PlanResult { growth, recommendations, forecast, valid_until, ..ranked }
    }

    /// The plan at the demand of the request with these machines, without what follows from them.
    pub(super) fn with_profiles(&self, profiles: Vec<ProfileEvidence>) -> PlanResult {
        let known = self.limits.plan;
        let headroom_percent = self.limits.headroom_percent;
        let required_per_second = required_rate(self.changed.target_per_second, headroom_percent);
        let forecast = self.changed.forecast();
        PlanResult {
            target_per_second: self.changed.target_per_second,
            headroom_percent,
            required_per_second,
            profiles,
            capacities: known.capacities.iter().map(|one| self.capacity(one)).collect(),
            growth: self.changed.growth_info(forecast.as_ref()),
            forecast,
            horizon: known.horizon.clone().filter(|_| self.changed.is_same()),
            what_if: None,
            demand: None,
            ..known.clone()
        }
    }

    fn capacity(&self, capacity: &Capacity) -> Capacity {
        let free_share = 1.0 - self.limits.headroom_percent / 100.0;
        let holds = |known: &ProfileEvidence| {
            self.limits.holds(known, known.mode(capacity.durability)?, self.changed.target_per_second)
        };
        Capacity {
            holds: self.before.profile(&capacity.machine).and_then(holds) == Some(true),
            usable_per_second: capacity.sustained_per_second.map(|rate| free_share * rate),
            at_target: capacity.at_target.filter(|_| self.changed.is_same_target()),
            ..capacity.clone()
        }
    }

    fn recommendation(&self, ranked: &PlanResult, before: &Recommendation) -> Recommendation {
        let durability = before.durability;
        let holds = |known: &&ProfileEvidence| known.mode(durability).is_some_and(|mode| mode.holds == Some(true));
        let holding = || ranked.profiles.iter().filter(holds);
        let host = || holding().next().filter(|_| ranked.catalogue.is_none());
        let chosen = holding().find(|known| known.profile != HOST).or_else(host);
        let same_size = before.profile.as_ref().and_then(|name| self.before.profile(name));
        let is_same_size =
            chosen.zip(same_size).is_some_and(|(now, before)| machine(now).is_same_size(&machine(before)));
        let is_same = is_same_size && self.changed.is_same_target();
        let spec = chosen.map(machine);
        Recommendation {
            durability,
            profile: chosen.map(|known| known.profile.clone()),
            cost: chosen
                .and_then(|known| cost(ranked.catalogue.as_ref(), &known.profile, self.changed.target_per_second)),
            machine_spec: spec.as_ref().map(|machine| spec_json(&machine.spec())),
            container: spec.as_ref().map(ContainerLimits::of),
            expected: before.expected.clone().filter(|_| is_same),
            database_bytes: before.database_bytes.filter(|_| is_same),
            sentence: sentence(ranked, before, chosen),
        }
    }

    /// `plan` is this one, or one with other machines, and `certainty` how sure it is if it is decided.
    pub(super) fn verdict(&self, report: &Report, plan: &PlanResult, certainty: Option<Certainty>) -> Verdict {
        let all = plan.recommendations.iter().all(|one| one.profile.is_some());
        let doubts = self.doubts(plan);
        let is_open = |one: &Recommendation| {
            let mut modes = plan.profiles.iter().filter_map(|known| known.mode(one.durability));
            one.profile.is_none() && modes.any(|mode| mode.holds.is_none())
        };
        let is_lossy = report.verdict.reasons.iter().any(|reason| reason.kind == ReasonKind::DataLoss);
        let outcome = if is_lossy {
            Outcome::Fail
        } else if is_doubtful(report) || !doubts.is_empty() || plan.recommendations.iter().any(is_open) {
            Outcome::Inconclusive
        } else if all {
            Outcome::Pass
        } else {
            Outcome::Fail
        };
        let undecided = (CertaintyLevel::Low, UNDECIDED.to_owned());
        let undecided = Some(undecided).filter(|_| outcome == Outcome::Inconclusive);
        let certainty = certainty.map(|known| Certainty::of(undecided.into_iter().chain(known.grounds()).collect()));
        let is_kept = |reason: &&Reason| {
            let follows = [ReasonKind::Recommendation, ReasonKind::NoMachine, ReasonKind::Demand, ReasonKind::Forecast];
            !follows.contains(&reason.kind)
        };
        let forecast =
            plan.forecast.as_ref().map(|forecast| Reason::new(ReasonKind::Forecast, sentences::forecast(forecast)));
        let origin = Reason::new(
            ReasonKind::Coverage,
            format!(
                "Ranked from the rates of the plan of {} for {}; nothing was measured.",
                units::moment(&report.started_at),
                units::commands_per_second(self.before.target_per_second)
            ),
        );
        let of_modes = plan.recommendations.iter().map(|one| {
            let kind = if one.profile.is_some() { ReasonKind::Recommendation } else { ReasonKind::NoMachine };
            Reason::new(kind, one.sentence.clone())
        });
        let kept = report.verdict.reasons.iter().filter(is_kept).cloned().chain(doubts);
        let reasons = kept.chain(of_modes).chain(forecast).chain([origin]).collect();
        Verdict { outcome, sentence: String::new(), certainty, reasons }
    }

    /// As certain as the plan; moderate at most where its loads were others.
    pub(super) fn certainty(&self, report: &Report, plan: &PlanResult) -> Option<Certainty> {
        let before = report.verdict.certainty.clone()?;
        let names = |plan: &PlanResult| plan.recommendations.iter().map(|one| one.profile.clone()).collect::<Vec<_>>();
        if self.changed.is_same() && names(plan) == names(self.before) {
            return Some(before);
        }
        let first = "No load was measured for this answer: it follows from the rates of an earlier plan";
        let mut grounds = vec![(CertaintyLevel::Moderate, first.to_owned())];
        for one in &plan.recommendations {
            let Some(known) = one.profile.as_ref().and_then(|name| plan.profile(name)) else { continue };
            let Some(mode) = known.mode(one.durability) else { continue };
            let measured = self.before.capacity(one.durability);
            let was_tried = measured.is_some_and(|capacity| capacity.machine == known.profile);
            grounds.push(certainty::of_machine(&known.profile, mode.evidence, was_tried));
            let decided = measured
                .and_then(|capacity| Some((&capacity.machine, RateTrials::highest_sustained(&capacity.decided)?)));
            grounds.extend(decided.map(|(machine, decided)| {
                let rate = units::commands_per_second(decided.rate_per_second);
                let (durability, trials) = (one.durability, decided.trials);
                (
                    CertaintyLevel::High,
                    format!("With durability {durability}, {rate} {trials} on {machine} in that plan"),
                )
            }));
            let margin = mode.least_per_second().map(|rate| rate / plan.required_per_second);
            grounds.extend(margin.map(|margin| certainty::of_margin(one.durability, margin, None)));
        }
        grounds.extend(self.before.horizon.iter().flat_map(certainty::beyond));
        grounds.extend(
            before.because.into_iter().filter(|one| one == DISTURBED).map(|one| (CertaintyLevel::Moderate, one)),
        );
        grounds.push((before.level, "It is no surer than that plan".to_owned()));
        Some(Certainty::of(grounds))
    }

    /// Why the recommendations of a plan at this demand support no answer: a rate that leaves no margin is one that holds by chance.
    fn doubts(&self, plan: &PlanResult) -> Vec<Reason> {
        let doubt = |one: &Recommendation| {
            let known = plan.profile(one.profile.as_ref()?)?;
            let rate = known.mode(one.durability)?.least_per_second()?;
            let is_thin = !self.changed.is_same_target() && rate < sentences::LEAST_MARGIN * plan.required_per_second;
            is_thin.then(|| {
                let text = format!(
                    "durability {}: {} sustains hardly more than the required rate: the margin is {}",
                    one.durability,
                    known.profile,
                    units::percent(100.0 * (rate / plan.required_per_second - 1.0).max(0.0))
                );
                Reason::new(ReasonKind::Doubt, text)
            })
        };
        plan.recommendations.iter().filter_map(doubt).collect()
    }

    /// Whether the answer says which machines are enough, as far as that is known.
    pub(super) fn is_decided(&self, report: &Report, plan: &PlanResult) -> bool {
        let has_machine = plan.recommendations.iter().any(|one| one.profile.is_some());
        !has_machine || (!is_doubtful(report) && self.doubts(plan).is_empty())
    }

    /// The latency at the target was measured at another one.
    pub(super) fn price(&self, price: DurabilityPrice) -> DurabilityPrice {
        let latency = price.latency.filter(|latency| self.changed.is_same_target() || !latency.at_target);
        let times = self.changed.target_per_second / self.before.target_per_second;
        let mut at_risk = price.at_risk;
        if let Some(risk) = &mut at_risk {
            risk.commands *= times;
        }
        DurabilityPrice { latency, at_risk, ..price }
    }
}

/// Whether the measurement of a plan supports no answer.
fn is_doubtful(report: &Report) -> bool {
    let doubtful = [ReasonKind::Interrupted, ReasonKind::Doubt, ReasonKind::Disturbance];
    let is_inconclusive = report.verdict.outcome == Outcome::Inconclusive;
    is_inconclusive && report.verdict.reasons.iter().any(|reason| doubtful.contains(&reason.kind))
}

/// The same evidence at another target.
fn judged(limits: &Limits<'_>, known: &ProfileEvidence, target_per_second: f64) -> ProfileEvidence {
    let mode = |mode: &MachineMode| MachineMode {
        holds: limits.holds(known, mode, target_per_second),
        lacking: limits.shortfall(known, mode, target_per_second).map(Shortfall::lacking),
        ..mode.clone()
    };
    let modes: Vec<_> = known.modes.iter().map(mode).collect();
    let (_, reason) = joined(&modes);
    ProfileEvidence { reason, modes, ..known.clone() }
}

/// `With durability on, take nano: …`.
fn sentence(ranked: &PlanResult, before: &Recommendation, chosen: Option<&ProfileEvidence>) -> String {
    let (durability, required) = (before.durability, units::number(ranked.required_per_second));
    let Some(known) = chosen else {
        let open = match ranked.unknown_machines(durability).len() {
            0 => String::new(),
            count => {
                format!("; of {} that is not known: plan for this target", units::counted(count as u64, "machine"))
            }
        };
        return format!("With durability {durability}, no machine is known to sustain {required}{open}.");
    };
    let mode = known.mode(durability);
    let rate = mode.and_then(MachineMode::least_per_second);
    let rate =
        rate.map_or_else(String::new, |rate| format!(" It is known to sustain {}.", units::commands_per_second(rate)));
    let evidence = mode.map_or("", |mode| mode.evidence.name());
    format!(
        "With durability {durability}, take {}: it sustains {required}, the target of {} with {} headroom \
         ({evidence}).{rate}",
        known.profile,
        units::number(ranked.target_per_second),
        units::percent(ranked.headroom_percent),
    )
}
