//! What the searches say about every machine.
//!
//! A machine that was searched has its own figures. One with at least the cores and RAM of such a machine does at least as
//! well. One with more cores than this host is extrapolated, if the scaling points allow it. Any other stays unknown.

use crate::actor::Durability;
use crate::host::Machine;
use crate::plan::binding::binding;
use crate::plan::outcome::{MachineFindings, ModeFindings};
use crate::plan::scaling::{Scaling, ScalingRefusal};
use crate::process::Emulation;
use crate::report::{Band, Evidence, MachineMode, RateTrials, Rejection, suffices};
use crate::units;

pub(super) fn verdict(
    machine: &Machine,
    mode: &ModeFindings,
    required_per_second: f64,
    disk_bytes_per_second: Option<f64>,
) -> MachineMode {
    if let Some(findings) = mode.searched_machine(machine) {
        let known = searched(findings, mode, required_per_second, disk_bytes_per_second);
        if findings.machine.name == machine.name {
            return known;
        }
        return MachineMode { reason: format!("has the size of {}: {}", findings.machine, known.reason), ..known };
    }
    let known = KnownRates {
        durability: mode.durability,
        rates: rates(mode).collect(),
        law: mode.scaling.as_ref().map(Result::as_ref),
    };
    known.verdict(machine, required_per_second, |refusal| not_measured(machine, mode, refusal))
}

/// Rates of the machines that were searched in a durability mode.
pub(super) struct KnownRates<'a> {
    pub(super) durability: Durability,
    pub(super) rates: Vec<(&'a Machine, f64)>,
    /// How this host scales, or why that is not known; `None` if it was not measured.
    pub(super) law: Option<Result<&'a Scaling, &'a ScalingRefusal>>,
}

impl KnownRates<'_> {
    /// What they say about a machine that was not searched. `not_measured` says why nothing does; it is given why there is
    /// no extrapolation.
    pub(super) fn verdict(
        &self,
        machine: &Machine,
        required_per_second: f64,
        not_measured: impl FnOnce(&str) -> String,
    ) -> MachineMode {
        let unknown = MachineMode {
            durability: self.durability,
            evidence: Evidence::NotMeasured,
            sustained_per_second: None,
            range_per_second: None,
            holds: None,
            binding: None,
            lacking: None,
            memory_peak_bytes: None,
            process_peak_bytes: None,
            latency: None,
            reason: String::new(),
        };
        let smaller = fastest(&self.rates, |searched| machine.is_at_least(searched));
        let refusal = match self.extrapolated(machine) {
            // A smaller machine that sustains the required rate is stronger evidence than a law.
            Some(Ok((rate, law))) if !smaller.is_some_and(|(_, rate)| suffices(rate, required_per_second)) => {
                return MachineMode {
                    evidence: Evidence::Extrapolated,
                    sustained_per_second: Some(rate.expected),
                    range_per_second: Some([rate.low, rate.high]),
                    holds: if suffices(rate.low, required_per_second) {
                        Some(true)
                    } else {
                        (!suffices(rate.high, required_per_second)).then_some(false)
                    },
                    reason: extrapolation(machine, rate, law),
                    ..unknown
                };
            }
            Some(Err(refusal)) => format!("; not extrapolated: {refusal}"),
            _ => String::new(),
        };
        match smaller {
            Some((than, rate)) => MachineMode {
                evidence: Evidence::Implied,
                sustained_per_second: Some(rate),
                holds: suffices(rate, required_per_second).then_some(true),
                reason: format!("has at least the cores and the memory of {than}: at least that rate{refusal}"),
                ..unknown
            },
            None => MachineMode { reason: not_measured(&refusal), ..unknown },
        }
    }

    /// The rate of a machine with more cores than this host, and its law, or why there is none; `None` if it has no more
    /// cores.
    fn extrapolated(&self, machine: &Machine) -> Option<Result<(Band, &Scaling), ScalingRefusal>> {
        let law = self.law?;
        // The law is about whole cores.
        let is_smaller =
            |base: &Machine| base.cores < machine.cores && machine.is_at_least(base) && !machine.has_part_of_a_core();
        let (base, rate) = fastest(&self.rates, is_smaller)?;
        let [from, to] = [base.cores, machine.cores].map(|cores| u32::try_from(cores).unwrap_or(u32::MAX));
        Some(law.map_err(Clone::clone).and_then(|law| Ok((law.extrapolate(from, to)?.times(rate), law))))
    }
}

fn rates(mode: &ModeFindings) -> impl Iterator<Item = (&Machine, f64)> {
    mode.searched.iter().filter_map(|findings| Some((&findings.machine, findings.sustained_within_memory()?)))
}

/// The fastest machine of those wanted, and its rate.
fn fastest<'m>(rates: &[(&'m Machine, f64)], is_wanted: impl Fn(&Machine) -> bool) -> Option<(&'m Machine, f64)> {
    let wanted = rates.iter().copied().filter(|(machine, _)| is_wanted(machine));
    wanted.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn extrapolation(machine: &Machine, rate: Band, law: &Scaling) -> String {
    format!(
        "{} to {}, extrapolated from this host to {} cores by the Universal Scalability Law (contention \
         {:.3}, coherency {:.4}, error {:.1} %)",
        units::number(rate.low),
        units::commands_per_second(rate.high),
        machine.cores,
        law.loss.sigma,
        law.loss.kappa,
        100.0 * law.relative_error,
    )
}

fn not_measured(machine: &Machine, mode: &ModeFindings, refusal: &str) -> String {
    let larger = mode.searched.iter().filter(|findings| findings.machine.is_at_least(machine));
    if larger.clone().any(|findings| findings.sustained_within_memory().is_some()) {
        return "not searched: smaller than the machines that meet the objective".to_owned();
    }
    if larger.count() > 0 {
        return "not searched: a larger machine did not meet the objective".to_owned();
    }
    format!("not searched, and no smaller machine meets the objective{refusal}")
}

fn searched(
    findings: &MachineFindings,
    mode: &ModeFindings,
    required_per_second: f64,
    disk_bytes_per_second: Option<f64>,
) -> MachineMode {
    let own = findings.sustained_within_memory();
    // A larger machine is no slower than a smaller one: where its own search ended lower, that was chance.
    let all: Vec<_> = rates(mode).collect();
    let implied = fastest(&all, |other| findings.machine.is_at_least(other))
        .filter(|&(_, rate)| own.is_none_or(|own| rate > own));
    let rate = implied.map_or(own, |(_, rate)| Some(rate));
    let evidence = match (&findings.emulation, implied) {
        (_, Some(_)) => Evidence::Implied,
        (Emulation::Host, None) => Evidence::Measured,
        (Emulation::CoresAndMemory, None) => Evidence::Emulated,
        (Emulation::CoresOnly { .. }, None) => Evidence::CoresEmulated,
    };
    let holds = rate.is_some_and(|rate| suffices(rate, required_per_second));
    MachineMode {
        durability: mode.durability,
        evidence,
        sustained_per_second: rate,
        range_per_second: None,
        // An interrupted search rules nothing out, nor does one that ended because another machine was preferred.
        holds: (holds || !(mode.interrupted || findings.is_undecided_at(required_per_second))).then_some(holds),
        lacking: None,
        binding: findings.has_evidence().then(|| binding(findings, mode.durability, disk_bytes_per_second)),
        memory_peak_bytes: findings.memory_peak_bytes,
        process_peak_bytes: (findings.rss_peak_bytes > 0).then_some(findings.rss_peak_bytes),
        latency: None,
        reason: reason(findings, required_per_second),
    }
}

fn reason(findings: &MachineFindings, required_per_second: f64) -> String {
    let machine = &findings.machine;
    let memory = machine.usable_ram_bytes() >> 20;
    let ran = match &findings.emulation {
        Emulation::Host => "ran on this host without limits".to_owned(),
        Emulation::CoresAndMemory => {
            format!("ran within {} and {memory} MiB, page cache included", units::cores(machine.millicores))
        }
        Emulation::CoresOnly { why } => {
            format!("ran on {}; memory was not limited: {why}", units::cores(machine.millicores))
        }
    };
    if findings.oom_kills > 0 {
        return format!("{ran}, and was killed {}: out of memory", units::times(findings.oom_kills.into()));
    }
    if let Some(sustained) = findings.sustained.iter().find(|sustained| !findings.fits_memory(sustained)) {
        let took = sustained.footprint.total_bytes() >> 20;
        return format!("{ran}, and process and database took {took} MiB, more than its {memory} MiB");
    }
    if !findings.sustained.is_empty() {
        return ran;
    }
    if findings.is_undecided_at(required_per_second) {
        return format!("{ran}; it met the objective, and later loads were left to a machine that is preferred");
    }
    let at_required = |rate: f64| suffices(required_per_second, rate);
    let failed = findings.decided.iter().rfind(|decided| at_required(decided.rate_per_second));
    let why = findings.probes.iter().rfind(|probe| probe.rejection.is_some() && at_required(probe.offered_per_second));
    let why = why.and_then(|probe| probe.rejection).map_or("", Rejection::name);
    match (failed, findings.ceiling_per_second()) {
        (Some(RateTrials { rate_per_second, trials, .. }), _) => {
            format!("{ran}; {} {trials}: {why}", units::commands_per_second(*rate_per_second))
        }
        (None, Some(ceiling)) => format!("{ran}; its ceiling is {}", units::commands_per_second(ceiling)),
        (None, None) => ran,
    }
}
