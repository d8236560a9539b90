//! A plan: the smallest machine that sustains what is required in each durability mode, how far it goes, and what that
//! says of the others.

use std::time::Duration;

use crate::actor::Durability;
use crate::host::{LEAST_RAM_MB, Machine};
use crate::load::{Drive, JobContext, Objective, RestartSpec, RunError, Source, harness_ns_per_operation};
use crate::plan::agenda::Agenda;
use crate::plan::evidence::{MachineVerdict, verdict};
use crate::plan::scaling::{Scaling, ScalingPoint, ScalingRefusal};
use crate::plan::search::{Breadth, Effort, Findings, Question, Search};
use crate::process::{ProcessError, Survey, Testbed};
use ave_actors_rocksdb::trace::CommandKind;

/// What must hold, and how hard to look.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSpec {
    /// Commands per second the deployment must hold, above 0.
    pub target_per_second: f64,
    /// The objective.
    pub objective: Objective,
    /// Share of the capacity to keep free, percent, 0 to below 100.
    pub headroom_percent: f64,
    /// Threads that issue commands; `None` is one for each core of a machine.
    pub workers: Option<u64>,
    /// The machines in question, in any order.
    pub machines: Vec<Machine>,
    /// This host.
    pub host: Machine,
    /// The modes to plan for.
    pub durabilities: Vec<Durability>,
    /// How much time to take.
    pub effort: Effort,
    /// The restart that is measured.
    pub restart: RestartSpec,
    /// Bytes per second that the disk was seen to write in a row, if somebody looked.
    pub disk_bytes_per_second: Option<f64>,
}

/// What a plan found.
#[derive(Debug, Clone)]
pub struct PlanOutcome {
    /// The command the objective is on.
    pub command: CommandKind,
    /// The rate that leaves the headroom at the target, commands per second.
    pub required_per_second: f64,
    /// One entry per mode, in the order asked for.
    pub modes: Vec<ModePlan>,
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
    /// The machines that were searched, smallest first.
    pub searched: Vec<Findings>,
    /// What is known of every machine in question and of this host, smallest first.
    pub verdicts: Vec<MachineVerdict>,
    /// At the target itself on the recommended machine; `None` if none is.
    pub at_target: Option<Drive>,
    /// Closed-loop ceilings of this host on fewer cores and on all of them, where a machine has more cores.
    pub scaling_points: Vec<ScalingPoint>,
    /// What the data takes and how long a restart takes, on the recommended machine; of one mode, since neither depends on
    /// durability.
    pub survey: Option<Survey>,
    /// The law that these follow; `None` where there are none, why not where they carry none.
    pub scaling: Option<Result<Scaling, ScalingRefusal>>,
    /// Whether somebody stopped it before its end.
    pub interrupted: bool,
}

impl ModePlan {
    /// What was found of the machine that the mode's figures are shown of: the smallest that holds what is required, else
    /// the largest that was searched.
    pub fn principal(&self) -> Option<&Findings> {
        let recommended = self.recommended().map(|verdict| &verdict.machine);
        let chosen = self.searched.iter().find(|findings| Some(&findings.machine) == recommended);
        chosen.or_else(|| self.searched.last())
    }

    /// The smallest machine that is known to hold what is required. This host is none that could be bought, unless it is
    /// all there is.
    pub fn recommended(&self) -> Option<&MachineVerdict> {
        let holding = || self.verdicts.iter().filter(|verdict| verdict.holds == Some(true));
        holding().find(|verdict| !verdict.machine.is_host).or_else(|| holding().next())
    }

    /// What is known of this host.
    pub fn host(&self) -> Option<&MachineVerdict> {
        self.verdicts.iter().find(|verdict| verdict.machine.is_host)
    }

    /// The highest rate that is known to meet the objective on any machine that was searched, commands per second.
    pub fn sustained_per_second(&self) -> Option<f64> {
        self.searched.iter().filter_map(Findings::sustained_with_room).max_by(f64::total_cmp)
    }

    /// The rate of a machine with more cores than this host, and the band around it, or why there is none; `None` if it has
    /// no more cores.
    pub(super) fn extrapolated(&self, machine: &Machine) -> Option<Result<[f64; 3], ScalingRefusal>> {
        let scaling = self.scaling.as_ref()?;
        let is_smaller =
            |findings: &&Findings| findings.machine.cores < machine.cores && machine.is_at_least(&findings.machine);
        let base = self.searched.iter().filter(is_smaller);
        let known = base.filter_map(|findings| Some((findings.machine.cores, findings.sustained_with_room()?)));
        let (cores, rate) = known.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let count = |cores: usize| u32::try_from(cores).unwrap_or(u32::MAX);
        let law = match scaling {
            Ok(law) => law,
            Err(refusal) => return Some(Err(refusal.clone())),
        };
        let ratio = law.extrapolate(count(cores), count(machine.cores));
        Some(ratio.map(|ratio| [ratio.ratio, ratio.low, ratio.high].map(|times| times * rate)))
    }

    pub(super) fn extrapolation_reason(&self, machine: &Machine) -> String {
        let Some(Ok(law)) = &self.scaling else { return String::new() };
        format!(
            "continued from this host's points to {} cores by the Universal Scalability Law (contention {:.3}, coherency {:.4}, \
             error {:.1} %)",
            machine.cores,
            law.sigma,
            law.kappa,
            100.0 * law.relative_error,
        )
    }
}

/// Whether a rate is as high as is required, commands per second each. The required rate itself is among the rates
/// tried: rounding must not decide.
pub fn suffices(rate: f64, required_per_second: f64) -> bool {
    rate >= required_per_second * (1.0 - 1e-9)
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
        if self.durabilities.is_empty() {
            return wrong("at least one durability mode is needed".to_owned());
        }
        self.check_machines()?;
        self.objective.check(source)
    }

    fn check_machines(&self) -> Result<(), RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if let Some(machine) = self.machines.iter().find(|machine| machine.ram_mb < LEAST_RAM_MB) {
            return wrong(format!(
                "the machine {machine} has {} MiB of RAM: the backend's memory budget is 32 MiB at least, and with the \
                 process around it nothing below {LEAST_RAM_MB} MiB works",
                machine.ram_mb
            ));
        }
        if self.fitting().is_empty() {
            let (cores, ram_mb) = (self.host.cores, self.host.ram_mb);
            let asked: Vec<_> = self.machines.iter().map(|machine| machine.name.as_str()).collect();
            return wrong(format!(
                "this process may use {cores} core(s) and {ram_mb} MiB of RAM, less than any of the machines in question \
                 ({}): nothing measured here would speak of them; `run` measures all the same",
                asked.join(", ")
            ));
        }
        Ok(())
    }

    /// The machines this host can pretend to be, smallest first.
    fn fitting(&self) -> Vec<Machine> {
        let mut fitting: Vec<_> = self.machines.iter().filter(|machine| machine.fits_in(&self.host)).cloned().collect();
        fitting.sort_by_key(|machine| (machine.cores, machine.ram_mb));
        fitting.dedup();
        fitting
    }

    /// All machines in question and this host, smallest first.
    fn all(&self) -> Vec<Machine> {
        let mut all = self.machines.clone();
        all.push(self.host.clone());
        all.sort_by_key(|machine| (machine.cores, machine.ram_mb, machine.is_host));
        all.dedup();
        all
    }

    fn required(&self) -> f64 {
        required_rate(self.target_per_second, self.headroom_percent)
    }

    /// Whether any machine in question has more cores than this host.
    fn extrapolates(&self) -> bool {
        self.effort.breadth != Breadth::Smallest && self.machines.iter().any(|machine| machine.cores > self.host.cores)
    }
}

/// Plans `source` on the machines that `testbed` pretends to be.
///
/// # Errors
///
/// [`ProcessError`] if the settings contradict each other, a database fails, or nothing was measured.
pub fn plan(
    testbed: &dyn Testbed,
    source: &Source,
    spec: &PlanSpec,
    job: JobContext<'_>,
) -> Result<PlanOutcome, ProcessError> {
    let command = spec.check(source)?;
    let harness_ns_per_operation = harness_ns_per_operation(source)?;
    let question = Question {
        objective: spec.objective,
        command,
        share: source.share(command),
        effort: spec.effort,
        arrivals: source.arrivals(),
        host_cores: spec.host.cores,
        job,
    };
    let agenda = Agenda::new(spec, &question, spec.extrapolates());
    let mut modes = Vec::new();
    for &durability in &spec.durabilities {
        let planner = Planner { testbed, source, spec, durability, question: &question, agenda: &agenda };
        match planner.run() {
            // What was finished before somebody stopped it is worth a report.
            Err(ProcessError::Run(RunError::Interrupted)) if !modes.is_empty() => break,
            mode => modes.push(mode?),
        }
    }
    let interrupted = job.control.is_stopped();
    let required_per_second = spec.required();
    Ok(PlanOutcome { command, required_per_second, modes, harness_ns_per_operation, interrupted })
}

/// Plans one durability mode.
struct Planner<'a> {
    testbed: &'a dyn Testbed,
    source: &'a Source,
    spec: &'a PlanSpec,
    durability: Durability,
    question: &'a Question<'a>,
    agenda: &'a Agenda<'a>,
}

impl Planner<'_> {
    fn run(&self) -> Result<ModePlan, ProcessError> {
        let mut mode = ModePlan {
            durability: self.durability,
            searched: Vec::new(),
            verdicts: Vec::new(),
            at_target: None,
            survey: None,
            scaling_points: Vec::new(),
            scaling: None,
            interrupted: false,
        };
        self.machines(&mut mode)?;
        if self.searches_host(&mode) {
            self.host(&mut mode)?;
        }
        if self.spec.extrapolates() && !self.is_stopped() {
            mode.scaling_points = self.scaling()?;
            mode.scaling = Some(Scaling::fit(&mode.scaling_points));
        }
        if !mode.searched.iter().any(Findings::has_evidence) && self.is_stopped() {
            return Err(RunError::Interrupted.into());
        }
        mode.interrupted = self.is_stopped();
        mode.searched.sort_by_key(|findings| (findings.machine.cores, findings.machine.ram_mb));
        let bandwidth = self.spec.disk_bytes_per_second;
        mode.verdicts =
            self.spec.all().iter().map(|machine| verdict(machine, &mode, self.required(), bandwidth)).collect();
        Ok(mode)
    }

    /// Finds the smallest machine that holds what is required, and how far it goes.
    fn machines(&self, mode: &mut ModePlan) -> Result<(), ProcessError> {
        let machines = self.spec.fitting();
        let all = self.spec.effort.breadth == Breadth::All;
        let found = if all { self.every(&machines, mode)? } else { self.smallest(&machines, mode)? };
        if let Some(mut search) = found {
            self.agenda.begin(&format!("durability {}: how far {} goes", self.durability, search.machine()));
            search.climb(self.required(), self.required())?;
            mode.at_target = self.at_target(&mut search)?;
            mode.survey = self.survey(&mut search)?;
            mode.searched.push(search.finish(true)?);
        }
        Ok(())
    }

    /// Tries every machine; the smallest that holds is left for more.
    fn every<'s>(&'s self, machines: &[Machine], mode: &mut ModePlan) -> Result<Option<Search<'s>>, ProcessError> {
        let mut smallest = None;
        for machine in machines {
            let (mut search, holds) = self.attempt(machine)?;
            if holds && smallest.is_none() {
                smallest = Some(search);
            } else {
                search.climb(if holds { self.required() } else { 0.0 }, self.required())?;
                mode.searched.push(search.finish(false)?);
            }
        }
        Ok(smallest)
    }

    /// The smallest machine that holds: the first is tried first, then the last, then the one in the middle of those in
    /// question. A machine with no fewer cores and no less memory is taken to hold whatever the smaller one does; machines
    /// of which that cannot be said are tried one after the other.
    fn smallest<'s>(&'s self, machines: &[Machine], mode: &mut ModePlan) -> Result<Option<Search<'s>>, ProcessError> {
        let (mut fails, mut holds) = (None, machines.len());
        let mut best: Option<Search<'s>> = None;
        let mut next = 0;
        while !self.is_stopped() {
            let (mut search, held) = self.attempt(&machines[next])?;
            if held {
                holds = next;
                if let Some(larger) = best.replace(search) {
                    mode.searched.push(larger.finish(false)?);
                }
            } else {
                fails = Some(next);
                if next + 1 == machines.len() {
                    // None of them holds it: what the largest does hold is worth knowing.
                    search.climb(0.0, self.required())?;
                }
                mode.searched.push(search.finish(next + 1 == machines.len())?);
            }
            let lowest = fails.map_or(0, |fails| fails + 1);
            if lowest >= holds {
                break;
            }
            let ordered = machines.windows(2).all(|pair| pair[1].is_at_least(&pair[0]));
            next = match (ordered, best.is_none()) {
                (false, _) => lowest,
                (true, true) => machines.len() - 1,
                (true, false) => lowest.midpoint(holds),
            };
        }
        Ok(best)
    }

    /// The ceiling of a machine, and whether it holds what is required.
    fn attempt(&self, machine: &Machine) -> Result<(Search<'_>, bool), ProcessError> {
        self.agenda.begin(&format!(
            "durability {}: does {machine} hold {:.0} commands/s?",
            self.durability,
            self.required()
        ));
        let mut search = self.search(machine);
        search.saturate()?;
        let holds = search.holds(self.required())?;
        Ok((search, holds))
    }

    /// What users wait at the target itself.
    fn at_target(&self, search: &mut Search<'_>) -> Result<Option<Drive>, ProcessError> {
        if self.is_stopped() {
            return Ok(None);
        }
        self.agenda.begin(&format!("durability {}: latency at the target", self.durability));
        let drive = search.offer(self.spec.target_per_second, self.agenda.at_target())?;
        Ok(drive)
    }

    /// Once for all modes.
    fn survey(&self, search: &mut Search<'_>) -> Result<Option<Survey>, ProcessError> {
        let is_first = self.spec.durabilities.first() == Some(&self.durability);
        if !is_first || self.is_stopped() {
            return Ok(None);
        }
        self.agenda.begin("what the data takes, and how long a restart takes");
        let survey = search.survey(&self.spec.restart)?;
        Ok(survey)
    }

    fn searches_host(&self, mode: &ModePlan) -> bool {
        let known = mode.searched.iter().any(|findings| findings.machine == self.spec.host);
        self.spec.effort.breadth != Breadth::Smallest && !known && !self.is_stopped()
    }

    /// How far this host goes without limits; what a smaller machine holds is taken as known.
    fn host(&self, mode: &mut ModePlan) -> Result<(), ProcessError> {
        self.agenda.begin(&format!("durability {}: how far this host goes", self.durability));
        let mut search = self.search(&self.spec.host);
        search.saturate()?;
        let smaller = mode.searched.iter().filter(|findings| self.spec.host.is_at_least(&findings.machine));
        let known = smaller.filter_map(Findings::sustained_per_second).fold(0.0, f64::max);
        search.climb(known, self.required())?;
        mode.searched.push(search.finish(false)?);
        Ok(())
    }

    /// The ceilings of this host on fewer cores and on all of them, in turns.
    fn scaling(&self) -> Result<Vec<ScalingPoint>, ProcessError> {
        self.agenda.begin(&format!("durability {}: how it scales with cores", self.durability));
        let machines: Vec<Machine> =
            core_counts(self.spec.host.cores).map(|cores| self.spec.host.with_cores(cores)).collect();
        let mut searches: Vec<_> = machines.iter().map(|machine| self.search(machine)).collect();
        let mut points = Vec::new();
        for _ in 0..SCALING_ROUNDS {
            for search in &mut searches {
                if let Some(per_second) = search.ceiling(self.spec.effort.saturation / 2)? {
                    let cores = u32::try_from(search.machine().cores).unwrap_or(u32::MAX);
                    points.push(ScalingPoint { cores, per_second });
                }
            }
        }
        for search in searches {
            search.finish(false)?;
        }
        Ok(points)
    }

    fn search(&self, machine: &Machine) -> Search<'_> {
        let workers = self.spec.workers.unwrap_or(machine.cores as u64).min(self.source.actors()).max(1);
        Search::new(self.question, self.testbed, machine, self.durability, workers)
    }

    fn required(&self) -> f64 {
        self.spec.required()
    }

    fn is_stopped(&self) -> bool {
        self.question.job.control.is_stopped()
    }
}

/// Times each number of cores is measured.
const SCALING_ROUNDS: usize = 2;
/// Numbers of cores that are measured at most.
const MOST_CORE_COUNTS: usize = 6;

/// 1 to all cores: each of few, or so many that each has about the same ratio to the next.
fn core_counts(all: usize) -> impl Iterator<Item = usize> {
    let mut counts: Vec<usize> = if all <= MOST_CORE_COUNTS {
        (1..=all).collect()
    } else {
        let step = (all as f64).powf(1.0 / (MOST_CORE_COUNTS - 1) as f64);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the number of cores"
        )]
        let nth = |place: usize| step.powi(i32::try_from(place).unwrap_or(0)).round() as usize;
        (0..MOST_CORE_COUNTS).map(nth).collect()
    };
    counts.dedup();
    counts.into_iter()
}

/// Longest time at the target: enough for p99.9 of a thousand commands per second.
pub(super) const LONGEST_AT_TARGET: Duration = Duration::from_secs(12);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_cores_that_are_measured_reach_from_one_to_all() {
        assert_eq!(core_counts(2).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(core_counts(6).count(), 6);
        for all in [8, 16, 64, 192] {
            let counts: Vec<_> = core_counts(all).collect();
            assert_eq!((counts[0], counts[counts.len() - 1]), (1, all), "{counts:?}");
            assert!((5..=6).contains(&counts.len()) && counts.is_sorted(), "{counts:?}");
        }
    }

    #[test]
    fn headroom_is_what_stays_free() {
        assert!((required_rate(700.0, 30.0) - 1_000.0).abs() < 1e-9);
        assert!(suffices(required_rate(100.0, 33.3), required_rate(100.0, 33.3)));
    }
}
