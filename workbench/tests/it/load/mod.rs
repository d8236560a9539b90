//! The load: schedule, latencies, verification, kills.

mod after_kills;
pub(crate) mod known_latency;
mod verification;
