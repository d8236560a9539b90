//! `trace generate`, `fit`, `info` and `export`.

use std::fs;

use ave_workbench::workload::Workload;
use serde_json::Value;

use super::program::{FAILED, INCONCLUSIVE, PASS, Place, SHORT, USAGE, interrupted, json};

/// A place with a trace in it.
fn with_trace() -> Place {
    let place = Place::new();
    let ended = place.run("trace generate mixed -o t.trace.csv.zst --commands 5000 --rate 1000 --seed 5");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    place
}

#[test]
fn a_workload_becomes_a_trace_and_the_trace_a_workload() {
    let place = with_trace();
    let ended = place.run("trace fit t.trace.csv.zst -o fitted.toml");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    for part in ["operation mix", "event sizes", "skew exponent", "ok, within", "run fitted.toml --rate"] {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
    let text = fs::read_to_string(place.path("fitted.toml")).unwrap();
    assert!(text.starts_with("# Fitted by ave-actors-rocksdb") && text.contains("# operation mix"), "{text}");
    assert!(text.lines().filter(|line| line.starts_with('#')).all(|line| line.chars().count() <= 120), "{text}");
    let workload = Workload::parse(&text).unwrap();
    assert_eq!((workload.name.as_str(), workload.populations[0].persistence.encrypted), ("mixed", true));
    place.holds_only(&["fitted.toml", "t.trace.csv.zst"]);

    let fitted = json(&place.run("trace fit t.trace.csv.zst --json").stdout);
    assert_eq!((&fitted["workload_file"], &fitted["workload"]["name"]), (&"mixed.toml".into(), &"mixed".into()));
    assert!(fitted["aspects"].as_array().unwrap().len() > 8 && fitted["commands_per_second"].as_f64().unwrap() > 900.0);
    assert!(place.path("mixed.toml").is_file(), "named like the trace by default");
}

#[test]
fn info_describes_a_trace_as_text_and_as_json() {
    let place = with_trace();
    let text = place.run("trace info t.trace.csv.zst").stdout;
    for part in [
        "Zipf exponent",
        "busiest",
        "p90",
        "coefficient of variation",
        "rate over time",
        "▇",
        "from before",
        "nothing more is gained",
        "MiB  █",
    ] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    let info = json(&place.run("trace info t.trace.csv.zst --json").stdout);
    for (pointer, low, high) in [
        ("/skew/zipf_exponent", 0.65, 0.95),
        ("/rhythm/interarrival_cv_ratio", 0.9, 1.1),
        ("/rhythm/burstiness_ratio", -0.05, 0.05),
        ("/commands_per_second", 900.0, 1100.0),
        ("/event_sizes/p90_bytes", 500.0, 1500.0),
        ("/live/states_bytes", 1e5, 1e8),
        ("/working_sets/0/actors_count", 100.0, 1000.0),
        ("/prehistory_events_count", 1.0, 30_000.0),
        ("/dropped_operations_count", 0.0, 0.0),
        ("/block_reads/block_reads_per_command", 0.5, 5.0),
        ("/block_reads/by_memory/0/disk_reads_per_command", 0.5, 5.0),
        ("/block_reads/knee/served_ratio", 0.95, 1.0),
    ] {
        let figure = info.pointer(pointer).and_then(serde_json::Value::as_f64);
        assert!(figure.is_some_and(|figure| (low..=high).contains(&figure)), "{pointer}: {figure:?}");
    }
}

#[test]
fn exports_go_to_standard_output_or_to_a_file_that_is_whole() {
    let place = with_trace();
    let csv = place.run("trace export t.trace.csv.zst").stdout;
    let header = "time_ns,actor_type,actor,command_id,command,operations_count,written_bytes,read_bytes";
    assert_eq!((csv.lines().next(), csv.lines().count()), (Some(header), 5_001));
    let lines = place.run("trace export t.trace.csv.zst --table actors --format json-lines").stdout;
    assert!(lines.lines().all(|line| json(line)["commands_count"].as_u64().unwrap() > 0));
    place.holds_only(&["t.trace.csv.zst"]);

    let words = "trace export t.trace.csv.zst --table trace --from 1s --to 2s -o part.csv --json";
    let exported = json(&place.run(words).stdout);
    assert_eq!(exported["file"], "part.csv");
    let info = json(&place.run("trace info part.csv --json").stdout);
    assert!(info["duration_seconds"].as_f64().unwrap() < 1.0 && exported["rows_count"].as_u64().unwrap() > 900);
    assert_eq!(place.run("trace export t.trace.csv.zst --table trace -o whole.csv.zst").code, PASS);
    let [one, other] =
        ["t.trace.csv.zst", "whole.csv.zst"].map(|name| place.run(&format!("trace export {name}")).stdout);
    assert_eq!(one, other);
    place.holds_only(&["part.csv", "t.trace.csv.zst", "whole.csv.zst"]);
}

#[test]
fn invalid_arguments_and_files_are_refused() {
    let place = with_trace();
    for (words, code, parts) in [
        ("trace generate nonesuch -o a.csv", USAGE, &["nonesuch", "ledger"][..]),
        ("trace generate mixed", USAGE, &["--output"]),
        ("trace generate mixed -o a.csv --rate 0", USAGE, &["'0' for '--rate", "more than 0"]),
        ("trace generate mixed -o a.csv --rate NaN", USAGE, &["'NaN' for '--rate"]),
        ("trace generate mixed -o a.csv --commands 0", USAGE, &["'0' for '--commands"]),
        ("trace generate mixed -o a.csv --duration soon", USAGE, &["'soon' for '--duration", "`30s`"]),
        ("trace generate mixed -o a.csv --duration 0s", USAGE, &["'0s' for '--duration"]),
        ("trace generate mixed -o a.csv --duration 1s --commands 5", USAGE, &["--commands", "--duration"]),
        ("trace generate mixed -o a.csv --duration 1ns --rate 1", FAILED, &["a.csv: empty", "nothing is due"]),
        ("trace generate mixed -o nowhere/a.csv", FAILED, &["nowhere/a.csv", "cannot create"]),
        ("trace fit nothing.csv", FAILED, &["nothing.csv", "cannot read"]),
        ("trace fit tiny.toml", FAILED, &["tiny.toml: not a trace"]),
        ("trace fit t.trace.csv.zst -o nowhere/a.toml", FAILED, &["nowhere/a.toml", "cannot write"]),
        ("trace export t.trace.csv.zst --actors 0", USAGE, &["'0' for '--actors", "percent"]),
        ("trace export t.trace.csv.zst --actors 101", USAGE, &["'101' for '--actors"]),
        ("trace export t.trace.csv.zst --from 2s --to 1s", USAGE, &["--to", "later than --from"]),
        ("trace export t.trace.csv.zst --json", USAGE, &["-o", "--format json-lines"]),
        ("trace export t.trace.csv.zst --format xlsx", USAGE, &["parquet", "json-lines"]),
        ("trace export t.trace.csv.zst --from 1h --to 2h -o a.csv", FAILED, &["t.trace.csv.zst: empty"]),
        ("trace export t.trace.csv.zst -o nowhere/a.csv", FAILED, &["nowhere/a.csv"]),
        ("trace info nothing.csv", FAILED, &["nothing.csv"]),
    ] {
        place.run(words).refused(code, parts);
        place.holds_only(&["t.trace.csv.zst"]);
    }
}

#[test]
fn one_command_and_one_actor_are_a_trace() {
    let place = Place::new();
    assert_eq!(place.run("trace generate tiny.toml -o one.csv --commands 1").code, PASS);
    for words in
        ["trace info one.csv", "trace info one.csv --json", "trace fit one.csv -o one.toml", "trace export one.csv"]
    {
        let ended = place.run(words);
        assert_eq!((ended.code, ended.stderr.as_str()), (PASS, ""), "{words}");
    }
    Workload::read(&place.path("one.toml")).unwrap();
}

#[track_caller]
fn succeeds(place: &Place, words: &str) {
    let ended = place.run(words);
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
}

#[test]
fn shards_that_several_hosts_replay_have_all_operations_of_the_trace() {
    let place = Place::new();
    succeeds(&place, "trace generate tiny.toml -o whole.trace.csv --commands 400");
    let info = json(&place.run("trace info --json whole.trace.csv").stdout);
    for number in 1..=2 {
        let shard = format!("shard-{number}.trace.csv.zst");
        succeeds(&place, &format!("trace export whole.trace.csv --shard {number}/2 -o {shard}"));
        assert!(place.run(&format!("trace info {shard}")).stdout.contains(&format!("shard {number} of 2")));
        let ended = place
            .run(&format!("run {shard} --rounds 1 --durability off --writers 1 --kills 0 --reports-dir host-{number}"));
        assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}", ended.stderr);
    }
    let report = |number: u32| {
        let directory = fs::read_dir(place.path(&format!("host-{number}"))).unwrap().next().unwrap().unwrap();
        directory.path().display().to_string()
    };
    let ended = place.run(&format!("report merge {} {} -o whole --json", report(1), report(2)));
    assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}", ended.stderr);
    let merged = json(&ended.stdout);
    assert!(merged["warnings"].to_string().contains("on one host: shards 1 and 2."), "{merged}");
    let sum = |counts: &Value| counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>();
    let mode = &merged["machines"][0]["modes"][0];
    assert_eq!(mode["operations_count"], sum(&info["operations_count"]));
    assert_eq!((&mode["commands_count"], &merged["shards"]["commands_count"]), (&400.into(), &400.into()));
    place.run(&format!("report merge {}", report(2))).refused(USAGE, &["no report of shard 1 of 2"]);
    place.run("trace export shard-1.trace.csv.zst --shard 1/2").refused(USAGE, &["shard 1 of 2 of another"]);
    place.run("trace export whole.trace.csv --shard 3/2").refused(USAGE, &["--shard", "`3/16`"]);
}

#[test]
fn a_run_begins_when_it_is_to_begin() {
    let place = Place::new();
    let in_seconds = |seconds| jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    // A slow machine needs more time to prepare.
    let ended = [1, 10, 100].into_iter().find_map(|seconds| {
        let start_at = in_seconds(seconds);
        let ended = place.run(&format!("{SHORT} --start-at {start_at}"));
        if ended.stderr.contains("choose a later time") {
            assert_eq!((ended.code, place.reports().len()), (USAGE, 0), "{}", ended.stderr);
            return None;
        }
        assert!(jiff::Timestamp::now() > start_at && ended.stderr.contains(&format!("waiting until {start_at}")));
        assert_eq!(place.report()["settings"]["start_at"], start_at.to_string());
        Some(ended)
    });
    place.ended_with(&ended.expect("it is ready within 100 s"), PASS);

    let (code, rest) =
        interrupted(&place, &format!("{SHORT} --start-at {}", in_seconds(3_600)), "waiting until", "-INT");
    assert_eq!(code, INCONCLUSIVE, "a wait can be ended");
    assert!(!rest.contains("measuring") && rest.contains("interrupted before anything was measured"), "{rest}");
}

#[test]
fn a_start_in_the_past_is_refused() {
    let place = Place::new();
    place
        .run(&format!("{SHORT} --start-at 2020-01-01T00:00:00Z"))
        .refused(USAGE, &["2020-01-01T00:00:00Z", "in the past"]);
    for mistyped in ["noon", "2026-05-04T12:00:00", "2030-05-04T12:00:00+25:00"] {
        place.run(&format!("{SHORT} --start-at {mistyped}")).refused(USAGE, &["--start-at", "2026-05-04T12:00:00Z"]);
    }
    place
        .run(&format!("{SHORT} --start-at 9999-12-31T23:59:59Z"))
        .refused(USAGE, &["--start-at", "expected a moment before 9999-12-30T22:00:00Z"]);
}

#[test]
fn an_empty_selection_is_refused_before_the_first_byte() {
    let place = Place::new();
    succeeds(&place, "trace generate tiny.toml -o whole.trace.csv --commands 40");
    for table in ["", " --table actors", " --format parquet", " --shard 1/2"] {
        let ended = place.run(&format!("trace export whole.trace.csv --from 1h{table}"));
        assert_eq!(ended.stdout, "", "{table}");
        ended.refused(FAILED, &["no commands of these actors in that time"]);
    }
    // More shards than actors.
    let mut of_shards = (1..=64).map(|number| place.run(&format!("trace export whole.trace.csv --shard {number}/64")));
    let empty = of_shards.find(|ended| ended.code != PASS).expect("a shard is empty");
    assert_eq!(empty.stdout, "");
    empty.refused(FAILED, &["use fewer shards"]);
}

#[test]
fn operations_that_a_recorder_dropped_are_in_one_shard() {
    let place = Place::new();
    succeeds(&place, "trace generate tiny.toml -o whole.trace.csv --commands 40");
    let whole = fs::read_to_string(place.path("whole.trace.csv")).unwrap();
    place.write("dropped.trace.csv", format!("{whole}# dropped 7\n"));
    let dropped = [1, 2].map(|number| {
        let text = place.run(&format!("trace export dropped.trace.csv --shard {number}/2")).stdout;
        text.lines().filter(|line| *line == "# dropped 7").count()
    });
    assert_eq!(dropped, [1, 0]);
}
