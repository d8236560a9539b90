//! Commands that print what the program contains.

use std::path::PathBuf;

use clap::value_parser;

/// List the built-in workloads, or print one as a starting point
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench workloads
  ave-workbench workloads ledger > my-ledger.toml
  ave-workbench workloads ledger --memory --events 1000")]
pub(crate) struct WorkloadsArgs {
    /// Print the file of this workload
    #[arg(value_name = "WORKLOAD")]
    pub(crate) name: Option<String>,
    /// Show how much memory serves its reads instead; also of a workload file (.toml)
    #[arg(long, requires = "name")]
    pub(crate) memory: bool,
    /// Events that each actor already has [default: those of the preload]
    #[arg(long, value_name = "COUNT", requires = "memory", value_parser = value_parser!(u64).range(..=1_000_000))]
    pub(crate) events: Option<u64>,
}

/// Print shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench completions bash > /etc/bash_completion.d/ave-workbench
  ave-workbench completions zsh > ~/.zfunc/_ave-workbench
  ave-workbench completions fish > ave-workbench.fish")]
pub(crate) struct CompletionsArgs {
    /// Shell to complete commands in
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench man | man -l -
  ave-workbench man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory for ave-workbench.1 and a page per command; created if missing
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
