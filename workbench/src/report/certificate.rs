//! The part of a report that a certification adds: every slice of time against the objective.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slo::SloInfo;
use crate::actor::Durability;

/// What `certify` adds. The certificate itself is `certificate.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateInfo {
    /// Rate that was offered, commands per second.
    pub rate_per_second: f64,
    /// The objective.
    pub slo: SloInfo,
    /// Length of a slice, seconds.
    pub slice_seconds: u32,
    /// Checksum of `certificate.json`.
    pub checksum_sha256: String,
    /// One entry per durability mode that began.
    pub modes: Vec<CertifiedSlices>,
}

/// The slices of one durability mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedSlices {
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Slices of the whole duration.
    pub planned_count: u64,
    /// Every whole slice, in order.
    pub slices: Vec<CertifiedSlice>,
}

/// One slice of the certified time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedSlice {
    /// Start in certified time.
    pub at_seconds: u64,
    /// Response time of the objective's command at its percentile; absent if there are too few samples.
    pub percentile_ns: Option<u64>,
    /// Whether it missed the objective.
    pub is_missed: bool,
    /// Whether something besides the system under test may explain it.
    pub is_disturbed: bool,
}

impl CertifiedSlices {
    pub(crate) fn missed_count(&self) -> u64 {
        self.slices.iter().filter(|slice| slice.is_missed).count() as u64
    }

    /// The longest response time of all slices at the percentile of the objective.
    pub(crate) fn worst_ns(&self) -> Option<u64> {
        self.slices.iter().filter_map(|slice| slice.percentile_ns).max()
    }
}
