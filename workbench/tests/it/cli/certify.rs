//! `certify`: interrupted, killed, resumed, checked.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::program::{
    Ended, FAILED, INCONCLUSIVE, MISSED, PASS, Place, USAGE, interrupted, json, on_a_busy_host, signalled,
};

/// Four slices of a second, each saved; the limit is met on a busy host too.
const SHORT: &str = "certify tiny.toml --rate 200 --slo p50=1m --duration 4s --slice 1s --segment 1s --writers 1 \
                     --durability off";

/// The only certificate.
fn certificate_path(place: &Place) -> PathBuf {
    let reports = place.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports[0].join("certificate.json")
}

fn certificate(place: &Place) -> Value {
    json(&fs::read_to_string(certificate_path(place)).unwrap())
}

#[track_caller]
fn passed(place: &Place, ended: &Ended) -> Value {
    assert_eq!(ended.code, PASS, "{}{}", ended.stdout, ended.stderr);
    place.holds_only(&["reports"]);
    certificate(place)
}

/// The database number of each slice, and when it began in certified time.
fn slices(certificate: &Value) -> Vec<[u64; 2]> {
    let slices = certificate["modes"][0]["slices"].as_array().unwrap();
    let figure = |slice: &Value, name: &str| slice[name].as_u64().unwrap();
    slices.iter().map(|slice| ["database_number", "at_seconds"].map(|name| figure(slice, name))).collect()
}

#[test]
fn a_certification_leaves_a_certificate_beside_its_report() {
    let place = Place::new();
    let ended = place.run(SHORT);
    let certificate = passed(&place, &ended);
    assert!(
        ended.stdout.contains("PASS: tiny at 200 commands/s") && ended.stdout.contains("worst"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("1 of 4 slices") && ended.stderr.contains("none missed"), "{}", ended.stderr);
    let schema =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/certificate.schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &certificate).unwrap();
    assert_eq!(slices(&certificate), [0, 1, 2, 3].map(|second| [1, second]));
    let mode = &certificate["modes"][0];
    assert_eq!((&mode["pauses_count"], &mode["verification"]["differences"]), (&3.into(), &json("[]")));

    let directory = &place.reports()[0];
    let report = json(&fs::read_to_string(directory.join("report.json")).unwrap());
    assert_eq!(report["verdict"], certificate["verdict"]);
    assert_eq!(report["modes"][0]["rounds"].as_array().unwrap().len(), 4);
    for name in ["report.html", "report.md", "latency.hlog", "series.csv"] {
        assert!(directory.join(name).is_file(), "{name}");
    }
    assert_eq!(report["settings"]["measure_seconds"], 1.0);
    let again = Place::new();
    let whole = SHORT.replace("--segment 1s ", "");
    assert_eq!(passed(&again, &again.run(&whole))["inputs"]["duration_seconds"], 4.0);
    let report = fs::read_to_string(again.reports()[0].join("report.json")).unwrap();
    assert_eq!(json(&report)["settings"]["measure_seconds"], 4.0, "a segment is no longer than the certification");
    let again = Place::new();
    let printed = json(&again.run(&format!("{SHORT} --json")).stdout);
    assert_eq!(printed, self::certificate(&again));
    assert_eq!(printed["inputs_sha256"], certificate["inputs_sha256"], "equal inputs have equal checksums");
}

#[test]
fn ctrl_c_keeps_the_database_and_the_same_command_resumes_with_it() {
    let place = Place::new();
    let (code, rest) = interrupted(&place, SHORT, "2 of 4 slices", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    let resume = format!("resume with: ave-workbench {}", on_a_busy_host(SHORT).join(" "));
    assert!(rest.contains("the database is in") && rest.contains(&resume), "{rest}");
    assert_eq!(rest.matches("stopping…").count(), 1, "{rest}");
    let kept = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(kept.filter(|name| name.starts_with(".ave-certify-")).count(), 1);
    assert!(place.reports().iter().all(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".certify-")));

    let other = place.run(&SHORT.replace("--rate 200", "--rate 300"));
    assert_eq!(other.code, PASS, "{}", other.stderr);
    assert!(other.stderr.contains("an unfinished certification uses"), "{}", other.stderr);
    fs::remove_dir_all(place.reports().into_iter().find(|path| path.join("report.json").exists()).unwrap()).unwrap();

    let certificate = passed(&place, &place.run(SHORT));
    assert_eq!(slices(&certificate), [0, 1, 2, 3].map(|second| [1, second]));
    let mode = &certificate["modes"][0];
    assert_eq!((&mode["databases_count"], &mode["verification"]["performed"]), (&1.into(), &true.into()));
    assert_eq!(mode["verification"]["differences"], json("[]"), "the writes of both processes are found");
    let interruption = &certificate["interruptions"][0];
    assert_eq!((&interruption["kind"], &interruption["database_is_new"]), (&"stopped".into(), &false.into()));
    assert!(certificate["verdict"]["reasons"].to_string().contains("resumed with the same database"));
}

#[test]
fn after_a_kill_saved_slices_count_and_the_database_is_new() {
    let place = Place::new();
    let (status, _) = signalled(&place, SHORT, "2 of 4 slices", "-KILL");
    assert_eq!(status.code(), None, "it was killed");
    let certificate = passed(&place, &place.run(SHORT));
    let slices = slices(&certificate);
    assert_eq!(slices.iter().map(|slice| slice[1]).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!([slices[0][0], slices[1][0], slices[3][0]], [1, 1, 2]);
    let mode = &certificate["modes"][0];
    assert_eq!((&mode["databases_count"], &mode["verification"]["differences"]), (&2.into(), &json("[]")));
    let interruption = &certificate["interruptions"][0];
    assert_eq!((&interruption["kind"], &interruption["database_is_new"]), (&"ended".into(), &true.into()));
    assert!(interruption["stopped_at"].is_null() && interruption["resumed_at"].is_string(), "{interruption}");
}

#[test]
fn fresh_discards_saved_slices() {
    let place = Place::new();
    signalled(&place, SHORT, "1 of 4 slices", "-KILL");
    let certificate = passed(&place, &place.run(&format!("{SHORT} --fresh")));
    assert_eq!(certificate["interruptions"], json("[]"));
    assert_eq!(slices(&certificate), [0, 1, 2, 3].map(|second| [1, second]));
}

#[test]
fn a_limit_that_no_slice_meets_fails() {
    let place = Place::new();
    let ended = place.run(&SHORT.replace("p50=1m", "p50=1ns"));
    let certificate = certificate(&place);
    let mode = &certificate["modes"][0];
    assert_eq!(mode["slices_missed_count"], 4);
    // A slice that was missed on a disturbed host does not count.
    let disturbed = mode["slices_missed_disturbed_count"] == 4;
    assert_eq!(ended.code, if disturbed { INCONCLUSIVE } else { MISSED }, "{}", ended.stdout);
    place.holds_only(&["reports"]);
}

#[test]
fn a_certificate_is_checked_against_its_checksum_and_source() {
    let place = Place::new();
    passed(&place, &place.run(&format!("{SHORT} --seed 7")));
    let path = certificate_path(&place);
    let check = format!("certify --check {}", path.display());
    let validity = |words: &str| {
        let ended = place.run(&format!("{words} --json"));
        (ended.code, json(&ended.stdout)["valid"].as_bool().unwrap())
    };
    assert_eq!(validity(&check), (PASS, true));
    assert_eq!(validity(&format!("{check} tiny.toml")), (PASS, true));
    assert_eq!(validity(&format!("{check} ledger")), (MISSED, false), "it is about another workload");
    assert!(place.run(&check).stdout.contains("PASS: tiny"));

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"rate_per_second\": 200.0", "\"rate_per_second\": 2000.0")).unwrap();
    assert_eq!(validity(&check), (MISSED, false), "it was changed");
    place.run("certify --check nowhere.json").refused(FAILED, &["nowhere.json cannot be read"]);
    place.run("certify --check tiny.toml").refused(FAILED, &["tiny.toml:1:", "not a certificate"]);
}

#[test]
fn invalid_arguments_exit_with_2_and_touch_nothing() {
    let place = Place::new();
    for (words, parts) in [
        ("certify", &["<WORKLOAD|TRACE>", "--rate", "--slo"][..]),
        ("certify tiny.toml --rate 100", &["--slo"]),
        ("certify tiny.toml --rate 0 --slo p99=1ms", &["'0' for '--rate", "more than 0"]),
        ("certify tiny.toml --rate -5 --slo p99=1ms", &["'-5' for '--rate"]),
        ("certify tiny.toml --rate 100 --slo recover:p99=1ms", &["`recover`", "never issues"]),
        ("certify tiny.toml --rate 100 --slo p99=1ms", &["a slice of 10 s has about 1,000", "--slice 12s"]),
        ("certify tiny.toml --rate 1000 --slo p99=1ms --slice 1500ms", &["a slice of 1.5 s", "whole seconds"]),
        ("certify tiny.toml --rate 1000 --slo p99=1ms --duration 20s", &["less than 3 slices of 10 s"]),
        (
            "certify tiny.toml --rate 1000 --slo p99=1ms --duration 45s",
            &["no whole number of slices of 10 s", "40 s or 50 s"],
        ),
        ("certify --check tiny.toml --duration 1m", &["--check", "--duration"]),
        ("certify tiny.toml --rate 1e9 --slo p99=1ms --duration 240h", &["stay in the database", "are free"]),
        ("certify tiny.toml --rate 1000 --slo p99=1ms --slice soon", &["'soon' for '--slice"]),
        ("certify tiny.toml --rate 1000 --slo p99=1ms --writers 0", &["'0' for '--writers"]),
        ("certify tiny.toml --rate 1000 --slo p99=1ms --tune-for huge", &["'huge' for '--tune-for"]),
        ("certify --check c.json --fresh", &["--check", "--fresh"]),
    ] {
        place.run(words).refused(USAGE, parts);
        place.holds_only(&[]);
    }
}
