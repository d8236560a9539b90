//! The build of this program.

/// Version of the package.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Commit of its sources, hexadecimal, and `-dirty` if they had changes; `None` for a build outside of git.
pub(crate) const COMMIT: Option<&str> = option_env!("AVE_WORKBENCH_COMMIT");

/// Digits of a commit that are shown.
const SHOWN_DIGITS: usize = 12;
const DIRTY: &str = "-dirty";

/// The digits of a commit that identify it among those of a repository: `1a2b3c4d5e6f`, `1a2b3c4d5e6f-dirty`.
pub(crate) fn short_commit(commit: &str) -> String {
    let digits = commit.strip_suffix(DIRTY).unwrap_or(commit);
    let shown: String = digits.chars().take(SHOWN_DIGITS).collect();
    if digits.len() < commit.len() { shown + DIRTY } else { shown }
}

/// `0.4.1 (1a2b3c4d5e6f)`; of a build outside of git `0.4.1`.
pub(crate) fn build_name(version: &str, commit: Option<&str>) -> String {
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({})", short_commit(commit)))
}

/// Whether two builds are of the same sources, as far as their commits tell: sources with changes may differ.
pub(crate) fn is_same_commit(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some_and(|commit| Some(commit) == other && !commit.ends_with(DIRTY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d";

    #[test]
    fn a_build_is_named_by_version_and_commit() {
        assert_eq!(build_name("0.4.1", None), "0.4.1");
        assert_eq!(build_name("0.4.1", Some(COMMIT)), "0.4.1 (1a2b3c4d5e6f)");
        assert_eq!(build_name("0.4.1", Some(&format!("{COMMIT}-dirty"))), "0.4.1 (1a2b3c4d5e6f-dirty)");
        assert_eq!(build_name("0.4.1", Some("1a2b3c4")), "0.4.1 (1a2b3c4)");
    }

    #[test]
    fn sources_with_changes_are_never_known_to_be_the_same() {
        let dirty = format!("{COMMIT}-dirty");
        assert!(is_same_commit(Some(COMMIT), Some(COMMIT)));
        for (one, other) in [(None, None), (Some(COMMIT), None), (Some(dirty.as_str()), Some(dirty.as_str()))] {
            assert!(!is_same_commit(one, other), "{one:?} {other:?}");
        }
    }
}
