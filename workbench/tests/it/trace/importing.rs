//! Import of event logs: rows of any form, order and number become the commands that a plain reading of the log gives,
//! and malformed rows are reported with their line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ave_actors_rocksdb::trace::{CommandKind, NameRule, OpKind};
use ave_workbench::actor::{ActorLog, Command, PersistenceRules, Strategy as When};
use ave_workbench::trace;
use ave_workbench::trace::{
    ImportLimits, ImportObserver, ImportOptions, ImportStage, ImportSummary, LogInput, Trace, TraceActor, TraceError,
    Truncation,
};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::support::skip::skipped;
use crate::support::{TracedCommand, commands_in};

/// An event log and its trace.
struct Log {
    directory: TempDir,
    path: PathBuf,
    output: PathBuf,
}

impl Log {
    fn new(bytes: impl AsRef<[u8]>) -> Self {
        let directory = tempdir().unwrap();
        let (path, output) = (directory.path().join("log.csv"), directory.path().join("out.csv"));
        fs::write(&path, bytes).unwrap();
        Self { directory, path, output }
    }

    fn summary(&self, options: &ImportOptions) -> ImportSummary {
        trace::import(&self.path, &self.output, options).unwrap()
    }

    fn trace(&self) -> Trace {
        trace::read(&self.output, Truncation::Refuse).unwrap()
    }

    fn import(&self, options: &ImportOptions) -> Vec<TracedCommand> {
        self.summary(options);
        commands_in(&self.trace())
    }

    /// Seconds from the first event, and actors.
    fn moments(&self, options: &ImportOptions) -> Vec<(f64, String)> {
        let commands = self.import(options).into_iter();
        commands.map(|command| (command.at_ns as f64 / 1e9, command.actor.name.to_string())).collect()
    }

    /// The error of an import that must fail; it leaves the old output as it was.
    #[track_caller]
    fn refused(&self, options: &ImportOptions) -> String {
        fs::write(&self.output, "precious").unwrap();
        let error = trace::import(&self.path, &self.output, options).unwrap_err().to_string();
        assert!(error.contains(&self.path.display().to_string()), "{error}");
        assert_eq!(fs::read_to_string(&self.output).unwrap(), "precious");
        assert_eq!(fs::read_dir(self.directory.path()).unwrap().count(), 2, "the log and the old output");
        error
    }
}

/// Light persistence, names kept.
fn options() -> ImportOptions {
    ImportOptions { names: NameRule::Keep, state_bytes: 300, ..ImportOptions::default() }
}

/// Blocks of a few rows and runs of a few events, so that a short log is read like a long one.
fn tiny() -> ImportLimits {
    ImportLimits { block_bytes: 100, run_events: 5 }
}

/// Row of a log: case, milliseconds since an epoch, text.
type Row = (u8, u32, String);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = prop_oneof!["[a-z ]{0,60}", "[a-zß✓,;\t|\"\r\n]{0,12}"];
    // Few moments, so that many rows share theirs.
    prop::collection::vec((0u8..6, (0u32..30).prop_map(|moment| moment * 333), text), 1..80)
}

fn rules() -> impl Strategy<Value = PersistenceRules> {
    let strategy = prop_oneof![
        Just(When::Light),
        prop::option::of(1u64..4).prop_map(|snapshot_every| When::Full { snapshot_every })
    ];
    (strategy, any::<bool>(), any::<bool>()).prop_map(|(strategy, compact_on_snapshot, encrypted)| PersistenceRules {
        strategy,
        compact_on_snapshot,
        encrypted,
    })
}

fn written(rows: &[Row], delimiter: u8, crlf: bool) -> Vec<u8> {
    let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).terminator(end).from_writer(Vec::new());
    csv.write_record(["activity", "case_id", "timestamp"]).unwrap();
    for (case, millis, text) in rows {
        let time = format!("2024-02-29 23:59:{:02}.{:03}+01:00", millis / 1000, millis % 1000);
        csv.write_record([text, &format!("case {case}"), &time]).unwrap();
    }
    csv.into_inner().unwrap()
}

/// A plain reading: all rows, sorted.
fn reference(log: &[u8], delimiter: u8, options: &ImportOptions) -> Vec<TracedCommand> {
    let mut events: Vec<(i128, String, u32)> = Vec::new();
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(log);
    for record in reader.records() {
        let record = record.unwrap();
        let bytes = record.iter().map(str::len).sum::<usize>() + record.len() - 1;
        let time: jiff::Timestamp = record[2].parse().unwrap();
        events.push((time.as_nanosecond(), record[1].to_owned(), u32::try_from(bytes).unwrap()));
    }
    events.sort_by_key(|event| event.0);
    let first = events[0].0;
    let mut logs: BTreeMap<String, ActorLog> = BTreeMap::new();
    let command = |(time, name, event_bytes): (i128, String, u32)| {
        let mut ops = Vec::new();
        let actor = TraceActor::new(&options.type_name, &name);
        let command = Command::Persist { event_bytes, state_bytes: options.state_bytes };
        logs.entry(name).or_default().expand(options.rules, command, &mut ops);
        TracedCommand { at_ns: u64::try_from(time - first).unwrap(), actor, kind: CommandKind::Persist, ops }
    };
    events.into_iter().map(command).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// In blocks of any size, sorted in memory or on disk.
    #[test]
    fn an_import_is_what_a_plain_reading_gives(
        rows in rows(),
        rules in rules(),
        delimiter in prop::sample::select(b",;\t|"),
        crlf: bool,
        (block_bytes, run_events) in (1usize..400, 1usize..100),
    ) {
        let log = written(&rows, delimiter, crlf);
        let limits = ImportLimits { block_bytes, run_events };
        // A separator may stand in the text too, so it is not left to a guess.
        let options = ImportOptions { rules, limits, delimiter: Some(delimiter), ..options() };
        prop_assert_eq!(Log::new(&log).import(&options), reference(&log, delimiter, &options));
    }
}

#[test]
fn a_long_log_in_no_order_is_the_same_however_it_is_read() {
    let row = |n: u32| (n.wrapping_mul(2_654_435_761) >> 25, n.wrapping_mul(40_503) % 60_000);
    let rows: Vec<Row> =
        (0..40_000).map(row).map(|(case, millis)| (case.to_le_bytes()[0], millis, "x".repeat(60))).collect();
    let log = written(&rows, b',', false);
    let expected = reference(&log, b',', &options());
    let log = Log::new(&log);
    assert_eq!(log.import(&options()), expected, "several blocks, one run");
    let limits = ImportLimits { block_bytes: 10_000, run_events: 9_000 };
    assert_eq!(
        log.import(&ImportOptions { limits, ..options() }),
        expected,
        "many blocks, and runs longer than the buffers of the merge"
    );
    assert_eq!(fs::read_dir(log.directory.path()).unwrap().count(), 2, "the log and its trace");
}

const HEAD: &str = "case_id,timestamp,payload\n";

#[test]
fn the_forms_of_times_are_detected() {
    for (times, form, seconds) in [
        (["2024-01-05T10:00:00Z", "2024-01-05T12:00:01.5+02:00"], "RFC 3339", 1.5),
        (["2024-01-05 10:00", "2024-01-05 10:01"], "RFC 3339", 60.0),
        (["05.01.2024 10:00:00", "13.01.2024 10:00:01"], "DD.MM.YYYY", 691_201.0),
        (["2024/01/05 9:59:59 AM", "2024/01/05 1:00:00 PM"], "YYYY/MM/DD", 10_801.0),
        (["05/01/2024 10:00", "13/01/2024 10:00"], "DD/MM/YYYY", 691_200.0),
        (["01/05/2024 10:00", "01/13/2024 10:00"], "MM/DD/YYYY", 691_200.0),
        (["05-Jan-2024 10:00", "13-Jan-2024 10:00"], "DD-MM-YYYY", 691_200.0),
        (["1704448800", "1704448801.25"], "Unix seconds", 1.25),
        (["1704448800000", "1704448800250"], "Unix milliseconds", 0.25),
        (["1704448800000000", "1704448800000001"], "Unix microseconds", 1e-6),
        (["1704448800000000000", "1704448800000000007"], "Unix nanoseconds", 7e-9),
    ] {
        let log = Log::new(format!("{HEAD}a,{},x\nb,{},x\n", times[0], times[1]));
        let moments = log.moments(&options());
        assert_eq!(moments, [(0.0, "a".to_owned()), (seconds, "b".to_owned())], "{times:?}");
        let summary = log.summary(&options());
        assert!(summary.columns.contains(&"time: `timestamp` (guessed)".to_owned()), "{summary:?}");
        let found = summary.columns.iter().find(|line| line.starts_with("time format:")).unwrap();
        assert!(found.contains(form) && found.ends_with("(guessed)"), "{found}");
    }
}

/// The only day above 12 is far behind the first rows.
#[test]
fn one_day_above_12_distinguishes_days_from_months() {
    let first = "a,03/02/2024,some text that makes the log long\n".repeat(20_000);
    let months = Log::new(format!("{HEAD}{first}b,03/13/2024,x\n")).moments(&options());
    assert_eq!(months.last().unwrap(), &(11.0 * 86_400.0, "b".to_owned()));
    let days = Log::new(format!("{HEAD}{first}b,13/03/2024,x\n"));
    assert_eq!(days.moments(&options()).last().unwrap(), &(39.0 * 86_400.0, "b".to_owned()));

    let text = fs::read(&days.path).unwrap();
    let input = LogInput::reader("the pipe", Cursor::new(text));
    let error = trace::import_from(input, &days.output, &options(), &()).unwrap_err().to_string();
    assert!(error.contains("the pipe, line 2") && error.contains("--time-format"), "it cannot be read twice: {error}");

    let undecided = Log::new(format!("{HEAD}{first}"));
    let error = undecided.refused(&options());
    assert!(error.contains("line 2, column `timestamp`: `03/02/2024`"), "{error}");
    assert!(error.contains("day above 12") && error.contains("%m/%d/%Y"), "{error}");
    let given = ImportOptions { time_format: Some("%m/%d/%Y".to_owned()), ..options() };
    assert_eq!(undecided.summary(&given).span[0].to_string(), "2024-03-02T00:00:00Z");
}

#[test]
fn a_row_in_another_form_is_refused_with_its_line() {
    for (good, bad) in [
        ("2024-01-05T10:00:00Z", "1704448800"),
        ("05.01.2024", "2024-01-05"),
        ("13/01/2024", "01/13/2024"),
        ("1704448800", "1704448800000"),
        ("1704448800000", "1704448800"),
        ("2024-01-05", "0001-01-05"),
        ("2024-01-05", "2024-02-30"),
    ] {
        let error = Log::new(format!("{HEAD}a,{good},x\na,{good},x\na,{bad},x\n")).refused(&options());
        let place = format!("line 4, column `timestamp`: `{bad}`, expected");
        assert!(error.contains(&place) && error.contains("--time-format"), "{error}");
    }
    let error = Log::new(format!("{HEAD}a,noon,x\n")).refused(&options());
    assert!(error.contains("line 2") && error.contains("`noon`") && error.contains("DD.MM.YYYY"), "{error}");
}

#[test]
fn a_bad_row_deep_in_a_log_is_refused_with_its_line() {
    // A record of two lines, so that lines and records differ.
    let good = "a,2024-01-01T00:00:00Z,\"some text\nand more\"\n";
    let rows = 60_000;
    for (bad, expected) in [
        ("a,yesterday,x\n", "column `timestamp`: `yesterday`"),
        (",2024-01-01T00:00:00Z,x\n", "column `case_id`: empty"),
        ("a,2024-01-01T00:00:00Z\n", "2 fields, expected 3 as in the header"),
        ("a,2024-01-01T00:00:00Z,x,y\n", "4 fields, expected 3"),
        ("a,2024-01-01T00:00:00Z,\"x\n", "unclosed quote"),
        ("a,,x\n", "column `timestamp`: ``"),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("{HEAD}{}{bad}a,tomorrow,x\n", good.repeat(rows)).replace('\n', end);
            assert!(text.len() > 2 << 20, "the bad row is in the third block");
            let error = Log::new(text).refused(&options());
            let line = format!("line {}", 2 + 2 * rows);
            assert!(error.contains(&line) && error.contains(expected), "{bad}: {error}");
        }
    }
    let text = format!("{HEAD}{}a,yesterday,x\n", good.repeat(50));
    let error = Log::new(text).refused(&ImportOptions { limits: tiny(), ..options() });
    assert!(error.contains("line 102"), "{error}");
}

#[test]
fn actors_and_times_may_stand_in_several_columns() {
    let log = Log::new("order;line;date;time\n7;1;05.01.2024;10:00\n7;;05.01.2024;10:01\n");
    let actor_column = Some("order,line".to_owned());
    let options = ImportOptions { actor_column, ..options() };
    assert_eq!(log.moments(&options), [(0.0, "7/1".to_owned()), (60.0, "7/".to_owned())], "a time beside a date");
    let named = ImportOptions { time_column: Some("date, time".to_owned()), ..options.clone() };
    assert_eq!(log.moments(&named).len(), 2);
    let wrong = ImportOptions { time_column: Some("date,hour".to_owned()), ..options };
    assert!(log.refused(&wrong).contains("no column `hour`"));
}

#[test]
fn bytes_that_are_not_utf_8_keep_their_number() {
    let log = Log::new(b"case_id,timestamp,stra\xdfe\nM\xfcller,2024-01-01,\xe4\xf6\nM\xf6ller,2024-01-01,x\n");
    let summary = log.summary(&options());
    assert!(summary.assumptions.iter().any(|assumed| assumed.contains("Latin-1")), "{summary:?}");
    let commands = commands_in(&log.trace());
    assert_eq!([0, 1].map(|command| &*commands[command].actor.name), ["Müller", "Möller"]);
    assert_eq!(commands[0].ops[0].bytes, 6 + 1 + 10 + 1 + 2);

    let wide: Vec<u8> = "\u{feff}case_id,timestamp\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(Log::new(wide).refused(&options()).contains("UTF-16"));
}

#[test]
fn compressed_logs_and_readers_are_imported() {
    let text = format!("\u{feff}{HEAD}{}", "a,2024-01-01T00:00:00Z,x\n".repeat(3_000));
    let expected = Log::new(&text).import(&options());
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    for bytes in [&packed, &gzip] {
        let log = Log::new(bytes);
        assert_eq!(log.import(&options()), expected);
        let input = LogInput::reader("-", Cursor::new(bytes.clone()));
        trace::import_from(input, &log.output, &options(), &()).unwrap();
        assert_eq!(commands_in(&log.trace()), expected);
        let error = Log::new(&bytes[..bytes.len() / 2]).refused(&options());
        assert!(error.contains("cannot read"), "a log that is cut off: {error}");
    }
}

#[test]
fn local_times_are_in_the_given_zone() {
    let berlin = match jiff::tz::TimeZone::get("Europe/Berlin") {
        Ok(zone) => zone,
        Err(error) => return skipped(local_times_are_in_the_given_zone, &format!("no time zone database: {error}")),
    };
    let log = Log::new(format!("{HEAD}a,2024-01-01 12:00,x\na,2024-07-01 12:00,x\na,2024-07-02T00:00Z,x\n"));
    let summary = log.summary(&ImportOptions { time_zone: Some(berlin), ..options() });
    assert_eq!(summary.span.map(|time| time.to_string()), ["2024-01-01T11:00:00Z", "2024-07-02T00:00:00Z"]);
    assert_eq!(commands_in(&log.trace())[1].at_ns, (182 * 24 - 1) * 3_600_000_000_000, "an hour less in summer");
    assert!(summary.assumptions.iter().any(|assumed| assumed.contains("Europe/Berlin")), "{summary:?}");
}

/// Records the progress, and cancels an import in one of its stages.
#[derive(Default)]
struct RecordingObserver {
    stop_in: Option<ImportStage>,
    calls: Mutex<Vec<(ImportStage, u64, Option<u64>)>>,
    checks: AtomicU64,
}

impl ImportObserver for RecordingObserver {
    fn progress(&self, stage: ImportStage, done: u64, total: Option<u64>) {
        self.calls.lock().unwrap().push((stage, done, total));
    }

    fn is_stopped(&self) -> bool {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.calls.lock().unwrap().last().is_some_and(|call| Some(call.0) == self.stop_in)
    }
}

#[test]
fn an_observer_sees_all_progress_and_can_cancel() {
    let log = Log::new(format!("{HEAD}{}", "a,2024-01-01T00:00:00Z,x\n".repeat(100_000)));
    let observer = RecordingObserver::default();
    trace::import_from(LogInput::file(&log.path), &log.output, &options(), &observer).unwrap();
    let size = fs::metadata(&log.path).unwrap().len();
    let calls = observer.calls.into_inner().unwrap();
    assert!(calls.contains(&(ImportStage::Read, size, Some(size))), "{calls:?}");
    assert_eq!(calls.last(), Some(&(ImportStage::Write, 100_000, Some(100_000))));
    assert!(observer.checks.into_inner() >= calls.len() as u64);

    fs::write(&log.output, "precious").unwrap();
    for stage in [ImportStage::Read, ImportStage::Write] {
        let observer = RecordingObserver { stop_in: Some(stage), ..RecordingObserver::default() };
        let ended = trace::import_from(LogInput::file(&log.path), &log.output, &options(), &observer);
        assert!(matches!(ended, Err(TraceError::Interrupted)));
        assert_eq!(fs::read_to_string(&log.output).unwrap(), "precious");
        assert_eq!(fs::read_dir(log.directory.path()).unwrap().count(), 2, "nothing else is left");
    }
}

#[test]
fn the_size_of_an_event_is_that_of_the_payload_column() {
    let log = Log::new(format!("{HEAD}a,2024-01-01T00:00:00Z,12345\nb,2024-01-01T00:00:01Z,\n"));
    let commands = log.import(&ImportOptions { payload_column: Some("payload".to_owned()), ..options() });
    let ops = commands.into_iter().flat_map(|command| command.ops);
    let events: Vec<_> = ops.filter(|op| op.kind == OpKind::EventsPut).map(|op| op.bytes).collect();
    assert_eq!(events, [5, 0]);
}

#[test]
fn hashed_names_cannot_be_found_in_the_trace_and_stay_apart() {
    let rows: Vec<_> =
        (0..30).map(|n| format!("customer-{},2024-01-01T00:00:{n:02}Z,secret-payload\n", n % 10)).collect();
    let log = Log::new(HEAD.to_owned() + &rows.concat());
    let imported = |names| {
        log.summary(&ImportOptions { names, ..options() });
        log.trace()
    };
    let first = imported(NameRule::Hash);
    let text = fs::read_to_string(&log.output).unwrap();
    assert!(!text.contains("customer") && !text.contains("secret"), "neither names nor payloads are in a trace");
    assert!(first.provenance.names_hashed && first.actors().len() == 10);

    let actors = |trace: &Trace| {
        let number = |command: TracedCommand| trace.actors().iter().position(|actor| *actor == command.actor);
        commands_in(trace).into_iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(actors(&first), actors(&imported(NameRule::Keep)), "the same actor each time");
    let second = imported(NameRule::Hash);
    assert!(first.actors().iter().all(|actor| !second.actors().contains(actor)), "another key each time");
}

#[test]
fn a_missing_column_is_reported_with_the_columns_of_the_log() {
    let log = Log::new("who,when,wh\u{1b}at\na,2024-01-01T00:00:00Z,x\n");
    let error = log.refused(&options());
    assert!(error.contains("--actor-column") && error.contains("who, when, wh\\u{1b}at"), "{error}");
    let named = ImportOptions { actor_column: Some("who".to_owned()), ..options() };
    assert!(log.refused(&named).contains("--time-column"));
    let wrong = ImportOptions { time_column: Some("at".to_owned()), ..named.clone() };
    assert!(log.refused(&wrong).contains("no column `at`"));
    let payload =
        ImportOptions { time_column: Some("when".to_owned()), payload_column: Some("data".to_owned()), ..named };
    let error = log.refused(&payload);
    assert!(error.contains("no column `data`") && error.contains("--payload-column"), "{error}");
}

#[test]
fn a_log_without_events_is_refused_as_empty() {
    for text in ["", HEAD] {
        let error = Log::new(text).refused(&options());
        assert!(error.contains("empty") && error.contains("no events"), "{text:?}: {error}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_reported() {
    let log = Log::new(format!("{HEAD}a,2024-01-01T00:00:00Z,x\n"));
    let output = log.directory.path().join("nowhere").join("t.csv");
    let error = trace::import(&log.path, &output, &options()).unwrap_err().to_string();
    assert!(error.contains("cannot create") && error.contains("nowhere"), "{error}");
}
