//! Workloads: a TOML description of what a population of actors does, and the command stream it expands to.
//!
//! The same [`Workload`] and seed give the same commands and the same bytes. This module knows the actor model below it
//! and nothing of databases, clocks or reports.

mod catalogue;
mod distribution;
mod input_text;
mod preload;
mod schema;
mod source;
mod values;

pub use catalogue::shipped;
pub use distribution::SizeDistribution;
pub(crate) use distribution::{MAX_VALUE_BYTES, Z_99};
pub(crate) use input_text::{escape, excerpt};
pub(crate) use preload::{PreloadCommands, PreloadContent};
pub use schema::{
    Actors, Arrivals, Bursts, CommandMix, Persistence, PersistenceMode, Preload, Skew, Workload, WorkloadError,
};
pub(crate) use source::Planned;
pub use source::WorkloadSource;
pub(crate) use values::{ActorNames, ValuePool, mix};
