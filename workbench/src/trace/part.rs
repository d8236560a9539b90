//! A part of a trace: the commands of some of its actors.

use super::builder::{Trace, TraceBuilder};
use super::error::TraceError;

impl Trace {
    /// The commands of the actors that `keeps` accepts, in order of time, as a trace. A long one is kept in a temporary file.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if a temporary file cannot be read or written.
    pub(super) fn part(&self, keeps: impl Fn(u32) -> bool) -> Result<Self, TraceError> {
        let mut builder = TraceBuilder::new(self.provenance.clone());
        let mut numbers = vec![None; self.actors().len()];
        let mut own = Vec::new();
        let failed = |source| TraceError::file("read", &std::env::temp_dir())(source);
        let mut result = Ok(());
        self.for_each_command(|command, ops| {
            if result.is_err() || !keeps(command.actor) {
                return;
            }
            let place = command.actor as usize;
            let actor = &self.actors()[place];
            let number = *numbers[place].get_or_insert_with(|| builder.actor(&actor.type_name, &actor.name));
            own.clear();
            own.extend_from_slice(ops);
            result = builder.command(command.at_ns, number, command.kind, &mut own);
        })
        .map_err(failed)?;
        result?;
        builder.finish()
    }
}
