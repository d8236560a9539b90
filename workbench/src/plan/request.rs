//! The request for a plan, and the scenarios to measure for it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::actor::Durability;
use crate::catalogue::{Catalogue, CatalogueMachine};
use crate::host::{Confinement, HostProfile, Machine};
use crate::load::{Objective, Rate, RestartSpec, Source};
use crate::plan::error::PlanError;
use crate::plan::forecast::Deployment;
use crate::plan::sizes::{Sizes, size_after, sizes};
use crate::plan::spec::{Breadth, Demand, Effort, PlanSpec};
use crate::plan::what_if::WhatIf;
use crate::process::{ProcessError, SourceSnapshot, SourceSpec};
use crate::report::{Disk, DiskOrigin};
use crate::units::{self, DAYS_PER_MONTH};

const DEFAULT_HORIZON_DAYS: f64 = 365.25;
/// A disk that is proposed, as a multiple of the database at the horizon.
const DISK_MARGIN: f64 = 1.1;
/// Bytes that are written to build a larger population to restart.
const RESTART_BYTES: u64 = 256 << 20;

pub(crate) struct PlanRequest {
    pub(crate) source: SourceSpec,
    pub(crate) target: Rate,
    pub(crate) objective: Objective,
    pub(crate) headroom_percent: f64,
    pub(crate) effort: Effort,
    /// Candidates; empty for all profiles, or for the catalogue.
    pub(crate) machines: Vec<Machine>,
    /// Machines that can be bought.
    pub(crate) catalogue: Option<Catalogue>,
    /// Lowest and highest target that are thought possible.
    pub(crate) range: Option<[Rate; 2]>,
    /// Growth of the demand, compound.
    pub(crate) growth_percent_per_month: f64,
    pub(crate) confinement: Confinement,
    pub(crate) durabilities: Vec<Durability>,
    /// Default: as many as an actor system has on a machine.
    pub(crate) writers: Option<u64>,
    /// Actors in the deployment. Default: those of the source.
    pub(crate) actors: Option<u64>,
    pub(crate) retention_days: Option<f64>,
    /// Days from now.
    pub(crate) horizon_days: Option<f64>,
    /// Default: that of a machine of the catalogue, or one that is attached to it; without a catalogue the free space under the
    /// data directory.
    pub(crate) disk_bytes: Option<u64>,
    /// An earlier profile of the disk, to compare.
    pub(crate) disk_profile: Option<PathBuf>,
    /// Rated endurance of the disk (TBW).
    pub(crate) rated_bytes: Option<u64>,
    pub(crate) what_if: Option<WhatIf>,
    pub(crate) fresh: bool,
    /// Whether to measure on a busy host.
    pub(crate) anyway: bool,
    pub(crate) data_dir: PathBuf,
    pub(crate) reports_dir: PathBuf,
    pub(crate) command: String,
    /// RFC 3339 in UTC.
    pub(crate) started_at: String,
}

/// A source and the settings it is planned with.
pub(super) struct Scenario {
    pub(super) source: Source,
    pub(super) snapshot: SourceSnapshot,
    pub(super) spec: PlanSpec,
    /// What is to be known before anything is measured, in words.
    pub(super) notes: Vec<String>,
    pub(super) deployment: Deployment,
}

impl PlanRequest {
    /// The plan as requested, checked.
    pub(super) fn scenario(&self, source: Source, host: &HostProfile) -> Result<Scenario, PlanError> {
        let (most_bytes, repeats) = match self.effort.breadth {
            Breadth::Smallest => (RESTART_BYTES / 8, 1),
            Breadth::SmallestAndScaling => (RESTART_BYTES, 2),
            Breadth::All => (RESTART_BYTES * 4, 3),
        };
        let target_per_second = self.target.commands_per_second(&source).map_err(ProcessError::Run)?;
        let commands = |rate: &Rate| rate.commands_per_second(&source).map_err(ProcessError::Run);
        let range = self.range.as_ref().map(|[low, high]| Ok::<_, ProcessError>([commands(low)?, commands(high)?]));
        let range_per_second = range.transpose()?;
        let actors = self.actors.unwrap_or_else(|| source.actors());
        // A disk that is given is attached to whichever machine is bought.
        let catalogue = self.catalogue.clone();
        let catalogue = catalogue.map(|one| if self.disk_bytes.is_some() { one.without_disks() } else { one });
        let machines = match &catalogue {
            _ if !self.machines.is_empty() => self.machines.clone(),
            Some(catalogue) => catalogue.machines.iter().map(|one| one.machine.clone()).collect(),
            None => Machine::profiles(),
        };
        let deployment = Deployment {
            target_per_second,
            demand_growth_percent_per_month: self.growth_percent_per_month,
            actors,
            retention_days: self.retention_days,
            horizon_days: self.horizon_days.unwrap_or_else(|| self.default_horizon_days()),
            disk: self.disk(catalogue.as_ref(), host.disk.free_bytes),
            rated_bytes: self.rated_bytes,
        };
        let full = full_before_horizon(&source, &deployment);
        // A horizon that was asked for must be reached before the disk is full, and one that is not is known before time is spent.
        let full = match full {
            Some(full) if self.horizon_days.is_some() => return Err(PlanError::Usage(full)),
            full => full.filter(|_| deployment.disk.origin == DiskOrigin::Machine),
        };
        let full = full.map(|full| format!("no machine of the catalogue is enough until the horizon: {full}"));
        let short_of_disk = catalogue.as_ref().map_or_else(Vec::new, |it| short_of_disk(it, &source, &deployment));
        let sizes = self.sizes(&source, &deployment, &machines, host);
        let scenario = Scenario {
            notes: sizes.note.into_iter().chain(full).collect(),
            snapshot: SourceSnapshot::new(self.source.clone(), &source)?,
            source,
            spec: PlanSpec {
                target_per_second,
                objective: self.objective.clone(),
                headroom_percent: self.headroom_percent,
                writers: self.writers,
                machines,
                short_of_disk,
                catalogue,
                emulates_parts_of_cores: self.confinement.limits_cpu_time(),
                demand: Demand {
                    range_per_second,
                    growth_percent_per_month: self.growth_percent_per_month,
                    months: deployment.horizon_days / DAYS_PER_MONTH,
                },
                host: Machine::host(host.usable_cores, host.usable_ram_bytes),
                durabilities: self.durabilities.clone(),
                effort: self.effort,
                grown_events: sizes.grown_events,
                restart: RestartSpec { actors, most_bytes, repeats },
                disk_bytes_per_second: None,
            },
            deployment,
        };
        scenario.check(host)?;
        Ok(scenario)
    }

    /// The sizes of the database, in proportion to the RAM of the smallest machine.
    fn sizes(&self, source: &Source, deployment: &Deployment, machines: &[Machine], host: &HostProfile) -> Sizes {
        let smallest = machines.iter().map(|machine| machine.ram_mb << 20).min().unwrap_or(0);
        sizes(source, deployment, smallest, self.effort.breadth, host.disk.free_bytes)
    }

    /// The retention, after which a steady demand stores no more; a year without one, and at least a year where the demand grows
    /// or a machine is bought.
    fn default_horizon_days(&self) -> f64 {
        let is_steady = self.growth_percent_per_month <= 0.0 && self.catalogue.is_none();
        let least = if is_steady { 0.0 } else { DEFAULT_HORIZON_DAYS };
        self.retention_days.map_or(DEFAULT_HORIZON_DAYS, |retention| retention.max(least))
    }

    /// The disk that the database is forecast on first: of a catalogue, the largest, or any size if it leaves one open.
    fn disk(&self, catalogue: Option<&Catalogue>, free_bytes: u64) -> Disk {
        if let Some(bytes) = self.disk_bytes {
            return Disk { bytes, origin: DiskOrigin::Given };
        }
        match catalogue.map(Catalogue::largest_disk) {
            None => Disk::of_host(free_bytes),
            Some(Some(bytes)) => Disk { bytes, origin: DiskOrigin::Machine },
            Some(None) => Disk::ATTACHED,
        }
    }

    /// The same with the changes of a what-if, checked; `None` if they only change the target, which needs no measurement.
    pub(super) fn changed(&self, scenario: &Scenario, host: &HostProfile) -> Result<Option<Scenario>, PlanError> {
        let Some(what_if) = self.what_if.as_ref().filter(|what_if| what_if.changes_the_work()) else { return Ok(None) };
        let Source::Workload(workload) = &scenario.source else {
            return Err(PlanError::Usage(format!(
                "--what-if {what_if}: of a trace only `target` can be changed; `ave-workbench trace fit` derives a workload from \
                 it, whose other figures can be changed too"
            )));
        };
        let (workload, text) = what_if.apply(workload).map_err(PlanError::Usage)?;
        let source = Source::Workload(Arc::new(workload));
        let target_per_second = what_if.target(scenario.spec.target_per_second);
        let effort = Effort { breadth: Breadth::Smallest, ..scenario.spec.effort };
        let actors = self.actors.unwrap_or_else(|| source.actors());
        let deployment = Deployment { target_per_second, actors, ..scenario.deployment };
        let sizes = self.sizes(&source, &deployment, &scenario.spec.machines, host);
        let changed = Scenario {
            snapshot: SourceSnapshot::Workload(text),
            source,
            spec: PlanSpec { target_per_second, effort, grown_events: sizes.grown_events, ..scenario.spec.clone() },
            notes: Vec::from_iter(sizes.note),
            deployment,
        };
        changed.check(host)?;
        Ok(Some(changed))
    }
}

/// That the disk is full before the horizon, by the workload alone, and what would help; `None` if it is not.
fn full_before_horizon(source: &Source, deployment: &Deployment) -> Option<String> {
    let (disk_bytes, days) = (deployment.disk.limit()? as f64, deployment.horizon_days);
    let [now, then] = [0.0, days].map(|days| size_after(source, deployment, days));
    if then <= disk_bytes {
        return None;
    }
    let share = ((disk_bytes - now) / (then - now)).max(0.0);
    let full_after = deployment.demand_growth().days_of(share * deployment.kept_after(days));
    let disk = units::bytes(disk_bytes);
    let disk = match deployment.disk.origin {
        DiskOrigin::Machine => format!("the largest disk of the catalogue, of {disk},"),
        DiskOrigin::Host | DiskOrigin::Given | DiskOrigin::Attached => format!("the disk of {disk}"),
    };
    Some(format!(
        "after {} the database takes {}, and {disk} is full after about {}: give a shorter --horizon, a --retention, \
         or the size of the deployment's disk, such as --disk {}",
        units::about_days(days),
        units::bytes(then),
        units::about_days(full_after),
        units::bytes(DISK_MARGIN * then).replace(' ', ""),
    ))
}

/// The machines of a catalogue whose disk the workload fills before the horizon.
fn short_of_disk(catalogue: &Catalogue, source: &Source, deployment: &Deployment) -> Vec<String> {
    let needed = size_after(source, deployment, deployment.horizon_days);
    let is_short = |one: &&CatalogueMachine| one.disk.bytes.is_some_and(|bytes| (bytes as f64) < needed);
    catalogue.machines.iter().filter(is_short).map(|one| one.machine.name.clone()).collect()
}

impl Scenario {
    fn check(&self, host: &HostProfile) -> Result<(), PlanError> {
        self.spec.check(&self.source).map_err(ProcessError::from)?;
        Ok(self.source.check_space(host.disk.free_bytes).map_err(ProcessError::from)?)
    }
}
