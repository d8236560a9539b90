//! A disk profile as text.

use crate::cli::output::{figure_table, nanoseconds};
use crate::host::{DiskProfile, DiskSwing, LatencyFigures, RateFigures};
use crate::units;

/// Latencies by bytes and by depth, and rates.
pub(super) fn table(profile: &DiskProfile) -> String {
    let syncs = profile
        .syncs
        .iter()
        .map(|one| row(format!("write {} + fdatasync", units::bytes(one.sync_bytes as f64)), one.latency));
    let reads = profile.reads.iter().map(|one| {
        row(format!("read 4 KiB at random, {}", units::counted(one.depth_count.into(), "thread")), one.latency)
    });
    let header = ["disk", "samples", "mean", "p50", "p99"];
    figure_table(&header, 1, syncs.chain(reads).collect())
}

fn row(name: String, latency: LatencyFigures) -> Vec<String> {
    let LatencyFigures { samples_count, mean_ns, p50_ns, p99_ns } = latency;
    vec![name, units::count(samples_count), units::duration(mean_ns), nanoseconds(p50_ns), nanoseconds(p99_ns)]
}

/// Rates, how reads were made, the band, and steps.
pub(super) fn facts(profile: &DiskProfile) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("sequential writes", rates(profile.write)),
        ("sequential reads", rates(profile.read)),
        ("file", format!("{}, {}", units::bytes(profile.file_bytes as f64), profile.read_path.name())),
        ("sync latency over time", profile.swing.summary()),
    ];
    let foreign = profile.foreign_cores.filter(|&cores| cores >= FOREIGN_CORES);
    facts.extend(foreign.map(|cores| {
        let cores = units::number(cores);
        ("other processes", format!("kept {cores} cores busy meanwhile: latencies include the wait for a core"))
    }));
    facts.extend(steps(&profile.swing).into_iter().map(|step| ("step", step)));
    facts
}

fn rates(rates: RateFigures) -> String {
    let [middle, lowest, highest] =
        [rates.p50_bytes_per_second, rates.lowest_bytes_per_second, rates.highest_bytes_per_second]
            .map(|bytes| format!("{}/s", units::bytes(bytes)));
    format!("{middle} (slowest second {lowest}, fastest {highest})")
}

/// Cores of other processes that are worth a line.
const FOREIGN_CORES: f64 = 0.2;
/// Samples in which a step can be found.
const ENOUGH_FOR_STEPS: u64 = 12;

fn steps(swing: &DiskSwing) -> Vec<String> {
    if swing.samples_count < ENOUGH_FOR_STEPS {
        return vec!["too few samples to find one; `--probe --for 60s` takes enough".to_owned()];
    }
    match &swing.steps[..] {
        [] => vec!["none found".to_owned()],
        steps => steps.iter().map(|step| step.sentence.clone()).collect(),
    }
}
