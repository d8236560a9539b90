//! The result of a comparison in one sentence.

use super::failure::HostFailure;
use super::order::{by_size, is_as_large, is_scheduled, p99_ns};
use super::result::{MergedMachine, MergedMode, ShardedTrace, TargetAnswer};
use crate::actor::Durability;
use crate::report::{Outcome, Target, ValidUntil};
use crate::units;

/// What the sentence is about.
pub(super) struct Answered<'a> {
    pub(super) machines: &'a [MergedMachine],
    pub(super) durabilities: &'a [Durability],
    pub(super) target: Option<&'a Target>,
    /// The headline command.
    pub(super) command: Option<&'a str>,
    pub(super) shards: Option<&'a ShardedTrace>,
    /// Reports whose data were lost, as a sentence.
    pub(super) loss: Option<&'a str>,
    /// Those of all reports.
    pub(super) outcomes: &'a [Outcome],
    pub(super) failures: &'a [HostFailure],
}

/// Data that were lost, and how many reports are inconclusive. Plans: how many machines sustain the target in each mode, the
/// smallest of them, and how long that is valid. Runs: the best machine of each mode. Then the hosts without a report.
pub(super) fn sentence(about: &Answered<'_>) -> String {
    let Answered { machines, durabilities, target, command, shards, loss, outcomes, failures } = *about;
    let text = match (target, shards) {
        (Some(target), _) => {
            let found: Vec<_> =
                durabilities.iter().map(|&durability| (durability, sustaining(machines, durability))).collect();
            let clauses = found.chunk_by(|a, b| a.1 == b.1).map(|alike| clause(alike, target));
            format!("{}{}", clauses.collect::<Vec<_>>().join("; "), validity(machines))
        }
        (None, Some(shards)) => all_shards(machines, durabilities, shards),
        (None, None) => best_of_all(machines, durabilities, command),
    };
    let mut letters = text.chars();
    let text =
        letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()));
    let hosts: Vec<&str> = failures.iter().map(|failure| failure.host.as_str()).collect();
    let without_report = match hosts.len() {
        0 => None,
        count => Some(format!("No report from {}: {}.", units::counted(count as u64, "host"), hosts.join(", "))),
    };
    let sentences = [loss.map(str::to_owned), inconclusive(outcomes), Some(text), without_report];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `Inconclusive, as are 2 of 3 reports.`
fn inconclusive(outcomes: &[Outcome]) -> Option<String> {
    let open = outcomes.iter().filter(|&&outcome| outcome == Outcome::Inconclusive).count();
    let text = match (open, outcomes.len()) {
        (0, _) => return None,
        (1, 1) => "is the report".to_owned(),
        (1, all) => format!("is 1 of {all} reports"),
        (open, all) => format!("are {open} of {all} reports"),
    };
    Some(format!("Inconclusive, as {text}."))
}

/// `; valid until 2027-03-01, when the disk is full`, the earliest of the machines that sustain the target.
fn validity(machines: &[MergedMachine]) -> String {
    let holds = |mode: &MergedMode| mode.capacity.as_ref().is_some_and(|found| found.answer == TargetAnswer::Holds);
    let sustaining = machines.iter().filter(|machine| machine.modes.iter().any(holds));
    let earliest = ValidUntil::earliest(sustaining.filter_map(|machine| machine.valid_until.as_ref()));
    earliest.map_or_else(String::new, |valid| format!("; valid {}", valid.text()))
}

/// `16 shards together: 12,000 commands/s with durability off, 8,000 commands/s with durability on`.
fn all_shards(machines: &[MergedMachine], durabilities: &[Durability], shards: &ShardedTrace) -> String {
    let modes = durabilities.iter().filter_map(|&durability| machines.first()?.mode(durability));
    let rates: Vec<String> = modes
        .map(|mode| {
            let rate = units::commands_per_second(mode.achieved_per_second);
            format!("{rate} with durability {}", mode.durability)
        })
        .collect();
    format!("{} together: {}", units::counted(u64::from(shards.shards_count), "shard"), rates.join(", "))
}

/// `3 of 4 machines sustain 2,000 commands/s with durability off and on, the smallest is …`, of modes with the same answer.
fn clause(alike: &[(Durability, [String; 2])], target: &Target) -> String {
    let modes: Vec<_> = alike.iter().map(|(durability, _)| durability.to_string()).collect();
    let [who, details] = &alike[0].1;
    format!(
        "{who} {} with durability {}{details}",
        units::commands_per_second(target.target_per_second),
        modes.join(" and ")
    )
}

/// `3 of 4 machines sustain`, and what follows the rate: ` (1 inconclusive), the smallest is …`.
fn sustaining(machines: &[MergedMachine], durability: Durability) -> [String; 2] {
    let answered = |answer: TargetAnswer| {
        let is_so = move |machine: &&MergedMachine| {
            machine.mode(durability).and_then(|mode| mode.capacity.as_ref()).is_some_and(|found| found.answer == answer)
        };
        machines.iter().filter(is_so)
    };
    let (sustaining, undecided) = (answered(TargetAnswer::Holds).count(), answered(TargetAnswer::Undecided).count());
    let who = match (sustaining, machines.len()) {
        (1, 1) => "the one machine sustains".to_owned(),
        (0, 1) if undecided == 1 => return ["the one machine may sustain".to_owned(), String::new()],
        (0, 1) => "the one machine does not qualify for".to_owned(),
        (0, all) => format!("none of {all} machines qualifies for"),
        (1, all) => format!("1 of {all} machines sustains"),
        (some, all) => format!("{some} of {all} machines sustain"),
    };
    let smallest = answered(TargetAnswer::Holds).min_by(|a, b| by_size(a, b)).filter(|_| machines.len() > 1);
    let smallest = smallest.map_or_else(String::new, |least| {
        let alike = answered(TargetAnswer::Holds).filter(|machine| is_as_large(machine, least));
        let names: Vec<&str> = alike.map(|machine| machine.name.as_str()).collect();
        match names.as_slice() {
            [one] => format!(", the smallest is {one}"),
            several => format!(", the smallest, of equal cores and RAM, are {}", several.join(" and ")),
        }
    });
    let undecided = if undecided > 0 { format!(" ({undecided} inconclusive)") } else { String::new() };
    [who, format!("{undecided}{smallest}")]
}

/// The best machine of each mode, once if it is the same.
fn best_of_all(machines: &[MergedMachine], durabilities: &[Durability], command: Option<&str>) -> String {
    let best: Vec<Best<'_>> =
        durabilities.iter().filter_map(|&durability| Best::of(machines, durability, command)).collect();
    let Some(first) = best.first() else { return "no mode was measured".to_owned() };
    let alike = |best: &Best<'_>| best.machine.name == first.machine.name && best.word == first.word;
    if best.iter().all(alike) {
        let figures: Vec<String> = best.iter().map(Best::figure_with_mode).collect();
        let word = if machines.len() == 1 { "the one machine" } else { first.word };
        return format!("{word}: {}, {}", first.machine.name, figures.join(", "));
    }
    let clauses = best.iter().map(|best| format!("{}: {}, {}", best.word, best.machine.name, best.figure_with_mode()));
    clauses.collect::<Vec<_>>().join("; ")
}

struct Best<'a> {
    machine: &'a MergedMachine,
    durability: Durability,
    /// `fastest` or `lowest latency`.
    word: &'static str,
    figure: String,
}

impl<'a> Best<'a> {
    /// By rate; by latency where a schedule gave the rate.
    fn of(machines: &'a [MergedMachine], durability: Durability, command: Option<&str>) -> Option<Self> {
        let measured: Vec<(&MergedMachine, &MergedMode)> =
            machines.iter().filter_map(|machine| Some((machine, machine.mode(durability)?))).collect();
        let by_latency = measured.iter().all(|(_, mode)| is_scheduled(mode) && p99_ns(mode, command).is_some());
        if let Some(command) = command.filter(|_| by_latency) {
            let &(machine, mode) = measured.iter().min_by_key(|(_, mode)| p99_ns(mode, Some(command)))?;
            let p99 = p99_ns(mode, Some(command)).map_or_else(String::new, |p99| units::duration(p99 as f64));
            let rate = mode.offered_per_second.map_or_else(String::new, units::commands_per_second);
            let figure = format!("{command} p99 {p99} at {rate}");
            return Some(Self { machine, durability, word: "lowest latency", figure });
        }
        let &(machine, mode) =
            measured.iter().max_by(|a, b| a.1.rate_per_second().total_cmp(&b.1.rate_per_second()))?;
        let figure = units::commands_per_second(mode.rate_per_second());
        Some(Self { machine, durability, word: "fastest", figure })
    }

    fn figure_with_mode(&self) -> String {
        format!("{} with durability {}", self.figure, self.durability)
    }
}
