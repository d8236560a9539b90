//! Writes a history and its table.

use std::path::PathBuf;

use super::result::History;
use super::table;
use crate::report::{Destination, Rendered, ReportError};

impl History {
    /// Writes `history.json`, `history.md`, `history.html` and `history.csv`; returns their directory.
    ///
    /// # Errors
    ///
    /// [`ReportError`]. After it, nothing new is at the final path.
    pub fn write(&self, rendered: &Rendered, destination: Destination<'_>) -> Result<PathBuf, ReportError> {
        let table = table::csv(self);
        let files = [("history.csv", table.as_slice())];
        destination.write("history", [&self.name, &self.made_at], self, rendered, &files)
    }
}
