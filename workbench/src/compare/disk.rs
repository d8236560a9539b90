//! Durable writes on an unsteady disk.
//!
//! With durability on, commands wait for the disk. Where its latency varied, their times say little about the build, however
//! many rounds are measured. Then the number of syncs and the CPU time decide instead.

use super::answer::{Rule, percent};
use super::machine::MachineDifference;
use super::result::{Answer, MachineFigure, Metric, Row};
use crate::actor::Durability;
use crate::units;

/// Leaves out undecided medians with durability on if the disk was unsteady. Syncs of the log decide in their place, and CPU
/// time if durability off was not measured. Without those figures, nothing changes.
pub(super) fn leave_out_the_disk(rows: &mut [Row], machine: &[&MachineDifference], rule: Rule) {
    let Some(why) = unsteady_disk(machine, rule) else { return };
    let is_off_known = rows.iter().any(|row| row.decides && !is_durable(row));
    let stand_ins = if is_off_known { &[Metric::LogSyncs][..] } else { &[Metric::LogSyncs, Metric::CpuTime] };
    let is_known = |metric: &Metric| rows.iter().any(|row| is_durable(row) && row.metric == *metric);
    if !stand_ins.iter().all(is_known) {
        return;
    }
    let mut left_out = false;
    for row in rows.iter_mut().filter(|row| is_durable(row) && row.decides && row.answer == Answer::Undecided) {
        row.decides = false;
        row.samples_needed_count = None;
        why.clone_into(&mut row.note);
        left_out = true;
    }
    for row in rows.iter_mut().filter(|row| left_out && is_durable(row)) {
        row.decides |= stand_ins.contains(&row.metric);
    }
}

fn is_durable(row: &Row) -> bool {
    row.durability == Durability::On
}

/// Why the disk was unsteady: a longer or shorter sync without the backend is not ruled out. Other processes on the cores are
/// no excuse.
fn unsteady_disk(machine: &[&MachineDifference], rule: Rule) -> Option<String> {
    let figure = |figure| machine.iter().find(|machine| machine.row.figure == figure);
    if figure(MachineFigure::OtherProcesses).is_some_and(|others| others.row.differs) {
        return None;
    }
    let disk = &figure(MachineFigure::SyncP50)?.row;
    let interval = units::percent_interval(disk.interval_percent);
    (!disk.is_same(percent(rule.ruled_out)))
        .then(|| format!("without the backend, a sync of the disk took {interval} longer"))
}
