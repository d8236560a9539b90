//! From arguments to what the other modules take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ave_actors_store::config::MachineSpec;

use crate::actor::Durability;
use crate::cli::args::source::{DurabilityArg, MachineArgs};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::values::TunedFor;
use crate::host::{HostProfile, matching_spec};
use crate::load::{Control, Source, Writers};
use crate::report::Destination;

pub(crate) fn durabilities(argument: DurabilityArg) -> Vec<Durability> {
    match argument {
        DurabilityArg::Off => vec![Durability::Off],
        DurabilityArg::On => vec![Durability::On],
        DurabilityArg::Both => Durability::BOTH.to_vec(),
    }
}

/// What the backend is tuned for: the emulated machine, if there is one.
pub(crate) fn machine_spec(args: &MachineArgs, host: &HostProfile) -> MachineSpec {
    match (&args.machine, &args.spec) {
        (Some(machine), _) | (None, TunedFor::Machine(machine)) => machine.spec(),
        (None, TunedFor::Host) => matching_spec(host.usable_cores, host.usable_ram_bytes),
    }
}

/// Threads that issue commands: as many as an actor system has unless given, at most one per actor.
pub(crate) fn writers(given: Option<u64>, host: &HostProfile, source: &Source, output: Output) -> Writers {
    if let Some(note) = Writers::surplus(given, source) {
        output.progress(&note);
    }
    let writers = given.map_or_else(|| Writers::of_actor_system(host.usable_cores as usize), Writers::both);
    writers.at_most(source.actors())
}

/// A control that Ctrl-C sets. A second Ctrl-C ends the process at once.
pub(crate) fn stop_on_ctrl_c() -> Result<Arc<Control>, CliError> {
    let control = Arc::new(Control::default());
    let stopping = Arc::clone(&control);
    let handler = move || {
        if stopping.is_stopped() {
            // Shells use 130 for a process that Ctrl-C ended.
            #[expect(clippy::exit, reason = "the command line is the one place that ends the process")]
            std::process::exit(130);
        }
        stopping.stop();
    };
    ctrlc::set_handler(handler).map_err(|error| CliError::Usage(format!("cannot catch Ctrl-C: {error}")))?;
    Ok(control)
}

/// Directory of a comparison: the given one, else a new one in `reports`.
pub(crate) fn comparison_destination(output: Option<&Path>) -> Destination<'_> {
    output.map_or(Destination::Below(Path::new("reports")), Destination::Exactly)
}

/// The command line, quoted for a shell.
pub(crate) fn command_line() -> String {
    let mut words = std::env::args();
    let program = words.next().map_or_else(String::new, |program| {
        PathBuf::from(program).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    });
    let quoted = words.map(|word| {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,+%@".contains(c));
        if plain { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    std::iter::once(program).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// The current time, RFC 3339 in UTC, rounded to seconds.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
