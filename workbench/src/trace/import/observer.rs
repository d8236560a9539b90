//! Progress and cancellation of an import.

/// Stage of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStage {
    /// Decoding a log that is not CSV; counted in bytes of the log.
    Decode,
    /// Search for a row that distinguishes days from months; counted in bytes of the log.
    Survey,
    /// Reading the log; counted in bytes.
    Read,
    /// Writing the trace; counted in events.
    Write,
}

/// Observes an import and may cancel it. The default methods do nothing.
pub trait ImportObserver: Sync {
    /// Progress of a stage, and its total if that is known. Called a few hundred times a second at most.
    fn progress(&self, stage: ImportStage, done: u64, total: Option<u64>) {
        let _ = (stage, done, total);
    }

    /// Whether to cancel the import, which then leaves nothing behind.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// No observer.
impl ImportObserver for () {}
