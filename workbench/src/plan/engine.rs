//! The searches of a plan: per durability mode the smallest machine that sustains the required rate, its highest rate, this
//! host, and how throughput scales with cores.

use std::time::Duration;

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Drive, JobContext, RunError, Source, harness_ns_per_operation};
use crate::plan::evidence::verdict;
use crate::plan::outcome::{MachineFindings, MachineVerdict, ModeFindings, PlanOutcome};
use crate::plan::scaling::Scaling;
use crate::plan::search::{Search, SearchInput};
use crate::plan::spec::{Breadth, PlanSpec};
use crate::plan::stages;
use crate::process::{ProcessError, Survey, Testbed};
use crate::report::ScalingPointInfo;

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
    let command = spec.check(source)?;
    let harness_ns_per_operation = harness_ns_per_operation(source)?;
    let input = SearchInput { source, spec, command, job };
    let at_target = stages::announce(spec, &input);
    let mut modes = Vec::new();
    for &durability in &spec.durabilities {
        let search = ModeSearch { testbed, durability, input: &input, at_target };
        match search.run() {
            // The modes before the interruption are worth a report.
            Err(ProcessError::Run(RunError::Interrupted)) if !modes.is_empty() => break,
            mode => modes.push(mode?),
        }
    }
    let interrupted = job.control.is_stopped();
    let required_per_second = spec.required_per_second();
    Ok(PlanOutcome { command, required_per_second, modes, harness_ns_per_operation, interrupted })
}

struct ModeSearch<'a> {
    testbed: &'a dyn Testbed,
    durability: Durability,
    input: &'a SearchInput<'a>,
    /// Time for which the target is offered.
    at_target: Duration,
}

impl ModeSearch<'_> {
    fn run(&self) -> Result<ModeFindings, ProcessError> {
        let mut mode = ModeFindings::new(self.durability);
        self.search_candidates(&mut mode)?;
        if self.is_host_needed(&mode) {
            mode.searched.push(self.search_host(&mode)?);
        }
        if self.input.spec.extrapolates() && !self.is_stopped() {
            mode.scaling_points = self.measure_scaling()?;
            mode.scaling = Some(Scaling::fit(&mode.scaling_points));
        }
        if !mode.searched.iter().any(MachineFindings::has_evidence) && self.is_stopped() {
            return Err(RunError::Interrupted.into());
        }
        mode.interrupted = self.is_stopped();
        mode.searched.sort_by_key(|findings| (findings.machine.cores, findings.machine.ram_mb));
        let of = |machine: Machine| {
            let known = verdict(&machine, &mode, self.required(), self.input.spec.disk_bytes_per_second);
            MachineVerdict { machine, known }
        };
        mode.verdicts = self.input.spec.candidates_and_host().into_iter().map(of).collect();
        Ok(mode)
    }

    fn search_candidates(&self, mode: &mut ModeFindings) -> Result<(), ProcessError> {
        let machines = self.input.spec.emulatable();
        let all = self.input.spec.effort.breadth == Breadth::All;
        let found = if all { self.every(&machines, mode)? } else { self.smallest(&machines, mode)? };
        if let Some(mut search) = found {
            self.begin(&format!("highest rate of {}", search.findings.machine));
            search.climb(self.required(), self.required())?;
            mode.at_target = self.measure_at_target(&mut search)?;
            mode.survey = self.survey(&mut search)?;
            mode.searched.push(search.finish(true)?);
        }
        Ok(())
    }

    /// Searches every machine; the smallest that sustains the required rate is left open for more.
    fn every<'s>(&'s self, machines: &[Machine], mode: &mut ModeFindings) -> Result<Option<Search<'s>>, ProcessError> {
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

    /// The smallest machine that sustains the required rate: the first is tried first, then the last, then the middle of
    /// the rest. A machine with no fewer cores and no less memory sustains what the smaller one does; machines that cannot
    /// be ordered that way are tried one after the other.
    fn smallest<'s>(
        &'s self,
        machines: &[Machine],
        mode: &mut ModeFindings,
    ) -> Result<Option<Search<'s>>, ProcessError> {
        let (mut fails, mut holds) = (None, machines.len());
        let mut best: Option<Search<'s>> = None;
        let mut next = 0;
        while !self.is_stopped() {
            let (mut search, is_held) = self.attempt(&machines[next])?;
            if is_held {
                holds = next;
                if let Some(larger) = best.replace(search) {
                    mode.searched.push(larger.finish(false)?);
                }
            } else {
                fails = Some(next);
                let is_last = next + 1 == machines.len();
                if is_last {
                    // No machine qualifies: the highest rate of the largest one tells by how much.
                    search.climb(0.0, self.required())?;
                }
                mode.searched.push(search.finish(is_last)?);
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

    /// The ceiling of a machine, and whether it sustains the required rate.
    fn attempt(&self, machine: &Machine) -> Result<(Search<'_>, bool), ProcessError> {
        self.begin(&format!("{machine} at {:.0} commands/s", self.required()));
        let mut search = self.search(machine);
        search.saturate()?;
        let holds = search.sustains(self.required())?;
        Ok((search, holds))
    }

    fn measure_at_target(&self, search: &mut Search<'_>) -> Result<Option<Drive>, ProcessError> {
        if self.is_stopped() {
            return Ok(None);
        }
        self.begin("latency at the target");
        search.offer(self.input.spec.target_per_second, self.at_target)
    }

    /// Stored data and restarts, once for all modes.
    fn survey(&self, search: &mut Search<'_>) -> Result<Option<Survey>, ProcessError> {
        let is_first = self.input.spec.durabilities.first() == Some(&self.durability);
        if !is_first || self.is_stopped() {
            return Ok(None);
        }
        self.begin("size of the data and time of a restart");
        search.survey(&self.input.spec.restart)
    }

    fn is_host_needed(&self, mode: &ModeFindings) -> bool {
        let is_known = mode.searched_machine(&self.input.spec.host).is_some();
        self.input.spec.effort.breadth != Breadth::Smallest && !is_known && !self.is_stopped()
    }

    /// The highest rate of this host without limits, from the rate that a smaller machine sustains.
    fn search_host(&self, mode: &ModeFindings) -> Result<MachineFindings, ProcessError> {
        self.begin("highest rate of this host");
        let mut search = self.search(&self.input.spec.host);
        search.saturate()?;
        let smaller = mode.searched.iter().filter(|findings| self.input.spec.host.is_at_least(&findings.machine));
        let known = smaller.filter_map(MachineFindings::sustained_per_second).fold(0.0, f64::max);
        search.climb(known, self.required())?;
        search.finish(false)
    }

    /// The ceilings of this host on fewer cores and on all, in turns.
    fn measure_scaling(&self) -> Result<Vec<ScalingPointInfo>, ProcessError> {
        self.begin("scaling with cores");
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
        for search in searches {
            search.finish(false)?;
        }
        Ok(points)
    }

    fn search(&self, machine: &Machine) -> Search<'_> {
        let workers = self.input.spec.workers.unwrap_or(machine.cores as u64).min(self.input.source.actors()).max(1);
        Search::new(self.input, self.testbed, machine, self.durability, workers)
    }

    fn begin(&self, stage: &str) {
        self.input.job.observer.stage(&format!("durability {}: {stage}", self.durability));
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
