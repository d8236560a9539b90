//! Other hosts in place of the machines of a plan: what each will sustain, for which target it is enough, and the smallest, or
//! with prices the cheapest, that is.

use crate::actor::Durability;
use crate::host::Machine;
use crate::plan::demand::{Reach, cost};
use crate::plan::limits::highest;
use crate::plan::other_host::OtherHost;
use crate::plan::predict::Predictor;
use crate::plan::predicted::{self, HostMode};
use crate::plan::ranked::Ranked;
use crate::plan::report::joined;
use crate::plan::spec::{by_preference, required_rate};
use crate::report::{
    CatalogueInfo, Certainty, Disk, DiskOrigin, GrowthInfo, MachineMode, PlanResult, PredictedMode, PredictedTarget,
    PredictionInfo, ProfileEvidence, Recommendation, Report, spec_json, suffices,
};

/// The hosts beside a plan, in the order of preference.
pub(super) struct CandidateHosts<'a> {
    report: &'a Report,
    ranked: &'a Ranked<'a>,
    /// Prices of the hosts.
    catalogue: Option<CatalogueInfo>,
    hosts: Vec<Candidate<'a>>,
}

struct Candidate<'a> {
    other: &'a OtherHost,
    machine: Machine,
    modes: Vec<CandidateMode>,
}

struct CandidateMode {
    predicted: PredictedMode,
    known: MachineMode,
    /// The highest target that it is predicted to sustain with the headroom, commands per second.
    usable_per_second: Option<f64>,
}

impl<'a> CandidateHosts<'a> {
    /// The hosts at these targets, commands per second.
    pub(super) fn new(
        report: &'a Report,
        ranked: &'a Ranked<'a>,
        others: &'a [OtherHost],
        catalogue: Option<CatalogueInfo>,
        targets: &[f64],
    ) -> Self {
        let candidate = |other| Prospect::new(report, ranked, other).candidate(targets);
        let mut hosts: Vec<_> = others.iter().map(candidate).collect();
        let price = |host: &Candidate<'_>| catalogue.as_ref()?.entry(&host.other.name)?.price_per_month;
        hosts.sort_by(|a, b| by_preference((price(a), &a.machine), (price(b), &b.machine)));
        Self { report, ranked, catalogue, hosts }
    }

    /// The plan with these hosts as its machines.
    pub(super) fn plan(&self) -> PlanResult {
        let Ranked { before, changed, .. } = self.ranked;
        let there = PlanResult {
            predictions: self.hosts.iter().map(|host| self.prediction(host)).collect(),
            catalogue: self.catalogue.clone(),
            ..self.ranked.with_profiles(self.hosts.iter().map(Candidate::evidence).collect())
        };
        let durabilities = before.recommendations.iter().map(|one| one.durability);
        let recommendations: Vec<_> =
            durabilities.map(|durability| self.recommendation(durability, there.required_per_second)).collect();
        let mut named: Vec<&str> = recommendations.iter().filter_map(|one| one.profile.as_deref()).collect();
        named.dedup();
        let concerned = self.hosts.iter().filter(|host| named.is_empty() || named.contains(&host.name()));
        let free_bytes = concerned.map(|host| host.other.host.disk_free_bytes).min().unwrap_or_default();
        let disk = self.disk(free_bytes);
        if named.is_empty() {
            named = self.hosts.iter().map(Candidate::name).collect();
        }
        let forecast = changed.forecast_on(disk);
        PlanResult {
            not_covered: vec![format!("a measurement on {}: plan there before you buy", named.join(", "))],
            recommendations,
            growth: GrowthInfo {
                disk_bytes: disk.bytes,
                disk_origin: disk.origin,
                days_until_disk_full: forecast.as_ref().and_then(|forecast| forecast.days_until_disk_full),
                ..there.growth
            },
            valid_until: forecast.as_ref().and_then(|forecast| changed.valid_on(forecast)),
            forecast,
            // That of the machines of the plan.
            horizon: None,
            ..there
        }
    }

    /// As certain as the least certain host that the answer names; where it names none, all count.
    pub(super) fn certainty(&self) -> Option<Certainty> {
        let before = self.report.verdict.certainty.as_ref()?;
        let concerned = |durability: Durability| {
            let chosen = self.chosen(durability);
            self.hosts.iter().filter(move |host| chosen.is_none_or(|chosen| chosen.name() == host.name()))
        };
        let durabilities = self.ranked.before.recommendations.iter().map(|one| one.durability);
        let modes =
            durabilities.flat_map(|durability| concerned(durability).filter_map(move |host| host.of(durability)));
        Some(predicted::certainty(modes, before))
    }

    /// The verdict of a plan with these hosts in one sentence.
    pub(super) fn sentence(&self, required_per_second: f64, goal: &str) -> String {
        let modes =
            |host: &'_ Candidate<'a>| host.modes.iter().map(|mode| mode.predicted.durability).collect::<Vec<_>>();
        match &self.hosts[..] {
            [one] => {
                let modes: Vec<_> = modes(one).into_iter().filter_map(|durability| one.of(durability)).collect();
                predicted::verdict(&modes, required_per_second, goal)
            }
            several => {
                let durabilities = several.first().map(modes).unwrap_or_default();
                let chosen: Vec<_> = durabilities
                    .into_iter()
                    .map(|durability| (durability, self.chosen(durability).and_then(|host| host.of(durability))))
                    .collect();
                let open = several.iter().flat_map(|host| &host.modes).any(|mode| mode.known.holds.is_none());
                predicted::verdict_of_several(
                    &chosen,
                    (several.len(), self.preference()),
                    open,
                    required_per_second,
                    goal,
                )
            }
        }
    }

    fn preference(&self) -> &'static str {
        CatalogueInfo::preference(self.catalogue.as_ref())
    }

    /// The first host that is enough at the target.
    fn chosen(&self, durability: Durability) -> Option<&Candidate<'a>> {
        self.hosts.iter().find(|host| host.mode(durability).is_some_and(|mode| mode.known.holds == Some(true)))
    }

    fn prediction(&self, host: &Candidate<'_>) -> PredictionInfo {
        let OtherHost { origin, measured_at, host: info, disk, .. } = host.other;
        let plan = self.report.verdict.certainty.as_ref();
        let mode = |mode: &CandidateMode| PredictedMode {
            certainty: plan
                .zip(host.of(mode.predicted.durability))
                .map(|(plan, mode)| predicted::certainty(std::iter::once(mode), plan).level),
            ..mode.predicted.clone()
        };
        PredictionInfo {
            profile: host.name().to_owned(),
            origin: origin.clone(),
            measured_at: measured_at.clone(),
            host: info.clone(),
            sync_p50_ns: disk.as_ref().map(|disk| disk.swing.sync_p50_ns),
            modes: host.modes.iter().map(mode).collect(),
        }
    }

    fn recommendation(&self, durability: Durability, required_per_second: f64) -> Recommendation {
        let chosen = self.chosen(durability);
        let modes: Vec<_> = self.hosts.iter().filter_map(|host| host.of(durability)).collect();
        let sentence = match (&modes[..], chosen.and_then(|host| host.of(durability))) {
            ([one], _) => predicted::sentence(one, required_per_second),
            (several, Some(chosen)) => format!(
                "{} It is the {} of {} hosts that is.",
                predicted::sentence(&chosen, required_per_second),
                self.preference(),
                several.len()
            ),
            (several, None) => predicted::none_is_enough(durability, several, required_per_second),
        };
        Recommendation {
            durability,
            profile: chosen.map(|host| host.name().to_owned()),
            cost: chosen
                .and_then(|host| cost(self.catalogue.as_ref(), host.name(), self.ranked.changed.target_per_second)),
            machine_spec: chosen.map(|host| spec_json(&host.machine.spec())),
            container: None,
            expected: None,
            database_bytes: None,
            sentence,
        }
    }

    /// The disk of a host with so much free space: one that was given is attached to whichever host.
    fn disk(&self, free_bytes: u64) -> Disk {
        let given = Some(self.ranked.limits.other_disk).filter(|disk| disk.origin == DiskOrigin::Given);
        given.unwrap_or(Disk::of_host(free_bytes))
    }
}

impl Reach for CandidateHosts<'_> {
    fn usable(&self, known: &ProfileEvidence, durability: Durability) -> Option<f64> {
        let host = self.hosts.iter().find(|host| host.name() == known.profile)?;
        host.mode(durability)?.usable_per_second
    }

    fn usable_by_rate(&self, known: &ProfileEvidence, mode: &MachineMode, target_per_second: f64) -> f64 {
        self.usable(known, mode.durability).map_or(target_per_second, |usable| usable.max(target_per_second))
    }

    fn days_until_full(&self, known: &ProfileEvidence, target_per_second: f64) -> Option<f64> {
        let host = self.hosts.iter().find(|host| host.name() == known.profile)?;
        self.ranked.limits.days_until_full_on(self.disk(host.other.host.disk_free_bytes).bytes, target_per_second)
    }
}

impl Candidate<'_> {
    fn name(&self) -> &str {
        &self.other.name
    }

    fn mode(&self, durability: Durability) -> Option<&CandidateMode> {
        self.modes.iter().find(|mode| mode.predicted.durability == durability)
    }

    fn of(&self, durability: Durability) -> Option<HostMode<'_>> {
        let CandidateMode { predicted, known, .. } = self.mode(durability)?;
        let foreign_cores = self.other.disk.as_ref().and_then(|disk| disk.foreign_cores);
        Some(HostMode { name: self.name(), host: &self.other.host, mode: predicted, holds: known.holds, foreign_cores })
    }

    fn evidence(&self) -> ProfileEvidence {
        let modes: Vec<_> = self.modes.iter().map(|mode| mode.known.clone()).collect();
        let (evidence, reason) = joined(&modes);
        ProfileEvidence {
            profile: self.name().to_owned(),
            cpu_cores_count: self.other.host.usable_cores_count,
            cpu_millicores_count: None,
            ram_bytes: self.other.host.usable_ram_bytes,
            evidence,
            reason,
            modes,
        }
    }
}

/// One host beside the plan.
struct Prospect<'a> {
    ranked: &'a Ranked<'a>,
    predictor: Predictor<'a>,
    machine: Machine,
}

impl<'a> Prospect<'a> {
    fn new(report: &'a Report, ranked: &'a Ranked<'a>, other: &'a OtherHost) -> Self {
        let machine = Machine::host(other.host.usable_cores_count, other.host.usable_ram_bytes);
        Self { ranked, predictor: Predictor { report, plan: ranked.before, other }, machine }
    }

    fn candidate(self, targets: &[f64]) -> Candidate<'a> {
        let durabilities = self.ranked.before.recommendations.iter().map(|one| one.durability);
        let modes = durabilities.map(|durability| self.mode(durability, targets)).collect();
        Candidate { other: self.predictor.other, machine: self.machine, modes }
    }

    fn mode(&self, durability: Durability, targets: &[f64]) -> CandidateMode {
        let likely = self.ranked.changed.target_per_second;
        let predicted = PredictedMode {
            targets: targets.iter().map(|&target| self.target(durability, target)).collect(),
            check: self.predictor.check(durability),
            ..self.at(durability, likely)
        };
        CandidateMode {
            known: predicted::predicted_mode(&predicted, self.required(likely)),
            usable_per_second: self.usable(durability),
            predicted,
        }
    }

    /// What it sustains with the database of a target at the horizon.
    fn at(&self, durability: Durability, target_per_second: f64) -> PredictedMode {
        let Ranked { before, limits, .. } = self.ranked;
        let stored_bytes = before.horizon.as_ref().map(|horizon| limits.stored_bytes_here(horizon, target_per_second));
        self.predictor.predict(durability, &self.machine, stored_bytes)
    }

    fn required(&self, target_per_second: f64) -> f64 {
        required_rate(target_per_second, self.ranked.limits.headroom_percent)
    }

    fn target(&self, durability: Durability, target_per_second: f64) -> PredictedTarget {
        let PredictedMode { per_second, at_least_per_second, .. } = self.at(durability, target_per_second);
        let required_per_second = self.required(target_per_second);
        let holds = predicted::holds(per_second, at_least_per_second, required_per_second);
        PredictedTarget { target_per_second, required_per_second, per_second, at_least_per_second, holds }
    }

    fn usable(&self, durability: Durability) -> Option<f64> {
        let least = |target: f64| {
            let PredictedMode { per_second, at_least_per_second, .. } = self.at(durability, target);
            per_second.map_or(at_least_per_second, |band| Some(band.low))
        };
        let holds = |target: f64| least(target).is_some_and(|rate| suffices(rate, self.required(target)));
        // No database is smaller than that of a target of 0.
        highest(0.0, least(0.0)? * (1.0 - self.ranked.limits.headroom_percent / 100.0), holds)
    }
}
