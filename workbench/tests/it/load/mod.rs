//! The load: schedule, latencies, verification, kills.

mod after_kills;
mod block_reads;
pub(crate) mod known_latency;
#[cfg(feature = "rocksdb")]
mod sync_times;
mod verification;
