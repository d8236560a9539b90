//! Parses the metrics that `examples/prometheus.rs` exports.

// The example is a program; only two of its functions are used here.
#[allow(dead_code)]
#[path = "../../../examples/prometheus.rs"]
mod prometheus;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
};

use ave_actors_rocksdb::backend::{EngineStats, LevelStats};
use ave_actors_store::database::Collection;

use super::{DEADLINE, Database};
use prometheus::{exposition, respond};

/// The kind of each metric and its samples: labels and value as text. Fails on text that the format does not allow.
fn parsed(text: &str) -> BTreeMap<String, (String, Vec<(String, String)>)> {
    assert!(text.ends_with('\n'));
    let mut metrics = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(line);
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!(!help.is_empty() && !help.contains('\\'), "{line}");
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).expect(line).to_owned();
        assert!(["gauge", "counter"].contains(&kind.as_str()), "{kind}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        let mut samples = Vec::new();
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let sample = sample.strip_prefix(&format!("{name}{{")).expect(sample);
            // A label may contain a brace, a value does not.
            let (labels, value) = sample.rsplit_once("} ").expect(sample);
            assert!(value.parse::<f64>().is_ok_and(|value| value >= 0.0), "{value}");
            samples.push((labels.to_owned(), value.to_owned()));
        }
        assert!(metrics.insert(name.to_owned(), (kind, samples)).is_none(), "{name} is duplicated");
    }
    metrics
}

fn values(text: &str) -> BTreeMap<String, String> {
    let metrics = parsed(text).into_iter();
    metrics
        .flat_map(|(name, (_, samples))| samples.into_iter().map(move |(l, v)| (format!("{name}{{{l}}}"), v)))
        .collect()
}

#[test]
fn samples_have_the_value_of_their_field_in_the_unit_of_their_name() {
    let stats = EngineStats {
        memory_budget_bytes: 33_554_432,
        stall_micros: 1_000_250,
        write_stopped: true,
        wal_syncs: u64::MAX,
        levels: vec![LevelStats { files: 3, bytes: 300 }, LevelStats::default(), LevelStats { files: 7, bytes: 7000 }],
        ..EngineStats::default()
    };
    let values = values(&exposition("ledger", &stats));
    for (sample, value) in [
        (r#"ave_rocksdb_memory_budget_bytes{database="ledger"}"#, "33554432"),
        (r#"ave_rocksdb_stall_seconds_total{database="ledger"}"#, "1.000250"),
        (r#"ave_rocksdb_write_stopped{database="ledger"}"#, "1"),
        (r#"ave_rocksdb_wal_syncs_total{database="ledger"}"#, "18446744073709551615"),
        (r#"ave_rocksdb_level_files{database="ledger",level="0"}"#, "3"),
        (r#"ave_rocksdb_level_files{database="ledger",level="1"}"#, "0"),
        (r#"ave_rocksdb_level_bytes{database="ledger",level="2"}"#, "7000"),
    ] {
        assert_eq!(values.get(sample).map(String::as_str), Some(value), "{sample}");
    }
}

#[test]
fn every_metric_in_the_manual_is_exported() {
    let manual = include_str!("../../../docs/operating.md");
    let metrics = parsed(&exposition("ledger", &EngineStats::default()));
    let named: Vec<&str> = manual.split('`').filter(|word| word.starts_with("ave_rocksdb_")).collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(metrics.contains_key(name), "{name}");
    }
}

#[test]
fn label_values_are_escaped() {
    let page = exposition("C:\\db \"x\"} 1\nnext", &EngineStats::default());
    for (_, samples) in parsed(&page).into_values() {
        for (labels, _) in samples {
            assert_eq!(labels, r#"database="C:\\db \"x\"} 1\nnext""#);
        }
    }
}

/// The response to an HTTP request.
fn send(db: &Database, request: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // The kernel accepts the connection before the listener does, so neither side waits without bound.
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| respond(listener.accept().unwrap().0, "ledger", &db.manager).unwrap());
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    })
}

#[test]
fn counters_start_at_the_first_scrape() {
    let db = Database::new();
    let scrape = || {
        let response = send(&db, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4"), "{head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
        values(body)
            .remove(r#"ave_rocksdb_user_written_bytes_total{database="ledger"}"#)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let mut events = db.collection("events", "actor");
    Collection::put(&mut events, "01", &[7; 5000]).unwrap();
    let first = scrape();
    assert_eq!(first, 0, "the first scrape starts the counters");
    Collection::put(&mut events, "02", &[7; 1000]).unwrap();
    assert!((1000..2000).contains(&scrape()));
}

#[test]
fn other_requests_get_404() {
    let db = Database::new();
    for request in ["GET / HTTP/1.1\r\n\r\n", "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n"]
    {
        assert!(send(&db, request).starts_with("HTTP/1.1 404 Not Found\r\n"), "{request}");
    }
}
