//! Hosts without a report.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::MergeError;

/// A host that has no report, as the `failure.json` of a fleet holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostFailure {
    /// Its name in the inventory.
    pub host: String,
    /// Kind of machine it is in the inventory.
    pub kind: String,
    /// What failed.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl HostFailure {
    /// Reads a `failure.json`.
    ///
    /// # Errors
    ///
    /// [`MergeError::FailureUnreadable`] or [`MergeError::FailureInvalid`].
    pub fn read(path: &Path) -> Result<Self, MergeError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| MergeError::FailureUnreadable { path: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|source| MergeError::FailureInvalid { path: path.to_owned(), source })
    }
}
