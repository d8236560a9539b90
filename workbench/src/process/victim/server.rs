//! The hidden command `crash-victim`, which `run` starts and kills.

use super::protocol::{COMMAND, VictimEvent, VictimTask};
use crate::load::{Control, RocksDbTarget, SystemClock, drive_until_killed};
use crate::process::child::{exit_with_parent, read_task, send_to_parent};
use crate::process::error::ProcessError;

pub(crate) fn run() -> Result<(), ProcessError> {
    let VictimTask { source, machine_spec, task } = read_task(COMMAND, "run")?;
    exit_with_parent(|_| {});
    let source = source.read(&task.directory)?;
    // If the parent no longer reads, it kills this process.
    let on_load = || drop(send_to_parent(&VictimEvent::UnderLoad));
    let target = RocksDbTarget::new(machine_spec);
    Ok(drive_until_killed(&target, &source, &task, &SystemClock::new(), &Control::default(), on_load)?)
}
