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
        (["5.1.24 10:00", "13.1.24 10:00"], "DD.MM.YY", 691_200.0),
        (["1/5/24 10:00 AM", "1/13/24 10:00 AM"], "MM/DD/YY", 691_200.0),
        (["05/Jan/2024:10:00:03 +0000", "05/Jan/2024:11:00:04 +0100"], "DD/MM/YYYY", 1.0),
        (["Fri Jan  5 10:00:00 2024", "Sat Jan 13 10:00:00 2024"], "MM DD", 691_200.0),
        (["2024-01-05 10:00:00\u{202f}AM", "2024-01-05 1:00:00\u{202f}PM"], "RFC 3339", 10_800.0),
        (["2024-01-05 10.00.00", "2024-01-05 24.00.00"], "RFC 3339", 50_400.0),
        (["20240105-10:00:00:7", "20240105-10:00:00:89"], "RFC 3339", 0.082),
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

    let expected = commands_in(&days.trace());
    let input = LogInput::reader("the pipe", Cursor::new(fs::read(&days.path).unwrap()));
    trace::import_from(input, &days.output, &options(), &()).unwrap();
    assert_eq!(commands_in(&days.trace()), expected, "what can be read once only is copied");
    assert_eq!(fs::read_dir(days.directory.path()).unwrap().count(), 2, "the copy is gone");
    let fifo = days.directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let text = fs::read(&days.path).unwrap();
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::write(fifo, text).unwrap()
    });
    trace::import(&fifo, &days.output, &options()).unwrap();
    writer.join().unwrap();
    assert_eq!(commands_in(&days.trace()), expected, "a pipe that has a name");

    let undecided = Log::new(format!("{HEAD}{first}"));
    let error = undecided.refused(&options());
    assert!(error.contains("line 2, column `timestamp`: `03/02/2024`"), "{error}");
    for reading in ["2024-02-03 (`--time-format DD/MM/YYYY`)", "2024-03-02 (`--time-format MM/DD/YYYY`)"] {
        assert!(error.contains(reading), "{error}");
    }
    for format in ["%m/%d/%Y", "MM/DD/YYYY"] {
        let given = ImportOptions { time_format: Some(format.to_owned()), ..options() };
        assert_eq!(undecided.summary(&given).span[0].to_string(), "2024-03-02T00:00:00Z");
    }
}

/// Two digits may be a year, and each reading has the option that selects it.
#[test]
fn an_ambiguous_date_is_refused_with_its_readings() {
    for (date, readings) in [
        ("24/01/15", &["2015-01-24 (`--time-format DD/MM/YY`)", "2024-01-15 (`--time-format YY/MM/DD`)"][..]),
        (
            "03/02/10",
            &[
                "2010-02-03 (`--time-format DD/MM/YY`)",
                "2010-03-02 (`--time-format MM/DD/YY`)",
                "2003-02-10 (`--time-format YY/MM/DD`)",
            ],
        ),
    ] {
        let log = Log::new(format!("{HEAD}a,{date} 10:00,x\nb,{date},x\n"));
        let error = log.refused(&options());
        assert!(error.contains(&readings.join(" or ")), "{error}");
        for reading in readings {
            let (day, format) = reading.trim_end_matches("`)").split_once(" (`--time-format ").unwrap();
            let given = ImportOptions { time_format: Some(format.to_owned()), ..options() };
            assert!(log.summary(&given).span[0].to_string().starts_with(day), "{reading}");
        }
    }
}

/// A spreadsheet writes `1.70E+12` for each time within a hundred days.
#[test]
fn times_that_a_spreadsheet_rounded_are_refused() {
    for (times, format, precision) in [
        (["1.70E+12", "1.71E+12"], None, "116 days"),
        (["1,7E+12", "1,71E+12"], Some("unix-ms"), "116 days"),
        (["1.70445E+09", "1.70446E+09"], None, "2 h 47 min"),
        (["4.567E+04", "4.568E+04"], Some("excel-days"), "10 days"),
    ] {
        let rows = times.map(|time| format!("a,\"{time}\",x\n")).concat();
        let given = ImportOptions { time_format: format.map(str::to_owned), ..options() };
        let error = Log::new(format!("{HEAD}{rows}")).refused(&given);
        let place = format!("column `timestamp`: `{}`: times rounded to {precision}", times[1]);
        assert!(error.contains(&place) || error.contains(&place.replace(times[1], times[0])), "{error}");
    }
    let error = Log::new(format!("{HEAD}a,24:56.3,x\na,25:06.0,x\n")).refused(&options());
    assert!(error.contains("`24:56.3`: minutes and seconds, as a spreadsheet shows a time"), "{error}");
    let exact = Log::new(format!("{HEAD}a,1.7044488E12,x\na,1.704448800276E12,x\n"));
    let moments = exact.moments(&options());
    assert_eq!(moments[1], (0.276, "a".to_owned()), "a zero at the end may be left out");
}

/// What a guess or a spreadsheet got wrong shows in the log as a whole.
#[test]
fn actors_and_times_that_are_unlikely_are_warned_of() {
    let warnings = |row: &dyn Fn(u32) -> String, options: &ImportOptions| {
        let rows: Vec<String> = (0..100).map(row).collect();
        let found = Log::new(format!("subject,date,text\n{}", rows.concat())).summary(options).warnings;
        found.into_iter().map(|warning| warning.what).collect::<Vec<_>>()
    };
    let time = |n: u32| format!("2024-01-05 10:{:02}:{:02}", n / 60, n % 60);
    assert_eq!(warnings(&|n| format!("c{},{},x\n", n % 7, time(n)), &options()), [""; 0]);
    let one = warnings(&|n| format!("greeting,{},x\n", time(n)), &options());
    assert_eq!(one, ["all events have one actor: `subject` was guessed"]);
    let all = warnings(&|n| format!("c{n},{},x\n", time(n)), &options());
    assert_eq!(all, ["each event has an actor of its own: `subject` was guessed"]);
    let given = ImportOptions { actor_column: Some("subject".to_owned()), ..options() };
    assert_eq!(warnings(&|n| format!("c{n},{},x\n", time(n)), &given), [""; 0]);
    let rounded = warnings(&|n| format!("4.51E+1{},{},x\n", 4 + n % 2, time(n)), &options());
    assert_eq!(rounded, ["the actor `4.51E+14` is a number that a spreadsheet rounded: it may stand for several"]);
    let days = warnings(&|n| format!("c{},2024-01-{:02},{}:30\n", n % 7, n / 10 + 1, n % 10), &options());
    assert_eq!(days, ["all times are midnight: dates without a time of day"]);
    assert_eq!(warnings(&|n| format!("c{},20{n:02}-01-01,x\n", n % 7), &options()), [""; 0], "one event a day");
}

#[test]
fn events_that_are_all_at_one_time_are_warned_of() {
    let log = Log::new(format!("{HEAD}a,2024-01-05,x\nb,2024-01-05,x\n"));
    assert!(log.summary(&options()).warnings[0].what.contains("all 2 events are at 2024-01-05T00:00:00Z"));
    assert_eq!(Log::new(format!("{HEAD}a,2024-01-05,x\n")).summary(&options()).warnings, []);
}

/// `CEST` means something in a zone only, where it decides which of two times the clocks showed.
#[test]
fn abbreviations_of_zones_need_the_zone() {
    let Ok(berlin) = jiff::tz::TimeZone::get("Europe/Berlin") else {
        return skipped(abbreviations_of_zones_need_the_zone, "no tzdata");
    };
    let rows = "a,2024-10-27 02:30:00 CEST,x\nb,2024-10-27 02:30:00 CET,x\nc,Sun Oct 27 04:00:00 CET 2024,x\n";
    let (iso, unix) = rows.split_at(rows.find("c,").unwrap());
    let log = Log::new(format!("{HEAD}{iso}"));
    let error = log.refused(&options());
    assert!(
        error.contains("line 2") && error.contains("`CEST`") && error.contains("--time-zone Europe/Berlin"),
        "{error}"
    );
    let zoned = ImportOptions { time_zone: Some(berlin), ..options() };
    let summary = log.summary(&zoned);
    assert_eq!(summary.span.map(|time| time.to_string()), ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"]);
    assert_eq!(summary.warnings, [], "nothing is ambiguous");
    let date_command = Log::new(format!("{HEAD}{unix}"));
    assert_eq!(date_command.summary(&zoned).span[0].to_string(), "2024-10-27T03:00:00Z");
    for other in ["2024-07-01 10:00:00 CET", "2024-07-01 10:00:00 PDT"] {
        let error = Log::new(format!("{HEAD}{iso}a,{other},x\n")).refused(&zoned);
        assert!(error.contains("line 4") && error.contains("the clocks in Europe/Berlin do not show"), "{error}");
    }
    let go = Log::new(format!("{HEAD}a,2024-01-05 10:00:00.5 +0100 CET,x\n"));
    assert_eq!(go.summary(&options()).span[0].to_string(), "2024-01-05T09:00:00.5Z", "the offset decides");
}

#[test]
fn lines_that_may_be_comments_are_refused_with_the_option() {
    let log = Log::new(format!("{HEAD}a,2024-01-05,x\n# the night\nb,2024-01-06,x\n"));
    let error = log.refused(&options());
    assert!(error.contains("line 3: 1 field, expected 3") && error.contains("pass --comment '#'"), "{error}");
    assert_eq!(log.summary(&ImportOptions { comment: Some(b'#'), ..options() }).events, 2);
    let error = Log::new(format!("# exported\n{HEAD}a,2024-01-05,x\n")).refused(&options());
    assert!(error.contains("pass --comment '#'"), "{error}");
}

/// A log and its copy, compressed, renamed or in another encoding.
#[test]
fn a_log_that_is_given_twice_is_refused() {
    let rows = format!("{HEAD}a,2024-01-05,x\nb,2024-01-06,x\n");
    let log = Log::new(&rows);
    let path = |name: &str| log.directory.path().join(name);
    fs::write(path("copy.csv"), &rows).unwrap();
    fs::write(path("packed.csv.zst"), zstd::encode_all(rows.as_bytes(), 1).unwrap()).unwrap();
    fs::write(path("wide.csv"), rows.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    let import = |others: &[&str]| {
        let paths = std::iter::once(log.path.clone()).chain(others.iter().map(|name| path(name)));
        trace::import_from(LogInput::files(paths), &log.output, &options(), &())
    };
    fs::write(path("empty.csv"), HEAD).unwrap();
    fs::write(path("empty-2.csv"), HEAD).unwrap();
    fs::write(path("other.csv"), format!("{HEAD}a,2024-01-07,x\n")).unwrap();
    for copy in ["copy.csv", "packed.csv.zst", "wide.csv"] {
        let error = import(&["other.csv", copy]).unwrap_err();
        let expected =
            format!("{}: the same content as {}; give each log once", path(copy).display(), log.path.display());
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(import(&["other.csv", "empty.csv", "empty-2.csv"]).unwrap().events, 3, "empty logs are equal");
    // Times, actors and sizes alone may be equal by chance.
    fs::write(path("alike.csv"), rows.replace('x', "y")).unwrap();
    let summary = import(&["alike.csv"]).unwrap();
    let what = &summary.warnings[0].what;
    assert!(
        summary.events == 4 && what.contains("alike.csv begins with the 2 events of") && what.contains("log.csv"),
        "{what}"
    );
    // An export that contains the one before.
    fs::write(path("longer.csv"), format!("{rows}c,2024-01-08,x\n")).unwrap();
    let what = &import(&["other.csv", "longer.csv"]).unwrap().warnings[0].what;
    assert!(what.contains("longer.csv begins with the 2 events of") && what.contains("log.csv"), "{what}");
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
        ("a,2024-01-01T00:00:00Z\n", "2 fields, expected 3 as in the first row"),
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
}

#[test]
fn utf_16_is_read_with_and_without_a_byte_order_mark() {
    let text = format!("{HEAD}{}Müller,2024-01-02,✓\n", "a,2024-01-01,some text\n".repeat(3_000));
    let expected = Log::new(&text).import(&options());
    for mark in ["", "\u{feff}"] {
        let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(Log::new(little).import(&options()), expected);
        assert_eq!(Log::new(big).import(&options()), expected);
    }
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
fn missing_columns_are_reported_together_with_what_the_log_has() {
    let log = Log::new("who,weight,wh\u{1b}at\na,1,x\nb,2,x\na,3,x\nb,4,x\n");
    let error = log.refused(&options());
    for part in ["--actor-column", "--time-column", "who (2), weight (4), wh\\u{1b}at (1)"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let ready = Log::new("who,weight,when\na,1,2024-01-01\nb,2,2024-01-02\na,3,2024-01-03\nb,4,2024-01-04\n");
    let error = ready.refused(&ImportOptions { delimiter: Some(b','), ..options() });
    assert!(error.contains("log.csv --actor-column who --delimiter ,`"), "{error}");
    let wrong = ImportOptions {
        actor_column: Some("whom".to_owned()),
        time_column: Some("at".to_owned()),
        payload_column: Some("data".to_owned()),
        ..options()
    };
    let error = log.refused(&wrong);
    for part in ["no column `whom`", "no column `at`", "no column `data`", "--payload-column"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn columns_are_found_by_usual_names_and_by_contents() {
    let time = "2024-01-05T10:00:00Z";
    for (header, row, actor, at) in [
        ("CaseID,CompleteTimestamp", "7,TIME", "CaseID", "CompleteTimestamp"),
        ("case_id,start_timestamp", "7,TIME", "case_id", "start_timestamp"),
        ("Session-ID,eventdate", "7,2024-01-05", "Session-ID", "eventdate"),
        ("Case ID,Start Date,End Date", "7,5.1.24 10:00,5.1.24 10:05", "Case ID", "Start Date"),
        ("case,block_timestamp", "7,1704448800", "case", "block_timestamp"),
        ("case,when,size", "7,TIME,5", "case", "when"),
        ("case,Date,Time", "7,2024-01-05,10.00.00", "case", "Date` and `Time"),
        ("case,ERZET,ERDAT", "7,100000,20240105", "case", "ERDAT` and `ERZET"),
        // A column whose contents are no times is none, whatever its name.
        ("case,time,created", "7,12.5,TIME", "case", "created"),
    ] {
        let log = Log::new(format!("{header}\n{}\n", row.replace("TIME", time)));
        let summary = log.summary(&options());
        let expected = [format!("actor: `{actor}` (guessed)"), format!("time: `{at}` (guessed)")];
        assert_eq!(summary.columns[..2], expected, "{header}");
    }
    let several = Log::new("case,birth_date,visit_date\n7,2024-01-01,2024-01-02\n").refused(&options());
    assert!(several.contains("`birth_date` and `visit_date`") && several.contains("--time-column"), "{several}");
    // A number may be anything.
    assert!(Log::new("case,phone\n7,1704448800\n").refused(&options()).contains("no column looks like the time"));
    // Of names that may mean an actor, one whose values repeat.
    let rows = (0..20).map(|n| format!("{n},{},2024-01-05\n", n % 3)).collect::<Vec<_>>().concat();
    let summary = Log::new(format!("id,customer_id,timestamp\n{rows}")).summary(&options());
    assert_eq!((summary.columns[0].as_str(), summary.actors), ("actor: `customer_id` (guessed)", 3));
}

/// As SAP lists them.
#[test]
fn names_of_columns_may_be_padded() {
    let log =
        Log::new("----\n|ID  |DATE      |TIME    |\n----\n|7   |05.01.2024|10:00:00|\n|8   |05.01.2024|10:00:09|\n");
    let columns = |time: &str| ImportOptions {
        actor_column: Some("ID".to_owned()),
        time_column: Some(time.to_owned()),
        comment: Some(b'-'),
        ..options()
    };
    let summary = log.summary(&columns("DATE,TIME"));
    assert_eq!((summary.events, summary.span[1].to_string()), (2, "2024-01-05T10:00:09Z".to_owned()));
    assert!(log.refused(&columns("DATE,CLOCK")).contains("no column `CLOCK`"));
}

#[test]
fn logs_that_were_joined_and_names_that_lack_are_explained() {
    let row = "a,2024-01-05,x\n";
    let error = Log::new(format!("{HEAD}{row}{HEAD}{row}")).refused(&options());
    assert!(error.contains("line 3: the header again"), "{error}");
    let error = Log::new(format!("{HEAD}a,2024-01-05,x,more\n")).refused(&options());
    assert!(error.contains("4 fields, expected 3") && error.contains("--skip-lines and pass --no-header"), "{error}");
}

#[test]
fn two_columns_of_one_name_are_selected_by_number() {
    let log = Log::new("case_id,timestamp,case_id\na,2024-01-01,b\nc,2024-01-01,b\n");
    let given = |name: &str| ImportOptions { actor_column: Some(name.to_owned()), ..options() };
    for options in [options(), given("case_id")] {
        let error = log.refused(&options);
        assert!(error.contains("several columns are called `case_id`") && error.contains("'#3'"), "{error}");
    }
    assert_eq!((log.summary(&given("#1")).actors, log.summary(&given("#3")).actors), (2, 1));
    assert!(log.refused(&given("#4")).contains("no column `#4`"));
}

#[test]
fn numbers_that_are_no_plausible_unix_times_are_refused_with_what_they_may_be() {
    for (number, readings) in [
        ("45674.41", ["unix-s", "2025-01-17T09:50:24Z: `--time-format excel-days`"]),
        ("638784062934631440", ["unix-ns", "2025-03-24T09:44:53.463144Z: `--time-format dotnet-ticks`"]),
        ("133486830000000000", ["unix-ns", "2024-01-02T15:30:00Z: `--time-format filetime`"]),
        ("5000000000", ["2128-06-11", "unix-s"]),
        ("202401021530", ["unix-ms", "2024-01-02T15:30:00: `--time-format %Y%m%d%H%M`"]),
        ("01022024", ["--time-format %d%m%Y", "--time-format %m%d%Y"]),
        ("203615", ["unix-s", "a time of day (20:36:15"]),
        ("2024", ["1970-01-01T00:33:44Z", "a year"]),
    ] {
        let log = Log::new(format!("{HEAD}a,{number},x\na,{number},x\n"));
        let error = log.refused(&options());
        let place = format!("line 2, column `timestamp`: `{number}`");
        assert!(error.contains(&place) && readings.iter().all(|reading| error.contains(reading)), "{error}");
    }
    for (format, number, time) in [
        ("unix-s", "5000000000", "2128-06-11T08:53:20Z"),
        ("excel-days", "45674.41", "2025-01-17T09:50:24Z"),
        ("dotnet-ticks", "638784062934631440", "2025-03-24T09:44:53.463144Z"),
        ("%Y%m%d%H%M", "202401021530", "2024-01-02T15:30:00Z"),
    ] {
        let given = ImportOptions { time_format: Some(format.to_owned()), ..options() };
        let summary = Log::new(format!("{HEAD}a,{number},x\n")).summary(&given);
        assert_eq!(summary.span[0].to_string(), time);
    }
    let error = Log::new(format!("{HEAD}a,1704448800,x\na,1704448801,x\na,0,x\n")).refused(&options());
    assert!(error.contains("line 4, column `timestamp`: `0`, expected Unix seconds"), "{error}");
}

#[test]
fn events_far_from_all_others_are_warned_of() {
    let row = |n: u32| format!("a,2019-01-{:02}T10:00:00Z,x\n", n % 28 + 1);
    let rows = (0..1000).map(row).collect::<Vec<_>>().concat();
    let options = || ImportOptions { actor_column: Some("case_id".to_owned()), ..options() };
    assert_eq!(Log::new(format!("{HEAD}{rows}")).summary(&options()).warnings, []);
    let log = Log::new(format!("{HEAD}a,1948-01-26,x\n{rows}a,1948-01-27,x\n"));
    let [warning] = &log.summary(&options()).warnings[..] else { panic!("one warning") };
    assert!(warning.what.contains("2 events of 1,002 events") && warning.what.contains("2019-01-01"), "{warning:?}");
    // The advice cuts them off.
    let (from, to) = warning.hint.split_once("--from ").unwrap().1.split_once("s --to ").unwrap();
    let seconds = |text: &str| text.trim_end_matches("s`").parse::<u64>().unwrap() * 1_000_000_000;
    let commands = commands_in(&log.trace());
    let kept = commands.iter().filter(|command| (seconds(from)..seconds(to)).contains(&command.at_ns)).count();
    assert_eq!(kept, 1_000);
}

#[test]
fn an_hour_that_the_clocks_showed_twice_keeps_the_order_of_an_actors_events() {
    let Ok(berlin) = jiff::tz::TimeZone::get("Europe/Berlin") else {
        return skipped(an_hour_that_the_clocks_showed_twice_keeps_the_order_of_an_actors_events, "no tzdata");
    };
    let rows = "a,2024-10-27 02:30,1\na,2024-10-27 02:10,22\nb,2024-10-27 02:20,333\na,2024-10-27 03:05,4444\n";
    let log = Log::new(format!("{HEAD}{rows}"));
    let zoned = ImportOptions { time_zone: Some(berlin), payload_column: Some("payload".to_owned()), ..options() };
    let summary = log.summary(&zoned);
    assert!(summary.warnings[0].what.contains("3 events"), "{:?}", summary.warnings);
    let commands = commands_in(&log.trace());
    let seen: Vec<_> = commands.iter().map(|command| (command.at_ns / 60_000_000_000, command.ops[0].bytes)).collect();
    assert_eq!(seen, [(0, 3), (10, 1), (50, 2), (105, 4)], "minutes from 02:20 in summer");
}

#[test]
fn an_hour_that_the_clocks_skipped_is_warned_of() {
    let Ok(berlin) = jiff::tz::TimeZone::get("Europe/Berlin") else {
        return skipped(an_hour_that_the_clocks_skipped_is_warned_of, "no tzdata");
    };
    let log = Log::new(format!("{HEAD}a,2024-03-31 01:59,x\na,2024-03-31 02:10,x\na,2024-03-31 03:05,x\n"));
    let summary = log.summary(&ImportOptions { time_zone: Some(berlin), ..options() });
    let what = &summary.warnings[0].what;
    assert!(what.contains("1 event") && what.contains("Europe/Berlin skipped"), "{:?}", summary.warnings);
}

#[test]
fn actors_without_a_visible_name_are_none_and_sizes_have_units() {
    for blank in ["\u{a0}", "\u{3000}", "\u{200b}", "\0"] {
        let error = Log::new(format!("{HEAD}{blank},2024-01-01,1\nb,2024-01-02,1\n")).refused(&options());
        assert!(error.contains("expected the actor's name"), "{blank:?}: {error}");
    }
    let log = Log::new(format!("{HEAD}a,2024-01-01,4k\na,2024-01-02,\"1,234\"\n"));
    let commands = log.import(&ImportOptions { size_column: Some("payload".to_owned()), ..options() });
    assert_eq!(commands.iter().map(|command| command.ops[0].bytes).collect::<Vec<_>>(), [4_096, 1_234]);
}

#[test]
fn times_without_a_year_need_one() {
    let log = Log::new(format!("{HEAD}a,Mar 27 13:06:56,x\na,Mar  7 13:06:57,x\n"));
    let error = log.refused(&options());
    assert!(error.contains("`Mar 27 13:06:56`") && error.contains("--year"), "{error}");
    let in_2016 = ImportOptions { year: Some(2016), ..options() };
    let summary = log.summary(&in_2016);
    assert_eq!(summary.span.map(|time| time.to_string()), ["2016-03-07T13:06:57Z", "2016-03-27T13:06:56Z"]);
    assert!(
        summary.assumptions.contains(&"times without a year are in 2016".to_owned()) && summary.warnings.is_empty()
    );
    let turn = Log::new(format!("{HEAD}a,Dec 31 23:59:59,x\na,Jan  1 00:00:01,x\n")).summary(&in_2016);
    assert!(turn.warnings[0].what.contains("turn of a year"), "{:?}", turn.warnings);
}

/// Options that describe how a log is written, beside a log that is written so.
#[test]
fn logs_are_read_as_programs_write_them() {
    let plain = Log::new("case_id,timestamp,payload\na,2024-01-01,x\nb,2024-01-02,y\n").moments(&options());
    let named = || ImportOptions {
        actor_column: Some("1".to_owned()),
        time_column: Some("2".to_owned()),
        has_header: false,
        ..options()
    };
    for (text, options) in [
        // Spreadsheets: the separator first, nameless columns at the end, rows of separators alone, CR alone.
        ("sep=;\ncase_id;timestamp;payload\na;2024-01-01;x\nb;2024-01-02;y\n", options()),
        ("case_id;timestamp;payload;;\na;2024-01-01;x;;\n;;;;\nb;2024-01-02;y\n;;;;,,,\n", options()),
        ("case_id,timestamp,payload\na,2024-01-01,x,,\n,,\n\n   \nb,2024-01-02,y\n,,,,,\n", options()),
        ("case_id,timestamp,payload\ra,2024-01-01,x\rb,2024-01-02,y\r", options()),
        ("\u{feff}case_id,timestamp,payload\r\na,2024-01-01,x\r\nb,2024-01-02,y", options()),
        // Decimal commas beside semicolons.
        ("case_id;timestamp;payload\na;2024-01-01;0,5\nb;2024-01-02;1,5\n", options()),
        // Text before the header, comments, no header.
        (
            "Report \"of\nMonday\ncase_id,timestamp\na,2024-01-01\nb,2024-01-02\n",
            ImportOptions { skip_lines: 2, ..options() },
        ),
        (
            "#,\"comment\ncase_id,timestamp\n# a,b,c\na,2024-01-01\n#\nb,2024-01-02\n",
            ImportOptions { comment: Some(b'#'), ..options() },
        ),
        ("a,2024-01-01\nb,2024-01-02\n", named()),
        // Quotes behind a backslash.
        (
            "case_id,timestamp,payload\na,2024-01-01,\"say \\\"hi\\\", \n you\"\nb,2024-01-02,y\n",
            ImportOptions { escape: Some(b'\\'), ..options() },
        ),
    ] {
        for limits in [ImportLimits::default(), ImportLimits { block_bytes: 3, ..tiny() }] {
            let found = Log::new(text).moments(&ImportOptions { limits, ..options.clone() });
            assert_eq!(found, plain, "{text:?}");
        }
    }
    // The lines of errors are those of the file.
    let log = Log::new("one\ntwo\nsep=;\n# three\ncase_id;timestamp\na;2024-01-01\n\n# b\na;noon\n");
    let error = log.refused(&ImportOptions { skip_lines: 2, comment: Some(b'#'), ..options() });
    assert!(error.contains("line 9, column `timestamp`: `noon`"), "{error}");
    let error = Log::new("case_id,timestamp\na,2024-01-01,\"\\\",\"\n").refused(&options());
    assert!(error.contains("--escape"), "{error}");
}

const BAD_ROWS: &str = "case_id,timestamp,payload\n\
    a,2024-01-01,x\n ,2024-01-01,x\nNULL,2024-01-01,x\na,,x\na,noon,x\na,2024-01-01\na,2024-01-02,x\n";

#[test]
fn bad_rows_are_left_out_on_request_and_counted() {
    let log = Log::new(BAD_ROWS);
    let error = log.refused(&options());
    assert!(error.contains("line 3, column `case_id`: empty") && error.contains("14 % of the first 7 rows"), "{error}");
    assert!(error.contains("--skip-bad-rows"), "{error}");
    let skipping = |limit| ImportOptions { skip_bad_rows: Some(limit), ..options() };
    for limits in [ImportLimits::default(), tiny()] {
        let summary = log.summary(&ImportOptions { limits, ..skipping(5) });
        assert_eq!((summary.events, summary.actors), (2, 1));
        let skipped = &summary.skipped;
        assert_eq!((skipped.without_actor, skipped.without_time, skipped.ragged, skipped.total()), (2, 2, 1, 5));
        let first = skipped.first.as_deref().unwrap();
        assert!(first.contains("log.csv, line 3, column `case_id`"), "{first}");
    }
    let error = log.refused(&skipping(4));
    assert!(error.contains("more than 4 bad rows") && error.contains("2 rows without an actor"), "{error}");
}

#[test]
fn options_that_no_time_needs_and_times_that_were_not_written_are_warned_of() {
    let zone = || jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let warnings = |text: &str, options| {
        let warnings = Log::new(format!("{HEAD}{text}")).summary(&options).warnings;
        warnings.into_iter().map(|warning| warning.what).collect::<Vec<_>>()
    };
    let in_zone = || ImportOptions { time_zone: Some(zone()), ..options() };
    let of_year = || ImportOptions { year: Some(2015), ..options() };
    assert_eq!(warnings("a,2024-01-01,x\na,2024-01-01 10:00:00Z,x\n", in_zone()), [""; 0]);
    assert!(warnings("a,2024-01-01 10:00:00Z,x\n", in_zone())[0].starts_with("--time-zone has no effect"));
    assert_eq!(warnings("a,Mar 27 13:06:56,x\na,Mar 28 13:06:56 2015,x\n", of_year()), [""; 0]);
    assert!(warnings("a,Mar 28 13:06:56 2015,x\n", of_year())[0].starts_with("--year has no effect"));
    assert!(warnings("a,2024-01-01,x\n", of_year())[0].starts_with("--year has no effect"));
    let milliseconds = ImportOptions { time_format: Some("unix-ms".to_owned()), ..options() };
    let found = warnings("a,0,x\nb,0,x\na,1700000000000,x\n", milliseconds);
    assert!(found[0].starts_with("2 events of 3 events are at 1970-01-01"), "{found:?}");
}

#[test]
fn an_actor_whose_name_stands_for_no_value_is_warned_of() {
    let log = Log::new(format!("{HEAD}NA,2024-01-01,x\nNA,2024-01-02,x\nb,2024-01-02,x\n"));
    let [warning] = &log.summary(&options()).warnings[..] else { panic!("one warning") };
    assert!(warning.what.contains("2 events of 3 events (67 %) is `NA`"), "{warning:?}");
    let summary = log.summary(&ImportOptions { skip_bad_rows: Some(u64::MAX), ..options() });
    assert_eq!((summary.events, summary.skipped.without_actor, summary.warnings.len()), (1, 2, 0));
}

#[test]
fn errors_are_short_and_free_of_control_characters() {
    let long = "\u{1b}[31mx".repeat(30_000);
    let times = ImportOptions { time_format: Some("%Y".to_owned()), ..options() };
    for (text, options) in [
        (long.clone(), options()),
        (format!("{long},b\n1,2\n"), options()),
        (format!("{}\n1\n", vec!["column"; 20_000].join(",")), options()),
        (format!("{HEAD}a,{long},x\n"), options()),
        (format!("{HEAD}a,{long},x\n"), times),
        (format!("case_id,{long}\na,noon\n"), ImportOptions { time_column: Some("#2".to_owned()), ..options() }),
        (format!("{HEAD}a,2024-01-01,\"{long}\n"), options()),
    ] {
        let error = Log::new(text).refused(&options);
        assert!(error.len() < 4_000 && !error.contains('\u{1b}'), "{} bytes: {}", error.len(), error.escape_debug());
    }
}

#[test]
fn a_first_row_longer_than_what_is_surveyed_is_read() {
    let log = Log::new(format!("payload,case_id,timestamp\n{},a,05.01.2024\nx,b,06.01.2024\n", "x".repeat(300_000)));
    assert_eq!(log.moments(&options()), [(0.0, "a".to_owned()), (86_400.0, "b".to_owned())]);
}

#[test]
fn several_logs_are_merged_by_time() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("1.csv"), format!("{HEAD}a,2024-01-01,1\na,2024-01-03,3\n")).unwrap();
    let gzip = |text: String| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    fs::write(path("2.csv.gz"), gzip(format!("{HEAD}b,2024-01-02,2\na,2024-01-04,4\n"))).unwrap();
    let output = path("out.csv");
    let import = |names: &[&str]| {
        let input = LogInput::files(names.iter().map(|name| path(name)));
        trace::import_from(input, &output, &options(), &())
    };
    let summary = import(&["1.csv", "2.csv.gz"]).unwrap();
    assert_eq!((summary.events, summary.actors), (4, 2));
    let commands = commands_in(&trace::read(&output, Truncation::Refuse).unwrap());
    let seen: Vec<_> =
        commands.iter().map(|command| (command.at_ns / 86_400_000_000_000, &*command.actor.name)).collect();
    assert_eq!(seen, [(0, "a"), (1, "b"), (2, "a"), (3, "a")]);

    fs::write(path("3.csv"), "case_id,timestamp,size\na,2024-01-01,1\n").unwrap();
    let error = import(&["1.csv", "3.csv"]).unwrap_err().to_string();
    assert!(error.contains("3.csv, line 1") && error.contains("`size`, expected `payload`"), "{error}");
    fs::write(path("4.csv"), format!("{HEAD}a,2024-01-01,1\na,noon,1\n")).unwrap();
    let error = import(&["1.csv", "4.csv"]).unwrap_err().to_string();
    assert!(error.contains("4.csv, line 3"), "{error}");
    // The date that decides is in the second log.
    fs::write(path("5.csv"), format!("{HEAD}a,01/02/2024,1\n")).unwrap();
    fs::write(path("6.csv"), format!("{HEAD}a,13/02/2024,1\n")).unwrap();
    assert_eq!(import(&["5.csv", "6.csv"]).unwrap().span[0].to_string(), "2024-02-01T00:00:00Z");
}

#[test]
fn a_log_without_events_is_refused_as_empty() {
    for text in ["", HEAD] {
        let error = Log::new(text).refused(&options());
        assert!(error.contains("empty") && error.contains("no events"), "{text:?}: {error}");
    }
}

#[test]
fn a_trace_is_no_event_log() {
    let log = Log::new(format!("{HEAD}a,2024-01-01T00:00:00Z,x\n"));
    log.summary(&options());
    let error = Log::new(fs::read(&log.output).unwrap()).refused(&options());
    assert!(error.contains("a trace already") && error.contains("ave-workbench run"), "{error}");
}

#[test]
fn an_output_that_cannot_be_written_is_reported() {
    let log = Log::new(format!("{HEAD}a,2024-01-01T00:00:00Z,x\n"));
    let output = log.directory.path().join("nowhere").join("t.csv");
    let error = trace::import(&log.path, &output, &options()).unwrap_err().to_string();
    assert!(error.contains("cannot create") && error.contains("nowhere"), "{error}");
}
