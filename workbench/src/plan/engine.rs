//! The searches of a plan: per durability mode the smallest machine that sustains the required rate, its highest rate, this
//! host, and how throughput scales with cores.

use std::time::Duration;

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{JobContext, RunError, Source, Stage, harness_ns_per_operation};
use crate::measure::{Decision, Trials, decide, fewest_trials};
use crate::plan::evidence::verdict;
use crate::plan::hold_out::{HoldOut, decide_all};
use crate::plan::outcome::{AtTarget, MachineFindings, MachineVerdict, ModeFindings, PlanOutcome, SizeFindings};
use crate::plan::scaling::Scaling;
use crate::plan::search::{SIZE_LOADS, Search, SearchInput};
use crate::plan::spec::{Breadth, PlanSpec, required_rate};
use crate::plan::stages;
use crate::process::{ProcessError, Testbed};
use crate::report::{ScalingPointInfo, WriterSweep, suffices};
use crate::units;

/// Times that each number of cores is measured.
const SCALING_ROUNDS: usize = 2;
/// Numbers of cores that are measured, at most.
const MOST_CORE_COUNTS: usize = 6;

/// Plans `source` on the machines that `testbed` emulates.
///
/// # Errors
///
/// [`ProcessError`] if the settings contradict each other, a database fails, or nothing was measured.
pub fn search_machines(
    testbed: &dyn Testbed,
    source: &Source,
    spec: &PlanSpec,
    job: JobContext<'_>,
) -> Result<PlanOutcome, ProcessError> {
    let request = spec.check(source)?;
    let harness_ns_per_operation = harness_ns_per_operation(source)?;
    let input = SearchInput { source, spec, request, job };
    let at_target = stages::announce(spec, &input);
    let mut searches: Vec<_> =
        spec.durabilities.iter().map(|&mode| ModeSearch::new(testbed, mode, &input, at_target)).collect();
    unless_stopped(job, find_machines(&mut searches, source.seed()))?;
    let found: Vec<_> = searches.iter().filter(|search| search.found.is_some()).collect();
    let grown_events = found.first().map_or_else(|| vec![0], |first| first.grown_events.clone());
    stages::announce_rest(spec, &input, found.iter().map(|search| search.durability).collect(), grown_events);
    let mut modes = Vec::new();
    for search in searches {
        let mode = search.conclude(&modes)?;
        modes.push(mode);
    }
    let interrupted = job.control.is_stopped();
    let is_evident = |mode: &ModeFindings| mode.searched.iter().any(MachineFindings::has_evidence);
    if interrupted && !modes.iter().any(is_evident) {
        return Err(RunError::Interrupted.into());
    }
    let modes = modes.into_iter().filter(|mode| !interrupted || is_evident(mode)).collect();
    let required_per_second = spec.required_per_second();
    Ok(PlanOutcome { request, required_per_second, modes, harness_ns_per_operation, interrupted })
}

/// What was measured before an interruption is worth a report.
fn unless_stopped(job: JobContext<'_>, done: Result<(), ProcessError>) -> Result<(), ProcessError> {
    match done {
        Err(ProcessError::Run(RunError::Interrupted)) if job.control.is_stopped() => Ok(()),
        done => done,
    }
}

/// Finds the smallest machine of every mode. Their candidates are decided in turns; a mode whose machine does not sustain the
/// required rate after all goes on with the next one.
fn find_machines(searches: &mut [ModeSearch<'_>], seed: u64) -> Result<(), ProcessError> {
    loop {
        for search in &mut *searches {
            search.find()?;
        }
        let open: Vec<_> = searches.iter().filter_map(ModeSearch::open_text).collect();
        let job = searches.first().map(|search| search.input.job);
        let Some(job) = job.filter(|_| !open.is_empty()) else { return Ok(()) };
        job.observer.stage(Stage::HoldOut, &format!("again: {}", open.join(", ")));
        decide_all(searches.iter_mut().filter_map(ModeSearch::hold_out).collect(), seed)?;
        for search in &mut *searches {
            search.settle()?;
        }
    }
}

/// The machine that is the smallest one as far as is known.
struct Found<'a> {
    search: Search<'a>,
    /// Its place among the machines.
    place: usize,
    /// The rate to decide on; `None` once that is done.
    candidate: Option<f64>,
}

struct ModeSearch<'a> {
    testbed: &'a dyn Testbed,
    durability: Durability,
    input: &'a SearchInput<'a>,
    /// Time for which the target is offered.
    at_target: Duration,
    /// In the order of preference.
    machines: Vec<Machine>,
    /// Events by which the databases have grown that are measured, ascending: the machines are searched on the last.
    grown_events: Vec<u64>,
    /// Places of the machines that do not sustain the required rate on it.
    failed: Vec<usize>,
    /// Whether data and restarts are surveyed in this mode: they do not depend on durability.
    is_surveyed: bool,
    found: Option<Found<'a>>,
    mode: ModeFindings,
}

impl<'a> ModeSearch<'a> {
    fn new(testbed: &'a dyn Testbed, durability: Durability, input: &'a SearchInput<'a>, at_target: Duration) -> Self {
        let machines = input.spec.emulatable();
        let may_be_host = input.spec.catalogue.is_none();
        let mode = ModeFindings { may_be_host, ..ModeFindings::new(durability) };
        let is_surveyed = input.spec.durabilities.first() == Some(&durability);
        let grown_events = input.spec.grown_events.clone();
        let failed = Vec::new();
        Self { testbed, durability, input, at_target, machines, grown_events, failed, is_surveyed, found: None, mode }
    }

    /// The first machine, in the order of preference, with a rate that may suffice on the largest database on which any has one.
    fn find(&mut self) -> Result<(), ProcessError> {
        loop {
            self.find_on_largest()?;
            if self.found.is_some() || self.is_stopped() || !self.is_outgrown() {
                return Ok(());
            }
            let bytes = self.input.source.grown(self.most_grown_events()).preload_disk_bytes();
            self.mode.outgrown_bytes = Some(bytes);
            self.grown_events.pop();
            (self.failed, self.mode.searched, self.mode.grown_survey) = (Vec::new(), Vec::new(), None);
            let note = format!(
                "durability {}: no machine is enough for a database of {}; on a smaller one it shows for how long one is",
                self.durability,
                units::bytes(bytes as f64)
            );
            self.input.job.observer.note(&note);
        }
    }

    /// Whether a smaller database is measured if no machine is enough for this one.
    fn is_outgrown(&self) -> bool {
        self.grown_events.len() > 1
    }

    fn most_grown_events(&self) -> u64 {
        self.grown_events.last().copied().unwrap_or(0)
    }

    /// The first is tried first, then the last, then the middle of the rest; if all are asked for, one after the other. A machine
    /// that does not sustain the rate rules out those with no more cores and no more memory.
    fn find_on_largest(&mut self) -> Result<(), ProcessError> {
        let is_first_round = self.mode.searched.is_empty();
        let every = self.input.spec.effort.breadth == Breadth::All;
        // The first of what is left is tried first: most often it is enough.
        let mut in_order = true;
        while let Some(next) = self.next(in_order, every).filter(|_| !self.is_stopped()) {
            in_order = every;
            let found = self.attempt(next)?;
            if found.candidate.is_some() {
                if let Some(later) = self.found.replace(found) {
                    self.mode.searched.push(later.search.finish(false)?);
                }
            } else {
                self.failed.push(next);
                self.give_up(found)?;
            }
        }
        if every && is_first_round {
            self.search_larger()?;
        }
        Ok(())
    }

    /// The place of the machine to try next; `None` if the one found is the first that may suffice, or none does.
    fn next(&self, in_order: bool, every: bool) -> Option<usize> {
        let end = self.found.as_ref().map_or(self.machines.len(), |found| found.place);
        let is_ruled_out =
            |&place: &usize| self.failed.contains(&place) || !every && self.is_ruled_out(place, &self.failed);
        let searched = self.input.spec.searched(&self.machines);
        let is_searched = |&place: &usize| searched.contains(&&self.machines[place]);
        let open: Vec<_> = (0..end).filter(|place| is_searched(place) && !is_ruled_out(place)).collect();
        match (in_order, self.found.is_none()) {
            (true, _) => open.first().copied(),
            (false, true) => open.last().copied(),
            (false, false) => open.get(open.len() / 2).copied(),
        }
    }

    /// The machines that are larger than the one found, for their own rates.
    fn search_larger(&mut self) -> Result<(), ProcessError> {
        let from = self.found.as_ref().map_or(self.machines.len(), |found| found.place + 1);
        for place in from..self.machines.len() {
            if self.is_stopped() {
                break;
            }
            let machine = &self.machines[place];
            self.begin_search(machine, self.required());
            let findings = self.search_alone(machine, self.required())?;
            self.mode.searched.push(findings);
        }
        Ok(())
    }

    /// The ceiling of a machine, and the first rate to decide on.
    fn attempt(&self, place: usize) -> Result<Found<'a>, ProcessError> {
        let machine = &self.machines[place];
        self.begin_search(machine, self.required());
        let (search, candidate) = self.propose(machine, self.required())?;
        Ok(Found { search, place, candidate })
    }

    /// A search with its ceiling, and its candidate if it was not stopped.
    fn propose(&self, machine: &Machine, required: f64) -> Result<(Search<'a>, Option<f64>), ProcessError> {
        let mut search = self.search(machine);
        search.saturate()?;
        let candidate = search.candidate(required);
        Ok((search, candidate))
    }

    /// A machine without a candidate. Of the largest one, the highest rate tells by how much it falls short for good.
    fn give_up(&mut self, found: Found<'a>) -> Result<(), ProcessError> {
        let Found { mut search, place, .. } = found;
        let is_last = place + 1 == self.machines.len() && !self.is_outgrown();
        if is_last && let Some(candidate) = search.candidate_below(self.required()) {
            HoldOut::new(&mut search, candidate, None).decide()?;
        }
        self.mode.searched.push(search.finish(is_last)?);
        Ok(())
    }

    /// `durability off nano`, if its machine is to be tried.
    fn open_text(&self) -> Option<String> {
        let found = self.found.as_ref().filter(|found| found.candidate.is_some() && !self.is_stopped())?;
        Some(format!("durability {} {}", self.durability, found.search.findings.machine))
    }

    /// The trials of the machine that was found, unless they are done.
    fn hold_out(&mut self) -> Option<HoldOut<'_, 'a>> {
        if self.is_stopped() {
            return None;
        }
        let required = self.required();
        let Found { search, candidate, .. } = self.found.as_mut()?;
        let candidate = candidate.take()?;
        Some(HoldOut::new(search, candidate, Some(required)))
    }

    /// Measures the latency at the target. Rules the machine out that was found if it does not sustain the required rate, or
    /// cannot restart its actors.
    fn settle(&mut self) -> Result<(), ProcessError> {
        if self.is_stopped() {
            return Ok(());
        }
        let required = self.required();
        let Some(mut found) = self.found.take() else { return Ok(()) };
        let holds = |search: &Search<'_>| {
            search.findings.sustained_within_memory().is_some_and(|rate| suffices(rate, required))
        };
        if holds(&found.search) && self.mode.at_target.is_none() {
            // Before the survey, which may compact the database: the modes are compared.
            self.mode.at_target = self.measure_at_target(&mut found.search)?;
        }
        if holds(&found.search) && self.is_surveyed && self.mode.grown_survey.is_none() {
            self.begin(Stage::Survey, "size of the data and time of a restart");
            self.mode.grown_survey = found.search.survey(self.most_grown_events() == 0)?;
        }
        if holds(&found.search) {
            self.found = Some(found);
        } else {
            self.mode.at_target = None;
            self.failed.push(found.place);
            let is_last = found.place + 1 == self.machines.len() && !self.is_outgrown();
            self.mode.searched.push(found.search.finish(is_last)?);
        }
        Ok(())
    }

    /// `before` are the modes that are concluded.
    fn conclude(mut self, before: &[ModeFindings]) -> Result<ModeFindings, ProcessError> {
        let job = self.input.job;
        let found = self.found.take();
        let rest = self.measure_rest(found, before);
        unless_stopped(job, rest)?;
        self.mode.grown_events = self.most_grown_events();
        let mut mode = self.mode;
        let spec = self.input.spec;
        mode.interrupted = job.control.is_stopped();
        mode.searched.sort_by_key(|findings| findings.machine.size());
        let of = |machine: Machine| {
            let known = verdict(&machine, &mode, spec.required_per_second(), spec.disk_bytes_per_second);
            MachineVerdict { machine, known }
        };
        mode.verdicts = spec.candidates_and_host().into_iter().map(of).collect();
        Ok(mode)
    }

    /// Finds the first machine, in the order of preference, for another target: among those that are not known to sustain it
    /// or not to. What was found about a machine is replaced by what its search for this target finds.
    fn measure_other_target(&mut self, target_per_second: f64) -> Result<(), ProcessError> {
        let required = required_rate(target_per_second, self.input.spec.headroom_percent);
        let mut tried = Vec::new();
        while let Some(next) = self.next_for(required, &tried).filter(|_| !self.is_stopped()) {
            let machine = &self.machines[next];
            self.begin_search(machine, required);
            let findings = self.search_alone(machine, required)?;
            self.mode.searched.retain(|known| known.machine != findings.machine);
            self.mode.searched.push(findings);
            tried.push(next);
        }
        Ok(())
    }

    /// The place of the machine to try next for a required rate. `tried` are those whose search was for it.
    fn next_for(&self, required: f64, tried: &[usize]) -> Option<usize> {
        // `None` if it is not known whether the machine sustains the rate.
        let sustains = |place: usize| {
            let known = self.mode.searched_machine(&self.machines[place])?;
            if let Some(rate) = known.sustained_within_memory() {
                return Some(suffices(rate, required));
            }
            // No rate of the plan's own target or above was sustained.
            let failed = suffices(required, self.required()) && !known.is_undecided_at(self.required());
            (failed || tried.contains(&place)).then_some(false)
        };
        let places = 0..self.machines.len();
        let end = places.clone().find(|&place| sustains(place) == Some(true)).unwrap_or(places.end);
        let failed: Vec<_> = places.filter(|&place| sustains(place) == Some(false)).collect();
        let open: Vec<_> = (0..end).filter(|&place| !self.is_ruled_out(place, &failed)).collect();
        if end == self.machines.len() { open.last().copied() } else { open.get(open.len() / 2).copied() }
    }

    /// The rates on smaller databases and by the writers, this host if no machine was found, and how throughput scales.
    fn measure_rest(&mut self, found: Option<Found<'a>>, before: &[ModeFindings]) -> Result<(), ProcessError> {
        let is_found = found.is_some();
        if let Some(Found { mut search, .. }) = found {
            let machine = search.findings.machine.clone();
            // Once for a machine: where writes wait for syncs, these change by more meanwhile.
            let is_same = |mode: &&ModeFindings| mode.found.as_ref() == Some(&machine);
            self.mode.seconds_per_read_byte = match before.iter().find(is_same) {
                Some(known) => known.seconds_per_read_byte,
                None if self.input.spec.grows() => {
                    self.begin(Stage::ColdReads, "what reads from the disk add");
                    search.seconds_per_read_byte()?
                }
                None => None,
            };
            let largest = search.findings.sustained.last().and_then(|sustained| search.size(&sustained.drives));
            self.mode.searched.push(search.finish(true)?);
            self.mode.found = Some(machine.clone());
            self.measure_sizes(&machine, largest)?;
            self.measure_writers(&machine)?;
        }
        for target in self.input.spec.demand.range_per_second.into_iter().flatten() {
            self.measure_other_target(target)?;
        }
        if !is_found && self.is_host_of_use() {
            self.begin(Stage::Host, "highest rate of this host");
            let findings = self.search_alone(&self.input.spec.host, self.required())?;
            self.mode.searched.push(findings);
        }
        if self.input.spec.extrapolates() && !self.is_stopped() {
            self.mode.scaling_points = self.measure_scaling()?;
            self.mode.scaling = Some(Scaling::fit(&self.mode.scaling_points));
        }
        Ok(())
    }

    /// The ceilings of the machine on smaller databases, down to the one as it is now, and loads on those between at the
    /// share that is sustained on `largest`, what the search found.
    fn measure_sizes(&mut self, machine: &Machine, largest: Option<SizeFindings>) -> Result<(), ProcessError> {
        self.mode.sizes = Vec::from_iter(largest);
        let Some((_, smaller)) = self.grown_events.split_last() else { return Ok(()) };
        let smallest = smaller.first();
        if smaller.is_empty() {
            self.mode.survey = self.mode.grown_survey.take();
        }
        let share = self.mode.searched_machine(machine).and_then(MachineFindings::sustained_share_of_ceiling);
        // A quick plan looks at the database as it is now once.
        let is_wanted = self.is_surveyed || self.input.spec.effort.breadth != Breadth::Smallest;
        for &grown_events in smaller.iter().rev().filter(|_| is_wanted) {
            if self.is_stopped() {
                break;
            }
            self.begin(Stage::Sizes, "rates on a smaller database");
            let mut search = self.search_of(machine, grown_events);
            search.saturate()?;
            // Response times are compared at the sizes between.
            let is_between = smallest != Some(&grown_events);
            let ceiling = search.findings.ceiling_per_second().filter(|_| is_between);
            let mut loads = Vec::new();
            if let Some(rate) = share.zip(ceiling).map(|(share, ceiling)| share * ceiling) {
                for _ in 0..SIZE_LOADS {
                    if !search.is_over() {
                        loads.extend(search.offer(rate, self.input.probe_time(rate))?.1);
                    }
                }
            }
            self.mode.sizes.extend(search.size(&loads));
            if grown_events == 0 && self.is_surveyed {
                self.mode.survey = search.survey(true)?;
            }
        }
        self.mode.sizes.sort_by_key(|size| size.database_bytes);
        Ok(())
    }

    /// Ceilings of the machine over the number of writers, on the database that the search was on: that of the planned number
    /// is known from there.
    fn measure_writers(&mut self, machine: &Machine) -> Result<(), ProcessError> {
        let effort = self.input.spec.effort;
        let planned_count = self.writers(machine);
        let counts: &[u64] = match effort.breadth {
            Breadth::Smallest => &[1, 8, 64],
            Breadth::SmallestAndScaling | Breadth::All => &[1, 2, 4, 8, 16, 32, 64],
        };
        let actors = self.input.source.actors();
        // Without durability a write waits for nothing: writers beyond the cores compete for them.
        let is_of_use = |count: u64| count <= actors && (self.durability.is_on() || count <= 2 * machine.cores as u64);
        if effort.breadth == Breadth::Smallest && !self.durability.is_on() {
            return Ok(());
        }
        self.begin(Stage::Writers, "rates by the number of writers");
        let planned = self.mode.searched_machine(machine);
        let known = |findings: &MachineFindings| {
            findings.saturation.as_ref().map(|drive| findings.writer_point(drive, self.input.request))
        };
        let mut points = Vec::from_iter(planned.and_then(known));
        let grown_events = self.most_grown_events();
        let is_open = |&&count: &&u64| is_of_use(count) && points.iter().all(|point| point.writers_count != count);
        let open: Vec<u64> = counts.iter().filter(is_open).copied().collect();
        for writers_count in open {
            let mut search =
                Search::new(self.input, self.testbed, machine, self.durability, writers_count, grown_events);
            points.extend(search.writer_point(effort.saturation / 2)?);
        }
        self.mode.writers = WriterSweep::new(self.durability, machine.name.clone(), points, planned_count);
        Ok(())
    }

    /// The target itself: once if it meets the objective, else until the sequential test decides, on as many loads as sustain a
    /// rate at least: a higher rate was sustained, and one load may be disturbed.
    fn measure_at_target(&self, search: &mut Search<'_>) -> Result<Option<AtTarget>, ProcessError> {
        self.begin(Stage::Target, "latency at the target");
        let mut trials = Trials::default();
        let (mut last, mut probes) = (None, Vec::new());
        while !self.is_stopped() {
            let (probe, drive) = search.offer(self.input.spec.target_per_second, self.at_target)?;
            trials.add(probe.rejection.is_none());
            probes.push(probe);
            last = drive.or(last);
            let (all_held, error) = (trials.held_count == trials.tried_count, self.input.spec.effort.error);
            let is_enough = trials.tried_count >= fewest_trials(error);
            if all_held || is_enough && decide(trials, error) != Decision::Open {
                break;
            }
        }
        Ok(last.map(|drive| AtTarget { drive, probes, trials }))
    }

    fn is_host_of_use(&self) -> bool {
        let is_known = self.mode.searched_machine(&self.input.spec.host).is_some();
        self.input.spec.effort.breadth != Breadth::Smallest && !is_known && !self.is_stopped()
    }

    /// The highest rate of a machine, decided without turns with another mode.
    fn search_alone(&self, machine: &Machine, required: f64) -> Result<MachineFindings, ProcessError> {
        let (mut search, candidate) = self.propose(machine, required)?;
        if let Some(candidate) = candidate {
            HoldOut::new(&mut search, candidate, Some(required)).decide()?;
        }
        search.finish(false)
    }

    /// The ceilings of this host on fewer cores and on all, in turns.
    fn measure_scaling(&self) -> Result<Vec<ScalingPointInfo>, ProcessError> {
        self.begin(Stage::Scaling, "scaling with cores");
        let host = &self.input.spec.host;
        let mut searches: Vec<_> = core_counts(host.cores).map(|cores| self.search(&host.with_cores(cores))).collect();
        let mut points = Vec::new();
        for _ in 0..SCALING_ROUNDS {
            for search in &mut searches {
                if let Some(per_second) = search.ceiling(self.input.spec.effort.saturation / 2)? {
                    let cores_count = u32::try_from(search.findings.machine.cores).unwrap_or(u32::MAX);
                    points.push(ScalingPointInfo { cores_count, per_second });
                }
            }
        }
        Ok(points)
    }

    fn search(&self, machine: &Machine) -> Search<'a> {
        self.search_of(machine, self.most_grown_events())
    }

    fn search_of(&self, machine: &Machine, grown_events: u64) -> Search<'a> {
        let writers = self.writers(machine);
        Search::new(self.input, self.testbed, machine, self.durability, writers, grown_events)
    }

    fn writers(&self, machine: &Machine) -> u64 {
        self.input.spec.writers_on(machine, self.input.source).of(self.durability)
    }

    fn begin_search(&self, machine: &Machine, required: f64) {
        self.begin(Stage::Search, &format!("{machine} at {} and more", units::commands_per_second(required)));
    }

    /// Whether a machine is no larger than one that failed.
    fn is_ruled_out(&self, place: usize, failed: &[usize]) -> bool {
        failed.iter().any(|&failed| self.machines[failed].is_at_least(&self.machines[place]))
    }

    fn begin(&self, stage: Stage, name: &str) {
        self.input.job.observer.stage(stage, &format!("durability {}: {name}", self.durability));
    }

    fn required(&self) -> f64 {
        self.input.spec.required_per_second()
    }

    fn is_stopped(&self) -> bool {
        self.input.job.control.is_stopped()
    }
}

/// 1 to all cores: each count if they are few, else counts with about the same ratio to the next.
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

#[cfg(test)]
mod tests {
    use super::core_counts;

    #[test]
    fn core_counts_reach_from_one_to_all() {
        assert_eq!(core_counts(2).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(core_counts(6).count(), 6);
        for all in [8, 16, 64, 192] {
            let counts: Vec<_> = core_counts(all).collect();
            assert_eq!((counts[0], counts[counts.len() - 1]), (1, all), "{counts:?}");
            assert!((5..=6).contains(&counts.len()) && counts.is_sorted(), "{counts:?}");
        }
    }
}
