//! The disk of a plan: how it behaved, how it changed since its profile, and what the durable rate is at its latencies.

use std::path::Path;

use crate::host::{DiskSample, DiskSwing};
use crate::load::Drive;
use crate::measure::median;
use crate::plan::error::PlanError;
use crate::plan::outcome::{MachineFindings, PlanOutcome};
use crate::plan::sync_scaling::{SyncScaling, SyncScalingRefusal};
use crate::report::{
    DiskChange, DiskComparison, DiskFile, DurableRate, DurableRateBasis, DurableRates, HostInfo, PlanDisk, Warning,
    difference,
};

/// Reads the profile of the disk and checks that it is of the disk of `host`.
pub(super) fn read_profile(path: &Path, host: &HostInfo) -> Result<DiskFile, PlanError> {
    let file = DiskFile::read(path)?;
    let (known, here) = (DiskFile::identity(&file.host), DiskFile::identity(host));
    if let Some((what, known, here)) = difference(&known, &here) {
        return Err(PlanError::OtherDisk { path: path.to_owned(), what, known, here });
    }
    Ok(file)
}

/// The disk as the samples of a plan show it.
pub(super) fn plan_disk(
    samples: &[DiskSample],
    known: Option<&DiskFile>,
    today: &DiskSwing,
    outcome: &PlanOutcome,
) -> PlanDisk {
    let swing = DiskSwing::of(samples);
    let today = swing.as_ref().unwrap_or(today);
    let durable_mode = outcome.modes.iter().find(|mode| mode.durability.is_on());
    PlanDisk {
        comparison: known.map(|known| DiskComparison::new(&known.measured_at, &known.profile.swing, today)),
        durable_rates: durable_mode.and_then(|mode| mode.principal()).map(|findings| durable_rates(findings, today)),
        samples: samples.to_vec(),
        swing,
    }
}

fn durable_rates(findings: &MachineFindings, disk: &DiskSwing) -> DurableRates {
    let seconds = findings.saturation.as_ref().map(Drive::durable_seconds).unwrap_or_default();
    let machine = findings.machine.name.clone();
    match SyncScaling::of(&seconds) {
        Ok(scaling) => known_rates(machine, &scaling, findings, disk),
        Err(refusal) => refused(machine, &refusal),
    }
}

fn known_rates(machine: String, scaling: &SyncScaling, findings: &MachineFindings, disk: &DiskSwing) -> DurableRates {
    let [_, closed_loop_ns, _] = scaling.measured_ns;
    let sustained = findings.sustained.last().and_then(|rate| {
        let syncs = rate.drives.iter().filter_map(Drive::wal_syncs);
        let latencies: Vec<f64> = syncs.map(|syncs| syncs.p50_of_seconds_ns).collect();
        (!latencies.is_empty()).then(|| (rate.rate_per_second, median(latencies)))
    });
    let rate = |(swing_percent, disk_sync_ns): (f64, u64)| {
        let times = disk_sync_ns as f64 / disk.sync_p50_ns.max(1) as f64;
        let ceiling_sync_ns = times * closed_loop_ns;
        DurableRate {
            swing_percent,
            disk_sync_ns,
            ceiling_sync_ns,
            ceiling_per_second: scaling.per_second(ceiling_sync_ns),
            sustained_sync_ns: sustained.map(|(_, sync_ns)| times * sync_ns),
            sustained_per_second: sustained.and_then(|measured| scaling.continued(measured, times)),
        }
    };
    let points = [(10.0, disk.sync_p10_ns), (50.0, disk.sync_p50_ns), (90.0, disk.sync_p90_ns)];
    DurableRates {
        machine,
        basis: scaling.basis,
        seconds_count: scaling.seconds as u64,
        fixed_ns: scaling.fixed_ns,
        syncs_per_command_ratio: scaling.syncs_per_command,
        error_percent: scaling.relative_error.map(|error| 100.0 * error),
        reach_ns: scaling.reach_ns(),
        rates: points.map(rate).into(),
        note: String::new(),
    }
}

fn refused(machine: String, refusal: &SyncScalingRefusal) -> DurableRates {
    DurableRates {
        machine,
        basis: DurableRateBasis::Counted,
        seconds_count: 0,
        fixed_ns: 0.0,
        syncs_per_command_ratio: 0.0,
        error_percent: None,
        reach_ns: [0.0; 2],
        rates: Vec::new(),
        note: refusal.to_string(),
    }
}

/// What the reader of a plan must know about its disk.
pub(super) fn disk_warnings(disk: &PlanDisk) -> Vec<Warning> {
    let changed = disk.comparison.iter().filter(|comparison| comparison.change != DiskChange::Same);
    let changed = changed.map(|comparison| Warning {
        what: format!("the disk changed: {}", comparison.sentence),
        hint: "the durable rates of this plan are valid for the disk of today; measure again when it is back, or plan for \
               the slower one"
            .to_owned(),
    });
    let steps = disk.swing.iter().flat_map(|swing| &swing.steps).map(|step| Warning {
        what: format!("the disk changed during the plan: {}", step.sentence),
        hint: "loads before and after saw different disks; compare their sync latencies, and plan again".to_owned(),
    });
    changed.chain(steps).collect()
}
