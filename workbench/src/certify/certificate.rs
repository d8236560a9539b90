//! The certificate: that a machine held a rate for a time, in a form that shows when somebody changed it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::actor::Durability;
use crate::certify::digest::sha256_of_json;
use crate::certify::inputs::CertifyInputs;
use crate::report::{HostInfo, Reproduce, Verdict, Verification, Warning};

/// Version of the JSON layout of certificates; raised when a field changes its meaning or disappears.
pub const CERTIFICATE_SCHEMA_VERSION: u32 = 1;

/// Whether a machine holds a rate within an objective, judged by the worst slice of a long time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Layout version, [`CERTIFICATE_SCHEMA_VERSION`] when written by this build.
    pub schema_version: u32,
    /// The answer, first.
    pub verdict: Verdict,
    /// What it is about: all that the answer depends on but the machine.
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
    /// One entry per durability mode that was begun.
    pub modes: Vec<CertifiedModeInfo>,
    /// Times at which it did not go on, in order.
    pub interruptions: Vec<InterruptionInfo>,
    /// What is wrong with the host, each with a hint.
    pub warnings: Vec<Warning>,
    /// How to repeat it.
    pub reproduce: Reproduce,
    /// SHA-256 of all other fields as JSON with sorted names and no spaces, hexadecimal: a changed figure shows.
    pub body_sha256: String,
}

/// What one durability mode showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedModeInfo {
    /// Whether writes waited for the disk.
    pub durability: Durability,
    /// Slices asked for.
    pub slices_asked_count: u64,
    /// Slices that were driven whole.
    pub slices_count: u64,
    /// Slices that missed the objective, disturbed ones included.
    pub slices_missed_count: u64,
    /// Slices that missed it while something took time away from the system under test.
    pub slices_missed_disturbed_count: u64,
    /// The worst slice, which decides; absent if none is whole.
    pub worst_slice: Option<SliceInfo>,
    /// The objective's percentile in the median slice; absent if no slice supports it.
    pub median_slice_ns: Option<f64>,
    /// Times between two segments in which nothing was offered: how many.
    pub pauses_count: u64,
    /// All of them together.
    pub pauses_seconds: f64,
    /// The longest.
    pub longest_pause_seconds: f64,
    /// Databases that were taken: one, and another after each time that one was not closed.
    pub databases_count: u32,
    /// Size of the last database when it was over; absent if it was not looked at.
    pub database_bytes: Option<u64>,
    /// Comparison of what the last database held with what it acknowledged.
    pub verification: Verification,
    /// Every slice, in order.
    pub slices: Vec<SliceInfo>,
}

/// One slice of the certified time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SliceInfo {
    /// When it began, in certified time.
    pub at_seconds: u64,
    /// When it began, RFC 3339 in UTC.
    pub began_at: String,
    /// Number of the database, from 1.
    pub database_number: u32,
    /// Samples of the objective's command.
    pub count: u64,
    /// Its response time at the objective's percentile; absent if too few samples stand behind it.
    pub percentile_ns: Option<u64>,
    /// Median of its response time.
    pub p50_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// Commands of any kind that were due in it and completed, per second.
    pub commands_per_second: f64,
    /// Whether it met the objective; absent if too few samples stand behind it.
    pub met: Option<bool>,
    /// Whether commands piled up in it.
    pub fell_behind: bool,
    /// What took time away from the system under test meanwhile; empty if nothing did.
    pub disturbed_by: Vec<String>,
    /// Time writers were held back by the engine, in milliseconds, where it counts it.
    pub stall_ms: Option<f64>,
    /// Bytes waiting to be compacted at its end, where the engine tells.
    pub pending_compaction_bytes: Option<u64>,
}

/// A time at which a certification did not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterruptionInfo {
    /// The mode that was driven.
    pub durability: Durability,
    /// Slices of the mode that were whole by then.
    pub after_slices_count: u64,
    /// `stopped`: somebody asked it to, and the database was closed. `ended`: the process ended without closing it.
    pub kind: String,
    /// When it stopped, RFC 3339 in UTC; absent if nobody could write that down.
    pub stopped_at: Option<String>,
    /// When it went on, RFC 3339 in UTC; absent if it has not.
    pub resumed_at: Option<String>,
    /// Whether it went on with a new database, filled and warmed up anew.
    pub database_is_new: bool,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forgery {
    /// A field was changed after it was written.
    #[error("it was changed after it was written: its digest is {found}, it says {said}")]
    Body {
        /// The digest of what it says.
        found: String,
        /// The digest it names.
        said: String,
    },
    /// The digest of the inputs is not theirs.
    #[error("its inputs were changed after it was written: their digest is {found}, it says {said}")]
    Inputs {
        /// The digest of the inputs it names.
        found: String,
        /// The digest it names.
        said: String,
    },
}

/// Why a certificate cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read.
    #[error("the certificate {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not JSON, or not a certificate.
    #[error("{}:{line}:{column}: not a certificate", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 before the first character of a line.
        column: usize,
        /// What is wrong there.
        source: serde_json::Error,
    },
    /// The certificate was written by a build with another layout.
    #[error(
        "{} has certificate layout {found}, this build reads {CERTIFICATE_SCHEMA_VERSION}: use the version of \
         ave-workbench it names under reproduce",
        path.display()
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
    },
}

impl Certificate {
    /// Puts the digests in their places.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.inputs_sha256 = self.inputs.digest();
        self.body_sha256 = body_sha256(&self.as_read());
        self
    }

    /// As somebody who reads it gets it: a figure that does not read back as it was written must have the digest of what
    /// is read.
    fn as_read(&self) -> Value {
        let text = serde_json::to_string(self).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Reads a certificate and checks its digests.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] for a file that cannot be read or is no certificate of this layout.
    pub fn read(path: &Path) -> Result<(Self, Result<(), Forgery>), CertificateError> {
        let text =
            fs::read_to_string(path).map_err(|source| CertificateError::Read { path: path.to_owned(), source })?;
        let invalid = |source: serde_json::Error| CertificateError::Invalid {
            path: path.to_owned(),
            line: source.line(),
            column: source.column(),
            source,
        };
        let value: Value = serde_json::from_str(&text).map_err(invalid)?;
        let version = value["schema_version"].as_u64();
        if let Some(found) = version.filter(|&found| found != u64::from(CERTIFICATE_SCHEMA_VERSION)) {
            return Err(CertificateError::SchemaVersion { path: path.to_owned(), found });
        }
        let certificate: Self = serde_json::from_str(&text).map_err(invalid)?;
        let checked = certificate.check(&value);
        Ok((certificate, checked))
    }

    fn check(&self, value: &Value) -> Result<(), Forgery> {
        let found = body_sha256(value);
        if found != self.body_sha256 {
            return Err(Forgery::Body { found, said: self.body_sha256.clone() });
        }
        let found = self.inputs.digest();
        if found != self.inputs_sha256 {
            return Err(Forgery::Inputs { found, said: self.inputs_sha256.clone() });
        }
        Ok(())
    }
}

fn body_sha256(certificate: &Value) -> String {
    let mut body = certificate.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("body_sha256");
    }
    sha256_of_json(&body)
}
