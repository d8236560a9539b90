//! Syncs of the write-ahead log while a load ran: the disk as the load saw it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::watch::{Drive, Sample};
use crate::measure::{Slice, median};

/// Part of a second between two samples below which a pair of them says too little.
const SHORTEST: Duration = Duration::from_millis(500);

/// Time of the syncs of a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalSyncs {
    /// Syncs.
    pub count: u64,
    /// Their mean time.
    pub mean_ns: f64,
    /// Median of the means of the seconds: one second in which the disk stood still does not move it.
    pub p50_of_seconds_ns: f64,
}

/// One second of a load: its rate and the sync latency of the same second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurableSecond {
    /// Commands completed per second.
    pub per_second: f64,
    /// Syncs per command.
    pub syncs_per_command: f64,
    /// Mean time of a sync, nanoseconds.
    pub sync_ns: f64,
}

impl Drive {
    /// Syncs of the write-ahead log from the end of the warm-up to the end of the load; `None` if the engine did not time
    /// any, as with durability off.
    pub fn wal_syncs(&self) -> Option<WalSyncs> {
        let (count, mean_ns) = syncs_between(self.samples.first()?, self.samples.last()?)?;
        let seconds = self.samples.windows(2).filter_map(|pair| syncs_between(&pair[0], &pair[1]));
        let means = seconds.map(|(_, mean_ns)| mean_ns).collect();
        Some(WalSyncs { count, mean_ns, p50_of_seconds_ns: median(means) })
    }

    /// Rate and sync latency second by second, without seconds in which no command completed or no sync was timed. Empty if
    /// slices were merged.
    pub fn durable_seconds(&self) -> Vec<DurableSecond> {
        if self.measurement.slice_seconds != 1 {
            return Vec::new();
        }
        let slices = self.measurement.slices_of_all_commands();
        let second = |(pair, slice): (&[Sample], &Slice)| {
            let seconds = pair[1].at.checked_sub(pair[0].at).filter(|&time| time >= SHORTEST)?.as_secs_f64();
            let (syncs, sync_ns) = syncs_between(&pair[0], &pair[1])?;
            // The samples of the last second may end early; its slice then holds the commands of that part.
            let per_second = slice.count() as f64 / seconds.min(1.0);
            let syncs_per_command = syncs as f64 / seconds / per_second;
            (per_second > 0.0).then_some(DurableSecond { per_second, syncs_per_command, sync_ns })
        };
        self.samples.windows(2).zip(&slices).filter_map(second).collect()
    }
}

/// Number and mean time of the syncs between two samples.
fn syncs_between(before: &Sample, after: &Sample) -> Option<(u64, f64)> {
    let engine = after.engine?.since(before.engine?);
    let count = engine.timed_wal_syncs;
    (count > 0).then(|| (count, 1e3 * engine.wal_sync_micros as f64 / count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{CommandLatency, EngineCounters, Measurement};
    use crate::measure::Snapshot;
    use ave_actors_rocksdb::trace::CommandKind;

    /// A load whose seconds have these commands, syncs and microseconds per sync.
    fn drive(seconds: &[(u64, u64, u64)]) -> Drive {
        let mut engine = EngineCounters { timed_wal_syncs: 7, wal_sync_micros: 7_000, ..EngineCounters::default() };
        let sample = |second: usize, engine| Sample {
            at: Duration::from_secs(second as u64),
            process: Snapshot::default(),
            commands: 0,
            engine: Some(engine),
        };
        let mut samples = vec![sample(0, engine)];
        for (second, &(_, syncs, micros)) in (1..).zip(seconds) {
            engine.timed_wal_syncs += syncs;
            engine.wal_sync_micros += syncs * micros;
            samples.push(sample(second, engine));
        }
        let slice = |&(commands, ..): &(u64, u64, u64)| (0..commands).map(|_| 1_000).collect::<Slice>();
        let mut measurement = Measurement::default();
        measurement.commands[CommandKind::Persist.index()] =
            Some(CommandLatency { slices: seconds.iter().map(slice).collect(), ..CommandLatency::default() });
        Drive { measurement, samples, ..Drive::default() }
    }

    #[test]
    fn rate_and_sync_latency_are_of_the_same_second() {
        let seconds = drive(&[(1_000, 500, 200), (100, 50, 2_000)]).durable_seconds();
        let second = |per_second, sync_ns| DurableSecond { per_second, syncs_per_command: 0.5, sync_ns };
        assert_eq!(seconds, [second(1_000.0, 200_000.0), second(100.0, 2_000_000.0)]);
    }

    #[test]
    fn a_second_without_commands_or_syncs_is_left_out() {
        let seconds = drive(&[(1_000, 500, 200), (0, 10, 50_000), (10, 0, 0)]).durable_seconds();
        assert_eq!(seconds.len(), 1);
        assert_eq!(drive(&[(1_000, 500, 200)]).in_slices_of(60).durable_seconds(), []);
    }

    #[test]
    fn the_mean_counts_syncs_and_the_median_counts_seconds() {
        let syncs = drive(&[(10, 100, 200), (10, 100, 300), (1, 1, 900_000)]).wal_syncs().unwrap();
        assert_eq!((syncs.count, syncs.p50_of_seconds_ns), (201, 300_000.0));
        assert!((syncs.mean_ns - 1e3 * 950_000.0 / 201.0).abs() < 1.0, "{syncs:?}");
    }

    #[test]
    fn a_load_without_timed_syncs_has_no_latency() {
        assert_eq!(drive(&[(1_000, 0, 0)]).wal_syncs(), None);
        assert_eq!(Drive::default().wal_syncs(), None);
    }
}
