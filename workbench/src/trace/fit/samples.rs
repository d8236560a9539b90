//! Traces of a workload, generated to be compared with the one that it resembles.

use std::sync::Arc;

use crate::trace::builder::Trace;
use crate::trace::error::TraceError;
use crate::trace::generate::{GenerateLength, GenerateOptions, Preload, generate_trace};
use crate::workload::{Arrivals, Population, Workload};

pub(super) struct SampleGenerator<F> {
    /// The times of commands in nanoseconds, for arrivals, commands per second and a seed.
    pub(super) arrival_times: F,
    pub(super) commands_per_second: f64,
}

impl<I: Iterator<Item = u64>, F: Fn(Arrivals, f64, u64) -> I> SampleGenerator<F> {
    pub(super) fn trace(&self, workload: &Workload, commands: u64) -> Result<Trace, TraceError> {
        let per_second = self.commands_per_second;
        let times = (self.arrival_times)(workload.arrivals, per_second, workload.seed);
        let length = GenerateLength::Commands(commands);
        let options = GenerateOptions { length, preload: Preload::AsPast, per_second };
        generate_trace(&Arc::new(workload.clone()), &options, times)
    }

    /// The times of so many arrivals, with the seed of the workload and `more`.
    pub(super) fn times(&self, workload: &Workload, per_second: f64, more: u64, arrivals: u64) -> Vec<u64> {
        let times = (self.arrival_times)(workload.arrivals, per_second, workload.seed + more);
        times.take(usize::try_from(arrivals).unwrap_or(usize::MAX)).collect()
    }
}

/// The commands of each population in a trace that was generated from the workload; `None` if they are all there are.
pub(super) fn parts(sample: &Trace, workload: &Workload) -> Result<Vec<Option<Trace>>, TraceError> {
    if workload.populations.len() == 1 {
        return Ok(vec![None]);
    }
    let of = |population: &Population| {
        sample.part(|actor| is_type_of(population, &sample.actors()[actor as usize].type_name))
    };
    workload.populations.iter().map(|population| of(population).map(Some)).collect()
}

/// Whether a generated actor type, which is named after its population and a number, belongs to this one.
pub(super) fn is_type_of(population: &Population, type_name: &str) -> bool {
    let digits = type_name.strip_prefix(population.name.as_str());
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
