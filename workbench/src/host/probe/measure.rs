//! The measurement of a disk profile.
//!
//! Everything is measured in turns, a slice of each second for each kind, so that all figures are about the same time and
//! the seconds form a series. The disk is kept busy throughout, as burst credits need to be used up.

use std::path::Path;
use std::time::{Duration, Instant};

use super::data_file::DataFile;
use super::error::ProbeError;
use super::log_file::{BLOCK_BYTES, LogFile};
use crate::host::disk::Disk;
use crate::host::disk_profile::{DiskProfile, RateFigures, ReadLatency, SyncLatency};
use crate::host::disk_series::{DiskSample, DiskSwing};
use crate::host::reference_work::ProcessorProfile;
use crate::measure::{LatencyHistogram, ResourceSampler, ResourceUsage};
use ave_actors_rocksdb::machine::process_share;

/// Bytes per sync: one writer, and groups that share a sync.
const SYNC_BYTES: [u64; 4] = [BLOCK_BYTES, 16 << 10, 64 << 10, 256 << 10];
/// Threads that read at once.
const DEPTHS: [u32; 6] = [1, 2, 4, 8, 16, 32];
/// Length of a round, unless fewer than [`FEWEST_ROUNDS`] of them fit.
const ROUND: Duration = Duration::from_secs(1);
const FEWEST_ROUNDS: u32 = 3;
/// Shares of a round: syncs of 4 KiB, syncs of each larger size, reads at each depth, writing and reading in order. The rest
/// is for starting threads and for the last write of a slice, which ends late.
const SHARE_SYNC: f64 = 0.22;
const SHARE_GROUP: f64 = 0.06;
const SHARE_READ: f64 = 0.035;
const SHARE_WRITE: f64 = 0.22;
const SHARE_SCAN: f64 = 0.08;
/// Size of the file that is read, bytes: larger for longer measurements, within limits, and at most this share of the
/// space that is free.
const FILE_BYTES_PER_SECOND: f64 = (25 << 20) as f64;
const SMALLEST_FILE_BYTES: u64 = 4 << 20;
const LARGEST_FILE_BYTES: u64 = 1 << 30;
const SHARE_OF_FREE: u64 = 8;

/// A disk that was measured, and the cores at the same time.
#[derive(Debug, Clone)]
pub struct MeasuredDisk {
    /// Speed of the cores.
    pub processor: ProcessorProfile,
    /// Its figures.
    pub profile: DiskProfile,
    /// Every write of 4 KiB with its sync.
    pub syncs: LatencyHistogram,
}

/// Measures the disk under `directory` for about `time`, and a second or two more to write the file that is read. Ends
/// early, after a whole round, if `goes_on` returns false for the time measured so far.
pub(crate) fn measure_disk(
    directory: &Path,
    time: Duration,
    goes_on: &dyn Fn(Duration) -> bool,
) -> Result<MeasuredDisk, ProbeError> {
    Measurement::run(directory, time, goes_on).map_err(ProbeError::under(directory))
}

struct Measurement {
    log: LogFile,
    data: DataFile,
    round: Duration,
    syncs: [LatencyHistogram; SYNC_BYTES.len()],
    reads: [LatencyHistogram; DEPTHS.len()],
    writes_per_second: Vec<f64>,
    scans_per_second: Vec<f64>,
    samples: Vec<DiskSample>,
}

impl Measurement {
    fn run(directory: &Path, time: Duration, goes_on: &dyn Fn(Duration) -> bool) -> std::io::Result<MeasuredDisk> {
        let free_bytes = Disk::under(directory).free_bytes;
        let mut measured = Self {
            log: LogFile::create(directory)?,
            data: DataFile::create(directory, file_bytes(time, free_bytes))?,
            round: ROUND.min(time / FEWEST_ROUNDS),
            syncs: Default::default(),
            reads: Default::default(),
            writes_per_second: Vec::new(),
            scans_per_second: Vec::new(),
            samples: Vec::new(),
        };
        let (resources, began) = (ResourceSampler::start(), Instant::now());
        // The last round begins if most of it fits.
        while measured.samples.is_empty() || (began.elapsed() + measured.round / 2 < time && goes_on(began.elapsed())) {
            measured.round(began)?;
        }
        let (elapsed, usage) = (began.elapsed(), resources.stop());
        let cores = u32::try_from(process_share().cpu.cores).unwrap_or(u32::MAX);
        Ok(measured.result(elapsed, usage, ProcessorProfile::measure(cores)))
    }

    fn round(&mut self, began: Instant) -> std::io::Result<()> {
        let at_seconds = began.elapsed().as_secs_f64();
        let slice = |share: f64| self.round.mul_f64(share);
        let (mut syncs, mut reads) = (LatencyHistogram::new(), LatencyHistogram::new());
        for (place, bytes) in SYNC_BYTES.into_iter().enumerate() {
            let share = if place == 0 { SHARE_SYNC } else { SHARE_GROUP };
            let latencies = self.log.sync(bytes, slice(share))?;
            for latency in latencies {
                self.syncs[place].record(latency);
                if place == 0 {
                    syncs.record(latency);
                }
            }
        }
        for (place, depth) in DEPTHS.into_iter().enumerate() {
            let latencies = self.data.read_randomly(depth, slice(SHARE_READ))?;
            for latency in latencies {
                self.reads[place].record(latency);
                if place == 0 {
                    reads.record(latency);
                }
            }
        }
        let written_per_second = self.data.write_in_order(slice(SHARE_WRITE))?;
        self.writes_per_second.push(written_per_second);
        self.scans_per_second.push(self.data.read_in_order(slice(SHARE_SCAN))?);
        let writes = Some(written_per_second);
        self.samples.push(DiskSample::new(at_seconds, &syncs, &reads, writes));
        Ok(())
    }

    fn result(self, elapsed: Duration, usage: ResourceUsage, processor: ProcessorProfile) -> MeasuredDisk {
        let swing = DiskSwing::of(&self.samples).unwrap_or_default();
        let syncs = SYNC_BYTES.into_iter().zip(&self.syncs);
        let reads = DEPTHS.into_iter().zip(&self.reads);
        let profile = DiskProfile {
            seconds: elapsed.as_secs_f64(),
            foreign_cores: usage.foreign_cores,
            file_bytes: self.data.bytes(),
            read_path: self.data.path(),
            syncs: syncs.map(|(sync_bytes, found)| SyncLatency { sync_bytes, latency: found.into() }).collect(),
            reads: reads.map(|(depth_count, found)| ReadLatency { depth_count, latency: found.into() }).collect(),
            write: RateFigures::of(&self.writes_per_second),
            read: RateFigures::of(&self.scans_per_second),
            swing,
            samples: self.samples,
        };
        let [syncs, ..] = self.syncs;
        MeasuredDisk { processor, profile, syncs }
    }
}

fn file_bytes(time: Duration, free_bytes: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size below that of a disk")]
    let wanted = (time.as_secs_f64() * FILE_BYTES_PER_SECOND) as u64;
    wanted.min(LARGEST_FILE_BYTES).min(free_bytes / SHARE_OF_FREE).max(SMALLEST_FILE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_profile_has_every_figure_and_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let MeasuredDisk { processor, profile, syncs } =
            measure_disk(directory.path(), Duration::from_millis(60), &|_| true).unwrap();
        assert_eq!(profile.syncs.iter().map(|one| one.sync_bytes).collect::<Vec<_>>(), SYNC_BYTES);
        assert_eq!(profile.reads.iter().map(|one| one.depth_count).collect::<Vec<_>>(), DEPTHS);
        let latencies = profile.syncs.iter().map(|one| one.latency).chain(profile.reads.iter().map(|one| one.latency));
        for latency in latencies {
            assert!(latency.samples_count > 0 && latency.mean_ns > 0.0, "{latency:?}");
        }
        assert_eq!(profile.syncs[0].latency.samples_count, syncs.count());
        assert!(profile.write.p50_bytes_per_second > 0.0 && profile.read.p50_bytes_per_second > 0.0);
        assert!(!profile.samples.is_empty() && profile.swing.sync_p50_ns > 0, "{profile:?}");
        assert!(processor.sort_p50_ns > 0.0 && processor.threads_count > 0, "{processor:?}");
        assert_eq!(profile.file_bytes, SMALLEST_FILE_BYTES);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_measurement_that_is_stopped_has_its_whole_rounds() {
        let directory = tempfile::tempdir().unwrap();
        let asked = AtomicU32::new(0);
        let goes_on = |_| asked.fetch_add(1, Ordering::Relaxed) < 1;
        let measured = measure_disk(directory.path(), Duration::from_millis(900), &goes_on).unwrap();
        assert!(measured.profile.samples.len() <= 2, "{:?}", measured.profile.samples);
    }

    #[test]
    fn the_file_grows_with_the_time_and_leaves_the_disk_most_of_its_space() {
        let free = 1 << 40;
        assert_eq!(file_bytes(Duration::from_secs(10), free), 250 << 20);
        assert_eq!(file_bytes(Duration::from_secs(3_600), free), LARGEST_FILE_BYTES);
        assert_eq!(file_bytes(Duration::from_secs(10), 800 << 20), 100 << 20);
        assert_eq!(file_bytes(Duration::ZERO, 0), SMALLEST_FILE_BYTES);
    }
}
