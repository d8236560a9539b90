//! Which resource limits a machine, and the evidence for it.

use crate::actor::Durability;
use crate::load::Drive;
use crate::plan::outcome::MachineFindings;
use crate::report::{Binding, Rejection, Resource};
use crate::units;
use ave_actors_rocksdb::trace::OpKind;

/// Share of busy cores above which the CPU binds.
const CPU_SHARE: f64 = 0.85;
/// Share of the time in write stalls above which stalls bind.
const STALL_SHARE: f64 = 0.1;
/// Share of the writers' time in durable writes above which sync latency binds.
const SYNC_SHARE: f64 = 0.6;
/// Share of the disk's probed write bandwidth above which it binds.
const BANDWIDTH_SHARE: f64 = 0.7;
/// Bytes of values that a command writes on average above which their size binds: a hundred times what is usual.
const VALUE_BYTES: f64 = 65_536.0;
/// Bytes read from the disk per command above which memory binds.
const READ_BYTES: f64 = 1024.0;

/// What limits a machine under its closed loop. `disk_bytes_per_second` is the disk's write bandwidth, if it was probed.
pub(super) fn binding(
    findings: &MachineFindings,
    durability: Durability,
    disk_bytes_per_second: Option<f64>,
) -> Binding {
    if findings.oom_kills > 0 {
        let peak = findings.memory_peak_bytes.map_or_else(String::new, |bytes| {
            format!("; process and page cache had {} before", units::bytes(bytes as f64))
        });
        let evidence = format!("killed {}: out of memory{peak}", units::times(findings.oom_kills.into()));
        return Binding { resource: Resource::Memory, evidence };
    }
    let Some(drive) = &findings.saturation else {
        return Binding { resource: Resource::Unknown, evidence: "no closed loop was measured".to_owned() };
    };
    let (cores, workers) = (findings.machine.millicores as f64 / 1e3, findings.workers as f64);
    let wall = drive.usage.wall_seconds.max(f64::MIN_POSITIVE);
    let busy_cores = drive.usage.cpu_seconds / wall;
    let busy = format!("{busy_cores:.1} of {}", units::cores(findings.machine.millicores));
    let stalled = drive.engine().map_or(0.0, |engine| engine.stall_micros as f64 / 1e6) / (wall * workers);
    let synced = if durability.is_on() { share_in_writes(drive, workers) } else { 0.0 };
    let written = drive.usage.written_bytes.map_or(0.0, |bytes| bytes as f64 / wall);
    let disk = disk_bytes_per_second.unwrap_or(f64::INFINITY);
    let commands = drive.measurement.command_count().max(1) as f64;
    let read = drive.usage.read_bytes.map_or(0.0, |bytes| bytes as f64 / commands);
    let values = drive.measurement.payload_bytes as f64 / commands;
    let signs = [
        (values > VALUE_BYTES, Resource::ValueSize, {
            format!("a command writes values of {} on average", units::bytes(values))
        }),
        (stalled > STALL_SHARE, Resource::Stalls, {
            format!("the engine stalled writers for {:.0} % of the time", 100.0 * stalled)
        }),
        (busy_cores > CPU_SHARE * cores, Resource::Cpu, format!("{busy} busy at the ceiling")),
        (written > BANDWIDTH_SHARE * disk, Resource::WriteBandwidth, {
            let [written, disk] = [written, disk].map(units::bytes);
            format!("{written}/s written at the ceiling, of {disk}/s that the disk can write")
        }),
        (synced > SYNC_SHARE, Resource::SyncLatency, {
            format!("writers spent {:.0} % of the time in durable writes, with {busy} busy", 100.0 * synced)
        }),
        (read > READ_BYTES, Resource::Memory, {
            format!("{} read from the disk per command: the page cache is too small", units::bytes(read))
        }),
    ];
    let sign = signs.into_iter().find(|(binds, ..)| *binds);
    sign.map(|(_, resource, evidence)| Binding { resource, evidence }).or_else(|| rejected(findings)).unwrap_or_else(
        || Binding {
            resource: Resource::Unknown,
            evidence: format!("{busy} busy at the ceiling, no stalls, few reads"),
        },
    )
}

/// Share of the writers' time spent in writes.
fn share_in_writes(drive: &Drive, workers: f64) -> f64 {
    let changes = OpKind::ALL.into_iter().filter(|kind| kind.changes());
    let latencies = changes.filter_map(|kind| drive.measurement.operations[kind.index()].as_ref());
    let written: f64 = latencies.map(|latency| latency.mean() * latency.count() as f64 / 1e9).sum();
    written / (drive.measurement.elapsed_ns as f64 / 1e9 * workers).max(f64::MIN_POSITIVE)
}

/// What the rates that failed show, if the closed loop shows nothing.
fn rejected(findings: &MachineFindings) -> Option<Binding> {
    let seen = |wanted: Rejection| findings.probes.iter().any(|probe| probe.rejection == Some(wanted));
    let stalls = seen(Rejection::Stalls) || seen(Rejection::CompactionDebt);
    stalls
        .then(|| Binding { resource: Resource::Stalls, evidence: "compactions fell behind at higher rates".to_owned() })
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
        Resource::ValueSize => {
            "smaller events or states would help, such as a state for each subject instead of one that grows with all of them"
        }
        Resource::DiskSpace => "a larger disk, a retention or a shorter horizon would help",
        Resource::Unknown => "the measurements do not show what would help",
    }
}
