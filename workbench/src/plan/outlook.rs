//! How long a plan's answer is valid: the sizes that were measured, the model between and beyond them, the machines over time,
//! and what ends first.

use std::panic::resume_unwind;

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_store::config::resolve_spec;
use jiff::civil::Date;

use crate::host::{DiskProfile, Machine};
use crate::load::{BlockGeometry, Drive, ReadCurve, Source};
use crate::plan::forecast::{DAYS_PER_YEAR, Deployment, later};
use crate::plan::horizon::{Candidate, SizeModel, Work, periods};
use crate::plan::outcome::{MachineFindings, ModeFindings, Outlook, PlanOutcome};
use crate::plan::spec::PlanSpec;
use crate::report::{End, ForecastInfo, HorizonInfo, HorizonMode, ValidUntil, WorkingSet};

/// Commands that are walked for the reuse distances: a second of work.
const WALKED_COMMANDS: u64 = 1_000_000;
/// Share of a machine's memory that is for blocks at least.
const LEAST_MEMORY_SHARE: f64 = 0.05;

/// What an outlook needs to know besides the findings.
pub(super) struct OutlookInput<'a> {
    pub(super) source: &'a Source,
    pub(super) spec: &'a PlanSpec,
    pub(super) outcome: &'a PlanOutcome,
    pub(super) deployment: &'a Deployment,
    pub(super) forecast: &'a ForecastInfo,
    pub(super) disk: &'a DiskProfile,
    pub(super) today: Date,
}

/// The work of the commands of a source as its database grows.
struct GrowingWork<'a> {
    source: &'a Source,
    /// Size of the database now, and of an event in it, bytes; `None` if no state grows with the events of its actor.
    growth: Option<[f64; 2]>,
    /// Of the largest database that was measured; `None` if commands read nothing.
    curve: Option<ReadCurve>,
    working_set: WorkingSet,
}

impl<'a> GrowingWork<'a> {
    fn of(source: &'a Source, spec: &PlanSpec, machine: &Machine) -> Self {
        let tuning = Tuning::new(&resolve_spec(Some(machine.spec())), None);
        let geometry = BlockGeometry::in_page_cache(&tuning, source.compressibility());
        let curve = |events| ReadCurve::of(&source.grown(events), 1, &geometry, WALKED_COMMANDS);
        let grown_events = spec.most_grown_events();
        let (now, grown) = std::thread::scope(|scope| {
            let now = (grown_events > 0).then(|| scope.spawn(|| curve(0)));
            let grown = curve(grown_events);
            (now.map(|now| now.join().unwrap_or_else(|panic| resume_unwind(panic))), grown)
        });
        let working_set = match (&now, &grown) {
            (_, None) => WorkingSet::Bounded,
            (None, Some(_)) => WorkingSet::Unknown,
            (Some(Some(now)), Some(grown)) if !now.grows_to(grown) => WorkingSet::Bounded,
            (Some(_), Some(_)) => WorkingSet::Growing,
        };
        Self { source, growth: source.growing_bytes(), curve: grown, working_set }
    }

    /// By how much the reads of a database of this size are spread wider than those of the curve.
    fn scale(&self, curve: &ReadCurve, database_bytes: f64) -> f64 {
        match self.working_set {
            WorkingSet::Bounded | WorkingSet::Unknown => 1.0,
            WorkingSet::Growing => database_bytes.max(1.0) / curve.stored_bytes(),
        }
    }
}

impl Work for GrowingWork<'_> {
    fn written_bytes(&self, database_bytes: f64) -> f64 {
        let events = self.growth.map_or(0.0, |[now, per_event]| (database_bytes - now).max(0.0) / per_event);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, saturating")]
        let events = events as u64;
        self.source.grown(events).written_bytes_per_command()
    }

    /// Where the reads grow with the database, a database twice as large is read as one of this size with half the memory.
    fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        let Some(curve) = &self.curve else { return 0.0 };
        curve.disk_reads_per_command(memory_bytes / self.scale(curve, database_bytes))
    }
}

impl OutlookInput<'_> {
    /// `None` if no machine is recommended.
    pub(super) fn outlook(&self) -> Option<Outlook> {
        let horizon = self.horizon()?;
        let valid_until = self.valid_until(&horizon);
        Some(Outlook { horizon, valid_until })
    }

    fn horizon(&self) -> Option<HorizonInfo> {
        let recommended =
            self.outcome.modes.iter().find_map(|mode| mode.searched_machine(&mode.recommended()?.machine))?;
        let reads = GrowingWork::of(self.source, self.spec, &recommended.machine);
        let days = self.deployment.horizon_days.min(self.forecast.days_until_disk_full.unwrap_or(f64::INFINITY));
        let database_bytes = self.forecast.bytes_after(days);
        let modes: Vec<_> = self.outcome.modes.iter().filter_map(|mode| self.mode(mode, &reads, days)).collect();
        let measured = self.outcome.modes.iter().flat_map(|mode| &mode.sizes).map(|size| size.database_bytes).max()?;
        let knee = |curve: &ReadCurve| curve.knee().memory_bytes * reads.scale(curve, database_bytes.expected).max(1.0);
        Some(HorizonInfo {
            days,
            on: self.date(days),
            database_bytes,
            measured_bytes: measured as f64,
            measured_grown_events_count: self.spec.most_grown_events(),
            written_now_bytes_per_command: reads.written_bytes(self.forecast.bytes_after(0.0).expected),
            written_then_bytes_per_command: reads.written_bytes(database_bytes.expected),
            working_set: reads.working_set,
            knee_bytes: reads.curve.as_ref().map(knee),
            modes,
        })
    }

    fn mode(&self, mode: &ModeFindings, work: &dyn Work, days: f64) -> Option<HorizonMode> {
        let findings = mode.searched_machine(&mode.recommended()?.machine)?;
        let largest = mode.sizes.last()?;
        let block_memory_bytes = block_memory(&findings.machine, findings);
        let read_seconds = |depth: f64| self.read_seconds(depth);
        let model = SizeModel {
            work,
            writers: findings.workers as f64,
            read_seconds: &read_seconds,
            limit_seconds: self.spec.objective.limit_ns as f64 / 1e9,
            memory_bytes: block_memory_bytes,
            measured: &mode.sizes,
            sustained_share: findings.sustained_per_second()? / largest.per_second,
        };
        let machines = self.spec.candidates_and_host();
        let larger = machines.iter().filter(|machine| !machine.is_host && machine.is_at_least(&findings.machine));
        let candidates: Vec<_> = larger
            .map(|machine| Candidate { name: &machine.name, memory_bytes: block_memory(machine, findings) })
            .collect();
        let required = self.outcome.required_per_second;
        let is_bound_by_writes = model.rate_of_writes(self.forecast.bytes_after(days).expected) < required;
        let size_at = |days: f64| self.forecast.bytes_after(days).expected;
        Some(HorizonMode {
            durability: mode.durability,
            profile: findings.machine.name.clone(),
            block_memory_bytes,
            is_bound_by_writes,
            points: model.points(size_at(days)),
            beyond: model.beyond(size_at(days)),
            error: model.error().map(Into::into),
            periods: periods(&model, &candidates, required, days, size_at, |days| self.date(days)),
        })
    }

    /// Mean time of a random read with so many at once.
    fn read_seconds(&self, depth: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of writers")]
        let depth = depth.ceil() as u32;
        self.disk.read_mean_ns(depth).unwrap_or(0.0) / 1e9
    }

    fn date(&self, days: f64) -> Option<String> {
        Some(later(self.today, days)?.to_string())
    }

    /// What ends first.
    fn valid_until(&self, horizon: &HorizonInfo) -> ValidUntil {
        let reads = horizon.modes.iter().filter_map(|mode| {
            let last = mode.periods.last().filter(|last| last.profile.is_none())?;
            Some((last.from_days, if mode.is_bound_by_writes { End::Writes } else { End::Reads }))
        });
        let disk = self.forecast.days_until_disk_full.map(|days| (days, End::Disk));
        let worn = self.forecast.writes.iter().filter_map(|writes| writes.disk_worn_years);
        let worn = worn.map(|years| (DAYS_PER_YEAR * years, End::Endurance));
        let ends = reads.chain(disk).chain(worn).filter(|(days, _)| *days <= self.deployment.horizon_days);
        let (days, end) =
            ends.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((self.deployment.horizon_days, End::Horizon));
        ValidUntil { days, on: self.date(days), end }
    }
}

/// Memory for blocks: what the machine has less what the process held beside its block cache.
fn block_memory(machine: &Machine, findings: &MachineFindings) -> f64 {
    let usable = machine.usable_ram_bytes() as f64;
    let drives = findings.sustained.last().map_or(findings.saturation.as_slice(), |sustained| &sustained.drives);
    let cached = drives.iter().filter_map(Drive::engine).map(|engine| engine.block_cache_bytes).max();
    let process = findings.rss_peak_bytes.saturating_sub(cached.unwrap_or(0)) as f64;
    (usable - process).max(LEAST_MEMORY_SHARE * usable)
}
