//! `host`: the disk profile, from its measurement to a plan that compares it.

use std::fs;

use super::program::{FAILED, PASS, Place, USAGE, json};

const PLAN: &str = "plan tiny.toml --target 1 --slo p99=1s";

#[test]
fn a_probe_writes_a_profile_that_follows_its_schema() {
    let place = Place::new();
    let ended = place.run("host --probe 60ms -o disk.json");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    for part in ["write 4 KiB + fdatasync", "32 threads", "sequential writes", "Disk profile: disk.json"] {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
    place.holds_only(&["disk.json"]);
    let profile = json(&fs::read_to_string(place.path("disk.json")).unwrap());
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/disk.schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &profile).unwrap();
    assert!(profile["profile"]["swing"]["sync_p50_ns"].as_u64().unwrap() > 0, "{profile}");
}

#[test]
fn the_time_of_a_probe_is_given_in_either_way() {
    let place = Place::new();
    for words in ["host --probe 50ms --json", "host --probe --for 50ms --json", "host --for 50ms --json"] {
        let host = json(&place.run(words).stdout);
        assert!(host["disk_profile"]["seconds"].as_f64().unwrap() > 0.0, "{words}");
    }
    place.run("host --probe 0s -o disk.json").refused(USAGE, &["--output"]);
    place.run("host --probe 50ms -o missing/disk.json").refused(FAILED, &["missing/disk.json"]);
    place.run("host --for 0s").refused(USAGE, &["--for"]);
}

#[test]
fn a_profile_that_a_plan_cannot_use_is_refused_before_it_measures() {
    let place = Place::new();
    assert_eq!(place.run("host --probe 50ms -o disk.json --quiet").code, PASS);
    let text = fs::read_to_string(place.path("disk.json")).unwrap();
    let changed = |change: fn(&mut serde_json::Value)| {
        let mut profile = json(&text);
        change(&mut profile);
        profile.to_string()
    };
    place.write("broken.json", "{");
    place
        .write("report.json", fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json")).unwrap());
    place.write("new.json", changed(|profile| profile["schema_version"] = 99.into()));
    place.write("zero.json", changed(|profile| profile["profile"]["swing"]["sync_p10_ns"] = 0.into()));
    place.write("other.json", changed(|profile| profile["host"]["device"] = "/dev/other".into()));
    for (disk, code, parts) in [
        ("nonesuch.json", FAILED, &["disk profile nonesuch.json cannot be read"][..]),
        ("broken.json", FAILED, &["broken.json:1:", "not a disk profile"]),
        ("report.json", FAILED, &["report.json:", "not a disk profile"]),
        ("new.json", FAILED, &["new.json", "layout 99"]),
        ("zero.json", FAILED, &["zero.json", "profile.swing"]),
        ("other.json", USAGE, &["other.json is the profile of another disk: the device is /dev/other there"]),
        ("0", USAGE, &["more than 0"]),
        ("5 --disk 6", USAGE, &["--disk"]),
        ("disk.json --disk disk.json", USAGE, &["--disk"]),
    ] {
        let ended = place.run(&format!("{PLAN} --disk {disk}"));
        ended.refused(code, parts);
        assert!(!ended.stderr.contains("probing"), "{}", ended.stderr);
    }
}
