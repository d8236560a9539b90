//! The command line that every measured process has.

use std::{io::Write, path::PathBuf, time::Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::{
    Outcome, Run, Scale,
    catalog::{self, Case},
    host::{self, HostCpu},
};

/// Runs one case against one backend, in this process, and prints the figures as one line of JSON.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  ave-peer-ours --backend ours --case recover --dir /tmp/x
  ave-peer-ours --backend ours --case recover-warm --dir /tmp/x    one part of it only
  ave-peer-ours --backend bare --case put-off-1 --dir /tmp/x --full")]
struct Arguments {
    /// The backend to measure.
    #[arg(long)]
    backend: String,
    /// The case, or one part of a case.
    #[arg(long)]
    case: String,
    /// An empty directory on the disk to measure; databases are left in it.
    #[arg(long)]
    dir: PathBuf,
    /// The amount of work of `--thorough`.
    #[arg(long)]
    full: bool,
}

/// The process: reads the arguments, has `run` do the work, prints the outcome.
///
/// `run` gets the name of the backend, the case, what to do, and where to put the figures.
pub fn main(run: impl Fn(&str, &Case, &Run, &mut Outcome) -> Result<()>) -> Result<()> {
    let arguments = Arguments::parse();
    let (case, part) = catalog::find(&arguments.case)
        .with_context(|| format!("no case {}; there are {}", arguments.case, catalog::names().join(", ")))?;
    let scale = if arguments.full { Scale::Full } else { Scale::Small };
    let todo = Run { dir: empty(arguments.dir)?, scale, part: part.map(str::to_owned) };
    let mut outcome =
        Outcome { case: arguments.case.clone(), backend: arguments.backend.clone(), ..Outcome::default() };
    host::raise_open_files();
    let (wall, cpu) = (Instant::now(), HostCpu::now());
    run(&arguments.backend, case, &todo, &mut outcome)?;
    note_host(&mut outcome, wall, cpu);
    let mut line = serde_json::to_string(&outcome)?;
    line.push('\n');
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

/// A measurement in a directory with something in it would measure that, too.
fn empty(dir: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    if std::fs::read_dir(&dir)?.next().is_some() {
        bail!("{} is not empty", dir.display());
    }
    Ok(dir)
}

fn note_host(outcome: &mut Outcome, start: Instant, before: HostCpu) {
    let (wall, now) = (start.elapsed().as_secs_f64(), HostCpu::now());
    let own = host::process_cpu().as_secs_f64();
    outcome.wall_s = wall;
    outcome.cpu_s = own;
    outcome.foreign_cpu_cores = ((now.busy.saturating_sub(before.busy)).as_secs_f64() - own).max(0.0) / wall;
    outcome.steal_cores = now.steal.saturating_sub(before.steal).as_secs_f64() / wall;
}
