//! `crash-victim`, which `run` starts and kills.

use crate::cli::args::CrashVictimArgs;
use crate::cli::error::CliError;
use crate::load::{Control, RocksDbTarget, SystemClock, drive_until_killed};
use crate::process::child::die_with_parent;
use crate::process::victim::{Told, UNDER_LOAD};

pub(crate) fn run(args: &CrashVictimArgs) -> Result<(), CliError> {
    let told = Told::read()?;
    die_with_parent();
    let target = RocksDbTarget::new(told.machine_spec.clone());
    let (source, task) = (told.source(&args.directory)?, told.task(&args.directory));
    // Whoever does not hear it kills this process all the same.
    let under_load = || drop(crate::cli::output::raw(&format!("{UNDER_LOAD}\n")));
    drive_until_killed(&target, &source, &task, &SystemClock::new(), &Control::default(), under_load)?;
    Ok(())
}
