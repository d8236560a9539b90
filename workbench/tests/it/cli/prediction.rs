//! `plan --from REPORT --host FILE`: another host, from its profile or from a plan that ran there.

use ave_workbench::host::{DiskProfile, ProcessorProfile};
use ave_workbench::report::{DISK_SCHEMA_VERSION, DiskFile, Report};
use serde_json::Value;

use super::program::{FAILED, INCONCLUSIVE, MISSED, PASS, Place, USAGE};
use crate::support::sample;

/// A plan whose figures are about one machine.
fn plan() -> Report {
    let mut report = sample::plan();
    let plan = report.plan.as_mut().unwrap();
    "small".clone_into(&mut plan.disk.as_mut().unwrap().durable_rates.as_mut().unwrap().machine);
    report
}

/// The profile of a host with faster cores.
fn profile() -> DiskFile {
    let host = plan().host;
    let profile: DiskProfile = host.disk_profile.clone().unwrap();
    let processor = ProcessorProfile { sort_p50_ns: 60_000.0, chase_p50_ns: 30_000.0, ..sample::PROCESSOR };
    let mut host = ave_workbench::report::HostInfo { processor: Some(processor), sync_probe: None, ..host };
    host.disk_profile = None;
    host.disk_free_bytes = 2_000_000_000_000;
    DiskFile {
        schema_version: DISK_SCHEMA_VERSION,
        measured_at: "2026-02-27T08:00:00Z".to_owned(),
        version: plan().reproduce.version,
        host,
        data_directory: "/data".to_owned(),
        profile,
    }
}

fn place() -> Place {
    let place = Place::new();
    place.write("a.json", serde_json::to_string(&plan()).unwrap());
    place.write("b.json", serde_json::to_string(&profile()).unwrap());
    place
}

fn changed(of: &impl serde::Serialize, change: fn(&mut Value)) -> String {
    let mut value = serde_json::to_value(of).unwrap();
    change(&mut value);
    value.to_string()
}

#[test]
fn a_plan_and_a_profile_say_what_another_host_will_sustain() {
    let place = place();
    let ended = place.run("plan --from a.json --host b.json");
    assert!([PASS, MISSED, INCONCLUSIVE].contains(&ended.code), "{}", ended.stderr);
    for part in ["host b", "predicted, off", "predicted, on", "speed of a core × 1.44 (1.33 – 1.5)"] {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
    let report = place.report();
    let (plan, level) = (&report["plan"], &report["verdict"]["certainty"]["level"]);
    assert!(["low", "moderate"].contains(&level.as_str().unwrap()), "{level}");
    let modes = plan["prediction"]["modes"].as_array().unwrap();
    for (mode, known) in modes.iter().zip(plan["profiles"][0]["modes"].as_array().unwrap()) {
        let figure = |name: &str| mode["per_second"][name].as_f64().unwrap();
        assert!(figure("low") < figure("expected") && figure("expected") < figure("high"), "{mode}");
        assert_eq!((&known["evidence"], &mode["check"]), (&"predicted".into(), &Value::Null), "{known}");
    }
    assert_eq!(plan["growth"]["disk_bytes"], 2_000_000_000_000_u64, "the disk is that of the other host");
    assert_eq!(plan["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn a_plan_of_the_other_host_is_compared_with_the_prediction() {
    let place = place();
    let mut there = plan();
    there.started_at = "2026-03-02T09:30:00Z".to_owned();
    there.host.processor = profile().host.processor;
    place.write("there.json", serde_json::to_string(&there).unwrap());
    let ended = place.run("plan --from a.json --host there.json");
    assert!(
        ended.stdout.contains("checked there") && ended.stdout.contains("measured 21,400/s on small"),
        "{}",
        ended.stdout
    );
    let check = &place.report()["plan"]["prediction"]["modes"][0]["check"];
    let figure = |name: &str| check[name].as_f64().unwrap();
    let error = 100.0 * (check["predicted_per_second"]["expected"].as_f64().unwrap() / 21_400.0 - 1.0);
    assert!((figure("error_percent") - error).abs() < 1e-6 && (figure("measured_per_second") - 21_400.0).abs() < 1e-9);
}

#[test]
fn a_profile_without_the_speed_of_its_cores_is_no_answer() {
    let place = place();
    place.write("b.json", changed(&profile(), |file| file["host"]["processor"] = Value::Null));
    let ended = place.run("plan --from a.json --host b.json");
    assert_eq!(ended.code, INCONCLUSIVE, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("not known") && ended.stdout.contains("b.json has no host.processor"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_host_that_is_not_comparable_is_refused_with_file_and_field() {
    let place = place();
    place.write("arm.json", changed(&profile(), |file| file["host"]["architecture"] = "aarch64".into()));
    place.write("old.json", changed(&profile(), |file| file["version"] = "0.3.9".into()));
    place.write("broken.json", "{");
    place.write("new.json", changed(&profile(), |file| file["schema_version"] = 99.into()));
    place.write("run.json", changed(&sample::run(), |run| run["started_at"] = "2026-03-02T09:30:00Z".into()));
    let other = |change: fn(&mut Value)| changed(&plan(), change);
    place.write(
        "other.json",
        other(|plan| {
            plan["started_at"] = "2026-03-02T09:30:00Z".into();
            plan["plan"]["target_per_second"] = 7.into();
        }),
    );
    for (words, code, parts) in [
        ("--host arm.json", USAGE, &["--host arm.json: host.architecture is aarch64, and x86_64 in a.json"][..]),
        ("--host old.json", USAGE, &["--host old.json: version is 0.3.9, and 0.4.1 in a.json"]),
        ("--host broken.json", FAILED, &["broken.json:1:", "not a disk profile"]),
        ("--host new.json", FAILED, &["new.json", "layout 99"]),
        ("--host nonesuch.json", FAILED, &["disk profile nonesuch.json cannot be read"]),
        ("--host run.json", USAGE, &["--host run.json: it is the report of a run"]),
        ("--host other.json", USAGE, &["--host", "plan.target_per_second is 2000 in the first and 7 in the second"]),
        ("--host a.json", USAGE, &["--host", "are the same report"]),
        ("--host b.json --target 5,50,500", USAGE, &["--host: expected one --target"]),
        ("--host b.json --machines cloud", USAGE, &["--host", "--machines"]),
        ("--host b.json --growth 4%/month", USAGE, &["--host", "--growth"]),
    ] {
        place.run(&format!("plan --from a.json {words}")).refused(code, parts);
    }
    place.run("plan tiny.toml --target 1 --slo p99=1s --host b.json").refused(USAGE, &["--from"]);
    assert!(place.reports().is_empty());
}

#[test]
fn a_target_in_transactions_is_converted_by_the_plan() {
    let place = Place::new();
    let requests = |report: &mut Value| {
        report["plan"]["requests"] =
            serde_json::json!([{"name": "fact", "is_transaction": true, "commands_per_request": 20.0}]);
    };
    place.write("a.json", changed(&plan(), requests));
    place.write("old.json", changed(&plan(), |_| ()));
    let mut command = place.command("plan --from a.json --target");
    let ended = command.arg("50 facts/s").output().unwrap();
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("--target"), "{ended:?}");
    let target = place.report()["plan"]["target_per_second"].as_f64().unwrap();
    assert!((target - 1_000.0).abs() < 1e-9, "{target}");
    place.run("plan --from a.json --target 50other/s").refused(USAGE, &["--target", "never issues; it issues fact"]);
    place.run("plan --from old.json --target 50fact/s").refused(USAGE, &["--target", "give commands/s"]);
}
