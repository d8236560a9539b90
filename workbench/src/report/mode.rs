//! The figures of one durability mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::{LatencyInfo, NamedLatency};
use super::series::SeriesPoint;
use crate::actor::Durability;
use crate::host::ReferenceWork;
use crate::load::{EngineFigure, WalSyncs};
use crate::units;
use ave_actors_rocksdb::trace::CommandKind;

/// The figures of one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeResult {
    /// Whether an acknowledged write is on the disk.
    pub durability: Durability,
    /// Threads that issued commands: commands in flight, at most.
    pub writers_count: u32,
    /// Commands measured.
    pub commands_count: u64,
    /// Storage operations measured.
    pub operations_count: u64,
    /// Rate of the schedule; absent in a closed loop.
    pub offered_per_second: Option<f64>,
    /// Commands completed per second of measured time.
    pub achieved_per_second: f64,
    /// Lowest and highest round, commands per second.
    pub achieved_range_per_second: [f64; 2],
    /// Latency of each command the source issues.
    pub commands: Vec<NamedLatency>,
    /// Latency of each storage operation behind them.
    pub operations: Vec<NamedLatency>,
    /// The same commands by actor type, where there are several.
    #[serde(default)]
    pub actor_types: Vec<ActorTypeInfo>,
    /// Consumption while measuring.
    pub resources: ResourceUse,
    /// Second by second.
    pub series: Vec<SeriesPoint>,
    /// Round by round.
    pub rounds: Vec<RoundInfo>,
    /// Comparison of the contents of the backend with what it acknowledged.
    pub verification: Verification,
    /// Cost of the harness itself per storage operation, on a backend that does nothing.
    pub harness_ns_per_operation: f64,
    /// Memory of the harness itself in the process that was measured: it is no part of `rss_peak_bytes`, and does not count
    /// against an emulated machine. Absent where it was not measured.
    pub harness_memory_bytes: Option<u64>,
}

impl ModeResult {
    /// Writers of each mode: `off 2, on 64`.
    pub(crate) fn writers(modes: &[Self]) -> String {
        modes.iter().map(|mode| format!("{} {}", mode.durability, mode.writers_count)).collect::<Vec<_>>().join(", ")
    }

    /// What summaries show: a transaction, else `persist`, else the command that was issued most.
    pub(crate) fn headline_command(&self) -> Option<&NamedLatency> {
        let count = |latency: &&NamedLatency| latency.service.count;
        let transactions = self.commands.iter().filter(|latency| latency.is_transaction());
        let named = transactions.max_by_key(count);
        let persist = || self.commands.iter().find(|latency| latency.name == CommandKind::Persist.name());
        named.or_else(persist).or_else(|| self.commands.iter().max_by_key(count))
    }

    /// Latency of a command: response time where commands were scheduled, else service time.
    pub(crate) fn latency(&self, command: &str) -> Option<&LatencyInfo> {
        self.commands.iter().find(|latency| latency.name == command).map(NamedLatency::response_or_service)
    }
}

/// What the actors of one type did: a type of a trace, or a population of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActorTypeInfo {
    /// Name of the type or population.
    pub name: String,
    /// Commands measured.
    pub commands_count: u64,
    /// Bytes of the values that they wrote, keys not counted.
    pub written_bytes: u64,
    /// From the intended start: with the wait for an actor that all writers use. Within 1 %.
    pub response: RoundFigures,
    /// From the actual start: time in the backend. Within 1 %.
    pub service: RoundFigures,
}

/// One round of a durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundInfo {
    /// Number, from 1.
    pub round: u32,
    /// Time before measuring began, in seconds.
    pub warmup_seconds: f64,
    /// Whether rate and latency were steady when measuring began; absent after a warm-up of fixed length, which is not
    /// checked.
    pub steady: Option<bool>,
    /// Commands completed per second of measured time.
    pub commands_per_second: f64,
    /// Whether flushes and compactions ended within 20 s after the load; absent where another load followed at once.
    pub settled: Option<bool>,
    /// Counters of the engine before the warm-up and after the load.
    pub engine: Vec<EngineFigure>,
    /// Latency of each command in it.
    pub commands: Vec<RoundLatency>,
    /// Share of CPU time taken by the hypervisor, percent, where the system reports it.
    pub steal_percent: Option<f64>,
    /// Cores that other processes kept busy, where the system reports it.
    pub foreign_cores: Option<f64>,
    /// CPU time of the process while it was measured, background work of the engine included.
    pub cpu_seconds: f64,
    /// Speed of a fixed amount of work before and after it; absent where it was not measured.
    pub reference_work: Option<ReferenceWork>,
    /// Syncs of the write-ahead log while it was measured; absent with durability off.
    #[serde(default)]
    pub wal_syncs: Option<WalSyncs>,
}

/// Latency of one command in one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundLatency {
    /// `persist`, `recover`, ….
    pub name: String,
    /// Commands measured.
    pub count: u64,
    /// From the intended start.
    pub response: RoundFigures,
    /// From the actual start.
    pub service: RoundFigures,
}

/// A latency distribution in a few figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundFigures {
    /// Arithmetic mean.
    pub mean_ns: f64,
    /// Median; absent if the samples do not support it.
    pub p50_ns: Option<u64>,
    /// 90th percentile; absent if the samples do not support it.
    pub p90_ns: Option<u64>,
    /// 99th percentile; absent if the samples do not support it.
    pub p99_ns: Option<u64>,
}

/// Consumption of the process while it was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceUse {
    /// Cores kept busy on average by the whole process, the generator's last microseconds before a command is due
    /// included.
    pub cpu_cores_mean: f64,
    /// Highest resident set size seen, less the memory of the harness.
    pub rss_peak_bytes: u64,
    /// Bytes this process caused to be written to storage while measuring, where the system reports it.
    pub written_bytes: Option<u64>,
    /// Bytes of the values the commands wrote, keys not counted.
    pub payload_bytes: u64,
    /// Bytes written to storage per byte of value after the preload, warm-up included, once compactions settled.
    pub write_amplification_ratio: Option<f64>,
    /// Size of the database directory afterwards.
    pub database_bytes: u64,
    /// Syncs of the write-ahead log, where the engine counts them.
    pub wal_syncs_count: Option<u64>,
    /// Time the engine delayed or stopped writers, in milliseconds, where it counts it.
    pub stall_ms: Option<f64>,
    /// Share of CPU time taken by the hypervisor, percent, where the system reports it.
    pub steal_percent: Option<f64>,
    /// Cores that other processes kept busy in the worst round, where the system reports it.
    pub foreign_cores: Option<f64>,
    /// Bytes the machine swapped in or out while measuring, where the system reports it.
    pub swapped_bytes: Option<u64>,
    /// Bytes of the values that are not deleted or overwritten, keys not counted, if they were verified.
    pub live_bytes: Option<u64>,
    /// Size of the database per byte of live value, once compactions settled.
    pub space_amplification_ratio: Option<f64>,
}

/// Verification of the database after the run.
///
/// [`Verified`](crate::load::Verified) also counts bytes and losses, which the file has under resources and kills.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Whether the database was verified.
    pub performed: bool,
    /// Actors compared.
    pub actors_count: u64,
    /// Events compared: number, order and bytes.
    pub events_count: u64,
    /// Snapshots and metadata records compared.
    pub states_count: u64,
    /// Differences found, described; empty when all is as acknowledged.
    pub differences: Vec<String>,
    /// Verification after kills of writing processes; absent without kills.
    pub crash: Option<CrashVerification>,
    /// Verification after power cuts of the file system under writing processes; absent if none were requested.
    #[serde(default)]
    pub power_cut: Option<CrashVerification>,
}

impl Verification {
    /// Whether it found any difference, also after kills or power cuts.
    pub(crate) fn has_differences(&self) -> bool {
        let after = [&self.crash, &self.power_cut].into_iter().flatten();
        std::iter::once(&self.differences).chain(after.map(|crash| &crash.differences)).any(|found| !found.is_empty())
    }
}

/// Verification after `SIGKILL`, the death of a process, or after power cuts, each of which also kills a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashVerification {
    /// Processes killed while they issued the measured load, all on one database, which was opened again and compared
    /// after each kill.
    pub kills_count: u32,
    /// Commands that were acknowledged to the killed processes.
    pub commands_acknowledged_count: u64,
    /// Commands of those that power cuts took back: acknowledged with durability off, and not on disk yet.
    #[serde(default)]
    pub commands_taken_back_count: u64,
    /// Events they wrote that were compared: number, order and bytes. Older events are compared too and not counted.
    pub events_count: u64,
    /// Snapshots and metadata records they wrote that were compared.
    pub states_count: u64,
    /// Acknowledged events, snapshots and metadata records that were missing or altered.
    pub lost_count: u64,
    /// Writes in flight at a kill: not acknowledged, so they may be present or missing.
    pub writes_under_way_count: u64,
    /// How many of them were present.
    pub writes_under_way_found_count: u64,
    /// Why fewer processes were killed than requested; absent if all were.
    pub failure: Option<String>,
    /// Differences found, described; empty when all is as acknowledged. After the first kill with one, no other follows.
    pub differences: Vec<String>,
}

impl CrashVerification {
    /// `killed 3 times while writing: 41,233 acknowledged events checked, 0 lost`.
    pub fn summary(&self) -> String {
        if let (0, Some(failure)) = (self.kills_count, &self.failure) {
            return format!("not killed: {failure}");
        }
        format!("killed {}", self.times_and_losses())
    }

    /// `power cut: tried, 50 times while writing: 41,233 acknowledged events checked, 0 lost`.
    pub fn power_cut_summary(&self) -> String {
        if let (0, Some(failure)) = (self.kills_count, &self.failure) {
            return format!("power cut: not tried: {failure}");
        }
        let taken_back = match self.commands_taken_back_count {
            0 => String::new(),
            more => format!(
                "; {} of {} acknowledged commands, always the last ones before a cut, were not on disk yet",
                units::count(more),
                units::count(self.commands_acknowledged_count)
            ),
        };
        format!("power cut: tried, {}{taken_back}", self.times_and_losses())
    }

    fn times_and_losses(&self) -> String {
        let times = units::times(u64::from(self.kills_count));
        let states = match self.states_count {
            0 => String::new(),
            more => format!(" and {}", units::counted(more, "state")),
        };
        let (events, lost) = (units::counted(self.events_count, "acknowledged event"), units::count(self.lost_count));
        format!("{times} while writing: {events}{states} checked, {lost} lost")
    }
}
