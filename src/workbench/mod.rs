//! The workbench: replays what actors ask of their store, measures it, and says which machine to buy.
//!
//! Its floors, from the ground up, each importing only what lies below it:
//!
//! | floor | what it is |
//! |---|---|
//! | `host`, [`actor`], `measure` | the machine; commands and operations; histograms and statistics |
//! | `workload` | descriptions of what actors do, and the command stream they expand to |
//! | [`trace`] | files of what actors did |
//! | `runner` | schedule, workers, phases, verification |
//! | `sizing` | search for the highest rate, and the recommendation |
//! | `report` | the result as plain data, and its renderers |
//! | `cli` | the command line; nobody imports it |
//!
//! With the feature `trace` alone only what a recorder needs is there: [`actor`] and a part of [`trace`].

pub mod actor;
#[cfg(all(feature = "workbench", feature = "rocksdb"))]
pub mod cli;
#[cfg(feature = "workbench")]
pub mod host;
#[cfg(feature = "workbench")]
pub mod measure;
#[cfg(feature = "workbench")]
pub mod report;
#[cfg(feature = "workbench")]
pub mod runner;
#[cfg(feature = "workbench")]
pub mod sizing;
pub mod trace;
#[cfg(feature = "workbench")]
pub mod workload;
