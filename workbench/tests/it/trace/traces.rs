//! Traces: what is written reads back, and what is malformed is refused with its file, line and column.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};
use ave_actors_store::Error;
use ave_workbench::actor::Durability;
use ave_workbench::load::{Control, DriveSpec, JobContext, Load, Session, Source, SystemClock, Target, WarmUp};
use ave_workbench::trace;
use ave_workbench::trace::{
    ExportError, Selection, ShardNumber, Table, TableFormat, Trace, TraceActor, TraceError, TraceWriter, Truncation,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::{TempDir, tempdir};

use crate::support::recording::{CallLog, LoggedStore, lines};
use crate::support::{TracedCommand, commands_in, trace_of, trace_of_commands, workload};

fn write(trace: &Trace, path: &Path) {
    writer_of(trace, path).finish().unwrap();
}

fn writer_of(trace: &Trace, path: &Path) -> TraceWriter {
    let mut writer = TraceWriter::create(path, &trace.provenance).unwrap();
    for TracedCommand { at_ns, actor, kind, ops } in commands_in(trace) {
        writer.command(&actor.type_name, &actor.name, at_ns, kind, &ops).unwrap();
    }
    writer
}

/// Names, some of them difficult in a CSV file.
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
            shard: None,
        },
    )
}

/// Nanoseconds since the command before, actor, kind, operations.
type Drawn = (u64, usize, CommandKind, Vec<(OpKind, u64, u32)>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let op = (prop::sample::select(&OpKind::ALL[..]), any::<u64>(), 0u32..16 << 20);
    let gap = prop_oneof![Just(0), 0u64..5_000_000_000, Just(u64::MAX >> 8)];
    (gap, any::<usize>(), prop::sample::select(&CommandKind::ALL[..]), prop::collection::vec(op, 1..6))
}

/// Any valid trace: actors in order of appearance, values numbered as they were written.
fn some_trace() -> impl Strategy<Value = Trace> {
    let actors = prop::collection::hash_set((name(), name()), 1..6);
    (some_provenance(), actors, prop::collection::vec(drawn(), 1..40)).prop_map(|(provenance, actors, drawn)| {
        let actors: Vec<_> = actors.iter().map(|(type_name, name)| TraceActor::new(type_name, name)).collect();
        trace_of_commands(provenance, &assemble(&actors, drawn))
    })
}

fn assemble(actors: &[TraceActor], drawn: Vec<Drawn>) -> Vec<TracedCommand> {
    let mut at_ns = 0u64;
    let command = |(gap, actor, kind, ops): Drawn| {
        at_ns += gap;
        let op = |(kind, number, bytes)| match kind {
            OpKind::EventsPut | OpKind::EventsGet | OpKind::EventsDel => Op::new(kind, number, bytes),
            // The newest event is known where there was one.
            OpKind::EventsLast if bytes > 0 => Op::new(kind, number, bytes),
            _ => Op::new(kind, 0, bytes),
        };
        TracedCommand {
            at_ns,
            actor: actors[actor % actors.len()].clone(),
            kind,
            ops: ops.into_iter().map(op).collect(),
        }
    };
    drawn.into_iter().map(command).collect()
}

/// All data that a replay uses.
fn replayed(trace: &Trace) -> (Provenance, Vec<TraceActor>, Vec<TracedCommand>, Vec<Vec<Op>>) {
    let before = (0..trace.actors().len()).map(|actor| {
        let mut ops = Vec::new();
        trace.prehistory(u32::try_from(actor).unwrap(), &mut ops);
        ops
    });
    (trace.provenance.clone(), trace.actors().to_vec(), commands_in(trace), before.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(trace in some_trace(), compressed: bool) {
        let directory = tempdir().unwrap();
        let path = directory.path().join(if compressed { "t.csv.zst" } else { "t.csv" });
        write(&trace, &path);
        prop_assert_eq!(replayed(&trace::read(&path, Truncation::Refuse).unwrap()), replayed(&trace));
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no other file is left");
    }

    #[test]
    fn the_shards_of_a_trace_have_each_of_its_operations_once(trace in some_trace(), count in 1u32..8) {
        let whole = rows(&exported(&trace, None).unwrap());
        let (mut together, mut actors) = (Vec::new(), Vec::new());
        for number in 1..=count {
            let text = match exported(&trace, ShardNumber::new(number, count)) {
                Err(ExportError::NothingOfShard) => continue,
                exported => exported.unwrap(),
            };
            let read = reread(&text);
            let shard = read.provenance.shard.clone().unwrap();
            prop_assert_eq!((shard.number, shard.count), (number, count));
            prop_assert_eq!(shard.trace_sha256, format!("{:x}", Sha256::digest(whole.concat())));
            prop_assert_eq!(shard.trace_commands, trace.command_count());
            prop_assert_eq!(shard.trace_operations, trace.operation_count());
            // Each actor does what it does in the whole trace, at the same times.
            let of_shard = commands_in(&read);
            let all = commands_in(&trace).into_iter();
            prop_assert_eq!(&of_shard, &all.filter(|command| read.actors().contains(&command.actor)).collect::<Vec<_>>());
            actors.extend(read.actors().to_vec());
            together.extend(rows(&text));
        }
        // Each actor is in one shard.
        let distinct: HashSet<_> = actors.iter().collect();
        prop_assert_eq!((distinct.len(), actors.len()), (trace.actors().len(), trace.actors().len()));
        let sorted = |mut rows: Vec<String>| { rows.sort_unstable(); rows };
        prop_assert_eq!(sorted(together), sorted(whole));
    }
}

fn exported(trace: &Trace, shard: Option<ShardNumber>) -> Result<String, ExportError> {
    let mut out = Vec::new();
    let selection = Selection { shard, ..Selection::ALL };
    trace::export(trace, &selection, Table::Trace, TableFormat::Csv, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The rows below the header, with their line ends. A name may contain line breaks.
fn rows(text: &str) -> Vec<String> {
    let (mut rows, mut row) = (Vec::new(), String::new());
    for line in text.split_inclusive('\n').skip(2) {
        row.push_str(line);
        if row.matches('"').count() % 2 == 0 {
            rows.push(std::mem::take(&mut row));
        }
    }
    rows
}

fn reread(text: &str) -> Trace {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, text).unwrap();
    trace::read(&path, Truncation::Refuse).unwrap()
}

#[test]
fn a_shard_is_not_sharded_again_and_a_part_of_it_is_none() {
    let trace = trace_of(&workload(64, "mode = 'light'\n[commands]\npersist = 1"), 200);
    let shard = reread(&exported(&trace, ShardNumber::new(2, 3)).unwrap());
    let again = exported(&shard, ShardNumber::new(1, 2));
    assert!(matches!(again, Err(ExportError::ShardOfShard { number: 2, count: 3 })), "{again:?}");
    assert_eq!(reread(&exported(&shard, None).unwrap()).provenance, shard.provenance, "a copy is the same shard");
    let part = Selection { from_ns: 1, ..Selection::ALL };
    let mut out = Vec::new();
    trace::export(&shard, &part, Table::Trace, TableFormat::Csv, &mut out).unwrap();
    assert_eq!(reread(std::str::from_utf8(&out).unwrap()).provenance.shard, None);
}

#[test]
fn compression_is_detected_by_content_not_by_name() {
    let directory = tempdir().unwrap();
    let [plain, packed] = ["t.csv", "t.csv.zst"].map(|name| directory.path().join(name));
    let trace = small_trace();
    write(&trace, &plain);
    write(&trace, &packed);
    assert!(fs::metadata(&packed).unwrap().len() * 2 < fs::metadata(&plain).unwrap().len());
    for renamed in [&plain, &packed] {
        let other = directory.path().join("renamed");
        fs::rename(renamed, &other).unwrap();
        assert_eq!(commands_in(&trace::read(&other, Truncation::Refuse).unwrap()), commands_in(&trace));
    }
}

#[test]
fn an_unfinished_trace_leaves_the_old_file_in_place() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("t.csv");
    write(&small_trace(), &path);
    drop(writer_of(&trace_of(&workload(1, "mode = 'light'\n[commands]\npersist = 1"), 2), &path));
    assert_eq!(commands_in(&trace::read(&path, Truncation::Refuse).unwrap()), commands_in(&small_trace()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

fn small_trace() -> Trace {
    let mix = "mode = 'full'\nsnapshot_every = 2\n[commands]\npersist = 4\nrecover = 1\nevents = 1";
    trace_of(&workload(2, mix), 6)
}

/// Whether the commands of `part` are the first of `whole`, the last one perhaps with its first operations only.
fn is_prefix(part: &Trace, whole: &Trace) -> bool {
    let (found, full) = (commands_in(part), commands_in(whole));
    let same = |place: usize| {
        let (a, b) = (&found[place], &full[place]);
        let ops = if place + 1 == found.len() { b.ops.starts_with(&a.ops) } else { b.ops == a.ops };
        ops && (a.at_ns, a.kind, &a.actor) == (b.at_ns, b.kind, &b.actor)
    };
    part.provenance == whole.provenance && found.len() <= full.len() && (0..found.len()).all(same)
}

fn has_no_last_end(trace: &Trace) -> bool {
    trace.provenance.assumptions.iter().any(|assumed| assumed.contains("no end"))
}

#[test]
fn a_last_line_without_an_end_is_read_and_noted() {
    let directory = tempdir().unwrap();
    let whole = small_trace();
    for name in ["t.csv", "t.csv.zst"] {
        let (path, plain) = (directory.path().join(name), directory.path().join("plain.csv"));
        write(&whole, &plain);
        let text = fs::read_to_string(&plain).unwrap();
        let text = text.trim_end();
        let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        fs::write(&path, if name == "t.csv" { text.as_bytes() } else { &packed }).unwrap();
        let read = trace::read(&path, Truncation::Refuse).unwrap();
        assert_eq!(commands_in(&read), commands_in(&whole));
        assert!(has_no_last_end(&read) && !has_no_last_end(&whole));
        // Where truncation is allowed, only the lines that certainly are whole are used.
        let shorter = trace::read(&path, Truncation::UseWholeLines).unwrap();
        assert!(shorter.operation_count() < whole.operation_count() && is_prefix(&shorter, &whole));
    }
}

fn cut_everywhere(file: &str) {
    let directory = tempdir().unwrap();
    let (path, cut) = (directory.path().join(file), directory.path().join(format!("cut-{file}")));
    let whole = small_trace();
    write(&whole, &path);
    let bytes = fs::read(&path).unwrap();
    let packed = path.extension().is_some_and(|extension| extension == "zst");
    let mut used = 0;
    for length in 0..bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        // A plain file that ends with a line is a valid shorter trace.
        let ends_with_a_line = !packed && bytes[..length].ends_with(b"\n");
        match trace::read(&cut, Truncation::Refuse) {
            Ok(part) if ends_with_a_line => assert!(is_prefix(&part, &whole), "{length} bytes give other commands"),
            // Its last number may be cut off: the trace says so.
            Ok(part) => {
                let in_last_field = !packed && bytes[length - 1].is_ascii_digit();
                assert!(in_last_field && has_no_last_end(&part), "{length} bytes were taken for a trace");
            }
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
    write(&whole, &path);
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
        write(&small_trace(), &path);
        let lines = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        Self(directory, lines)
    }

    /// The error of reading with this line (from 1) replaced.
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
fn a_malformed_field_is_reported_with_line_and_column() {
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
fn a_malformed_line_is_reported_with_its_number() {
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
    let error = lines.with(4, "1,\u{1b}[31mred,a,0,persist,events.put,0,9");
    assert!(error.contains("`\\u{1b}[31mred`") && !error.contains('\u{1b}'), "{error}");
    let error = lines.with_field(second, "actor", "somebody else");
    assert!(error.contains(&format!("line {second}")) && error.contains("another actor"), "{error}");
    let error = lines.with_field(second, "command", "purge");
    assert!(error.contains(&format!("line {second}")) && error.contains("another actor or kind"), "{error}");
}

/// A backend that opens the one recorder.
struct Recording(CallLog);

impl Target for Recording {
    type Collection = LoggedStore;
    type State = LoggedStore;
    type Manager = CallLog;

    fn open(&self, _directory: &Path, _durability: Durability) -> Result<CallLog, Error> {
        Ok(self.0.clone())
    }
}

#[test]
fn the_operations_of_an_actor_keep_their_order_whatever_the_number_of_workers() {
    let mix = "mode = 'full'\nsnapshot_every = 3\ncompact_on_snapshot = true\n[commands]\n\
               persist = 8\nsnapshot = 1\nrecover = 1\nevents = 2\nlast_event = 1\npurge = 1";
    let trace = trace_of(&workload(7, mix), 400);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for command in commands_in(&trace) {
        let actor = &command.actor.name;
        let ops = command.ops.iter().flat_map(|op| lines(op, "account", actor));
        expected.entry(actor.to_string()).or_default().extend(ops);
    }
    let trace = Arc::new(trace);
    for workers in [1, 2, 3, 7, 20] {
        let recording = Recording(CallLog::default());
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
