//! A whole run: both durability modes in alternating rounds, then verification.

use std::path::Path;
use std::time::Duration;

use crate::actor::Durability;
use crate::host::{ProbeError, ReferenceWork};
use crate::load::{
    Clock, DriveSpec, JobContext, Load, MOST_WORKERS, ModeOutcome, Round, RunError, Session, SessionSize, Source,
    Target, Verified, WarmUp, harness_ns_per_operation,
};

/// A load is given up when its commands are as late as the time measured, and later than this: a rate far above what
/// the backend can do would otherwise never end.
const SHORTEST_LAG_LIMIT: Duration = Duration::from_secs(30);

/// A run, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSpec {
    /// How commands are issued.
    pub load: Load,
    /// Threads that issue them, at least 1. An actor belongs to one of them.
    pub workers: u64,
    /// Rounds per durability mode, at least 1.
    pub rounds: u32,
    /// Time at the start of each round that does not count.
    pub warmup: WarmUp,
    /// Time that counts in each round; `None` runs to the end of a finite source.
    pub measure: Option<Duration>,
    /// The modes to run, in this order within each round.
    pub durabilities: Vec<Durability>,
    /// Whether to compare what the backend holds with what it acknowledged.
    pub verify: bool,
}

impl RunSpec {
    /// Checks the settings against each other and the source.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that says what does not fit.
    pub fn check(&self, source: &Source) -> Result<(), RunError> {
        let wrong = |text: &str| Err(RunError::Settings(text.to_owned()));
        match self.load {
            Load::Open { per_second, .. } => positive_rate(per_second)?,
            Load::Ramp { from_per_second, to_per_second, .. } => {
                positive_rate(from_per_second)?;
                positive_rate(to_per_second)?;
                if self.measure.is_none() || matches!(self.warmup, WarmUp::Steady { .. }) {
                    return wrong("a ramp needs a time to measure and a warm-up of a fixed time");
                }
            }
            Load::TraceTimes { speed } if speed <= 0.0 || !speed.is_finite() => {
                return wrong(&format!("a speed of {speed}, expected more than 0"));
            }
            Load::TraceTimes { .. } if matches!(source, Source::Workload(_)) => {
                return wrong("a workload has no times of its own: --speed needs a trace, --rate goes with both");
            }
            _ => {}
        }
        if self.workers == 0 || self.rounds == 0 || self.durabilities.is_empty() {
            return wrong("at least one worker, one round and one durability mode are needed");
        }
        if self.workers > MOST_WORKERS {
            return wrong(&format!("{} workers, expected at most {MOST_WORKERS}", self.workers));
        }
        if let (Some(per_second), Some(measure)) = (self.load.mean_per_second(), self.measure)
            && per_second * measure.as_secs_f64() < 1.0
        {
            return wrong(&format!(
                "at {per_second} commands/s none may be due within the {} s measured; measure longer",
                measure.as_secs_f64()
            ));
        }
        if self.measure.is_none() && !source.is_finite() {
            return wrong("a source without end needs a time to measure");
        }
        if self.measure.is_some_and(|measure| measure.is_zero()) {
            return wrong("a measured time of 0 s, expected more");
        }
        Ok(())
    }
}

fn positive_rate(per_second: f64) -> Result<(), RunError> {
    if per_second > 0.0 && per_second.is_finite() {
        return Ok(());
    }
    Err(RunError::Settings(format!("a rate of {per_second} commands/s, expected more than 0")))
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// One entry per mode, in the order of [`RunSpec::durabilities`].
    pub modes: Vec<ModeOutcome>,
    /// Cost of the runner itself per storage operation, nanoseconds.
    pub harness_ns_per_operation: f64,
    /// Whether somebody stopped it before its end.
    pub interrupted: bool,
}

/// Runs `source` against `target` with databases below `directory`.
///
/// A source without end has one database per mode that lives through all rounds; a trace with an end gets a fresh
/// database each round.
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
) -> Result<RunOutcome, RunError>
where
    T::Manager: Sync,
{
    spec.check(source)?;
    let harness_ns_per_operation = harness_ns_per_operation(source)?;
    let runner = Runner { target, source, spec, directory, clock, job };
    let mut modes = if source.is_finite() { runner.fresh_each_round()? } else { runner.one_database_per_mode()? };
    let is_measured = |round: &Round| round.measurement.command_count() > 0;
    if job.control.is_stopped() {
        // What was measured until then is worth a report; what did not begin any more is not.
        for mode in &mut modes {
            mode.rounds.retain(is_measured);
        }
        modes.retain(|mode| !mode.rounds.is_empty());
        if modes.is_empty() {
            return Err(RunError::Interrupted);
        }
    } else if !modes.iter().all(|mode| mode.rounds.iter().any(is_measured)) {
        return Err(nothing_measured(&modes, spec));
    }
    Ok(RunOutcome { modes, harness_ns_per_operation, interrupted: job.control.is_stopped() })
}

fn nothing_measured(modes: &[ModeOutcome], spec: &RunSpec) -> RunError {
    let commands = modes.iter().flat_map(|mode| &mode.rounds).map(|round| round.measurement.issued).sum();
    RunError::NothingMeasured { commands, warmup_seconds: spec.warmup.most().as_secs_f64() }
}

struct Runner<'a, T: Target, C: Clock> {
    target: &'a T,
    source: &'a Source,
    spec: &'a RunSpec,
    directory: &'a Path,
    clock: &'a C,
    job: JobContext<'a>,
}

impl<T: Target, C: Clock> Runner<'_, T, C>
where
    T::Manager: Sync,
{
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
                self.job.observer.round(round + 1, self.spec.rounds);
                session.resume(self.job)?;
                rounds.push(self.round(session)?);
                // The modes take turns: what one holds in memory must not count as the other's.
                if self.spec.durabilities.len() > 1 {
                    session.pause()?;
                }
            }
        }
        let mut modes = Vec::new();
        for ((session, rounds), &durability) in sessions.into_iter().zip(rounds).zip(&self.spec.durabilities) {
            let (verified, size) = session.finish(self.verifies(), self.job)?;
            modes.push(ModeOutcome { durability, rounds, verified, crashed: None, size });
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
                ModeOutcome { durability, rounds: Vec::new(), verified, crashed: None, size: SessionSize::default() }
            })
            .collect();
        for round in 0..self.spec.rounds {
            for mode in &mut modes {
                self.job.observer.round(round + 1, self.spec.rounds);
                let directory = format!("durability-{}-{round}", mode.durability);
                let mut session = self.session(mode.durability, &directory)?;
                mode.rounds.push(self.round(&mut session)?);
                let (verified, size) = session.finish(self.verifies(), self.job)?;
                mode.add(verified, size);
                // Its figures are taken; the next round needs the space. What stays behind goes with the parent.
                let _ = std::fs::remove_dir_all(self.directory.join(directory));
            }
        }
        Ok(modes)
    }

    fn session(&self, durability: Durability, name: &str) -> Result<Session<'_, T>, RunError> {
        let directory = self.directory.join(name);
        Session::start(self.target, self.source, &directory, durability, self.spec.workers, self.job)
    }

    /// A load, and the reference work before and after it.
    fn round(&self, session: &mut Session<'_, T>) -> Result<Round, RunError> {
        let before = self.reference_work(session.durability())?;
        let round = session.drive(&self.drive(), self.clock, self.job)?;
        // Whoever interrupted does not want to wait.
        let after = if self.job.control.is_stopped() { None } else { Some(self.reference_work(session.durability())?) };
        Ok(Round { reference_work: after.map(|after| ReferenceWork::mean_of(before, after)), ..round })
    }

    fn reference_work(&self, durability: Durability) -> Result<ReferenceWork, RunError> {
        let disk = durability.is_on().then_some(self.directory);
        ReferenceWork::measure(self.spec.workers, disk)
            .map_err(|ProbeError { path, source }| RunError::Directory { path, source })
    }

    fn drive(&self) -> DriveSpec {
        DriveSpec {
            load: self.spec.load,
            warmup: self.spec.warmup,
            measure: self.spec.measure,
            lag_limit: Some(self.spec.measure.unwrap_or_default().max(SHORTEST_LAG_LIMIT)),
        }
    }

    /// Whoever interrupted does not want to wait for a verification; the report says it was not done.
    fn verifies(&self) -> bool {
        self.spec.verify && !self.job.control.is_stopped()
    }
}
