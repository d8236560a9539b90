//! The workload that resembles a trace, and how well it does.
//!
//! A workload is derived from the trace: actors and skew, persistence, sizes, commands. Then a trace is generated from the
//! workload and compared. Some commands turn into others on the way (a query of an empty log is a `persist`, a query is no
//! longer than the log), so weights and query lengths are corrected by the result, a few times. Bursts differ much from
//! one seed to the next, so their figures are the medians of several seeds.

mod behaviour;
mod bursts;
mod derive;
mod fitting;
mod likeness;
mod notes;
mod result;
mod sizes;

pub use fitting::fit;
pub(crate) use likeness::Aspect;
pub use result::Fit;
