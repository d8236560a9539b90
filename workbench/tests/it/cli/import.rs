//! `trace import`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program::{Ended, FAILED, INCONCLUSIVE, PASS, Place, USAGE, json};
use crate::support::skip::skipped;

/// An event log of so many rows and 20 cases.
fn event_log(rows: u32) -> String {
    let row = |n: u32| format!("case-{},{},activity number {n}\n", n % 20, 1_700_000_000 + n);
    format!("case_id,timestamp,activity\n{}", (0..rows).map(row).collect::<Vec<_>>().concat())
}

#[test]
fn an_event_log_becomes_a_trace_and_the_trace_a_report() {
    let place = Place::new();
    place.write("log.csv", event_log(300));
    let ended = place.run("trace import log.csv");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(ended.stdout.contains("300 events over 20 actors"), "{}", ended.stdout);
    assert!(ended.stdout.contains("`case_id` (guessed)") && ended.stdout.contains("assumed:"), "{}", ended.stdout);
    place.holds_only(&["log.csv", "log.trace.csv.zst"]);

    let info = json(&place.run("trace info log.trace.csv.zst --json").stdout);
    assert_eq!(info["commands_count"]["persist"], 300);
    assert_eq!((&info["actors_count"], &info["duration_seconds"]), (&20.into(), &299.0.into()));

    let ended = place.run("run log.trace.csv.zst --rounds 1 --writers 2 --durability off --kills 2 --json");
    place.ended_with(&ended, PASS);
    let report = place.report();
    assert_eq!((&report["source"]["kind"], &report["modes"][0]["commands_count"]), (&"trace".into(), &300.into()));
    assert_eq!(report["modes"][0]["verification"]["events_count"], 300);
    let crash = &report["modes"][0]["verification"]["crash"];
    assert_eq!((&crash["kills_count"], &crash["lost_count"]), (&2.into(), &0.into()), "{crash}");
    assert!(crash["events_count"].as_u64().unwrap() > 0, "it is repeated until the kill: {crash}");
}

#[test]
fn a_trace_that_cannot_be_used_is_refused_by_name() {
    let place = Place::new();
    place.write("empty.csv", "");
    place.run("run empty.csv").refused(FAILED, &["empty.csv: empty"]);
    place.write("log.csv", event_log(3_000));
    place.run("run log.csv").refused(FAILED, &["log.csv: not a trace", "trace import"]);

    assert_eq!(place.run("trace import log.csv --output t.zst").code, PASS);
    let whole = fs::read(place.path("t.zst")).unwrap();
    place.write("cut.zst", &whole[..whole.len() / 2]);
    for words in ["run cut.zst", "trace info cut.zst"] {
        place.run(words).refused(FAILED, &["cut.zst: truncated after", "whole lines", "--allow-truncated"]);
    }
    let info = json(&place.run("trace info cut.zst --allow-truncated --json").stdout);
    let left = info["commands_count"]["persist"].as_u64().unwrap();
    assert!((1..3_000).contains(&left), "{left} commands are left");
    place.holds_only(&["cut.zst", "empty.csv", "log.csv", "t.zst"]);

    // All of it falls into the warm-up.
    let ended = place.run("run t.zst --warmup 1m --rounds 1 --durability off");
    ended.refused(INCONCLUSIVE, &["nothing was measured: all 3000 commands"]);
    assert!(place.reports().is_empty());
}

#[test]
fn an_import_that_fails_leaves_no_trace() {
    let place = Place::new();
    place.write("log.csv", "who,when\na,01/02/2024\n");
    place.run("trace import log.csv").refused(FAILED, &["log.csv", "case_id", "--actor-column", "who (1), when (1)"]);
    let named = "trace import log.csv --actor-column who --time-column when";
    place.run(&format!("{named} --payload-column what")).refused(FAILED, &["no column `what`", "--payload-column"]);
    place.run(named).refused(FAILED, &["line 2", "`01/02/2024`", "--time-format"]);
    place.holds_only(&["log.csv"]);
    assert_eq!(place.run(&format!("{named} --time-format %m/%d/%Y")).code, PASS);
}

#[test]
fn an_import_reports_what_it_detected_and_its_rate() {
    let place = Place::new();
    place.write("log.csv", "order;line;when\n1;a;13/01/2024 10:00\n1;b;14/01/2024 11:00\n");
    let words = "trace import log.csv --actor-column order,line --time-column when --time-zone Europe/Berlin";
    let ended = place.run(words);
    if ended.code == USAGE && ended.stderr.contains("tzdata") {
        return skipped(an_import_reports_what_it_detected_and_its_rate, "no time zone database (tzdata)");
    }
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    for part in [
        "2 events over 2 actors",
        "actor: `order` and `line`",
        "time format: DD/MM/YYYY (guessed)",
        "field separator: `;` (guessed)",
        "times without an offset are in Europe/Berlin",
        "rows/s",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let summary = json(&place.run(&format!("{words} --json --force")).stdout);
    assert_eq!(summary["first_event_at"], "2024-01-13T09:00:00Z");
    assert!(summary["rows_per_second"].as_f64() > Some(0.0) && summary["elapsed_seconds"].as_f64() > Some(0.0));

    place.run("trace import log.csv --time-zone Mars/Olympus").refused(USAGE, &["'Mars/Olympus'", "Europe/Berlin"]);
    place.run(&format!("{words} --output log.csv")).refused(USAGE, &["--output log.csv", "the input itself"]);
    place.holds_only(&["log.csv", "log.trace.csv.zst"]);
}

#[test]
fn an_event_log_may_come_from_standard_input() {
    let place = Place::new();
    place.write("log.csv", event_log(50));
    let mut command = place.command("trace import -");
    command.stdin(fs::File::open(place.path("log.csv")).unwrap());
    let ended = Ended::of(command.output().unwrap());
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(ended.stdout.contains("50 events over 20 actors"), "{}", ended.stdout);
    place.holds_only(&["log.csv", "stdin.trace.csv.zst"]);
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let place = Place::new();
    let mut command = place.command("trace import - --output t.csv.zst");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let rows = event_log(20_000);
    std::io::Write::write_all(&mut pipe, rows.as_bytes()).unwrap();
    // The import is running: it has read more than the buffer of a pipe.
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(200));
    drop(pipe);
    let ended = Ended::of(child.wait_with_output().unwrap());
    ended.refused(INCONCLUSIVE, &["interrupted", "nothing was written"]);
    place.holds_only(&[]);
}

#[test]
fn files_that_a_pattern_matches_are_imported_as_one_log() {
    let place = Place::new();
    for day in 1..=3 {
        place.write(&format!("log-{day}.csv"), format!("case_id,timestamp\na,2024-01-0{day}\nb,2024-01-0{day}\n"));
    }
    let ended = place.run("trace import log-*.csv -o all.csv");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(ended.stdout.contains("6 events over 2 actors"), "{}", ended.stdout);
    let ended = place.run("trace import log-3.csv log-1.csv -o two.csv --json");
    assert_eq!(json(&ended.stdout)["first_event_at"], "2024-01-01T00:00:00Z");
    for (words, parts) in [
        ("trace import log-?.csv log-1.csv", &["log-1.csv: listed twice; give each log once"][..]),
        ("trace import log-1.csv ./log-1.csv", &["./log-1.csv: the same file as log-1.csv; give each log once"]),
        ("trace import - log-1.csv", &["standard input"]),
        ("trace import log-*.csv -o log-2.csv", &["--output log-2.csv", "the input itself"]),
    ] {
        place.run(words).refused(USAGE, parts);
    }
    for missing in ["nothing.csv", "nothing-*.csv"] {
        place.run(&format!("trace import {missing}")).refused(FAILED, &[&format!("cannot read {missing}: ")]);
    }
    place.holds_only(&["all.csv", "log-1.csv", "log-2.csv", "log-3.csv", "two.csv"]);

    let odd = place.path("").join(OsStr::from_bytes(b"log-\xff.csv"));
    fs::write(odd, "case_id,timestamp\nc,2024-01-09\n").unwrap();
    let ended = place.run("trace import log-*.csv -o all.csv --force");
    assert!(ended.stdout.contains("7 events over 3 actors"), "a name that is not UTF-8: {}", ended.stdout);
}

#[test]
fn a_first_row_of_data_is_no_header() {
    let place = Place::new();
    place.write("log.csv", "c,2024-01-02,x\nd,2024-01-03,x\n");
    let words = "trace import log.csv --actor-column #1 --time-column #2";
    place.run(words).refused(FAILED, &["line 1", "`2024-01-02` in the first row is a time", "--no-header"]);
    let ended = place.run("trace import log.csv --no-header --actor-column 1 --time-column 2");
    assert!(ended.stdout.contains("2 events over 2 actors"), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn an_import_reports_warnings_and_the_rows_left_out() {
    let place = Place::new();
    place.write("log.csv", "preamble\ncase_id\ttimestamp\nNA\tJan 5 10:00:00\n\t\na\tnoon\nb\tJan 6 10:00:00\n");
    let words = ["trace import log.csv --skip-lines 1 --year 2024 --time-zone +02:00 --delimiter \\t --state-bytes 4k"];
    let ended = place.run(&format!("{} --skip-bad-rows", words[0]));
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    for part in ["1 event over 1 actor", "1 row of separators alone", "1 row without an actor", "line 3", "UTC+02"] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let summary = json(&place.run(&format!("{} --skip-bad-rows=2 --json --force", words[0])).stdout);
    assert_eq!((&summary["skipped_rows_count"], &summary["blank_rows_count"]), (&2.into(), &1.into()));
    assert_eq!(summary["first_event_at"], "2024-01-06T08:00:00Z");
    place.run(&format!("{} --skip-bad-rows=1 --force", words[0])).refused(FAILED, &["more than 1 bad rows"]);

    place.write("log.csv", "case_id,timestamp\nNA,2024-01-05\nb,2024-01-06\n");
    let ended = place.run("trace import log.csv --force");
    assert!(ended.stdout.contains("warning: the actor of 1 event of 2 events (50 %) is `NA`"), "{}", ended.stdout);
}
