//! Whom an import tells how far it is, and who may stop it.

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStage {
    /// Looking for a row that tells days from months; counted in bytes of the log.
    Survey,
    /// Reading the log; counted in bytes.
    Read,
    /// Writing the trace; counted in events.
    Write,
}

/// Told about progress, and asked whether to go on; the default methods do nothing and go on.
pub trait ImportObserver: Sync {
    /// How much of a stage is done, and of how much if that is known. It is called a few hundred times a second at most.
    fn progress(&self, stage: ImportStage, done: u64, total: Option<u64>) {
        let _ = (stage, done, total);
    }

    /// Whether the import is to end. It then leaves nothing behind.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl ImportObserver for Unobserved {}
