//! Workloads: a TOML description of what populations of actors do, and the command stream it expands to.
//!
//! The same [`Workload`] and seed give the same commands and the same bytes. This module knows the actor model below it
//! and nothing of databases, clocks or reports.

mod arrivals;
mod catalogue;
mod checks;
mod common_actors;
mod distribution;
mod file;
mod input_table;
mod input_text;
mod population;
mod preload;
mod reading;
mod schema;
mod source;
mod transaction;
mod values;

pub use arrivals::{Arrivals, Bursts};
pub use catalogue::shipped;
pub(crate) use common_actors::CommonActors;
pub use distribution::SizeDistribution;
pub(crate) use distribution::{MAX_VALUE_BYTES, Z_99};
pub(crate) use input_table::{Document, Field, Table};
pub(crate) use input_text::{
    Problem, any_path, decode, did_you_mean, escape, excerpt, expected_names, is_stream, line_at, path_text,
};
pub use population::{Actors, CommandMix, Persistence, PersistenceMode, Population, Preload, Skew};
pub(crate) use preload::{PreloadCommands, PreloadContent};
pub use schema::{Workload, WorkloadError};
pub(crate) use source::Planned;
pub use source::WorkloadSource;
pub(crate) use source::share_of_worker;
pub(crate) use transaction::MOST_TRANSACTIONS;
pub use transaction::{Step, Transaction};
pub(crate) use values::{PoolOf, ValuePool, mix};
