//! The command line.

use std::{fmt::Write, path::PathBuf};

use ave_peer_cases::catalog::{CASES, Side};
use clap::Parser;

/// Measures this package, the published ave-actors-rocksdb 0.4.0, ave-actors-sqlite and a manager in memory in
/// turn, and prints one table.
///
/// Each case runs in a fresh process and a fresh directory, once per side and round, and the order of the sides turns
/// around from round to round, so that what disturbs the host disturbs all. Figures are compared round by round; the
/// table shows the median of the ratios.
#[derive(Debug, Parser)]
#[command(
    name = "ave-peer-compare",
    version,
    after_help = "Examples:
  make peers                                      build everything, measure everything (about 10 minutes once built)
  make peers PEERS='--quick'                      a first look (about 4 minutes)
  ave-peer-compare --list                         what there is
  ave-peer-compare --case recover --case reads    two cases
  ave-peer-compare --case recover-warm            one part of a case
  ave-peer-compare --case put-off-1 --rounds 11   eleven rounds: a 95 % interval that is not just minimum to maximum
  ave-peer-compare --dir /dev/shm --case put-on-1 the code without the disk
  ave-peer-compare --case persist-off --without sqlite --without memory"
)]
pub(crate) struct Arguments {
    /// Measure this case, or this part of a case; may be repeated [default: all]
    #[arg(long = "case", value_name = "NAME")]
    pub(crate) cases: Vec<String>,
    /// Say which cases there are, and stop
    #[arg(long)]
    pub(crate) list: bool,
    /// Rounds per case [default: those of the case]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: Option<u16>,
    /// Fewer rounds: to see that it runs, and roughly where it stands
    #[arg(long, conflicts_with = "thorough")]
    pub(crate) quick: bool,
    /// Five to fifteen times the work, so that databases outgrow memtables and caches, and the slow cases
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Leave this one out: published, sqlite, memory, bare or file; may be repeated
    #[arg(long, value_name = "BACKEND", value_parser = ["published", "sqlite", "memory", "bare", "file"])]
    pub(crate) without: Vec<String>,
    /// Put the databases into directories under this one [default: the system's temporary directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Write peers.md and peers.json to this directory, too
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Kill a process that runs longer than this
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) timeout: u64,
    /// The binary that serves the published backend [default: beside this one]
    #[arg(long, value_name = "FILE")]
    pub(crate) published: Option<PathBuf>,
    /// The binary that serves this package [default: in the target directory without `-peers`]
    #[arg(long, value_name = "FILE")]
    pub(crate) ours: Option<PathBuf>,
}

impl Arguments {
    /// Who is measured.
    pub(crate) fn sides(&self) -> impl Iterator<Item = Side> {
        Side::ALL.into_iter().filter(|side| !self.without.iter().any(|name| name == side.name()))
    }
}

/// Every case in a line, with its parts.
pub(crate) fn list() -> String {
    let mut list = String::new();
    for case in CASES {
        let thorough = if case.thorough { " (with --thorough)" } else { "" };
        let _ = writeln!(list, "{:<28}{}{thorough}", case.name, case.about);
        if !case.parts.is_empty() {
            let _ = writeln!(list, "{:<28}  parts: {}", "", case.parts.join(", "));
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_list_names_every_case() {
        let list = list();
        assert!(CASES.iter().all(|case| list.contains(case.name)));
    }
}
