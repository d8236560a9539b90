//! Workloads: a TOML description of what a population of actors does, and the command stream it expands to.
//!
//! A [`Workload`] and a seed say everything: the same two give the same commands and the same bytes. This module
//! knows the actor model below it and nothing of databases, clocks or reports.

mod catalogue;
mod distribution;
mod schema;
mod source;
mod values;

pub use catalogue::{NamedWorkload, shipped};
pub use distribution::{MAX_VALUE_BYTES, SizeDistribution};
pub use schema::{
    Actors, Arrivals, Bursts, CommandMix, Persistence, PersistenceMode, Preload, Skew, Workload, WorkloadError,
};
pub use source::{Planned, WorkloadSource};
pub use values::{ActorNames, ValuePool, mix};
