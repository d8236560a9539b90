//! Reports of the shards of one trace: what adds up, and what is refused.

use std::path::PathBuf;

use ave_workbench::fleet::{HostFailure, MergeError, Merged, ReportWithLog, merge};
use ave_workbench::report::{ComparisonContext, Incomparable, Outcome, Report, ShardInfo, SourceKind};
use proptest::prelude::*;

use crate::support::sample;

const COMMANDS: u64 = 1_000;
const OPERATIONS: u64 = 3_000;

/// The report of shard `number` of `count`, whose shards are alike; the first one also has what does not divide.
fn shard(number: u32, count: u32) -> Report {
    let mut report = sample::run();
    let part = |whole: u64| whole / u64::from(count) + if number == 1 { whole % u64::from(count) } else { 0 };
    report.started_at = format!("2026-03-01T09:30:00.000000{number:03}Z");
    report.source.kind = SourceKind::Trace;
    report.source.actors_count = u64::from(number);
    report.source.facts.insert("commands".to_owned(), part(COMMANDS).to_string());
    report.source.shard = Some(ShardInfo {
        number,
        count,
        commands_count: part(COMMANDS),
        operations_count: part(OPERATIONS),
        trace_sha256: "ab".repeat(32),
        trace_commands_count: COMMANDS,
        trace_operations_count: OPERATIONS,
    });
    report.settings.measure_seconds = None;
    report.settings.warmup_seconds = 0.0;
    for mode in &mut report.modes {
        mode.offered_per_second = Some(100.0 * f64::from(number));
        mode.achieved_per_second = 10.0 * f64::from(number);
        mode.commands_count = u64::from(report.settings.rounds_count) * part(COMMANDS);
        mode.operations_count = u64::from(report.settings.rounds_count) * part(OPERATIONS);
        mode.rounds.iter_mut().for_each(|round| round.commands_per_second = f64::from(number * round.round));
    }
    report
}

fn merged(reports: impl IntoIterator<Item = Report>) -> Result<Merged, MergeError> {
    let context = ComparisonContext { compared_at: "2026-03-02T10:00:00Z".to_owned(), command: "merge".to_owned() };
    let given = reports.into_iter().enumerate().map(|(place, report)| {
        let path = PathBuf::from(format!("fleet/node-{place}"));
        ReportWithLog::without_log(&path, report)
    });
    merge(given.collect(), Vec::new(), &context)
}

fn refused(reports: impl IntoIterator<Item = Report>, parts: &[&str]) {
    let error = merged(reports).unwrap_err();
    assert!(error.is_choice() || matches!(error, MergeError::ShardsAltered { .. }), "{error:?}");
    for part in parts {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_figures_of_all_shards_add_up_to_those_of_the_trace(count in 1u32..40, first in any::<prop::sample::Index>()) {
        let mut reports: Vec<Report> = (1..=count).map(|number| shard(number, count)).collect();
        let first = first.index(reports.len());
        reports.rotate_left(first);
        // The kinds of machines differ.
        for report in reports.iter_mut().take(3) {
            report.host.cpu_model = "another".to_owned();
        }
        let comparison = merged(reports).unwrap().comparison;
        let shards = comparison.shards.unwrap();
        prop_assert_eq!((shards.shards_count, shards.commands_count, shards.operations_count), (count, COMMANDS, OPERATIONS));
        prop_assert_eq!(comparison.machines.len(), 1);
        let rounds = u64::from(sample::run().settings.rounds_count);
        let sum = f64::from(count * (count + 1) / 2);
        for mode in &comparison.machines[0].modes {
            prop_assert_eq!((mode.commands_count, mode.operations_count), (rounds * COMMANDS, rounds * OPERATIONS));
            prop_assert_eq!((mode.achieved_per_second, mode.offered_per_second), (10.0 * sum, Some(100.0 * sum)));
            let [least, most] = mode.achieved_range_per_second;
            prop_assert_eq!((least, most), (sum, sum * rounds as f64));
        }
        prop_assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
        let paths: Vec<_> = comparison.machines[0].reports.iter().map(|report| report.started_at.clone()).collect();
        prop_assert!(paths.is_sorted(), "by number of the shard: {:?}", paths);
    }
}

#[test]
fn a_missing_shard_and_one_twice_are_named() {
    refused([shard(1, 4), shard(3, 4)], &["no report of shards 2 and 4 of 4"]);
    refused([shard(1, 2)], &["no report of shard 2 of 2"]);
    let mut again = shard(2, 2);
    again.started_at = "2026-03-01T10:00:00Z".to_owned();
    refused([shard(1, 2), shard(2, 2), again], &["fleet/node-1 and fleet/node-2 are both of shard 2"]);
}

/// A change of a report and the field that differs then.
type Change = (fn(&mut Report), &'static str);

#[test]
fn only_shards_of_one_trace_under_one_load_are_added() {
    let changes: [Change; 7] = [
        (|report| report.source.shard.as_mut().unwrap().trace_sha256 = "cd".repeat(32), "source.shard.trace_sha256"),
        (|report| report.source.shard.as_mut().unwrap().count = 3, "source.shard.count"),
        (|report| report.settings.rounds_count -= 1, "settings.rounds_count"),
        (|report| report.settings.seed += 1, "settings.seed"),
        (|report| report.settings.load = "another".to_owned(), "settings.load"),
        (|report| report.settings.start_at = Some("2026-03-01T09:30:00Z".to_owned()), "settings.start_at"),
        (|report| drop(report.modes.pop()), "durability modes"),
    ];
    for (change, field) in changes {
        let mut other = shard(2, 2);
        change(&mut other);
        let error = merged([shard(1, 2), other]).unwrap_err();
        assert!(matches!(&error, MergeError::Incomparable(Incomparable::Unequal { .. })), "{field}: {error:?}");
        assert!(error.to_string().contains(field), "{field}: {error}");
    }
    let whole = Report { source: sample::run().source, ..shard(2, 2) };
    refused([shard(1, 2), whole], &["fleet/node-0 is of a shard of a trace and fleet/node-1 of a whole one"]);
    let tuned = |report: Report| Report {
        modes: report
            .modes
            .into_iter()
            .map(|mode| ave_workbench::report::ModeResult { writers_count: 99, ..mode })
            .collect(),
        ..report
    };
    let busy = [1, 2].map(|number| {
        let mut report = shard(number, 2);
        report.source.actors_count = 1_000;
        report
    });
    refused([busy[0].clone(), tuned(busy[1].clone())], &["writers_count"]);
    let few = |report: Report| {
        let mut report = tuned(report);
        report.source.actors_count = 99;
        report
    };
    assert!(merged([busy[0].clone(), few(busy[1].clone())]).is_ok(), "each actor has a writer of its own");
}

#[test]
fn a_shard_that_was_changed_and_a_plan_of_one_are_refused() {
    let mut shorter = shard(2, 2);
    shorter.source.shard.as_mut().unwrap().operations_count -= 1;
    refused([shard(1, 2), shorter], &["2999", "3000", "export the shards again"]);
    let mut plan = sample::plan();
    plan.source.shard = shard(1, 1).source.shard;
    refused([plan], &["is a plan of a shard"]);
}

#[test]
fn shards_that_ran_apart_or_not_to_their_ends_are_doubtful() {
    let mut late = shard(2, 2);
    late.started_at = "2026-03-01T09:35:00Z".to_owned();
    late.modes[0].operations_count -= 7;
    let comparison = merged([shard(1, 2), late]).unwrap().comparison;
    let what: Vec<_> = comparison.warnings.iter().map(|warning| warning.what.as_str()).collect();
    assert!(what.len() == 2 && what[0].contains("apart") && what[1].contains("storage operations"), "{what:?}");

    // What counts is the measured time: 3 rounds of 500 commands at 10 and 20 commands/s.
    let measured: f64 =
        shard(2, 2).modes.iter().map(|mode| mode.commands_count as f64 / mode.achieved_per_second).sum();
    let apart = |share: f64| {
        let mut other = shard(2, 2);
        let begin: jiff::Timestamp = shard(1, 2).started_at.parse().unwrap();
        other.started_at = (begin + jiff::SignedDuration::from_secs_f64(share * measured)).to_string();
        merged([shard(1, 2), other]).unwrap().comparison.warnings
    };
    assert!(apart(0.05).is_empty());
    let [partly, never] = [0.5, 1.1].map(apart);
    assert!(partly[0].what.contains("they ran together for about"), "{partly:?}");
    assert!(never[0].what.contains("they did not run together"), "{never:?}");

    let together = [1, 2].map(|number| {
        let mut report = shard(number, 2);
        report.settings.start_at = Some("2026-03-01T09:40:00Z".to_owned());
        // Preparations took different times.
        report.started_at = format!("2026-03-01T09:3{number}:00Z");
        report
    });
    assert!(merged(together).unwrap().comparison.warnings.is_empty());
}

#[test]
fn hosts_without_a_report_are_named() {
    let failure = HostFailure {
        host: "db-3".to_owned(),
        kind: "m6i.large".to_owned(),
        what: "cannot be reached".to_owned(),
        hint: "Check its address.".to_owned(),
    };
    let report = ReportWithLog::without_log(&PathBuf::from("fleet/a"), sample::plan());
    let context = ComparisonContext { compared_at: "2026-03-02T10:00:00Z".to_owned(), command: "merge".to_owned() };
    let comparison = merge(vec![report], vec![failure.clone()], &context).unwrap().comparison;
    assert!(comparison.sentence.ends_with(" No report from 1 host: db-3."), "{}", comparison.sentence);
    assert_eq!(comparison.failures, std::slice::from_ref(&failure));
    let pages = ave_workbench::render::fleet(&comparison);
    for page in [pages.html, pages.markdown] {
        for part in [&failure.host, &failure.kind, &failure.what, &failure.hint] {
            assert!(page.contains(part.as_str()), "{part}: {page}");
        }
    }
}

#[test]
fn shards_of_one_host_are_doubtful() {
    let on = |number: u32, host: &str| {
        let mut report = shard(number, 3);
        report.host.boot_id = Some(host.to_owned());
        report
    };
    let merged =
        |hosts: [&str; 3]| merged((1..).zip(hosts).map(|(number, host)| on(number, host))).unwrap().comparison.warnings;
    assert!(merged(["a", "b", "c"]).is_empty());
    let warnings = merged(["a", "b", "a"]);
    assert_eq!(warnings[0].what, "Shards were measured on one host: shards 1 and 3.", "{warnings:?}");
}

#[test]
fn shards_that_are_inconclusive_failed_or_lost_data_decide_the_outcome() {
    let with = |change: fn(&mut Report)| {
        let mut other = shard(2, 2);
        change(&mut other);
        let comparison = merged([shard(1, 2), other]).unwrap().comparison;
        (comparison.outcome, comparison.sentence)
    };
    let (outcome, sentence) = with(|_| {});
    assert!(outcome == Outcome::Pass && sentence.starts_with("2 shards together: "), "{sentence}");
    let (outcome, sentence) = with(|report| report.verdict.outcome = Outcome::Inconclusive);
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(sentence.starts_with("Inconclusive, as is 1 of 2 reports. 2 shards together: "), "{sentence}");
    let (outcome, _) = with(|report| report.verdict.outcome = Outcome::Fail);
    assert_eq!(outcome, Outcome::Fail, "every shard is needed");
    let (outcome, sentence) = with(|report| {
        report.verdict.outcome = Outcome::Fail;
        report.modes[0].verification.differences.push("an event is missing".to_owned());
    });
    assert_eq!(outcome, Outcome::Fail);
    assert!(sentence.starts_with("Acknowledged data were lost or altered in fleet/node-1. 2 shards"), "{sentence}");
    let mut cut = shard(2, 2);
    cut.modes[0].rounds.pop();
    refused([shard(1, 2), cut], &["fleet/node-1 was interrupted", "measure it again"]);
}
