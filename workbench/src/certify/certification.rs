//! Drives a certification, segment by segment, from wherever its journal says it is.

use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::actor::Durability;
use crate::certify::error::CertifyError;
use crate::certify::journal::{DatabaseState, EarlyEnd, Finished, Interruption, InterruptionKind, Journal, ModeState};
use crate::certify::outcome::{CertifiedMode, CertifyOutcome};
use crate::certify::room::Growth;
use crate::certify::slices::{JudgedSlice, Segment, idle, judge_segment, whole_slices};
use crate::certify::spec::CertifySpec;
use crate::host::Machine;
use crate::load::{Control, DriveSpec, Load, Observer, RunError, SessionSize, Silent, WarmUp};
use crate::process::{DriveResult, Rig, RigOutcome, SuspendedRig, Testbed};
use crate::workload::Arrivals;
use ave_actors_rocksdb::trace::CommandKind;

/// Told how far a certification is; beside what an [`Observer`] is told of each load.
pub trait CertifyObserver: Observer {
    /// A mode begins, goes on, or has finished a segment.
    fn standing(&self, standing: &Standing<'_>) {
        let _ = standing;
    }
}

impl CertifyObserver for Silent {}

/// How far a mode is.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The mode.
    pub durability: Durability,
    /// The slices so far.
    pub slices: &'a [JudgedSlice],
    /// Slices in all.
    pub of: u64,
    /// Certified time that is left, in all modes.
    pub left: Duration,
}

/// The database and its disk around a segment, bytes.
struct DiskUse {
    database_bytes_before: u64,
    database_bytes: u64,
    free_bytes: Option<u64>,
}

/// A certification: what is asked, and of whom.
pub struct Certification<'a> {
    /// What is to be held.
    pub spec: &'a CertifySpec,
    /// The command the objective is on, as [`CertifySpec::check`] tells it.
    pub command: CommandKind,
    /// How the source's commands are spaced.
    pub arrivals: Arrivals,
    /// The machine under test.
    pub machine: Machine,
    /// Cores of this host, which other programs use as well.
    pub cores: u32,
    /// Whom to tell.
    pub observer: &'a dyn CertifyObserver,
    /// Who may stop it.
    pub control: &'a Control,
}

impl Certification<'_> {
    /// Certifies on a testbed that keeps databases, going on with what the journal holds. If it was stopped, its databases are closed and kept.
    ///
    /// # Errors
    ///
    /// [`CertifyError`] if a load, a database or the journal fails. It can be gone on with all the same.
    pub fn run(&self, testbed: &dyn Testbed, journal: &mut Journal) -> Result<CertifyOutcome, CertifyError> {
        let mut modes = Vec::new();
        for &durability in &self.spec.durabilities {
            if !self.control.is_stopped() || journal.mode(durability).is_some() {
                modes.push(self.mode(testbed, journal, durability)?);
            }
        }
        let interrupted = modes.len() < self.spec.durabilities.len() || modes.iter().any(|mode| !mode.is_over);
        let interruptions = journal.state().interruptions.clone();
        Ok(CertifyOutcome { command: self.command, modes, interruptions, interrupted })
    }

    fn mode(
        &self,
        testbed: &dyn Testbed,
        journal: &mut Journal,
        durability: Durability,
    ) -> Result<CertifiedMode, CertifyError> {
        let mut mode = self.recall(journal, durability)?;
        note_lost_database(journal, &mode)?;
        if mode.is_over || self.control.is_stopped() {
            return Ok(mode);
        }
        journal.change(|state| {
            let waiting = state.interruptions.iter_mut().filter(|interruption| interruption.resumed_at.is_none());
            waiting.for_each(|interruption| interruption.resumed_at = Some(Timestamp::now()));
        })?;
        self.tell(&mode);
        if !mode.is_driven() {
            self.drive_mode(testbed, journal, &mut mode)?;
        }
        if mode.is_driven() {
            finish(testbed, journal, &mut mode)?;
        } else {
            note_stop(journal, &mode)?;
        }
        Ok(mode)
    }

    /// What the journal knows of a mode.
    fn recall(&self, journal: &Journal, durability: Durability) -> Result<CertifiedMode, CertifyError> {
        let known = journal.mode(durability);
        let finished = known.and_then(|mode| mode.finished.clone());
        let mut mode = CertifiedMode {
            durability,
            slices: Vec::new(),
            slices_asked: self.spec.slices(),
            segments: 0,
            pauses_seconds: Vec::new(),
            payload_bytes: 0,
            databases: known.map_or(0, |mode| mode.databases),
            early_end: known.and_then(|mode| mode.early_end),
            is_over: finished.is_some(),
            size: finished.as_ref().map(|finished| finished.size).unwrap_or_default(),
            verified: finished.and_then(|finished| finished.verified),
        };
        for segment in journal.segments(durability) {
            self.count(&mut mode, &segment?);
        }
        Ok(mode)
    }

    fn count(&self, mode: &mut CertifiedMode, segment: &Segment) {
        let at_seconds = mode.slices.len() as u64 * u64::from(self.spec.slice_seconds());
        if mode.slices.last().is_some_and(|slice| slice.database != segment.database) {
            mode.payload_bytes = 0;
        }
        mode.segments = segment.number;
        mode.payload_bytes += segment.drive.measurement.payload_bytes;
        mode.pauses_seconds.extend(segment.pause_seconds);
        mode.slices.extend(judge_segment(segment, at_seconds, self.spec.objective, self.command, self.cores));
    }

    fn drive_mode(
        &self,
        testbed: &dyn Testbed,
        journal: &mut Journal,
        mode: &mut CertifiedMode,
    ) -> Result<(), CertifyError> {
        let durability = mode.durability;
        let Some(mut rig) = self.open(testbed, journal, mode)? else { return Ok(()) };
        let mut growth = Growth::default();
        let mut before = None;
        while !mode.is_driven() && !self.control.is_stopped() {
            let is_first = before.is_none();
            let Some((segment, disk)) = self.segment(rig.as_mut(), mode, &mut before)? else { break };
            journal.add(durability, &segment)?;
            self.count(mode, &segment);
            if is_first {
                growth.note(disk.database_bytes_before);
            }
            growth.note(disk.database_bytes);
            mode.early_end = self.early_end(mode, &segment, &growth, disk.free_bytes);
            self.tell(mode);
        }
        let suspended = rig.suspend()?;
        let early_end = mode.early_end;
        journal.change_mode(durability, |mode| {
            mode.database = suspended.map_or(DatabaseState::None, DatabaseState::Suspended);
            mode.early_end = early_end;
        })
    }

    /// Opens the mode's database; `None` if the job was cancelled before it was filled.
    fn open<'t>(
        &self,
        testbed: &'t dyn Testbed,
        journal: &mut Journal,
        mode: &mut CertifiedMode,
    ) -> Result<Option<Box<dyn Rig + 't>>, CertifyError> {
        let durability = mode.durability;
        let suspended = suspended(journal, durability);
        if suspended.is_none() {
            remove_database(journal)?;
            mode.databases += 1;
        }
        let databases = mode.databases;
        journal.change_mode(durability, |mode| {
            mode.database = DatabaseState::Open;
            mode.databases = databases;
        })?;
        if let Some(suspended) = suspended {
            return Ok(Some(testbed.resume(&suspended)?));
        }
        let rig = completed(testbed.set_up(&self.machine, durability, self.spec.workers)?)?;
        if !self.control.is_stopped() {
            return Ok(Some(rig));
        }
        // An incomplete preload is useless.
        drop(rig);
        remove_database(journal)?;
        mode.databases -= 1;
        let databases = mode.databases;
        journal.change_mode(durability, |mode| {
            mode.database = DatabaseState::None;
            mode.databases = databases;
        })?;
        Ok(None)
    }

    /// Drives the next segment; `None` if no slice of it became whole. `before` is when the one before it ended, if the
    /// database has been open since.
    fn segment(
        &self,
        rig: &mut dyn Rig,
        mode: &CertifiedMode,
        before: &mut Option<Instant>,
    ) -> Result<Option<(Segment, DiskUse)>, CertifyError> {
        let asked = (mode.slices_asked - mode.slices.len() as u64).min(self.spec.slices_per_segment());
        let number = mode.segments + 1;
        let (called, called_at) = (Instant::now(), Timestamp::now());
        let driven = completed(rig.drive(&self.load(asked, before.is_none()))?)?;
        let DriveResult { drive, database_bytes_before, database_bytes, free_bytes, .. } = driven;
        let idle = idle(&drive, called.elapsed());
        let pause = before.map(|ended| (called - ended + idle).as_secs_f64());
        *before = Some(Instant::now());
        let drive = drive.in_slices_of(self.spec.slice_seconds());
        let slices = whole_slices(&drive, asked, self.control.is_stopped());
        if slices == 0 {
            return Ok(None);
        }
        let began_at = called_at.checked_add(drive.warmup).unwrap_or(called_at);
        let segment = Segment { number, database: mode.databases, began_at, pause_seconds: pause, slices, drive };
        Ok(Some((segment, DiskUse { database_bytes_before, database_bytes, free_bytes })))
    }

    fn load(&self, slices: u64, is_first: bool) -> DriveSpec {
        let limit = Duration::from_nanos(self.spec.objective.limit_ns);
        DriveSpec {
            load: Load::Open { per_second: self.spec.rate_per_second, arrivals: self.arrivals },
            warmup: if is_first { self.spec.warmup } else { WarmUp::NONE },
            measure: Some(Duration::from_secs(slices * u64::from(self.spec.slice_seconds()))),
            // Later than this the slice is missed, and so are the ones after it: the queue need not be served.
            lag_limit: Some(limit.saturating_mul(10).max(Duration::from_secs(self.spec.slice_seconds().into()))),
            // Waiting would hide a debt of compactions that grows.
            settle: false,
        }
    }

    fn early_end(
        &self,
        mode: &CertifiedMode,
        segment: &Segment,
        growth: &Growth,
        free_bytes: Option<u64>,
    ) -> Option<EarlyEnd> {
        if segment.drive.measurement.gave_up {
            return Some(EarlyEnd::GaveUp);
        }
        let slices_left = mode.slices_asked.saturating_sub(mode.slices.len() as u64);
        let full = growth.would_fill(slices_left.div_ceil(self.spec.slices_per_segment()), free_bytes?)?;
        Some(EarlyEnd::FullDisk(full))
    }

    fn tell(&self, mode: &CertifiedMode) {
        let place = self.spec.durabilities.iter().position(|&durability| durability == mode.durability).unwrap_or(0);
        let modes_left = (self.spec.durabilities.len() - place - 1) as u64;
        let slices_left = mode.slices_asked.saturating_sub(mode.slices.len() as u64) + modes_left * mode.slices_asked;
        self.observer.standing(&Standing {
            durability: mode.durability,
            slices: &mode.slices,
            of: mode.slices_asked,
            left: Duration::from_secs(slices_left * u64::from(self.spec.slice_seconds())),
        });
    }
}

/// A database that was not closed is of no use: nobody knows which of its last commands were acknowledged.
fn note_lost_database(journal: &mut Journal, mode: &CertifiedMode) -> Result<(), CertifyError> {
    let durability = mode.durability;
    if journal.mode(durability).is_none_or(|mode| mode.database != DatabaseState::Open) {
        return Ok(());
    }
    remove_database(journal)?;
    let lost = Interruption {
        durability,
        kind: InterruptionKind::Ended,
        after_slices: mode.slices.len() as u64,
        stopped_at: None,
        resumed_at: None,
        database_is_new: true,
    };
    journal.change(|state| state.interruptions.push(lost))?;
    journal.change_mode(durability, |mode| mode.database = DatabaseState::None)
}

fn note_stop(journal: &mut Journal, mode: &CertifiedMode) -> Result<(), CertifyError> {
    let is_kept = |mode: &ModeState| matches!(mode.database, DatabaseState::Suspended(_));
    let database_is_new = !journal.mode(mode.durability).is_some_and(is_kept);
    let stop = Interruption {
        durability: mode.durability,
        kind: InterruptionKind::Stopped,
        after_slices: mode.slices.len() as u64,
        stopped_at: Some(Timestamp::now()),
        resumed_at: None,
        database_is_new,
    };
    journal.change(|state| state.interruptions.push(stop))
}

/// Compares what the last database holds with what it acknowledged, and removes it.
fn finish(testbed: &dyn Testbed, journal: &mut Journal, mode: &mut CertifiedMode) -> Result<(), CertifyError> {
    let durability = mode.durability;
    // A database that was lost when all was driven cannot be compared.
    let mut finished = Finished { verified: None, size: SessionSize::default() };
    if let Some(suspended) = suspended(journal, durability) {
        let summary = completed(testbed.resume(&suspended)?.finish(true)?)?;
        if summary.verified.is_none() {
            return note_stop(journal, mode);
        }
        finished = Finished { verified: summary.verified, size: summary.size };
    }
    (mode.is_over, mode.verified, mode.size) = (true, finished.verified.clone(), finished.size);
    journal.change_mode(durability, |mode| {
        mode.finished = Some(finished);
        mode.database = DatabaseState::None;
    })?;
    // The next mode needs the space.
    remove_database(journal)
}

/// The database of a mode that was suspended.
fn suspended(journal: &Journal, durability: Durability) -> Option<SuspendedRig> {
    match &journal.mode(durability)?.database {
        DatabaseState::Suspended(suspended) => Some(suspended.clone()),
        DatabaseState::None | DatabaseState::Open => None,
    }
}

/// Removes the database of the current mode, if there is one. Modes are certified one after the other.
fn remove_database(journal: &Journal) -> Result<(), CertifyError> {
    let path = journal.head().databases();
    match std::fs::remove_dir_all(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunError::Directory { path, source }.into()),
        _ => Ok(()),
    }
}

fn completed<T>(outcome: RigOutcome<T>) -> Result<T, CertifyError> {
    outcome.completed().ok_or(CertifyError::OutOfMemory)
}
