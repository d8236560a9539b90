//! `plan --from REPORT --host FILE…`: other hosts, from their profiles or from plans that ran there.

use ave_workbench::host::{DiskProfile, ProcessorProfile};
use ave_workbench::report::{Band, DISK_SCHEMA_VERSION, DiskFile, PredictedTarget, Report};
use ave_workbench::units;
use serde_json::Value;

use super::figures::Prints;
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
    profile_of(1.0, sample::plan().host.usable_cores_count)
}

/// One whose cores are so many times as fast as those, and as many as this.
fn profile_of(speed: f64, cores: u32) -> DiskFile {
    let host = plan().host;
    let profile: DiskProfile = host.disk_profile.clone().unwrap();
    let processor =
        ProcessorProfile { sort_p50_ns: 60_000.0 / speed, chase_p50_ns: 30_000.0 / speed, ..sample::PROCESSOR };
    let mut host = ave_workbench::report::HostInfo { processor: Some(processor), sync_probe: None, ..host };
    host.disk_profile = None;
    host.usable_cores_count = cores;
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
    for part in ["host b", "host b, off", "host b, on", "speed of a core × 1.44 (1.33 – 1.5)"] {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
    let report = place.report();
    let (plan, level) = (&report["plan"], &report["verdict"]["certainty"]["level"]);
    assert!(["low", "moderate"].contains(&level.as_str().unwrap()), "{level}");
    let modes = plan["predictions"][0]["modes"].as_array().unwrap();
    for (mode, known) in modes.iter().zip(plan["profiles"][0]["modes"].as_array().unwrap()) {
        let figure = |name: &str| mode["per_second"][name].as_f64().unwrap();
        assert!(figure("low") < figure("expected") && figure("expected") < figure("high"), "{mode}");
        assert_eq!((&known["evidence"], &mode["check"]), (&"predicted".into(), &Value::Null), "{known}");
    }
    assert_eq!(plan["growth"]["disk_bytes"], 4_000_000_000_000_u64, "a disk that was given is attached to any host");
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
    let check = &place.report()["plan"]["predictions"][0]["modes"][0]["check"];
    let figure = |name: &str| check[name].as_f64().unwrap();
    let error = 100.0 * (check["predicted_per_second"]["expected"].as_f64().unwrap() / 21_400.0 - 1.0);
    assert!((figure("error_percent") - error).abs() < 1e-6 && (figure("measured_per_second") - 21_400.0).abs() < 1e-9);
}

/// Three hosts, the smallest of which is too slow for the highest target; of one the speed is not known.
fn several() -> Place {
    let place = place();
    place.write("slow.json", serde_json::to_string(&profile_of(0.4, 2)).unwrap());
    place.write("fast.json", serde_json::to_string(&profile_of(1.2, 2)).unwrap());
    place.write("unknown.json", changed(&profile_of(1.0, 1), |file| file["host"]["processor"] = Value::Null));
    place
}

#[test]
fn of_several_hosts_the_smallest_that_holds_each_target_is_named_and_all_media_agree() {
    let place = several();
    let ended = place.run("plan --from a.json --host fast.json unknown.json slow.json --target 50,500,6000");
    let prints = Prints::of(&place, &ended, "report");
    let report: Report = prints.json("report.json");
    let plan = report.plan.as_ref().unwrap();
    let names: Vec<_> = plan.predictions.iter().map(|host| host.profile.as_str()).collect();
    assert_eq!(
        names,
        ["host unknown", "host fast", "host slow"],
        "the smallest first, then in the order of the command"
    );
    prints.all_have("the verdict", &report.verdict.sentence);
    let (mut words, demand) = (Vec::new(), plan.demand.as_ref().unwrap());
    for host in &plan.predictions {
        prints.all_have("a host", &host.profile);
        prints.all_have("its sync latency", &units::duration(host.sync_p50_ns.unwrap() as f64));
        for mode in &host.modes {
            prints.all_have("a rate", &mode.rate());
            assert_eq!(mode.targets.len(), 3);
            for PredictedTarget { required_per_second, per_second, holds, .. } in &mode.targets {
                let expected = per_second.and_then(|Band { low, high, .. }| match required_per_second {
                    required if low >= *required => Some(true),
                    required if high < *required => Some(false),
                    _ => None,
                });
                assert_eq!(*holds, expected, "{mode:?}");
            }
            words.extend(mode.targets.iter().map(PredictedTarget::word));
        }
    }
    for word in ["holds", "not known"] {
        assert!(words.contains(&word), "{words:?}");
        prints.all_have("an answer", word);
    }
    for (place, mode) in demand.modes.iter().enumerate() {
        for (at, target) in mode.targets.iter().enumerate() {
            let holds =
                |host: &&ave_workbench::report::PredictionInfo| host.modes[place].targets[at].holds == Some(true);
            let first = plan.predictions.iter().find(holds).map(|host| host.profile.clone());
            assert_eq!(target.profile, first, "{target:?}");
        }
    }
    assert_eq!(demand.modes[0].targets[0].profile.as_deref(), Some("host fast"), "{demand:?}");
    prints.all_have("the answer for each target", "smallest");
}

#[test]
fn with_prices_the_cheapest_host_is_named_and_growth_says_for_how_long() {
    let place = several();
    let machines = "name,vcpus,memory,disk_gb,price_per_month,currency,price_date\n\
        slow,2,8,1,5,EUR,2026-11-28\nfast,2,8,1,9,EUR,2026-11-28\nother,2,8,1,1,EUR,2026-11-28\n";
    place.write("m.csv", machines);
    let words = "plan --from a.json --host fast.json slow.json --target 500 --growth 40%/month --machines m.csv";
    let ended = place.run(words);
    let prints = Prints::of(&place, &ended, "report");
    let report: Report = prints.json("report.json");
    let plan = report.plan.as_ref().unwrap();
    let recommended = &plan.recommendations[0];
    assert_eq!(recommended.profile.as_deref(), Some("slow"), "{}", report.verdict.sentence);
    assert!((recommended.cost.as_ref().unwrap().per_month - 5.0).abs() < 1e-9);
    assert!(report.verdict.sentence.contains("cheapest of 2 hosts"), "{}", report.verdict.sentence);
    let catalogue = plan.catalogue.as_ref().unwrap();
    let names: Vec<_> = catalogue.machines.iter().map(|one| one.profile.as_str()).collect();
    assert_eq!(names, ["slow", "fast"], "machines that are no hosts are left out");
    let target = &plan.demand.as_ref().unwrap().modes[0].targets[0];
    assert!(target.enough_for_months.unwrap() > 0.0 && target.price_per_month == Some(5.0), "{target:?}");
    prints.all_have("the answer", "cheapest");
}

#[test]
fn the_prediction_of_an_earlier_version_is_read_as_one_host() {
    let mut old = serde_json::to_value(sample::predicted()).unwrap();
    let plan = old["plan"].as_object_mut().unwrap();
    let mut prediction = plan.remove("predictions").unwrap()[0].take();
    for field in ["profile", "sync_p50_ns"] {
        prediction.as_object_mut().unwrap().remove(field).unwrap();
    }
    for mode in prediction["modes"].as_array_mut().unwrap() {
        for field in ["certainty", "targets"] {
            mode.as_object_mut().unwrap().remove(field).unwrap();
        }
    }
    plan.insert("prediction".to_owned(), prediction);
    let report: Report = serde_json::from_value(old.clone()).unwrap();
    let [host] = &report.plan.as_ref().unwrap().predictions[..] else { panic!("{report:?}") };
    assert_eq!((host.profile.as_str(), host.modes.len()), ("other host", 2));
    assert!(ave_workbench::render::markdown(&report).contains("| other host |"));
    old["plan"]["prediction"] = Value::Null;
    let report: Report = serde_json::from_value(old).unwrap();
    assert!(report.plan.unwrap().predictions.is_empty());
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
    place.write("m.csv", "name,vcpus,memory,price_per_month,currency,price_date\nb,4,8,9,EUR,2026-11-28\n");
    std::fs::create_dir(place.path("there")).unwrap();
    place.write("there/b.json", serde_json::to_string(&profile()).unwrap());
    for (words, code, parts) in [
        ("--host arm.json", USAGE, &["--host arm.json: host.architecture is aarch64, and x86_64 in a.json"][..]),
        ("--host old.json", USAGE, &["--host old.json: version is 0.3.9, and 0.4.1 in a.json"]),
        ("--host broken.json", FAILED, &["broken.json:1:", "not a disk profile"]),
        ("--host new.json", FAILED, &["new.json", "layout 99"]),
        ("--host nonesuch.json", FAILED, &["disk profile nonesuch.json cannot be read"]),
        ("--host run.json", USAGE, &["--host run.json: it is the report of a run"]),
        ("--host other.json", USAGE, &["--host", "plan.target_per_second is 2000 in the first and 7 in the second"]),
        ("--host a.json", USAGE, &["--host", "are the same report"]),
        ("--host b.json --machines cloud", USAGE, &["--machines cloud: none of its machines has the name", "(b)"]),
        ("--host b.json --machines m.csv", USAGE, &["--host b.json: it has 2 cores, and `b` in m.csv has 4 cores"]),
        ("--host b.json there/b.json", USAGE, &["--host: b.json and there/b.json have one name, `b`: rename one"]),
        ("--host b.json --host b.json", USAGE, &["--host: b.json and b.json have one name"]),
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
