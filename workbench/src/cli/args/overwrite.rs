//! Whether a command may replace a file.

/// For the commands with `--output FILE`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct OverwriteArgs {
    /// Replace the output file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}
