//! Plans of machines with prices: which one is measured, and which one is recommended.

use ave_workbench::catalogue::Catalogue;
use ave_workbench::load::{Control, JobContext, Load};
use ave_workbench::plan::{Demand, PlanOutcome, PlanSpec, search_machines};
use ave_workbench::process::ProcessError;

use super::planning::{Mortal, planned_on, spec};
use crate::load::known_latency::appends;

/// A plan of these machines for 500 commands/s, each of which takes a millisecond; a machine needs so many MiB.
fn planned(csv: &str, needs_mb: u64) -> PlanOutcome {
    planned_without(&[], csv, needs_mb)
}

/// The same where the workload fills the disks of these machines before the horizon.
fn planned_without(short_of_disk: &[&str], csv: &str, needs_mb: u64) -> PlanOutcome {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("machines.csv");
    std::fs::write(&path, csv).unwrap();
    let catalogue = Catalogue::read(&path).unwrap();
    let machines = catalogue.machines.iter().map(|one| one.machine.clone()).collect();
    let short_of_disk = short_of_disk.iter().map(|&name| name.to_owned()).collect();
    let spec = PlanSpec { machines, catalogue: Some(catalogue), short_of_disk, ..spec(500.0, "p99=10ms") };
    let ask = |testbed: &dyn ave_workbench::process::Testbed| -> Result<PlanOutcome, ProcessError> {
        let mut mortal = Mortal::new(testbed, |_| 0);
        mortal.least_mb = needs_mb;
        search_machines(&mortal, &appends(3), &spec, JobContext::silent(&Control::default()))
    };
    planned_on(&spec, ask).unwrap()
}

fn names(outcome: &PlanOutcome) -> (Vec<String>, Option<String>) {
    let mode = &outcome.modes[0];
    let searched = mode.searched.iter().map(|findings| findings.machine.name.clone()).collect();
    (searched, mode.recommended().map(|verdict| verdict.machine.name.clone()))
}

const HEADER: &str = "name,vcpus,memory,price_per_month,currency,price_date\n";

fn priced(rows: &[(&str, &str, &str, f64)]) -> String {
    let row = |(name, vcpus, memory, price): &(&str, &str, &str, f64)| {
        format!("{name},{vcpus},{memory},{price},EUR,2026-11-28\n")
    };
    HEADER.to_owned() + &rows.iter().map(row).collect::<String>()
}

#[test]
fn the_cheapest_machine_that_sustains_the_rate_is_recommended() {
    let machines = [
        ("small", "1", "512 MiB", 9.0),
        ("offer", "2", "2", 4.0),
        ("little", "1", "128 MiB", 2.0),
        ("huge", "2", "4", 30.0),
    ];
    let (searched, recommended) = names(&planned(&priced(&machines), 300));
    assert_eq!(recommended.as_deref(), Some("offer"));
    assert!(searched.contains(&"little".to_owned()), "the cheapest is tried first: {searched:?}");
}

#[test]
fn machines_of_one_size_are_measured_once_and_share_the_evidence() {
    let machines = [("dear", "1", "1", 9.0), ("cheap", "1", "1", 3.0)];
    let outcome = planned(&priced(&machines), 0);
    let (searched, recommended) = names(&outcome);
    assert_eq!((searched, recommended.as_deref()), (vec!["cheap".to_owned()], Some("cheap")));
    let dear = outcome.modes[0].verdicts.iter().find(|verdict| verdict.machine.name == "dear").unwrap();
    assert!(dear.known.holds == Some(true) && dear.known.reason.starts_with("has the size of cheap: "), "{dear:?}");
}

#[test]
fn a_machine_that_fails_rules_out_those_that_are_no_larger() {
    let machines = [
        ("offer", "1", "512 MiB", 1.0),
        ("less", "1", "256 MiB", 2.0),
        ("least", "1", "128 MiB", 3.0),
        ("enough", "2", "1", 5.0),
    ];
    let (searched, recommended) = names(&planned(&priced(&machines), 600));
    assert_eq!((searched, recommended.as_deref()), (vec!["offer".to_owned(), "enough".to_owned()], Some("enough")));
}

#[test]
fn this_host_is_not_the_answer_where_a_catalogue_says_what_can_be_bought() {
    let (searched, recommended) = names(&planned(&priced(&[("least", "1", "128 MiB", 3.0)]), 600));
    assert!(!searched.is_empty());
    assert_eq!(recommended, None);
}

#[test]
fn machines_whose_disk_is_too_small_are_passed_over() {
    let machines =
        [("tiny", "1", "512 MiB", 1.0), ("same", "1", "1", 2.0), ("twin", "1", "1", 3.0), ("huge", "2", "4", 9.0)];
    let searched = |short: &[&str]| names(&planned_without(short, &priced(&machines), 0)).0;
    assert_eq!(searched(&["tiny", "same"]), ["twin"], "of two of one size the one whose disk lasts");
    let all = ["tiny", "same", "twin", "huge"];
    assert_eq!(searched(&all), ["huge"], "what is known of the largest is known of larger ones");
}

#[test]
fn without_prices_the_smallest_machine_is_recommended() {
    let csv = "name,vcpus,memory\nlarge,2,4\nsmall,1,1\nmiddle,2,2\n";
    assert_eq!(names(&planned(csv, 0)).1.as_deref(), Some("small"));
}

#[test]
fn the_machines_of_the_lowest_and_the_highest_target_are_searched_too() {
    let machines = [("a", "1", "128 MiB", 1.0), ("b", "1", "256 MiB", 2.0), ("c", "1", "512 MiB", 3.0)];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("machines.csv");
    std::fs::write(&path, priced(&machines)).unwrap();
    let catalogue = Catalogue::read(&path).unwrap();
    let machines = catalogue.machines.iter().map(|one| one.machine.clone()).collect();
    let demand = Demand { range_per_second: Some([100.0, 480.0]), ..Demand::default() };
    let spec = PlanSpec { machines, catalogue: Some(catalogue), demand, ..spec(300.0, "p99=10ms") };
    // Higher rates need more memory: 125 commands/s are enough for 100, 375 for 300 and 600 for 480.
    let needs_mb = |load: Load| match load {
        Load::Open { per_second, .. } if per_second <= 140.0 => 100,
        Load::Open { per_second, .. } if per_second <= 500.0 => 200,
        _ => 300,
    };
    let ask = |testbed: &dyn ave_workbench::process::Testbed| {
        search_machines(&Mortal::new(testbed, needs_mb), &appends(3), &spec, JobContext::silent(&Control::default()))
    };
    let outcome = planned_on(&spec, ask).unwrap();
    let (searched, recommended) = names(&outcome);
    assert_eq!(searched, ["a", "b", "c"]);
    assert_eq!(recommended.as_deref(), Some("b"));
    let mode = &outcome.modes[0];
    let rate = |place: usize| mode.searched[place].sustained_per_second().unwrap_or(0.0);
    assert!(rate(0) >= 125.0 && rate(1) >= 375.0 && rate(2) >= 600.0, "{} {} {}", rate(0), rate(1), rate(2));
}
