//! Ctrl-C and kills: what is kept, and what is cleaned up.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::program::{INCONCLUSIVE, PASS, Place, Running, SHORT, TINY, USAGE, interrupted, json, processes_of};

#[test]
fn a_signal_keeps_what_was_measured_and_cleans_up() {
    // The signal comes while the first of two durability modes is measured.
    let words = "run tiny.toml --measure 60s --warmup 0s --rounds 2 --writers 1";
    what_was_measured_is_kept(words, "-INT");
    // Under limits another process measures; the signal reaches the one that waits for it.
    what_was_measured_is_kept(&format!("{words} --machine 1,1024"), "-TERM");
}

fn what_was_measured_is_kept(words: &str, signal: &str) {
    let place = Place::new();
    let (code, rest) = interrupted(&place, words, "measuring", signal);
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    place.holds_only(&["reports"]);
    let report = place.report();
    assert_eq!(report["verdict"]["outcome"], "inconclusive");
    let reasons = report["verdict"]["reasons"].to_string();
    assert!(reasons.contains("interrupted") && !reasons.contains("rounds scatter"), "{reasons}");
    let modes = report["modes"].as_array().unwrap();
    assert!(modes.len() == 1 && modes[0]["durability"] == "off", "{modes:?}");
    assert!(modes[0]["commands_count"].as_u64().unwrap() > 0);
    assert_eq!(modes[0]["verification"]["performed"], false);
}

#[test]
fn a_run_that_is_ended_before_it_measured_says_so_and_cleans_up() {
    let place = Place::new();
    place.write("tiny.toml", format!("preload = {{ events_per_actor = 1000000 }}\n{TINY}"));
    let (code, rest) = interrupted(&place, SHORT, "preloading", "-TERM");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    assert!(rest.contains("interrupted before anything was measured"), "{rest}");
    place.holds_only(&["reports"]);
    assert!(place.reports().is_empty());
}

#[test]
fn writing_processes_are_killed_after_the_run_and_their_writes_are_found() {
    let place = Place::new();
    let words = "run tiny.toml --measure 200ms --warmup 0s --rounds 2 --writers 2 --kills 2";
    let ended = place.run(words);
    place.ended_with(&ended, PASS);
    place.holds_only(&["reports"]);
    assert!(ended.stderr.contains("durability on: killing"), "{}", ended.stderr);
    let report = place.report();
    assert!(report["verdict"]["sentence"].as_str().unwrap().contains("also after 4 kills"), "{report}");
    for mode in report["modes"].as_array().unwrap() {
        let crash = &mode["verification"]["crash"];
        assert_eq!((&crash["kills_count"], &crash["lost_count"]), (&2.into(), &0.into()), "{crash}");
        assert_eq!(crash["differences"], json("[]"));
        assert!(crash["commands_acknowledged_count"].as_u64().unwrap() > 0, "{crash}");
    }
    assert!(ended.stdout.contains("found again, also after 4 kills"), "{}", ended.stdout);
    let page = fs::read_to_string(place.reports()[0].join("report.md")).unwrap();
    assert!(page.contains("killed 2 times while writing") && page.contains("not a power cut"), "{page}");
}

#[test]
fn without_verification_nothing_is_killed() {
    for words in [SHORT.replace("--kills 0", "--no-verify"), SHORT.to_owned()] {
        let place = Place::new();
        let ended = place.run(&words);
        assert!(!ended.stderr.contains("killing"), "{}", ended.stderr);
        assert_eq!(place.report()["modes"][0]["verification"]["crash"], Value::Null);
    }
    let place = Place::new();
    place.run(&format!("{SHORT} --no-verify")).refused(USAGE, &["--kills", "--no-verify"]);
    place.run(&format!("{SHORT} --verify --no-verify")).refused(USAGE, &["--verify"]);
    assert!(
        !place.run("run --help").stdout.contains("crash-victim") && !place.run("help").stdout.contains("crash-victim")
    );
}

#[test]
fn ctrl_c_during_the_kills_leaves_no_process_and_no_database_behind() {
    let place = Place::new();
    let words = format!("{} --data-dir {}", SHORT.replace("--kills 0", "--kills 100000"), place.path("").display());
    let (code, rest) = interrupted(&place, &words, "killing", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    place.holds_only(&["reports"]);
    assert_eq!(processes_of(&place.path("")), 0);
    let report = place.report();
    assert!(report["verdict"]["reasons"].to_string().contains("interrupted"), "{}", report["verdict"]);
}

#[test]
fn the_next_start_removes_the_databases_that_a_killed_one_left() {
    let place = Place::new();
    let data = format!("--data-dir {}", place.path("").display());
    let slow = "--rate 10 --measure 1500ms --warmup 0s --rounds 1 --writers 1 --durability off --kills 100000";
    let start = |words: &str, until: &str| Running::start(&place, &format!("run tiny.toml {words} {data}"), until);
    let databases = || {
        let entries = fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().path());
        let ours = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(".ave-workbench-");
        entries.filter(ours).collect::<Vec<_>>()
    };
    let mut killed = start(slow, "killing");
    let left = databases();
    assert_eq!(left.len(), 1, "{left:?}");
    let mut living = start("--measure 60s --warmup 0s --rounds 1 --durability off", "measuring");
    let in_use: Vec<_> = databases().into_iter().filter(|path| !left.contains(path)).collect();
    assert_eq!(in_use.len(), 1, "{in_use:?}");
    killed.kill();
    assert_eq!(databases().len(), 2, "a killed process cannot clean up");

    let ended = place.run(&format!("{SHORT} {data}"));
    let line = format!("removed 1 database directory that a killed workbench left in {}", place.path("").display());
    assert!(ended.stderr.contains(&line), "{}", ended.stderr);
    assert_eq!(databases(), in_use, "{}", ended.stderr);

    living.kill();
    place.run(&format!("{SHORT} {data}"));
    place.holds_only(&["reports"]);
    assert_eq!(processes_of(&place.path("")), 0);
}

#[test]
fn a_writing_process_ends_with_its_parent() {
    let place = Place::new();
    let slow = "--rate 10 --measure 1500ms --warmup 0s --rounds 1 --writers 1 --durability off --kills 100000";
    let words = format!("run tiny.toml {slow} --data-dir {}", place.path("").display());
    let mut running = Running::start(&place, &words, "killing");
    let eventually = |count| {
        (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            processes_of(&place.path("")) == count
        })
    };
    assert!(eventually(2), "the workbench and its child");
    running.kill();
    assert!(eventually(0), "the child is still running");
}
