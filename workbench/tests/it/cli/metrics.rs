//! `--metrics`: live figures of a real measurement, and addresses that cannot be served.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::program::{FAILED, Place, Running, SHORT, USAGE};

/// Names, labels and values of an exposition, checked against the rules of `OpenMetrics` that Prometheus relies on.
struct Exposition(BTreeMap<String, f64>);

impl Exposition {
    fn parse(text: &str) -> Self {
        assert!(text.ends_with("# EOF\n"), "{text}");
        let (mut types, mut values) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines().take_while(|line| *line != "# EOF") {
            if let Some(comment) = line.strip_prefix("# ") {
                let words: Vec<&str> = comment.splitn(3, ' ').collect();
                match words[0] {
                    "TYPE" => assert!(types.insert(words[1], words[2]).is_none(), "a family is whole: {line}"),
                    "UNIT" => assert!(words[1].ends_with(&format!("_{}", words[2])), "{line}"),
                    "HELP" => assert!(!words[2].is_empty(), "{line}"),
                    other => panic!("`{other}` is no comment: {line}"),
                }
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap();
            assert!(labels.contains("workload=\"tiny.toml\"") && labels.ends_with('}'), "{line}");
            let family = ["_total", "_info"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
            let kind = types.get(family).unwrap_or_else(|| panic!("{name} has no type"));
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{line}");
            let value: f64 = value.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert!(values.insert(sample.to_owned(), value).is_none(), "twice: {line}");
        }
        Self(values)
    }

    /// The sum of the samples of a name whose labels contain `labels`.
    fn sum(&self, name: &str, labels: &str) -> f64 {
        let is_it = |sample: &str| sample.starts_with(&format!("{name}{{")) && sample.contains(labels);
        self.0.iter().filter(|(sample, _)| is_it(sample)).map(|(_, value)| value).sum()
    }
}

/// Status line and headers, and the body.
fn get(address: &str, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// Starts a measurement, and returns the address that it prints.
fn started(place: &Place, words: &str) -> (Running, String) {
    let (running, line) = Running::start_with_line(place, words, "metrics at http://");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches("/metrics").to_owned();
    (running, address)
}

/// Scrapes until `enough`.
fn scraped(address: &str, enough: impl Fn(&Exposition) -> bool) -> Exposition {
    let began = Instant::now();
    loop {
        let (head, body) = get(address, "/metrics").expect("it measures still");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("application/openmetrics-text; version=1.0.0"),
            "{head}"
        );
        let found = Exposition::parse(&body);
        if enough(&found) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{body}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

const LONG: &str = "run tiny.toml --rounds 1 --writers 1 --durability off --warmup 200ms --measure 60s --no-verify";
const MEASURE: &str = "durability=\"off\",phase=\"measure\"";

#[test]
fn a_run_is_scraped_while_it_measures() {
    let place = Place::new();
    let (_running, address) = started(&place, &format!("{LONG} --metrics 127.0.0.1:0"));
    let first = scraped(&address, |found| {
        found.sum("ave_workbench_response_time_p99_seconds", MEASURE) > 0.0
            && found.sum("ave_workbench_process_cpu_seconds_total", MEASURE) > 0.0
    });
    for (name, labels) in [
        ("ave_workbench_phase_active", ""),
        ("ave_workbench_phase_active", MEASURE),
        ("ave_workbench_round", ""),
        ("ave_workbench_rounds", ""),
    ] {
        let found = first.sum(name, labels);
        assert!((found - 1.0).abs() < 1e-12, "one phase at a time, the only round: {name} {labels} {found}");
    }
    assert!(first.sum("ave_workbench_phase_progress_ratio", MEASURE) <= 1.0);
    assert!(first.sum("ave_workbench_process_resident_memory_bytes", "") > 0.0);
    let commands = first.sum("ave_workbench_commands_total", MEASURE);
    assert!(commands > 0.0);
    let later = scraped(&address, |found| found.sum("ave_workbench_commands_total", MEASURE) > commands);
    let p99 = later.sum("ave_workbench_response_time_p99_seconds", MEASURE);
    assert!((1e-9..60.0).contains(&p99), "seconds: {p99}");
    let (head, _) = get(&address, "/").unwrap();
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

/// Without it, no one would know the port.
#[test]
fn a_port_that_the_system_chose_is_printed_with_quiet_too() {
    let place = Place::new();
    let (_running, address) = started(&place, &format!("{LONG} --quiet --metrics 127.0.0.1:0"));
    assert!(get(&address, "/metrics").is_some(), "{address}");
}

/// The database is in a child process, which passes its figures on.
#[test]
fn a_certification_is_scraped_while_it_measures() {
    let place = Place::new();
    let words = "certify tiny.toml --rate 200 --slo p50=1m --duration 60s --slice 1s --segment 3s --writers 1";
    let (_running, address) = started(&place, &format!("{words} --metrics 127.0.0.1:0"));
    let durable = "durability=\"on\",phase=\"measure\"";
    let counters = ["commands_total", "process_cpu_seconds_total", "wal_syncs_total"];
    let has = |found: &Exposition, name: &str| found.sum(&format!("ave_workbench_{name}"), durable) > 0.0;
    scraped(&address, |found| counters.iter().all(|name| has(found, name)));
}

#[test]
fn an_address_that_cannot_be_served_is_refused_before_anything_is_measured() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = taken.local_addr().unwrap().to_string();
    let objective = "certify tiny.toml --rate 200 --slo p50=1m --duration 4s --slice 1s --segment 1s --writers 1";
    for words in [SHORT, "plan tiny.toml --target 100 --slo p99=1s --quick", objective] {
        let ended = place.run(&format!("{words} --metrics {in_use}"));
        ended.refused(FAILED, &["cannot serve metrics at", &in_use, "in use", "another address or port"]);
        // An address of documentation, which no host has.
        place.run(&format!("{words} --metrics 192.0.2.1:9898")).refused(FAILED, &["192.0.2.1:9898"]);
        for mistyped in ["9898", "localhost", "127.0.0.1:99999"] {
            place.run(&format!("{words} --metrics {mistyped}")).refused(USAGE, &["--metrics", "`127.0.0.1:9898`"]);
        }
    }
    place.holds_only(&[]);
}

#[test]
fn without_the_option_nothing_listens() {
    let place = Place::new();
    let ended = place.run(SHORT);
    assert!(!ended.stderr.contains("metrics at"), "{}", ended.stderr);
}
