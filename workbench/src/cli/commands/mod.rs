//! One file per command.

mod certified;
pub(super) mod certify;
pub(super) mod compare;
pub(super) mod db;
mod demand_table;
mod disk_table;
pub(super) mod history;
pub(super) mod host;
mod memory_chart;
mod merge;
pub(super) mod plan;
mod plan_table;
pub(super) mod print;
mod publish;
pub(super) mod report;
pub(super) mod run;
mod run_table;
pub(super) mod trace;
