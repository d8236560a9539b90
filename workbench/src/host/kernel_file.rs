//! Reading files of `/proc` and `/sys`.

use std::fs;
use std::path::Path;

/// First line of a file, trimmed; `None` if it cannot be read or is empty.
pub(super) fn read_line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next().unwrap_or("").trim();
    (!line.is_empty()).then(|| line.to_owned())
}
