//! A plan: how far this host goes in each durability mode under the tuning of the smallest profile that could hold
//! what the source needs, and what that says of the profiles.

use std::path::Path;
use std::time::Duration;

use ave_actors_store::config::{MachineProfile, MachineSpec};

use super::Objective;
use super::evidence::{Footprint, ProfileVerdict, Support, judge_profiles, smallest_fitting};
use super::search::{Effort, Found, Held, Probe, Search};
use crate::workbench::actor::{CommandKind, Durability};
use crate::workbench::host::fewest_profile_cores;
use crate::workbench::runner::{
    Clock, Control, Drive, DriveSpec, Load, Observer, RunError, Session, SessionSize, Source, Target, Verified, WarmUp,
    harness_ns_per_operation,
};

/// What must hold, and how hard to look.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSpec {
    /// Commands per second the deployment must hold, above 0.
    pub target_per_second: f64,
    /// The objective.
    pub objective: Objective,
    /// Share of the capacity to keep free, percent, 0 to below 100.
    pub headroom_percent: f64,
    /// Threads that issue commands.
    pub workers: u64,
    /// Cores this process may use.
    pub cores: usize,
    /// The modes to plan for.
    pub durabilities: Vec<Durability>,
    /// How much time to take.
    pub effort: Effort,
}

/// What a plan found.
#[derive(Debug, Clone)]
pub struct PlanOutcome {
    /// The command the objective is on.
    pub command: CommandKind,
    /// The profile whose tuning was in force.
    pub tuned_for: MachineProfile,
    /// Cores the plan ran on.
    pub cores: usize,
    /// The rate that leaves the headroom at the target, commands per second.
    pub required_per_second: f64,
    /// One entry per mode, in the order asked for.
    pub modes: Vec<ModePlan>,
    /// Every profile, smallest first.
    pub profiles: Vec<ProfileVerdict>,
    /// Cost of the runner itself per storage operation, nanoseconds.
    pub harness_ns_per_operation: f64,
    /// Whether somebody stopped it before its end.
    pub interrupted: bool,
}

/// What a plan found in one durability mode.
#[derive(Debug, Clone)]
pub struct ModePlan {
    /// The mode.
    pub durability: Durability,
    /// The closed loop.
    pub saturation: Drive,
    /// Every rate tried, ascending.
    pub probes: Vec<Probe>,
    /// The rates that held on repeated evidence, ascending.
    pub held: Vec<Held>,
    /// What was compared.
    pub verified: Option<Verified>,
    /// What it stored.
    pub size: SessionSize,
    /// Size of the database before the first command, bytes.
    pub database_bytes_before: u64,
    /// Commands issued, warm-ups included.
    pub commands: u64,
}

impl ModePlan {
    /// The highest rate that held on repeated evidence, commands per second.
    pub fn sustained_per_second(&self) -> Option<f64> {
        self.held.last().map(|held| held.rate_per_second)
    }

    /// The lowest rate that held: what was required, if it did. Its drives show what to expect at the target.
    pub fn lowest_held(&self) -> Option<&Held> {
        self.held.first()
    }

    /// The drives whose latencies describe the mode: at the lowest rate that held, else the closed loop.
    pub fn rounds(&self) -> &[Drive] {
        self.lowest_held().map_or(std::slice::from_ref(&self.saturation), |held| &held.drives)
    }

    /// The highest rate that held while everything fitted in a profile's RAM, commands per second.
    pub fn held_within(&self, profile: MachineProfile) -> Option<f64> {
        self.held.iter().rev().find(|held| held.footprint.fits(profile)).map(|held| held.rate_per_second)
    }
}

/// Whether a rate is as high as is required, commands per second each. The required rate itself is among the rates
/// tried: rounding must not decide.
pub fn suffices(rate: f64, required_per_second: f64) -> bool {
    rate >= required_per_second * (1.0 - 1e-9)
}

impl PlanOutcome {
    /// Growth of the database per command, bytes: from the mode that issued the most commands, since what a command
    /// stores does not depend on durability and a larger sample carries less of what a database holds when it is new.
    pub fn database_bytes_per_command(&self) -> f64 {
        self.modes.iter().max_by_key(|mode| mode.commands).map_or(0.0, |mode| {
            let grown = mode.size.database_bytes.saturating_sub(mode.database_bytes_before);
            grown as f64 / mode.commands.max(1) as f64
        })
    }

    /// The highest rate the evidence supports for a profile in a mode, commands per second.
    pub fn supported_per_second(&self, verdict: &ProfileVerdict, mode: &ModePlan) -> Option<f64> {
        mode.held_within(verdict.profile).filter(|_| verdict.support != Support::NotMeasured)
    }

    /// The smallest profile that the evidence supports for a mode at the required rate.
    pub fn recommended(&self, mode: &ModePlan) -> Option<MachineProfile> {
        let holds = |verdict: &&ProfileVerdict| {
            self.supported_per_second(verdict, mode).is_some_and(|rate| suffices(rate, self.required_per_second))
        };
        self.profiles.iter().find(holds).map(|verdict| verdict.profile)
    }

    /// Whether the required rate held in a mode on this host, whatever that says of the profiles.
    pub fn holds(&self, mode: &ModePlan) -> bool {
        mode.sustained_per_second().is_some_and(|rate| suffices(rate, self.required_per_second))
    }
}

/// The rate at which a target leaves the headroom.
pub fn required_rate(target_per_second: f64, headroom_percent: f64) -> f64 {
    target_per_second / (1.0 - headroom_percent / 100.0)
}

impl PlanSpec {
    /// Checks the settings against each other and the source, and finds the command the objective is on.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] that says what does not fit.
    pub fn check(&self, source: &Source) -> Result<CommandKind, RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if !(self.target_per_second > 0.0 && self.target_per_second.is_finite()) {
            return wrong(format!("a target of {} commands/s, expected more than 0", self.target_per_second));
        }
        if !(0.0..100.0).contains(&self.headroom_percent) {
            return wrong(format!("a headroom of {} %, expected 0 to below 100", self.headroom_percent));
        }
        let fewest = fewest_profile_cores();
        if self.cores < fewest {
            return wrong(format!(
                "this process may use {} core(s), and the smallest profile has {fewest}: nothing measured here would \
                 speak of any profile; `run` measures all the same",
                self.cores
            ));
        }
        if self.durabilities.is_empty() {
            return wrong("at least one durability mode is needed".to_owned());
        }
        self.objective.check(source)
    }
}

/// Plans `source` with databases below `directory`; `target_for` gives the backend tuned for a machine.
///
/// # Errors
///
/// [`RunError`] if the settings contradict each other, no profile can hold what the source needs, or a database fails.
pub fn plan<T: Target>(
    target_for: impl Fn(MachineSpec) -> T,
    source: &Source,
    spec: &PlanSpec,
    directory: &Path,
    clock: &impl Clock,
    observer: &dyn Observer,
    control: &Control,
) -> Result<PlanOutcome, RunError>
where
    T::Manager: Sync,
{
    let command = spec.check(source)?;
    let harness_ns_per_operation = harness_ns_per_operation(source)?;
    let planner = Planner { target_for: &target_for, source, spec, directory, clock, observer, control, command };
    let tuned_for = planner.choose_profile()?;
    observer.note(&format!("measuring under the tuning of {tuned_for}, the smallest profile that could hold this"));
    let target = target_for(MachineSpec::Profile(tuned_for));
    let mut modes = Vec::new();
    for &durability in &spec.durabilities {
        match planner.mode(&target, durability) {
            // What was finished before somebody stopped it is worth a report.
            Err(RunError::Interrupted) if !modes.is_empty() => break,
            mode => modes.push(mode?),
        }
    }
    // What the rates in question needed; the search beyond them fills the database for its own ends.
    let footprint = modes.iter().map(footprint_of).fold(Footprint::default(), Footprint::max);
    Ok(PlanOutcome {
        command,
        tuned_for,
        cores: spec.cores,
        required_per_second: required_rate(spec.target_per_second, spec.headroom_percent),
        profiles: judge_profiles(tuned_for, spec.cores, footprint),
        modes,
        harness_ns_per_operation,
        interrupted: control.is_stopped(),
    })
}

/// What the lowest rate that held needed, or the whole search if none did.
fn footprint_of(mode: &ModePlan) -> Footprint {
    mode.lowest_held().map_or(
        Footprint { rss_bytes: mode.saturation.usage.rss_peak_bytes, database_bytes: mode.size.database_bytes },
        |held| held.footprint,
    )
}

struct Planner<'a, F, C: Clock> {
    target_for: &'a F,
    source: &'a Source,
    spec: &'a PlanSpec,
    directory: &'a Path,
    clock: &'a C,
    observer: &'a dyn Observer,
    control: &'a Control,
    command: CommandKind,
}

/// Time of the trial that tells how much memory a source needs.
const TRIAL: Duration = Duration::from_secs(2);

impl<T: Target, F: Fn(MachineSpec) -> T, C: Clock> Planner<'_, F, C>
where
    T::Manager: Sync,
{
    /// A short trial under the smallest tuning shows what memory the source needs at least.
    fn choose_profile(&self) -> Result<MachineProfile, RunError> {
        let smallest = (self.target_for)(MachineSpec::Profile(MachineProfile::Nano));
        let directory = self.directory.join("trial");
        let mut session = self.session(&smallest, &directory, Durability::Off)?;
        let load = Load::Open { per_second: self.required(), arrivals: self.source.arrivals() };
        let spec = DriveSpec { load, warmup: WarmUp::NONE, measure: Some(TRIAL), lag_limit: Some(TRIAL) };
        let drive = session.drive(&spec, self.clock, self.observer, self.control)?;
        let (_, size) = session.finish(false, self.observer, self.control)?;
        // The trial's figures are taken; what stays behind goes with the parent directory.
        let _ = std::fs::remove_dir_all(&directory);
        if self.control.is_stopped() {
            return Err(RunError::Interrupted);
        }
        let footprint = Footprint { rss_bytes: drive.usage.rss_peak_bytes, database_bytes: size.database_bytes };
        smallest_fitting(footprint, self.spec.cores).ok_or_else(|| {
            RunError::Settings(format!(
                "no profile with at most {} cores holds the {} MB this source touches at once",
                self.spec.cores,
                footprint.total_bytes() / 1_000_000
            ))
        })
    }

    fn required(&self) -> f64 {
        required_rate(self.spec.target_per_second, self.spec.headroom_percent)
    }

    fn mode(&self, target: &T, durability: Durability) -> Result<ModePlan, RunError> {
        let directory = self.directory.join(format!("durability-{durability}"));
        let mut session = self.session(target, &directory, durability)?;
        let database_bytes_before = session.database_bytes();
        let search = Search {
            session: &mut session,
            objective: self.spec.objective,
            command: self.command,
            share: self.source.share(self.command),
            effort: self.spec.effort,
            arrivals: self.source.arrivals(),
            clock: self.clock,
            observer: self.observer,
            control: self.control,
            probes: Vec::new(),
            rss_peak_bytes: 0,
        };
        let Found { saturation, probes, held } = search.run(self.required())?;
        if saturation.measurement.command_count() == 0 {
            return Err(RunError::Interrupted);
        }
        let verify = !self.control.is_stopped();
        let commands = session.commands_issued();
        let (verified, size) = session.finish(verify, self.observer, self.control)?;
        let _ = std::fs::remove_dir_all(&directory);
        Ok(ModePlan { durability, saturation, probes, held, verified, size, database_bytes_before, commands })
    }

    fn session<'t>(&self, target: &'t T, directory: &Path, durability: Durability) -> Result<Session<'t, T>, RunError> {
        let workers = self.spec.workers;
        Session::start(target, self.source, directory, durability, workers, self.observer, self.control)
    }
}
