//! What reports answer in words: plans of a backend whose capacity is known, and runs beside neighbours.

use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::host::{HostProfile, WritebackDelay};
use ave_workbench::load::{Control, JobContext, Load, RocksDbTarget, Source, SystemClock, WarmUp};
use ave_workbench::plan::{PlanSpec, ReportInput, plan_report, search_machines};
use ave_workbench::render::{html, markdown};
use ave_workbench::report::{
    Band, Certainty, CertaintyLevel, ForecastInfo, Outcome, ReasonKind, Report, ThroughputBasis,
};
use ave_workbench::run::{RunSpec, run, run_report};

use crate::load::known_latency::appends;
use crate::plan::planning::{Mortal, planned_on, spec};
use crate::support::reporting::{SMALL, context};
use crate::support::{sample, workload};

/// Not the free space of any host.
const DISK_BYTES: u64 = 123_456_789_000;
/// The scripted backend stores nothing.
const BYTES_PER_COMMAND: u64 = 100;

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
    let mut outcome = planned_on(spec, |testbed| {
        let mut mortal = Mortal::new(testbed, |_| 0);
        mortal.least_mb = needs_mb;
        search_machines(&mortal, &source, spec, JobContext::silent(&Control::default())).unwrap()
    });
    let searched = outcome.modes.iter_mut().flat_map(|mode| &mut mode.searched);
    for finished in searched.filter_map(|findings| findings.finished.as_mut()) {
        finished.size.database_bytes = finished.database_bytes_before + BYTES_PER_COMMAND * finished.commands;
    }
    let directory = tempfile::tempdir().unwrap();
    let host = HostProfile::detect(directory.path());
    let context = context(&source, &host, directory.path());
    let unsynced = WritebackDelay { seconds: 35.0, source: "this kernel".to_owned() };
    let disk_bytes = DISK_BYTES;
    let input = ReportInput {
        source: &source,
        spec,
        outcome: &outcome,
        emulation: "",
        unsynced: &unsynced,
        disk_bytes,
        forecast,
    };
    plan_report(&context, &input, None)
}

fn certainty(report: &Report) -> &Certainty {
    report.verdict.certainty.as_ref().expect("a plan says how sure it is")
}

fn speaks_of(report: &Report, what: &str) -> bool {
    certainty(report).because.iter().any(|ground| ground.contains(what))
}

#[test]
fn the_verdict_names_the_machine_its_size_and_the_rate() {
    let report = answered(&spec(100.0, "p99=10ms"), 1_500);
    assert_eq!(
        report.verdict.sentence,
        "Take small (2 cores, 2 GiB RAM): with durability off it sustains 100 commands/s of the workload small, with 99 % of persist \
         answered within 10 ms and 20 % of the capacity free."
    );
    assert_eq!(certainty(&report).level, CertaintyLevel::High, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "was emulated here under its CPU and memory limits"));
    assert!(speaks_of(&report, "held 4 of 4 on new databases, after the search"));
}

#[test]
fn both_modes_on_one_machine_are_one_recommendation() {
    let spec = PlanSpec { durabilities: vec![Durability::Off, Durability::On], ..spec(100.0, "p99=10ms") };
    let report = answered(&spec, 0);
    assert!(report.verdict.sentence.ends_with("with durability on and off."), "{}", report.verdict.sentence);
}

#[test]
fn a_narrow_margin_lowers_the_certainty() {
    // 375 commands/s are needed, and queueing theory allows 463.
    let report = answered(&spec(300.0, "p99=4ms"), 0);
    assert_eq!(report.verdict.outcome, Outcome::Pass, "{}", report.verdict.sentence);
    assert_eq!(certainty(&report).level, CertaintyLevel::Moderate, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "above the required one"));
}

#[test]
fn a_database_that_soon_outgrows_the_memory_lowers_the_certainty() {
    const GIB: f64 = 1_073_741_824.0;
    let soon = growing(4.0 * GIB);
    assert_eq!(certainty(&soon).level, CertaintyLevel::Moderate, "{:?}", certainty(&soon).because);
    let first = &certainty(&soon).because[0];
    assert!(
        first.contains("the database outgrows the memory of small after about 12 h"),
        "what is against it leads: {first}"
    );
    assert!(markdown(&soon).contains("which at the target it is after about 12 h"));
    let late = growing(0.04 * GIB);
    assert_eq!(certainty(&late).level, CertaintyLevel::High, "{:?}", certainty(&late).because);
}

#[test]
fn a_target_far_beyond_every_rate_fails_with_high_certainty() {
    let report = answered(&spec(2_000.0, "p99=10ms"), 0);
    assert_eq!(report.verdict.outcome, Outcome::Fail);
    assert!(
        report.verdict.sentence.contains("no machine that was tried sustains 2,000 commands/s of the workload small")
    );
    assert_eq!(certainty(&report).level, CertaintyLevel::High, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "of the required one"));
}

#[test]
fn a_searched_machine_has_latency_and_process_memory() {
    let report = answered(&spec(100.0, "p99=10ms"), 1_500);
    let profiles = &report.plan.as_ref().unwrap().profiles;
    let small = profiles.iter().find(|known| known.profile == "small").unwrap();
    let latency = small.modes[0].latency.unwrap();
    assert!((latency.per_second - 100.0).abs() < 1e-9, "the recommended machine was measured at the target");
    assert!(small.modes[0].process_peak_bytes.is_some());
    let nano = profiles.iter().find(|known| known.profile == "nano").unwrap();
    assert_eq!(nano.modes[0].latency, None, "no rate held on a machine that died");
}

#[test]
fn the_days_until_the_disk_is_full_are_those_of_the_forecast() {
    let forecast = sample::plan().plan.and_then(|plan| plan.forecast).expect("the sample has one");
    let days = forecast.days_until_disk_full;
    let report = answered_with(&spec(100.0, "p99=10ms"), 1_500, Some(forecast));
    let growth = report.plan.as_ref().unwrap().growth;
    assert_eq!(growth.days_until_disk_full, days);
    assert!(html(&report).contains("is full after 36 d"));
}

#[test]
fn without_a_forecast_the_given_disk_decides_when_it_is_full() {
    let report = answered(&spec(100.0, "p99=10ms"), 1_500);
    let growth = report.plan.as_ref().unwrap().growth;
    assert_eq!(growth.disk_bytes, DISK_BYTES);
    assert!((growth.per_day_bytes - 100.0 * 100.0 * 86_400.0).abs() < 1.0, "{growth:?}");
    let days = growth.days_until_disk_full.unwrap();
    assert!((days * growth.per_day_bytes / DISK_BYTES as f64 - 1.0).abs() < 1e-9, "{growth:?}");
}

#[test]
fn the_price_of_durability_compares_one_machine_in_both_modes() {
    let spec = PlanSpec { durabilities: vec![Durability::Off, Durability::On], ..spec(100.0, "p99=10ms") };
    let report = answered(&spec, 1_500);
    let price = report.durability_price.as_ref().expect("both modes were planned");
    let throughput = price.throughput.as_ref().unwrap();
    assert_eq!((throughput.basis, throughput.machine.as_deref()), (ThroughputBasis::Objective, Some("small")));
    assert!(price.latency.as_ref().unwrap().at_target);
    assert!((price.at_risk.as_ref().unwrap().commands - 3_500.0).abs() < 1e-9);
    let kept = ave_workbench::units::percent(throughput.kept_percent);
    assert!(markdown(&report).contains(&format!("**{kept}** of the throughput")));
    assert_eq!(answered(&PlanSpec { durabilities: vec![Durability::On], ..spec }, 1_500).durability_price, None);
}

#[test]
fn recommendations_and_failures_are_told_apart_by_the_kind_of_their_reason() {
    let kinds = |report: &Report| report.verdict.reasons.iter().map(|reason| reason.kind).collect::<Vec<_>>();
    let found = kinds(&answered(&spec(100.0, "p99=10ms"), 1_500));
    assert!(found.contains(&ReasonKind::Recommendation) && !found.contains(&ReasonKind::NoMachine), "{found:?}");
    let none = kinds(&answered(&spec(2_000.0, "p99=10ms"), 0));
    assert!(none.contains(&ReasonKind::NoMachine) && !none.contains(&ReasonKind::Recommendation), "{none:?}");
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
        power_cuts: 0,
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
fn an_inconclusive_run_has_low_certainty() {
    let report = beside_others(1_000.0);
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{}", report.verdict.sentence);
    assert_eq!(certainty(&report).level, CertaintyLevel::Low, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "supports no answer"));
    let calm = beside_others(0.0);
    assert_ne!(certainty(&calm).level, CertaintyLevel::Low, "{:?}", certainty(&calm).because);
}
