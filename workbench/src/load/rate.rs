//! Rates as users give them.

use super::error::RunError;
use super::source::Source;
use crate::workload::excerpt;

/// `2000` commands per second, or `50 fact/s`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Requests per second, above 0.
    pub per_second: f64,
    /// Name of the command or transaction, which may be in the plural; absent for all commands.
    pub of: Option<String>,
}

impl Rate {
    /// Commands per second of `source` in all.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that lists what the source issues, if it does not issue what the rate is of.
    pub fn commands_per_second(&self, source: &Source) -> Result<f64, RunError> {
        let Some(of) = &self.of else { return Ok(self.per_second) };
        let request = source.request_named(|name| self.is_of(name), &format!("a rate of `{}/s`", excerpt(of)))?;
        Ok(self.per_second / source.per_command(request))
    }

    /// Whether it is a rate of the command or transaction of this name.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.of.as_deref().is_some_and(|of| of == name || of.strip_suffix('s') == Some(name))
    }
}
