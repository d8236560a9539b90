//! Commands become lines, and lines go to one part after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::trace::format::{DROPPED, Provenance, Recording};
use crate::trace::line::Line;
use crate::trace::names::NameRule;
use crate::trace::recorder::commands::Finished;
use crate::trace::recorder::error::RecorderError;
use crate::trace::recorder::intake::Intake;
use crate::trace::recorder::options::{Compression, RecorderOptions};
use crate::trace::recorder::part::Part;
use crate::trace::recorder::stats::add;

/// Lines are handed to the part in pieces of this size, or at the flush interval.
const PIECE_BYTES: usize = 64 << 10;
/// After an error the next part is tried again so often.
const RETRY: Duration = Duration::from_secs(1);

/// Where lines go.
pub(super) struct Output {
    options: RecorderOptions,
    intake: Arc<Intake>,
    recording: Recording,
    part: Option<Part>,
    /// After an error: not before this.
    retry_at: Option<Instant>,
    /// Bytes of the part that are in the figures.
    counted_bytes: u64,
    /// Lines that were not handed to the part yet.
    lines: Vec<u8>,
    /// Operations that would be lost with the part: in `lines`, and in the compressor.
    unsafe_operations: u64,
    /// Operations that were lost since the last line.
    unnoted_losses: u64,
    /// How many of those the queue refused are noted.
    noted_refusals: u64,
    next_command: u64,
    /// Time of the command written last: none is written with an earlier one.
    last_ns: u64,
}

impl Output {
    /// Begins the first part.
    pub(super) fn start(
        options: RecorderOptions,
        intake: Arc<Intake>,
        recording: Recording,
    ) -> Result<Self, RecorderError> {
        let mut output = Self {
            options,
            intake,
            recording,
            part: None,
            counted_bytes: 0,
            retry_at: None,
            lines: Vec::with_capacity(2 * PIECE_BYTES),
            unsafe_operations: 0,
            unnoted_losses: 0,
            noted_refusals: 0,
            next_command: 0,
            last_ns: 0,
        };
        output.begin_part()?;
        Ok(output)
    }

    /// Writes the lines of a command.
    pub(super) fn command(&mut self, command: &Finished<'_>) {
        if !self.has_part() {
            return self.lose(command.calls.len() as u64);
        }
        self.note_losses();
        // A call that took longer than commands are held back comes too late for its place.
        self.last_ns = command.start_ns.max(self.last_ns);
        for (_, op) in command.calls {
            let line = Line {
                at_ns: self.last_ns,
                type_name: &command.actor.kind.name,
                actor: &command.actor.name,
                command_id: self.next_command,
                command: command.kind,
                op: *op,
            };
            line.append(&mut self.lines);
        }
        self.next_command += 1;
        self.unsafe_operations += command.calls.len() as u64;
        if self.lines.len() >= PIECE_BYTES {
            self.hand_over();
        }
    }

    /// Makes everything safe from the death of the process.
    pub(super) fn flush(&mut self) {
        if self.lines.is_empty() && self.unsafe_operations == 0 {
            return;
        }
        self.hand_over();
        self.flush_part();
    }

    /// Completes the recording.
    pub(super) fn finish(mut self) -> Result<(), RecorderError> {
        self.flush();
        self.intake.counters.writing.store(false, Ordering::Relaxed);
        let Some(part) = self.part.take() else {
            let reason = self.intake.counters.read().last_error.unwrap_or_default();
            return Err(RecorderError::Incomplete { reason });
        };
        let path = part.path().to_owned();
        let failed = |source| RecorderError::File { action: "sync", path, source };
        let bytes = part.finish(true).map_err(failed)?;
        self.count_bytes(bytes);
        Ok(())
    }

    fn hand_over(&mut self) {
        let Some(part) = &mut self.part else { return };
        let written = part.write(&self.lines);
        let bytes = part.bytes();
        self.count_bytes(bytes);
        let is_full = bytes >= self.options.part_bytes;
        self.lines.clear();
        match written {
            Err(error) => self.fail("write", &error),
            Ok(()) if is_full => self.complete_part(),
            // Text is in the file as soon as it is written.
            Ok(()) if self.options.compression == Compression::Plain => self.flush_part(),
            Ok(()) => {}
        }
    }

    fn flush_part(&mut self) {
        let Some(part) = &mut self.part else { return };
        match part.flush() {
            Ok(()) => {
                let bytes = part.bytes();
                self.count_bytes(bytes);
                self.are_safe();
            }
            Err(error) => self.fail("write", &error),
        }
    }

    fn count_bytes(&mut self, bytes: u64) {
        add(&self.intake.counters.bytes, bytes.saturating_sub(self.counted_bytes));
        self.counted_bytes = bytes;
    }

    /// The next part begins with the next command.
    fn complete_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        match part.finish(false) {
            Ok(bytes) => {
                self.count_bytes(bytes);
                self.are_safe();
            }
            Err(error) => self.fail("write", &error),
        }
    }

    fn are_safe(&mut self) {
        add(&self.intake.counters.recorded, std::mem::take(&mut self.unsafe_operations));
    }

    /// Whether there is a part to write to; begins one if it is time for it.
    fn has_part(&mut self) -> bool {
        if self.part.is_some() {
            return true;
        }
        if self.retry_at.is_some_and(|time| Instant::now() < time) {
            return false;
        }
        match self.begin_part() {
            Ok(()) => true,
            Err(error) => {
                self.intake.counters.set_last_error(error.to_string());
                self.retry_at = Some(Instant::now() + RETRY);
                false
            }
        }
    }

    fn begin_part(&mut self) -> Result<(), RecorderError> {
        self.recording.part += 1;
        let begun = self.create_part();
        match begun {
            Ok(part) => {
                self.counted_bytes = 0;
                self.count_bytes(part.bytes());
                self.part = Some(part);
            }
            Err(error) => {
                self.recording.part -= 1;
                return Err(error);
            }
        }
        add(&self.intake.counters.parts, 1);
        self.intake.counters.writing.store(true, Ordering::Relaxed);
        self.retry_at = None;
        self.delete_oldest();
        Ok(())
    }

    fn create_part(&self) -> Result<Part, RecorderError> {
        let directory = &self.options.directory;
        let failed = |path: &Path, source| RecorderError::File { action: "create", path: path.to_owned(), source };
        fs::create_dir_all(directory).map_err(|source| failed(directory, source))?;
        let newest = parts(&self.options).map_err(|source| failed(directory, source))?.pop();
        let number = newest.map_or(1, |(number, _)| number + 1);
        let path = directory.join(self.file_name(number));
        Part::create(&path, self.options.compression, &self.provenance()).map_err(|source| failed(&path, source))
    }

    fn file_name(&self, number: u64) -> String {
        let zst = if self.options.compression == Compression::Zstd { ".zst" } else { "" };
        format!("{}-{number:05}{EXTENSION}{zst}", self.options.name)
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            name: self.options.name.clone(),
            source: self.options.source.clone(),
            made_by: format!("recorder, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            names_hashed: self.options.names == NameRule::Hash,
            compressibility: 0.5,
            assumptions: vec![
                "commands are told from the order of the calls and the pauses between them".to_owned(),
                "half of each value repeats: the recorder does not look into values".to_owned(),
            ],
            recording: Some(self.recording.clone()),
            ..Provenance::default()
        }
    }

    /// What cannot be deleted stays; the next part tries again.
    fn delete_oldest(&self) {
        let Some(keep) = self.options.keep_parts else { return };
        let Ok(parts) = parts(&self.options) else { return };
        let surplus = parts.len().saturating_sub(keep.max(1) as usize);
        for (_, path) in &parts[..surplus] {
            if let Err(error) = fs::remove_file(path) {
                let failed = format!("{}: cannot delete an old part: {error}", path.display());
                self.intake.counters.set_last_error(failed);
            }
        }
    }

    /// The part is given up, and with it what was not safe in it.
    fn fail(&mut self, action: &'static str, error: &std::io::Error) {
        let lost = std::mem::take(&mut self.unsafe_operations);
        self.lose(lost);
        self.lines.clear();
        self.retry_at = Some(Instant::now() + RETRY);
        self.intake.counters.writing.store(false, Ordering::Relaxed);
        let path = self.part.as_ref().map_or(&*self.options.directory, Part::path);
        let text = format!("{}: cannot {action} the recording: {error}", path.display());
        tracing::warn!(error = %text, "recording interrupted; the next part is tried every second");
        self.intake.counters.set_last_error(text);
        if let Some(part) = self.part.take() {
            part.abandon();
        }
    }

    fn lose(&mut self, operations: u64) {
        self.unnoted_losses += operations;
        add(&self.intake.counters.lost, operations);
    }

    /// Says in front of the next line how many operations are missing there.
    fn note_losses(&mut self) {
        let refused = self.intake.counters.refused.load(Ordering::Relaxed);
        self.unnoted_losses += refused - self.noted_refusals;
        self.noted_refusals = refused;
        if self.unnoted_losses > 0 {
            let comment = format!("{DROPPED}{}\n", std::mem::take(&mut self.unnoted_losses));
            self.lines.extend_from_slice(comment.as_bytes());
        }
    }
}

/// Behind the number in the name of a part.
const EXTENSION: &str = ".trace.csv";

/// The parts of this name in the directory, in order of their numbers.
fn parts(options: &RecorderOptions) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(&options.directory)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| part_number(name.to_str()?, &options.name));
        parts.extend(number.map(|number| (number, path)));
    }
    parts.sort_unstable();
    Ok(parts)
}

fn part_number(file_name: &str, name: &str) -> Option<u64> {
    let rest = file_name.strip_prefix(name)?.strip_prefix('-')?;
    let digits = rest.strip_suffix(".zst").unwrap_or(rest).strip_suffix(EXTENSION)?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_from_other_files_by_their_names() {
        assert_eq!(part_number("bank-00012.trace.csv", "bank"), Some(12));
        assert_eq!(part_number("bank-100000.trace.csv.zst", "bank"), Some(100_000));
        for other in ["bank.trace.csv", "bank-1.csv", "bank-x1.trace.csv", "banker-00001.trace.csv", "bank-.trace.csv"]
        {
            assert_eq!(part_number(other, "bank"), None, "{other}");
        }
    }
}
