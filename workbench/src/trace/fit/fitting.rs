//! Fits a workload to a trace, and compares them.

use std::sync::Arc;

use super::behaviour::observe;
use super::bursts;
use super::chains::{Chains, chains};
use super::derive::{Seen, arrivals, correct, name, rounded};
use super::groups::{Group, groups};
use super::likeness::{self, PopulationBytes};
use super::notes::{description, notes, origin};
use super::result::Fit;
use super::transactions::workload_of;
use crate::measure::median;
use crate::trace::builder::{Trace, TraceBuilder};
use crate::trace::error::TraceError;
use crate::trace::generate::{GenerateLength, GenerateOptions, Preload, generate_trace};
use crate::trace::info::{Rhythm, TraceInfo, info};
use crate::workload::{Arrivals, Population, Workload};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

/// Commands of the generated trace that is compared, at most.
const MOST_COMMANDS: u64 = 1_000_000;
/// Commands of the generated traces that correct the mix, at most.
const MOST_COMMANDS_TO_CORRECT: u64 = 200_000;
const CORRECTIONS: usize = 3;
/// Seeds whose bursts are compared, at most.
const BURST_SEEDS: u64 = 9;
/// Commands of all seeds together, at most.
const MOST_BURST_COMMANDS: u64 = 1_000_000;

/// Finds the workload that resembles a trace. `arrival_times` returns the times of commands in nanoseconds, for arrivals,
/// commands per second and a seed, as `load::arrival_times` does.
///
/// Memory: some 300 bytes an actor, and up to 64 MiB of commands of the generated trace.
///
/// # Errors
///
/// [`TraceError::File`] if a temporary file of a long trace cannot be read or written.
pub fn fit<I: Iterator<Item = u64>>(
    trace: &Trace,
    arrival_times: impl Fn(Arrivals, f64, u64) -> I,
) -> Result<Fit, TraceError> {
    let directory = std::env::temp_dir();
    let failed = TraceError::file("read", &directory);
    let mut original = info(trace).map_err(failed)?;
    let chains = chains(trace).map_err(failed)?;
    let groups = groups(trace, &original.types, chains.as_ref())?;
    let seen: Vec<Seen> =
        groups.iter().map(|group| Seen::of(group.part(trace))).collect::<Result<_, _>>().map_err(failed)?;
    let rate_of = |info: &TraceInfo| (info.commands_per_second > 0.0).then_some(info.commands_per_second);
    let commands_per_second = rate_of(&original);
    let rate = commands_per_second.unwrap_or(bursts::ANY_RATE);
    let generated = |workload: &Workload, commands: u64| {
        let times = arrival_times(workload.arrivals, rate, workload.seed);
        let length = GenerateLength::Commands(commands);
        let options = GenerateOptions { length, preload: Preload::AsPast, per_second: rate };
        generate_trace(&Arc::new(workload.clone()), &options, times)
    };
    // What comes at a rate: commands, or the chains that they form.
    let beginnings = chains.as_ref().map(beginnings).transpose()?;
    let arriving = beginnings.as_ref().unwrap_or(trace);
    if beginnings.is_some() {
        let begun = info(arriving).map_err(failed)?;
        (original.rhythm, original.commands_per_second) = (begun.rhythm, begun.commands_per_second);
    }
    let arrivals = arrivals(arriving, &original).map_err(failed)?;
    let is_only = groups.len() == 1;
    let population = |(group, seen): (&Group, &Seen)| {
        let share = group.part(trace).command_count() as f64 / trace.command_count().max(1) as f64;
        let weight = if is_only { 1.0 } else { rounded(100.0 * share).max(1e-4) };
        let name = if is_only { name(&trace.provenance.name) } else { group.name.clone() };
        seen.population(name, &trace.provenance, weight)
    };
    let populations = groups.iter().zip(&seen).map(population).collect();
    let mut workload = workload_of(name(&trace.provenance.name), populations, arrivals, chains.as_ref(), &groups);
    workload.description = description(trace, &original, &workload);
    // The commands of chains are counted.
    let corrections = if chains.is_some() { 0 } else { CORRECTIONS };
    for _ in 0..corrections {
        let sample = generated(&workload, trace.command_count().min(MOST_COMMANDS_TO_CORRECT))?;
        let all = sample.command_count().max(1) as f64;
        let parts = parts(&sample, &workload)?;
        for ((population, part), (group, seen)) in
            workload.populations.iter_mut().zip(&parts).zip(groups.iter().zip(&seen))
        {
            let part = part.as_ref().unwrap_or(&sample);
            correct(&mut population.commands, &seen.behaviour, &observe(part).map_err(failed)?);
            let [wanted, found] = [(group.part(trace), trace.command_count() as f64), (part, all)]
                .map(|(part, all)| part.command_count() as f64 / all.max(1.0));
            if !is_only && found > 0.0 {
                population.weight = rounded(population.weight * (wanted / found).clamp(0.5, 2.0)).max(1e-4);
            }
        }
    }
    let sample = generated(&workload, trace.command_count().min(MOST_COMMANDS))?;
    let mut found = info(&sample).map_err(failed)?;
    let mut rate_error = 0.0;
    let is_bursty = matches!(workload.arrivals, Arrivals::Bursts(_));
    if is_bursty || chains.is_some() {
        let arrivals = arriving.command_count().min(MOST_COMMANDS);
        let arriving_rate = rate_of(&original).unwrap_or(bursts::ANY_RATE);
        let seeds = if is_bursty { (MOST_BURST_COMMANDS / arrivals.max(1)).clamp(1, BURST_SEEDS) } else { 1 };
        let times = |seed| {
            let times = arrival_times(workload.arrivals, arriving_rate, workload.seed + seed);
            times.take(usize::try_from(arrivals).unwrap_or(usize::MAX)).collect::<Vec<_>>()
        };
        let rhythms: Vec<Rhythm> = (0..seeds).map(|seed| Rhythm::of(&times(seed))).collect();
        if chains.is_some() {
            found.commands_per_second = rhythms[0].commands_per_second();
        }
        take_medians(&mut found.rhythm, &rhythms);
        if let Arrivals::Bursts(bursts) = workload.arrivals {
            rate_error = bursts::rate_error(bursts, arriving_rate, arrivals);
        }
    }
    let mut aspects = likeness::compare(&original, &found, rate_error);
    if !is_only {
        let scale = trace.command_count() as f64 / sample.command_count().max(1) as f64;
        let written = |(population, seen): (&Population, &Seen)| {
            let types = found.types.iter().filter(|one| is_type_of(population, &one.type_name));
            PopulationBytes {
                name: population.name.clone(),
                trace: seen.info.written_bytes as f64,
                workload: scale * types.map(|one| one.written_bytes).sum::<u64>() as f64,
                commands: seen.info.commands_count.values().sum(),
            }
        };
        let written: Vec<_> = workload.populations.iter().zip(&seen).map(written).collect();
        aspects.extend(likeness::bytes_by_population(&written));
    }
    aspects.extend(chains.as_ref().map(|chains| likeness::commands_in_chains(chains.explained)));
    Ok(Fit {
        notes: notes(trace, &original, &seen, &workload, chains.as_ref()),
        workload,
        commands_per_second,
        aspects,
        compared_commands_count: sample.command_count(),
        origin: origin(trace),
    })
}

/// A command where each chain begins.
fn beginnings(chains: &Chains) -> Result<Trace, TraceError> {
    let mut builder = TraceBuilder::new(Provenance::default());
    let actor = builder.actor("chain", "any");
    for &at_ns in &chains.starts_ns {
        builder.command(at_ns, actor, CommandKind::LastEvent, &mut [Op::new(OpKind::EventsLast, 0, 0)])?;
    }
    builder.finish()
}

/// The commands of each population in a trace that was generated from the workload; `None` if they are all there are.
fn parts(sample: &Trace, workload: &Workload) -> Result<Vec<Option<Trace>>, TraceError> {
    if workload.populations.len() == 1 {
        return Ok(vec![None]);
    }
    let of = |population: &Population| {
        sample.part(|actor| is_type_of(population, &sample.actors()[actor as usize].type_name))
    };
    workload.populations.iter().map(|population| of(population).map(Some)).collect()
}

/// Whether a generated actor type, which is named after its population and a number, belongs to this one.
fn is_type_of(population: &Population, type_name: &str) -> bool {
    let digits = type_name.strip_prefix(population.name.as_str());
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
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
