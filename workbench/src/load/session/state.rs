//! What a session measures, stores, and leaves for another one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::Yardstick;
use crate::load::ack_log::Position;
use crate::load::engine::{EngineCounters, EngineFigure};
use crate::load::measurement::Measurement;
use crate::load::verify::Verified;
use crate::load::watch::Sample;
use crate::measure::ResourceUsage;

/// The measurements of one load.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Drive {
    /// Latencies and counts.
    pub measurement: Measurement,
    /// Time before anything counted.
    pub warmup: Duration,
    /// Whether the load was steady when measuring began; `None` unless the warm-up is [`Steady`](crate::load::WarmUp).
    pub steady: Option<bool>,
    /// Resources of the process from the end of the warm-up to the end of the load.
    pub usage: ResourceUsage,
    /// Process and engine each second, the first when measuring began, the last when the load ended.
    pub samples: Vec<Sample>,
    /// The engine's own figures before the warm-up and after the load.
    pub statistics: Vec<EngineFigure>,
    /// Whether background work ended in time after the load; `None` if it was not waited for.
    pub settled: Option<bool>,
    /// How long background work was waited for after the load.
    pub settling: Duration,
    /// Speed of the machine at a fixed amount of work before and after the load; `None` if it was not measured.
    pub yardstick: Option<Yardstick>,
}

impl Drive {
    /// With slices of `seconds` seconds, and with samples where slices begin and end.
    ///
    /// # Panics
    ///
    /// As [`Measurement::in_slices_of`].
    #[must_use]
    pub fn in_slices_of(self, seconds: u32) -> Self {
        let slices = self.measurement.elapsed_ns.div_ceil(u64::from(seconds.max(1)) * 1_000_000_000);
        let bounds = (0..=slices).map(|slice| Duration::from_secs(slice * u64::from(seconds)));
        let nearest = |bound: Duration| self.samples.iter().min_by_key(|sample| sample.at.abs_diff(bound)).copied();
        let samples = bounds.filter_map(nearest).collect();
        Self { measurement: self.measurement.in_slices_of(seconds), samples, ..self }
    }

    /// Counters of the engine from the end of the warm-up to the end of the load; `None` if it has none.
    pub fn engine(&self) -> Option<EngineCounters> {
        let after = self.samples.last()?.engine?;
        Some(after.since(self.samples.first()?.engine?))
    }
}

/// The state of a session whose database is closed, for another session to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendedSession {
    /// Position of each worker in its stream of commands.
    pub positions: Vec<Position>,
    /// Loads so far: each has its own arrival times.
    pub drives: u64,
    /// Bytes sent to storage since the database was new; `None` if the system does not report it.
    pub written_bytes: Option<u64>,
    /// Bytes of the values in these writes.
    pub payload_bytes: u64,
}

/// Bytes that a session stored and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSize {
    /// Size of the database directory after compactions have ended.
    pub database_bytes: u64,
    /// Bytes sent to storage since the database was new; `None` if the system does not report it.
    pub written_bytes: Option<u64>,
    /// Bytes of the values in these writes.
    pub payload_bytes: u64,
}

impl SessionSize {
    /// Bytes of the database per byte of value that is neither deleted nor overwritten; `None` without values.
    pub fn space_amplification(&self, verified: &Verified) -> Option<f64> {
        (verified.live_bytes > 0).then(|| self.database_bytes as f64 / verified.live_bytes as f64)
    }

    /// Bytes sent to storage per byte of value; `None` without values.
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.written_bytes.filter(|_| self.payload_bytes > 0)?;
        Some(written as f64 / self.payload_bytes as f64)
    }
}

/// Bytes of all files below a directory; a file that is removed meanwhile counts as 0.
pub fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => directory_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
