//! `trace generate`, `fit`, `info` and `export`.

use std::fs;

use ave_workbench::workload::Workload;

use super::program::{FAILED, PASS, Place, USAGE, json};

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
