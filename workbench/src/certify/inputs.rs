//! The inputs of a certification: all that the verdict depends on, except the machine.

use std::path::Path;

use ave_actors_store::config::MachineSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest::{sha256, sha256_of_files, sha256_of_json};
use super::error::CertifyError;
use super::spec::CertifySpec;
use crate::load::{RequestKind, Source};
use crate::measure::Percentile;
use crate::report::{VERSION, spec_json};
use crate::trace;

/// The inputs of a certification. Equal inputs have equal digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifyInputs {
    /// `workload` or `trace`.
    pub source_kind: String,
    /// Name of the workload or trace.
    pub source_name: String,
    /// SHA-256, hexadecimal: of the workload as TOML, its seed included and comments left out; or of the bytes of the
    /// trace's files in the order of their names.
    pub source_sha256: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Offered commands per second.
    pub rate_per_second: f64,
    /// The command of the objective.
    pub command: String,
    /// The percentile of its response time that each slice is judged by.
    pub percentile: Percentile,
    /// Limit of that percentile.
    pub limit_ns: u64,
    /// Certified time in each durability mode.
    pub duration_seconds: f64,
    /// Length of a slice.
    pub slice_seconds: u32,
    /// The durability modes, in the order in which they are certified.
    pub durabilities: Vec<String>,
    /// Threads that issue commands in each of these modes.
    pub writers_count: Vec<u64>,
    /// The machine the backend is tuned for, as `ave-actors-store` deserialises it.
    pub machine_spec: Value,
    /// Version of this package.
    pub package_version: String,
}

impl CertifyInputs {
    /// The inputs of a certification of `source`, which was read from `path` if it is a trace.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Source`] if the files of a trace cannot be read again.
    pub fn new(
        source: &Source,
        path: &Path,
        spec: &CertifySpec,
        request: RequestKind,
        machine_spec: &MachineSpec,
    ) -> Result<Self, CertifyError> {
        Ok(Self {
            source_kind: kind(source).to_owned(),
            source_name: source.name().to_owned(),
            source_sha256: source_sha256(source, path)?,
            seed: source.seed(),
            rate_per_second: spec.rate_per_second,
            command: source.request_name(request).to_owned(),
            percentile: spec.objective.percentile,
            limit_ns: spec.objective.limit_ns,
            duration_seconds: spec.duration.as_secs_f64(),
            slice_seconds: spec.slice_seconds(),
            durabilities: spec.durabilities.iter().map(ToString::to_string).collect(),
            writers_count: spec.durabilities.iter().map(|&durability| spec.writers.of(durability)).collect(),
            machine_spec: spec_json(machine_spec),
            package_version: VERSION.to_owned(),
        })
    }

    /// SHA-256 of these inputs, hexadecimal.
    pub fn digest(&self) -> String {
        // Strings and finite numbers can be serialised.
        sha256_of_json(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Whether these are the inputs of a source, which was read from `path` if it is a trace.
    ///
    /// # Errors
    ///
    /// [`CertifyError::Source`] if the files of a trace cannot be read again.
    pub fn are_of(&self, source: &Source, path: &Path) -> Result<bool, CertifyError> {
        Ok(self.source_kind == kind(source) && self.source_sha256 == source_sha256(source, path)?)
    }
}

const fn kind(source: &Source) -> &'static str {
    match source {
        Source::Workload(_) => "workload",
        Source::Trace { .. } => "trace",
    }
}

fn source_sha256(source: &Source, path: &Path) -> Result<String, CertifyError> {
    match source {
        // Every workload can be written as TOML.
        Source::Workload(workload) => {
            let text = toml::to_string(&**workload).map_err(|error| CertifyError::Workload(error.to_string()))?;
            Ok(sha256(text.as_bytes()))
        }
        Source::Trace { .. } => {
            sha256_of_files(&trace::trace_files(path)?).map_err(|(path, error)| CertifyError::Source(path, error))
        }
    }
}
