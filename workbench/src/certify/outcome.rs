//! The result of a certification, mode by mode.

use super::slices::JudgedSlice;
use super::state::{Interruption, ModeState};
use crate::actor::Durability;
use crate::load::Verified;
use crate::measure::median;

/// One mode of a certification.
#[derive(Debug, Clone)]
pub struct CertifiedMode {
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// As the journal has it.
    pub state: ModeState,
    /// Whole slices, in order.
    pub slices: Vec<JudgedSlice>,
    /// Slices of the whole duration.
    pub slices_planned: u64,
    /// Segments behind the slices.
    pub segments: u64,
    /// Pauses between segments, without load, seconds.
    pub pauses_seconds: Vec<f64>,
    /// Bytes of the values written while the last database was measured.
    pub(super) payload_bytes: u64,
}

impl CertifiedMode {
    pub(super) fn is_driven(&self) -> bool {
        self.state.early_end.is_some() || self.slices.len() as u64 >= self.slices_planned
    }

    /// The comparison of the last database with what it acknowledged; `None` without one.
    pub(super) fn verified(&self) -> Option<&Verified> {
        self.state.finished.as_ref()?.verified.as_ref()
    }

    /// The worst slice: one that fell behind is worse than any that did not. `None` without slices.
    pub fn worst(&self) -> Option<&JudgedSlice> {
        self.slices.iter().max_by_key(|slice| (slice.fell_behind, slice.percentile_ns.unwrap_or(slice.max_ns)))
    }

    /// The objective's percentile in the median slice, nanoseconds; `None` if no slice has enough samples.
    pub(super) fn median_percentile_ns(&self) -> Option<f64> {
        let values: Vec<f64> =
            self.slices.iter().filter_map(|slice| slice.percentile_ns).map(|value| value as f64).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// The slices measured on the last database.
    pub fn on_last_database(&self) -> &[JudgedSlice] {
        let last = self.slices.last().map_or(0, |slice| slice.database_number);
        &self.slices[self.slices.partition_point(|slice| slice.database_number < last)..]
    }
}

/// The result of a certification, finished or interrupted.
#[derive(Debug, Clone)]
pub struct CertifyOutcome {
    /// The modes that began, in the order of the specification.
    pub modes: Vec<CertifiedMode>,
    /// In order.
    pub interruptions: Vec<Interruption>,
    /// Whether it was stopped before it finished.
    pub interrupted: bool,
}
