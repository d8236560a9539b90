//! What a trace shows: its figures, its chains, which of its actor types are alike, and what is known of those.

use std::io;

use super::bursts;
use super::chains::{Chains, chains};
use super::derive::{Seen, arrivals, name, rounded};
use super::groups::{Group, groups};
use super::notes::description;
use super::registers::registers;
use super::transactions::workload_of;
use crate::trace::builder::{Trace, TraceBuilder};
use crate::trace::error::TraceError;
use crate::trace::info::{TraceInfo, info};
use crate::workload::{Population, Workload};
use ave_actors_rocksdb::trace::{CommandKind, Op, OpKind, Provenance};

pub(super) struct Observed<'t> {
    pub(super) trace: &'t Trace,
    /// Rate and rhythm are those of what arrives: commands, or the chains that they form.
    pub(super) info: TraceInfo,
    /// Of all commands; `None` if they came at once.
    pub(super) commands_per_second: Option<f64>,
    pub(super) chains: Option<Chains>,
    pub(super) groups: Vec<Group>,
    /// What is known of each group.
    pub(super) seen: Vec<Seen>,
    /// A command where each chain begins, if there are chains.
    beginnings: Option<Trace>,
}

/// The error of a temporary file of a long trace.
pub(super) fn unreadable(source: io::Error) -> TraceError {
    TraceError::file("read", &std::env::temp_dir())(source)
}

impl<'t> Observed<'t> {
    pub(super) fn of(trace: &'t Trace) -> Result<Self, TraceError> {
        let mut known = info(trace).map_err(unreadable)?;
        let commands_per_second = rate_of(&known);
        let chains = chains(trace).map_err(unreadable)?;
        let groups = groups(trace, &known.types, chains.as_ref())?;
        let of = |(group, register): (&Group, _)| Seen::of(group.part(trace), register);
        let registers = registers(trace, &groups).map_err(unreadable)?;
        let seen: Vec<Seen> = groups.iter().zip(registers).map(of).collect::<io::Result<_>>().map_err(unreadable)?;
        let beginnings = chains.as_ref().map(beginnings).transpose()?;
        if let Some(beginnings) = &beginnings {
            let begun = info(beginnings).map_err(unreadable)?;
            (known.rhythm, known.commands_per_second) = (begun.rhythm, begun.commands_per_second);
        }
        Ok(Self { trace, info: known, commands_per_second, chains, groups, seen, beginnings })
    }

    /// What comes at a rate: commands, or the beginnings of chains.
    pub(super) fn arriving(&self) -> &Trace {
        self.beginnings.as_ref().unwrap_or(self.trace)
    }

    /// Its rate, any if all came at once.
    pub(super) fn arriving_per_second(&self) -> f64 {
        rate_of(&self.info).unwrap_or(bursts::ANY_RATE)
    }

    /// Whether all actors are alike.
    pub(super) const fn is_one_population(&self) -> bool {
        self.groups.len() == 1
    }

    /// The workload that resembles it, before it is compared.
    pub(super) fn workload(&self) -> Result<Workload, TraceError> {
        let arrivals = arrivals(self.arriving(), &self.info).map_err(unreadable)?;
        let populations =
            self.groups.iter().zip(&self.seen).map(|(group, seen)| self.population(group, seen)).collect();
        let name = name(&self.trace.provenance.name);
        let mut workload = workload_of(name, populations, arrivals, self.chains.as_ref(), &self.groups);
        workload.description = description(self.trace, &self.info, &workload);
        Ok(workload)
    }

    fn population(&self, group: &Group, seen: &Seen) -> Population {
        let provenance = &self.trace.provenance;
        if self.is_one_population() {
            return seen.population(name(&provenance.name), provenance, 1.0);
        }
        let share = group.part(self.trace).command_count() as f64 / self.trace.command_count().max(1) as f64;
        seen.population(group.name.clone(), provenance, rounded(100.0 * share).max(1e-4))
    }
}

/// `None` if all came at once.
fn rate_of(info: &TraceInfo) -> Option<f64> {
    (info.commands_per_second > 0.0).then_some(info.commands_per_second)
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
