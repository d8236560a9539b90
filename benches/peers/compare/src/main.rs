//! Measures this backend and others in turn, in fresh processes, and prints one table.

mod arguments;
mod child;
mod number;
mod plan;
mod rows;
mod statistics;
mod write;

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use ave_peer_cases::{Outcome, catalog::Side};
use clap::Parser;

use crate::{arguments::Arguments, child::Servers, plan::Planned, rows::Measured};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print_line(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every case could be measured.
fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        return print(&arguments::list()).map(|()| true);
    }
    let start = Instant::now();
    let planned = plan::plan(arguments)?;
    let interrupted = interruption()?;
    let servers = Servers::find(arguments)?;
    let mut measured = Vec::new();
    let mut progress = Progress::new(&planned);
    for case in planned {
        measured.push(measure(case, &servers, &interrupted, &mut progress));
        if interrupted.load(Ordering::Relaxed) {
            print_line("interrupted: partial results");
            break;
        }
        // A long run that is cut off leaves what it had.
        if let Some(dir) = &arguments.out {
            write::files(dir, &measured)?;
        }
    }
    print(&write::text(&measured))?;
    print_line(&format!("took {:.1} min", start.elapsed().as_secs_f64() / 60.0));
    Ok(measured.iter().all(|case| case.failures.is_empty()))
}

/// Every side once per round, in an order that is reversed from round to round. After a failure a side is skipped; after one
/// of this backend, all are.
fn measure(case: Planned, servers: &Servers, interrupted: &AtomicBool, progress: &mut Progress) -> Measured {
    let mut measured = Measured::new(case);
    let planned = measured.planned.clone();
    for round in 0..planned.rounds {
        for side in planned.order(round) {
            let is_over = interrupted.load(Ordering::Relaxed) || measured.failures.contains_key(&Side::Ours);
            if is_over || measured.failures.contains_key(&side) {
                progress.skip();
                continue;
            }
            let ran = servers.run(&planned, side, interrupted).and_then(|outcome| {
                progress.done(&planned, round, side, &outcome);
                measured.add(round, side, outcome)
            });
            if let Err(error) = ran {
                print_line(&format!("{}, {side}: {error:#}", planned.name()));
                measured.failures.insert(side, format!("{error:#}"));
            }
        }
    }
    measured
}

/// Set by Ctrl-C, so that databases in temporary directories are removed.
fn interruption() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&flag);
    ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    Ok(flag)
}

fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Lines on standard error.
struct Progress {
    runs: usize,
    done: usize,
}

impl Progress {
    fn new(planned: &[Planned]) -> Self {
        Self { runs: planned.iter().map(|case| case.rounds * case.sides.len()).sum(), done: 0 }
    }

    fn skip(&mut self) {
        self.done += 1;
    }

    fn done(&mut self, planned: &Planned, round: usize, side: Side, outcome: &Outcome) {
        self.done += 1;
        let (name, rounds, wall) = (planned.name(), planned.rounds, outcome.wall_s);
        let figure = planned.headline(outcome);
        print_line(&format!(
            "[{:>3}/{}] {name}, round {}/{rounds}, {side:<9} {wall:>5.1} s  {figure}",
            self.done,
            self.runs,
            round + 1
        ));
    }
}

fn print_line(line: &str) {
    // A closed standard error does not stop the measurement.
    let _ = writeln!(io::stderr(), "{line}");
}
