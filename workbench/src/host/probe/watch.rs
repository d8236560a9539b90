//! Samples of the disk between other measurements.

use std::path::Path;
use std::time::{Duration, Instant};

use super::data_file::DataFile;
use super::error::ProbeError;
use super::log_file::{BLOCK_BYTES, LogFile};
use crate::host::disk_series::DiskSample;

/// Size of the file that is read, bytes.
const FILE_BYTES: u64 = 32 << 20;
/// Time of the syncs of a sample, and of its reads.
const SYNCS: Duration = Duration::from_millis(120);
const READS: Duration = Duration::from_millis(60);
/// Time between two samples, at least, seconds.
const BETWEEN_SECONDS: f64 = 3.0;

/// Looks at the disk now and then while something else is measured: for 0.2 s each time.
pub(crate) struct DiskWatch<'a> {
    directory: &'a Path,
    log: LogFile,
    data: DataFile,
    began: Instant,
    samples: Vec<DiskSample>,
}

impl<'a> DiskWatch<'a> {
    /// Writes 36 MiB of files without a name under `directory`.
    pub(crate) fn start(directory: &'a Path) -> Result<Self, ProbeError> {
        let files = || Ok((LogFile::create(directory)?, DataFile::create(directory, FILE_BYTES)?));
        let (log, data) = files().map_err(ProbeError::under(directory))?;
        Ok(Self { directory, log, data, began: Instant::now(), samples: Vec::new() })
    }

    /// Measures syncs of 4 KiB and single random reads of 4 KiB, and keeps their medians.
    fn sample(&mut self) -> Result<(), ProbeError> {
        let at_seconds = self.began.elapsed().as_secs_f64();
        let mut measure = || Ok((self.log.sync(BLOCK_BYTES, SYNCS)?, self.data.read_randomly(1, READS)?));
        let (syncs, reads) = measure().map_err(ProbeError::under(self.directory))?;
        let [syncs, reads] = [syncs, reads].map(|latencies| latencies.into_iter().collect());
        self.samples.push(DiskSample::new(at_seconds, &syncs, &reads, None));
        Ok(())
    }

    /// Samples the disk, unless the last sample began less than three seconds ago.
    pub(crate) fn look(&mut self) -> Result<(), ProbeError> {
        let is_due = |last: &DiskSample| self.began.elapsed().as_secs_f64() >= last.at_seconds + BETWEEN_SECONDS;
        if self.samples.last().is_none_or(is_due) { self.sample() } else { Ok(()) }
    }

    /// What was sampled, in order.
    pub(crate) fn samples(&self) -> &[DiskSample] {
        &self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_kept_with_their_times_and_no_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let mut watch = DiskWatch::start(directory.path()).unwrap();
        watch.sample().unwrap();
        watch.sample().unwrap();
        watch.look().unwrap();
        let [first, second] = watch.samples() else { panic!("{:?}", watch.samples()) };
        assert!(first.at_seconds < second.at_seconds);
        assert!(first.sync_p50_ns > 0 && first.syncs_count > 0 && first.read_p50_ns > 0 && first.reads_count > 0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
