//! What a certification showed.

use crate::actor::Durability;
use crate::certify::journal::{EarlyEnd, Interruption};
use crate::certify::slices::JudgedSlice;
use crate::load::{SessionSize, Verified};
use crate::measure::median;
use ave_actors_rocksdb::trace::CommandKind;

/// What one mode showed.
#[derive(Debug, Clone)]
pub struct CertifiedMode {
    /// The mode.
    pub durability: Durability,
    /// Its slices, in order.
    pub slices: Vec<JudgedSlice>,
    /// Slices asked for.
    pub slices_asked: u64,
    /// Segments they were driven in.
    pub segments: u64,
    /// Times between segments in which nothing was offered, seconds.
    pub pauses_seconds: Vec<f64>,
    /// Bytes of the values that were written while the last database was measured.
    pub payload_bytes: u64,
    /// Databases that were taken: one, and another after each time that one was not closed.
    pub databases: u32,
    /// Why it ended early, if it did.
    pub early_end: Option<EarlyEnd>,
    /// Whether it is over: nothing is left to be driven or compared.
    pub is_over: bool,
    /// What was compared; `None` if it was not.
    pub verified: Option<Verified>,
    /// What the last database stored; nothing unless it was compared.
    pub size: SessionSize,
}

impl CertifiedMode {
    /// Whether all its time was driven, or all that will be.
    pub(super) fn is_driven(&self) -> bool {
        self.early_end.is_some() || self.slices.len() as u64 >= self.slices_asked
    }

    /// The worst slice.
    pub fn worst(&self) -> Option<&JudgedSlice> {
        self.slices.iter().max_by_key(|slice| slice.badness())
    }

    /// The objective's percentile in the median slice, nanoseconds; `None` if no slice supports it.
    pub fn median_percentile_ns(&self) -> Option<f64> {
        let values: Vec<f64> =
            self.slices.iter().filter_map(|slice| slice.percentile_ns).map(|value| value as f64).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// The slices on the last database.
    pub fn on_last_database(&self) -> &[JudgedSlice] {
        let last = self.slices.last().map_or(0, |slice| slice.database);
        &self.slices[self.slices.partition_point(|slice| slice.database < last)..]
    }
}

/// What a certification showed, or has shown so far.
#[derive(Debug, Clone)]
pub struct CertifyOutcome {
    /// The command the objective is on.
    pub command: CommandKind,
    /// One entry per mode that was begun, in the order asked for.
    pub modes: Vec<CertifiedMode>,
    /// Interruptions, in order.
    pub interruptions: Vec<Interruption>,
    /// Whether it is not over: somebody stopped it.
    pub interrupted: bool,
}
