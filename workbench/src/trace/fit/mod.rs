//! The workload that resembles a trace, and how well it does.
//!
//! What a workload says is read off the trace: who there is and how skewed, how they persist, how large what they store
//! is, what they do. Then a trace is generated from the workload and compared. Some commands turn into others on the way
//! (a query of an empty log is a `persist`, a query is no longer than the log), so weights and query lengths are
//! corrected by what came out, a few times over. Bursts differ much from one seed to the next, so their figures are the
//! medians of several.

mod behaviour;
mod bursts;
mod likeness;
mod sizes;
mod text;

use std::io;
use std::sync::Arc;

use serde::Serialize;

use crate::actor::PersistenceRules;
use crate::trace::checked::Trace;
use crate::trace::error::TraceError;
use crate::trace::fit::behaviour::{Behaviour, observe};
use crate::trace::generate::{GenerateLength, GenerateOptions, Preload, generate_trace};
use crate::trace::info;
use crate::trace::info::{Rhythm, RhythmCounter, TraceInfo};
use crate::workload::{
    Actors, Arrivals, CommandMix, Persistence, PersistenceMode, Preload as PreloadEvents, SizeDistribution, Skew,
    Workload,
};
use ave_actors_rocksdb::trace::{CommandKind, Provenance};

pub use likeness::Aspect;

/// Commands of the traces that are generated to compare at most.
const MOST_COMMANDS: u64 = 1_000_000;
/// Commands of the traces that are generated to correct the mix at most.
const MOST_COMMANDS_TO_CORRECT: u64 = 200_000;
/// How often the mix is corrected.
const CORRECTIONS: usize = 3;
/// Coefficient of variation below which arrivals are evenly spaced: halfway between even and Poisson.
const EVEN_CV: f64 = 0.5;
/// Coefficient of variation above which commands come in bursts: so much, and so many times `1 / sqrt(n)`, which is
/// about its standard error where they do not.
const BURSTY_CV: f64 = 1.15;
const BURSTY_CV_ERRORS: f64 = 3.0;
/// Commands from which bursts are believed in.
const COMMANDS_FOR_BURSTS: u64 = 100;
/// Seeds whose bursts are compared, and commands of all of them from which one is enough.
const BURST_SEEDS: u64 = 9;
const MOST_BURST_COMMANDS: u64 = 1_000_000;
/// Rate of the generated trace where all commands of the original came at once.
const ANY_RATE: f64 = 1_000.0;
/// Largest preload of a workload.
const MOST_PRELOADED: f64 = 1e6;
/// Length of snapshots and events where the trace writes none.
const UNKNOWN_BYTES: u32 = 256;

/// A workload that resembles a trace.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    /// The workload.
    pub workload: Workload,
    /// Mean rate of the trace, commands per second; a workload does not say its rate. `None` if all came at once.
    pub commands_per_second: Option<f64>,
    /// How well the workload resembles the trace.
    pub aspects: Vec<Aspect>,
    /// What could not be seen and what is lost, in words.
    pub notes: Vec<String>,
    /// Commands of the generated trace that was compared.
    pub compared_commands_count: u64,
    /// The trace, in words.
    pub origin: String,
}

impl Fit {
    /// The workload as a file, with what it was made from and how well it does as comments in front.
    pub fn to_toml(&self) -> String {
        text::toml(self)
    }
}

/// Finds the workload that resembles a trace. `arrival_times` gives the times, in nanoseconds from the start, at which
/// commands of such arrivals come at so many per second; see `runner::arrival_times`.
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
    let failed = |source| TraceError::File { action: "read", path: std::env::temp_dir(), source };
    let original = info(trace).map_err(failed)?;
    let seen = observe(trace).map_err(failed)?;
    let rate = if original.commands_per_second > 0.0 { original.commands_per_second } else { ANY_RATE };
    let generated = |workload: &Workload, commands: u64| {
        let times = arrival_times(workload.arrivals, rate, workload.seed);
        let length = GenerateLength::Commands(commands);
        let options = GenerateOptions { length, preload: Preload::AsPast, per_second: rate };
        generate_trace(&Arc::new(workload.clone()), &options, times)
    };
    let arrivals = arrivals(trace, &original).map_err(failed)?;
    let mut workload = workload_of(trace, &original, &seen, arrivals);
    for _ in 0..CORRECTIONS {
        let sample = generated(&workload, trace.command_count().min(MOST_COMMANDS_TO_CORRECT))?;
        correct(&mut workload.commands, &seen, &observe(&sample).map_err(failed)?);
    }
    let sample = generated(&workload, trace.command_count().min(MOST_COMMANDS))?;
    let mut found = info(&sample).map_err(failed)?;
    let mut rate_error = 0.0;
    if let Arrivals::Bursts(bursts) = workload.arrivals {
        let commands = sample.command_count();
        let seeds = (MOST_BURST_COMMANDS / commands.max(1)).clamp(1, BURST_SEEDS);
        let rhythms =
            (0..seeds).map(|seed| rhythm(arrival_times(workload.arrivals, rate, workload.seed + seed), commands));
        take_medians(&mut found.rhythm, &rhythms.collect::<Vec<_>>());
        rate_error = bursts::rate_error(bursts, rate, commands);
    }
    let aspects = likeness::compare(&original, &found, rate_error);
    Ok(Fit {
        notes: notes(trace, &original, &seen, &workload),
        workload,
        commands_per_second: (original.commands_per_second > 0.0).then_some(original.commands_per_second),
        aspects,
        compared_commands_count: sample.command_count(),
        origin: origin(trace),
    })
}

/// The rhythm of the first so many commands at these times.
fn rhythm(times: impl Iterator<Item = u64>, commands: u64) -> Rhythm {
    let times: Vec<u64> = times.take(usize::try_from(commands).unwrap_or(usize::MAX)).collect();
    let mut counter = RhythmCounter::new(commands, times.last().copied().unwrap_or(0));
    for at_ns in times {
        counter.record(at_ns);
    }
    counter.finish()
}

/// Takes the medians of what bursts are judged by.
fn take_medians(found: &mut Rhythm, rhythms: &[Rhythm]) {
    let median = |figure: fn(&Rhythm) -> Option<f64>| {
        let mut figures: Vec<f64> = rhythms.iter().filter_map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    };
    found.interarrival_cv_ratio = median(|rhythm| rhythm.interarrival_cv_ratio);
    found.burstiness_ratio = median(|rhythm| rhythm.burstiness_ratio);
    found.dispersion_per_100_commands_ratio = median(|rhythm| rhythm.dispersion_per_100_commands_ratio);
}

fn origin(trace: &Trace) -> String {
    let Provenance { name, source, made_by, .. } = &trace.provenance;
    format!("the trace {name} from {source} ({made_by})").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn workload_of(trace: &Trace, info: &TraceInfo, seen: &Behaviour, arrivals: Arrivals) -> Workload {
    let persistence = persistence(&trace.provenance, seen);
    let mut workload = Workload {
        name: name(&trace.provenance.name),
        description: String::new(),
        seed: 1,
        event_bytes: SizeDistribution::Constant(UNKNOWN_BYTES),
        state_bytes: SizeDistribution::Constant(UNKNOWN_BYTES),
        compressibility: trace.provenance.compressibility.clamp(0.0, 1.0),
        actors: actors(info, seen),
        persistence,
        commands: commands(seen),
        arrivals,
        preload: PreloadEvents { events_per_actor: preloaded(seen) },
    };
    let rules = workload.rules();
    let of =
        |sizes: Option<&crate::trace::info::Sizes>, overhead| sizes.map(|sizes| sizes::distribution(sizes, overhead));
    if let Some(events) = of(info.event_sizes.as_ref(), rules.event_overhead()) {
        workload.event_bytes = events;
    }
    if let Some(states) = of(info.state_sizes.as_ref(), rules.state_overhead()) {
        workload.state_bytes = states;
    }
    workload.description = description(trace, info, &workload);
    workload
}

/// As much of the trace's name as a workload's may hold.
fn name(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = name.chars().map(fits).take(64).collect();
    if name.is_empty() { "trace".to_owned() } else { name }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded lengths and counts")]
fn actors(info: &TraceInfo, seen: &Behaviour) -> Actors {
    // A workload takes at most 100 million.
    let count = info.skew.population_count.clamp(1, 100_000_000) as u32;
    let exponent = (info.skew.zipf_exponent * 1e3).round() / 1e3;
    Actors {
        count,
        types: (info.actor_types_count.clamp(1, 10_000) as u32).min(count),
        skew: if exponent > 0.0 { Skew::Zipf(exponent) } else { Skew::Uniform },
        name_bytes: seen.name_bytes.round().clamp(8.0, 1024.0) as usize,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
fn preloaded(seen: &Behaviour) -> u64 {
    seen.events_before.round().clamp(0.0, MOST_PRELOADED) as u64
}

fn persistence(provenance: &Provenance, seen: &Behaviour) -> Persistence {
    let told = provenance.persistence.as_str();
    let is_light = if seen.persists() > 0 { seen.is_light() } else { told.starts_with("light") };
    let told_every = told.strip_prefix("full, snapshot every ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let snapshot_every = seen.snapshot_every().map(|(every, _)| every).or(told_every).unwrap_or(0);
    Persistence {
        mode: if is_light { PersistenceMode::Light } else { PersistenceMode::Full },
        snapshot_every: if is_light { 100 } else { snapshot_every },
        compact_on_snapshot: seen.compacts(),
        encrypted: seen.is_encrypted().unwrap_or_else(|| told.contains("encrypted")),
    }
}

fn commands(seen: &Behaviour) -> CommandMix {
    let all = seen.issued.iter().sum::<u64>().max(1) as f64;
    let mut mix = CommandMix::default();
    for kind in CommandKind::ALL {
        *weight(&mut mix, kind) = rounded(100.0 * seen.issued[kind.index()] as f64 / all);
    }
    mix.recover_after_stop = rounded(seen.share_of_stops());
    if let Some(lengths) = &seen.query_lengths {
        // Short logs cut queries short, in the workload as in the trace: a few shorter ones say nothing.
        let [least, most] = [100, 1000].map(|permille| lengths.quantile_bytes(permille));
        if least == most {
            mix.events_per_query = u64::from(most);
        } else {
            mix.events_per_query_quantiles = (0..=1000).step_by(10).map(|at| lengths.quantile_bytes(at)).collect();
        }
    }
    mix
}

/// Four digits behind the point are enough for a weight of 100 in all.
fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

const fn weight(mix: &mut CommandMix, kind: CommandKind) -> &mut f64 {
    match kind {
        CommandKind::Persist => &mut mix.persist,
        CommandKind::Snapshot => &mut mix.snapshot,
        CommandKind::Recover => &mut mix.recover,
        CommandKind::Events => &mut mix.events,
        CommandKind::LastEvent => &mut mix.last_event,
        CommandKind::Purge => &mut mix.purge,
    }
}

/// Brings weights and query lengths closer to what was asked for, by what came out.
fn correct(mix: &mut CommandMix, wanted: &Behaviour, found: &Behaviour) {
    let all = |seen: &Behaviour| seen.issued.iter().sum::<u64>().max(1) as f64;
    for kind in CommandKind::ALL {
        let [wanted, found] = [wanted, found].map(|seen| seen.issued[kind.index()] as f64 / all(seen));
        // Where next to nothing came out, chance decides.
        if wanted > 0.0 && found > 0.0 {
            let weight = weight(mix, kind);
            *weight = rounded(*weight * (wanted / found).clamp(0.5, 2.0));
        }
    }
    if let (Some(wanted), Some(found)) = (&wanted.query_lengths, &found.query_lengths) {
        let factor = (wanted.mean_bytes() / found.mean_bytes()).clamp(0.5, 2.0);
        for length in &mut mix.events_per_query_quantiles {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most twice a small number")]
            let scaled = (f64::from(*length) * factor).round().min(1e9) as u32;
            *length = scaled.max(1);
        }
    }
}

fn arrivals(trace: &Trace, info: &TraceInfo) -> io::Result<Arrivals> {
    let Some(cv) = info.rhythm.interarrival_cv_ratio else { return Ok(Arrivals::Poisson) };
    if cv < EVEN_CV {
        return Ok(Arrivals::Constant);
    }
    if !is_bursty(info, cv) {
        return Ok(Arrivals::Poisson);
    }
    let spacing = bursts::Spacing::of(trace, cv)?;
    Ok(bursts::resembling(&spacing, info.commands_per_second).map_or(Arrivals::Poisson, Arrivals::Bursts))
}

/// Whether times between commands vary, or busy and calm times take turns, more than those of independent ones.
fn is_bursty(info: &TraceInfo, cv: f64) -> bool {
    let commands = info.commands_count.values().sum::<u64>();
    let varies = cv > BURSTY_CV + BURSTY_CV_ERRORS / (commands as f64).sqrt();
    let clusters = info.rhythm.dispersion_per_100_commands_ratio.is_some_and(|found| found > likeness::CLUSTERED);
    commands >= COMMANDS_FOR_BURSTS && (varies || clusters && commands >= likeness::COMMANDS_FOR_DISPERSION)
}

fn description(trace: &Trace, info: &TraceInfo, workload: &Workload) -> String {
    let busiest = 100.0 * info.skew.busiest_1_percent_share_ratio;
    let kinds: Vec<String> = CommandKind::ALL
        .into_iter()
        .filter(|&kind| info.command_share(kind) > 0.0)
        .map(|kind| format!("{:.1} % {kind}", 100.0 * info.command_share(kind)))
        .collect();
    format!(
        "What {} did: {} commands in {:.1} seconds by {} actors ({}). Persistence is {}. Events are {}, states {}. The \
         busiest hundredth of the actors issues {busiest:.1} % of the commands.",
        origin(trace),
        trace.command_count(),
        info.duration_seconds,
        info.actors_count,
        kinds.join(", "),
        workload.rules(),
        workload.event_bytes.describe(),
        workload.state_bytes.describe(),
    )
}

fn notes(trace: &Trace, info: &TraceInfo, seen: &Behaviour, workload: &Workload) -> Vec<String> {
    let mut notes = Vec::new();
    let rules: PersistenceRules = workload.rules();
    if seen.is_encrypted().is_none() {
        notes.push(
            "no metadata tells whether values are encrypted; assumed: what the trace's first line says".to_owned(),
        );
    }
    notes.extend(cadence_note(seen, workload));
    if info.state_sizes.is_none() {
        notes.push(format!("no state is written; assumed: {UNKNOWN_BYTES} bytes"));
    }
    if info.event_sizes.is_none() {
        notes.push(format!("no event is written; assumed: {UNKNOWN_BYTES} bytes"));
    }
    notes.extend(burst_note(info, workload));
    let poor = info.skew.ks_distance_ratio;
    if poor > 0.1 && !info.skew.is_uniform {
        notes.push(format!(
            "the skew is not that of a Zipf distribution (KS distance {poor:.2}): the share of the busiest differs"
        ));
    }
    if trace.dropped_count() > 0 {
        notes.push(format!("{} operations are missing in the trace", trace.dropped_count()));
    }
    if rules.compact_on_snapshot && preloaded(seen) > 0 {
        notes.push(
            "events from before the trace that compaction had deleted are persisted anew by the preload".to_owned(),
        );
    }
    notes
}

fn burst_note(info: &TraceInfo, workload: &Workload) -> Option<String> {
    let Arrivals::Bursts(bursts) = workload.arrivals else { return None };
    let rate = info.commands_per_second;
    Some(format!(
        "commands came in bursts (coefficient of variation {:.1}, index of dispersion of a hundred commands {:.1}); \
         those of the workload come at {:.1} times the mean rate, {:.0} at a time on average, {:.0} % of all. Their \
         length belongs to the trace's rate: at N times that rate, divide `seconds` by N ({} at {ANY_RATE} commands/s). \
         Regular pauses, times of day and whose commands a burst holds are lost; replay the trace itself with `--speed` \
         where they matter",
        info.rhythm.interarrival_cv_ratio.unwrap_or(f64::NAN),
        info.rhythm.dispersion_per_100_commands_ratio.unwrap_or(f64::NAN),
        bursts.factor,
        bursts::commands_of_a_burst(bursts, rate),
        100.0 * bursts.factor * bursts.share,
        bursts::digits(bursts.seconds * rate / ANY_RATE, 3),
    ))
}

fn cadence_note(seen: &Behaviour, workload: &Workload) -> Option<String> {
    if workload.persistence.mode == PersistenceMode::Light {
        return None;
    }
    match seen.snapshot_every() {
        None => Some(format!(
            "no automatic snapshot in up to {} events: if there are any, they are further apart",
            seen.longest_without_state()
        )),
        Some((every, share)) if share < 0.9 => Some(format!(
            "automatic snapshots do not come at one distance ({:.0} % after {every} events): perhaps types differ",
            100.0 * share
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_workloads() {
        assert_eq!(name("receipt log.2"), "receipt-log-2");
        assert_eq!(name(""), "trace");
        assert_eq!(name(&"é".repeat(100)).len(), 64);
    }
}
