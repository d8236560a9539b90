//! The figures that `examples/prometheus.rs` exports, as somebody who parses them sees them.

// The example is a program, of which two functions are called here.
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

use super::Database;
use prometheus::{answer, exposition};

/// The kind of each metric and its samples, labels and values as written. Fails on whatever the format does not allow.
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
            // A value holds no brace, a label may.
            let (labels, value) = sample.rsplit_once("} ").expect(sample);
            assert!(value.parse::<f64>().is_ok_and(|value| value >= 0.0), "{value}");
            samples.push((labels.to_owned(), value.to_owned()));
        }
        assert!(metrics.insert(name.to_owned(), (kind, samples)).is_none(), "{name} is there twice");
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
fn every_figure_has_its_name_its_kind_and_its_unit() {
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
fn the_figures_that_operators_are_told_to_watch_are_there() {
    let manual = include_str!("../../../docs/operating.md");
    let metrics = parsed(&exposition("ledger", &EngineStats::default()));
    let named: Vec<&str> = manual.split('`').filter(|word| word.starts_with("ave_rocksdb_")).collect();
    assert!(named.len() > 10);
    for name in named {
        assert!(metrics.contains_key(name), "{name}");
    }
}

#[test]
fn a_database_may_have_any_name() {
    let page = exposition("C:\\db \"x\"} 1\nnext", &EngineStats::default());
    for (_, samples) in parsed(&page).into_values() {
        for (labels, _) in samples {
            assert_eq!(labels, r#"database="C:\\db \"x\"} 1\nnext""#);
        }
    }
}

/// What an HTTP client gets to see.
fn ask(db: &Database, request: &str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| answer(listener.accept().unwrap().0, "ledger", &db.manager).unwrap());
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
}

#[test]
fn a_scrape_gets_what_happened_since_the_first_one() {
    let db = Database::new();
    let scrape = || {
        let answer = ask(&db, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
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
    assert_eq!(first, 0, "counting begins with the first scrape");
    Collection::put(&mut events, "02", &[7; 1000]).unwrap();
    assert!((1000..2000).contains(&scrape()));
}

#[test]
fn nothing_else_is_served() {
    let db = Database::new();
    for request in ["GET / HTTP/1.1\r\n\r\n", "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "nonsense\r\n\r\n"]
    {
        assert!(ask(&db, request).starts_with("HTTP/1.1 404 Not Found\r\n"), "{request}");
    }
}
