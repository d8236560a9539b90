//! Writing a trace so that a half-written one is never mistaken for a whole one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::format::{COLUMNS, KEY_DIGITS, MAGIC, Provenance, TraceActor, VERSION};
use super::{TraceCommand, TraceError};
use crate::workbench::actor::{Op, OpKind};

/// zstd level: the default, about a fifth of the plain size at disk speed.
const ZSTD_LEVEL: i32 = 3;

/// Writes a trace beside its final place and moves it there when it is complete and on disk.
pub struct TraceWriter {
    path: PathBuf,
    csv: csv::Writer<Output>,
    command_id: u64,
}

enum Output {
    Plain(BufWriter<NamedTempFile>),
    Zstd(zstd::Encoder<'static, BufWriter<NamedTempFile>>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Zstd(out) => out.flush(),
        }
    }
}

impl Output {
    fn finish(self) -> std::io::Result<NamedTempFile> {
        let buffered = match self {
            Self::Plain(out) => out,
            Self::Zstd(out) => out.finish()?,
        };
        buffered.into_inner().map_err(std::io::IntoInnerError::into_error)
    }
}

impl TraceWriter {
    /// Begins a trace that will stand at `path`, compressed if that ends in `.zst`.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the directory cannot be written to.
    pub fn create(path: &Path, provenance: &Provenance) -> Result<Self, TraceError> {
        let failed = |source| TraceError::File { action: "create", path: path.to_owned(), source };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = BufWriter::new(temporary_file(directory).map_err(failed)?);
        let mut output = if path.extension().is_some_and(|extension| extension == "zst") {
            let mut encoder = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            Output::Zstd(encoder)
        } else {
            Output::Plain(file)
        };
        let json = serde_json::to_string(provenance).map_err(|error| failed(error.into()))?;
        writeln!(output, "{MAGIC}{VERSION} {json}").map_err(failed)?;
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
        Ok(Self { path: path.to_owned(), csv, command_id: 0 })
    }

    /// Appends a command: one line for each of its operations.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails.
    pub fn command(&mut self, actor: &TraceActor, command: &TraceCommand, ops: &[Op]) -> Result<(), TraceError> {
        let at = command.at_ns.to_string();
        let id = self.command_id.to_string();
        self.command_id += 1;
        for op in ops {
            let family = format!("{}_{}", actor.type_name, family_suffix(op.kind));
            let key = if op.kind.names_event() {
                format!("{:0width$}", op.number, width = KEY_DIGITS)
            } else {
                String::new()
            };
            let bytes = op.bytes.to_string();
            let record =
                [&at, &family, &actor.name, &id, command.kind.name(), op.kind.name(), key.as_str(), bytes.as_str()];
            self.csv.write_record(record).map_err(|error| self.failed("write", error.into()))?;
        }
        Ok(())
    }

    /// Completes the trace: syncs it and moves it to its place, replacing what stood there.
    ///
    /// # Errors
    ///
    /// [`TraceError::File`] if the disk is full or fails; nothing then stands at the path that did not before.
    pub fn finish(self) -> Result<(), TraceError> {
        let Self { path, csv, .. } = self;
        let failed = |source| TraceError::File { action: "write", path: path.clone(), source };
        let output = csv.into_inner().map_err(|error| failed(error.into_error()))?;
        let file = output.finish().map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        sync_directory(&path).map_err(failed)
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> TraceError {
        TraceError::File { action, path: self.path.clone(), source }
    }
}

/// A temporary file with the permissions of any new file, since it becomes one.
fn temporary_file(directory: &Path) -> std::io::Result<NamedTempFile> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().prefix(".trace-").permissions(permissions).tempfile_in(directory)
}

/// The rename itself must be on disk too.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// The column family of an operation, behind the actor type and an underscore.
pub(super) const fn family_suffix(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Open
        | OpKind::EventsPut
        | OpKind::EventsGet
        | OpKind::EventsDel
        | OpKind::EventsLast
        | OpKind::EventsPurge => "events",
        OpKind::StatesPut | OpKind::StatesGet | OpKind::StatesPurge => "states",
        OpKind::MetadataPut | OpKind::MetadataGet | OpKind::MetadataPurge => "metadata",
    }
}
