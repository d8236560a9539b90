//! Traces: what is written reads back, what is broken is refused by name and place, and an event log becomes the
//! commands it stands for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ave_actors_rocksdb::trace::{CommandKind, NameRule, Op, OpKind, Provenance};
use ave_actors_store::Error;
use ave_workbench::actor::{Durability, PersistenceRules, Strategy as When};
use ave_workbench::load::{Control, DriveSpec, JobContext, Load, Session, Source, SystemClock, Target, WarmUp};
use ave_workbench::trace;
use ave_workbench::trace::{ImportOptions, Trace, TraceActor, TraceCommand, TraceError, TraceWriter, Truncation};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::support::recording::{RecordedStore, Recorder, lines};
use crate::support::{Told, provenance, told, trace_of, trace_told, workload};

/// Writes a trace and returns where it stands.
fn write(trace: &Trace, path: &Path) -> Result<(), TraceError> {
    let mut writer = TraceWriter::create(path, &trace.provenance)?;
    let (mut commands, mut ops) = (trace.commands(), Vec::new());
    while let Some(command) = commands.next(&mut ops).unwrap() {
        writer.command(&trace.actors()[command.actor as usize], &command, &ops)?;
    }
    writer.finish()
}

/// Names as other systems have them, some of them unpleasant in a CSV file.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,20}",
        "[ -~]{0,12}",
        "[a-zß✓,\";'\t]{1,6}",
        "[a,\"\r\n]{1,6}",
        Just("# ave-trace 1 {}".to_owned()),
    ]
}

fn some_provenance() -> impl Strategy<Value = Provenance> {
    (name(), name(), any::<[bool; 2]>(), 0u32..=100, prop::collection::vec(name(), 0..3)).prop_map(
        |(name, source, [names_hashed, is_recorded], percent, assumptions)| Provenance {
            name,
            source,
            made_by: "a test".to_owned(),
            persistence: "light".to_owned(),
            names_hashed,
            recording: is_recorded.then(ave_actors_rocksdb::trace::Recording::default),
            compressibility: f64::from(percent) / 100.0,
            assumptions,
        },
    )
}

/// A command before it has its place: nanoseconds since the one before, actor, kind, operations.
type Drawn = (u64, usize, CommandKind, Vec<(OpKind, u64, u32)>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let op = (prop::sample::select(&OpKind::ALL[..]), any::<u64>(), 0u32..16 << 20);
    let gap = prop_oneof![Just(0), 0u64..5_000_000_000, Just(u64::MAX >> 8)];
    (gap, any::<usize>(), prop::sample::select(&CommandKind::ALL[..]), prop::collection::vec(op, 1..6))
}

/// Any trace a reader can be asked to understand: actors in order of appearance, values numbered as they were written.
fn some_trace() -> impl Strategy<Value = Trace> {
    let actors = prop::collection::hash_set((name(), name()), 1..6);
    (some_provenance(), actors, prop::collection::vec(drawn(), 1..40)).prop_map(|(provenance, actors, drawn)| {
        let actors: Vec<_> = actors.iter().map(|(type_name, name)| TraceActor::new(type_name, name)).collect();
        trace_told(provenance, &assemble(&actors, drawn))
    })
}

fn assemble(actors: &[TraceActor], drawn: Vec<Drawn>) -> Vec<Told> {
    let mut at_ns = 0u64;
    let command = |(gap, actor, kind, ops): Drawn| {
        at_ns += gap;
        let op = |(kind, number, bytes)| match kind {
            OpKind::EventsPut | OpKind::EventsGet | OpKind::EventsDel => Op::new(kind, number, bytes),
            // The newest event is known where there was one.
            OpKind::EventsLast if bytes > 0 => Op::new(kind, number, bytes),
            _ => Op::new(kind, 0, bytes),
        };
        Told { at_ns, actor: actors[actor % actors.len()].clone(), kind, ops: ops.into_iter().map(op).collect() }
    };
    drawn.into_iter().map(command).collect()
}

/// All that a replay takes from a trace.
fn replayed(trace: &Trace) -> (Provenance, Vec<TraceActor>, Vec<Told>, Vec<Vec<Op>>) {
    let before = (0..trace.actors().len()).map(|actor| {
        let mut ops = Vec::new();
        trace.prehistory(u32::try_from(actor).unwrap(), &mut ops);
        ops
    });
    (trace.provenance.clone(), trace.actors().to_vec(), told(trace), before.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(trace in some_trace(), compressed: bool) {
        let directory = tempdir().unwrap();
        let path = directory.path().join(if compressed { "t.csv.zst" } else { "t.csv" });
        write(&trace, &path).unwrap();
        prop_assert_eq!(replayed(&trace::read(&path, Truncation::Refuse).unwrap()), replayed(&trace));
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing stands beside it");
    }
}

/// Whoever cuts the beginning off a trace does not want to wait through it.
#[test]
fn a_trace_that_begins_late_begins_at_once() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let trace = small_trace();
    let mut writer = TraceWriter::create(&path, &trace.provenance).unwrap();
    let (mut commands, mut ops) = (trace.commands(), Vec::new());
    while let Some(command) = commands.next(&mut ops).unwrap() {
        let late = TraceCommand { at_ns: command.at_ns + 5_000_000_000, ..command };
        writer.command(&trace.actors()[command.actor as usize], &late, &ops).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(replayed(&trace::read(&path, Truncation::Refuse).unwrap()), replayed(&trace));
}

#[test]
fn compression_is_told_by_the_content_and_not_by_the_name() {
    let directory = tempdir().unwrap();
    let [plain, packed] = ["t.csv", "t.csv.zst"].map(|name| directory.path().join(name));
    let trace = small_trace();
    write(&trace, &plain).unwrap();
    write(&trace, &packed).unwrap();
    assert!(fs::metadata(&packed).unwrap().len() * 2 < fs::metadata(&plain).unwrap().len());
    for renamed in [&plain, &packed] {
        let other = directory.path().join("renamed");
        fs::rename(renamed, &other).unwrap();
        assert_eq!(told(&trace::read(&other, Truncation::Refuse).unwrap()), told(&trace));
    }
}

/// A trace that was written over another one replaces it only when it is complete.
#[test]
fn a_trace_that_is_not_finished_leaves_what_stood_there() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv");
    write(&small_trace(), &path).unwrap();
    let mut writer = TraceWriter::create(&path, &provenance("second")).unwrap();
    let trace = small_trace();
    let mut ops = Vec::new();
    let command = trace.commands().next(&mut ops).unwrap().unwrap();
    writer.command(&trace.actors()[0], &command, &ops).unwrap();
    drop(writer);
    assert_eq!(told(&trace::read(&path, Truncation::Refuse).unwrap()), told(&trace));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

fn small_trace() -> Trace {
    let mix = "mode = 'full'\nsnapshot_every = 2\n[commands]\npersist = 4\nrecover = 1\nevents = 1";
    trace_of(&workload(2, mix), 6)
}

/// Whether the commands of `part` are the first of `whole`, the last one perhaps with its first operations only.
fn is_prefix(part: &Trace, whole: &Trace) -> bool {
    let (found, full) = (told(part), told(whole));
    let same = |place: usize| {
        let (a, b) = (&found[place], &full[place]);
        let ops = if place + 1 == found.len() { b.ops.starts_with(&a.ops) } else { b.ops == a.ops };
        ops && (a.at_ns, a.kind, &a.actor) == (b.at_ns, b.kind, &b.actor)
    };
    part.provenance == whole.provenance && found.len() <= full.len() && (0..found.len()).all(same)
}

fn cut_everywhere(file: &str) {
    let directory = tempdir().unwrap();
    let (path, cut) = (directory.path().join(file), directory.path().join(format!("cut-{file}")));
    let whole = small_trace();
    write(&whole, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let packed = path.extension().is_some_and(|extension| extension == "zst");
    let mut used = 0;
    for length in 0..bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        // A plain file that ends with a line is a shorter trace, and nothing tells it from a whole one.
        let ends_with_a_line = !packed && bytes[..length].ends_with(b"\n");
        match trace::read(&cut, Truncation::Refuse) {
            Ok(part) => assert!(ends_with_a_line && is_prefix(&part, &whole), "{length} bytes were taken for a trace"),
            Err(error) => assert_refused(&error, &cut, length),
        }
        match trace::read(&cut, Truncation::UseWholeLines) {
            Ok(part) => {
                assert!(part.command_count() > 0 && is_prefix(&part, &whole), "{length} bytes give other commands");
                used += 1;
            }
            Err(error) => assert_refused(&error, &cut, length),
        }
    }
    if !packed {
        let head = bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').nth(2).unwrap().0 + 1;
        assert_eq!(used, bytes.len() - head, "from the first line on, whole lines are used");
    }
}

#[track_caller]
fn assert_refused(error: &TraceError, path: &Path, length: usize) {
    let kind = matches!(error, TraceError::Truncated { .. } | TraceError::NotATrace { .. } | TraceError::Empty { .. });
    let text = error.to_string();
    assert!(kind && text.contains(&path.display().to_string()), "{length} bytes: {text}");
}

#[test]
fn a_plain_trace_cut_anywhere_is_refused_or_used_up_to_its_last_whole_line() {
    cut_everywhere("t.csv");
}

#[test]
fn a_compressed_trace_cut_anywhere_is_refused_or_used_up_to_its_last_whole_line() {
    cut_everywhere("t.csv.zst");
}

#[test]
fn most_of_a_long_compressed_trace_survives_a_cut() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv.zst");
    let whole = trace_of(&workload(50, "mode = 'light'\n[commands]\npersist = 1"), 40_000);
    write(&whole, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() * 9 / 10]).unwrap();
    let error = trace::read(&path, Truncation::Refuse).unwrap_err().to_string();
    assert!(error.contains("truncated after") && error.contains("--allow-truncated"), "{error}");
    let part = trace::read(&path, Truncation::UseWholeLines).unwrap();
    assert!(part.command_count() > 20_000 && is_prefix(&part, &whole), "{} commands are left", part.command_count());
}

/// A trace file, by lines.
struct Lines(TempDir, Vec<String>);

impl Lines {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let path = directory.path().join("t.csv");
        write(&small_trace(), &path).unwrap();
        let lines = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        Self(directory, lines)
    }

    /// What reading says when this line (from 1) stands as given.
    fn with(&self, number: usize, line: &str) -> String {
        let mut lines = self.1.clone();
        line.clone_into(&mut lines[number - 1]);
        let path = self.0.path().join("altered.csv");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let error = trace::read(&path, Truncation::UseWholeLines).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        error
    }

    /// The same with one field of the line replaced.
    fn with_field(&self, number: usize, column: &str, text: &str) -> String {
        let place = self.1[1].split(',').position(|name| name == column).unwrap();
        let mut fields: Vec<&str> = self.1[number - 1].split(',').collect();
        fields[place] = text;
        self.with(number, &fields.join(","))
    }
}

#[test]
fn a_malformed_field_is_named_with_line_and_column() {
    let lines = Lines::new();
    let find = |operation: &str| lines.1.iter().position(|line| line.contains(operation)).unwrap() + 1;
    let put = find("events.put");
    let last = lines.1.iter().rposition(|line| line.contains("events.put")).unwrap() + 1;
    for (line, column, text, expected) in [
        (put, "time_ns", "noon", "whole number"),
        (put, "time_ns", "-1", "whole number"),
        (put, "time_ns", "", "whole number"),
        (last, "time_ns", "0", "ascending"),
        (put, "command_id", "x", "whole number"),
        (put, "command", "presist", "persist, snapshot, recover"),
        (put, "operation", "events.drop", "events.put"),
        (put, "key", "first", "whole number"),
        (put, "bytes", "1e3", "whole number"),
        (put, "bytes", "4294967296", "at most"),
        (put, "column_family", "account_states", "_events"),
        (put, "column_family", "", "_events"),
        (find("states.put"), "column_family", "account_metadata", "_states"),
    ] {
        let error = lines.with_field(line, column, text);
        let place = format!("line {line}, column `{column}`");
        assert!(error.contains(&place) && error.contains(expected), "{column} = {text}: {error}");
    }
}

#[test]
fn a_malformed_line_is_named() {
    let lines = Lines::new();
    // The second line of a command: a snapshot goes with its event.
    let second = lines.1.iter().position(|line| line.contains("persist,states.put")).unwrap() + 1;
    for (line, text, expected) in [
        (4, "1,account_events,a,0,persist,events.put,0", "7 fields, expected 8"),
        (4, "", "1 fields, expected 8"),
        (4, "1,account_events,a,0,persist,events.put,0,9,9", "more than 8"),
    ] {
        let error = lines.with(line, text);
        assert!(error.contains(&format!("line {line}")) && error.contains(expected), "{text}: {error}");
    }
    let error = lines.with_field(second, "actor", "somebody else");
    assert!(error.contains(&format!("line {second}")) && error.contains("another actor"), "{error}");
    let error = lines.with_field(second, "command", "purge");
    assert!(error.contains(&format!("line {second}")) && error.contains("another actor or kind"), "{error}");
}

#[test]
fn what_is_no_trace_says_what_was_expected() {
    let lines = Lines::new();
    assert!(lines.with(1, "case,time,activity").contains("trace import"), "an event log is told what to do");
    assert!(lines.with(1, "# ave-trace 2 {}").contains("version 2, expected 1"));
    assert!(lines.with(1, "# ave-trace 1 {").contains("not valid JSON"));
    assert!(lines.with(2, "time_ns,actor").contains("time_ns,column_family,actor"));

    let missing = Path::new("/nonexistent/t.csv");
    let error = trace::read(missing, Truncation::Refuse).unwrap_err().to_string();
    assert!(error.contains("cannot read /nonexistent/t.csv"), "{error}");
}

/// A backend that opens the one recorder.
struct Recording(Recorder);

impl Target for Recording {
    type Collection = RecordedStore;
    type State = RecordedStore;
    type Manager = Recorder;

    fn name(&self) -> &'static str {
        "recording"
    }

    fn open(&self, _directory: &Path, _durability: Durability) -> Result<Recorder, Error> {
        Ok(self.0.clone())
    }
}

#[test]
fn the_operations_of_an_actor_keep_their_order_whatever_the_number_of_workers() {
    let mix = "mode = 'full'\nsnapshot_every = 3\ncompact_on_snapshot = true\n[commands]\n\
               persist = 8\nsnapshot = 1\nrecover = 1\nevents = 2\nlast_event = 1\npurge = 1";
    let trace = trace_of(&workload(7, mix), 400);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for command in told(&trace) {
        let actor = &command.actor.name;
        let ops = command.ops.iter().flat_map(|op| lines(op, "account", actor));
        expected.entry(actor.to_string()).or_default().extend(ops);
    }
    let trace = Arc::new(trace);
    for workers in [1, 2, 3, 7, 20] {
        let recording = Recording(Recorder::default());
        let source = Source::Trace { trace: Arc::clone(&trace), seed: 1, passes: Some(1) };
        let (directory, control) = (tempdir().unwrap(), Control::default());
        let path = directory.path();
        let mut session =
            Session::start(&recording, &source, path, Durability::Off, workers, JobContext::silent(&control)).unwrap();
        let spec = DriveSpec { load: Load::Closed, warmup: WarmUp::NONE, measure: None, lag_limit: None, settle: true };
        session.drive(&spec, &SystemClock::new(), JobContext::silent(&control)).unwrap();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in recording.0.take() {
            let actor = call.split(' ').next().unwrap().to_owned();
            found.entry(actor).or_default().push(call);
        }
        // An actor that was there before the trace began is started before its first command.
        for (actor, calls) in &mut found {
            if !expected[actor][0].contains("create_collection") {
                calls.drain(..3);
            }
        }
        assert_eq!(found, expected, "{workers} workers");
    }
}

/// How the tests import, unless they say otherwise: light, names kept.
fn options() -> ImportOptions {
    ImportOptions {
        actor_column: None,
        time_column: None,
        time_format: None,
        payload_column: None,
        delimiter: None,
        rules: PersistenceRules { strategy: When::Light, compact_on_snapshot: false, encrypted: false },
        state_bytes: 300,
        type_name: "case".to_owned(),
        names: NameRule::Keep,
        ..ImportOptions::default()
    }
}

/// An event log and the place for its trace.
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

    fn import(&self, options: &ImportOptions) -> Trace {
        trace::import(&self.path, &self.output, options).unwrap();
        trace::read(&self.output, Truncation::Refuse).unwrap()
    }

    /// What an import that must fail says; it must leave nothing, and what stood there before.
    fn refused(&self, options: &ImportOptions) -> String {
        let stands_there = |expected: &[&str]| {
            let mut names: Vec<_> =
                fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            assert_eq!(names, expected);
        };
        let error = trace::import(&self.path, &self.output, options).unwrap_err().to_string();
        assert!(error.contains(&self.path.display().to_string()), "{error}");
        stands_there(&["log.csv"]);
        fs::write(&self.output, "precious").unwrap();
        trace::import(&self.path, &self.output, options).unwrap_err();
        stands_there(&["log.csv", "out.csv"]);
        assert_eq!(fs::read_to_string(&self.output).unwrap(), "precious");
        fs::remove_file(&self.output).unwrap();
        error
    }
}

/// A row of a log: case, milliseconds since an epoch, text.
fn rows() -> impl Strategy<Value = Vec<(u8, u32, String)>> {
    let text = prop_oneof!["[a-z ]{0,60}", "[a-zß✓,\"\n]{0,12}"];
    // Few moments, so that many rows share theirs.
    prop::collection::vec((0u8..6, (0u32..30).prop_map(|moment| moment * 333), text), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Rows in any order become commands in order of time; those of equal time keep the log's order.
    #[test]
    fn an_event_log_becomes_one_command_for_each_row(rows in rows(), delimiter in prop::sample::select(b",;\t")) {
        let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        csv.write_record(["activity", "case_id", "timestamp"]).unwrap();
        let time = |millis: u32| format!("2024-02-29 23:59:{:02}.{:03}+01:00", millis / 1000, millis % 1000);
        for (case, millis, text) in &rows {
            csv.write_record([text, &format!("case {case}"), &time(*millis)]).unwrap();
        }
        let trace = Log::new(csv.into_inner().unwrap()).import(&options());

        let mut expected = rows.clone();
        expected.sort_by_key(|&(_, millis, _)| millis);
        let found = told(&trace);
        prop_assert_eq!(found.len(), expected.len());
        let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
        for (command, (case, millis, text)) in found.iter().zip(&expected) {
            let name = format!("case {case}");
            prop_assert_eq!(&*command.actor.name, &name);
            prop_assert_eq!(command.at_ns, u64::from(millis - expected[0].1) * 1_000_000);
            prop_assert_eq!(command.kind, CommandKind::Persist);
            let row = text.len() + 1 + name.len() + 1 + time(*millis).len();
            let number = numbers.entry(&command.actor.name).or_default();
            let event = Op::new(OpKind::EventsPut, *number, u32::try_from(row).unwrap());
            let state = Op::new(OpKind::StatesPut, *number, 308);
            let metadata = Op::new(OpKind::MetadataPut, *number, 16);
            prop_assert_eq!(&command.ops, &[event, state, metadata]);
            *number += 1;
        }
    }
}

const HEAD: &str = "case_id,timestamp,payload\n";

fn log(rows: &str) -> Log {
    Log::new(format!("{HEAD}{rows}"))
}

#[test]
fn an_import_takes_the_size_of_the_payload_column_when_told() {
    let log = log("a,2024-01-01T00:00:00Z,12345\nb,2024-01-01T00:00:01Z,\n");
    let trace = log.import(&ImportOptions { payload_column: Some("payload".to_owned()), ..options() });
    let ops = told(&trace).into_iter().flat_map(|command| command.ops);
    let events: Vec<_> = ops.filter(|op| op.kind == OpKind::EventsPut).map(|op| op.bytes).collect();
    assert_eq!(events, [5, 0]);
}

#[test]
fn an_import_follows_the_persistence_it_is_told() {
    let rows: Vec<_> = (0..5).map(|second| format!("a,2024-01-01T00:00:0{second}Z,x\n")).collect();
    let strategy = When::Full { snapshot_every: Some(2) };
    let rules = PersistenceRules { strategy, compact_on_snapshot: true, encrypted: true };
    let trace = log(&rows.concat()).import(&ImportOptions { rules, ..options() });
    let commands = told(&trace);
    let kinds: Vec<Vec<&str>> =
        commands.iter().map(|command| command.ops.iter().map(|op| op.kind.name()).collect()).collect();
    let snapshot = ["events.put", "states.put", "metadata.put", "events.del", "events.del", "metadata.put"];
    assert_eq!(kinds, [&["events.put"][..], &snapshot, &["events.put"], &snapshot, &["events.put"]]);
    let bytes = |kind| commands.iter().flat_map(|command| &command.ops).find(|op| op.kind == kind).unwrap().bytes;
    let row = u32::try_from("a,2024-01-01T00:00:00Z,x".len()).unwrap();
    assert_eq!(bytes(OpKind::EventsPut), row + 40, "nonce and tag");
    assert_eq!(bytes(OpKind::StatesPut), 300 + 8 + 40);
}

#[test]
fn hashed_names_cannot_be_found_in_the_trace_and_stay_apart() {
    let rows: Vec<_> =
        (0..30).map(|n| format!("customer-{},2024-01-01T00:00:{n:02}Z,secret-payload\n", n % 10)).collect();
    let log = log(&rows.concat());
    let hashed = ImportOptions { names: NameRule::Hash, ..options() };
    let first = log.import(&hashed);
    let text = fs::read_to_string(&log.output).unwrap();
    assert!(!text.contains("customer") && !text.contains("secret"), "neither names nor payloads are in a trace");
    assert!(first.provenance.names_hashed && first.actors().len() == 10);

    let kept = log.import(&options());
    let who = |trace: &Trace| {
        let place = |told: Told| trace.actors().iter().position(|actor| *actor == told.actor);
        told(trace).into_iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(who(&first), who(&kept), "the same actor each time");
    let second = log.import(&hashed);
    assert!(first.actors().iter().all(|actor| !second.actors().contains(actor)), "another key each time");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let log = Log::new(format!("\u{feff}{HEAD}a,2024-01-01T00:00:00Z,x\n"));
    assert_eq!(log.import(&options()).command_count(), 1);
}

#[test]
fn a_log_without_the_column_is_refused_with_those_it_has() {
    let log = Log::new("who,when,what\na,2024-01-01T00:00:00Z,x\n");
    let error = log.refused(&options());
    assert!(error.contains("--actor-column") && error.contains("who, when, what"), "{error}");
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
fn a_bad_row_is_refused_with_its_line() {
    let good = "a,2024-01-01T00:00:00Z,x\n";
    for (row, expected) in [
        ("a,yesterday,x\n", "column `timestamp`: `yesterday`"),
        ("a,,x\n", "column `timestamp`"),
        (",2024-01-01T00:00:00Z,x\n", "column `case_id`: empty"),
        ("a,2024-01-01T00:00:00Z\n", "2 fields, expected 3"),
        ("a,2024-01-01T00:00:00Z,x,y\n", "4 fields, expected 3"),
    ] {
        let error = log(&format!("{good}{row}{good}")).refused(&options());
        assert!(error.contains("line 3") && error.contains(expected), "{row}: {error}");
    }
}

#[test]
fn a_log_without_events_is_refused_as_empty() {
    for text in ["", HEAD] {
        let error = Log::new(text).refused(&options());
        assert!(error.contains("empty") && error.contains("no events"), "{text:?}: {error}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let log = log("a,2024-01-01T00:00:00Z,x\n");
    let output = log.directory.path().join("nowhere").join("t.csv");
    let error = trace::import(&log.path, &output, &options()).unwrap_err().to_string();
    assert!(error.contains("cannot create") && error.contains("nowhere"), "{error}");
}

#[test]
fn a_real_event_log_is_imported_whole() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/receipt.csv"));
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there, so no real event log was imported", path.display());
        return;
    }
    let directory = tempdir().unwrap();
    let output = directory.path().join("receipt.trace.csv.zst");
    let summary = trace::import(path, &output, &ImportOptions { names: NameRule::Hash, ..options() }).unwrap();
    assert_eq!((summary.events, summary.actors), (8_577, 1_434));
    let trace = trace::read(&output, Truncation::Refuse).unwrap();
    assert_eq!((trace.command_count(), trace.actors().len(), trace.operation_count()), (8_577, 1_434, 3 * 8_577));
    assert!(told(&trace).is_sorted_by_key(|command| command.at_ns));
}
