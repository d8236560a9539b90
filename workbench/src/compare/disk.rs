//! Durable writes on a disk that cannot be told itself.
//!
//! With durability on every command waits for the disk, or for one that does. How long, is no question of the build where the
//! disk was not the same from moment to moment, and no number of rounds makes it one. What the build does about it decides
//! instead: how often it waits, and what it does by itself.

use crate::actor::Durability;
use crate::compare::answer::{Rule, percent};
use crate::compare::machine::MachineDifference;
use crate::compare::{Answer, MachineFigure, Metric, Row};
use crate::units;

/// Leaves out medians that cannot be told with durability on, if the disk cannot be told. Syncs of the log decide in their
/// place; what the build does by itself is decided with durability off, or else by CPU time. Where those are not known,
/// everything stays as it is.
pub(super) fn leave_out_the_disk(rows: &mut [Row], machine: &[&MachineDifference], rule: Rule) {
    let Some(why) = unsteady_disk(machine, rule) else { return };
    let stand_ins = stand_ins(rows);
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

fn stand_ins(rows: &[Row]) -> Vec<Metric> {
    if rows.iter().any(|row| row.decides && !is_durable(row)) {
        vec![Metric::LogSyncs]
    } else {
        vec![Metric::LogSyncs, Metric::CpuTime]
    }
}

/// Why nothing that waits for the disk can be told by its time, if neither is ruled out that a sync took longer without the
/// backend, nor that it took less. Neighbours on the cores are another matter: they excuse nothing.
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
