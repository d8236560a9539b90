//! How long a plan's answer is valid: the sizes that were measured, the model between and beyond them, the machines over time,
//! and what ends first.

use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;

use ave_actors_rocksdb::backend::Tuning;
use ave_actors_store::config::resolve_spec;
use jiff::civil::Date;

use crate::host::{DiskProfile, Machine};
use crate::load::{BlockGeometry, Drive, ReadCurve, Source};
use crate::plan::forecast::{DAYS_PER_YEAR, Deployment};
use crate::plan::horizon::{MeasuredSizes, Work, periods};
use crate::plan::outcome::{MachineFindings, MachineVerdict, ModeFindings, Outlook, PlanOutcome, ResponseTimes};
use crate::plan::size_rates::LEAST_MEMORY_SHARE;
use crate::plan::spec::PlanSpec;
use crate::plan::stored_data::{StoredData, date_after};
use crate::report::{End, ForecastInfo, HorizonInfo, HorizonMode, MachinePeriod, ValidUntil, WorkingSet, suffices};

/// Commands that are walked for the reuse distances in the page cache: a second of work; and in the block cache, which is soon full.
const WALKED_COMMANDS: u64 = 1_000_000;
const WALKED_FOR_BLOCK_CACHE: u64 = 250_000;

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
    /// Of the largest database that was measured, in the page cache; `None` if commands read nothing.
    curve: Option<ReadCurve>,
    /// The same in the block cache of the machine that was measured.
    loads: Option<ReadCurve>,
    /// That block cache, less its memtables, bytes.
    block_cache_bytes: f64,
    working_set: WorkingSet,
}

impl<'a> GrowingWork<'a> {
    fn of(source: &'a Source, spec: &PlanSpec, machine: &Machine) -> Self {
        let tuning = Tuning::new(&resolve_spec(Some(machine.spec())), None);
        let [in_page_cache, in_block_cache] =
            [BlockGeometry::in_page_cache(&tuning, source.compressibility()), BlockGeometry::in_block_cache(&tuning)];
        let curve = |events, geometry, commands| ReadCurve::of(&source.grown(events), 1, geometry, commands);
        let grown_events = spec.most_grown_events();
        let (now, loads, grown) = std::thread::scope(|scope| {
            let now = (grown_events > 0).then(|| scope.spawn(|| curve(0, &in_page_cache, WALKED_COMMANDS)));
            let loads = scope.spawn(|| curve(grown_events, &in_block_cache, WALKED_FOR_BLOCK_CACHE));
            let grown = curve(grown_events, &in_page_cache, WALKED_COMMANDS);
            (now.map(joined), joined(loads), grown)
        });
        let working_set = match (&now, &grown) {
            (_, None) => WorkingSet::Bounded,
            (None, Some(_)) => WorkingSet::Unknown,
            (Some(Some(now)), Some(grown)) if !now.grows_to(grown) => WorkingSet::Bounded,
            (Some(_), Some(_)) => WorkingSet::Growing,
        };
        let block_cache_bytes = (tuning.memory_budget_bytes - tuning.memtable_budget_bytes) as f64;
        Self { source, growth: source.growing_bytes(), curve: grown, loads, block_cache_bytes, working_set }
    }

    /// Where the reads grow with the database, one twice as large is read as one of the curve's size with half the memory.
    fn misses(&self, curve: Option<&ReadCurve>, database_bytes: f64, memory_bytes: f64) -> f64 {
        curve.map_or(0.0, |curve| curve.disk_reads_per_command(memory_bytes / self.scale(curve, database_bytes)))
    }

    /// What the page cache takes for a block from the disk, mean, bytes.
    fn bytes_per_read(&self) -> f64 {
        self.curve.as_ref().map_or(0.0, ReadCurve::bytes_per_new_block)
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

    fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        self.misses(self.curve.as_ref(), database_bytes, memory_bytes)
    }

    fn block_loads(&self, database_bytes: f64) -> f64 {
        self.misses(self.loads.as_ref(), database_bytes, self.block_cache_bytes)
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

impl OutlookInput<'_> {
    /// `None` if no machine was found by its rate.
    pub(super) fn outlook(&self) -> Option<Outlook> {
        let horizon = self.horizon()?;
        let valid_until = self.valid_until(&horizon);
        Some(Outlook { horizon, valid_until })
    }

    fn horizon(&self) -> Option<HorizonInfo> {
        let (found, grown_events) =
            self.outcome.modes.iter().find_map(|mode| Some((mode.found()?, mode.grown_events)))?;
        let reads = GrowingWork::of(self.source, self.spec, &found.machine);
        let days = self.deployment.horizon_days.min(self.forecast.days_until_disk_full.unwrap_or(f64::INFINITY));
        let database_bytes = StoredData::of(self.forecast).bytes_after(days);
        let modes: Vec<_> = self.outcome.modes.iter().filter_map(|mode| self.mode(mode, &reads, days)).collect();
        let measured = self.outcome.modes.iter().flat_map(|mode| &mode.sizes).map(|size| size.database_bytes).max()?;
        let knee = |curve: &ReadCurve| curve.knee().memory_bytes * reads.scale(curve, database_bytes.expected).max(1.0);
        let mut horizon = HorizonInfo {
            days,
            on: self.date(days),
            database_bytes,
            measured_bytes: measured as f64,
            measured_grown_events_count: grown_events,
            written_now_bytes_per_command: reads.written_bytes(StoredData::of(self.forecast).bytes_after(0.0).expected),
            written_then_bytes_per_command: reads.written_bytes(database_bytes.expected),
            working_set: reads.working_set,
            knee_bytes: reads.curve.as_ref().map(knee),
            modes,
        };
        let of = |known: &HorizonMode| Some(self.periods(self.outcome.mode(known.durability)?, &horizon));
        let periods: Vec<_> = horizon.modes.iter().map(|known| of(known).unwrap_or_default()).collect();
        for (known, periods) in horizon.modes.iter_mut().zip(periods) {
            known.periods = periods;
        }
        Some(horizon)
    }

    /// The machines over time. Those of which it is not known whether they are enough come last.
    fn periods(&self, mode: &ModeFindings, horizon: &HorizonInfo) -> Vec<MachinePeriod> {
        let candidates = |holds| {
            let known = move |verdict: &&MachineVerdict| !verdict.machine.is_host && verdict.known.holds == holds;
            mode.verdicts.iter().filter(known)
        };
        let enough = |days: f64| {
            let bytes = StoredData::of(self.forecast).bytes_after(days).expected;
            let is_enough = |verdict: &&MachineVerdict| self.outcome.is_enough(mode, verdict, horizon, bytes);
            let first = candidates(Some(true)).chain(candidates(None)).find(is_enough);
            first.map(|verdict| verdict.machine.name.clone())
        };
        periods(horizon.days, enough, |days| self.date(days))
    }

    fn mode(&self, mode: &ModeFindings, work: &GrowingWork<'_>, days: f64) -> Option<HorizonMode> {
        let findings = mode.found()?;
        let block_memory_bytes = block_memory(&findings.machine, findings);
        let is_of_same = |other: &&ModeFindings| other.found().is_some_and(|found| found.machine == findings.machine);
        let mut others = self.outcome.modes.iter().filter(|other| other.durability != mode.durability);
        let other_mode = others.find(is_of_same);
        let disk_read_seconds = mode.seconds_per_read_byte.map(|seconds| seconds * work.bytes_per_read());
        // Else other things changed meanwhile.
        let disk_read_seconds = disk_read_seconds.filter(|&seconds| seconds > 0.0);
        let model = MeasuredSizes {
            work,
            read_seconds: disk_read_seconds.unwrap_or_else(|| self.read_seconds(findings.workers)),
            limit_seconds: self.spec.objective.limit_ns as f64 / 1e9,
            memory_bytes: block_memory_bytes,
            sizes: &mode.sizes,
            other_mode: other_mode.map_or(&[], |other| &other.sizes),
            sustained_per_second: findings.sustained_within_memory()?,
            percentile: self.spec.objective.percentile,
            at_target: self.at_target(mode),
        }
        .fit()?;
        let required = self.outcome.required_per_second;
        let size_at = |days: f64| StoredData::of(self.forecast).bytes_after(days).expected;
        let is_bound_by_writes = !suffices(model.rate_of_writes(size_at(days)), required);
        Some(HorizonMode {
            durability: mode.durability,
            profile: findings.machine.name.clone(),
            block_memory_bytes,
            disk_read_seconds,
            is_bound_by_writes,
            points: model.points(size_at(days)),
            beyond: model.beyond(size_at(days), size_at(self.deployment.horizon_days)),
            error: model.error(),
            periods: Vec::new(),
        })
    }

    fn at_target(&self, mode: &ModeFindings) -> Option<ResponseTimes> {
        ResponseTimes::of(&mode.at_target.as_ref()?.drive, self.outcome.request, &self.spec.objective)
    }

    /// Mean time between two random reads when every writer has one there, as the disk was probed.
    fn read_seconds(&self, writers: u64) -> f64 {
        let depth = u32::try_from(writers).unwrap_or(u32::MAX);
        self.disk.read_mean_ns(depth).unwrap_or(0.0) / 1e9 / f64::from(depth.max(1))
    }

    fn date(&self, days: f64) -> Option<String> {
        date_after(self.today, days)
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
