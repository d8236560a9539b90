//! Recording of an application that knows nothing of it: with the feature `trace`, the environment variable `AVE_TRACE_DIR`
//! names a directory, and every handle of the database records its calls there. Without the variable a call costs one
//! comparison more, without the feature nothing.

use std::path::Path;

use ave_actors_store::Error;

#[cfg(feature = "trace")]
use crate::trace::{EventCalls, Recorder, StateCalls};

/// Creates a handle, whose calls are of this kind where they are recorded.
macro_rules! create {
    ($recording:expr, $kind:ident, $create:ident, |$recorder:ident| $recorded:expr) => {{
        #[cfg(feature = "trace")]
        if let $recorder @ Some(_) = $recording.recorder() {
            let (handle, calls) = $recorded?;
            return Ok((handle, HandleCalls::$kind(calls)));
        }
        Ok(($create()?, HandleCalls::Unrecorded))
    }};
}

/// The recording of a database, if there is one.
#[derive(Debug, Default)]
pub(super) struct Recording {
    #[cfg(feature = "trace")]
    recorder: Option<Recorder>,
}

#[cfg_attr(not(feature = "trace"), expect(unused_variables, clippy::unused_self, clippy::unnecessary_wraps))]
impl Recording {
    /// Starts the recording that the environment asks for.
    pub(super) fn of_environment(database: &Path) -> Result<Self, Error> {
        #[cfg(feature = "trace")]
        if let Some(directory) = std::env::var_os(start::DIRECTORY).filter(|directory| !directory.is_empty()) {
            return Ok(Self { recorder: Some(start::recorder(directory.as_ref(), database)?) });
        }
        Ok(Self::default())
    }

    #[cfg(feature = "trace")]
    pub(super) const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Completes the recording durably.
    pub(super) fn finish(&self) {
        #[cfg(feature = "trace")]
        // The database must stop nevertheless.
        match self.recorder.as_ref().map(Recorder::finish) {
            None => {}
            Some(Ok(stats)) => tracing::info!(recorded = stats.recorded, dropped = stats.dropped, "recording finished"),
            Some(Err(cause)) => tracing::warn!(%cause, "the recording could not be completed"),
        }
    }

    pub(super) fn collection<H>(
        &self,
        name: &str,
        prefix: &str,
        create: impl FnOnce() -> Result<H, Error>,
    ) -> Result<(H, HandleCalls), Error> {
        create!(self, Collection, create, |recorder| EventCalls::of(recorder, name, prefix, create))
    }

    pub(super) fn state<H>(
        &self,
        name: &str,
        prefix: &str,
        create: impl FnOnce() -> Result<H, Error>,
    ) -> Result<(H, HandleCalls), Error> {
        create!(self, State, create, |recorder| StateCalls::of(recorder, name, prefix, create))
    }
}

#[cfg(feature = "trace")]
mod start {
    use std::path::Path;

    use ave_actors_store::Error;

    use crate::backend::error;
    use crate::trace::{Compression, Recorder, RecorderOptions};

    /// The directory of the recordings.
    pub(super) const DIRECTORY: &str = "AVE_TRACE_DIR";

    pub(super) fn recorder(directory: &Path, database: &Path) -> Result<Recorder, Error> {
        let name = database.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let name = if name.is_empty() || name.starts_with('.') { "database" } else { &name };
        let options = RecorderOptions::new(directory).name(name).compression(Compression::Zstd);
        let recorder = Recorder::start(options)
            .map_err(|cause| error::create(format!("cannot record in {DIRECTORY}={}: {cause}", directory.display())))?;
        tracing::info!(path = %database.display(), directory = %directory.display(), "recording the database");
        Ok(recorder)
    }
}

/// Makes the calls of a handle, and records them.
#[derive(Debug, Default)]
pub(super) enum HandleCalls {
    #[default]
    Unrecorded,
    #[cfg(feature = "trace")]
    Collection(EventCalls),
    #[cfg(feature = "trace")]
    State(StateCalls),
}

type Read = Result<Vec<u8>, Error>;
type Written = Result<(), Error>;
type Newest = Result<Option<(String, Vec<u8>)>, Error>;

/// Makes a call, recorded if the handle was created as this kind. Used otherwise, its calls have no operation in the trace.
macro_rules! make {
    ($handle:expr, $kind:ident, $call:ident, |$calls:ident| $recorded:expr) => {{
        #[cfg(feature = "trace")]
        if let Self::$kind($calls) = $handle {
            return $recorded;
        }
        $handle.foreign($call)
    }};
}

#[cfg_attr(not(feature = "trace"), expect(unused_variables))]
impl HandleCalls {
    #[inline]
    pub(super) fn get(&self, key: &str, call: impl FnOnce() -> Read) -> Read {
        make!(self, Collection, call, |calls| calls.get(key, call))
    }

    #[inline]
    pub(super) fn put(&self, key: &str, data: &[u8], call: impl FnOnce() -> Written) -> Written {
        make!(self, Collection, call, |calls| calls.put(key, data, call))
    }

    #[inline]
    pub(super) fn del(&self, key: &str, call: impl FnOnce() -> Written) -> Written {
        make!(self, Collection, call, |calls| calls.del(key, call))
    }

    #[inline]
    pub(super) fn last(&self, call: impl FnOnce() -> Newest) -> Newest {
        make!(self, Collection, call, |calls| calls.last(call))
    }

    #[inline]
    pub(super) fn purge(&self, call: impl FnOnce() -> Written) -> Written {
        make!(self, Collection, call, |calls| calls.purge(call))
    }

    #[inline]
    pub(super) fn get_state(&self, call: impl FnOnce() -> Read) -> Read {
        make!(self, State, call, |calls| calls.get(call))
    }

    #[inline]
    pub(super) fn put_state(&self, data: &[u8], call: impl FnOnce() -> Written) -> Written {
        make!(self, State, call, |calls| calls.put(data, call))
    }

    #[inline]
    pub(super) fn purge_state(&self, call: impl FnOnce() -> Written) -> Written {
        make!(self, State, call, |calls| calls.purge(call))
    }

    #[inline]
    pub(super) fn foreign<T>(&self, call: impl FnOnce() -> T) -> T {
        match self {
            Self::Unrecorded => call(),
            #[cfg(feature = "trace")]
            Self::Collection(calls) => calls.foreign(call),
            #[cfg(feature = "trace")]
            Self::State(calls) => calls.foreign(call),
        }
    }
}
