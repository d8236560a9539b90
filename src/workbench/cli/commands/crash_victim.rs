//! `crash-victim`, which `run` starts and kills.

use crate::workbench::cli::Ending;
use crate::workbench::cli::args::CrashVictimArgs;
use crate::workbench::cli::child::die_with_parent;
use crate::workbench::cli::error::CliError;
use crate::workbench::cli::output;
use crate::workbench::cli::victim::{Told, UNDER_LOAD};
use crate::workbench::runner::{Control, RocksDbTarget, SystemClock, drive_until_killed};

pub(in crate::workbench::cli) fn run(args: &CrashVictimArgs) -> Result<Ending, CliError> {
    let told = Told::read()?;
    die_with_parent();
    let target = RocksDbTarget::new(told.machine_spec.clone());
    let (source, task) = (told.source(&args.directory)?, told.task(&args.directory));
    // Whoever does not hear it kills this process all the same.
    let under_load = || drop(output::raw(&format!("{UNDER_LOAD}\n")));
    drive_until_killed(&target, &source, &task, &SystemClock::new(), &Control::default(), under_load)?;
    Ok(Ending::Pass)
}
