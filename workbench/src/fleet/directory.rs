//! Writes a comparison of machines and its merged histograms.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::merge::Merged;
use super::result::{MachineComparison, MergedMachine};
use crate::report::{Destination, Rendered, ReportError, histogram_log};

impl Merged {
    /// Writes `machines.json`, `machines.md`, `machines.html` and, if there are histograms, `merged.hlog`; returns their
    /// directory.
    ///
    /// # Errors
    ///
    /// [`ReportError`]. After it, nothing new is at the final path.
    pub fn write(&self, rendered: &Rendered, destination: Destination<'_>) -> Result<PathBuf, ReportError> {
        let log = merged_log(self);
        let files = [("merged.hlog", log.as_slice())];
        let files = if self.histograms.is_empty() { &[][..] } else { &files };
        let MachineComparison { name, merged_at, .. } = &self.comparison;
        destination.write("machines", [name, merged_at], &self.comparison, rendered, files)
    }
}

/// One interval per machine, command and durability mode, with tags such as `machine-1.persist.durability-on`.
fn merged_log(merged: &Merged) -> Vec<u8> {
    let comparison = &merged.comparison;
    let named = |machine: &MergedMachine| format!("{}: {}", machine.id, machine.name);
    let what = format!("ave-workbench {}: response times in nanoseconds", comparison.reproduce.version);
    let head = format!("{what} of {}, all reports of a machine merged", comparison.name);
    let comments: Vec<String> = std::iter::once(head).chain(comparison.machines.iter().map(named)).collect();
    let merged_at: jiff::Timestamp = comparison.merged_at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let lines = merged.histograms.iter().map(|one| {
        let tag = format!("{}.{}.durability-{}", one.machine, one.command, one.durability);
        (Duration::ZERO, one.length, tag, one.latencies.clone())
    });
    histogram_log::write(&comments, SystemTime::from(merged_at), lines)
}
