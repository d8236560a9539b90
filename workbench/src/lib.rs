//! The workbench: replays actor workloads against `ave-actors-rocksdb`, measures them, and recommends a machine.
//!
//! Its folders, from the ground up. A folder imports only what lies below it; folders of one row do not know each other.
//!
//! | folder | what it is |
//! |---|---|
//! | [`units`], [`measure`] | figures as text; histograms and statistics |
//! | [`power_cut`] | a file system that forgets what was not synced |
//! | [`host`], [`actor`] | the machine; the operations of a command |
//! | [`workload`] | descriptions of actors and the command stream they expand to |
//! | [`trace`] | trace files: import, fit, generate, read |
//! | [`load`] | schedule, workers, phases, verification, kills and power cuts |
//! | [`process`] | child processes under limits, and the directories they lock |
//! | [`report`] | what all reports share: frame, figures of a mode, directory |
//! | [`run`], [`plan`], [`certify`] | a folder per verb that measures: question, engine, verdict, result |
//! | [`compare`], [`fleet`] | a folder per verb that reads reports |
//! | [`history`] | the reports of one question over time |
//! | [`render`] | pages, charts |
//! | `cli` | the command line; only the binary imports it |

#![cfg_attr(
    not(feature = "rocksdb"),
    allow(dead_code, unused_imports, reason = "the command line, which needs the backend, is the user")
)]

pub mod actor;
pub mod catalogue;
pub mod certify;
#[cfg(feature = "rocksdb")]
pub mod cli;
pub mod compare;
pub mod fleet;
pub mod history;
pub mod host;
pub mod load;
pub mod measure;
pub mod plan;
pub mod power_cut;
pub mod process;
pub mod render;
pub mod report;
pub mod run;
pub mod trace;
pub mod units;
pub mod workload;
