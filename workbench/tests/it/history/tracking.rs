//! Which changes a history finds in simulated reports whose truth is known, what it says of them, and which reports it leaves
//! out.

use std::path::{Path, PathBuf};

use ave_workbench::actor::Durability;
use ave_workbench::compare::{Answer, CompareSettings, ComparisonOutcome};
use ave_workbench::history::{Change, History, HistoryError, Metric, Reports, Series, history};
use ave_workbench::report::{ComparisonContext, Report, SloInfo};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::support::sample;

use ComparisonOutcome::{Improvement, NoDifference, NoRegression, Regression, Undecided};

/// Reports of one question, in order of time.
pub(crate) struct Nightly {
    rng: Xoshiro256PlusPlus,
    /// Standard deviation of the logarithm of a figure from report to report.
    scatter: f64,
    made: u32,
    pub(crate) reports: Vec<(PathBuf, Report)>,
}

impl Nightly {
    pub(crate) fn new(seed: u64, scatter: f64) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), scatter, made: 0, reports: Vec::new() }
    }

    /// A closed-loop run whose commands take `factor` times as long.
    pub(crate) fn report(&mut self, factor: f64) -> Report {
        let mut report = sample::run();
        report.started_at = format!("2026-03-{:02}T{:02}:00:00Z", 1 + self.made / 24, self.made % 24);
        self.made += 1;
        for mode in &mut report.modes {
            let drawn: f64 = StandardNormal.sample(&mut self.rng);
            let slower = factor * (self.scatter * drawn).exp();
            mode.achieved_per_second /= slower;
            mode.achieved_range_per_second = mode.achieved_range_per_second.map(|end| end / slower);
            for command in &mut mode.commands {
                let latencies = [Some(&mut command.service), command.response.as_mut()];
                for percentile in latencies.into_iter().flatten().flat_map(|latency| &mut latency.percentiles) {
                    percentile.value_ns = scaled(percentile.value_ns, slower);
                    percentile.interval_ns = percentile.interval_ns.map(|ends| ends.map(|end| scaled(end, slower)));
                }
            }
        }
        report
    }

    /// Adds so many reports, changed by `change`.
    pub(crate) fn add(&mut self, count: usize, factor: f64, change: impl Fn(&mut Report)) -> &mut Self {
        for _ in 0..count {
            let mut report = self.report(factor);
            change(&mut report);
            let path = PathBuf::from(format!("nightly/{}", self.reports.len()));
            self.reports.push((path, report));
        }
        self
    }

    fn history(&self) -> History {
        self.history_with(CompareSettings::default(), None).unwrap()
    }

    fn history_with(&self, settings: CompareSettings, baseline: Option<usize>) -> Result<History, HistoryError> {
        history(&Reports::new(self.reports.clone(), baseline)?, settings, &context())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive latencies")]
fn scaled(value_ns: u64, factor: f64) -> u64 {
    (value_ns as f64 * factor) as u64
}

pub(crate) fn context() -> ComparisonContext {
    ComparisonContext { compared_at: "2026-04-01T10:00:00Z".to_owned(), command: "ave-workbench history".to_owned() }
}

type ReportChange = fn(&mut Report);

fn same(_: &mut Report) {}

fn new_build(report: &mut Report) {
    "0.4.2".clone_into(&mut report.reproduce.version);
}

/// Of sources with changes.
const NEW_COMMIT: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c-dirty";

fn new_commit(report: &mut Report) {
    report.reproduce.commit = Some(NEW_COMMIT.to_owned());
}

fn rate(history: &History, durability: Durability) -> &Series {
    history.series.iter().find(|one| one.durability == durability && one.metric == Metric::Rate).unwrap()
}

fn only_change(series: &Series) -> &Change {
    let [change] = &series.changes[..] else { panic!("{:#?}", series.changes) };
    change
}

#[test]
fn a_slower_build_is_a_regression_with_its_place_size_and_build() {
    let mut nightly = Nightly::new(1, 0.01);
    let history = nightly.add(14, 1.0, same).add(6, 1.2, new_build).history();
    assert_eq!(history.outcome, Regression, "{}", history.sentence);
    for durability in Durability::BOTH {
        let series = rate(&history, durability);
        let change = only_change(series);
        assert_eq!([change.last_before, change.first_after], [13, 14]);
        assert!(change.is_worse && change.is_beyond_threshold, "{change:#?}");
        assert!((change.change_percent + 100.0 / 6.0).abs() < 2.0, "a sixth of the rate: {}", change.change_percent);
        let [low, high] = change.interval_percent;
        assert!(low < change.change_percent && change.change_percent < high && high < -10.0, "{low} {high}");
        let [build] = &change.differing[..] else { panic!("{:#?}", change.differing) };
        assert!(build.is_build && build.field == "reproduce.version", "{build:?}");
        assert_eq!([&build.before, &build.after], ["0.4.1", "0.4.2"]);
        assert_eq!(series.answer, Answer::Regression);
    }
    for part in [
        "Slower: by the rate (durability o",
        "2026-03-01 14:00:00 UTC",
        "nightly/14",
        "reproduce.version 0.4.1 → 0.4.2",
    ] {
        assert!(history.sentence.contains(part), "`{part}` is missing: {}", history.sentence);
    }
    assert!(history.warnings.is_empty(), "{:?}", history.warnings);
}

#[test]
fn builds_of_one_version_are_known_by_their_commits() {
    let mut nightly = Nightly::new(8, 0.01);
    let history = nightly.add(14, 1.0, same).add(6, 1.2, new_commit).history();
    let [build] = &only_change(rate(&history, Durability::Off)).differing[..] else { panic!("{history:#?}") };
    assert!(build.is_build && build.field == "reproduce.commit", "{build:?}");
    assert_eq!([&build.before, &build.after], ["1a2b3c4d5e6f", "9f8e7d6c5b4a-dirty"]);
    assert!(history.sentence.contains("reproduce.commit 1a2b3c4d5e6f → 9f8e7d6c5b4a-dirty"), "{}", history.sentence);
    assert!(history.warnings.is_empty(), "{:?}", history.warnings);
    let commits = [0, 19].map(|place: usize| history.reports[place].commit.as_deref().unwrap());
    assert_eq!(commits, ["1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d", NEW_COMMIT]);
}

#[test]
fn a_report_of_an_earlier_version_has_no_commit() {
    let value = serde_json::to_value(sample::run()).unwrap();
    let mut old = value.clone();
    old["reproduce"].as_object_mut().unwrap().remove("commit").unwrap();
    let report: Report = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(report.reproduce.commit, None);
    assert_eq!(serde_json::to_value(&report).unwrap(), old, "it is written as it was read");
}

#[test]
fn a_faster_build_is_an_improvement_and_no_change_is_no_difference() {
    let faster = Nightly::new(2, 0.01).add(14, 1.0, same).add(6, 0.8, new_build).history();
    assert_eq!(faster.outcome, Improvement, "{}", faster.sentence);
    assert!(!only_change(rate(&faster, Durability::Off)).is_worse);
    let steady = Nightly::new(3, 0.01).add(20, 1.0, same).history();
    assert!(matches!(steady.outcome, NoDifference | NoRegression), "{}", steady.sentence);
    assert!(steady.sentence.contains("not slower than the others by 5 %"), "{}", steady.sentence);
}

/// The search is for any change: the threshold decides what counts.
#[test]
fn a_change_below_the_threshold_is_shown_and_no_regression() {
    let mut nightly = Nightly::new(4, 0.002);
    nightly.add(14, 1.0, same).add(8, 1.03, new_build);
    let history = nightly.history();
    assert!(matches!(history.outcome, NoDifference | NoRegression), "{}", history.sentence);
    let change = only_change(rate(&history, Durability::Off));
    assert!(change.is_worse && !change.is_beyond_threshold, "{change:#?}");
    let stricter = CompareSettings { threshold_percent: 2.0, ..CompareSettings::default() };
    assert_eq!(nightly.history_with(stricter, None).unwrap().outcome, Regression);
}

#[test]
fn a_regression_that_was_repaired_is_none_any_more() {
    let history = Nightly::new(5, 0.01).add(12, 1.0, same).add(8, 1.3, same).add(8, 1.0, same).history();
    let series = rate(&history, Durability::On);
    let words: Vec<bool> = series.changes.iter().map(|change| change.is_worse).collect();
    assert_eq!((words, history.outcome), (vec![true, false], Improvement), "{}", history.sentence);
}

#[test]
fn a_baseline_is_the_reference_instead_of_the_segment_before() {
    let mut nightly = Nightly::new(6, 0.01);
    nightly.add(12, 1.0, same).add(8, 1.5, same).add(8, 1.25, same);
    assert_eq!(nightly.history().outcome, Improvement, "against the segment before");
    let since = |baseline| nightly.history_with(CompareSettings::default(), Some(baseline)).unwrap();
    let history = since(3);
    assert_eq!((history.outcome, history.baseline.as_deref()), (Regression, Some("nightly/3")), "{}", history.sentence);
    let slower = rate(&history, Durability::Off).slower_percent.unwrap();
    assert!((slower - 25.0).abs() < 3.0, "{slower}");
    assert!(history.sentence.contains(" UTC, nightly/12"), "the change after the baseline: {}", history.sentence);
    assert!(matches!(since(24).outcome, NoDifference | NoRegression), "the newest segment is the baseline's");
}

#[test]
fn what_differs_beside_the_build_makes_a_change_inconclusive() {
    let changes: [(&str, ReportChange); 3] = [
        ("host.kernel", |report| report.host.kernel = "6.99".to_owned()),
        ("host.device", |report| report.host.device = "/dev/nvme1n1".to_owned()),
        ("settings.machine_spec", |report| report.settings.machine_spec = serde_json::json!({ "profile": "2xlarge" })),
    ];
    for (field, change) in changes {
        let mut nightly = Nightly::new(7, 0.01);
        nightly.add(14, 1.0, same).add(6, 1.2, |report| {
            new_build(report);
            change(report);
        });
        let history = nightly.history();
        assert_eq!(history.outcome, Undecided, "{field}: {}", history.sentence);
        let found = only_change(rate(&history, Durability::Off));
        let fields: Vec<_> = found.differing.iter().map(|one| (one.field.as_str(), one.is_build)).collect();
        assert_eq!(fields, [("reproduce.version", true), (field, false)]);
        assert!(history.sentence.contains(field), "{}", history.sentence);
        let across = CompareSettings { across_hosts: true, ..CompareSettings::default() };
        assert_eq!(nightly.history_with(across, None).unwrap().outcome, Regression);
    }
}

/// The machine was slower without the backend as well.
#[test]
fn a_change_that_the_speed_of_the_machine_explains_is_inconclusive() {
    let mut nightly = Nightly::new(8, 0.01);
    nightly.add(14, 1.0, same).add(6, 1.2, |report| {
        let rounds = report.modes.iter_mut().flat_map(|mode| &mut mode.rounds);
        for work in rounds.filter_map(|round| round.reference_work.as_mut()) {
            (work.compute_p50_ns, work.compute_mean_ns) = (1.2 * work.compute_p50_ns, 1.2 * work.compute_mean_ns);
        }
    });
    let history = nightly.history();
    assert_eq!(history.outcome, Undecided, "{}", history.sentence);
    assert!(history.sentence.contains("without the backend, computing took"), "{}", history.sentence);
}

#[test]
fn few_reports_are_inconclusive_and_the_history_says_how_many_are_needed() {
    let history = Nightly::new(9, 0.01).add(5, 1.0, same).history();
    assert_eq!(history.outcome, Undecided);
    assert!(
        history.sentence.contains("5 reports are too few") && history.sentence.contains("from 11 on"),
        "{}",
        history.sentence
    );
    let one = Nightly::new(9, 0.01).add(1, 1.0, same).history();
    assert_eq!(one.outcome, Undecided, "{}", one.sentence);
    assert!(one.sentence.contains("1 report is too few"), "{}", one.sentence);
}

#[test]
fn one_slow_report_is_no_change_and_leaves_the_answer_open() {
    let history = Nightly::new(10, 0.01).add(20, 1.0, same).add(1, 1.5, same).history();
    assert!(history.series.iter().all(|series| series.changes.is_empty()));
    assert_eq!(history.outcome, Undecided, "{}", history.sentence);
    let earlier = Nightly::new(10, 0.01).add(10, 1.0, same).add(1, 1.5, same).add(10, 1.0, same).history();
    assert!(matches!(earlier.outcome, NoDifference | NoRegression | Undecided), "{}", earlier.sentence);
}

/// With an objective its percentile decides, whatever the load.
#[test]
fn the_percentile_of_the_objective_is_followed() {
    let objective = |report: &mut Report| {
        let percentile = ave_workbench::measure::Percentile::P50;
        report.objective = Some(SloInfo { command: "recover".to_owned(), percentile, limit_ns: 1_000_000 });
    };
    let history = Nightly::new(11, 0.01).add(14, 1.0, objective).add(6, 1.3, objective).history();
    let latencies: Vec<&Series> = history.series.iter().filter(|one| one.metric == Metric::Latency).collect();
    assert_eq!(latencies.len(), 2);
    for series in latencies {
        assert_eq!((series.command.as_deref(), series.percentile.unwrap().name()), (Some("recover"), "p50"));
        assert!(series.decides && series.answer == Answer::Regression, "{series:#?}");
        let change = only_change(series);
        assert!((change.change_percent - 30.0).abs() < 3.0, "{}", change.change_percent);
    }
}

#[test]
fn a_plan_is_followed_by_the_rate_of_its_machine() {
    let mut reports = Vec::new();
    for number in 0..20_u32 {
        let mut report = sample::plan();
        report.started_at = format!("2026-03-01T{number:02}:00:00Z");
        let slower = if number < 14 { 1.0 } else { 1.4 } * (1.0 + 0.002 * f64::from(number % 5));
        let plan = report.plan.as_mut().unwrap();
        for mode in plan.profiles.iter_mut().flat_map(|profile| &mut profile.modes) {
            mode.sustained_per_second = mode.sustained_per_second.map(|rate| rate / slower);
        }
        reports.push((PathBuf::from(format!("plan-{number}")), report));
    }
    let plan = sample::plan().plan.unwrap();
    let reports = Reports::new(reports, None).unwrap();
    let history = history(&reports, CompareSettings::default(), &context()).unwrap();
    for durability in Durability::BOTH {
        let series = rate(&history, durability);
        let machine = &plan.capacities.iter().find(|one| one.durability == durability).unwrap().machine;
        assert_eq!(series.machine.as_ref(), Some(machine));
        if !series.points.is_empty() {
            assert_eq!(only_change(series).first_after, 14);
            assert_eq!(series.answer, Answer::Regression);
        }
    }
    assert!(history.series.iter().any(|series| series.points.len() == 20), "some machine was measured");
    assert_eq!(history.outcome, Regression, "{}", history.sentence);
}

#[test]
fn reports_of_other_questions_interrupted_ones_and_copies_are_left_out_with_the_reason() {
    let mut nightly = Nightly::new(12, 0.01);
    nightly.add(4, 1.0, same);
    nightly.add(1, 1.0, |report| report.settings.seed = 7);
    nightly.add(1, 1.0, |report| drop(report.modes[0].rounds.pop()));
    nightly.add(12, 1.0, same);
    let copy = nightly.reports[2].1.clone();
    nightly.reports.push((PathBuf::from("copy"), copy));
    let history = nightly.history();
    let left_out: Vec<_> =
        history.left_out.iter().map(|one| (one.path.as_str(), one.field.as_deref(), one.reason.as_str())).collect();
    let [(copied, None, copy), (other, Some("settings.seed"), reason), (cut_off, None, interrupted)] = left_out[..]
    else {
        panic!("{left_out:#?}")
    };
    assert!(copied.contains("copy") || copied == "nightly/2", "{copied}");
    assert!(copy.starts_with("a copy of "), "{copy}");
    assert_eq!((other, cut_off), ("nightly/4", "nightly/5"));
    assert_eq!(reason, "settings.seed is 7, and 42 in the newest report");
    assert!(interrupted.contains("was interrupted"), "{interrupted}");
    assert_eq!(history.reports.len(), 16);
    let times: Vec<_> = history.reports.iter().map(|report| &report.started_at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn without_a_second_report_of_the_question_there_is_no_history() {
    let mut nightly = Nightly::new(13, 0.01);
    nightly.add(3, 1.0, |report| report.settings.seed = 7).add(1, 1.0, same);
    let refused = nightly.history_with(CompareSettings::default(), None).unwrap_err();
    let text = refused.to_string();
    for part in ["no other of 3 reports", "nightly/3", "nightly/0", "settings.seed is 7, and 42"] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    assert!(refused.is_choice());
    nightly.add(3, 1.0, same);
    let refused = nightly.history_with(CompareSettings::default(), Some(0)).unwrap_err();
    assert!(matches!(refused, HistoryError::Baseline(_)) && refused.is_choice(), "{refused}");
    let absent = Reports::read(&[PathBuf::from("nowhere")], None).unwrap_err();
    assert!(!absent.is_choice() && absent.to_string().contains("nowhere"), "{absent}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut nightly = Nightly::new(14, 0.01);
    nightly.add(2, 1.0, same);
    let defaults = CompareSettings::default();
    for (settings, part) in [
        (CompareSettings { threshold_percent: 0.0, ..defaults }, "more than 0 %"),
        (CompareSettings { rule_out_percent: Some(1.0), ..defaults }, "at least the threshold"),
        (CompareSettings { confidence_percent: 99.9, ..defaults }, "at most 99 %"),
    ] {
        let refused = nightly.history_with(settings, None).unwrap_err();
        assert!(refused.is_choice() && refused.to_string().contains(part), "{refused}");
    }
}

/// 60 histories of 4 figures in which nothing changes: a false alarm in 5 % of them is 3.
#[test]
fn histories_without_a_change_rarely_have_one() {
    let is_alarm = |seed: &u64| {
        let history = Nightly::new(100 + seed, 0.03).add(25, 1.0, same).history();
        assert_ne!(history.outcome, Improvement);
        history.outcome == Regression
    };
    let alarms = (0..60).filter(is_alarm).count();
    assert!(alarms <= 5, "{alarms} of 60");
}

#[test]
fn a_directory_is_written_with_pages_json_and_table() {
    let root = tempfile::tempdir().unwrap();
    let history = Nightly::new(15, 0.01).add(14, 1.0, same).add(6, 1.2, new_build).history();
    let pages = ave_workbench::render::history(&history);
    let directory = history.write(&pages, ave_workbench::report::Destination::Below(root.path())).unwrap();
    assert!(directory.ends_with("steady-light-history-20260401T100000Z"), "{}", directory.display());
    let read = |file: &str| std::fs::read_to_string(Path::new(&directory).join(file)).unwrap();
    assert_eq!(serde_json::from_str::<History>(&read("history.json")).unwrap(), history);
    let table = read("history.csv");
    let mut rows = csv_rows(&table);
    let header = rows.remove(0);
    assert_eq!(rows.len(), history.series.iter().map(|series| series.points.len()).sum::<usize>());
    let column = |name: &str| header.iter().position(|known| known == name).unwrap();
    let changed: Vec<_> = rows.iter().filter(|row| row[column("change")] == "worse").collect();
    assert!(!changed.is_empty() && changed.iter().all(|row| row[column("report")] == "nightly/14"), "{changed:?}");
    for row in &rows {
        let [low, value, high] = ["low", "value", "high"].map(|name| row[column(name)].parse::<f64>().unwrap());
        assert!(low <= value && value <= high && ["1", "2"].contains(&row[column("segment")].as_str()), "{row:?}");
    }
    for file in ["history.html", "history.md"] {
        assert!(read(file).contains("2026-03-01 14:00:00 UTC"), "{file}");
    }
}

/// Rows of a table without quotes.
fn csv_rows(table: &str) -> Vec<Vec<String>> {
    table.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_history_with_lost_data_fails() {
    let mut nightly = Nightly::new(20, 0.01);
    nightly.add(19, 1.0, same);
    nightly.add(1, 1.0, |report| report.modes[0].verification.differences.push("an event is missing".to_owned()));
    let history = nightly.history();
    assert_eq!(history.outcome, ComparisonOutcome::DataLoss);
    let sentence = &history.sentence;
    assert!(sentence.starts_with("Acknowledged data were lost or altered in nightly/19. The newest of"), "{sentence}");
}

/// Each step is below the threshold, all of them together are not.
#[test]
fn steps_below_the_threshold_that_add_up_are_in_the_sentence_with_the_remedy() {
    let mut nightly = Nightly::new(21, 0.003);
    for step in 0..5 {
        nightly.add(8, 1.03_f64.powi(step), same);
    }
    let history = nightly.history();
    assert!(matches!(history.outcome, NoDifference | NoRegression), "{}", history.sentence);
    for part in [
        "are not slower than the segment before them by 5 %",
        "Since the first segment, by the rate (durability o",
        " a command takes 12.",
        " % longer: use --baseline nightly/0 to compare with it.",
    ] {
        assert!(history.sentence.contains(part), "`{part}` is missing: {}", history.sentence);
    }
    let since = nightly.history_with(CompareSettings::default(), Some(0)).unwrap();
    assert_eq!(since.outcome, Regression, "{}", since.sentence);
    let steady = Nightly::new(3, 0.01).add(20, 1.0, same).history();
    assert!(steady.sentence.contains("not slower than the others by 5 %"), "{}", steady.sentence);
    assert!(!steady.sentence.contains("--baseline"), "{}", steady.sentence);
}

/// The figure beside "slower by" is that of the reports which are compared.
#[test]
fn newest_is_the_mean_of_the_compared_reports() {
    let steady = Nightly::new(3, 0.02).add(20, 1.0, same).history();
    let step = Nightly::new(1, 0.01).add(14, 1.0, same).add(6, 1.2, new_build).history();
    for (history, compared) in [(steady, 3), (step, 6)] {
        let series = rate(&history, Durability::Off);
        let newest = series.points[20 - compared..].iter().map(|point| point.value.ln()).sum::<f64>() / compared as f64;
        assert!((series.newest.unwrap() / newest.exp() - 1.0).abs() < 1e-9, "{compared}: {:?}", series.newest);
    }
}

#[test]
fn a_change_beside_other_processes_is_inconclusive() {
    let busy = |cores: f64| {
        move |report: &mut Report| {
            let rounds = report.modes.iter_mut().flat_map(|mode| &mut mode.rounds);
            rounds.for_each(|round| round.foreign_cores = Some(cores));
        }
    };
    let history = Nightly::new(22, 0.01).add(14, 1.0, busy(0.0)).add(6, 1.2, busy(1.9)).history();
    assert_eq!(history.outcome, Undecided, "{}", history.sentence);
    let cause = "other processes kept 0 cores busy before and 1.9 after";
    assert!(history.sentence.contains(cause), "{}", history.sentence);
    assert_eq!(only_change(rate(&history, Durability::Off)).machine, cause);
    let alike = Nightly::new(22, 0.01).add(14, 1.0, busy(0.1)).add(6, 1.2, busy(0.2)).history();
    assert_eq!(alike.outcome, Regression, "{}", alike.sentence);
}

#[test]
fn a_report_in_which_nothing_was_measured_is_left_out_unless_it_is_the_newest() {
    let nothing = |report: &mut Report| report.modes[1].achieved_per_second = 0.0;
    let history = Nightly::new(23, 0.01).add(5, 1.0, same).add(1, 1.0, nothing).add(14, 1.0, same).history();
    let [left_out] = &history.left_out[..] else { panic!("{:#?}", history.left_out) };
    assert_eq!(left_out.path, "nightly/5");
    assert!(left_out.reason.contains("its rate with durability on is 0"), "{}", left_out.reason);
    let history = Nightly::new(23, 0.01).add(19, 1.0, same).add(1, 1.0, nothing).history();
    assert!(history.left_out.is_empty() && history.outcome == Undecided, "{}", history.sentence);
}

#[test]
fn a_baseline_that_is_the_newest_report_is_refused() {
    let mut nightly = Nightly::new(24, 0.01);
    nightly.add(20, 1.0, same);
    let refused = nightly.history_with(CompareSettings::default(), Some(19)).unwrap_err();
    assert!(refused.is_choice() && refused.to_string().contains("nightly/19: the baseline is the newest"), "{refused}");
}
