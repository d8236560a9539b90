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
        let requests = source.requests();
        let is_named = |name: &str| of == name || of.strip_suffix('s') == Some(name);
        let found = requests.iter().find(|&&request| is_named(source.request_name(request)));
        let per_command = found.map(|&request| source.per_command(request)).filter(|&share| share > 0.0);
        per_command.map(|share| self.per_second / share).ok_or_else(|| {
            let issued: Vec<_> = requests.iter().map(|&request| source.request_name(request)).collect();
            RunError::Settings(format!(
                "a rate of `{}/s`, which `{}` never issues; it issues {}",
                excerpt(of),
                source.name(),
                issued.join(", ")
            ))
        })
    }
}
