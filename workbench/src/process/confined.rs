//! Running a command within the limits of a machine: this program once more with the same arguments, in a control group.

use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use crate::cli::error::CliError;
use crate::cli::output::{self, Output};
use crate::host::{Confined, Confinement, CoreLimit, GroupLimits, HostWarning, Machine};
use crate::process::child::die_with_parent;
use crate::process::scratch::Scratch;
use crate::report::{Outcome, Verdict};
use crate::units;

/// Set for the process inside: to what is limited.
const INSIDE: &str = "AVE_WORKBENCH_WITHIN";
const CORES_AND_MEMORY: &str = "cores-and-memory";
const CORES: &str = "cores";
/// Waits for a word, so that everything happens within the limits, and becomes the program.
const GATE: &str = "read -r word && exec \"$0\" \"$@\"";

/// Whether this is the process inside, which ends with the one that started it.
pub(crate) fn is_inside() -> bool {
    let inside = std::env::var_os(INSIDE).is_some();
    if inside {
        die_with_parent();
    }
    inside
}

/// What a report within a machine's limits must say: that memory was not limited.
pub(crate) fn warning() -> Option<HostWarning> {
    let limited = std::env::var(INSIDE).ok()?;
    (limited == CORES).then(|| HostWarning {
        what: "the machine was emulated with its cores only: memory was not limited".to_owned(),
        hint: "run it as root or in a delegated control group".to_owned(),
    })
}

/// Runs this program's own command line within the limits of `machine`, and ends as it does. Killed for its memory, it
/// failed: the machine dies at this load.
pub(crate) fn run(machine: &Machine, data_directory: &Path, output: Output) -> Result<ExitCode, CliError> {
    let failed = |error| CliError::Usage(format!("cannot run within the limits of {machine}: {error}"));
    let confinement = Confinement::detect();
    output.progress(&describe(machine, &confinement));
    // The process inside is interrupted as well, and cleans up; this one waits for it.
    ctrlc::set_handler(|| {}).map_err(|error| CliError::Usage(format!("cannot catch Ctrl-C: {error}")))?;
    let _cores = CoreLimit::apply(machine.cores).map_err(failed)?;
    let (status, oom_kills) = inside(machine, &confinement).map_err(failed)?;
    if oom_kills > 0 && status.code().is_none() {
        // The dead cannot clean up after themselves.
        Scratch::remove_left_behind(data_directory, output)?;
        let sentence = format!("{machine} dies at this load: it was killed when its memory was used up.");
        if output.is_json() {
            // There is no report: whoever wrote it is dead.
            output::json(&Verdict { outcome: Outcome::Fail, sentence, certainty: None, reasons: Vec::new() })?;
        } else {
            output.verdict(Outcome::Fail, &sentence)?;
        }
        return Ok(ExitCode::FAILURE);
    }
    // It has said what went wrong, unless it was killed.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).ok_or_else(|| failed(std::io::Error::other(format!("it ended by itself: {status}"))))
}

fn inside(machine: &Machine, confinement: &Confinement) -> std::io::Result<(ExitStatus, u64)> {
    let limited = if confinement.limits_memory() { CORES_AND_MEMORY } else { CORES };
    let mut command = Command::new("sh");
    command.args(["-c", GATE]).arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, limited);
    let limits = GroupLimits { cores: machine.cores, ram_bytes: machine.usable_ram_bytes() };
    let (mut command, mut confined): (Command, Confined) = confinement.prepare(limits, command)?;
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let entered = confined.enter(child.id());
    if let Err(error) = entered {
        // It may have no limits.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    let mut gate = child.stdin.take();
    if let Some(gate) = &mut gate {
        std::io::Write::write_all(gate, b"go\n")?;
    }
    let status = child.wait()?;
    let kills = confined.stats()?.map_or(0, |stats| stats.oom_kills);
    confined.remove()?;
    Ok((status, kills))
}

fn describe(machine: &Machine, confinement: &Confinement) -> String {
    let cores = units::counted(machine.cores as u64, "core");
    let memory = machine.usable_ram_bytes() >> 20;
    if confinement.limits_memory() {
        return format!("within {machine}: {cores} and {memory} MiB, page cache included ({})", confinement.method());
    }
    format!("within {machine}: {cores}; memory is NOT limited: {}", confinement.rejections())
}
