//! One database in one durability mode: filled, loaded any number of times, verified, closed.

mod inventory;
mod lifecycle;
mod restart;
mod state;
mod threads;

pub use inventory::Inventory;
pub use lifecycle::Session;
pub use restart::{PreparedRestarts, Restart, RestartRound, RestartSpec, RestartTask, measure_restart};
pub use state::{SessionSize, SuspendedSession, directory_bytes};
