//! How often comparisons are right, on simulated reports whose truth is known: nothing is measured, so the same seeds give
//! the same answers. And which reports are refused.

use std::path::{Path, PathBuf};

use ave_workbench::actor::Durability;
use ave_workbench::compare::{
    Answer, BuildReports, CompareError, CompareSettings, Comparison, ComparisonOutcome, MachineFigure, Metric, Row,
    Samples, compare,
};
use ave_workbench::host::ReferenceWork;
use ave_workbench::load::EngineFigure;
use ave_workbench::report::{
    ComparisonContext, CrashVerification, Incomparable, ModeResult, Outcome, Reason, ReasonKind, Report, RoundFigures,
    RoundInfo, RoundLatency,
};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::support::sample;

use ComparisonOutcome::{DataLoss, Improvement, NoDifference, NoRegression, Regression, Undecided};

/// Names and medians of the commands, nanoseconds.
const COMMANDS: [(&str, f64); 4] =
    [("persist", 21_000.0), ("recover", 64_000.0), ("events", 38_000.0), ("last_event", 9_200.0)];
const ROUNDS: u32 = 10;
/// What a sync of the disk takes, nanoseconds.
const SYNC_NS: f64 = 300_000.0;

/// A machine: standard deviations are of logarithms, 0.01 is about one percent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// From round to round, each figure for itself.
    round: f64,
    /// From run to run, all figures together.
    run: f64,
    /// What all figures drift from run to run.
    drift: f64,
    /// Share of rounds in which something else happened: they take 10 to 60 % longer.
    disturbed: f64,
    /// How far a sync of the disk is from another in the median of a round.
    disk: f64,
    /// Whether the rounds have the heavy tails of Student's t with three degrees of freedom.
    is_wild: bool,
}

/// A machine nobody else uses.
pub(crate) const QUIET: Machine =
    Machine { round: 0.01, run: 0.0, drift: 0.0, disturbed: 0.03, disk: 0.01, is_wild: false };
/// One with neighbours, whose runs differ.
const SHARED: Machine = Machine { round: 0.03, run: 0.012, drift: 0.01, disturbed: 0.1, disk: 0.01, is_wild: false };
/// One whose disk takes a fifth to five times as long from one moment to the next.
const UNSTEADY_DISK: Machine = Machine { disk: 0.6, ..QUIET };

/// What differs between base and candidate, as factors of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) backend: f64,
    pub(crate) machine: f64,
}

pub(crate) const SAME: Truth = Truth { backend: 1.0, machine: 1.0 };
pub(crate) const TENTH_SLOWER: Truth = Truth { backend: 1.1, machine: 1.0 };

pub(crate) struct Simulation {
    machine: Machine,
    rng: Xoshiro256PlusPlus,
    drifted: f64,
    runs: u32,
}

impl Simulation {
    pub(crate) fn new(machine: Machine, seed: u64) -> Self {
        Self { machine, rng: Xoshiro256PlusPlus::seed_from_u64(seed), drifted: 0.0, runs: 0 }
    }

    fn normal(&mut self, deviation: f64) -> f64 {
        let drawn: f64 = StandardNormal.sample(&mut self.rng);
        deviation * drawn
    }

    fn noise(&mut self) -> f64 {
        if self.machine.is_wild {
            let drawn: f64 = StudentT::new(3.0).unwrap().sample(&mut self.rng);
            return self.machine.round * drawn;
        }
        self.normal(self.machine.round)
    }

    /// A run that takes `factor` times as long as it would, on a machine that takes `machine` times as long.
    pub(crate) fn run(&mut self, factor: f64, machine: f64) -> Report {
        self.drifted += self.normal(self.machine.drift);
        self.runs += 1;
        let run = self.drifted + self.normal(self.machine.run) + (factor * machine).ln();
        let mut report = report(self.runs);
        for mode in &mut report.modes {
            mode.rounds = (1..=ROUNDS).map(|round| self.round(mode.durability, round, run, machine)).collect();
        }
        report
    }

    fn round(&mut self, durability: Durability, round: u32, run: f64, machine: f64) -> RoundInfo {
        let disturbed = self.rng.random_bool(self.machine.disturbed);
        let disturbance = if disturbed { self.rng.random_range(0.1..0.5) } else { 0.0 };
        // The database grows by the same amount in each run, and everything gets slower.
        let growth = 0.03 * f64::from(round);
        let all = run + growth + disturbance;
        let [sync, reference_sync] = [(); 2].map(|()| SYNC_NS * self.normal(self.machine.disk).exp());
        let commands = COMMANDS
            .iter()
            .map(|&(name, median_ns)| {
                let waits = if durability == Durability::On && name == "persist" { sync } else { 0.0 };
                let median = median_ns * (all + self.noise()).exp() + waits;
                latency(name, median, median * 4.0 * (5.0 * self.noise()).exp())
            })
            .collect();
        let compute_ns = 130_000.0 * machine * (disturbance + self.normal(0.01)).exp();
        RoundInfo {
            round,
            warmup_seconds: 1.0,
            steady: None,
            commands_per_second: 2_000.0,
            settled: Some(true),
            engine: if durability == Durability::On { synced(1) } else { Vec::new() },
            commands,
            steal_percent: Some(0.0),
            foreign_cores: Some(0.05),
            cpu_seconds: (all + self.normal(0.01)).exp(),
            wal_syncs: None,
            reference_work: Some(ReferenceWork {
                compute_p50_ns: compute_ns,
                compute_mean_ns: compute_ns,
                sync_p50_ns: Some(reference_sync),
            }),
        }
    }

    /// So many runs of each, in turns.
    fn sides(&mut self, truth: Truth, runs: usize) -> [BuildReports; 2] {
        let [base, candidate] = self.reports(truth, runs);
        [side("base", base), side("candidate", candidate)]
    }

    fn reports(&mut self, truth: Truth, runs: usize) -> [Vec<Report>; 2] {
        let (mut base, mut candidate) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            base.push(self.run(1.0, 1.0));
            candidate.push(self.run(truth.backend, truth.machine));
        }
        [base, candidate]
    }
}

fn report(number: u32) -> Report {
    let mut report = sample::run();
    report.started_at = format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3_600, number / 60 % 60, number % 60);
    report.settings.rounds_count = ROUNDS;
    report.verdict.outcome = Outcome::Pass;
    report.reproduce.commit = None;
    for mode in &mut report.modes {
        mode.commands.retain(|latency| COMMANDS.iter().any(|(name, _)| *name == latency.name));
    }
    report
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive latencies")]
fn latency(name: &str, p50: f64, p99: f64) -> RoundLatency {
    let (p50_ns, p99_ns) = (Some(p50 as u64), Some(p99 as u64));
    let figures = RoundFigures { mean_ns: p50, p50_ns, p90_ns: p50_ns, p99_ns };
    RoundLatency { name: name.to_owned(), count: 10_000, response: figures, service: figures }
}

/// 10,000 commands that wrote 1 KiB each, with so many syncs of the log for each.
fn synced(syncs: u64) -> Vec<EngineFigure> {
    let counted = |name: &str, after| EngineFigure { name: name.to_owned().into(), before: 0, after };
    vec![counted("wal_bytes", 10_000 << 10), counted("wal_syncs_count", 10_000 * syncs)]
}

fn side(name: &str, reports: Vec<Report>) -> BuildReports {
    let named = (1..).zip(reports).map(|(number, report)| (PathBuf::from(format!("{name}/{number}")), report));
    BuildReports::new(Path::new(name), named.collect())
}

fn context() -> ComparisonContext {
    ComparisonContext { compared_at: "2026-03-02T10:00:00Z".to_owned(), command: "ave-workbench compare".to_owned() }
}

fn compared([base, candidate]: &[BuildReports; 2]) -> Comparison {
    compare(base, std::slice::from_ref(candidate), CompareSettings::default(), &context()).unwrap()
}

/// How comparisons came out, in percent of all that were simulated.
#[derive(Debug, Default, Clone, Copy)]
struct Shares {
    no_difference: f64,
    /// Those of no difference among them.
    no_regression: f64,
    regression: f64,
    undecided: f64,
    /// Comparisons with any row that says slower or faster.
    alarms: f64,
}

fn simulate(machine: Machine, truth: Truth, runs: usize, comparisons: u32) -> Shares {
    let mut shares = Shares::default();
    let each = 100.0 / f64::from(comparisons);
    for seed in 0..comparisons {
        let found = compared(&Simulation::new(machine, u64::from(seed)).sides(truth, runs));
        let rows = found.candidates.iter().flat_map(|candidate| &candidate.rows);
        let is_alarm = |answer| matches!(answer, Answer::Regression | Answer::Improvement);
        shares.alarms += if rows.clone().any(|row| is_alarm(row.answer)) { each } else { 0.0 };
        match found.outcome {
            NoDifference => {
                shares.no_difference += each;
                shares.no_regression += each;
            }
            Improvement | NoRegression => shares.no_regression += each,
            Regression => shares.regression += each,
            Undecided => shares.undecided += each,
            DataLoss => panic!("{}", found.sentence),
        }
    }
    shares
}

#[test]
fn two_runs_of_one_build_are_no_difference_nineteen_times_of_twenty() {
    let shares = simulate(QUIET, SAME, 1, 300);
    assert!(shares.no_difference >= 95.0 && shares.alarms <= 5.0, "{shares:?}");
}

#[test]
fn random_differences_between_runs_of_one_build_are_no_difference() {
    // As seen of runs of one build on a virtual machine: 1.3 % beyond what their rounds tell.
    let layouts = Machine { round: 0.028, run: 0.009, ..QUIET };
    let shares = simulate(layouts, SAME, 1, 300);
    assert!(shares.no_regression >= 90.0 && shares.regression <= 5.0, "{shares:?}");
    let shares = simulate(layouts, TENTH_SLOWER, 1, 300);
    assert!(shares.regression >= 90.0 && shares.no_regression <= 2.5, "{shares:?}");
}

#[test]
fn alternating_runs_on_a_shared_machine_raise_no_false_alarm() {
    let shares = simulate(SHARED, SAME, 10, 200);
    assert!(shares.alarms <= 5.0 && shares.no_regression >= 50.0, "{shares:?}");
    let shares = simulate(SHARED, SAME, 20, 100);
    assert!(shares.alarms <= 5.0 && shares.no_regression >= 95.0, "{shares:?}");
    let shares = simulate(SHARED, SAME, 5, 200);
    assert!(shares.alarms <= 5.0, "{shares:?}");
}

#[test]
fn heavy_tails_raise_no_false_alarm_but_are_inconclusive() {
    let wild = Machine { round: 0.06, is_wild: true, disturbed: 0.2, ..QUIET };
    let shares = simulate(wild, SAME, 1, 300);
    assert!(shares.alarms <= 5.0 && shares.undecided > 50.0, "{shares:?}");
}

#[test]
fn a_tenth_slower_is_found() {
    let shares = simulate(QUIET, TENTH_SLOWER, 1, 200);
    assert!(shares.regression >= 98.0, "{shares:?}");
    let shares = simulate(SHARED, TENTH_SLOWER, 10, 200);
    assert!(shares.regression >= 95.0, "{shares:?}");
}

#[test]
fn an_undetected_slowdown_is_inconclusive_and_never_denied() {
    let shares = simulate(SHARED, TENTH_SLOWER, 5, 200);
    assert!(shares.no_regression <= 2.5, "{shares:?}");
    let shares = simulate(Machine { round: 0.05, ..QUIET }, TENTH_SLOWER, 1, 200);
    assert!(shares.no_regression <= 2.5, "{shares:?}");
}

#[test]
fn a_slower_machine_is_never_a_regression_of_the_build() {
    let slower = Truth { backend: 1.0, machine: 1.12 };
    let shares = simulate(QUIET, slower, 1, 200);
    assert!(shares.regression <= 2.5 && shares.undecided >= 95.0, "{shares:?}");
    let found = compared(&Simulation::new(QUIET, 1).sides(slower, 1));
    let row = found.candidates[0].rows.iter().find(|row| row.metric == Metric::ServiceP50).unwrap();
    assert!(row.note.contains("the machine differed") && row.note.contains("computing"), "{}", row.note);
}

#[test]
fn a_faster_machine_hides_no_regression() {
    let hidden = Truth { backend: 1.12, machine: 1.0 / 1.12 };
    let shares = simulate(QUIET, hidden, 1, 200);
    assert!(shares.no_regression <= 2.5, "{shares:?}");
}

/// Two runs of one build, each changed so.
fn runs_on_an_unsteady_disk(changes: [&dyn Fn(&mut Report); 2]) -> Comparison {
    let mut simulation = Simulation::new(UNSTEADY_DISK, 17);
    let [base, candidate] = changes.map(|change| {
        let mut report = simulation.run(1.0, 1.0);
        change(&mut report);
        report
    });
    compared(&[side("a", vec![base]), side("b", vec![candidate])])
}

/// Two runs, of which the candidate's rounds with durability on are changed so.
fn on_an_unsteady_disk(change: impl Fn(&mut RoundInfo)) -> Comparison {
    runs_on_an_unsteady_disk([&|_| {}, &|report| report.modes[1].rounds.iter_mut().for_each(&change)])
}

fn row<'c>(found: &'c Comparison, command: &str, metric: Metric) -> &'c Row {
    let of_it = |row: &&Row| (row.durability, row.command.as_str(), row.metric) == (Durability::On, command, metric);
    found.candidates[0].rows.iter().find(of_it).unwrap()
}

#[test]
fn on_an_unsteady_disk_syncs_and_durability_off_decide() {
    let shares = simulate(UNSTEADY_DISK, SAME, 1, 300);
    assert!(shares.no_regression >= 90.0 && shares.alarms <= 5.0, "{shares:?}");
    let found = on_an_unsteady_disk(|_| {});
    assert_eq!(found.outcome, NoRegression, "nobody knows that durable writes do not differ");
    let persist = row(&found, "persist", Metric::ServiceP50);
    assert!(persist.is_left_out() && persist.answer == Answer::Undecided, "{persist:?}");
    assert!(persist.note.contains("without the backend, a sync of the disk took"), "{}", persist.note);
    assert!(row(&found, "all", Metric::LogSyncs).decides && !row(&found, "all", Metric::CpuTime).decides);
    assert!(found.sentence.contains("syncs of the log decide there in place of 1 median"), "{}", found.sentence);
}

#[test]
fn on_an_unsteady_disk_without_durability_off_cpu_time_decides_too() {
    let found = runs_on_an_unsteady_disk([&|report| drop(report.modes.remove(0)); 2]);
    assert!(row(&found, "all", Metric::LogSyncs).decides && row(&found, "all", Metric::CpuTime).decides);
    assert_eq!(found.outcome, NoRegression, "{}", found.sentence);
    assert!(found.sentence.contains("CPU time and syncs of the log decide"), "{}", found.sentence);
}

#[test]
fn a_build_that_syncs_twice_or_computes_more_is_found_on_any_disk() {
    let twice = on_an_unsteady_disk(|round| round.engine = synced(2));
    assert_eq!((twice.outcome, row(&twice, "all", Metric::LogSyncs).answer), (Regression, Answer::Regression));
    let busier = on_an_unsteady_disk(|round| round.cpu_seconds *= 1.1);
    assert_eq!((busier.outcome, row(&busier, "all", Metric::CpuTime).answer), (Regression, Answer::Regression));
}

#[test]
fn an_unsteady_disk_without_sync_counts_is_inconclusive() {
    let uncounted = |report: &mut Report| {
        report.modes.iter_mut().flat_map(|mode| &mut mode.rounds).for_each(|round| round.engine.clear());
    };
    let found = runs_on_an_unsteady_disk([&uncounted; 2]);
    assert_eq!(found.outcome, Undecided);
    assert!(row(&found, "persist", Metric::ServiceP50).decides);
}

#[test]
fn an_unsteady_disk_does_not_excuse_other_processes() {
    let found = on_an_unsteady_disk(|round| round.foreign_cores = Some(0.7));
    assert_eq!(found.outcome, Undecided, "{}", found.sentence);
    assert!(row(&found, "persist", Metric::ServiceP50).decides);
}

#[test]
fn a_steady_disk_excuses_no_undecided_median() {
    let mut simulation = Simulation::new(QUIET, 17);
    let (base, mut candidate) = (simulation.run(1.0, 1.0), simulation.run(1.0, 1.0));
    let mut wild = Simulation::new(UNSTEADY_DISK, 18).run(1.0, 1.0);
    for (round, other) in candidate.modes[1].rounds.iter_mut().zip(&mut wild.modes[1].rounds) {
        round.commands = std::mem::take(&mut other.commands);
    }
    let found = compared(&[side("a", vec![base]), side("b", vec![candidate])]);
    assert_eq!(found.outcome, Undecided, "{}", found.sentence);
    assert!(row(&found, "persist", Metric::ServiceP50).decides);
}

#[test]
fn other_processes_beside_one_build_are_inconclusive() {
    let mut simulation = Simulation::new(QUIET, 3);
    let (base, mut busy) = (simulation.run(1.0, 1.0), simulation.run(1.1, 1.0));
    let rounds = busy.modes.iter_mut().flat_map(|mode: &mut ModeResult| &mut mode.rounds);
    rounds.for_each(|round| round.foreign_cores = Some(0.7));
    let found = compared(&[side("a", vec![base]), side("b", vec![busy])]);
    assert_eq!(found.outcome, Undecided);
    assert!(found.sentence.contains("other processes kept 0.05 cores busy beside the base"), "{}", found.sentence);
    let machine = &found.candidates[0].machine;
    assert!(machine.iter().any(|row| row.figure == MachineFigure::OtherProcesses && row.differs));
}

#[test]
fn single_runs_on_a_busy_machine_are_inconclusive_and_alternating_runs_are_not() {
    let mut simulation = Simulation::new(QUIET, 5);
    let sides = |simulation: &mut Simulation, runs| {
        let [base, candidate] = simulation.reports(TENTH_SLOWER, runs).map(|mut reports| {
            let modes = reports.iter_mut().flat_map(|report| &mut report.modes);
            modes.flat_map(|mode| &mut mode.rounds).for_each(|round| round.foreign_cores = Some(1.2));
            reports
        });
        [side("base", base), side("candidate", candidate)]
    };
    let alone = compared(&sides(&mut simulation, 1));
    assert_eq!(alone.outcome, Undecided);
    assert!(alone.sentence.contains("other processes kept 1.2 of 2 cores busy"), "{}", alone.sentence);
    assert_eq!(compared(&sides(&mut simulation, 6)).outcome, Regression);
}

#[test]
fn the_sentence_names_figure_slowdown_and_interval() {
    let mut simulation = Simulation::new(QUIET, 7);
    let (base, mut slower) = (simulation.run(1.0, 1.0), simulation.run(1.0, 1.0));
    for round in &mut slower.modes[1].rounds {
        round.commands[0].service.p50_ns = round.commands[0].service.p50_ns.map(|nanoseconds| nanoseconds * 3 / 2);
    }
    let found = compared(&[side("a", vec![base]), side("b", vec![slower])]);
    assert_eq!(found.outcome, Regression);
    let sentence = &found.sentence;
    assert!(sentence.starts_with("The candidate is slower: persist (durability on) takes "), "{sentence}");
    assert!(sentence.contains("% longer (95 % interval ") && !sentence.contains("more figure"), "{sentence}");
    let rows = &found.candidates[0].rows;
    let row = rows.iter().find(|row| row.answer == Answer::Regression).unwrap();
    let [low, high] = row.interval_percent;
    assert!((45.0..55.0).contains(&row.slower_percent) && low < row.slower_percent && row.slower_percent < high);
}

#[test]
fn several_candidates_share_the_chance_of_a_false_alarm() {
    let mut simulation = Simulation::new(QUIET, 11);
    let [base, one] = simulation.sides(TENTH_SLOWER, 1);
    let others: Vec<_> = (0..3).map(|_| side("other", vec![simulation.run(1.0, 1.0)])).collect();
    let alone = compared(&[base.clone(), one.clone()]);
    let together = compare(&base, &[vec![one], others].concat(), CompareSettings::default(), &context()).unwrap();
    assert_eq!(together.candidates.len(), 4);
    for (of_four, of_one) in together.candidates[0].rows.iter().zip(&alone.candidates[0].rows) {
        assert!(of_four.p_value >= of_one.p_value, "{} {}", of_four.p_value, of_one.p_value);
        let intervals = [of_four, of_one].map(|row| row.interval_percent.map(f64::to_bits));
        assert_eq!(intervals[0], intervals[1], "an interval holds for its own row");
    }
    assert!(together.sentence.starts_with("candidate: The candidate is slower"), "{}", together.sentence);
}

#[test]
fn alternating_runs_are_paired() {
    let mut simulation = Simulation::new(QUIET, 13);
    let in_turns = simulation.sides(SAME, 4);
    assert_eq!(compared(&in_turns).candidates[0].samples, Samples::RunsInTurns);
    let runs: Vec<_> = (0..8).map(|_| simulation.run(1.0, 1.0)).collect();
    let blocks = [side("base", runs[..4].to_vec()), side("candidate", runs[4..].to_vec())];
    let found = compared(&blocks);
    assert_eq!(found.candidates[0].samples, Samples::Runs);
    assert!(found.warnings.iter().any(|warning| warning.hint.contains("Alternate")), "{:?}", found.warnings);
}

#[test]
fn reports_of_different_loads_are_refused_with_the_field() {
    for (change, field) in [
        ((|report| report.settings.seed = 7) as fn(&mut Report), "settings.seed"),
        (|report| report.name = "other".to_owned(), "name"),
        (|report| report.settings.load = "open loop at 5/s".to_owned(), "settings.load"),
        (|report| report.modes[0].writers_count = 3, "modes[].writers_count"),
        (|report| report.settings.machine_spec = serde_json::json!({"profile": "nano"}), "settings.machine_spec"),
        (|report| report.settings.measure_seconds = Some(3.0), "settings.measure_seconds"),
        (|report| drop(report.modes.pop()), "modes[].durability"),
    ] {
        let mut simulation = Simulation::new(QUIET, 1);
        let (base, mut other) = (simulation.run(1.0, 1.0), simulation.run(1.0, 1.0));
        change(&mut other);
        let error = refused(&[side("a", vec![base]), side("b", vec![other])]);
        assert!(
            matches!(&error, CompareError::Incomparable(Incomparable::Unequal { field: found, .. }) if found.contains(field)),
            "{error}"
        );
        assert!(error.is_choice() && error.to_string().contains("a/1") && error.to_string().contains("b/1"), "{error}");
    }
}

fn refused([base, candidate]: &[BuildReports; 2]) -> CompareError {
    compare(base, std::slice::from_ref(candidate), CompareSettings::default(), &context()).unwrap_err()
}

#[test]
fn reports_that_cannot_be_compared_are_refused_with_a_remedy() {
    let mut simulation = Simulation::new(QUIET, 1);
    let runs: Vec<_> = (0..4).map(|_| simulation.run(1.0, 1.0)).collect();
    let mut cut = runs[1].clone();
    cut.modes[0].rounds.truncate(4);
    let cut = refused(&[side("a", vec![runs[0].clone()]), side("b", vec![cut])]);
    assert!(cut.to_string().contains("was interrupted"), "{cut}");
    let mut last = runs[1].clone();
    last.verdict.reasons.push(Reason { kind: ReasonKind::Interrupted, text: String::new() });
    let last = refused(&[side("a", vec![runs[0].clone()]), side("b", vec![last])]);
    assert!(last.to_string().contains("was interrupted"), "{last}");

    let same = refused(&[side("a", vec![runs[0].clone()]), side("b", vec![runs[0].clone()])]);
    assert!(matches!(same, CompareError::Incomparable(Incomparable::Twice { .. })), "{same}");

    let uneven = refused(&[side("a", vec![runs[0].clone()]), side("b", runs[1..3].to_vec())]);
    assert!(uneven.to_string().contains("one with one"), "{uneven}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let [base, candidate] = Simulation::new(QUIET, 1).sides(SAME, 1);
    for (threshold_percent, rule_out_percent, confidence_percent) in [
        (0.0, None, 95.0),
        (f64::NAN, None, 95.0),
        (5.0, None, 100.0),
        (5.0, None, 0.95),
        (5.0, Some(4.0), 95.0),
        (5.0, Some(f64::NAN), 95.0),
    ] {
        let settings =
            CompareSettings { threshold_percent, rule_out_percent, confidence_percent, ..CompareSettings::default() };
        let error = compare(&base, std::slice::from_ref(&candidate), settings, &context()).unwrap_err();
        assert!(matches!(error, CompareError::Settings(_)) && error.to_string().contains("expected"), "{error}");
    }
}

#[test]
fn reports_of_other_hosts_are_compared_only_on_request() {
    let mut simulation = Simulation::new(QUIET, 1);
    let (base, mut other) = (simulation.run(1.0, 1.0), simulation.run(1.0, 1.0));
    other.host.cpu_model = "another".to_owned();
    let (base, other) = (side("a", vec![base]), side("b", vec![other]));
    let found = compared(&[base.clone(), other.clone()]);
    assert_eq!(found.outcome, Undecided);
    assert!(found.sentence.contains("host.cpu_model is AMD EPYC 7B13 in the base and another"), "{}", found.sentence);
    let settings = CompareSettings { across_hosts: true, ..CompareSettings::default() };
    let across = compare(&base, &[other], settings, &context()).unwrap();
    assert_eq!(across.outcome, NoDifference);
    assert!(across.warnings.iter().any(|warning| warning.what.contains("host.cpu_model")));
}

#[test]
fn rare_commands_do_not_decide_and_are_named() {
    let mut simulation = Simulation::new(QUIET, 1);
    let reports = [simulation.run(1.0, 1.0), simulation.run(1.0, 1.0)].map(|mut report| {
        for round in report.modes.iter_mut().flat_map(|mode| &mut mode.rounds) {
            round.commands[2].service.p50_ns = None;
        }
        report
    });
    let [base, candidate] = reports.map(|report| vec![report]);
    let found = compared(&[side("a", base), side("b", candidate)]);
    assert_eq!(found.outcome, NoDifference);
    let rare = found.warnings.iter().find(|warning| warning.what.contains("Too rare")).unwrap();
    assert!(rare.what.contains("events (durability off), events (durability on)"), "{}", rare.what);
}

#[test]
fn too_few_runs_are_not_blamed_on_the_commands() {
    let mut simulation = Simulation::new(QUIET, 1);
    let mut build = |name, runs| side(name, (0..runs).map(|_| simulation.run(1.0, 1.0)).collect());
    let found = compared(&[build("a", 3), build("b", 3)]);
    let has = |found: &Comparison, what: &str| found.warnings.iter().any(|warning| warning.what.contains(what));
    assert!(has(&found, "Only 3 runs on a side: 4 are needed on each"), "{:?}", found.warnings);
    assert!(!has(&found, "Too rare"), "{:?}", found.warnings);
    let enough = compared(&[build("a", 4), build("b", 4)]);
    assert!(!has(&enough, "on a side"), "{:?}", enough.warnings);
}

#[test]
fn builds_are_named_by_their_commits_and_one_commit_on_both_sides_is_a_warning() {
    let mut simulation = Simulation::new(QUIET, 61);
    let mut run = |commit: &str| {
        let mut report = simulation.run(1.0, 1.0);
        report.reproduce.commit = Some(commit.to_owned());
        report
    };
    let (one, other) = ("1a2b3c4d5e6f7a8b", "9f8e7d6c5b4a3928");
    let has = |found: &Comparison, what: &str| found.warnings.iter().any(|warning| warning.what.contains(what));
    let found = compared(&[side("a", vec![run(one)]), side("b", vec![run(other)])]);
    assert!(!has(&found, "one commit") && !has(&found, "builds:"), "{:?}", found.warnings);
    assert_eq!(found.candidates[0].side.reports[0].commit.as_deref(), Some(other));
    let markdown = ave_workbench::render::comparison(&found).markdown;
    assert!(markdown.contains("Base 0.4.1 (1a2b3c4d5e6f), candidate 0.4.1 (9f8e7d6c5b4a)."), "{markdown}");
    let found = compared(&[side("a", vec![run(one)]), side("b", vec![run(one)])]);
    assert!(has(&found, "The base and b are builds of one commit, 1a2b3c4d5e6f."), "{:?}", found.warnings);
    // Sources with changes may differ.
    let dirty = format!("{one}-dirty");
    let found = compared(&[side("a", vec![run(&dirty)]), side("b", vec![run(&dirty)])]);
    assert!(!has(&found, "one commit"), "{:?}", found.warnings);
    let found = compared(&[side("a", vec![run(one), run(one)]), side("b", vec![run(one), run(other)])]);
    assert!(has(&found, "The reports of b are of 2 builds: 0.4.1 (1a2b3c4d5e6f), 0.4.1 (9f8e7d6c5b4a)."));
}

#[test]
fn a_build_that_loses_data_fails_however_fast_it_is() {
    let lost: [fn(&mut Report); 3] = [
        |report| report.modes[0].verification.differences.push("an event is missing".to_owned()),
        |report| {
            let cut = CrashVerification { differences: vec!["an event is missing".to_owned()], ..Default::default() };
            report.modes[1].verification.power_cut = Some(cut);
        },
        |report| report.verdict.reasons.push(Reason { kind: ReasonKind::DataLoss, text: String::new() }),
    ];
    for (number, change) in (0..).zip(lost) {
        let [base, mut candidate] = Simulation::new(QUIET, number).reports(SAME, 4);
        change(&mut candidate[2]);
        change(&mut candidate[3]);
        let found = compared(&[side("base", base), side("candidate", candidate)]);
        assert_eq!(found.outcome, DataLoss);
        let first = "Acknowledged data were lost or altered in candidate/3 and in 1 further report. None of ";
        assert!(found.sentence.starts_with(first), "{}", found.sentence);
    }
}
