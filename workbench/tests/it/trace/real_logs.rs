//! Real logs of many programs: each import agrees with a plain reading of the file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ave_workbench::trace::{self, ImportOptions};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use tempfile::tempdir;

use crate::support::skip::skipped;

/// A field of a row, by the name of its column.
type Fields<'a> = &'a dyn Fn(&str) -> String;

struct RealLog {
    file: &'static str,
    /// The fewest options.
    options: ImportOptions,
    separator: u8,
    actor: &'static str,
    /// Whether rows without an actor, or with `NA` for one, are left out.
    skips: bool,
    time: fn(Fields<'_>) -> Timestamp,
}

/// Numbers of a text: `9.3.10 8:05` has five.
fn numbers(text: &str) -> Vec<i64> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| !run.is_empty()).map(|run| run.parse().unwrap()).collect()
}

/// Year, month, day, hour, minute, second.
fn civil(parts: [i64; 6]) -> Timestamp {
    let [year, month, day, hour, minute, second] = parts.map(|part| i16::try_from(part).unwrap());
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|part| i8::try_from(part).unwrap());
    date(year, month, day).at(hour, minute, second, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

fn milliseconds(time: Timestamp, milliseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(time.as_nanosecond() + i128::from(milliseconds) * 1_000_000).unwrap()
}

/// `2013-12-25 12:36:38.983` and with slashes or without milliseconds.
fn year_first(text: &str) -> Timestamp {
    let [year, month, day, hour, minute, second, rest @ ..] = &numbers(text)[..] else { panic!("{text}") };
    milliseconds(civil([*year, *month, *day, *hour, *minute, *second]), rest.first().copied().unwrap_or(0))
}

fn logs() -> Vec<RealLog> {
    let log = |file, separator, actor, time| RealLog {
        file,
        options: ImportOptions::default(),
        separator,
        actor,
        skips: false,
        time,
    };
    let with_actor = |log: RealLog| RealLog {
        options: ImportOptions { actor_column: Some(log.actor.to_owned()), ..log.options },
        ..log
    };
    let skipping = |log: RealLog| RealLog {
        options: ImportOptions { skip_bad_rows: Some(u64::MAX), ..log.options },
        skips: true,
        ..log
    };
    let mut air = with_actor(log("logs/air-quality-decimal-comma.csv", b';', "NMHC(GT)", |field| {
        let [day, month, year] = numbers(&field("Date"))[..] else { panic!() };
        let [hour, minute, second] = numbers(&field("Time"))[..] else { panic!() };
        civil([year, month, day, hour, minute, second])
    }));
    // No day is above 12.
    air.options.time_format = Some("DD/MM/YYYY".to_owned());
    let mut syslog = with_actor(log("logs/syslog-no-year.csv", b',', "process", |field| {
        let text = field("time");
        let [day, hour, minute, second] = numbers(&text)[..] else { panic!() };
        let month = if text.starts_with("Mar") { 3 } else { panic!("{text}") };
        civil([2015, month, day, hour, minute, second])
    }));
    syslog.options.year = Some(2015);
    vec![
        air,
        syslog,
        log("logs/apache-access-times.csv", b',', "client_ip", |field| {
            let text = field("time");
            let [day, year, hour, minute, second, 0] = numbers(&text)[..] else { panic!("{text}") };
            civil([year, if text.contains("/May/") { 5 } else { panic!("{text}") }, day, hour, minute, second])
        }),
        log("logs/call-centre-cr-only-dmyy.csv", b',', "Case ID", |field| {
            let [day, month, year, hour, minute] = numbers(&field("Start Date"))[..] else { panic!() };
            civil([2000 + year, month, day, hour, minute, 0])
        }),
        with_actor(log("logs/ethereum-long-rows.csv", b',', "from_address", |field| {
            Timestamp::from_second(field("block_timestamp").parse().unwrap()).unwrap()
        })),
        log("logs/grants-trailing-semicolon.csv", b';', "ID", |field| year_first(&field("Date"))),
        with_actor(log("logs/health-unpadded-milliseconds.csv", b',', "Component", |field| {
            let [day, hour, minute, second, thousandths] = numbers(&field("Time"))[..] else { panic!() };
            let time = civil([day / 10_000, day / 100 % 100, day % 100, hour, minute, second]);
            milliseconds(time, thousandths)
        })),
        skipping(with_actor(log("logs/kafka-empty-actors.csv", b',', "partition", |field| year_first(&field("time"))))),
        skipping(with_actor(log("logs/orders-blank-cases.csv", b',', "ocel:type:packages", |field| {
            field("ocel:timestamp").parse().unwrap()
        }))),
        log("logs/purchasing-cr-only-two-times.csv", b',', "Case ID", |field| year_first(&field("Complete Timestamp"))),
        log("logs/running-example.csv", b',', "case:concept:name", |field| field("time:timestamp").parse().unwrap()),
        with_actor(log("logs/sap-date-and-time-columns.csv", b',', "VBELN", |field| {
            let [day, clock]: [i64; 2] = ["ERDAT", "ERZET"].map(|column| field(column).parse().unwrap());
            let [year, month] = [day / 10_000, day / 100 % 100];
            civil([year, month, day % 100, clock / 10_000, clock / 100 % 100, clock % 100])
        })),
        log("logs/sepsis-36-columns.csv", b';', "Case ID", |field| year_first(&field("Complete Timestamp"))),
        log("logs/views-date-only.csv", b';', "session_id", |field| {
            let [year, month, day] = numbers(&field("eventdate"))[..] else { panic!() };
            civil([year, month, day, 0, 0, 0])
        }),
        log("receipt.csv", b',', "case:concept:name", |field| field("time:timestamp").parse().unwrap()),
    ]
}

/// Events, actors, first and last time.
type Totals = (u64, u64, [Timestamp; 2]);

fn plain_reading(path: &Path, log: &RealLog) -> Totals {
    let mut reader = csv::ReaderBuilder::new().delimiter(log.separator).from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let (mut actors, mut times) = (BTreeSet::new(), Vec::new());
    for record in reader.records().map(Result::unwrap) {
        if record.iter().all(|field| field.chars().all(|c| " ,".contains(c))) {
            continue;
        }
        let field = |name: &str| record[headers.iter().position(|header| header == name).unwrap()].to_owned();
        let actor = field(log.actor);
        if log.skips && ["", "NA", "NULL", "-"].contains(&actor.trim()) {
            continue;
        }
        actors.insert(actor);
        times.push((log.time)(&field));
    }
    let span = [*times.iter().min().unwrap(), *times.iter().max().unwrap()];
    (times.len() as u64, actors.len() as u64, span)
}

#[test]
fn real_logs_are_imported_with_the_fewest_options() {
    let data = ["/work/shared/data".to_owned(), format!("{}/data", env!("CARGO_MANIFEST_DIR"))];
    let Some(data) = data.iter().map(PathBuf::from).find(|data| data.join("logs").is_dir()) else {
        return skipped(real_logs_are_imported_with_the_fewest_options, "the real logs do not exist");
    };
    let directory = tempdir().unwrap();
    let mut wrong = Vec::new();
    for log in logs() {
        let path = data.join(log.file);
        match trace::import(&path, &directory.path().join("out.csv.zst"), &log.options) {
            Err(error) => wrong.push(format!("{}: {error}", log.file)),
            Ok(summary) => {
                let found: Totals = (summary.events, summary.actors, summary.span);
                let expected = plain_reading(&path, &log);
                if found != expected {
                    wrong.push(format!("{}: {found:?}, expected {expected:?}; {:?}", log.file, summary.columns));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
