//! What reports answer in words: plans of a backend whose capacity is known, and runs beside neighbours.

use std::time::Duration;

use ave_workbench::actor::Durability;
use ave_workbench::host::{HostProfile, WritebackDelay};
use ave_workbench::load::{Control, JobContext, Load, RocksDbTarget, Source, SystemClock, WarmUp, Writers};
use ave_workbench::plan::{Outlook, PlanSpec, ReportInput, plan_report, search_machines};
use ave_workbench::render::{html, markdown};
use ave_workbench::report::{
    Band, Certainty, CertaintyLevel, Disk, DiskOrigin, End, ForecastInfo, HorizonInfo, HorizonMode, ModelErrorInfo,
    Outcome, ReasonKind, Report, ThroughputBasis, ValidUntil, WorkingSet,
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

const GIB: f64 = 1_073_741_824.0;

/// The same until a horizon at which the database has 100 GiB, of which 2 were measured.
fn until(horizon: impl FnOnce(&mut HorizonInfo)) -> Report {
    let mode = HorizonMode {
        durability: Durability::Off,
        profile: "small".to_owned(),
        block_memory_bytes: GIB,
        disk_read_seconds: None,
        is_bound_by_writes: false,
        points: Vec::new(),
        beyond: Vec::new(),
        error: None,
        periods: Vec::new(),
    };
    let mut info = HorizonInfo {
        days: 365.0,
        on: Some("2027-11-29".to_owned()),
        database_bytes: Band { expected: 100.0 * GIB, low: 90.0 * GIB, high: 110.0 * GIB },
        measured_bytes: 2.0 * GIB,
        measured_grown_events_count: 1_000_000,
        written_now_bytes_per_command: 1.0,
        written_then_bytes_per_command: 1.0,
        working_set: WorkingSet::Growing,
        knee_bytes: None,
        modes: vec![mode],
    };
    horizon(&mut info);
    let valid_until = ValidUntil { days: 20.0, on: Some("2026-12-19".to_owned()), end: End::Disk };
    let outlook = Outlook { horizon: info, valid_until };
    answered_until(&spec(100.0, "p99=10ms"), 1_500, None, Some(outlook))
}

fn answered_with(spec: &PlanSpec, needs_mb: u64, forecast: Option<ForecastInfo>) -> Report {
    answered_until(spec, needs_mb, forecast, None)
}

fn answered_until(spec: &PlanSpec, needs_mb: u64, forecast: Option<ForecastInfo>, outlook: Option<Outlook>) -> Report {
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
    let disk = Disk { bytes: DISK_BYTES, origin: DiskOrigin::Host };
    let input = ReportInput {
        source: &source,
        spec,
        outcome: &outcome,
        emulation: "",
        unsynced: &unsynced,
        disk,
        forecast,
        outlook,
        growth: None,
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
    assert!(speaks_of(&report, "held 4 of 4 in loads of "));
}

#[test]
fn both_modes_on_one_machine_are_one_recommendation() {
    let spec = PlanSpec { durabilities: vec![Durability::Off, Durability::On], ..spec(100.0, "p99=10ms") };
    let report = answered(&spec, 0);
    assert!(report.verdict.sentence.ends_with("with durability on and off."), "{}", report.verdict.sentence);
}

#[test]
fn a_narrow_margin_lowers_the_certainty() {
    // 325 commands/s are needed, and queueing theory allows 463, of which 90 % count.
    let report = answered(&spec(260.0, "p99=4ms"), 0);
    assert_eq!(report.verdict.outcome, Outcome::Pass, "{}", report.verdict.sentence);
    assert_eq!(certainty(&report).level, CertaintyLevel::Moderate, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "above the required one"));
}

#[test]
fn a_plan_without_a_margin_never_passes() {
    // The required rate is the highest that is sustained.
    let report = answered(&spec(314.0, "p99=4ms"), 0);
    let plan = report.plan.as_ref().unwrap();
    let margin = plan.capacities[0].sustained_per_second.unwrap() / plan.required_per_second;
    assert!((1.0 - 1e-9..1.02).contains(&margin), "{margin}");
    assert_eq!(report.verdict.outcome, Outcome::Inconclusive, "{}", report.verdict.sentence);
    assert!(report.verdict.reasons.iter().any(|reason| reason.text.contains("the margin is 0 %")));
}

#[test]
fn what_ends_first_is_in_the_first_sentence() {
    let report = until(|_| {});
    let sentence = &report.verdict.sentence;
    assert!(sentence.ends_with(", valid until 2026-12-19, when the disk is full."), "{sentence}");
}

#[test]
fn rates_on_larger_databases_than_measured_are_as_sure_as_the_model_was_right() {
    let level = |report: &Report| certainty(report).level;
    let off_by = |rate_percent, response_percent| {
        until(|horizon| horizon.modes[0].error = Some(ModelErrorInfo { rate_percent, response_percent }))
    };
    let unchecked = until(|_| {});
    assert_eq!(level(&unchecked), CertaintyLevel::Moderate);
    assert!(speaks_of(&unchecked, "the model was not checked at another size"), "{:?}", certainty(&unchecked).because);
    assert!(markdown(&unchecked).contains("a database larger than 2 GiB, whose rates are modelled"));
    assert_eq!(level(&off_by(-14.0, Some(20.0))), CertaintyLevel::High);
    assert_eq!(level(&off_by(16.0, Some(20.0))), CertaintyLevel::Moderate);
    assert_eq!(level(&off_by(3.0, Some(-26.0))), CertaintyLevel::Moderate);
    assert_eq!(level(&off_by(3.0, None)), CertaintyLevel::Moderate);
}

#[test]
fn a_database_of_which_the_same_is_read_however_large_needs_no_model() {
    let report = until(|horizon| horizon.working_set = WorkingSet::Bounded);
    assert_eq!(certainty(&report).level, CertaintyLevel::High, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "What commands read does not grow with the database"));
}

#[test]
fn reads_that_are_known_for_one_size_lower_the_certainty() {
    let report = until(|horizon| horizon.working_set = WorkingSet::Unknown);
    assert_eq!(certainty(&report).level, CertaintyLevel::Moderate, "{:?}", certainty(&report).because);
    assert!(speaks_of(&report, "a trace has one size"));
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
    assert!(html(&report).contains("is full on 2027-03-01"));
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
    let [low, high] = throughput.kept_band_percent.expect("both modes missed the objective at a higher rate");
    let is_all = |percent: f64| percent >= 100.0;
    assert!(low < throughput.kept_percent, "{throughput:?}");
    assert!(throughput.kept_percent < high || is_all(throughput.kept_percent) && is_all(high), "{throughput:?}");
    let band = [low, high].map(ave_workbench::units::percent).join(" to ");
    assert!(markdown(&report).contains(&format!("**{kept}** ({band}) of the throughput")));
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
        writers: Writers::both(1),
        rounds: 1,
        warmup: WarmUp::Fixed(Duration::from_millis(20)),
        measure: Some(Duration::from_millis(300)),
        durabilities: vec![Durability::Off],
        verify: false,
        kills: 0,
        power_cuts: 0,
        start_at: None,
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
