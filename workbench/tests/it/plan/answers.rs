//! What reports answer in words: plans of a backend whose capacity is known, and runs beside neighbours.

use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::host::{HostProfile, UnsyncedAge};
use ave_workbench::load::{Control, JobContext, Load, RocksDbTarget, Source, SystemClock, WarmUp};
use ave_workbench::plan::{PlanFacts, PlanSpec, plan, plan_report};
use ave_workbench::render::markdown;
use ave_workbench::report::{Band, Certainty, CertaintyLevel, ForecastInfo, Outcome, Report};
use ave_workbench::run::{RunSpec, run, run_report};

use crate::load::known_latency::appends;
use crate::plan::planning::{Mortal, planned_on, spec};
use crate::support::reporting::{SMALL, context};
use crate::support::{sample, workload};

/// The report of a plan on machines that have the memory the load needs, or that die of it.
fn answered(spec: &PlanSpec, needs_mb: u64) -> Report {
    answered_with(spec, needs_mb, None)
}

/// The same of a database that grows by so many bytes per day.
fn growing(bytes_per_day: f64) -> Report {
    let mut forecast = sample::plan().plan.and_then(|plan| plan.forecast).expect("the sample has one");
    forecast.growth_per_day_bytes = Band { expected: bytes_per_day, low: bytes_per_day, high: bytes_per_day };
    answered_with(&spec(100.0, "p99=10ms"), 1_500, Some(forecast))
}

fn answered_with(spec: &PlanSpec, needs_mb: u64, forecast: Option<ForecastInfo>) -> Report {
    let source = appends(3);
    let outcome = planned_on(spec, |testbed| {
        let mut mortal = Mortal::new(testbed, |_| 0);
        mortal.least_mb = needs_mb;
        plan(&mortal, &source, spec, JobContext::silent(&Control::default())).unwrap()
    });
    let directory = tempfile::tempdir().unwrap();
    let host = HostProfile::detect(directory.path());
    let context = context(&source, &host, directory.path());
    let unsynced = UnsyncedAge { seconds: 35.0, source: "this kernel".to_owned() };
    plan_report(&context, spec, &PlanFacts { emulation: String::new(), unsynced, forecast }, &outcome, None)
}

fn certainty(report: &Report) -> &Certainty {
    report.verdict.certainty.as_ref().expect("a plan says how sure it is")
}

fn speaks_of(report: &Report, what: &str) -> bool {
    certainty(report).because.iter().any(|ground| ground.contains(what))
}

#[test]
fn the_verdict_names_the_machine_its_size_and_what_it_holds() {
    let report = answered(&spec(100.0, "p99=10ms"), 1_500);
    assert_eq!(
        report.verdict.sentence,
        "Take small (2 cores, 2 GiB RAM): with durability off it holds 100 commands/s of the workload small, with 99 % of persist \
         answered within 10 ms and 20 % of the capacity free."
    );
    assert_eq!(certainty(&report).level, CertaintyLevel::High, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "was emulated here within its cores and its memory"));
    assert!(speaks_of(&report, "125 commands/s (the target with its headroom), was tried 2 times"));
}

#[test]
fn both_modes_on_one_machine_are_one_answer() {
    let spec = PlanSpec { durabilities: vec![Durability::Off, Durability::On], ..spec(100.0, "p99=10ms") };
    let report = answered(&spec, 0);
    assert!(
        report.verdict.sentence.ends_with("whether or not every write waits for the disk."),
        "{}",
        report.verdict.sentence
    );
}

#[test]
fn a_rate_that_holds_with_little_to_spare_is_less_sure() {
    // 375 commands/s are needed, and queueing theory allows 463.
    let report = answered(&spec(300.0, "p99=4ms"), 0);
    assert_eq!(report.verdict.outcome, Outcome::Pass, "{}", report.verdict.sentence);
    assert_eq!(certainty(&report).level, CertaintyLevel::Moderate, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "above the rate needed"));
}

#[test]
fn a_database_that_soon_outgrows_the_memory_it_was_measured_in_is_less_sure() {
    const GIB: f64 = 1_073_741_824.0;
    let soon = growing(4.0 * GIB);
    assert_eq!(certainty(&soon).level, CertaintyLevel::Moderate, "{:?}", certainty(&soon).because);
    let first = &certainty(&soon).because[0];
    assert!(
        first.contains("the database outgrows the memory of small after about 12 h"),
        "what is against it leads: {first}"
    );
    assert!(markdown(&soon).contains("which at the target is after about 12 h"));
    let late = growing(0.04 * GIB);
    assert_eq!(certainty(&late).level, CertaintyLevel::High, "{:?}", certainty(&late).because);
}

#[test]
fn that_nothing_holds_a_target_far_beyond_is_sure() {
    let report = answered(&spec(2_000.0, "p99=10ms"), 0);
    assert_eq!(report.verdict.outcome, Outcome::Fail);
    assert!(
        report
            .verdict
            .sentence
            .contains("none of the machines tried is shown to hold 2,000 commands/s of the workload small")
    );
    assert_eq!(certainty(&report).level, CertaintyLevel::High, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "of the rate needed"));
}

#[test]
fn a_machine_that_was_searched_shows_what_users_wait_on_it_and_what_the_process_took() {
    let report = answered(&spec(100.0, "p99=10ms"), 1_500);
    let profiles = &report.plan.as_ref().unwrap().profiles;
    let small = profiles.iter().find(|known| known.profile == "small").unwrap();
    let latency = small.modes[0].latency.unwrap();
    assert!((latency.per_second - 100.0).abs() < 1e-9, "the recommended machine was measured at the target");
    assert!(small.modes[0].process_peak_bytes.is_some());
    let nano = profiles.iter().find(|known| known.profile == "nano").unwrap();
    assert_eq!(nano.modes[0].latency, None, "no rate held on a machine that died");
}

/// The report of a run beside other processes that kept so many cores busy.
fn beside_others(foreign_cores: f64) -> Report {
    let source = Source::Workload(workload(5, "mode = 'light'\n[commands]\npersist = 1"));
    let directory = tempfile::tempdir().unwrap();
    let spec = RunSpec {
        load: Load::Closed,
        workers: 1,
        rounds: 1,
        warmup: WarmUp::Fixed(Duration::from_millis(20)),
        measure: Some(Duration::from_millis(300)),
        durabilities: vec![Durability::Off],
        verify: false,
        kills: 0,
    };
    let target = RocksDbTarget::new(SMALL);
    let mut outcome =
        run(&target, &source, &spec, directory.path(), &SystemClock::new(), JobContext::silent(&Control::default()))
            .unwrap();
    for round in outcome.modes.iter_mut().flat_map(|mode| &mut mode.rounds) {
        (round.usage.foreign_cores, round.usage.steal_percent) = (Some(foreign_cores), Some(0.0));
    }
    let host = HostProfile::detect(directory.path());
    run_report(&context(&source, &host, directory.path()), &spec, &outcome, None)
}

#[test]
fn nobody_is_sure_of_an_answer_that_is_none() {
    let report = beside_others(1_000.0);
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{}", report.verdict.sentence);
    assert_eq!(certainty(&report).level, CertaintyLevel::Low, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "carries no answer"));
    let calm = beside_others(0.0);
    assert_ne!(certainty(&calm).level, CertaintyLevel::Low, "{:?}", certainty(&calm).because);
}
