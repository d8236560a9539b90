//! The part of a plan that says how its rate depends on the writers in flight.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::units;

/// Share of the highest ceiling from which on more writers are not worth it.
const ENOUGH: f64 = 0.95;

/// Closed-loop ceilings of the recommended machine over the number of writers. Durable writes in flight share a sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriterSweep {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// The machine.
    pub machine: String,
    /// Ascending by writers.
    pub points: Vec<WriterPoint>,
    /// Writers of the plan's loads: `--writers`, by default those of an actor system on the machine.
    pub planned_count: u64,
    /// The fewest writers that reach 95 % of the highest ceiling.
    pub recommended_count: u64,
}

/// The ceiling of some writers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriterPoint {
    /// Commands that are executed at the same time.
    pub writers_count: u64,
    /// Closed loop, commands per second.
    pub per_second: f64,
    /// p99 of the service time of the objective's command; absent if the samples do not support it.
    pub p99_ns: Option<u64>,
}

impl WriterSweep {
    /// `None` without points.
    pub(crate) fn new(
        durability: Durability,
        machine: String,
        mut points: Vec<WriterPoint>,
        planned_count: u64,
    ) -> Option<Self> {
        points.sort_by_key(|point| point.writers_count);
        let highest = points.iter().map(|point| point.per_second).reduce(f64::max)?;
        let enough = points.iter().find(|point| point.per_second >= ENOUGH * highest)?;
        Some(Self { durability, machine, recommended_count: enough.writers_count, points, planned_count })
    }

    /// `8 writers are enough` or, if the ceiling still rises, `64 writers, the most that were tried, had the highest ceiling`.
    pub(crate) fn finding(&self) -> String {
        let writers = units::counted(self.recommended_count, "writer");
        let most = self.points.last().map_or(0, |point| point.writers_count);
        if self.recommended_count == most {
            format!("{writers}, the most that were tried, had the highest ceiling")
        } else {
            format!("{writers} are enough")
        }
    }

    /// What to set in an application for the recommended number.
    pub(crate) fn advice(&self) -> String {
        let count = self.recommended_count;
        match self.durability {
            Durability::Off => format!(
                "set `worker_threads` of the tokio runtime to {count}: a write without durability runs on the thread of its actor's task"
            ),
            Durability::On => format!(
                "let {count} or more actors be busy at a time, and `max_blocking_threads` of the tokio runtime be at least \
                 {count}: each durable write in flight takes a thread of its own"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_writers_that_are_as_good_are_recommended() {
        let point = |(writers_count, per_second)| WriterPoint { writers_count, per_second, p99_ns: None };
        let sweep = |figures: &[(u64, f64)]| {
            let points = figures.iter().copied().map(point).collect();
            WriterSweep::new(Durability::On, "nano".to_owned(), points, 64)
        };
        let durable = sweep(&[(64, 15_000.0), (1, 600.0), (2, 1_900.0), (8, 6_500.0), (32, 14_800.0)]).unwrap();
        assert_eq!(durable.recommended_count, 32);
        assert!(durable.points.is_sorted_by_key(|point| point.writers_count));
        assert!(durable.advice().contains("32"));
        assert_eq!(sweep(&[(1, 900.0), (2, 1_000.0), (4, 960.0)]).unwrap().recommended_count, 2);
        assert_eq!(sweep(&[]), None);
    }
}
