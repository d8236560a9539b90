//! `trace info`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;

use super::super::memory_chart;
use super::read;
use crate::cli::args::trace::InfoArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, facts, figure_table};
use crate::load::{BlockReads, Source};
use crate::trace::{Rhythm, Sizes, SkewFit, TraceError, TraceInfo, TypeInfo, WorkingSet};
use crate::workload::escape;
use crate::{trace, units};
use ave_actors_rocksdb::trace::{Provenance, Shard};

#[derive(Serialize)]
struct InfoDocument<'a> {
    provenance: &'a Provenance,
    #[serde(flatten)]
    info: &'a TraceInfo,
    /// `None` if its commands read nothing.
    block_reads: Option<&'a BlockReads>,
}

/// Commands whose block reads are followed at most: some seconds.
const MOST_COMMANDS: u64 = 2_000_000;

pub(crate) fn run(args: &InfoArgs, output: Output) -> Result<(), CliError> {
    let read = Arc::new(read(&args.trace, args.allow_truncated)?);
    let info = trace::info(&read).map_err(TraceError::file("read", &args.trace))?;
    let source = Source::Trace { trace: Arc::clone(&read), seed: 1, passes: Some(1) };
    let reads = BlockReads::of(&source, MOST_COMMANDS);
    let provenance = &read.provenance;
    output.result(&InfoDocument { provenance, info: &info, block_reads: reads.as_ref() }, || {
        let Provenance { name, source, made_by, .. } = provenance;
        output.line(&escape(&format!("{name}: from {source} ({made_by})")))?;
        if let Some(Shard { number, count, .. }) = provenance.shard {
            output.line(&format!("shard {number} of {count}"))?;
        }
        output.line(&facts(&rows(&info)))?;
        if info.types.len() > 1 {
            output.line(&format!("\n{}\n", types(&info)))?;
        }
        memory_chart::print(reads.as_ref(), output)?;
        provenance.assumptions.iter().try_for_each(|assumed| output.line(&escape(&format!("assumed: {assumed}"))))
    })
}

fn rows(info: &TraceInfo) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("commands", counted(&info.commands_count)),
        ("storage operations", counted(&info.operations_count)),
        (
            "actors",
            format!("{} of {}", units::count(info.actors_count), units::counted(info.actor_types_count, "type")),
        ),
        ("skew", skew(&info.skew)),
        ("busiest actors", busiest(&info.skew)),
        ("event sizes", sizes(info.event_sizes.as_ref())),
        ("state sizes", sizes(info.state_sizes.as_ref())),
        ("bytes written", units::bytes(info.written_bytes as f64)),
        ("stored at the end", live(info)),
        ("time span", units::seconds(info.duration_seconds)),
        ("mean rate", units::commands_per_second(info.commands_per_second)),
    ];
    rows.extend(rhythm(&info.rhythm));
    rows.extend(info.working_sets.iter().filter(|set| set.commands_count > 0).map(working_set));
    rows.extend(gaps(info));
    rows
}

/// Actor types in the table.
const MOST_TYPES: usize = 20;

fn types(info: &TraceInfo) -> String {
    let median = |sizes: Option<&Sizes>| {
        let [median, p99] = [500, 990].map(|permille| sizes.map(|sizes| sizes.quantile_bytes(permille)));
        median.zip(p99).map_or_else(|| "–".to_owned(), |(median, p99)| format!("{median} / {p99}"))
    };
    let row = |one: &TypeInfo| {
        vec![
            escape(&one.type_name),
            units::count(one.actors_count),
            counted(&one.commands_count),
            units::percent(100.0 * one.persists_with_state_ratio),
            median(one.event_sizes.as_ref()),
            median(one.state_sizes.as_ref()),
            units::bytes(one.written_bytes as f64),
        ]
    };
    let header = ["type", "actors", "commands", "with state", "event p50 / p99", "state p50 / p99", "written"];
    let table = figure_table(&header, 1, info.types.iter().take(MOST_TYPES).map(row).collect());
    match info.types.len().saturating_sub(MOST_TYPES) {
        0 => table,
        more => format!("{table}\nand {}", units::counted(more as u64, "more type")),
    }
}

fn counted<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    counts.iter().map(|(kind, count)| format!("{kind} {}", units::count(*count))).collect::<Vec<_>>().join(", ")
}

fn skew(skew: &SkewFit) -> String {
    if skew.is_uniform {
        return "uniform: equally busy actors explain the counts".to_owned();
    }
    format!(
        "Zipf exponent {:.2} ± {:.3}, KS distance {:.3}",
        skew.zipf_exponent, skew.zipf_exponent_standard_error, skew.ks_distance_ratio
    )
}

fn busiest(skew: &SkewFit) -> String {
    let [one, ten] = [skew.busiest_1_percent_share_ratio, skew.busiest_10_percent_share_ratio];
    let [one, ten] = [one, ten].map(|share| units::percent(100.0 * share));
    format!("1 % issue {one}, 10 % issue {ten} of the commands")
}

fn sizes(sizes: Option<&Sizes>) -> String {
    let Some(sizes) = sizes else { return "none".to_owned() };
    let [min, median, p90, p99, max] = [0, 500, 900, 990, 1000].map(|permille| sizes.quantile_bytes(permille));
    let mean = units::number(sizes.mean_bytes);
    format!("min {min}, median {median}, p90 {p90}, p99 {p99}, max {max}, mean {mean} B")
}

fn live(info: &TraceInfo) -> String {
    let live = info.live;
    let [events, states] = [live.events_bytes, live.states_bytes].map(|bytes| units::bytes(bytes as f64));
    format!("{} of {events}, states of {states}", units::counted(live.events_count, "event"))
}

fn rhythm(rhythm: &Rhythm) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let (Some(peak), Some(ratio)) = (rhythm.peak_commands_per_second, rhythm.peak_to_mean_ratio) {
        rows.push((
            "busiest second",
            format!("{}, {} x the mean", units::counted(peak, "command"), units::number(ratio)),
        ));
    }
    if let (Some(cv), Some(burstiness)) = (rhythm.interarrival_cv_ratio, rhythm.burstiness_ratio) {
        let kind = match cv {
            ..0.5 => "regular",
            ..1.3 => "like independent requests",
            _ => "in bursts",
        };
        rows.push(("arrivals", format!("{kind}: coefficient of variation {cv:.2}, burstiness {burstiness:.2}")));
    }
    if let Some(dispersion) = rhythm.dispersion_per_100_commands_ratio {
        let second = rhythm.dispersion_per_second_ratio.map(|index| format!(", of seconds {}", units::number(index)));
        let index = units::number(dispersion);
        rows.push(("index of dispersion", format!("of 100 commands {index}{}", second.unwrap_or_default())));
    }
    if rhythm.commands_by_slice_count.len() > 1 {
        rows.push(("rate over time", sparkline(&rhythm.commands_by_slice_count)));
    }
    rows
}

/// One block per slice of the trace, as high as its rate.
fn sparkline(counts: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let block = |&count: &u64| {
        let height = usize::try_from((u128::from(count) * 8).saturating_sub(1) / u128::from(most)).unwrap_or(0);
        if count == 0 { ' ' } else { BLOCKS[height] }
    };
    counts.iter().map(block).collect()
}

fn working_set(set: &WorkingSet) -> (&'static str, String) {
    let label = if set.window_seconds == 1 { "busiest second uses" } else { "busiest minute uses" };
    let [touched, stored] = [set.touched_bytes, set.stored_bytes].map(|bytes| units::bytes(bytes as f64));
    let actors = units::counted(set.actors_count, "actor");
    (label, format!("{actors} with {stored} stored; {touched} written and read"))
}

fn gaps(info: &TraceInfo) -> Vec<(&'static str, String)> {
    let rhythm = &info.rhythm;
    let (longest, over_medians) = (units::seconds(rhythm.longest_gap_seconds), rhythm.gaps_over_10_medians_count);
    let (over, what) = over_medians.map_or((rhythm.gaps_over_10_means_count, "mean"), |count| (count, "median"));
    let over = units::count(over);
    let mut rows = vec![("pauses", format!("longest {longest}, {over} over ten times the {what}"))];
    if info.dropped_operations_count > 0 {
        rows.push(("dropped", units::counted(info.dropped_operations_count, "operation")));
    }
    if info.actors_with_prehistory_count > 0 {
        let actors = units::counted(info.actors_with_prehistory_count, "actor");
        let events = units::counted(info.prehistory_events_count, "event");
        rows.push(("from before", format!("{events} of {actors} in all, stored when the trace began")));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_is_as_high_as_the_rate() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparkline(&[5]), "█");
    }
}
