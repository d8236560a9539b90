//! From arguments to what the other modules take.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ave_actors_store::config::MachineSpec;

use crate::actor::Durability;
use crate::cli::args::source::{DataArgs, DurabilityArg, MachineArgs};
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
    match (&args.machine, &args.tune_for) {
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
    writers.at_most(source.most_writers())
}

/// Says that a trace is repeated.
pub(crate) fn note_repetition(source: &Source, output: Output) {
    source.repetition().iter().for_each(|note| output.progress(note));
}

/// The source after so many more events.
pub(crate) fn grown(source: &Source, events: u64) -> Result<Source, CliError> {
    match source {
        Source::Trace { .. } if events > 0 => Err(CliError::Usage(format!(
            "--grown-by: the trace {} does not grow, expected a workload; `ave-workbench trace fit` makes one",
            source.name()
        ))),
        _ => Ok(source.grown(events)),
    }
}

/// The data directory, created if asked for. It must exist otherwise: a mistyped one would be measured on the wrong disk.
pub(crate) fn data_directory(args: &DataArgs) -> Result<&Path, CliError> {
    let path = args.data_dir.as_path();
    if args.create {
        let failed = |source| CliError::DataDirectory { path: path.to_owned(), source, hint: "" };
        fs::create_dir_all(path).map_err(failed)?;
    }
    existing_directory(path, "; --create creates it")?;
    Ok(path)
}

/// Checks that a directory exists; `hint` follows the error if there is nothing of that name.
pub(crate) fn existing_directory(path: &Path, hint: &'static str) -> Result<(), CliError> {
    let (source, hint) = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => (ErrorKind::NotADirectory.into(), ""),
        Err(error) if error.kind() == ErrorKind::NotFound => (error, hint),
        Err(error) => (error, ""),
    };
    Err(CliError::DataDirectory { path: path.to_owned(), source, hint })
}

/// Signals that follow each other sooner are one.
const ONE_SIGNAL: Duration = Duration::from_millis(200);

/// A control that Ctrl-C sets, which is confirmed once. A second Ctrl-C ends the process at once.
pub(crate) fn stop_on_ctrl_c(output: Output) -> Result<Arc<Control>, CliError> {
    let control = Arc::new(Control::default());
    let stopping = Arc::clone(&control);
    // `timeout` signals the process and then its group.
    let mut stopped: Option<Instant> = None;
    let handler = move || {
        if stopped.is_some_and(|since| since.elapsed() < ONE_SIGNAL) {
            return;
        }
        if stopping.is_stopped() {
            // Shells use 130 for a process that Ctrl-C ended.
            #[expect(clippy::exit, reason = "the command line is the one place that ends the process")]
            std::process::exit(130);
        }
        stopping.stop();
        stopped = Some(Instant::now());
        output.progress("stopping… (Ctrl-C again ends at once)");
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
    let mut words = std::env::args_os();
    let program = words.next().map(PathBuf::from).unwrap_or_default();
    let program = program.file_name().unwrap_or_default().to_owned();
    std::iter::once(program).chain(words).map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
}

/// A word for a shell. Control characters and bytes that are not UTF-8 are escaped, which bash, ksh and zsh read back.
pub(crate) fn quoted(word: &OsStr) -> String {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,+%@".contains(c));
    match word.to_str() {
        Some(text) if !text.is_empty() && is_plain(text) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => {
            let escaped = word.as_bytes().iter().map(|&byte| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            });
            format!("$'{}'", escaped.collect::<String>())
        }
    }
}

/// The current time, RFC 3339 in UTC, rounded to seconds.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_so_that_a_shell_reads_it_back() {
        for (word, expected) in [
            (&b"--rate=2000"[..], "--rate=2000"),
            (b"", "''"),
            (b"it's", "'it'\\''s'"),
            ("größe".as_bytes(), "'größe'"),
            (b"a\xffb'\\\n1", "$'a\\xffb\\'\\\\\\x0a1'"),
        ] {
            assert_eq!(quoted(OsStr::from_bytes(word)), expected);
        }
    }
}
