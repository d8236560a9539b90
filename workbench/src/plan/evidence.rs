//! What was found out on this host says of every machine.
//!
//! A machine that was searched has figures of its own. One that has at least the cores and the RAM of such a machine does
//! at least as well. One with more cores than this host is extrapolated, if the points carry that. Of any other nothing is
//! known.

use serde::{Deserialize, Serialize};

use crate::host::Machine;
use crate::plan::binding::{Binding, binding};
use crate::plan::engine::{ModePlan, suffices};
use crate::plan::search::Findings;
use crate::process::Emulation;
use crate::units;

/// What was occupied by then, at its largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Resident set of the process, bytes.
    pub rss_bytes: u64,
    /// The database on disk, bytes: an upper bound of what the page cache held of it.
    pub database_bytes: u64,
}

impl Footprint {
    /// RAM that certainly holds all of it, bytes.
    pub const fn total_bytes(self) -> u64 {
        self.rss_bytes + self.database_bytes
    }
}

/// What stands behind what is said of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// It is this host.
    Measured,
    /// This host pretended to be it: its cores, its memory with the page cache, its tuning.
    Emulated,
    /// Its cores and its tuning; memory could not be limited, and the run took no more than it has.
    CoresEmulated,
    /// No smaller in cores and RAM than a machine that was searched: at least as good.
    Implied,
    /// More cores than this host: its points continued by the Universal Scalability Law.
    Extrapolated,
    /// Nothing measured speaks of it.
    NotMeasured,
}

/// A machine, and what is known of it in one durability mode.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineVerdict {
    /// The machine.
    pub machine: Machine,
    /// What stands behind the rate.
    pub support: Support,
    /// The highest rate that is known to meet the objective, commands per second; `None` if none is.
    pub sustained_per_second: Option<f64>,
    /// Where an extrapolated rate lies.
    pub range_per_second: Option<[f64; 2]>,
    /// Whether it holds what is required; `None` if that is not known.
    pub holds: Option<bool>,
    /// What keeps it from going faster, where it was searched.
    pub binding: Option<Binding>,
    /// Most memory of process and page cache together, bytes, where it was limited.
    pub memory_peak_bytes: Option<u64>,
    /// Why, in words.
    pub reason: String,
}

/// What a mode's findings say of a machine.
pub(super) fn verdict(
    machine: &Machine,
    mode: &ModePlan,
    required_per_second: f64,
    disk_bytes_per_second: Option<f64>,
) -> MachineVerdict {
    if let Some(findings) = mode.searched.iter().find(|findings| findings.machine == *machine) {
        return searched(findings, mode, required_per_second, disk_bytes_per_second);
    }
    let unknown = MachineVerdict {
        machine: machine.clone(),
        support: Support::NotMeasured,
        sustained_per_second: None,
        range_per_second: None,
        holds: None,
        binding: None,
        memory_peak_bytes: None,
        reason: String::new(),
    };
    let extrapolated = mode.extrapolated(machine);
    // What a smaller machine was seen to hold, a larger one holds, whatever a law says.
    let known = smaller(machine, mode).filter(|&(_, rate)| suffices(rate, required_per_second));
    if let (Some(Ok([rate, low, high])), None) = (&extrapolated, known) {
        let [rate, low, high] = [*rate, *low, *high];
        return MachineVerdict {
            support: Support::Extrapolated,
            sustained_per_second: Some(rate),
            range_per_second: Some([low, high]),
            holds: if suffices(low, required_per_second) {
                Some(true)
            } else {
                (high < required_per_second).then_some(false)
            },
            reason: format!("{low:.0} to {high:.0} commands/s, {}", mode.extrapolation_reason(machine)),
            ..unknown
        };
    }
    let refused =
        extrapolated.and_then(Result::err).map_or_else(String::new, |why| format!("; not extrapolated: {why}"));
    match smaller(machine, mode) {
        Some((than, rate)) => MachineVerdict {
            support: Support::Implied,
            sustained_per_second: Some(rate),
            holds: suffices(rate, required_per_second).then_some(true),
            reason: format!("has the cores and the memory of {than}, and more: at least that rate{refused}"),
            ..unknown
        },
        None => MachineVerdict { reason: not_measured(machine, mode, &refused), ..unknown },
    }
}

/// The searched machine, no larger in any respect, that sustains the most, and its rate.
fn smaller<'m>(machine: &Machine, mode: &'m ModePlan) -> Option<(&'m Machine, f64)> {
    let rates = mode.searched.iter().filter(|findings| machine.is_at_least(&findings.machine));
    let known = rates.filter_map(|findings| Some((&findings.machine, findings.sustained_with_room()?)));
    known.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn not_measured(machine: &Machine, mode: &ModePlan, refused: &str) -> String {
    let larger = mode.searched.iter().filter(|findings| findings.machine.is_at_least(machine));
    if larger.clone().any(|findings| findings.sustained_with_room().is_some()) {
        return "smaller than the machines that meet the objective, and not searched itself".to_owned();
    }
    if larger.count() > 0 {
        return "not searched: a larger machine did not meet the objective".to_owned();
    }
    format!("no machine that was searched is as small and meets the objective{refused}")
}

fn searched(
    findings: &Findings,
    mode: &ModePlan,
    required_per_second: f64,
    disk_bytes_per_second: Option<f64>,
) -> MachineVerdict {
    let own = findings.sustained_with_room();
    // A larger machine is no slower than a smaller one: where its own search ended lower, that was chance.
    let implied = smaller(&findings.machine, mode).filter(|&(_, rate)| own.is_none_or(|own| rate > own));
    let rate = implied.map_or(own, |(_, rate)| Some(rate));
    let support = match (&findings.emulation, implied) {
        (_, Some(_)) => Support::Implied,
        (Emulation::Host, None) => Support::Measured,
        (Emulation::CoresAndMemory, None) => Support::Emulated,
        (Emulation::CoresOnly { .. }, None) => Support::CoresEmulated,
    };
    let holds = rate.is_some_and(|rate| suffices(rate, required_per_second));
    MachineVerdict {
        machine: findings.machine.clone(),
        support,
        sustained_per_second: rate,
        range_per_second: None,
        // A search that somebody stopped rules nothing out.
        holds: if holds || !mode.interrupted { Some(holds) } else { None },
        binding: findings.has_evidence().then(|| binding(findings, mode.durability, disk_bytes_per_second)),
        memory_peak_bytes: findings.memory_peak_bytes,
        reason: reason(findings, required_per_second),
    }
}

fn reason(findings: &Findings, required_per_second: f64) -> String {
    let machine = &findings.machine;
    let memory = machine.usable_ram_bytes() >> 20;
    let ran = match &findings.emulation {
        Emulation::Host => "ran on this host as it is".to_owned(),
        Emulation::CoresAndMemory => {
            format!("ran within {} and {memory} MiB, page cache included", units::counted(machine.cores as u64, "core"))
        }
        Emulation::CoresOnly { why } => {
            format!("ran on {}; memory was not limited: {why}", units::counted(machine.cores as u64, "core"))
        }
    };
    if findings.deaths > 0 {
        let times = if findings.deaths == 1 { "once".to_owned() } else { format!("{} times", findings.deaths) };
        return format!("{ran}, and was killed {times} when its memory was used up");
    }
    if let Some(held) = findings.held.iter().find(|held| !findings.had_room(held)) {
        let took = held.footprint.total_bytes() >> 20;
        return format!("{ran}, and process and database took {took} MiB, more than its {memory} MiB");
    }
    let failed = findings.probes.iter().rfind(|probe| {
        probe.rejection.is_some() && suffices(required_per_second, probe.offered_per_second) && findings.held.is_empty()
    });
    match (failed, findings.ceiling_per_second()) {
        (Some(probe), _) => {
            let why = probe.rejection.map_or("", crate::plan::judge::Rejection::reason);
            format!("{ran}; {:.0} commands/s: {why}", probe.offered_per_second)
        }
        (None, Some(ceiling)) if findings.held.is_empty() => {
            format!("{ran}; its ceiling is {ceiling:.0} commands/s")
        }
        _ => ran,
    }
}
