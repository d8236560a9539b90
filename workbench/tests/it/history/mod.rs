//! Histories of reports.

pub(crate) mod tracking;
