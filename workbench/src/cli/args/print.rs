//! Commands that print what the program contains.

use std::path::PathBuf;

use crate::cli::values::{count, input_file};

/// List the built-in workloads, or print one as a starting point
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench workloads
  ave-workbench workloads ledger > my-ledger.toml
  ave-workbench workloads ledger --memory --grown-by 1000000")]
pub(crate) struct WorkloadsArgs {
    /// Print the file of this workload
    #[arg(value_name = "WORKLOAD", value_parser = input_file())]
    pub(crate) name: Option<PathBuf>,
    /// Show how much memory serves its reads instead; also of a workload file (.toml), `-` for standard input
    #[arg(long, requires = "name")]
    pub(crate) memory: bool,
    /// Events stored beyond the preload, spread over the actors as the commands are
    #[arg(
        long,
        value_name = "EVENTS",
        requires = "memory",
        default_value_t = 0,
        value_parser = count::<u64>(0..=u64::MAX)
    )]
    pub(crate) grown_by: u64,
}

/// List the machine profiles with their sizes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench machines
  ave-workbench machines --json | jq -r '.[].name'")]
pub(crate) struct MachinesArgs {}

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
