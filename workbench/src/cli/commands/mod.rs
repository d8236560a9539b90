//! One file per command.

mod certified;
pub(super) mod certify;
pub(super) mod compare;
pub(super) mod completions;
pub(super) mod host;
pub(super) mod man;
mod merge;
pub(super) mod plan;
mod plan_table;
mod publish;
pub(super) mod report;
pub(super) mod run;
mod run_table;
pub(super) mod trace;
pub(super) mod workloads;
