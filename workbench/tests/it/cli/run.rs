//! `run`: report, verdict, exit code.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::program::{Ended, FAILED, INCONCLUSIVE, MISSED, PASS, Place, SHORT, TINY, USAGE, json, on_a_busy_host};
use crate::support::skip::skipped;

#[test]
fn a_run_leaves_a_report_and_nothing_else() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    place.holds_only(&["reports"]);
    let report = place.report();
    assert_eq!((&report["kind"], &report["name"]), (&"run".into(), &"tiny".into()));
    assert_eq!(report["modes"][0]["verification"]["differences"], json("[]"));
    assert!(ended.stdout.contains("persist") && ended.stdout.contains("report.html"), "{}", ended.stdout);
    assert!(ended.stderr.contains("durability off: measuring"), "progress is on standard error: {}", ended.stderr);
    let command = report["reproduce"]["command"].as_str().unwrap();
    assert_eq!(command, format!("ave-workbench {}", on_a_busy_host(SHORT).join(" ")));
}

#[test]
fn json_is_the_report_and_follows_its_schema() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --json"));
    place.ended_with(&ended, PASS);
    let report = place.report();
    assert_eq!(json(&ended.stdout), report);
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &report).unwrap();
}

#[test]
fn quiet_prints_errors_only() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --quiet"));
    place.ended_with(&ended, PASS);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));

    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --quiet --slo p99=1ns"));
    place.ended_with(&ended, MISSED);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert!(place.run("run nonesuch --quiet").stderr.contains("nonesuch"), "errors are printed");
}

#[test]
fn an_objective_decides_the_exit_code() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --slo p50=1m"));
    place.ended_with(&ended, PASS);
    assert!(ended.stdout.contains("meets the limit"), "{}", ended.stdout);

    // On a busy host a missed objective is inconclusive.
    let is_missed = (0..4).any(|_| {
        let place = Place::new();
        let ended = place.run(&format!("{SHORT} --slo persist:p99=1ns"));
        assert!(ended.stdout.contains("misses the limit"), "{}", ended.stdout);
        place.ended_with(&ended, MISSED)
    });
    if !is_missed {
        skipped(an_objective_decides_the_exit_code, "the host is busy: exit code 1 was not tested");
    }

    // Twenty commands are too few for p99.99.
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --rate 100 --slo p99.99=1m"));
    assert_eq!(ended.code, INCONCLUSIVE);
    assert!(ended.stdout.contains("INCONCLUSIVE") && ended.stdout.contains("too few"), "{}", ended.stdout);
}

#[test]
fn an_objective_without_a_command_is_on_the_one_issued_most() {
    let place = Place::new();
    place.write("tiny.toml", TINY.replace("persist = 1", "persist = 1\nlast_event = 9"));
    let ended = place.run(&format!("{SHORT} --slo p50=1m"));
    assert!(ended.stdout.contains("last_event p50"), "{}", ended.stdout);
}

#[test]
fn a_rate_and_an_objective_may_be_on_a_transaction() {
    const ORDERS: &str = "name = 'tiny'\ndescription = 'Carts and a list.'\n\
        [[population]]\nname = 'cart'\nevent_bytes = { constant = 100 }\nstate_bytes = { constant = 100 }\n\
        actors = { count = 8 }\npersistence = { mode = 'light' }\n\
        [[population]]\nname = 'list'\nevent_bytes = { constant = 50 }\nstate_bytes = { constant = 50 }\n\
        actors = { count = 1 }\npersistence = { mode = 'light' }\n\
        [[transaction]]\nname = 'order'\n\
        steps = [{ population = 'cart', commands = ['persist', 'last_event'] }, { population = 'list', commands = ['persist'] }]\n";
    let place = Place::new();
    place.write("tiny.toml", ORDERS);
    let ended = place.run(&format!("{SHORT} --rate 200orders/s --slo order:p50=1m"));
    place.ended_with(&ended, PASS);
    assert!(ended.stdout.contains("order p50"), "{}", ended.stdout);
    let report = place.report();
    let mode = &report["modes"][0];
    assert_eq!(mode["offered_per_second"], 600.0, "three commands each");
    let names: Vec<_> = mode["commands"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["order", "persist", "last_event"]);
    for (option, expected) in
        [("--rate 5parcel/s", "a rate of `parcel/s`"), ("--slo parcel:p99=1s", "the objective is on `parcel`")]
    {
        let issued = "which `tiny` never issues; it issues persist, last_event, order";
        place.run(&format!("{SHORT} {option}")).refused(USAGE, &[expected, issued]);
    }
}

/// Paths in messages are relative, as they were given.
#[test]
fn the_current_directory_is_where_things_go_by_default() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    let line = ended.stdout.lines().last().unwrap();
    let path = line.strip_prefix("Report: ").unwrap();
    assert!(Path::new(path).starts_with("reports") && place.path(path).is_file(), "{line}");
}

#[test]
fn an_unusable_reports_directory_is_detected_before_the_run() {
    let place = Place::new();
    place.write("taken", "a file");
    let ended = place.run(&format!("{SHORT} --reports-dir taken"));
    ended.refused(FAILED, &["taken does not take reports", "os error"]);
    assert!(!ended.stderr.contains("measuring"), "{}", ended.stderr);
    let ended = place.run(&format!("{SHORT} --reports-dir taken/below"));
    ended.refused(FAILED, &["taken/below does not take reports"]);
    place.holds_only(&["taken"]);
}

#[test]
fn an_unusable_data_directory_is_named() {
    let place = Place::new();
    place.write("taken", "a file");
    for words in [&format!("{SHORT} --data-dir taken"), "host --data-dir taken", "host --data-dir nowhere"] {
        place.run(words).refused(FAILED, &["cannot use the data directory"]);
    }
    place.holds_only(&["taken"]);
}

#[test]
fn a_data_directory_that_does_not_exist_is_created_only_if_asked_for() {
    let place = Place::new();
    let plan = "plan tiny.toml --target 5 --slo p99=1s";
    for words in [SHORT, plan, "certify tiny.toml --rate 5 --slo p50=1s"] {
        place
            .run(&format!("{words} --data-dir mnt/disk"))
            .refused(FAILED, &["data directory mnt/disk", "--create creates it"]);
    }
    place.holds_only(&[]);
    let ended = place.run(&format!("{SHORT} --data-dir mnt/disk --create"));
    place.ended_with(&ended, PASS);
    assert_eq!(fs::read_dir(place.path("mnt/disk")).unwrap().count(), 0, "the databases are removed");
}

/// Its own threads keep the cores busy.
#[test]
fn a_busy_host_is_refused_before_anything_is_measured() {
    let all = fs::read_to_string("/proc/stat").unwrap().lines().filter(|line| line.starts_with("cpu")).count() - 1;
    if std::thread::available_parallelism().unwrap().get() < all {
        let test = a_busy_host_is_refused_before_anything_is_measured;
        return skipped(test, "this process may not use all cores");
    }
    let (place, ended) = (Place::new(), AtomicBool::new(false));
    let words = SHORT.split_whitespace().filter(|word| *word != "--anyway");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ave-workbench"));
    command.args(words).current_dir(place.path(""));
    let refused = std::thread::scope(|scope| {
        for _ in 0..all {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let refused = Ended::of(command.output().unwrap());
        ended.store(true, Ordering::Relaxed);
        refused
    });
    refused.refused(INCONCLUSIVE, &["other processes kept", "results would be inconclusive", "--anyway"]);
    place.holds_only(&["reports"]);
}

/// The file system is mounted in a namespace of the process, and is gone with it.
#[test]
fn a_full_disk_ends_the_run_with_what_failed_and_no_report() {
    let place = Place::new();
    place.write("large.toml", TINY.replace("constant = 100", "constant = 60000"));
    fs::create_dir(place.path("small")).unwrap();
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=16m none small || exit 77; \"$@\"; code=$?; ls -A small; exit $code";
    command.args(["--mount", "sh", "-c", script, "sh"]);
    let run = SHORT.replace("tiny.toml", "large.toml").replace("200ms", "60s");
    let run = place.command(&format!("{run} --data-dir small"));
    command.arg(run.get_program()).args(run.get_args()).current_dir(place.path(""));
    let ended = match command.output() {
        Ok(output) if output.status.code() != Some(77) && !output.stderr.starts_with(b"unshare") => Ended::of(output),
        _ => return skipped(a_full_disk_ends_the_run_with_what_failed_and_no_report, "no permission to mount"),
    };
    // Standard output is empty: so is the small disk.
    ended.refused(FAILED, &["put of actor tiny0/", "durability off", "No space left on device"]);
    place.holds_only(&["large.toml", "reports", "small"]);
    assert!(place.reports().is_empty());
}
