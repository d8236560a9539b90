//! From words on the command line to what the other modules take.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ave_actors_store::config::MachineSpec;

use crate::actor::Durability;
use crate::cli::args::{DurabilityArg, PlaceArgs, SourceArgs};
use crate::cli::error::CliError;
use crate::host::{HostProfile, Machine, PROFILES, matching_spec, profile_named};
use crate::load::{Control, MOST_WORKERS, Source};
use crate::report::Destination;
use crate::units;
use ave_actors_rocksdb::machine::process_share;

/// A time such as `5s`, `500ms` or `1m 30s`.
pub(crate) fn duration(option: &str, text: &str) -> Result<Duration, CliError> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    parsed
        .and_then(|parsed| Duration::try_from(parsed).ok())
        .ok_or_else(|| CliError::Usage(format!("{option} `{text}`: expected a time such as `5s`, `500ms` or `2m`")))
}

/// The workload or trace that `args` name; see [`SourceSpec::read`](crate::process::SourceSpec::read).
pub(crate) fn source(args: &SourceArgs, data_directory: &Path, passes: Option<u64>) -> Result<Source, CliError> {
    Ok(args.spec().read(data_directory, passes)?)
}

pub(crate) fn durabilities(argument: DurabilityArg) -> Vec<Durability> {
    match argument {
        DurabilityArg::Off => vec![Durability::Off],
        DurabilityArg::On => vec![Durability::On],
        DurabilityArg::Both => Durability::BOTH.to_vec(),
    }
}

/// A profile by name, `CORES,RAM_MB`, or `host`.
pub(crate) fn machine_spec(text: &str, host: &HostProfile) -> Result<MachineSpec, CliError> {
    if text == "host" {
        return Ok(matching_spec(host.usable_cores, host.usable_ram_bytes));
    }
    bought_machine("--spec", text)
}

/// A profile by name or `CORES,RAM_MB`.
pub(crate) fn bought_machine(option: &str, text: &str) -> Result<MachineSpec, CliError> {
    if let Some(profile) = profile_named(text) {
        return Ok(MachineSpec::Profile(profile));
    }
    let custom = text.split_once(',').and_then(|(cores, ram)| {
        let (cpu_cores, ram_mb) = (cores.trim().parse().ok()?, ram.trim().parse().ok()?);
        (cpu_cores > 0 && ram_mb > 0).then_some(MachineSpec::Custom { ram_mb, cpu_cores })
    });
    custom.ok_or_else(|| {
        let known: Vec<_> = PROFILES.iter().map(ToString::to_string).collect();
        let host = if option == "--spec" { " or `host`" } else { "" };
        CliError::Usage(format!("{option} `{text}`: expected {} or `CORES,RAM_MB`{host}", known.join(", ")))
    })
}

/// The machine that `--machine` names.
pub(crate) fn machine(text: &str) -> Result<Machine, CliError> {
    match bought_machine("--machine", text)? {
        MachineSpec::Profile(profile) => Ok(Machine::of_profile(profile)),
        MachineSpec::Custom { ram_mb, cpu_cores } => Ok(Machine::custom(cpu_cores, ram_mb)),
    }
}

/// The machine that `--machine` names, if this host has as many cores and as much memory.
pub(crate) fn machine_here(text: &str) -> Result<Machine, CliError> {
    let machine = machine(text)?;
    let share = process_share();
    let host = Machine::host(u32::try_from(share.cpu.cores).unwrap_or(u32::MAX), share.ram.bytes);
    if machine.fits_in(&host) {
        return Ok(machine);
    }
    Err(CliError::Usage(format!(
        "--machine {machine}: {} and {} MiB are more than this process may use here ({}, {} MiB)",
        units::counted(machine.cores as u64, "core"),
        machine.usable_ram_bytes() >> 20,
        units::counted(host.cores as u64, "core"),
        host.ram_mb
    )))
}

/// Threads that issue commands.
pub(crate) fn workers(args: &PlaceArgs, cores: u32) -> Result<u64, CliError> {
    match args.workers {
        Some(0) => Err(CliError::Usage("--workers 0: expected at least 1".to_owned())),
        Some(workers) if workers > MOST_WORKERS => {
            Err(CliError::Usage(format!("--workers {workers}: expected at most {MOST_WORKERS}")))
        }
        Some(workers) => Ok(workers),
        None => Ok(u64::from(cores)),
    }
}

/// A control that Ctrl-C stops: the first time cleanly, the second time at once.
pub(crate) fn interruptible() -> Result<Arc<Control>, CliError> {
    let control = Arc::new(Control::default());
    let stopping = Arc::clone(&control);
    let handler = move || {
        if stopping.is_stopped() {
            // 130 is what shells expect of a process ended by Ctrl-C.
            #[expect(clippy::exit, reason = "the command line is the one place that ends the process")]
            std::process::exit(130);
        }
        stopping.stop();
    };
    ctrlc::set_handler(handler).map_err(|error| CliError::Usage(format!("cannot catch Ctrl-C: {error}")))?;
    Ok(control)
}

/// Where a comparison goes: to the directory that was named, else among the reports.
pub(crate) fn place(output: Option<&Path>) -> Destination<'_> {
    output.map_or(Destination::Below(Path::new("reports")), Destination::Exactly)
}

/// The command line, to be typed again.
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

/// Now, RFC 3339 in UTC, to the second.
pub(crate) fn now() -> String {
    to_the_second(jiff::Timestamp::now())
}

/// A moment, RFC 3339 in UTC, to the second.
pub(crate) fn to_the_second(moment: jiff::Timestamp) -> String {
    moment.round(jiff::Unit::Second).unwrap_or(moment).to_string()
}
