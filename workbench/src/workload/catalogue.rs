//! The workloads that ship with the workbench.

use std::path::Path;

use super::input_text::path_text;
use super::schema::{Workload, WorkloadError};

/// A shipped workload.
#[derive(Debug, Clone, Copy)]
pub struct NamedWorkload {
    /// File name without its extension.
    pub name: &'static str,
    /// Content of the file.
    pub text: &'static str,
}

macro_rules! shipped_workloads {
    ($($name:literal),+ $(,)?) => {
        const SHIPPED: &[NamedWorkload] =
            &[$(NamedWorkload { name: $name, text: include_str!(concat!("../../../workloads/", $name, ".toml")) }),+];
    };
}

shipped_workloads![
    "ledger",
    "ledger-node",
    "ledger-witness",
    "registers",
    "restart-storm",
    "audit",
    "compacting-log",
    "mixed"
];

/// The shipped workloads, in the order of `ave-workbench workloads`.
pub const fn shipped() -> &'static [NamedWorkload] {
    SHIPPED
}

impl Workload {
    /// A shipped workload by its name, or the workload file at that path.
    ///
    /// # Errors
    ///
    /// As [`Workload::read`]; [`WorkloadError::Unknown`] if there is neither and the text is a name, not a path.
    pub fn find(name_or_path: impl AsRef<Path>) -> Result<Self, WorkloadError> {
        let path = name_or_path.as_ref();
        if let Some(shipped) = SHIPPED.iter().find(|workload| path.as_os_str() == workload.name) {
            return Self::parse_from(shipped.text, path);
        }
        if path.exists() || is_path(path) {
            return Self::read(path);
        }
        let known = SHIPPED.iter().map(|workload| workload.name).collect();
        Err(WorkloadError::Unknown { name: path_text(path), known })
    }
}

/// Whether a file is meant: names of workloads have no directory and no extension.
fn is_path(text: &Path) -> bool {
    text.extension().is_some() || text.components().count() > 1 || text.is_absolute()
}
