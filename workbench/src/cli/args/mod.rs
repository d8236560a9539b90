//! The command line as it is typed: one file per command.

pub(crate) mod certify;
pub(crate) mod compare;
pub(crate) mod db;
pub(crate) mod history;
pub(crate) mod host;
pub(crate) mod overwrite;
pub(crate) mod plan;
pub(crate) mod print;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod rule;
pub(crate) mod run;
pub(crate) mod source;
pub(crate) mod trace;
