//! One file per command.

mod certified;
pub(super) mod certify;
pub(super) mod compare;
pub(super) mod completions;
pub(super) mod crash_victim;
pub(super) mod host;
mod merge;
pub(super) mod plan;
pub(super) mod report;
mod result;
pub(super) mod rig;
pub(super) mod run;
pub(super) mod trace;
pub(super) mod workloads;
