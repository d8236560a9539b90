//! Measures a certification, segment by segment, from where its journal ends.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::CertifyError;
use super::journal::CertifyJournal;
use super::outcome::{CertifiedMode, CertifyOutcome};
use super::slices::{Segment, idle, judge_segment, whole_slices};
use super::space_forecast::would_fill;
use super::spec::CertifySpec;
use super::state::{DatabaseState, EarlyEnd, FinalCheck, Interruption, InterruptionKind, ModeState};
use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{DriveSpec, JobContext, Load, RequestKind, WarmUp};
use crate::process::{DriveResult, Rig, RigOutcome, RigSpec, Testbed};
use crate::workload::Arrivals;

/// A certification to be measured.
pub struct Certification<'a> {
    /// Rate, objective and time.
    pub spec: &'a CertifySpec,
    /// What the objective is on, as [`CertifySpec::check`] returns it.
    pub request: RequestKind,
    /// How commands of the source are spaced.
    pub arrivals: Arrivals,
    /// The machine under test.
    pub machine: Machine,
    /// Logical cores of the host, which other processes share.
    pub cores: u32,
    /// Observer of its loads, and cancellation.
    pub job: JobContext<'a>,
    /// Called when a mode begins or is resumed, or has finished a segment, with the certified time left in all modes.
    pub on_progress: &'a dyn Fn(&CertifiedMode, Duration),
}

impl Certification<'_> {
    /// Certifies on a testbed that keeps databases, from where the journal ends. When it is stopped, the databases are closed
    /// and kept.
    ///
    /// # Errors
    ///
    /// [`CertifyError`] if a load, a database or the journal fails. It can be resumed nevertheless.
    pub fn run(&self, testbed: &dyn Testbed, journal: &mut CertifyJournal) -> Result<CertifyOutcome, CertifyError> {
        let mut modes = Vec::new();
        for &durability in &self.spec.durabilities {
            if !self.job.control.is_stopped() || journal.state.mode(durability).is_some() {
                modes.push(self.mode(testbed, journal, durability)?);
            }
        }
        let interrupted =
            modes.len() < self.spec.durabilities.len() || modes.iter().any(|mode| mode.state.finished.is_none());
        let interruptions = journal.state.interruptions.clone();
        Ok(CertifyOutcome { modes, interruptions, interrupted })
    }

    fn mode(
        &self,
        testbed: &dyn Testbed,
        journal: &mut CertifyJournal,
        durability: Durability,
    ) -> Result<CertifiedMode, CertifyError> {
        let mut mode = self.recall(journal, durability)?;
        note_lost_database(journal, &mut mode)?;
        if mode.state.finished.is_some() || self.job.control.is_stopped() {
            return Ok(mode);
        }
        journal.change(|state| {
            let waiting = state.interruptions.iter_mut().filter(|interruption| interruption.resumed_at.is_none());
            waiting.for_each(|interruption| interruption.resumed_at = Some(Timestamp::now()));
        })?;
        self.report_progress(&mode);
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

    fn recall(&self, journal: &CertifyJournal, durability: Durability) -> Result<CertifiedMode, CertifyError> {
        let known = journal.state.mode(durability).cloned();
        let mut mode = CertifiedMode {
            durability,
            state: known.unwrap_or_else(|| ModeState::new(durability)),
            slices: Vec::new(),
            slices_planned: self.spec.slices(),
            segments: 0,
            pauses_seconds: Vec::new(),
            payload_bytes: 0,
        };
        for segment in journal.segments(durability)? {
            self.count(&mut mode, &segment?);
        }
        Ok(mode)
    }

    fn count(&self, mode: &mut CertifiedMode, segment: &Segment) {
        let at_seconds = mode.slices.len() as u64 * u64::from(self.spec.slice_seconds());
        if mode.slices.last().is_some_and(|slice| slice.database_number != segment.database) {
            mode.payload_bytes = 0;
        }
        mode.segments = segment.number;
        mode.payload_bytes += segment.drive.measurement.payload_bytes;
        mode.pauses_seconds.extend(segment.pause_seconds);
        mode.slices.extend(judge_segment(segment, at_seconds, &self.spec.objective, self.request, self.cores));
    }

    fn drive_mode(
        &self,
        testbed: &dyn Testbed,
        journal: &mut CertifyJournal,
        mode: &mut CertifiedMode,
    ) -> Result<(), CertifyError> {
        let Some(mut rig) = self.open(testbed, journal, mode)? else { return Ok(()) };
        let mut sizes = Vec::new();
        let mut before = None;
        while !mode.is_driven() && !self.job.control.is_stopped() {
            let Some((segment, disk)) = self.segment(rig.as_mut(), mode, &mut before)? else { break };
            journal.add(mode.durability, &segment)?;
            self.count(mode, &segment);
            if sizes.is_empty() {
                sizes.push(disk.database_bytes_before);
            }
            sizes.push(disk.database_bytes);
            mode.state.early_end = self.early_end(mode, &segment, &sizes, disk.free_bytes);
            self.report_progress(mode);
        }
        mode.state.database = rig.suspend()?.map_or(DatabaseState::None, DatabaseState::Suspended);
        journal.save(&mode.state)
    }

    /// Opens the database of the mode; `None` if the job was cancelled before it was filled.
    fn open<'t>(
        &self,
        testbed: &'t dyn Testbed,
        journal: &mut CertifyJournal,
        mode: &mut CertifiedMode,
    ) -> Result<Option<Box<dyn Rig + 't>>, CertifyError> {
        let before = std::mem::replace(&mut mode.state.database, DatabaseState::Open);
        if let DatabaseState::Suspended(suspended) = before {
            journal.save(&mode.state)?;
            return Ok(Some(testbed.resume(&suspended)?));
        }
        journal.remove_databases()?;
        mode.state.databases += 1;
        journal.save(&mode.state)?;
        let (durability, workers) = (mode.durability, self.spec.writers.of(mode.durability));
        let rig = RigSpec { machine: &self.machine, grown_events: 0, durability, workers };
        let rig = completed(testbed.set_up(&rig)?)?;
        if !self.job.control.is_stopped() {
            return Ok(Some(rig));
        }
        // An incomplete preload is useless.
        drop(rig);
        journal.remove_databases()?;
        mode.state.databases -= 1;
        mode.state.database = DatabaseState::None;
        journal.save(&mode.state)?;
        Ok(None)
    }

    /// Measures the next segment; `None` if no slice of it is whole. `before` is the end of the previous one, if the database
    /// has been open since.
    fn segment(
        &self,
        rig: &mut dyn Rig,
        mode: &CertifiedMode,
        before: &mut Option<Instant>,
    ) -> Result<Option<(Segment, DriveResult)>, CertifyError> {
        let planned = (mode.slices_planned - mode.slices.len() as u64).min(self.spec.slices_per_segment());
        let number = mode.segments + 1;
        let (called, called_at) = (Instant::now(), Timestamp::now());
        let mut driven = completed(rig.drive(&self.load(planned, before.is_none()))?)?;
        let drive = std::mem::take(&mut driven.drive);
        let idle = idle(&drive, called.elapsed());
        let pause = before.map(|ended| (called - ended + idle).as_secs_f64());
        *before = Some(Instant::now());
        let drive = drive.in_slices_of(self.spec.slice_seconds());
        let slices = whole_slices(&drive, planned, self.job.control.is_stopped());
        if slices == 0 {
            return Ok(None);
        }
        let began_at = called_at.checked_add(drive.warmup).unwrap_or(called_at);
        let segment = Segment { number, database: mode.state.databases, began_at, pause_seconds: pause, slices, drive };
        Ok(Some((segment, driven)))
    }

    fn load(&self, slices: u64, is_first: bool) -> DriveSpec {
        let limit = Duration::from_nanos(self.spec.objective.limit_ns);
        DriveSpec {
            load: Load::Open { per_second: self.spec.rate_per_second, arrivals: self.arrivals },
            warmup: if is_first { self.spec.warmup } else { WarmUp::NONE },
            measure: Some(Duration::from_secs(slices * u64::from(self.spec.slice_seconds()))),
            // With a queue this long the slice is missed, and so are those after it.
            lag_limit: Some(limit.saturating_mul(10).max(Duration::from_secs(self.spec.slice_seconds().into()))),
            // Waiting would hide growing compaction debt.
            settle: false,
        }
    }

    fn early_end(
        &self,
        mode: &CertifiedMode,
        segment: &Segment,
        sizes: &[u64],
        free_bytes: Option<u64>,
    ) -> Option<EarlyEnd> {
        if segment.drive.measurement.gave_up {
            return Some(EarlyEnd::GaveUp);
        }
        let slices_left = mode.slices_planned.saturating_sub(mode.slices.len() as u64);
        let full = would_fill(sizes, slices_left.div_ceil(self.spec.slices_per_segment()), free_bytes?)?;
        Some(EarlyEnd::FullDisk(full))
    }

    fn report_progress(&self, mode: &CertifiedMode) {
        let place = self.spec.durabilities.iter().position(|&durability| durability == mode.durability).unwrap_or(0);
        let modes_left = (self.spec.durabilities.len() - place - 1) as u64;
        let slices_left =
            mode.slices_planned.saturating_sub(mode.slices.len() as u64) + modes_left * mode.slices_planned;
        (self.on_progress)(mode, Duration::from_secs(slices_left * u64::from(self.spec.slice_seconds())));
    }
}

/// Removes a database that was not closed: which of its last commands were acknowledged is unknown.
fn note_lost_database(journal: &mut CertifyJournal, mode: &mut CertifiedMode) -> Result<(), CertifyError> {
    if mode.state.database != DatabaseState::Open {
        return Ok(());
    }
    journal.remove_databases()?;
    let lost = interruption(mode, InterruptionKind::Ended, None);
    journal.change(|state| state.interruptions.push(lost))?;
    mode.state.database = DatabaseState::None;
    journal.save(&mode.state)
}

fn note_stop(journal: &mut CertifyJournal, mode: &CertifiedMode) -> Result<(), CertifyError> {
    let stop = interruption(mode, InterruptionKind::Stopped, Some(Timestamp::now()));
    journal.change(|state| state.interruptions.push(stop))
}

fn interruption(mode: &CertifiedMode, kind: InterruptionKind, stopped_at: Option<Timestamp>) -> Interruption {
    Interruption {
        durability: mode.durability,
        kind,
        after_slices_count: mode.slices.len() as u64,
        stopped_at,
        resumed_at: None,
        database_is_new: !matches!(mode.state.database, DatabaseState::Suspended(_)),
    }
}

/// Compares the last database with what it acknowledged, and removes it.
fn finish(testbed: &dyn Testbed, journal: &mut CertifyJournal, mode: &mut CertifiedMode) -> Result<(), CertifyError> {
    // A database that was lost after its last slice cannot be compared.
    let mut finished = FinalCheck::default();
    if let DatabaseState::Suspended(suspended) = &mode.state.database {
        let summary = completed(testbed.resume(suspended)?.finish(true)?)?;
        if summary.verified.is_none() {
            return note_stop(journal, mode);
        }
        finished = FinalCheck { verified: summary.verified, size: summary.size };
    }
    (mode.state.finished, mode.state.database) = (Some(finished), DatabaseState::None);
    journal.save(&mode.state)?;
    // The next mode needs the space.
    journal.remove_databases()
}

fn completed<T>(outcome: RigOutcome<T>) -> Result<T, CertifyError> {
    outcome.completed().ok_or(CertifyError::OutOfMemory)
}
