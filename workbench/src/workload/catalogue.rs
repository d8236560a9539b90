//! The workloads that ship with the workbench.

use std::path::Path;

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

shipped_workloads!["ledger", "registers", "restart-storm", "audit", "compacting-log", "mixed"];

/// The shipped workloads, in the order of `ave-workbench workloads`.
pub const fn shipped() -> &'static [NamedWorkload] {
    SHIPPED
}

impl Workload {
    /// A shipped workload by its name, or the workload file at that path.
    ///
    /// # Errors
    ///
    /// As [`Workload::read`]; [`WorkloadError::Unknown`] if there is neither.
    pub fn find(name_or_path: &str) -> Result<Self, WorkloadError> {
        if let Some(shipped) = SHIPPED.iter().find(|workload| workload.name == name_or_path) {
            return Self::parse_from(shipped.text, Path::new(name_or_path));
        }
        let path = Path::new(name_or_path);
        if path.exists() {
            return Self::read(path);
        }
        let known: Vec<_> = SHIPPED.iter().map(|workload| workload.name).collect();
        Err(WorkloadError::Unknown { name: name_or_path.to_owned(), known: known.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_workload_reads_and_is_named_like_its_file() {
        for shipped in shipped() {
            let workload = Workload::find(shipped.name).unwrap();
            assert_eq!(workload.name, shipped.name);
            assert!(workload.description.len() > 200, "{} has a description", shipped.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Workload::find("nonesuch").unwrap_err().to_string();
        assert!(error.contains("nonesuch") && error.contains("ledger"), "{error}");
    }
}
