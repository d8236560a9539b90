//! Measurements of the disk under a directory: durable writes, random reads, sequential writes and reads.
//!
//! Everything happens in temporary files without a name, which vanish with the process. What the figures say is in
//! [`disk_profile`](super::disk_profile) and [`disk_series`](super::disk_series).

mod data_file;
mod error;
mod log_file;
mod measure;
mod random;
mod watch;

pub(crate) use error::ProbeError;
pub(super) use log_file::probe_sync;
pub use measure::MeasuredDisk;
pub(crate) use measure::measure_disk;
pub(super) use random::random_words;
pub(crate) use watch::DiskWatch;
