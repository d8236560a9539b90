//! Where the loads of a certification are driven.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::actor::Durability;
use crate::host::DiskProfile;
use crate::load::{
    Clock, Drive, DriveSpec, JobContext, LeftOff, RunError, Session, SessionSize, Source, Target, Verified,
};

/// A place where loads are driven, one database at a time: this process, or another one under the limits of a machine.
pub trait Site {
    /// Opens the database of a mode: the one that was left, or else a new one, which is filled first.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the directory or the database fails.
    fn open(&mut self, durability: Durability, left: Option<&LeftOff>) -> Result<(), RunError>;

    /// Drives a load on the open database and does not wait for what the engine owes afterwards.
    ///
    /// # Errors
    ///
    /// [`RunError`] if an operation fails or no database is open.
    fn drive(&mut self, spec: &DriveSpec) -> Result<Drive, RunError>;

    /// Closes the open database and tells how to go on with it.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails or none is open.
    fn leave(&mut self) -> Result<LeftOff, RunError>;

    /// Compares what a database that was left holds with what it acknowledged; `None` if somebody stopped that.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the database fails. A difference is not an error.
    fn verify(&mut self, durability: Durability, left: &LeftOff) -> Result<(Option<Verified>, SessionSize), RunError>;

    /// Removes the database of a mode, if there is one.
    ///
    /// # Errors
    ///
    /// [`RunError::Directory`] if it cannot be removed.
    fn remove(&mut self, durability: Durability) -> Result<(), RunError>;

    /// Size of the database of a mode, bytes.
    fn database_bytes(&self, durability: Durability) -> u64;

    /// Free space for databases, bytes; `None` where the system does not tell.
    fn free_bytes(&self) -> Option<u64>;
}

/// This process, under the limits it has.
pub struct InProcess<'a, T: Target, C: Clock> {
    target: &'a T,
    source: &'a Source,
    directory: PathBuf,
    workers: u64,
    clock: &'a C,
    job: JobContext<'a>,
    session: Option<Session<'a, T>>,
}

impl<'a, T: Target, C: Clock> InProcess<'a, T, C> {
    /// Loads `source` on databases below `directory`, which is created with the first one.
    pub fn new(
        target: &'a T,
        source: &'a Source,
        directory: &Path,
        workers: u64,
        clock: &'a C,
        job: JobContext<'a>,
    ) -> Self {
        Self { target, source, directory: directory.to_owned(), workers, clock, job, session: None }
    }

    fn database(&self, durability: Durability) -> PathBuf {
        self.directory.join(format!("durability-{durability}"))
    }
}

fn no_database() -> RunError {
    RunError::Settings("no database is open to be driven".to_owned())
}

impl<T: Target, C: Clock> Site for InProcess<'_, T, C>
where
    T::Manager: Sync,
{
    fn open(&mut self, durability: Durability, left: Option<&LeftOff>) -> Result<(), RunError> {
        let directory = self.database(durability);
        let Self { target, source, workers, job, .. } = *self;
        self.session = Some(match left {
            Some(left) => Session::take_up(target, source, &directory, durability, left, job.control)?,
            None => Session::start(target, source, &directory, durability, workers, job)?,
        });
        Ok(())
    }

    fn drive(&mut self, spec: &DriveSpec) -> Result<Drive, RunError> {
        let session = self.session.as_mut().ok_or_else(no_database)?;
        session.drive_on(spec, self.clock, self.job)
    }

    fn leave(&mut self) -> Result<LeftOff, RunError> {
        self.session.take().ok_or_else(no_database)?.leave()
    }

    fn verify(&mut self, durability: Durability, left: &LeftOff) -> Result<(Option<Verified>, SessionSize), RunError> {
        let directory = self.database(durability);
        let session = Session::take_up(self.target, self.source, &directory, durability, left, self.job.control)?;
        session.finish(true, self.job)
    }

    fn remove(&mut self, durability: Durability) -> Result<(), RunError> {
        self.session = None;
        let path = self.database(durability);
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        fs::remove_dir_all(&path)
            .or_else(|error| if gone(&error) { Ok(()) } else { Err(error) })
            .map_err(|source| RunError::Directory { path, source })
    }

    fn database_bytes(&self, durability: Durability) -> u64 {
        crate::load::directory_bytes(&self.database(durability))
    }

    fn free_bytes(&self) -> Option<u64> {
        let parent = self.directory.parent().filter(|_| !self.directory.exists());
        let disk = DiskProfile::under(parent.unwrap_or(&self.directory));
        (disk.total_bytes > 0).then_some(disk.free_bytes)
    }
}
