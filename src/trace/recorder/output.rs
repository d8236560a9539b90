//! Writes commands as lines to one part after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::trace::format::{DROPPED, Provenance, Recording};
use crate::trace::line::Line;
use crate::trace::names::NameRule;

use super::commands::CompleteCommand;
use super::error::RecorderError;
use super::intake::Intake;
use super::options::{Compression, RecorderOptions};
use super::part::Part;

/// Size of a write to the part; smaller at the flush interval.
const BLOCK_BYTES: usize = 64 << 10;
/// Interval of attempts to create a part after an error.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Output {
    options: RecorderOptions,
    intake: Arc<Intake>,
    recording: Recording,
    part: Option<Part>,
    retry_at: Option<Instant>,
    /// Bytes of the part included in the counters.
    counted_bytes: u64,
    lines: Vec<u8>,
    /// Operations not yet in the file: in `lines` or the compressor.
    unsafe_operations: u64,
    /// Operations lost since the last line.
    unreported_losses: u64,
    /// Part of the queue's refusals that is reported.
    reported_refusals: u64,
    next_command: u64,
    /// Time of the last command: lower bound of the next one.
    last_ns: u64,
}

impl Output {
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
            lines: Vec::with_capacity(2 * BLOCK_BYTES),
            unsafe_operations: 0,
            unreported_losses: 0,
            reported_refusals: 0,
            next_command: 0,
            last_ns: 0,
        };
        output.begin_part()?;
        Ok(output)
    }

    pub(super) fn command(&mut self, command: &CompleteCommand<'_>) {
        if !self.has_part() {
            return self.lose(command.calls.len() as u64);
        }
        self.report_losses();
        // A call slower than the hold time comes after its position.
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
        if self.lines.len() >= BLOCK_BYTES {
            self.write_lines();
        }
    }

    /// Writes everything to the file, so that it survives the death of the process.
    pub(super) fn flush(&mut self) {
        if self.lines.is_empty() && self.unsafe_operations == 0 {
            return;
        }
        self.write_lines();
        self.flush_part();
    }

    pub(super) fn finish(mut self) -> Result<(), RecorderError> {
        self.flush();
        self.intake.counters.written().writing = false;
        let Some(part) = self.part.take() else {
            let reason = self.intake.counters.read().last_error.unwrap_or_default();
            return Err(RecorderError::Incomplete { reason });
        };
        let path = part.path.clone();
        let failed = |source| RecorderError::File { action: "sync", path, source };
        let bytes = part.finish(true).map_err(failed)?;
        self.count_bytes(bytes);
        Ok(())
    }

    fn write_lines(&mut self) {
        let Some(part) = &mut self.part else { return };
        let written = part.write(&self.lines);
        let bytes = part.bytes();
        self.count_bytes(bytes);
        let is_full = bytes >= self.options.part_bytes;
        self.lines.clear();
        match written {
            Err(error) => self.fail(error),
            Ok(()) if is_full => self.complete_part(),
            // Without a compressor, written lines are in the file.
            Ok(()) if self.options.compression == Compression::Plain => self.flush_part(),
            Ok(()) => {}
        }
    }

    fn flush_part(&mut self) {
        let Some(part) = &mut self.part else { return };
        let flushed = part.flush().map(|()| part.bytes());
        self.count_safe(flushed);
    }

    /// All operations so far are in the file, of so many bytes, unless that failed.
    fn count_safe(&mut self, bytes: std::io::Result<u64>) {
        match bytes {
            Ok(bytes) => {
                self.count_bytes(bytes);
                self.intake.counters.written().recorded += std::mem::take(&mut self.unsafe_operations);
            }
            Err(error) => self.fail(error),
        }
    }

    fn count_bytes(&mut self, bytes: u64) {
        self.intake.counters.written().bytes += bytes.saturating_sub(self.counted_bytes);
        self.counted_bytes = bytes;
    }

    /// The next command creates the next part.
    fn complete_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        self.count_safe(part.finish(false));
    }

    fn has_part(&mut self) -> bool {
        if self.part.is_none()
            && self.retry_at.is_none_or(|time| time <= Instant::now())
            && let Err(error) = self.begin_part()
        {
            self.intake.counters.written().last_error = Some(error.to_string());
            self.retry_at = Some(Instant::now() + RETRY);
        }
        self.part.is_some()
    }

    fn begin_part(&mut self) -> Result<(), RecorderError> {
        self.recording.part += 1;
        let part = self.create_part().inspect_err(|_| self.recording.part -= 1)?;
        self.counted_bytes = 0;
        self.count_bytes(part.bytes());
        self.part = Some(part);
        let mut written = self.intake.counters.written();
        written.parts += 1;
        written.writing = true;
        drop(written);
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
        let is_compressed = self.options.compression == Compression::Zstd;
        let zst = if is_compressed { ".zst" } else { "" };
        let path = directory.join(format!("{}-{number:05}{EXTENSION}{zst}", self.options.name));
        Part::create(&path, is_compressed, &self.provenance()).map_err(|source| failed(&path, source))
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            name: self.options.name.clone(),
            source: self.options.source.clone(),
            made_by: format!("recorder, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            names_hashed: self.options.names == NameRule::Hash,
            compressibility: 0.5,
            assumptions: vec![
                "commands are recognised by the order of calls and the pauses between them".to_owned(),
                "half of each value repeats: the recorder does not inspect values".to_owned(),
            ],
            recording: Some(self.recording.clone()),
            ..Provenance::default()
        }
    }

    /// The next part retries failed deletions.
    fn delete_oldest(&self) {
        let Some(keep) = self.options.keep_parts else { return };
        let Ok(parts) = parts(&self.options) else { return };
        let surplus = parts.len().saturating_sub(keep.max(1) as usize);
        for (_, path) in &parts[..surplus] {
            if let Err(error) = fs::remove_file(path) {
                let failed = format!("{}: cannot delete an old part: {error}", path.display());
                self.intake.counters.written().last_error = Some(failed);
            }
        }
    }

    /// Closes the part after an error; operations not yet in the file are lost.
    fn fail(&mut self, source: std::io::Error) {
        let lost = std::mem::take(&mut self.unsafe_operations);
        self.lose(lost);
        self.lines.clear();
        self.retry_at = Some(Instant::now() + RETRY);
        self.intake.counters.written().writing = false;
        let path = self.part.as_ref().map_or(&self.options.directory, |part| &part.path).clone();
        let text = RecorderError::File { action: "write", path, source }.to_string();
        tracing::warn!(error = %text, "recording interrupted; retried every second");
        self.intake.counters.written().last_error = Some(text);
        if let Some(part) = self.part.take() {
            part.abandon();
        }
    }

    fn lose(&mut self, operations: u64) {
        self.unreported_losses += operations;
        self.intake.counters.written().dropped += operations;
    }

    /// Writes a comment with the number of operations lost before the next line.
    fn report_losses(&mut self) {
        let refused = self.intake.counters.refused.load(Ordering::Relaxed);
        self.unreported_losses += refused - self.reported_refusals;
        self.reported_refusals = refused;
        if self.unreported_losses > 0 {
            let comment = format!("{DROPPED}{}\n", std::mem::take(&mut self.unreported_losses));
            self.lines.extend_from_slice(comment.as_bytes());
        }
    }
}

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
    fn only_names_of_parts_have_a_part_number() {
        assert_eq!(part_number("bank-00012.trace.csv", "bank"), Some(12));
        assert_eq!(part_number("bank-100000.trace.csv.zst", "bank"), Some(100_000));
        for other in ["bank.trace.csv", "bank-1.csv", "bank-x1.trace.csv", "banker-00001.trace.csv", "bank-.trace.csv"]
        {
            assert_eq!(part_number(other, "bank"), None, "{other}");
        }
    }
}
