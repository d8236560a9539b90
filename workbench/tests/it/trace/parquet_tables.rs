//! Traces as Parquet: the tables are what the trace is, and DuckDB answers the questions of the documentation.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ave_actors_rocksdb::trace::Provenance;
use ave_workbench::trace;
use ave_workbench::trace::{Selection, Table, TableFormat, Trace};
use ave_workbench::workload::Workload;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use tempfile::tempdir;

use crate::documentation::blocks;
use crate::support::skip::skipped;
use crate::support::{story_of, trace_of_commands};

fn write(trace: &Trace, table: Table, path: &Path) -> u64 {
    let mut file = File::create(path).unwrap();
    trace::export(trace, &Selection::ALL, table, TableFormat::Parquet, &mut file).unwrap()
}

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn fields(row: &Row) -> Vec<(&str, Field)> {
    row.get_column_iter().map(|(name, field)| (name.as_str(), field.clone())).collect()
}

fn long(number: u64) -> Field {
    Field::Long(i64::try_from(number).unwrap())
}

fn text(text: &str) -> Field {
    Field::Str(text.to_owned())
}

/// A trace with all kinds of commands.
fn sample() -> Trace {
    let workload = Arc::new(Workload::find("mixed").unwrap());
    trace_of_commands(Provenance::default(), &story_of(&workload, 3_000))
}

#[test]
fn operations_and_actors_are_those_of_the_trace() {
    let directory = tempdir().unwrap();
    let trace = sample();
    let [operations, actors] = ["operations.parquet", "actors.parquet"].map(|name| directory.path().join(name));
    assert_eq!(write(&trace, Table::Trace, &operations), trace.operation_count());
    write(&trace, Table::Actors, &actors);

    let (mut expected, mut command_id) = (Vec::new(), 0);
    trace
        .for_each_command(|command, ops| {
            for op in ops {
                expected.push(vec![
                    ("time_ns", long(command.at_ns)),
                    ("actor_type", text(&trace.actors()[command.actor as usize].type_name)),
                    ("actor_id", long(command.actor.into())),
                    ("command_id", long(command_id)),
                    ("command", text(command.kind.name())),
                    ("operation", text(op.kind.name())),
                    ("event_number", if op.has_event_number() { long(op.number) } else { Field::Null }),
                    ("bytes", long(op.bytes.into())),
                ]);
            }
            command_id += 1;
        })
        .unwrap();
    let found = rows(&operations);
    assert!(found.iter().map(fields).eq(expected));

    for row in rows(&actors) {
        let found = fields(&row);
        let ("actor_id", Field::Long(id)) = found[0] else { panic!("{row}") };
        let actor = &trace.actors()[usize::try_from(id).unwrap()];
        assert_eq!(found[1..3], [("actor_type", text(&actor.type_name)), ("actor", text(&actor.name))]);
    }
}

/// The program that answers a query with lines of CSV.
fn duckdb(directory: &Path, sql: &str) -> Option<String> {
    const PYTHON: &str = "import csv, sys, duckdb\n\
                          result = duckdb.sql(sys.argv[1])\n\
                          csv.writer(sys.stdout).writerows([result.columns] + result.fetchall())";
    let [python, program] = [["python3", "-c", PYTHON], ["duckdb", "-csv", "-c"]];
    [program, python].into_iter().find_map(|words| {
        let output = Command::new(words[0]).args(&words[1..]).arg(sql).current_dir(directory).output().ok()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        if errors.contains("No module named 'duckdb'") {
            return None;
        }
        assert!(output.status.success(), "{sql}\n{errors}");
        Some(String::from_utf8(output.stdout).unwrap())
    })
}

#[test]
fn duckdb_answers_the_questions_of_the_documentation() {
    let directory = tempdir().unwrap();
    let trace = sample();
    write(&trace, Table::Trace, &directory.path().join("operations.parquet"));
    write(&trace, Table::Actors, &directory.path().join("actors.parquet"));
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/traces.md")).unwrap();
    let questions: Vec<_> = blocks::of(&page)
        .into_iter()
        .filter(|block| block.language == "sql" && block.code.contains("operations.parquet"))
        .flat_map(|block| block.code.split(';').map(|query| query.trim().to_owned()).collect::<Vec<_>>())
        .filter(|query| !query.is_empty())
        .collect();
    assert_eq!(questions.len(), 5);
    let mut answers = Vec::new();
    for question in &questions {
        let Some(answer) = duckdb(directory.path(), question) else {
            return skipped(duckdb_answers_the_questions_of_the_documentation, "DuckDB is not installed");
        };
        assert!(answer.lines().count() > 1, "{question}\n{answer}");
        answers.push(answer);
    }
    // The first question sums up the bytes by type, of which there is one.
    let info = trace::info(&trace).unwrap();
    let written = format!(",{}", info.written_bytes);
    assert!(answers[0].lines().nth(1).unwrap().contains(&written), "{}, expected {written}", answers[0]);
}
