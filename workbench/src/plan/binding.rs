//! What keeps a machine from going faster, and by which signs.

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::load::Drive;
use crate::plan::judge::Rejection;
use crate::plan::search::Findings;
use ave_actors_rocksdb::trace::OpKind;

/// What a machine runs out of first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// The time the disk takes to make a write durable.
    SyncLatency,
    /// Memory: the machine dies, or reads leave the page cache.
    Memory,
    /// Bytes the disk writes per second.
    WriteBandwidth,
    /// The engine holds writers back until compactions catch up.
    Stalls,
    /// None of these by what was seen.
    Unknown,
}

impl Resource {
    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::SyncLatency => "sync latency",
            Self::Memory => "memory",
            Self::WriteBandwidth => "write bandwidth",
            Self::Stalls => "stalls",
            Self::Unknown => "nothing that was looked at",
        }
    }

    /// What would let a machine do more, and what would not.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Cpu => "more or faster cores would help, not a faster disk",
            Self::SyncLatency => {
                "faster syncs would help (a local NVMe disk with power-loss protection), not more cores"
            }
            Self::Memory => "more memory would help",
            Self::WriteBandwidth => "a disk that writes more bytes per second would help",
            Self::Stalls => "a faster disk and more cores for compactions would help",
            Self::Unknown => "neither more cores nor more memory is shown to help by what was measured",
        }
    }
}

/// The resource that binds, and the signs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The resource.
    pub resource: Resource,
    /// What was seen, with figures.
    pub evidence: String,
}

/// Share of the cores from which on they are what binds.
const CPU_SHARE: f64 = 0.85;
/// Share of the time for which writers were held back from which on that is what binds.
const STALL_SHARE: f64 = 0.1;
/// Share of the workers' time spent in durable writes from which on syncs are what binds.
const SYNC_SHARE: f64 = 0.6;
/// Share of the bytes per second that the disk was seen to write from which on it is what binds.
const BANDWIDTH_SHARE: f64 = 0.7;
/// Bytes per command read from the disk from which on memory is what binds: a block of the database.
const READ_BYTES: f64 = 1024.0;

/// What binds a machine under its closed loop, where it goes as fast as it can. `disk_bytes_per_second` is what the disk
/// was seen to write, if somebody looked.
pub(super) fn binding(findings: &Findings, durability: Durability, disk_bytes_per_second: Option<f64>) -> Binding {
    if findings.deaths > 0 {
        let peak = findings
            .memory_peak_bytes
            .map_or_else(String::new, |bytes| format!("; process and page cache had {} MB before", bytes / 1_000_000));
        return told(Resource::Memory, format!("killed {} times as its memory was used up{peak}", findings.deaths));
    }
    let Some(drive) = &findings.saturation else {
        return told(Resource::Unknown, "no closed loop was measured".to_owned());
    };
    let signs = Signs::of(drive, findings, durability);
    signs.binding(disk_bytes_per_second).unwrap_or_else(|| rejected(findings).unwrap_or_else(|| signs.nothing()))
}

/// What a closed loop shows.
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
    fn of(drive: &Drive, findings: &Findings, durability: Durability) -> Self {
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
            return Some(told(Resource::Stalls, format!("the engine held writers back for {share:.0} % of the time")));
        }
        if self.busy_cores > CPU_SHARE * self.cores {
            return Some(told(Resource::Cpu, format!("{} busy at the ceiling", self.busy())));
        }
        if let Some((written, disk)) = self.written_per_second.zip(disk_bytes_per_second)
            && written > BANDWIDTH_SHARE * disk
        {
            let [written, disk] = [written / 1e6, disk / 1e6];
            let evidence =
                format!("{written:.0} MB/s written at the ceiling, the disk was seen to write {disk:.0} MB/s");
            return Some(told(Resource::WriteBandwidth, evidence));
        }
        if self.sync_share > SYNC_SHARE {
            let (share, busy) = (100.0 * self.sync_share, self.busy());
            let evidence = format!("workers spent {share:.0} % of the time in durable writes, with {busy} busy");
            return Some(told(Resource::SyncLatency, evidence));
        }
        let read = self.read_per_command.filter(|&read| read > READ_BYTES)?;
        let evidence = format!("{:.0} kB read from the disk per command: the page cache is too small", read / 1e3);
        Some(told(Resource::Memory, evidence))
    }

    fn nothing(&self) -> Binding {
        told(Resource::Unknown, format!("{} busy at the ceiling, no stalls, few reads", self.busy()))
    }

    /// `0.4 of 1 core`, `1.9 of 2 cores`.
    fn busy(&self) -> String {
        let (busy, cores) = (self.busy_cores, self.cores);
        format!("{busy:.1} of {cores:.0} core{}", if cores > 1.0 { "s" } else { "" })
    }
}

/// What the rates that failed tell, where the closed loop tells nothing.
fn rejected(findings: &Findings) -> Option<Binding> {
    let seen = |wanted: Rejection| findings.probes.iter().any(|probe| probe.rejection == Some(wanted));
    let stalls = seen(Rejection::Stalls) || seen(Rejection::CompactionDebt);
    stalls.then(|| told(Resource::Stalls, "compactions fell behind at higher rates".to_owned()))
}

const fn told(resource: Resource, evidence: String) -> Binding {
    Binding { resource, evidence }
}
