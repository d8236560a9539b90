//! The table, as text, as Markdown and as JSON. Measures nothing.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};
use ave_peer_cases::{Outcome, catalog::Side};
use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use serde::Serialize;

use crate::{
    rows::{Cell, Measured, Ran, Row},
    statistics::Middle,
};

/// Stands where a backend has no part in a case.
const ABSENT: &str = "—";
/// CPU of others, in cores, from which on a run counts as disturbed.
const BUSY_CORES: f64 = 0.2;
const STEAL_CORES: f64 = 0.02;

const HEADER: [&str; 10] = [
    "case",
    "durability",
    "figure",
    "ours = 1.00x",
    "published 0.4.0",
    "sqlite",
    "memory",
    "limit",
    "goal",
    "goal met?",
];

/// For a terminal.
pub(crate) fn text(measured: &[Measured]) -> String {
    format!("{}\n{}", table(measured, presets::UTF8_FULL_CONDENSED), notes(measured))
}

/// `peers.md` and `peers.json` in a directory that need not exist.
pub(crate) fn files(dir: &Path, measured: &[Measured]) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let markdown = format!("{}\n{}", table(measured, presets::ASCII_MARKDOWN), notes(measured));
    for (name, content) in [("peers.md", markdown), ("peers.json", json(measured)?)] {
        let path = dir.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn table(measured: &[Measured], style: TableStyle) -> String {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled).set_header(HEADER);
    for case in measured {
        for (n, row) in case.rows().into_iter().enumerate() {
            table.add_row(cells(row, n == 0));
        }
    }
    format!("{table}\n")
}

/// A case is named in its first row only.
fn cells(row: Row, is_first: bool) -> [String; 10] {
    let other = |side: Side| row.others.get(side.name()).map_or_else(|| ABSENT.to_owned(), Cell::text);
    let limit = Side::LIMITS.into_iter().find(|side| row.others.contains_key(side.name()));
    let named = |text: &str| if is_first { text.to_owned() } else { String::new() };
    [
        named(row.case),
        named(row.durability),
        row.figure.clone(),
        row.ours.clone(),
        other(Side::Published),
        other(Side::Sqlite),
        other(Side::Memory),
        limit.map(|side| format!("{side} {}", other(side))).unwrap_or_default(),
        row.goal,
        row.met,
    ]
}

fn notes(measured: &[Measured]) -> String {
    let mut notes = String::from(
        "Under \"ours\" is the median of this backend over the rounds. The others stand beside it with how many times as \
         good they\nare: 0.50x is half the rate, or twice the time or the bytes. A ratio is taken within a round; shown are \
         the median and, in\nbrackets, the order-statistic interval of 95 % for it from nine rounds on; below that, minimum \
         to maximum (six to eight\nrounds cover 97 % and more, five 94 %, four 88 %, three 75 %, two 50 %). CPU is user and \
         system time, background threads\nincluded: on a busy host it is the steadier figure. A limit is RocksDB called \
         directly (bare), or append and fdatasync (file).\n\"likely\" and \"unlikely\": the median meets or misses the goal, \
         the interval does both or there is one round.\n",
    );
    notes.push_str(&absences(measured));
    let rounds: Vec<String> =
        measured.iter().map(|case| format!("{} {}", case.planned.name(), case.planned.rounds)).collect();
    let _ = writeln!(notes, "Rounds: {}.", rounds.join(", "));
    notes.push_str(&verification(measured));
    if let Some(how) = measured.iter().flat_map(|case| &case.runs).find_map(|run| run.outcome.texts.get("cold.how")) {
        let _ = writeln!(notes, "Cold means: {how}.");
    }
    let _ = writeln!(
        notes,
        "Host: {} cores, Linux {}. Every backend is tuned for MachineProfile::Medium.",
        cores(),
        kernel()
    );
    notes.push_str(&disturbance(measured));
    for case in measured {
        for failure in failures(case) {
            let _ = writeln!(notes, "FAILED {failure}");
        }
    }
    notes
}

fn failures(case: &Measured) -> impl Iterator<Item = String> {
    case.failures.iter().map(|(side, failure)| format!("{}, {side}: {failure}", case.planned.name()))
}

/// The meaning of dashes.
fn absences(measured: &[Measured]) -> String {
    let mut cases: BTreeMap<(Side, &str), Vec<String>> = BTreeMap::new();
    for case in measured {
        for side in Side::PEERS {
            if let Some(why) = case.planned.case.absence(side) {
                cases.entry((side, why)).or_default().push(case.planned.name());
            }
        }
    }
    let lines = cases
        .into_iter()
        .map(|((side, why), cases)| format!("{ABSENT} {side} has no part in {}: {why}.\n", cases.join(", ")));
    lines
        .chain([format!("{ABSENT} memory has no part in what is about files: opening, stopping, cold reads.\n")])
        .collect()
}

/// The number of runs whose results were compared.
fn verification(measured: &[Measured]) -> String {
    let runs = || measured.iter().flat_map(|case| &case.runs);
    let compared = runs().filter(|run| run.outcome.checksum.is_some()).count();
    let checked = runs().filter(|run| run.outcome.metrics.contains_key("verified_events")).count();
    format!(
        "Verified: data read have the same hash on every side in {compared} runs; the database equals the runner's\nmodel in \
         {checked}.\n"
    )
}

/// CPU time of other processes.
fn disturbance(measured: &[Measured]) -> String {
    let of = |field: fn(&Outcome) -> f64| {
        Middle::of(measured.iter().flat_map(|case| &case.runs).map(|run| field(&run.outcome)).collect())
    };
    let most = |field: fn(&Outcome) -> f64| {
        measured.iter().flat_map(|case| &case.runs).map(|run| field(&run.outcome)).fold(0.0, f64::max)
    };
    let Some(foreign) = of(|outcome| outcome.foreign_cpu_cores) else { return String::new() };
    let steal = most(|outcome| outcome.steal_cores);
    let usage = format!(
        "others used {:.2} cores in the median run, {:.2} at most; stolen at most {steal:.2}",
        foreign.median,
        most(|outcome| outcome.foreign_cpu_cores)
    );
    if foreign.median < BUSY_CORES && steal < STEAL_CORES {
        return format!("The host was quiet: {usage}.\n");
    }
    format!(
        "THE HOST WAS BUSY: {usage}. Trust rows about CPU and bytes more than\nrows about time, and measure again when \
         it is quiet.\n"
    )
}

#[derive(Serialize)]
struct Report<'a> {
    rows: Vec<Row>,
    runs: Vec<&'a Ran>,
    failures: Vec<String>,
    kernel: String,
    cores: usize,
}

fn json(measured: &[Measured]) -> Result<String> {
    let report = Report {
        rows: measured.iter().flat_map(Measured::rows).collect(),
        runs: measured.iter().flat_map(|case| &case.runs).collect(),
        failures: measured.iter().flat_map(failures).collect(),
        kernel: kernel(),
        cores: cores(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
