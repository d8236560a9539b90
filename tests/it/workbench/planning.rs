//! A plan of a backend whose capacity is known: an M/D/1 queue on a simulated clock.

use std::time::Duration;

use ave_actors_rocksdb::workbench::actor::{CommandKind, Durability};
use ave_actors_rocksdb::workbench::runner::{Control, RunError, Silent};
use ave_actors_rocksdb::workbench::sizing::{
    Effort, Objective, PlanOutcome, PlanSpec, Rejection, Support, plan, required_rate,
};

use super::known_latency::{MD1, MILLISECOND, Scripted, SimulatedClock, appends};

/// Every command takes a millisecond: a thousand a second is the ceiling.
const CEILING: f64 = 1_000.0;

fn spec(target_per_second: f64, objective: &str) -> PlanSpec {
    PlanSpec {
        target_per_second,
        objective: objective.parse().unwrap(),
        headroom_percent: 20.0,
        workers: 1,
        cores: 2,
        durabilities: vec![Durability::Off],
        // Time costs nothing here, and long probes leave little to chance.
        effort: Effort {
            saturation: Duration::from_secs(5),
            probe: Duration::from_secs(100),
            longest_probe: Duration::from_secs(100),
            warmup: Duration::from_secs(5),
            bisections: 6,
            confirmations: 2,
        },
    }
}

fn planned(spec: &PlanSpec) -> Result<PlanOutcome, RunError> {
    let clock = SimulatedClock::default();
    let directory = tempfile::tempdir().unwrap();
    let target = |_| Scripted::new(&clock, |_| MILLISECOND);
    plan(target, &appends(3), spec, directory.path(), &clock, &Silent, &Control::default())
}

/// The highest load at which an M/D/1 queue keeps its 99th percentile within `services` service times.
fn highest_load(services: f64) -> f64 {
    let (mut low, mut high) = (0.1, 0.99);
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        if MD1::new(middle).sojourn(0.99) <= services { low = middle } else { high = middle }
    }
    low
}

#[test]
fn the_rate_found_is_the_one_queueing_theory_gives() {
    for services in [4.0, 10.0] {
        let outcome = planned(&spec(100.0, &format!("p99={services}ms"))).unwrap();
        let mode = &outcome.modes[0];
        let found = mode.sustained_per_second().unwrap() / CEILING;
        let expected = highest_load(services);
        // A rate must hold twice and may be stepped down once for it: never above, and not far below.
        assert!((0.75..=1.06).contains(&(found / expected)), "{services} ms: load {found}, expected {expected}");
        let ceiling = mode.saturation.measurement.commands_per_second();
        assert!((ceiling / CEILING - 1.0).abs() < 0.001, "ceiling {ceiling}");
    }
}

#[test]
fn the_required_rate_is_tried_first_and_its_drives_are_the_ones_shown() {
    let outcome = planned(&spec(200.0, "p99=10ms")).unwrap();
    let required = required_rate(200.0, 20.0);
    assert!((required - 250.0).abs() < 1e-9 && (outcome.required_per_second - required).abs() < 1e-9);
    let mode = &outcome.modes[0];
    let lowest = mode.lowest_held().unwrap();
    assert!((lowest.rate_per_second - required).abs() < 1e-9);
    assert_eq!(mode.rounds().len(), 2);
    for round in mode.rounds() {
        let response = &round.measurement.command(CommandKind::Persist).unwrap().response;
        let expected = MD1::new(required / CEILING).sojourn(0.99) * MILLISECOND as f64;
        assert!((response.quantile(0.99) as f64 / expected - 1.0).abs() < 0.1);
    }
}

#[test]
fn a_target_beyond_the_ceiling_is_held_by_nothing() {
    let outcome = planned(&spec(2_000.0, "p99=10ms")).unwrap();
    let mode = &outcome.modes[0];
    assert!(!outcome.holds(mode));
    assert_eq!(outcome.recommended(mode), None);
    let beyond = mode.probes.iter().filter(|probe| probe.offered_per_second > CEILING);
    assert!(beyond.clone().count() > 0);
    assert!(beyond.into_iter().all(|probe| probe.rejection == Some(Rejection::FellBehind)));
    let sustained = mode.sustained_per_second().unwrap();
    assert!(sustained < CEILING, "what does hold is told all the same: {sustained}");
}

#[test]
fn an_objective_no_rate_can_meet_is_met_by_none() {
    let outcome = planned(&spec(10.0, "p50=500us")).unwrap();
    let mode = &outcome.modes[0];
    assert!(mode.held.is_empty() && outcome.recommended(mode).is_none());
    assert!(mode.probes.iter().all(|probe| probe.rejection.is_some()));
    assert_eq!(mode.probes.last().unwrap().rejection, Some(Rejection::TooSlow));
}

#[test]
fn no_profile_with_fewer_cores_or_less_memory_is_supported() {
    let outcome = planned(&spec(100.0, "p99=10ms")).unwrap();
    let supported: Vec<_> = outcome.profiles.iter().filter(|verdict| verdict.support != Support::NotMeasured).collect();
    assert!(!supported.is_empty());
    for verdict in supported {
        assert!(verdict.profile.cpu_cores() >= 2);
        assert!(outcome.modes[0].lowest_held().unwrap().footprint.fits(verdict.profile));
    }
}

#[test]
fn one_core_speaks_of_no_profile_and_that_is_said_before_time_is_spent() {
    let refused = planned(&PlanSpec { cores: 1, ..spec(100.0, "p99=10ms") }).unwrap_err();
    assert!(matches!(&refused, RunError::Settings(text) if text.contains("smallest profile has 2")), "{refused}");
    let objective: Objective = "recover:p99=10ms".parse().unwrap();
    let refused = planned(&PlanSpec { objective, ..spec(100.0, "p99=10ms") }).unwrap_err();
    assert!(refused.to_string().contains("never issues"), "{refused}");
}
