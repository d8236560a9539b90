//! The workload that resembles a trace, and how well it does.
//!
//! Actor types that are alike are a population. Each is derived from its part of the trace: actors and skew, persistence, sizes,
//! growth of the state, commands and visits. Where the commands of several types form chains, those are the transactions of the
//! workload. Then a trace is generated from the workload and compared. Some commands turn into others on the way (a query of
//! an empty log is a `persist`, a query is no longer than the log), so weights and query lengths are corrected by the result, a few
//! times. Bursts differ much from one seed to the next, so their figures are the medians of several seeds.

mod behaviour;
mod bursts;
mod chains;
mod comparison;
mod derive;
mod fitting;
mod groups;
mod growth;
mod likeness;
mod notes;
mod observed;
mod registers;
mod result;
mod samples;
mod sizes;
mod transactions;
mod visits;

pub use fitting::fit;
pub(crate) use likeness::Aspect;
pub use result::Fit;
