//! Import of logs that are not CSV: each gives the events that a plain reading of its text gives.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use ave_actors_rocksdb::trace::{NameRule, OpKind};
use ave_workbench::trace;
use ave_workbench::trace::{ImportOptions, ImportSummary, LogInput, Preset, Truncation};
use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::support::commands_in;
use crate::support::skip::skipped;

/// Real logs.
pub(super) const SHARED: &str = "/work/shared/data";

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    /// Nanoseconds from the first event.
    at_ns: u64,
    type_name: String,
    actor: String,
    bytes: u32,
}

pub(super) struct Import {
    pub(super) summary: ImportSummary,
    pub(super) events: Vec<Event>,
}

pub(super) struct Log {
    pub(super) directory: TempDir,
    pub(super) path: PathBuf,
}

impl Log {
    pub(super) fn new(bytes: impl AsRef<[u8]>) -> Self {
        let directory = tempdir().unwrap();
        // The name says nothing about the format.
        let path = directory.path().join("log");
        fs::write(&path, bytes).unwrap();
        Self { directory, path }
    }

    pub(super) fn import(&self, options: &ImportOptions) -> Import {
        import(&self.path, options)
    }

    /// The error of an import that must fail and leave nothing behind.
    #[track_caller]
    pub(super) fn refused(&self, options: &ImportOptions) -> String {
        let output = self.directory.path().join("out.csv");
        let error = trace::import(&self.path, &output, options).unwrap_err().to_string();
        assert!(error.starts_with(&self.path.display().to_string()), "{error}");
        assert_eq!(fs::read_dir(self.directory.path()).unwrap().count(), 1, "the log");
        error
    }
}

pub(super) fn import(log: &Path, options: &ImportOptions) -> Import {
    import_from(LogInput::file(log), options)
}

pub(super) fn import_from(log: LogInput, options: &ImportOptions) -> Import {
    let directory = tempdir().unwrap();
    let output = directory.path().join("out.csv");
    let summary = trace::import_from(log, &output, options, &()).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the trace");
    let commands = commands_in(&trace::read(&output, Truncation::Refuse).unwrap());
    let event = |command: crate::support::TracedCommand| Event {
        at_ns: command.at_ns,
        type_name: command.actor.type_name.to_string(),
        actor: command.actor.name.to_string(),
        bytes: command.ops.iter().find(|op| op.kind == OpKind::EventsPut).unwrap().bytes,
    };
    Import { summary, events: commands.into_iter().map(event).collect() }
}

/// Names kept.
pub(super) fn options() -> ImportOptions {
    ImportOptions { names: NameRule::Keep, ..ImportOptions::default() }
}

/// Events with absolute times, in order of time as an import has them.
pub(super) fn in_order(mut events: Vec<(Timestamp, &str, String, usize)>) -> Vec<Event> {
    events.sort_by_key(|event| event.0);
    let first = events[0].0;
    let event = |(time, type_name, actor, bytes): (Timestamp, &str, String, usize)| Event {
        at_ns: u64::try_from(time.as_nanosecond() - first.as_nanosecond()).unwrap(),
        type_name: type_name.to_owned(),
        actor,
        bytes: u32::try_from(bytes).unwrap(),
    };
    events.into_iter().map(event).collect()
}

pub(super) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(name);
    path.exists().then_some(path)
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A plain reading of a log that has one element per line and no nested attributes.
fn xes_line_by_line(text: &str) -> Vec<Event> {
    let value = |line: &str| line.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (mut trace, mut event, mut time, mut bytes, mut events) = (String::new(), false, Timestamp::MIN, 0, Vec::new());
    for line in text.lines().skip_while(|line| !line.contains("<trace>")) {
        match line.trim() {
            "<event>" => (event, bytes) = (true, 0),
            "</event>" => {
                event = false;
                events.push((time, "case", trace.clone(), bytes - 1));
            }
            line if !line.contains("value=") => {}
            line if event => {
                bytes += value(line).len() + 1;
                if line.contains("key=\"time:timestamp\"") {
                    time = value(line).parse().unwrap();
                }
            }
            line if line.contains("key=\"concept:name\"") => trace = value(line),
            _ => {}
        }
    }
    in_order(events)
}

#[test]
fn a_real_xes_log_is_what_a_plain_reading_gives() {
    let Some(path) = shared("logs/reviewing.xes") else {
        return skipped(a_real_xes_log_is_what_a_plain_reading_gives, &format!("no real logs in {SHARED}"));
    };
    let text = fs::read_to_string(&path).unwrap();
    let Import { summary, events } = import(&path, &options());
    assert_eq!(events, xes_line_by_line(&text));
    let count = |part: &str| text.matches(part).count() as u64;
    assert_eq!((summary.events, summary.actors), (count("<event>"), count("<trace>")));
    assert!(summary.columns.contains(&"format: XES".to_owned()), "{summary:?}");
    let packed = import(&Log::new(gzipped(text.as_bytes())).path, &options());
    assert_eq!(packed.events, events);
    let piped = import_from(LogInput::reader("a pipe", Cursor::new(text)), &options());
    assert_eq!(piped.events, events);
}

/// A trace: a name, and events with a time in seconds, an offset in hours and a text.
type XesTrace = (String, Vec<(i64, i8, String)>);

fn xes_traces() -> impl Strategy<Value = Vec<XesTrace>> {
    let event = (0i64..100_000, -12i8..=14, "[a-z <>&'\"é\t]{0,20}");
    prop::collection::vec(("[a-z<&\"é]{1,5}", prop::collection::vec(event, 0..6)), 1..6)
        .prop_filter("an event", |traces| traces.iter().any(|(_, events)| !events.is_empty()))
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#9;").replace('é', "&#xe9;")
}

fn time_in(seconds: i64, offset: i8) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(offset));
    let time = Timestamp::from_second(1_700_000_000 + seconds).unwrap().to_zoned(zone);
    time.strftime("%Y-%m-%dT%H:%M:%S.000%:z").to_string()
}

fn xes_text(traces: &[XesTrace]) -> String {
    let head = "<?xml version=\"1.0\"?>\n<!-- <trace> --><x:log xmlns:x=\"u\"><global scope=\"event\">\
                <string key=\"concept:name\" value=\"none\"/></global>\n";
    let mut parts = vec![head.to_owned()];
    for (name, events) in traces {
        parts.push(format!("<x:trace><string key=\"concept:name\" value=\"{}\"/>\n", escaped(name)));
        for (seconds, offset, note) in events {
            let time = time_in(*seconds, *offset);
            parts.push(format!(
                "<x:event><string key=\"note\" value=\"{}\"><date key=\"time:timestamp\" value=\"1999\"/></string>\n\
                 <list key=\"empty\"><values/></list><date value=\"{time}\" key=\"time:timestamp\"/></x:event>",
                escaped(note)
            ));
        }
        parts.push("</x:trace>".to_owned());
    }
    parts.push("</x:log>".to_owned());
    parts.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_generated_xes_log_comes_back(traces in xes_traces()) {
        let of_trace = |(name, events): &XesTrace| {
            let name = name.clone();
            let event = move |(seconds, _, note): &(i64, i8, String)| {
                let time = Timestamp::from_second(1_700_000_000 + seconds).unwrap();
                // The note, the year nested in it, the time.
                (time, "case", name.clone(), note.len() + 1 + 4 + 1 + 29)
            };
            events.iter().map(event).collect::<Vec<_>>()
        };
        let expected = in_order(traces.iter().flat_map(of_trace).collect());
        prop_assert_eq!(Log::new(xes_text(&traces)).import(&options()).events, expected);
    }
}

/// A log with one trace, which contains this.
fn one_trace(content: &str) -> Log {
    Log::new(format!("<log>\n<trace>\n{content}\n</trace></log>"))
}

const NOW: &str = "<date key=\"time:timestamp\" value=\"2024-01-01T00:00:00Z\"/>";

#[test]
fn a_xes_trace_without_a_name_is_named_by_its_position() {
    let log = format!("<log><trace/><trace><event>{NOW}</event></trace><event>{NOW}</event></log>");
    let Import { summary, events } = Log::new(log).import(&options());
    assert_eq!((events.len(), events[0].actor.as_str()), (1, "trace 2"));
    for note in ["1 trace without `concept:name`", "1 event outside of traces: left out"] {
        assert!(summary.assumptions.iter().any(|assumed| assumed.contains(note)), "{summary:?}");
    }
}

#[test]
fn attributes_of_xes_are_columns() {
    let content = "<string key=\"concept:name\" value=\"a\"/><string key=\"region\" value=\"north\"/>\
                   <event><string key=\"org:resource\" value=\"Pete\"/><date key=\"end\" value=\"2024-01-01T00:00:00Z\"/>\
                   </event>";
    let columns = ImportOptions {
        actor_column: Some("case:region,org:resource".to_owned()),
        time_column: Some("end".to_owned()),
        payload_column: Some("org:resource".to_owned()),
        type_column: Some("case:region".to_owned()),
        ..options()
    };
    let Import { events, .. } = one_trace(content).import(&columns);
    let expected = Event { at_ns: 0, type_name: "north".to_owned(), actor: "north/Pete".to_owned(), bytes: 4 };
    assert_eq!(events, [expected]);
}

#[test]
fn a_bad_xes_log_is_refused_with_its_line() {
    let later = "<event>\n<date key=\"time:timestamp\" value=\"yesterday\"/></event>";
    for (content, parts) in [
        (format!("<event>{NOW}</event>\n{later}"), &["line 4", "time:timestamp", "`yesterday`"][..]),
        (format!("<event>{NOW}</event>\n<event/>"), &["line 4", "time:timestamp"]),
        (format!("<event>{NOW}</event>\n<event>{NOW}</evnt>"), &["line 4", "evnt"]),
        (format!("<event>\n{NOW}<string key=\"a\" value=\"&what;\"/></event>"), &["line 4", "what"]),
    ] {
        let error = one_trace(&content).refused(&options());
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    let cut = Log::new(format!("<log><trace>\n<event>{NOW}</event>\n")).refused(&options());
    assert!(cut.contains("line 3") && cut.contains("ends"), "{cut}");
    let between_traces = Log::new(format!("<log><trace>\n<event>{NOW}</event>\n</trace>\n")).refused(&options());
    assert!(between_traces.contains("line 4: cut off, expected `</log>`"), "{between_traces}");
    let delimiter = ImportOptions { delimiter: Some(b';'), ..options() };
    let error = one_trace("").refused(&delimiter);
    assert!(error.contains("--delimiter does not apply"), "{error}");
}

/// A CSV log whose times have lost their offset, as in the Parquet file.
fn without_offsets(csv: &Path) -> Log {
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_byte_record(reader.byte_headers().unwrap()).unwrap();
    for row in reader.records() {
        let local = |field: &str| match field.rsplit_once('+') {
            Some((time, "01:00" | "02:00")) => time.to_owned(),
            _ => field.to_owned(),
        };
        writer.write_record(row.unwrap().iter().map(local)).unwrap();
    }
    Log::new(writer.into_inner().unwrap())
}

#[test]
fn a_real_parquet_log_is_its_csv_event_by_event() {
    let test = a_real_parquet_log_is_its_csv_event_by_event;
    let Some((parquet, csv)) = shared("logs/receipt.parquet").zip(shared("receipt.csv")) else {
        return skipped(test, &format!("no real logs in {SHARED}"));
    };
    let Ok(zone) = jiff::tz::TimeZone::get("Europe/Amsterdam") else {
        return skipped(test, "no time zone database (tzdata)");
    };
    let local = ImportOptions { time_zone: Some(zone), ..options() };
    let (columns, with_offsets) = (import(&parquet, &local), import(&csv, &options()));
    assert_eq!(columns.events.len(), 8_577);
    assert_eq!(columns.summary.span, with_offsets.summary.span);
    let moments =
        |import: &Import| import.events.iter().map(|event| (event.at_ns, event.actor.clone())).collect::<Vec<_>>();
    assert!(moments(&columns) == moments(&with_offsets), "times and actors differ");
    assert!(columns.events == without_offsets(&csv).import(&local).events, "sizes differ");
    let piped = import_from(LogInput::reader("a pipe", fs::File::open(&parquet).unwrap()), &local);
    assert!(piped.events == columns.events);

    let bytes = fs::read(&parquet).unwrap();
    let error = Log::new(&bytes[..bytes.len() / 2]).refused(&options());
    assert!(error.contains("Parquet"), "{error}");
    let wrong = ImportOptions { time_column: Some("concept:name".to_owned()), ..options() };
    let error = Log::new(&bytes).refused(&wrong);
    assert!(error.contains("row 1, column `concept:name`: `Confirmation of receipt`"), "{error}");
}

#[test]
fn json_lines_are_rows_whose_size_is_that_of_the_line() {
    let lines = [
        r#"{"case": {"id": 7}, "at": 1700000000.5, "what": "a\nb"}"#,
        "",
        r#"{"at": 1700000002, "extra": [1, 2], "case": {"id": 8, "x": {"y": null}}}"#,
    ];
    let log = Log::new(format!("\u{feff}{}\r\n", lines.join("\r\n")));
    let columns = |payload: Option<&str>| ImportOptions {
        actor_column: Some("case.id".to_owned()),
        time_column: Some("at".to_owned()),
        payload_column: payload.map(str::to_owned),
        ..options()
    };
    let event = |at_ns, actor: &str, bytes: usize| Event {
        at_ns,
        type_name: "case".to_owned(),
        actor: actor.to_owned(),
        bytes: u32::try_from(bytes).unwrap(),
    };
    let sizes = |first, second| [event(0, "7", first), event(1_500_000_000, "8", second)];
    let Import { summary, events } = log.import(&columns(None));
    assert_eq!(events, sizes(lines[0].len(), lines[2].len()));
    assert!(summary.columns.contains(&"format: JSON lines".to_owned()), "{summary:?}");
    assert_eq!(log.import(&columns(Some("what"))).events, sizes(3, 0));
    assert_eq!(log.import(&columns(Some("extra"))).events, sizes(0, 6));
    let whole = [r#"{"id": 7}"#, r#"{"id": 8, "x": {"y": null}}"#].map(str::len);
    let by_extra = ImportOptions { actor_column: Some("at".to_owned()), ..columns(Some("case")) };
    let found: Vec<_> = log.import(&by_extra).events.iter().map(|event| event.bytes as usize).collect();
    assert_eq!(found, whole);
    let packed = Log::new(zstd::encode_all(&*fs::read(&log.path).unwrap(), 1).unwrap());
    assert_eq!(packed.import(&columns(None)).events, events);
}

#[test]
fn several_json_logs_may_have_different_keys() {
    let directory = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let first = write("1", "{\"case_id\": 1, \"timestamp\": \"2024-01-01T00:00:02Z\"}\n");
    let second = write("2", "{\"extra\": 5, \"timestamp\": \"2024-01-01T00:00:01Z\", \"case_id\": 2}\n");
    let Import { events, .. } = import_from(LogInput::files([first.clone(), second]), &options());
    assert_eq!(events.iter().map(|event| event.actor.as_str()).collect::<Vec<_>>(), ["2", "1"]);

    let csv = write("3", "case_id,timestamp\n1,2024-01-01\n");
    let output = directory.path().join("out.csv");
    let mixed = trace::import_from(LogInput::files([first, csv.clone()]), &output, &options(), &());
    let error = mixed.unwrap_err().to_string();
    assert!(error.contains(&format!("{}, format: CSV, expected JSON lines", csv.display())), "{error}");
}

#[test]
fn a_bad_json_line_is_refused_with_its_number() {
    let good = "{\"case_id\": 1, \"timestamp\": \"2024-01-01T00:00:00Z\"}\n\n";
    for (bad, parts) in [
        ("{\"case_id\": 1, \"timestamp\": \"soon\"}", &["column `timestamp`", "`soon`"][..]),
        ("{\"timestamp\": \"2024-01-01T00:00:00Z\"}", &["column `case_id`", "empty"]),
        ("{\"case_id\": 1,", &["expected a JSON object"]),
        ("[1]", &["expected a JSON object"]),
    ] {
        let error = Log::new(format!("{good}{bad}\n{good}")).refused(&options());
        assert!(error.contains("line 3") && parts.iter().all(|part| error.contains(part)), "{error}");
    }
    let nameless = Log::new("{\"a\": {\"b\": 1}, \"c\": 2}\n").refused(&options());
    assert!(
        nameless.contains("--actor-column") && nameless.contains("a.b (1), c (1)") && !nameless.contains("(place)"),
        "{nameless}"
    );
    let row = |n| format!("{{\"unit\": \"u{}\", \"timestamp\": {}}}\n", n % 3, 1_704_448_800 + n);
    let log = Log::new((0..9).map(row).collect::<Vec<_>>().concat());
    let command = format!("try `ave-workbench trace import {} --actor-column unit`", log.path.display());
    assert!(log.refused(&options()).ends_with(&command), "{}", log.refused(&options()));
}

#[test]
fn broken_lines_of_json_are_left_out_on_request_and_counted() {
    let good = |day: u32| format!("{{\"case_id\": \"a\", \"timestamp\": \"2024-01-0{day}\"}}\n");
    let log = Log::new(format!("{}{{\"case_id\": \"a\", \"ti\n[1]\n{}{{}}\n", good(1), good(2)));
    let skipping = |limit| ImportOptions { skip_bad_rows: Some(limit), ..options() };
    assert!(log.refused(&options()).contains("line 2: EOF while parsing"));
    let Import { summary, events } = log.import(&skipping(3));
    assert_eq!(events.len(), 2);
    assert_eq!((summary.skipped.no_object, summary.skipped.without_actor, summary.skipped.total()), (2, 1, 3));
    assert!(summary.skipped.first.unwrap().contains("line 2: EOF while parsing"));
    for (limit, part) in [(1, "line 3: invalid type"), (2, "line 5, column `case_id`: empty")] {
        let error = log.refused(&skipping(limit));
        assert!(error.contains(&format!("more than {limit} bad rows")), "{error}");
        assert!(part.split(": ").all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn the_encoding_of_xml_is_the_declared_one() {
    let body =
        format!("<log><trace><string key='concept:name' value='M\u{fc}ller'/><event>{NOW}</event></trace></log>");
    let latin_1: Vec<u8> = body.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    for (declaration, body) in [
        ("<?xml version='1.0' encoding='ISO-8859-1'?>\n", &latin_1[..]),
        ("<?xml version=\"1.0\" encoding = \"windows-1252\" ?>", &latin_1),
        ("<?xml version='1.0' encoding='UTF-8'?>", body.as_bytes()),
        ("<?xml version='1.0'?>", body.as_bytes()),
    ] {
        let found = Log::new([declaration.as_bytes(), body].concat()).import(&options()).events;
        assert_eq!(found[0].actor, "M\u{fc}ller", "{declaration}");
    }
}

#[test]
fn types_that_are_one_in_the_trace_are_warned_of() {
    let rows = |[first, second]: [&str; 2]| format!("a,2024-01-01,{first}\na,2024-01-02,{second}\n");
    let columns = ImportOptions { type_column: Some("kind".to_owned()), ..options() };
    let warnings =
        |kinds| Log::new(format!("case_id,timestamp,kind\n{}", rows(kinds))).import(&columns).summary.warnings;
    assert_eq!(warnings(["order", "bill"]), []);
    let [warning] = &warnings(["Big Order", "big-order"])[..] else { panic!("one warning") };
    assert!(warning.what.contains("`Big Order` and `big-order` are both `big_order`"), "{warning:?}");
}

#[test]
fn dumps_of_event_stores_need_no_columns() {
    let event = |type_name: &str, actor: &str, bytes| Event {
        at_ns: 0,
        type_name: type_name.to_owned(),
        actor: actor.to_owned(),
        bytes,
    };
    for (preset, dump, expected) in [
        (
            Preset::AkkaJdbc,
            "ordering,persistence_id,sequence_number,deleted,writer,write_timestamp,adapter_manifest,event_ser_id,\
             event_ser_manifest,event_payload,meta_ser_id,meta_ser_manifest,meta_payload\n\
             1,Account|17,1,f,w,1704448800000,,4,m,\\x00ff10,,,\n",
            event("account", "Account|17", 3),
        ),
        (
            Preset::Marten,
            "seq_id,id,stream_id,version,data,type,timestamp,tenant_id,mt_dotnet_type,is_archived\n\
             1,3bb4,b6a4-91,1,\"{\"\"a\"\": 1}\",opened,2024-01-05 10:00:00.123456+00,*DEFAULT*,T,f\n",
            event("case", "b6a4-91", 8),
        ),
        (
            Preset::MessageDb,
            "{\"global_position\": 1, \"position\": 0, \"time\": \"2024-01-05T10:00:00.123456\", \"stream_name\": \
             \"account:command-17\", \"type\": \"Open\", \"data\": {\"a\": {\"b\": 1}}, \"metadata\": null, \"id\": \"3b\"}\n",
            event("account_command", "account:command-17", 15),
        ),
        (
            Preset::EventStoreDb,
            "{\"eventId\": \"3b\", \"eventType\": \"Opened\", \"eventNumber\": 0, \"data\": \"{\\\"a\\\": 1}\", \"streamId\": \
             \"account-17\", \"updated\": \"2024-01-05T10:00:00.123456Z\"}\n",
            event("account", "account-17", 8),
        ),
    ] {
        let Import { events, .. } = Log::new(dump).import(&options().with_preset(preset));
        assert_eq!(events, [expected], "{preset:?}");
    }
}

#[test]
fn types_and_sizes_may_stand_in_columns() {
    let head = "case_id,timestamp,kind,length\n";
    let columns =
        ImportOptions { type_column: Some("kind".to_owned()), size_column: Some("length".to_owned()), ..options() };
    let log = Log::new(format!("{head}a,2024-01-01,Big Order, 12\na,2024-01-01,bill,0\na,2024-01-01,,7\n"));
    let Import { summary, events } = log.import(&columns);
    let found: Vec<_> = events.iter().map(|event| (event.type_name.as_str(), event.bytes)).collect();
    assert_eq!(found, [("big_order", 12), ("bill", 0), ("case", 7)]);
    assert_eq!(summary.actors, 3, "one name, three types");
    let error = Log::new(format!("{head}a,2024-01-01,bill,many\n")).refused(&columns);
    assert!(error.contains("line 2, column `length`: `many`, expected a size in bytes"), "{error}");
}

#[test]
fn other_files_are_named_and_refused() {
    for (bytes, parts) in [
        (&b"\xfd7zXZ\0\0\x04\xe6"[..], &["compressed with xz", "`xz -dc", "| ave-workbench trace import -`"][..]),
        (b"BZh91AY&SY\x01\x02", &["compressed with bzip2", "bzip2 -dc"]),
        (b"PK\x03\x04\x14\0\0\0\x08\0log.csv", &["a zip archive", "unzip -p"]),
        (b"\x5d\0\0\x80\0\xff\xff\xff\xff", &["compressed with lzma", "xz -dc"]),
        (b"\x04\x01\x08\x02\x03\x05\x06\x07\x0ea,b", &["no text", "Parquet"]),
        (b"PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml", &["a spreadsheet", "CSV"]),
    ] {
        let error = Log::new(bytes).refused(&options());
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("columns are"), "{error}");
        let packed = Log::new(gzipped(bytes)).refused(&options());
        assert!(packed.contains(parts[0]), "{packed}");
    }
}
