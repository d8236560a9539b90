//! Compares a workload with its trace, through a trace that is generated from it.

use super::bursts;
use super::likeness::{self, Aspect, PopulationBytes};
use super::observed::{Observed, unreadable};
use super::samples::{SampleGenerator, is_type_of};
use crate::measure::median;
use crate::trace::builder::Trace;
use crate::trace::error::TraceError;
use crate::trace::info::{Rhythm, TraceInfo, info};
use crate::workload::{Arrivals, Population, Workload};

/// Commands of a generated trace, and arrivals of one seed, that are compared at most.
pub(super) const MOST_COMMANDS: u64 = 1_000_000;
/// Seeds whose bursts are compared, at most.
const BURST_SEEDS: u64 = 9;
/// Commands of all seeds together, at most.
const MOST_BURST_COMMANDS: u64 = 1_000_000;

/// How well a workload resembles what was observed. `sample` was generated from it.
pub(super) fn compare<I: Iterator<Item = u64>, F: Fn(Arrivals, f64, u64) -> I>(
    observed: &Observed<'_>,
    workload: &Workload,
    sample: &Trace,
    generator: &SampleGenerator<F>,
) -> Result<Vec<Aspect>, TraceError> {
    let mut found = info(sample).map_err(unreadable)?;
    let rate_error = take_rhythm(&mut found, observed, workload, generator);
    let mut aspects = likeness::compare(&observed.info, &found, rate_error);
    if !observed.is_one_population() {
        let scale = observed.trace.command_count() as f64 / sample.command_count().max(1) as f64;
        aspects.extend(likeness::bytes_by_population(&written(observed, workload, &found, scale)));
    }
    aspects.extend(observed.chains.as_ref().map(|chains| likeness::commands_in_chains(chains.explained)));
    Ok(aspects)
}

/// Gives the figures of a generated trace the rhythm of what arrives: of chains, if there are any, and of several seeds, if it
/// arrives in bursts. Returns the relative standard error of the mean rate.
fn take_rhythm<I: Iterator<Item = u64>, F: Fn(Arrivals, f64, u64) -> I>(
    found: &mut TraceInfo,
    observed: &Observed<'_>,
    workload: &Workload,
    generator: &SampleGenerator<F>,
) -> f64 {
    let bursts = match workload.arrivals {
        Arrivals::Bursts(bursts) => Some(bursts),
        _ => None,
    };
    if bursts.is_none() && observed.chains.is_none() {
        return 0.0;
    }
    let arrivals = observed.arriving().command_count().min(MOST_COMMANDS);
    let per_second = observed.arriving_per_second();
    let seeds = bursts.map_or(1, |_| (MOST_BURST_COMMANDS / arrivals.max(1)).clamp(1, BURST_SEEDS));
    let rhythm = |seed| Rhythm::of(&generator.times(workload, per_second, seed, arrivals));
    let rhythms: Vec<Rhythm> = (0..seeds).map(rhythm).collect();
    if observed.chains.is_some() {
        found.commands_per_second = rhythms[0].commands_per_second();
    }
    take_medians(&mut found.rhythm, &rhythms);
    bursts.map_or(0.0, |bursts| bursts::rate_error(bursts, per_second, arrivals))
}

/// Replaces the figures by which bursts are judged with the medians of these.
fn take_medians(found: &mut Rhythm, rhythms: &[Rhythm]) {
    let median_of = |figure: fn(&Rhythm) -> Option<f64>| {
        let figures: Vec<f64> = rhythms.iter().filter_map(figure).collect();
        (!figures.is_empty()).then(|| median(figures))
    };
    found.interarrival_cv_ratio = median_of(|rhythm| rhythm.interarrival_cv_ratio);
    found.burstiness_ratio = median_of(|rhythm| rhythm.burstiness_ratio);
    found.dispersion_per_100_commands_ratio = median_of(|rhythm| rhythm.dispersion_per_100_commands_ratio);
}

/// Bytes that each population writes, those of the generated trace `found` times `scale`.
fn written(observed: &Observed<'_>, workload: &Workload, found: &TraceInfo, scale: f64) -> Vec<PopulationBytes> {
    let of = |population: &Population| {
        let types = found.types.iter().filter(|one| is_type_of(population, &one.type_name));
        scale * types.map(|one| one.written_bytes).sum::<u64>() as f64
    };
    let both = workload.populations.iter().zip(&observed.seen);
    both.map(|(population, seen)| PopulationBytes {
        name: population.name.clone(),
        trace: seen.info.written_bytes as f64,
        workload: of(population),
        commands: seen.info.commands_count.values().sum(),
    })
    .collect()
}
