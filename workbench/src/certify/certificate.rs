//! The certificate: the verdict on a certification with its evidence, and checksums that reveal accidental changes.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest::sha256_of_json;
use super::inputs::CertifyInputs;
use super::slices::JudgedSlice;
use super::state::Interruption;
use crate::actor::Durability;
use crate::report::{HostInfo, ReportError, Reproduce, Verdict, Verification, Warning, read_json};

/// Version of the JSON layout of certificates; raised when a field changes its meaning or disappears.
pub(super) const CERTIFICATE_SCHEMA_VERSION: u32 = 1;

/// Whether a machine sustains a rate within an objective, judged by the worst slice of a long time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Layout version.
    pub schema_version: u32,
    /// The result.
    pub verdict: Verdict,
    /// All that the verdict depends on, except the machine.
    pub inputs: CertifyInputs,
    /// SHA-256 of the inputs as JSON with sorted names and no spaces, hexadecimal.
    pub inputs_sha256: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// When it ended, RFC 3339 in UTC.
    pub ended_at: String,
    /// The machine it ran on.
    pub host: HostInfo,
    /// Directory on the disk that was measured.
    pub data_directory: String,
    /// One entry per durability mode that began.
    pub modes: Vec<CertifiedModeInfo>,
    /// Interruptions, in order.
    pub interruptions: Vec<Interruption>,
    /// Problems of the host, each with a hint.
    pub warnings: Vec<Warning>,
    /// How to repeat it.
    pub reproduce: Reproduce,
    /// SHA-256 of all other fields as JSON with sorted names and no spaces, hexadecimal. A checksum, not a signature.
    pub checksum_sha256: String,
}

/// One durability mode of a certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedModeInfo {
    /// Durability `off` or `on`.
    pub durability: Durability,
    /// Slices of the whole duration.
    pub slices_planned_count: u64,
    /// Whole slices.
    pub slices_count: u64,
    /// Slices that missed the objective, disturbed ones included.
    pub slices_missed_count: u64,
    /// Disturbed slices that missed the objective.
    pub slices_missed_disturbed_count: u64,
    /// The worst slice, which decides; absent if none is whole.
    pub worst_slice: Option<JudgedSlice>,
    /// The objective's percentile in the median slice; absent if no slice has enough samples.
    pub median_slice_ns: Option<f64>,
    /// Pauses between segments, without load.
    pub pauses_count: u64,
    /// Their sum.
    pub pauses_seconds: f64,
    /// The longest.
    pub longest_pause_seconds: f64,
    /// Databases created: one, and another for each that was not closed.
    pub databases_count: u32,
    /// Final size of the last database; absent if it was not compared.
    pub database_bytes: Option<u64>,
    /// Comparison of the last database with what it acknowledged.
    pub verification: Verification,
    /// Every slice, in order.
    pub slices: Vec<JudgedSlice>,
}

/// A certificate was changed after it was written, by accident or on purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checksum is wrong: it was changed after it was written; computed {computed}, recorded {recorded}")]
pub struct ChecksumMismatch {
    computed: String,
    recorded: String,
}

impl Certificate {
    /// Computes the checksums.
    #[must_use]
    pub fn with_checksums(mut self) -> Self {
        self.inputs_sha256 = self.inputs.digest();
        // Of the values as they are read back, so that rounding in the text does not matter.
        let text = serde_json::to_string(&self).unwrap_or_default();
        self.checksum_sha256 = checksum(serde_json::from_str(&text).unwrap_or_default());
        self
    }

    /// Reads a certificate and compares its checksum.
    ///
    /// # Errors
    ///
    /// [`ReportError`] for a file that cannot be read or is no certificate of this layout.
    pub fn read(path: &Path) -> Result<(Self, Result<(), ChecksumMismatch>), ReportError> {
        let (certificate, text): (Self, _) = read_json(path, "certificate", CERTIFICATE_SCHEMA_VERSION)?;
        let value = serde_json::from_str(&text).unwrap_or_default();
        let (computed, recorded) = (checksum(value), certificate.checksum_sha256.clone());
        let checked = if computed == recorded { Ok(()) } else { Err(ChecksumMismatch { computed, recorded }) };
        Ok((certificate, checked))
    }
}

fn checksum(mut certificate: Value) -> String {
    if let Some(fields) = certificate.as_object_mut() {
        fields.remove("checksum_sha256");
    }
    sha256_of_json(&certificate)
}
