//! What load to generate, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::warmup::WarmUp;
use crate::workload::Arrivals;

/// How commands are issued.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Closed loop: each writer issues its next command when the last one returned. Measures the capacity.
    Closed,
    /// Open loop: commands are due at a rate, whether the backend keeps up or not. Measures what users experience.
    Open {
        /// Commands per second over all writers, above 0.
        per_second: f64,
        /// How they are spaced.
        arrivals: Arrivals,
    },
    /// Open loop at a rate that rises or falls linearly over the measured time. Shows from which rate on latency grows.
    Ramp {
        /// Commands per second during the warm-up and when measuring begins, above 0.
        from_per_second: f64,
        /// Commands per second at the end, above 0.
        to_per_second: f64,
        /// How they are spaced.
        arrivals: Arrivals,
    },
    /// Commands are due at the trace's own times, divided by `speed`.
    TraceTimes {
        /// 1 is the recorded pace, 100 a hundred times faster; above 0.
        speed: f64,
    },
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => write!(f, "closed loop"),
            Self::Open { per_second, arrivals } => write!(f, "open loop at {per_second} commands/s, {arrivals}"),
            Self::Ramp { from_per_second, to_per_second, arrivals } => {
                write!(f, "open loop from {from_per_second} to {to_per_second} commands/s, {arrivals}")
            }
            Self::TraceTimes { speed } => write!(f, "the trace's own times at speed {speed}"),
        }
    }
}

impl Load {
    /// Mean commands per second offered while measuring; `None` if the backend or the trace decides.
    pub(crate) fn mean_per_second(self) -> Option<f64> {
        match self {
            Self::Open { per_second, .. } => Some(per_second),
            Self::Ramp { from_per_second, to_per_second, .. } => Some(from_per_second.midpoint(to_per_second)),
            Self::Closed | Self::TraceTimes { .. } => None,
        }
    }
}

/// A load and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriveSpec {
    /// How commands are issued.
    pub load: Load,
    /// Time before anything counts.
    pub warmup: WarmUp,
    /// Time that counts; `None` runs to the end of a finite source.
    pub measure: Option<Duration>,
    /// Lateness at which the load is given up; `None` never gives up.
    pub lag_limit: Option<Duration>,
    /// Whether to wait for flushes and compactions afterwards, so that they burden no other load. Without it, the next load
    /// bears them, and a debt that grows shows.
    pub settle: bool,
}
