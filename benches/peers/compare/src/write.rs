//! The table, as text, as Markdown and as JSON. Measures nothing.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result};
use ave_peer_cases::Outcome;
use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use serde::Serialize;

use crate::{
    rows::{Measured, Ran, Row},
    statistics::Middle,
};

/// CPU of others, in cores, from which on a run counts as disturbed.
const BUSY_CORES: f64 = 0.2;
const STEAL_CORES: f64 = 0.02;

const HEADER: [&str; 7] = ["figure", "goal", "published", "ours", "ratio (spread)", "ratio by CPU", "goal met?"];

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
    for row in measured.iter().flat_map(Measured::rows) {
        table.add_row(cells(row));
    }
    format!("{table}\n")
}

fn cells(row: Row) -> [String; 7] {
    let theirs = match row.peer {
        None | Some("published") => row.theirs,
        Some(peer) => format!("{peer}: {}", row.theirs),
    };
    [format!("{}: {}", row.case, row.figure), row.goal, theirs, row.ours, row.ratio, row.cpu, row.met.text().to_owned()]
}

fn notes(measured: &[Measured]) -> String {
    let mut notes = String::from(
        "Values are medians over the rounds. A ratio is taken within a round; shown are its median and, in brackets, the\n\
         order-statistic interval of 95 % for the median from nine rounds on; below that, minimum to maximum (six to\n\
         eight rounds cover 97 % and more, five 94 %, four 88 %, three 75 %, two 50 %). \"likely\" and \"unlikely\": the\n\
         median meets or misses the goal, the interval does both or there is one round. By CPU: their CPU time divided by\n\
         ours, background threads included; on a busy host it is the steadier one.\n",
    );
    let rounds: Vec<String> =
        measured.iter().map(|case| format!("{} {}", case.planned.name(), case.planned.rounds)).collect();
    let _ = writeln!(notes, "Rounds: {}.", rounds.join(", "));
    if let Some(how) = measured.iter().flat_map(|case| &case.runs).find_map(|run| run.outcome.texts.get("cold.how")) {
        let _ = writeln!(notes, "Cold means: {how}.");
    }
    let _ =
        writeln!(notes, "Host: {} cores, Linux {}. Every backend is told MachineProfile::Medium.", cores(), kernel());
    notes.push_str(&disturbance(measured));
    for case in measured {
        if let Some(failure) = &case.failure {
            let _ = writeln!(notes, "FAILED {}: {failure}", case.planned.name());
        }
    }
    notes
}

/// What others did on the host meanwhile.
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
    failures: Vec<&'a str>,
    kernel: String,
    cores: usize,
}

fn json(measured: &[Measured]) -> Result<String> {
    let report = Report {
        rows: measured.iter().flat_map(Measured::rows).collect(),
        runs: measured.iter().flat_map(|case| &case.runs).collect(),
        failures: measured.iter().filter_map(|case| case.failure.as_deref()).collect(),
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
