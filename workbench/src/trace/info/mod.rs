//! What is in a trace: counts, sizes, skew, rhythm, and what its actors have stored.
//!
//! A trace is read once, command by command. Memory grows with the number of actors (some 80 bytes each) and not with the
//! number of commands.

mod live;
mod rhythm;
mod sizes;
mod skew;
mod summary;
mod types;

pub(crate) use live::WorkingSet;
pub(crate) use rhythm::Rhythm;
pub(super) use rhythm::Windows;
pub(super) use sizes::SizeCounter;
pub use sizes::Sizes;
pub(crate) use skew::SkewFit;
pub use summary::{TraceInfo, info};
pub use types::TypeInfo;
