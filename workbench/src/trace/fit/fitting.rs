//! Fits a workload to a trace, and compares them.

use super::behaviour::observe;
use super::bursts;
use super::comparison::{MOST_COMMANDS, compare};
use super::derive::{correct, rounded};
use super::notes::{notes, origin};
use super::observed::{Observed, unreadable};
use super::result::Fit;
use super::samples::{SampleGenerator, parts};
use crate::trace::builder::Trace;
use crate::trace::error::TraceError;
use crate::workload::{Arrivals, Workload};

/// Commands of the generated traces that correct the mix, at most.
const MOST_COMMANDS_TO_CORRECT: u64 = 200_000;
const CORRECTIONS: usize = 3;

/// Finds the workload that resembles a trace. `arrival_times` returns the times of commands in nanoseconds, for arrivals,
/// commands per second and a seed, as `load::arrival_times` does.
///
/// Memory: some 250 bytes an actor, the trace included, up to 460 if each has one event, and up to 64 MiB of commands each of the
/// trace and of a generated one.
///
/// # Errors
///
/// [`TraceError::File`] if a temporary file of a long trace cannot be read or written.
pub fn fit<I: Iterator<Item = u64>>(
    trace: &Trace,
    arrival_times: impl Fn(Arrivals, f64, u64) -> I,
) -> Result<Fit, TraceError> {
    let observed = Observed::of(trace)?;
    let commands_per_second = observed.commands_per_second.unwrap_or(bursts::ANY_RATE);
    let generator = SampleGenerator { arrival_times, commands_per_second };
    let mut workload = observed.workload()?;
    // The commands of chains are counted.
    let corrections = if observed.chains.is_some() { 0 } else { CORRECTIONS };
    for _ in 0..corrections {
        let sample = generator.trace(&workload, trace.command_count().min(MOST_COMMANDS_TO_CORRECT))?;
        correct_commands(&mut workload, &observed, &sample)?;
    }
    let sample = generator.trace(&workload, trace.command_count().min(MOST_COMMANDS))?;
    Ok(Fit {
        commands_per_second: observed.commands_per_second,
        aspects: compare(&observed, &workload, &sample, &generator)?,
        notes: notes(trace, &observed.info, &observed.seen, &workload, observed.chains.as_ref()),
        compared_commands_count: sample.command_count(),
        origin: origin(trace),
        workload,
    })
}

/// Corrects the mix of each population, and its weight, by the trace that was generated from the workload.
fn correct_commands(workload: &mut Workload, observed: &Observed<'_>, sample: &Trace) -> Result<(), TraceError> {
    let parts = parts(sample, workload)?;
    let share = |part: &Trace, all: &Trace| part.command_count() as f64 / all.command_count().max(1) as f64;
    let known = observed.groups.iter().zip(&observed.seen);
    for ((population, part), (group, seen)) in workload.populations.iter_mut().zip(&parts).zip(known) {
        let part = part.as_ref().unwrap_or(sample);
        correct(&mut population.commands, &seen.behaviour, &observe(part).map_err(unreadable)?);
        let wanted = share(group.part(observed.trace), observed.trace);
        let found = share(part, sample);
        if !observed.is_one_population() && found > 0.0 {
            population.weight = rounded(population.weight * (wanted / found).clamp(0.5, 2.0)).max(1e-4);
        }
    }
    Ok(())
}
