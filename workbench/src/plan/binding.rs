//! Which resource limits a machine, and the evidence for it.

use crate::actor::Durability;
use crate::load::Drive;
use crate::plan::outcome::MachineFindings;
use crate::report::{Binding, Rejection, Resource};
use ave_actors_rocksdb::trace::OpKind;

/// Share of busy cores above which the CPU binds.
const CPU_SHARE: f64 = 0.85;
/// Share of the time in write stalls above which stalls bind.
const STALL_SHARE: f64 = 0.1;
/// Share of the workers' time in durable writes above which sync latency binds.
const SYNC_SHARE: f64 = 0.6;
/// Share of the disk's probed write bandwidth above which it binds.
const BANDWIDTH_SHARE: f64 = 0.7;
/// Bytes read from the disk per command above which memory binds.
const READ_BYTES: f64 = 1024.0;

/// What limits a machine under its closed loop. `disk_bytes_per_second` is the disk's write bandwidth, if it was probed.
pub(super) fn binding(
    findings: &MachineFindings,
    durability: Durability,
    disk_bytes_per_second: Option<f64>,
) -> Binding {
    if findings.oom_kills > 0 {
        let peak = findings
            .memory_peak_bytes
            .map_or_else(String::new, |bytes| format!("; process and page cache had {} MB before", bytes / 1_000_000));
        let evidence = format!("killed {} times: out of memory{peak}", findings.oom_kills);
        return binding_of(Resource::Memory, evidence);
    }
    let Some(drive) = &findings.saturation else {
        return binding_of(Resource::Unknown, "no closed loop was measured".to_owned());
    };
    let signs = Signs::of(drive, findings, durability);
    signs.binding(disk_bytes_per_second).unwrap_or_else(|| rejected(findings).unwrap_or_else(|| signs.nothing()))
}

/// Figures of a closed loop.
struct Signs {
    cores: f64,
    busy_cores: f64,
    stalled_share: f64,
    /// Share of the workers' time spent in writes, with durability on.
    sync_share: f64,
    written_per_second: Option<f64>,
    read_per_command: Option<f64>,
}

impl Signs {
    fn of(drive: &Drive, findings: &MachineFindings, durability: Durability) -> Self {
        let wall = drive.usage.wall_seconds.max(f64::MIN_POSITIVE);
        let commands = drive.measurement.command_count().max(1) as f64;
        let stalled = drive.engine().map_or(0.0, |engine| engine.stall_micros as f64 / 1e6);
        let written: f64 = OpKind::ALL
            .into_iter()
            .filter(|kind| kind.changes())
            .filter_map(|kind| drive.measurement.operations[kind.index()].as_ref())
            .map(|latency| latency.mean() * latency.count() as f64 / 1e9)
            .sum();
        let elapsed = drive.measurement.elapsed_ns as f64 / 1e9 * findings.workers as f64;
        Self {
            cores: findings.machine.cores as f64,
            busy_cores: drive.usage.cpu_seconds / wall,
            stalled_share: stalled / (wall * findings.workers as f64),
            sync_share: if durability.is_on() { written / elapsed.max(f64::MIN_POSITIVE) } else { 0.0 },
            written_per_second: drive.usage.written_bytes.map(|bytes| bytes as f64 / wall),
            read_per_command: drive.usage.read_bytes.map(|bytes| bytes as f64 / commands),
        }
    }

    fn binding(&self, disk_bytes_per_second: Option<f64>) -> Option<Binding> {
        if self.stalled_share > STALL_SHARE {
            let share = 100.0 * self.stalled_share;
            return Some(binding_of(
                Resource::Stalls,
                format!("the engine stalled writers for {share:.0} % of the time"),
            ));
        }
        if self.busy_cores > CPU_SHARE * self.cores {
            return Some(binding_of(Resource::Cpu, format!("{} busy at the ceiling", self.busy())));
        }
        if let Some((written, disk)) = self.written_per_second.zip(disk_bytes_per_second)
            && written > BANDWIDTH_SHARE * disk
        {
            let [written, disk] = [written / 1e6, disk / 1e6];
            let evidence =
                format!("{written:.0} MB/s written at the ceiling, of {disk:.0} MB/s that the disk can write");
            return Some(binding_of(Resource::WriteBandwidth, evidence));
        }
        if self.sync_share > SYNC_SHARE {
            let (share, busy) = (100.0 * self.sync_share, self.busy());
            let evidence = format!("workers spent {share:.0} % of the time in durable writes, with {busy} busy");
            return Some(binding_of(Resource::SyncLatency, evidence));
        }
        let read = self.read_per_command.filter(|&read| read > READ_BYTES)?;
        let evidence = format!("{:.0} kB read from the disk per command: the page cache is too small", read / 1e3);
        Some(binding_of(Resource::Memory, evidence))
    }

    fn nothing(&self) -> Binding {
        binding_of(Resource::Unknown, format!("{} busy at the ceiling, no stalls, few reads", self.busy()))
    }

    /// `0.4 of 1 core`, `1.9 of 2 cores`.
    fn busy(&self) -> String {
        let (busy, cores) = (self.busy_cores, self.cores);
        format!("{busy:.1} of {cores:.0} core{}", if cores > 1.0 { "s" } else { "" })
    }
}

/// What the rates that failed show, if the closed loop shows nothing.
fn rejected(findings: &MachineFindings) -> Option<Binding> {
    let seen = |wanted: Rejection| findings.probes.iter().any(|probe| probe.rejection == Some(wanted));
    let stalls = seen(Rejection::Stalls) || seen(Rejection::CompactionDebt);
    stalls.then(|| binding_of(Resource::Stalls, "compactions fell behind at higher rates".to_owned()))
}

const fn binding_of(resource: Resource, evidence: String) -> Binding {
    Binding { resource, evidence }
}

/// What would let a machine do more.
pub(super) const fn remedy(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "more or faster cores would help, a faster disk would not",
        Resource::SyncLatency => {
            "faster syncs would help (a local NVMe disk with power-loss protection), more cores would not"
        }
        Resource::Memory => "more memory would help",
        Resource::WriteBandwidth => "a disk with more write bandwidth would help",
        Resource::Stalls => "a faster disk and more cores for compactions would help",
        Resource::Unknown => "the measurements do not show what would help",
    }
}
