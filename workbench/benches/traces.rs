//! The cost of importing an event log as a trace, end to end, compressed and synced. Filter with
//! `cargo bench -- trace/import`.

use std::fmt::Write;
use std::time::Duration;

use ave_workbench::trace::{ImportOptions, import};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const ROWS: u32 = 200_000;

/// 200,000 rows of about 60 bytes over 20,000 cases, sorted by time or not.
fn event_log(in_order: bool) -> String {
    let mut log = "case_id,timestamp,activity\n".to_owned();
    for row in 0..ROWS {
        let place = if in_order { row } else { row.wrapping_mul(2_654_435_761) % ROWS };
        let (hour, minute, second) = (place / 3600 % 24, place / 60 % 60, place % 60);
        let case = row.wrapping_mul(2_654_435_761) % 20_000;
        let written =
            writeln!(log, "case-{case},2024-01-05 {hour:02}:{minute:02}:{second:02}.250+01:00,activity {row}");
        written.expect("writing to a string cannot fail");
    }
    log
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trace/import");
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(ROWS.into()));
    let directory = tempfile::tempdir().expect("a directory");
    let [log, trace] = ["log.csv", "log.trace.csv.zst"].map(|name| directory.path().join(name));
    for (name, in_order) in [("sorted", true), ("unsorted", false)] {
        std::fs::write(&log, event_log(in_order)).expect("a log");
        group.bench_function(BenchmarkId::new(name, ROWS), |bencher| {
            bencher.iter(|| import(&log, &trace, &ImportOptions::default()).expect("imports"));
        });
    }
    group.finish();
}

criterion_group!(imports, benches);
criterion_main!(imports);
