//! The workload of a trace's figures.

use std::collections::BTreeMap;
use std::io;

use super::behaviour::{Behaviour, observe};
use super::growth::{Growth, Register, growth};
use super::visits::visit;
use super::{bursts, likeness, sizes};
use crate::actor::{PersistenceRules, Strategy};
use crate::trace::builder::Trace;
use crate::trace::info::{TraceInfo, info};
use crate::workload::{
    Actors, Arrivals, CommandMix, Persistence, PersistenceMode, Population, Preload, SizeDistribution, Skew,
};
use ave_actors_rocksdb::trace::{CommandKind, Provenance};

/// Coefficient of variation below which arrivals are evenly spaced: halfway between even and Poisson.
const EVEN_CV: f64 = 0.5;
/// Coefficient of variation above which commands come in bursts: so much, and so many times `1 / sqrt(n)`, which is
/// about its standard error without bursts.
const BURSTY_CV: f64 = 1.15;
const BURSTY_CV_ERRORS: f64 = 3.0;
const COMMANDS_FOR_BURSTS: u64 = 100;
const MOST_PRELOADED: f64 = 1e6;
pub(super) const UNKNOWN_BYTES: u32 = 256;

/// What is known of the actors of a group.
pub(super) struct Seen {
    pub(super) info: TraceInfo,
    pub(super) behaviour: Behaviour,
    growth: Option<Growth>,
    /// Unless they grow with the events of their actor.
    pub(super) register: Option<Register>,
    visit: Option<Vec<CommandKind>>,
}

impl Seen {
    pub(super) fn of(part: &Trace, register: Option<Register>) -> io::Result<Self> {
        let growth = growth(part)?;
        let register = register.filter(|_| growth.is_none());
        Ok(Self { info: info(part)?, behaviour: observe(part)?, growth, register, visit: visit(part)? })
    }

    /// The population that resembles them. `weight` is its share of the commands of the trace.
    pub(super) fn population(&self, name: String, provenance: &Provenance, weight: f64) -> Population {
        let Self { info, behaviour, growth, visit, register: _ } = self;
        let persistence = persistence(provenance, behaviour);
        let mut population = Population {
            name,
            weight,
            event_bytes: SizeDistribution::Constant(UNKNOWN_BYTES),
            state_bytes: SizeDistribution::Constant(UNKNOWN_BYTES),
            state_growth_per_event: 0.0,
            state_bytes_per_actor: BTreeMap::new(),
            compressibility: provenance.compressibility.clamp(0.0, 1.0),
            actors: actors(info, behaviour),
            commands: commands(behaviour, persistence.mode),
            persistence,
            preload: Preload { events_per_actor: preloaded(behaviour), ..Preload::default() },
        };
        if let Some(visit) = visit {
            population.commands = CommandMix { visit: visit.clone(), ..CommandMix::default() };
        }
        let rules = population.rules();
        if let Some(sizes) = &info.event_sizes {
            population.event_bytes = sizes::distribution(sizes, rules.overhead());
        }
        match (growth, &info.state_sizes) {
            (Some(growth), _) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes, not negative")]
                let base = growth.base_bytes.round() as u32;
                population.state_bytes = SizeDistribution::Constant(base.saturating_sub(rules.state_overhead()));
                population.state_growth_per_event = rounded(growth.each_bytes);
            }
            (None, Some(sizes)) => population.state_bytes = sizes::distribution(sizes, rules.state_overhead()),
            (None, None) => {}
        }
        population
    }
}

/// The trace's name with the characters and the length of a workload's.
pub(super) fn name(name: &str) -> String {
    let name: String = in_names(name).take(64).collect();
    if name.is_empty() { "trace".to_owned() } else { name }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded lengths and counts")]
fn actors(info: &TraceInfo, seen: &Behaviour) -> Actors {
    // The limit of a workload is 100 million.
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
pub(super) fn preloaded(seen: &Behaviour) -> u64 {
    seen.events_before.round().clamp(0.0, MOST_PRELOADED) as u64
}

fn persistence(provenance: &Provenance, seen: &Behaviour) -> Persistence {
    let stated: Option<PersistenceRules> = provenance.persistence.parse().ok();
    let stated_every = match stated.map(|rules| rules.strategy) {
        Some(Strategy::Full { snapshot_every }) => snapshot_every,
        _ => None,
    };
    let is_light = if seen.persists() > 0 {
        seen.is_light()
    } else {
        stated.is_some_and(|rules| rules.strategy == Strategy::Light)
    };
    let snapshot_every = seen.snapshot_every().map(|(every, _)| every).or(stated_every).unwrap_or(0);
    Persistence {
        mode: if is_light { PersistenceMode::Light } else { PersistenceMode::Full },
        snapshot_every: if is_light { 100 } else { snapshot_every },
        compact_on_snapshot: seen.deletes > 0,
        encrypted: seen.is_encrypted().unwrap_or_else(|| stated.is_some_and(|rules| rules.encrypted)),
    }
}

fn commands(seen: &Behaviour, mode: PersistenceMode) -> CommandMix {
    let all = seen.issued.iter().sum::<u64>().max(1) as f64;
    let mut mix = CommandMix::default();
    for kind in CommandKind::ALL {
        *mix.weight_mut(kind) = rounded(100.0 * seen.issued[kind.index()] as f64 / all);
    }
    if mix.recover > 0.0 && mode == PersistenceMode::Full {
        mix.recover_after_stop = rounded(seen.share_of_stops());
    }
    if let Some(lengths) = seen.query_lengths.as_ref().filter(|_| mix.events > 0.0) {
        // Short logs cut queries short, in the workload as in the trace: a few shorter ones are ignored.
        let [least, most] = [100, 1000].map(|permille| lengths.quantile_bytes(permille));
        if least == most {
            mix.events_per_query = u64::from(most);
        } else {
            mix.events_per_query_quantiles = (0..=1000).step_by(10).map(|at| lengths.quantile_bytes(at)).collect();
        }
    }
    mix
}

/// A text in the characters of a name.
pub(super) fn in_names(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
}

/// Four decimals are enough for weights with a sum of 100.
pub(super) fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

/// Corrects weights and query lengths by the result of a generated trace.
pub(super) fn correct(mix: &mut CommandMix, wanted: &Behaviour, found: &Behaviour) {
    if !mix.visit.is_empty() {
        return;
    }
    let all = |seen: &Behaviour| seen.issued.iter().sum::<u64>().max(1) as f64;
    for kind in CommandKind::ALL {
        let [wanted, found] = [wanted, found].map(|seen| seen.issued[kind.index()] as f64 / all(seen));
        if wanted > 0.0 && found > 0.0 {
            let weight = mix.weight_mut(kind);
            *weight = rounded(*weight * (wanted / found).clamp(0.5, 2.0));
        }
    }
    if let (Some(wanted), Some(found)) = (&wanted.query_lengths, &found.query_lengths) {
        let factor = (wanted.mean_bytes / found.mean_bytes).clamp(0.5, 2.0);
        for length in &mut mix.events_per_query_quantiles {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most twice a small number")]
            let scaled = (f64::from(*length) * factor).round().min(1e9) as u32;
            *length = scaled.max(1);
        }
    }
}

pub(super) fn arrivals(trace: &Trace, info: &TraceInfo) -> io::Result<Arrivals> {
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

/// Whether gaps vary, or busy and calm times alternate, more than those of independent commands.
fn is_bursty(info: &TraceInfo, cv: f64) -> bool {
    let commands = info.commands_count.values().sum::<u64>();
    let varies = cv > BURSTY_CV + BURSTY_CV_ERRORS / (commands as f64).sqrt();
    let clusters = info.rhythm.dispersion_per_100_commands_ratio.is_some_and(|found| found > likeness::CLUSTERED);
    commands >= COMMANDS_FOR_BURSTS && (varies || clusters && commands >= likeness::COMMANDS_FOR_DISPERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_traces_become_names_of_workloads() {
        assert_eq!(name("receipt log.2"), "receipt-log-2");
        assert_eq!(name(""), "trace");
        assert_eq!(name(&"é".repeat(100)).len(), 64);
    }
}
