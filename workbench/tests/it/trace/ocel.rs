//! OCEL 2.0: a log in JSON, XML and SQLite is one trace. A log is its JSON document here; the other forms are written from it.

use std::fmt::Write;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use ave_workbench::trace;
use ave_workbench::trace::{ImportOptions, LogInput};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use quick_xml::escape::escape;
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::formats::{Import, Log, SHARED, gzipped, import, import_from, in_order, options, shared};
use crate::support::skip::skipped;

const FORMS: [fn(&Value) -> Log; 3] = [as_json, as_xml, as_sqlite];

fn as_json(log: &Value) -> Log {
    Log::new(serde_json::to_vec_pretty(log).unwrap())
}

fn list<'l>(of: &'l Value, name: &str) -> &'l [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'l>(of: &'l Value, name: &str) -> &'l str {
    of[name].as_str().unwrap()
}

/// As in the examples of the specification: events before objects, booleans as numbers, no attribute without a value.
fn as_xml(log: &Value) -> Log {
    let attribute = |of: &Value, name: &str| format!("{name}=\"{}\"", escape(text(of, name)));
    let mut xml = "<?xml version=\"1.0\"?>\n<log>\n<event-types>\n".to_owned();
    for event_type in list(log, "eventTypes") {
        writeln!(xml, "<event-type {}><attributes>", attribute(event_type, "name")).unwrap();
        for declared in list(event_type, "attributes") {
            writeln!(xml, "<attribute {} {}/>", attribute(declared, "name"), attribute(declared, "type")).unwrap();
        }
        xml.push_str("</attributes></event-type>\n");
    }
    xml.push_str("</event-types>\n<object-types/>\n<events>\n");
    for event in list(log, "events") {
        let [id, of_type, time] = ["id", "type", "time"].map(|name| attribute(event, name));
        writeln!(xml, "<event {id} {of_type} {time}><attributes>").unwrap();
        for one in list(event, "attributes").iter().filter(|one| !one["value"].is_null()) {
            let value = match &one["value"] {
                Value::String(text) => escape(text.as_str()).into_owned(),
                Value::Bool(value) => u8::from(*value).to_string(),
                number => number.to_string(),
            };
            writeln!(xml, "<attribute {}>{value}</attribute>", attribute(one, "name")).unwrap();
        }
        xml.push_str("</attributes><objects>\n");
        for related in list(event, "relationships") {
            let object = escape(text(related, "objectId"));
            writeln!(xml, "<relationship object-id=\"{object}\" qualifier=\"of\"/>").unwrap();
        }
        xml.push_str("</objects></event>\n");
    }
    xml.push_str("</events>\n<objects>\n");
    for object in list(log, "objects") {
        let [id, of_type] = ["id", "type"].map(|name| attribute(object, name));
        // Its own attributes and relations are none of an event's.
        writeln!(xml, "<object {id} {of_type}><attributes><attribute name=\"a\" time=\"0\">x</attribute></attributes>")
            .unwrap();
        writeln!(
            xml,
            "<objects><relationship {}/></objects></object>",
            attribute(object, "id").replace("id=", "object-id=")
        )
        .unwrap();
    }
    xml.push_str("</objects>\n</log>\n");
    Log::new(xml)
}

fn as_sqlite(log: &Value) -> Log {
    let file = Log::new("");
    write_sqlite(log, &file.path);
    file
}

/// As in the examples of the specification. Rows of types and of relations come in other orders than the events.
fn write_sqlite(log: &Value, path: &Path) {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);
             CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT);
             CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
                 PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
             CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
             BEGIN",
        )
        .unwrap();
    for object in list(log, "objects") {
        database.execute("INSERT INTO object VALUES (?1, ?2)", [text(object, "id"), text(object, "type")]).unwrap();
    }
    for (number, event_type) in list(log, "eventTypes").iter().enumerate() {
        let (name, table) = (text(event_type, "name"), format!("Type \"\" {number}"));
        database.execute("INSERT INTO event_map_type VALUES (?1, ?2)", [name, &table.replace("\"\"", "\"")]).unwrap();
        let mut columns = "ocel_id TEXT, ocel_time TIMESTAMP".to_owned();
        for declared in list(event_type, "attributes") {
            let sql = match text(declared, "type") {
                "integer" => "INTEGER",
                "float" => "REAL",
                "boolean" => "BOOLEAN",
                _ => "TEXT",
            };
            write!(columns, ", \"{}\" {sql}", text(declared, "name")).unwrap();
        }
        database.execute_batch(&format!("CREATE TABLE \"event_{table}\" ({columns})")).unwrap();
        for event in list(log, "events").iter().rev().filter(|event| event["type"] == event_type["name"]) {
            let time = text(event, "time").replace('T', " ");
            let time = time.trim_end_matches('Z').trim_end_matches("+00:00");
            let mut values = vec![Sql::from(text(event, "id").to_owned()), Sql::from(time.to_owned())];
            for declared in list(event_type, "attributes") {
                let value = list(event, "attributes").iter().find(|one| one["name"] == declared["name"]);
                values.push(match value.map_or(&Value::Null, |one| &one["value"]) {
                    Value::String(text) => text.clone().into(),
                    Value::Bool(value) => i64::from(*value).into(),
                    Value::Number(number) if number.is_i64() => number.as_i64().into(),
                    number => number.as_f64().into(),
                });
            }
            let places = vec!["?"; values.len()].join(", ");
            let sql = format!("INSERT INTO \"event_{table}\" VALUES ({places})");
            database.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
        }
    }
    let events = list(log, "events");
    for event in events {
        database.execute("INSERT INTO event VALUES (?1, ?2)", [text(event, "id"), text(event, "type")]).unwrap();
    }
    let most = events.iter().map(|event| list(event, "relationships").len()).max().unwrap_or(0);
    for place in 0..most {
        for (event, related) in
            events.iter().filter_map(|event| Some((event, list(event, "relationships").get(place)?)))
        {
            let row = [text(event, "id"), text(related, "objectId"), &place.to_string()];
            database.execute("INSERT INTO event_object VALUES (?1, ?2, ?3)", row).unwrap();
        }
    }
    database.execute_batch("COMMIT").unwrap();
}

/// The bytes of the trace of a log.
fn traced(log: &Log) -> Vec<u8> {
    let directory = tempdir().unwrap();
    let output = directory.path().join("out.csv");
    let before = fs::read(&log.path).unwrap();
    trace::import(&log.path, &output, &options()).unwrap();
    assert_eq!(fs::read(&log.path).unwrap(), before, "the log is not written to");
    assert_eq!(fs::read_dir(log.directory.path()).unwrap().count(), 1, "nothing is left beside the log");
    fs::read(output).unwrap()
}

#[track_caller]
fn forms_agree(log: &Value) {
    let [json, others @ ..] = FORMS.map(|form| traced(&form(log)));
    for (other, name) in others.iter().zip(["XML", "SQLite"]) {
        let [other, json] = [other, &json].map(|trace| String::from_utf8_lossy(trace).into_owned());
        let differs = other.lines().zip(json.lines()).find(|(one, another)| one != another);
        assert_eq!((differs, other.len()), (None, json.len()), "{name}");
    }
}

#[test]
fn a_real_log_has_an_event_of_each_object_that_an_event_touches_in_every_form() {
    let test = a_real_log_has_an_event_of_each_object_that_an_event_touches_in_every_form;
    let Some(path) = shared("logs/ocel20_example.jsonocel") else {
        return skipped(test, &format!("no real logs in {SHARED}"));
    };
    let log: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let type_of = |id: &Value| {
        let object = list(&log, "objects").iter().find(|object| object["id"] == *id).unwrap();
        match text(object, "type") {
            "Invoice" => "invoice",
            "Payment" => "payment",
            "Purchase Order" => "purchase_order",
            _ => "purchase_requisition",
        }
    };
    let mut expected = Vec::new();
    for event in list(&log, "events") {
        let values = list(event, "attributes").iter().map(|attribute| text(attribute, "value"));
        let bytes = values.fold(text(event, "type").len(), |bytes, value| bytes + 1 + value.len());
        for touched in list(event, "relationships") {
            let id = &touched["objectId"];
            let time = text(event, "time").parse().unwrap();
            expected.push((time, type_of(id), id.as_str().unwrap().to_owned(), bytes));
        }
    }
    let Import { summary, events } = import(&path, &options());
    assert_eq!(events, in_order(expected));
    assert_eq!((summary.actors, summary.columns[0].as_str()), (9, "actor: `object`"));
    forms_agree(&log);
}

/// A value of a type of attributes.
fn value_of(kind: &str) -> BoxedStrategy<Value> {
    let some = match kind {
        "integer" => any::<i64>().prop_map(Value::from).boxed(),
        "float" => prop_oneof![
            any::<f64>().prop_filter("not in JSON", |number| number.is_finite()).prop_map(Value::from),
            (-50i32..50).prop_map(|number| Value::from(f64::from(number))),
        ]
        .boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        _ => "[a-z0-9 <>&\"'é\n.,;]{0,12}".prop_map(Value::from).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => some].boxed()
}

/// Names of the types of events, and their attributes.
const TYPES: [(&str, &[(&str, &str)]); 3] = [
    ("Place Order", &[("total", "float"), ("count", "integer"), ("note", "string")]),
    ("pay <&> \"late\"", &[("is late", "boolean"), ("note", "string")]),
    ("größer", &[]),
];
const OBJECTS: [(&str, &str); 5] =
    [("o1", "Order"), ("o 2", "Order"), ("<3>", "Item & Part"), ("\"4\"", "Item & Part"), ("ö", "Kunde")];

fn event() -> impl Strategy<Value = Value> {
    (0..TYPES.len()).prop_flat_map(|number| {
        let (name, declared) = TYPES[number];
        let values: Vec<_> = declared.iter().map(|(_, kind)| value_of(kind)).collect();
        let objects = prop::collection::vec(0..OBJECTS.len(), 0..4);
        // Many events come at the same time.
        (values, objects, 0..5u32, prop_oneof![Just(""), Just(".25"), Just(".000001")]).prop_map(
            move |(values, objects, second, fraction)| {
                let attributes =
                    declared.iter().zip(values).map(|((name, _), value)| json!({ "name": name, "value": value }));
                let related = objects.iter().map(|&number| json!({ "objectId": OBJECTS[number].0, "qualifier": "of" }));
                json!({
                    "type": name,
                    "time": format!("2024-02-29T23:59:0{second}{fraction}Z"),
                    "attributes": attributes.collect::<Vec<_>>(),
                    "relationships": related.collect::<Vec<_>>(),
                })
            },
        )
    })
}

fn log_of(mut events: Vec<Value>) -> Value {
    for (number, event) in events.iter_mut().enumerate() {
        // Their order is that of the log, not of their names.
        event["id"] = format!("e&{}", (number * 7) % 100).into();
    }
    let declared = |attributes: &[(&str, &str)]| {
        attributes.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect::<Vec<_>>()
    };
    json!({
        "eventTypes": TYPES.map(|(name, attributes)| json!({ "name": name, "attributes": declared(attributes) })),
        "objectTypes": [],
        "events": events,
        "objects": OBJECTS.map(|(id, name)| json!({ "id": id, "type": name, "attributes": [] })),
    })
}

/// An event of `o1` that is there in any log.
fn plain_event() -> Value {
    json!({
        "type": TYPES[2].0, "time": "2024-02-29T23:59:00Z", "attributes": [], "relationships": [{ "objectId": "o1" }],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_three_forms_of_a_log_are_one_trace(mut events in prop::collection::vec(event(), 0..25)) {
        events.push(plain_event());
        forms_agree(&log_of(events));
    }
}

#[test]
fn events_without_an_object_are_left_out_and_roles_of_one_object_are_one_event() {
    let mut events = vec![plain_event(), plain_event()];
    events[0]["relationships"] = json!([{ "objectId": "o1" }, { "objectId": "o1" }]);
    events[1]["relationships"] = json!([]);
    for form in FORMS {
        let Import { summary, events } = form(&log_of(events.clone())).import(&options());
        assert_eq!(events.len(), 1, "two roles of one object are one event");
        assert!(summary.assumptions.iter().any(|assumed| assumed.contains("1 event without an object")), "{summary:?}");
        assert!(summary.columns.iter().any(|column| column.starts_with("format: OCEL 2.0 in ")), "{summary:?}");
    }
}

#[test]
fn times_of_sqlite_without_an_offset_are_in_utc_unless_a_zone_is_given() {
    let log = as_sqlite(&log_of(vec![plain_event()]));
    let first = |time_zone| log.import(&ImportOptions { time_zone, ..options() }).summary.span[0].to_string();
    assert_eq!(first(None), "2024-02-29T23:59:00Z");
    assert_eq!(first(Some(TimeZone::fixed(jiff::tz::offset(2)))), "2024-02-29T21:59:00Z");
}

#[test]
fn a_bad_event_is_refused_with_its_place_in_every_form() {
    let named = ImportOptions { actor_column: Some("id".to_owned()), ..options() };
    let changed = |name: &str, value: Value| {
        let mut event = plain_event();
        event[name] = value;
        log_of(vec![plain_event(), event])
    };
    let soon = changed("time", "soon".into());
    let unknown = changed("relationships", json!([{ "objectId": "nobody" }]));
    for (form, place, table) in [
        (as_json as fn(&Value) -> Log, "event `e&7`", "event `e&7`"),
        (as_xml, "line 22, event `e&7`", "line 22, event `e&7`"),
        (as_sqlite, "table `event_Type \" 2`, row 1", "table `event_object`, row 2"),
    ] {
        for (log, place, parts) in
            [(&soon, place, &["column `time`", "`soon", "expected"][..]), (&unknown, table, &["`nobody` is not "])]
        {
            let error = form(log).refused(&options());
            assert!(error.contains(place) && parts.iter().all(|part| error.contains(part)), "{error}");
        }
        assert!(form(&log_of(Vec::new())).refused(&options()).contains("empty"));
        assert!(form(&soon).refused(&named).contains("--actor-column does not apply"));
    }
}

#[test]
fn a_log_that_is_cut_off_or_incomplete_is_refused_with_its_line() {
    let whole = fs::read_to_string(as_xml(&log_of(vec![plain_event()])).path).unwrap();
    let cut = |part: &str| whole[..whole.find(part).unwrap()].to_owned();
    let line_of = |part: &str| format!("line {}: ", whole[..whole.find(part).unwrap()].matches('\n').count() + 1);
    for (xml, line, reason) in [
        (cut("</objects></event>"), line_of("</objects></event>"), "cut off, expected `</log>`"),
        (cut("</log>"), line_of("</log>"), "cut off, expected `</log>`"),
        (cut("time=\"2024"), line_of("<event "), "syntax error"),
        (whole.replace("time=\"2024-02-29T23:59:00Z\"", ""), line_of("<event "), "<event> without `time`"),
        (whole.replace("</event>", "</wrong>"), line_of("</event>"), "</event>"),
        (
            whole.replace("object-id=\"o1\" qualifier", "qualifier"),
            line_of("<relationship "),
            "<relationship> without `object-id`",
        ),
        (whole.replace("<object id=\"o1\"", "<object"), line_of("<object id"), "<object> without `id`"),
    ] {
        let error = Log::new(xml).refused(&options());
        assert!(error.contains(&line) && error.contains(reason), "{line}{reason}: {error}");
    }
    let cut = "{\"objects\": [{\"id\": \"o\", \"type\": \"t\"}],\n\"events\": [{\"id\": \"e1\"}";
    let error = Log::new(cut).refused(&options());
    assert!(error.contains("line 2: EOF"), "{error}");
    let incomplete = Log::new(format!("{cut}]}}")).refused(&options());
    assert!(incomplete.contains("line 2: missing field"), "{incomplete}");
}

#[test]
fn a_sqlite_file_that_is_no_ocel_log_is_refused_with_the_table() {
    for (change, parts) in [
        ("DROP TABLE event_map_type", &["without the table `event_map_type` of OCEL 2.0", "sqlite3 -csv"][..]),
        ("DROP TABLE event_object", &["without the table `event_object`"]),
        ("DROP TABLE event", &["without the table `event`"]),
        (
            "DROP TABLE \"event_Type \"\" 0\"",
            &["table `event_map_type`, row 1", "`Place Order` has no table `event_Type \" 0`"],
        ),
        (
            "DELETE FROM event_map_type WHERE ocel_type = 'größer'",
            &["table `event`, row 1", "`größer`", "event_map_type"],
        ),
        ("DELETE FROM \"event_Type \"\" 2\"", &["table `event`, row 1", "`e&0` is in no table of its type"]),
        (
            "INSERT INTO \"event_Type \"\" 1\" (ocel_id, ocel_time) VALUES ('e&0', '2024-01-01')",
            &["row 1", "`e&0` is there twice"],
        ),
        ("INSERT INTO \"event_Type \"\" 1\" (ocel_id) VALUES ('x')", &["row 1", "`x` is not in the table `event`"]),
        (
            "INSERT INTO event_object VALUES ('x', 'o1', '')",
            &["table `event_object`, row 2", "`x` is not in the table `event`"],
        ),
        ("UPDATE event_object SET ocel_object_id = NULL", &["table `event_object`, row 1", "`ocel_object_id` is null"]),
        ("UPDATE \"event_Type \"\" 2\" SET ocel_time = NULL", &["table `event_Type \" 2`, row 1", "column `time`"]),
        ("ALTER TABLE event RENAME COLUMN ocel_type TO kind", &["table `event`", "no column `ocel_type`"]),
    ] {
        let log = as_sqlite(&log_of(vec![plain_event()]));
        Connection::open(&log.path).unwrap().execute_batch(change).unwrap();
        let error = log.refused(&options());
        assert!(parts.iter().all(|part| error.contains(part)), "{change}: {error}");
    }
}

#[test]
fn a_sqlite_file_must_be_whole_closed_and_a_file() {
    let log = log_of(vec![plain_event()]);
    let bytes = fs::read(as_sqlite(&log).path).unwrap();
    let error = Log::new(&bytes[..bytes.len() / 2]).refused(&options());
    assert!(error.contains(&format!("cut off: {} bytes, expected {}", bytes.len() / 2, bytes.len())), "{error}");
    let error = Log::new(&bytes[..50]).refused(&options());
    assert!(error.contains("cut off: 50 bytes"), "{error}");
    let damaged = [&bytes[..4096], &vec![7; bytes.len() - 4096]].concat();
    let error = Log::new(damaged).refused(&options());
    assert!(error.contains("malformed"), "{error}");
    let error = Log::new(gzipped(&bytes)).refused(&options());
    assert!(error.contains("must be a file that is not compressed"), "{error}");
    let directory = tempdir().unwrap();
    let piped = LogInput::reader("a pipe", Cursor::new(bytes));
    let error = trace::import_from(piped, &directory.path().join("out"), &options(), &()).unwrap_err().to_string();
    assert!(error.contains("a pipe") && error.contains("must be a file"), "{error}");

    let open = as_sqlite(&log);
    let writer = Connection::open(&open.path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; DELETE FROM event_object; DELETE FROM event").unwrap();
    let error = trace::import(&open.path, &directory.path().join("out"), &options()).unwrap_err().to_string();
    assert!(error.contains("log-wal has changes") && error.contains(".backup"), "{error}");
    drop(writer);
    let error = open.refused(&options());
    assert!(error.contains("`e&0` is not in the table `event`"), "{error}");
    let names = [" a%b?c#d.sqlite", "größe=1&immutable=0"].map(|name| directory.path().join(name));
    for name in names {
        write_sqlite(&log, &name);
        assert_eq!(import_from(LogInput::file(&name), &options()).events.len(), 1, "{}", name.display());
    }
}
