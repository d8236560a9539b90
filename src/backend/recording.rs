//! Recording of an application that knows nothing of it: with the feature `trace`, the environment variable `AVE_TRACE_DIR`
//! names a directory, and every handle of the database records its calls there. Without the variable a call costs one
//! comparison more, without the feature nothing.

#[cfg(feature = "trace")]
mod enabled {
    use std::env;
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use ave_actors_store::Error;

    use crate::backend::error;
    use crate::trace::{Compression, EventCalls, Recorder, RecorderOptions, StateCalls};

    /// The directory of the recordings.
    const DIRECTORY: &str = "AVE_TRACE_DIR";

    /// The recording of a database, if there is one.
    #[derive(Debug, Default)]
    pub(in crate::backend) struct Recording(Option<Recorder>);

    impl Recording {
        /// Starts the recording that the environment asks for.
        pub(in crate::backend) fn of_environment(database: &Path) -> Result<Self, Error> {
            let directory = env::var_os(DIRECTORY).filter(|directory| !directory.is_empty());
            directory.map_or_else(|| Ok(Self::default()), |directory| Self::start(directory, database))
        }

        fn start(directory: OsString, database: &Path) -> Result<Self, Error> {
            let name = database.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let name = if name.is_empty() || name.starts_with('.') { "database" } else { &name };
            let directory = PathBuf::from(directory);
            let options = RecorderOptions::new(&directory).name(name).compression(Compression::Zstd);
            let recorder = Recorder::start(options).map_err(|cause| {
                error::create(format!("cannot record in {DIRECTORY}={}: {cause}", directory.display()))
            })?;
            tracing::info!(path = %database.display(), directory = %directory.display(), "recording the database");
            Ok(Self(Some(recorder)))
        }

        pub(in crate::backend) const fn recorder(&self) -> Option<&Recorder> {
            self.0.as_ref()
        }

        /// Completes the recording durably.
        pub(in crate::backend) fn finish(&self) {
            let Some(recorder) = &self.0 else { return };
            // The database must stop nevertheless.
            match recorder.finish() {
                Ok(stats) => tracing::info!(recorded = stats.recorded, dropped = stats.dropped, "recording finished"),
                Err(cause) => tracing::warn!(%cause, "the recording could not be completed"),
            }
        }

        pub(in crate::backend) fn collection<H>(
            &self,
            name: &str,
            prefix: &str,
            create: impl FnOnce() -> Result<H, Error>,
        ) -> Result<(H, HandleCalls), Error> {
            let (handle, calls) = EventCalls::of(self.recorder(), name, prefix, create)?;
            Ok((handle, if self.0.is_some() { HandleCalls::Collection(calls) } else { HandleCalls::Unrecorded }))
        }

        pub(in crate::backend) fn state<H>(
            &self,
            name: &str,
            prefix: &str,
            create: impl FnOnce() -> Result<H, Error>,
        ) -> Result<(H, HandleCalls), Error> {
            let (handle, calls) = StateCalls::of(self.recorder(), name, prefix, create)?;
            Ok((handle, if self.0.is_some() { HandleCalls::State(calls) } else { HandleCalls::Unrecorded }))
        }
    }

    /// Makes the calls of a handle, and records them.
    #[derive(Debug, Default)]
    pub(in crate::backend) enum HandleCalls {
        #[default]
        Unrecorded,
        Collection(EventCalls),
        State(StateCalls),
    }

    type Read = Result<Vec<u8>, Error>;
    type Written = Result<(), Error>;
    type Newest = Result<Option<(String, Vec<u8>)>, Error>;

    /// A handle that is used as what it was not created for makes calls without an operation in the trace.
    impl HandleCalls {
        #[inline]
        pub(in crate::backend) fn get(&self, key: &str, call: impl FnOnce() -> Read) -> Read {
            if let Self::Collection(calls) = self { calls.get(key, call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn put(&self, key: &str, data: &[u8], call: impl FnOnce() -> Written) -> Written {
            if let Self::Collection(calls) = self { calls.put(key, data, call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn del(&self, key: &str, call: impl FnOnce() -> Written) -> Written {
            if let Self::Collection(calls) = self { calls.del(key, call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn last(&self, call: impl FnOnce() -> Newest) -> Newest {
            if let Self::Collection(calls) = self { calls.last(call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn purge(&self, call: impl FnOnce() -> Written) -> Written {
            if let Self::Collection(calls) = self { calls.purge(call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn get_state(&self, call: impl FnOnce() -> Read) -> Read {
            if let Self::State(calls) = self { calls.get(call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn put_state(&self, data: &[u8], call: impl FnOnce() -> Written) -> Written {
            if let Self::State(calls) = self { calls.put(data, call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn purge_state(&self, call: impl FnOnce() -> Written) -> Written {
            if let Self::State(calls) = self { calls.purge(call) } else { self.foreign(call) }
        }

        #[inline]
        pub(in crate::backend) fn foreign<T>(&self, call: impl FnOnce() -> T) -> T {
            match self {
                Self::Unrecorded => call(),
                Self::Collection(calls) => calls.foreign(call),
                Self::State(calls) => calls.foreign(call),
            }
        }
    }
}

#[cfg(feature = "trace")]
pub(super) use enabled::{HandleCalls, Recording};

#[cfg(not(feature = "trace"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same methods as with the feature")]
mod disabled {
    use std::path::Path;

    use ave_actors_store::Error;

    /// No recording.
    #[derive(Debug, Default)]
    pub(in crate::backend) struct Recording(());

    impl Recording {
        pub(in crate::backend) const fn of_environment(_database: &Path) -> Result<Self, Error> {
            Ok(Self(()))
        }

        pub(in crate::backend) const fn finish(&self) {}

        pub(in crate::backend) fn collection<H>(
            &self,
            _name: &str,
            _prefix: &str,
            create: impl FnOnce() -> Result<H, Error>,
        ) -> Result<(H, HandleCalls), Error> {
            Ok((create()?, HandleCalls(())))
        }

        pub(in crate::backend) fn state<H>(
            &self,
            name: &str,
            prefix: &str,
            create: impl FnOnce() -> Result<H, Error>,
        ) -> Result<(H, HandleCalls), Error> {
            self.collection(name, prefix, create)
        }
    }

    /// Makes the calls of a handle.
    #[derive(Debug, Default)]
    pub(in crate::backend) struct HandleCalls(());

    impl HandleCalls {
        #[inline]
        pub(in crate::backend) fn get<T>(&self, _key: &str, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn put<T>(&self, _key: &str, _data: &[u8], call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn del<T>(&self, _key: &str, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn last<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn purge<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn get_state<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn put_state<T>(&self, _data: &[u8], call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn purge_state<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }

        #[inline]
        pub(in crate::backend) fn foreign<T>(&self, call: impl FnOnce() -> T) -> T {
            call()
        }
    }
}

#[cfg(not(feature = "trace"))]
pub(super) use disabled::{HandleCalls, Recording};
