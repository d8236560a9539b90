//! A run: alternating rounds of the durability modes, then verification.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::spec::RunSpec;
use crate::actor::Durability;
use crate::host::{ProbeError, ReferenceWork};
use crate::load::{
    Clock, CrashTask, Crashed, DriveSpec, HarnessCost, JobContext, ModeOutcome, Round, RunError, Session, SessionSize,
    Source, Target, Verified, Victim, crash_check,
};
use crate::units;

/// Least lateness at which a load is given up. The limit is the measured time if that is longer: at a rate far above the
/// capacity, a load would not end.
const SHORTEST_LAG_LIMIT: Duration = Duration::from_secs(30);

/// The measurements of a run.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// One per mode, in the order of [`RunSpec::durabilities`].
    pub modes: Vec<ModeOutcome>,
    /// Cost of the load generator; its memory is that of the mode with more writers.
    pub harness: HarnessCost,
    /// Whether it was cancelled before its end.
    pub interrupted: bool,
}

/// Runs `source` against `target` with databases below `directory`.
///
/// A source without end has one database per mode for all rounds; a trace with an end gets a new database each round.
///
/// # Errors
///
/// [`RunError`] if the settings contradict each other, a database fails, or nothing was measured.
pub fn run<T: Target>(
    target: &T,
    source: &Source,
    spec: &RunSpec,
    directory: &Path,
    clock: &impl Clock,
    job: JobContext<'_>,
) -> Result<RunOutcome, RunError> {
    spec.check(source)?;
    let writers = spec.durabilities.iter().map(|&durability| spec.writers.of(durability)).max().unwrap_or(1);
    let harness = job.measure_harness(source, writers)?;
    let start_at = Cell::new(spec.start_at);
    let runner = Runner { target, source, spec, directory, clock, job, start_at };
    let mut modes = if source.is_finite() { runner.fresh_each_round()? } else { runner.one_database_per_mode()? };
    let is_measured = |round: &Round| round.measurement.command_count() > 0;
    if job.control.is_stopped() {
        // Rounds that were measured before are reported.
        for mode in &mut modes {
            mode.rounds.retain(is_measured);
        }
        modes.retain(|mode| !mode.rounds.is_empty());
        if modes.is_empty() {
            return Err(RunError::Interrupted);
        }
    } else if !modes.iter().all(|mode| mode.rounds.iter().any(is_measured)) {
        let commands = modes.iter().flat_map(|mode| &mode.rounds).map(|round| round.measurement.issued).sum();
        return Err(RunError::NothingMeasured { commands, warmup_seconds: spec.warmup.most().as_secs_f64() });
    }
    Ok(RunOutcome { modes, harness, interrupted: job.control.is_stopped() })
}

/// Kills processes that load a database of their own, in every mode that was measured, and adds the results to `outcome`. It
/// comes after all rounds, so that it disturbs no measurement.
pub(crate) fn check_after_kills<T: Target>(
    outcome: &mut RunOutcome,
    target: &T,
    source: &Source,
    spec: &RunSpec,
    victim: &dyn Victim,
    directory: &Path,
    job: JobContext<'_>,
) {
    for mode in &mut outcome.modes {
        if spec.kills == 0 || job.control.is_stopped() {
            break;
        }
        let (durability, load, workers) = (mode.durability, spec.load, spec.writers.of(mode.durability));
        let directory = directory.join(format!("killed-durability-{durability}"));
        let task = CrashTask { directory, durability, load, workers };
        // What was measured is reported even if the check fails.
        mode.crashed = crash_check(target, source, &task, spec.kills, victim, job)
            .unwrap_or_else(|error| Some(Crashed::not_tried(&error.to_string())));
        // The next mode needs the space. What cannot be removed goes with the parent directory.
        let _ = std::fs::remove_dir_all(task.directory);
    }
    outcome.interrupted |= job.control.is_stopped();
}

struct Runner<'a, T: Target, C: Clock> {
    target: &'a T,
    source: &'a Source,
    spec: &'a RunSpec,
    directory: &'a Path,
    clock: &'a C,
    job: JobContext<'a>,
    /// When the first load begins; absent after it.
    start_at: Cell<Option<Timestamp>>,
}

impl<T: Target, C: Clock> Runner<'_, T, C> {
    fn one_database_per_mode(&self) -> Result<Vec<ModeOutcome>, RunError> {
        let mut sessions = Vec::new();
        for &durability in &self.spec.durabilities {
            let mut session = self.session(durability, &format!("durability-{durability}"))?;
            if self.spec.durabilities.len() > 1 {
                session.pause()?;
            }
            sessions.push(session);
        }
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); sessions.len()];
        for round in 0..self.spec.rounds {
            for (session, rounds) in sessions.iter_mut().zip(&mut rounds) {
                if self.job.control.is_stopped() {
                    break;
                }
                self.job.observer.round(round + 1, self.spec.rounds);
                session.resume(self.job)?;
                rounds.push(self.round(session)?);
                // The memory of one mode must not count as the other's.
                if self.spec.durabilities.len() > 1 {
                    session.pause()?;
                }
            }
        }
        let mut modes = Vec::new();
        for ((session, rounds), &durability) in sessions.into_iter().zip(rounds).zip(&self.spec.durabilities) {
            let (verified, size) = session.finish(self.verifies(), self.job)?;
            modes.push(ModeOutcome { durability, rounds, verified, crashed: None, power_cut: None, size });
        }
        Ok(modes)
    }

    fn fresh_each_round(&self) -> Result<Vec<ModeOutcome>, RunError> {
        let mut modes: Vec<ModeOutcome> = self
            .spec
            .durabilities
            .iter()
            .map(|&durability| {
                let verified = self.spec.verify.then(Verified::default);
                let size = SessionSize::default();
                ModeOutcome { durability, rounds: Vec::new(), verified, crashed: None, power_cut: None, size }
            })
            .collect();
        for round in 0..self.spec.rounds {
            for mode in &mut modes {
                if self.job.control.is_stopped() {
                    break;
                }
                self.job.observer.round(round + 1, self.spec.rounds);
                let directory = format!("durability-{}-{round}", mode.durability);
                let mut session = self.session(mode.durability, &directory)?;
                mode.rounds.push(self.round(&mut session)?);
                let (verified, size) = session.finish(self.verifies(), self.job)?;
                mode.add(verified, size);
                // The next round needs the space. What cannot be removed goes with the parent directory.
                let _ = std::fs::remove_dir_all(self.directory.join(directory));
            }
        }
        Ok(modes)
    }

    fn session(&self, durability: Durability, name: &str) -> Result<Session<'_, T>, RunError> {
        let directory = self.directory.join(name);
        Session::start(self.target, self.source, &directory, durability, self.spec.writers.of(durability), self.job)
    }

    /// A load, and the reference work before and after it.
    fn round(&self, session: &mut Session<'_, T>) -> Result<Round, RunError> {
        let before = self.reference_work(session.durability)?;
        if let Some(at) = self.start_at.take() {
            self.wait_until(at)?;
        }
        let round = session.drive(&self.drive(), self.clock, self.job)?;
        // A cancelled run ends at once.
        let after = if self.job.control.is_stopped() { None } else { Some(self.reference_work(session.durability)?) };
        Ok(Round { reference_work: after.map(|after| ReferenceWork::mean_of(before, after)), ..round })
    }

    /// Waits for a moment of the system's clock, or until the run is cancelled.
    fn wait_until(&self, at: Timestamp) -> Result<(), RunError> {
        const LONGEST_SLEEP: Duration = Duration::from_millis(100);
        // The schedule begins a little later than its creation.
        let left = || {
            let left = Duration::try_from(at.duration_since(Timestamp::now())).ok()?;
            left.checked_sub(Duration::from_nanos(self.clock.lead_ns()))
        };
        let Some(wait) = left() else {
            let now = Timestamp::now();
            let text = format!("--start-at {at} has passed: the databases were ready at {now:.0}; choose a later time");
            return Err(RunError::Settings(text));
        };
        self.job.observer.note(&format!("waiting until {at}, for {}", units::seconds(wait.as_secs_f64())));
        while let Some(left) = left()
            && !self.job.control.is_stopped()
        {
            std::thread::sleep(left.min(LONGEST_SLEEP));
        }
        // It is the first load: nothing was measured.
        if self.job.control.is_stopped() { Err(RunError::Interrupted) } else { Ok(()) }
    }

    fn reference_work(&self, durability: Durability) -> Result<ReferenceWork, RunError> {
        let disk = durability.is_on().then_some(self.directory);
        // More threads than cores would measure the scheduler.
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        ReferenceWork::measure(self.spec.writers.of(durability).min(cores), disk)
            .map_err(|ProbeError { path, source }| RunError::Directory(path, source))
    }

    fn drive(&self) -> DriveSpec {
        DriveSpec {
            load: self.spec.load,
            warmup: self.spec.warmup,
            measure: self.spec.measure,
            lag_limit: Some(self.spec.measure.unwrap_or_default().max(SHORTEST_LAG_LIMIT)),
            settle: true,
        }
    }

    /// A cancelled run is not verified, which its report shows.
    fn verifies(&self) -> bool {
        self.spec.verify && !self.job.control.is_stopped()
    }
}
