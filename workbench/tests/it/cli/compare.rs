//! `compare`: exit codes, files, and a backend made slower.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager, State};
use ave_workbench::actor::Durability;
use ave_workbench::compare::{BuildReports, CompareSettings, Comparison, ComparisonOutcome, Metric, compare};
use ave_workbench::host::HostProfile;
use ave_workbench::load::{Control, JobContext, Load, RocksDbTarget, Source, SystemClock, Target, WarmUp, Writers};
use ave_workbench::report::{ComparisonContext, Context, Report};
use ave_workbench::run::{RunSpec, run, run_report};
use tempfile::tempdir;

use super::program::{FAILED, INCONCLUSIVE, MISSED, PASS, Place, USAGE, json};
use crate::compare::comparing::{QUIET, Simulation};
use crate::support::reporting::{SMALL, context};
use crate::support::skip::skipped;
use crate::support::workload;

impl Place {
    /// Writes a report where a run would have left it.
    pub(super) fn report_at(&self, directory: &str, report: &Report) {
        fs::create_dir_all(self.path(directory)).unwrap();
        self.write(&format!("{directory}/report.json"), serde_json::to_string(report).unwrap());
    }
}

/// A base, a run of the same build, one that is half as slow again, and one on a machine with neighbours.
fn with_reports() -> Place {
    let place = Place::new();
    let mut simulation = Simulation::new(QUIET, 2);
    for (directory, factor) in [("base", 1.0), ("same", 1.0), ("slow", 1.5), ("disturbed", 1.5)] {
        let mut report = simulation.run(factor, 1.0);
        for round in report.modes.iter_mut().flat_map(|mode| &mut mode.rounds).filter(|_| directory == "disturbed") {
            round.foreign_cores = Some(1.5);
        }
        place.report_at(directory, &report);
    }
    place
}

#[test]
fn the_exit_code_is_the_outcome() {
    let place = with_reports();
    for (words, code, outcome) in [
        ("compare base same", PASS, "no_difference"),
        ("compare base slow", MISSED, "regression"),
        ("compare base/report.json slow/report.json", MISSED, "regression"),
        ("compare base disturbed", INCONCLUSIVE, "undecided"),
        ("compare base same slow", MISSED, "regression"),
        ("compare slow base", PASS, "improvement"),
        ("compare base slow --threshold 80%", PASS, "no_difference"),
        ("compare base same --threshold 0.1% --rule-out 0.1%", INCONCLUSIVE, "undecided"),
    ] {
        let compared = place.run(&format!("{words} --json"));
        assert_eq!(compared.code, code, "{words}: {}{}", compared.stdout, compared.stderr);
        let comparison = json(&compared.stdout);
        assert_eq!(comparison["outcome"], outcome, "{words}");
        let printed = place.run(words).stdout;
        let sentence: Vec<_> = comparison["sentence"].as_str().unwrap().split_whitespace().collect();
        for part in [&sentence.join(" "), "comparison.html", "persist p50"] {
            assert!(printed.contains(part), "{words}: `{part}` is missing: {printed}");
        }
    }
}

#[test]
fn quiet_prints_nothing_and_json_is_the_file_and_follows_its_schema() {
    let place = with_reports();
    let ended = place.run("compare base slow --quiet -o quiet");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (MISSED, "", ""));
    let ended = place.run("compare base slow --json -o out");
    let comparison = json(&ended.stdout);
    assert_eq!(comparison, json(&fs::read_to_string(place.path("out/comparison.json")).unwrap()));
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/comparison.schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &comparison).unwrap();
    for file in ["comparison.html", "comparison.md"] {
        let text = fs::read_to_string(place.path("out").join(file)).unwrap();
        assert!(text.contains("The candidate is slower"), "{file}");
    }
}

#[test]
fn a_directory_of_reports_is_one_build() {
    let place = Place::new();
    let mut simulation = Simulation::new(QUIET, 4);
    for number in 0..4 {
        place.report_at(&format!("base/{number}"), &simulation.run(1.0, 1.0));
        place.report_at(&format!("slow/{number}"), &simulation.run(1.5, 1.0));
    }
    place.report_at("slow/.unfinished", &simulation.run(9.0, 1.0));
    let ended = place.run("compare base slow --json -o out");
    assert_eq!(ended.code, MISSED, "{}{}", ended.stdout, ended.stderr);
    let candidate = &json(&ended.stdout)["candidates"][0];
    assert_eq!(candidate["side"]["reports"].as_array().unwrap().len(), 4);
    assert_eq!(candidate["samples"], "runs_in_turns");
}

#[test]
fn a_build_may_be_one_report_from_standard_input_or_a_pipe() {
    let place = with_reports();
    let named = json(&place.run("compare base slow --json -o named").stdout);
    let slow = fs::read(place.path("slow/report.json")).unwrap();
    for ended in [
        place.run_with_input("compare base - --json -o input", &slow),
        place.run_with_pipe("compare base pipe --json -o piped", &slow),
    ] {
        assert_eq!(ended.code, MISSED, "{}{}", ended.stdout, ended.stderr);
        assert_eq!(json(&ended.stdout)["candidates"][0]["rows"], named["candidates"][0]["rows"]);
    }
}

#[test]
fn incomparable_reports_are_refused_and_nothing_is_written() {
    let place = with_reports();
    let mut other = Simulation::new(QUIET, 9).run(1.0, 1.0);
    other.settings.seed = 7;
    other.started_at = "2026-03-01T12:00:00Z".to_owned();
    place.report_at("other", &other);
    for (words, code, parts) in [
        ("compare base", USAGE, &["<CANDIDATE>"][..]),
        ("compare base base", USAGE, &["are the same report"]),
        ("compare base other", USAGE, &["settings.seed is 42 in the first and 7 in the second"]),
        ("compare base same --threshold much", USAGE, &["'much' for '--threshold", "`5%`"]),
        ("compare base same --threshold 0", USAGE, &["a threshold of 0 %", "more than 0 %"]),
        ("compare base same --threshold -5%", USAGE, &["a threshold of -5 %"]),
        ("compare base same --rule-out 4%", USAGE, &["4 % to rule out", "at least the threshold, 5 %"]),
        ("compare base same --rule-out much", USAGE, &["'much' for '--rule-out", "`5%`"]),
        ("compare base same --confidence 100%", USAGE, &["a confidence of 100 %"]),
        ("compare base nowhere", FAILED, &["nowhere"]),
        ("compare base tiny.toml", FAILED, &["tiny.toml", "not a report"]),
        ("compare base same -o slow", FAILED, &["slow is there already"]),
    ] {
        place.run(words).refused(code, parts);
        place.holds_only(&["base", "disturbed", "other", "same", "slow"]);
    }
    fs::create_dir(place.path("empty")).unwrap();
    place.run("compare base empty").refused(FAILED, &["there is no report in empty", "directory with the reports"]);
}

#[test]
fn runs_of_this_build_can_be_compared() {
    let place = Place::new();
    for _ in 0..2 {
        let ended =
            place.run("run tiny.toml --measure 100ms --warmup 0s --rounds 4 --writers 1 --durability off --no-verify");
        assert!(matches!(ended.code, PASS | INCONCLUSIVE), "{}", ended.stderr);
    }
    let reports = place.reports();
    let words = format!("compare {} {} --json -o out", reports[0].display(), reports[1].display());
    let ended = place.run(&words);
    let comparison = json(&ended.stdout);
    let expected = match comparison["outcome"].as_str().unwrap() {
        "no_difference" | "improvement" | "no_regression" => PASS,
        "regression" => MISSED,
        _ => INCONCLUSIVE,
    };
    assert_eq!(ended.code, expected, "{}", ended.stderr);
    let machine = comparison["candidates"][0]["machine"].as_array().unwrap();
    assert!(machine.iter().any(|row| row["figure"] == "compute_p50"), "the reference work was measured: {machine:?}");
}

/// The backend, each of whose operations takes `share` of its own time longer.
struct Slowed {
    backend: RocksDbTarget,
    share: f64,
}

#[derive(Clone)]
struct SlowedManager {
    manager: RocksDbManager,
    share: f64,
}

struct SlowedStore {
    store: RocksDbStore,
    share: f64,
}

impl Target for Slowed {
    type Collection = SlowedStore;
    type State = SlowedStore;
    type Manager = SlowedManager;

    fn open(&self, directory: &Path, durability: Durability) -> Result<SlowedManager, Error> {
        Ok(SlowedManager { manager: self.backend.open(directory, durability)?, share: self.share })
    }
}

impl DbManager<SlowedStore, SlowedStore> for SlowedManager {
    fn create_collection(&self, name: &str, prefix: &str) -> Result<SlowedStore, Error> {
        Ok(SlowedStore { store: self.manager.create_collection(name, prefix)?, share: self.share })
    }

    fn create_state(&self, name: &str, prefix: &str) -> Result<SlowedStore, Error> {
        Ok(SlowedStore { store: self.manager.create_state(name, prefix)?, share: self.share })
    }

    fn stop(&mut self) -> Result<(), Error> {
        self.manager.stop()
    }
}

/// Does something, and then nothing for so much of the time it took.
fn slowed<V>(share: f64, operation: impl FnOnce() -> V) -> V {
    let began = Instant::now();
    let value = operation();
    let took = began.elapsed().mul_f64(1.0 + share);
    while began.elapsed() < took {
        std::hint::spin_loop();
    }
    value
}

impl Collection for SlowedStore {
    fn name(&self) -> &str {
        Collection::name(&self.store)
    }

    fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        slowed(self.share, || Collection::get(&self.store, key))
    }

    fn put(&mut self, key: &str, data: &[u8]) -> Result<(), Error> {
        slowed(self.share, || Collection::put(&mut self.store, key, data))
    }

    fn del(&mut self, key: &str) -> Result<(), Error> {
        slowed(self.share, || Collection::del(&mut self.store, key))
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        slowed(self.share, || self.store.last())
    }

    fn purge(&mut self) -> Result<(), Error> {
        Collection::purge(&mut self.store)
    }

    fn iter(&self, reverse: bool) -> Result<CollectionIter<'_>, Error> {
        self.store.iter(reverse)
    }
}

impl State for SlowedStore {
    fn name(&self) -> &str {
        State::name(&self.store)
    }

    fn get(&self) -> Result<Vec<u8>, Error> {
        slowed(self.share, || State::get(&self.store))
    }

    fn put(&mut self, data: &[u8]) -> Result<(), Error> {
        slowed(self.share, || State::put(&mut self.store, data))
    }

    fn del(&mut self) -> Result<(), Error> {
        State::del(&mut self.store)
    }

    fn purge(&mut self) -> Result<(), Error> {
        State::purge(&mut self.store)
    }
}

/// The report of a run against the backend made slower.
fn measured(source: &Source, share: f64, started_at: &str) -> Report {
    let directory = tempdir().unwrap();
    let spec = RunSpec {
        load: Load::Closed,
        writers: Writers::both(1),
        rounds: 3,
        warmup: WarmUp::Fixed(Duration::from_millis(20)),
        measure: Some(Duration::from_millis(100)),
        durabilities: vec![Durability::Off],
        verify: false,
        kills: 0,
        power_cuts: 0,
        start_at: None,
    };
    let target = Slowed { backend: RocksDbTarget::new(SMALL), share };
    let outcome =
        run(&target, source, &spec, directory.path(), &SystemClock::new(), JobContext::silent(&Control::default()))
            .unwrap();
    let host = HostProfile::detect(directory.path());
    let context = Context { started_at: started_at.to_owned(), ..context(source, &host, directory.path()) };
    run_report(&context, &spec, &outcome, None)
}

/// Four runs of each, in turns.
fn measured_comparison(source: &Source, share: f64) -> Comparison {
    let (mut base, mut candidate) = (Vec::new(), Vec::new());
    for turn in 0..4 {
        for (reports, share, second) in [(&mut base, 0.0, 0), (&mut candidate, share, 30)] {
            let report = measured(source, share, &format!("2026-01-01T00:0{turn}:{second:02}Z"));
            reports.push((PathBuf::from(format!("{share}/{turn}")), report));
        }
    }
    let [base, candidate] =
        [("base", base), ("candidate", candidate)].map(|(name, reports)| BuildReports::new(Path::new(name), reports));
    let context = ComparisonContext { compared_at: "2026-01-02T00:00:00Z".to_owned(), command: String::new() };
    compare(&base, &[candidate], CompareSettings::default(), &context).unwrap()
}

/// No other load makes the median four times as long in every turn. On a busy host the outcome may be undecided.
#[test]
fn a_backend_that_takes_four_times_as_long_is_found() {
    let source = Source::Workload(workload(5, "mode = 'light'\n[commands]\npersist = 1"));
    for _ in 0..3 {
        let found = measured_comparison(&source, 3.0);
        let persist = found.candidates[0].rows.iter().find(|row| row.metric == Metric::ServiceP50).unwrap();
        assert!(persist.slower_percent > 50.0, "{found:#?}");
        if found.outcome == ComparisonOutcome::Regression {
            return;
        }
        assert_eq!(found.outcome, ComparisonOutcome::Undecided, "{found:#?}");
    }
    skipped(a_backend_that_takes_four_times_as_long_is_found, "the host is busy: the outcome was undecided");
}
