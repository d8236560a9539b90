//! A plan of a backend whose capacity is known: an M/D/1 queue on a simulated clock, on machines that die of what they lack.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ave_actors_rocksdb::trace::CommandKind;
use ave_workbench::actor::Durability;
use ave_workbench::host::Machine;
use ave_workbench::load::{Control, DriveSpec, JobContext, Load, Objective, RestartSpec, RunError};
use ave_workbench::measure::Trials;
use ave_workbench::plan::{Breadth, Demand, Effort, Journal, JournaledTestbed, PlanOutcome, PlanSpec, search_machines};
use ave_workbench::process::{
    DriveResult, Emulation, InProcess, ProcessError, Rig, RigOutcome, RigSpec, RigStep, RigSummary, Survey, SurveySpec,
    Testbed,
};
use ave_workbench::report::{Evidence, Rejection, Resource};

use crate::load::known_latency::{MD1, MILLISECOND, Scripted, SimulatedClock, appends};

/// The first bytes of an entry of a journal.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Every command takes a millisecond: a thousand a second is the ceiling.
const CEILING: f64 = 1_000.0;

pub(crate) fn spec(target_per_second: f64, objective: &str) -> PlanSpec {
    PlanSpec {
        short_of_disk: Vec::new(),
        target_per_second,
        objective: objective.parse().unwrap(),
        headroom_percent: 20.0,
        writers: Some(1),
        machines: Machine::profiles(),
        catalogue: None,
        emulates_parts_of_cores: true,
        demand: Demand::default(),
        host: Machine::host(2, 5 << 30),
        durabilities: vec![Durability::Off],
        // Time costs nothing here, and long probes leave little to chance.
        effort: Effort {
            saturation: Duration::from_secs(5),
            probe: Duration::from_secs(30),
            longest_probe: Duration::from_secs(30),
            warmup: Duration::from_secs(5),
            error: 0.1,
            climb: Duration::from_secs(60),
            breadth: Breadth::Smallest,
        },
        grown_events: vec![0],
        restart: RestartSpec { actors: 6, most_bytes: 1 << 20, repeats: 1 },
        disk_bytes_per_second: None,
    }
}

fn planned(spec: &PlanSpec) -> Result<PlanOutcome, ProcessError> {
    planned_on(spec, |testbed| search_machines(testbed, &appends(3), spec, JobContext::silent(&Control::default())))
}

/// Gives `ask` a testbed of the known queue.
pub(crate) fn planned_on<T>(_spec: &PlanSpec, ask: impl FnOnce(&dyn Testbed) -> T) -> T {
    let clock = SimulatedClock::default();
    let directory = tempfile::tempdir().unwrap();
    let target = Scripted::new(&clock, |_| MILLISECOND);
    let control = Control::default();
    let source = appends(3);
    let testbed = InProcess::new(&target, &source, directory.path(), &clock, JobContext::silent(&control));
    ask(&Alone(&testbed))
}

/// A testbed with the host to itself: what other programs do meanwhile on the host that runs this test is no part of a
/// simulation.
struct Alone<'a>(&'a dyn Testbed);

struct AloneRig<'a>(Box<dyn Rig + 'a>);

impl Testbed for Alone<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        self.0.emulation(machine)
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        Ok(match self.0.set_up(spec)? {
            RigOutcome::Completed(rig) => RigOutcome::Completed(Box::new(AloneRig(rig))),
            RigOutcome::OutOfMemory(step) => RigOutcome::OutOfMemory(step),
        })
    }
}

impl Rig for AloneRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<RigOutcome<DriveResult>, ProcessError> {
        let mut driven = self.0.drive(spec)?;
        if let RigOutcome::Completed(driven) = &mut driven {
            driven.drive.usage.foreign_cores = None;
            driven.drive.usage.steal_percent = None;
        }
        Ok(driven)
    }

    fn survey(&mut self, spec: &SurveySpec) -> Result<RigOutcome<Survey>, ProcessError> {
        self.0.survey(spec)
    }

    /// What answers on a simulated clock keeps nothing that could be verified.
    fn finish(self: Box<Self>, _verify: bool) -> Result<RigOutcome<RigSummary>, ProcessError> {
        self.0.finish(false)
    }
}

/// A testbed whose machines die of loads that need more memory than they have, and that keeps a book of what was asked.
pub(crate) struct Mortal<'a> {
    testbed: &'a dyn Testbed,
    /// MiB that a load needs.
    needs_mb: fn(Load) -> u64,
    /// MiB that every load needs at least.
    pub(crate) least_mb: u64,
    asked: Rc<RefCell<Vec<String>>>,
    /// Who is stopped once so many loads were measured.
    stops: Option<(&'a Control, usize)>,
}

struct MortalRig<'a> {
    rig: Box<dyn Rig + 'a>,
    machine: Machine,
    needs_mb: fn(Load) -> u64,
    least_mb: u64,
    asked: Rc<RefCell<Vec<String>>>,
    stops: Option<(&'a Control, usize)>,
}

impl<'a> Mortal<'a> {
    pub(crate) fn new(testbed: &'a dyn Testbed, needs_mb: fn(Load) -> u64) -> Self {
        Self { testbed, needs_mb, least_mb: 0, asked: Rc::default(), stops: None }
    }

    fn loads(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

impl Testbed for Mortal<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        if machine.is_host { Emulation::Host } else { Emulation::CoresAndMemory }
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        Ok(match self.testbed.set_up(spec)? {
            RigOutcome::Completed(rig) => RigOutcome::Completed(Box::new(MortalRig {
                rig,
                machine: spec.machine.clone(),
                needs_mb: self.needs_mb,
                least_mb: self.least_mb,
                asked: Rc::clone(&self.asked),
                stops: self.stops,
            })),
            RigOutcome::OutOfMemory(step) => RigOutcome::OutOfMemory(step),
        })
    }
}

impl Rig for MortalRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<RigOutcome<DriveResult>, ProcessError> {
        if let Some((control, _)) = self.stops.filter(|&(_, loads)| self.asked.borrow().len() >= loads) {
            control.stop();
        }
        self.asked.borrow_mut().push(format!("{} {}", self.machine, spec.load));
        if (self.needs_mb)(spec.load).max(self.least_mb) > self.machine.ram_mb {
            return Ok(RigOutcome::OutOfMemory(RigStep::Load));
        }
        self.rig.drive(spec)
    }

    fn survey(&mut self, spec: &SurveySpec) -> Result<RigOutcome<Survey>, ProcessError> {
        self.rig.survey(spec)
    }

    fn finish(self: Box<Self>, verify: bool) -> Result<RigOutcome<RigSummary>, ProcessError> {
        self.rig.finish(verify)
    }
}

/// The highest load at which an M/D/1 queue keeps its 99th percentile within `services` service times.
fn highest_load(services: f64) -> f64 {
    let (mut low, mut high) = (0.1, 0.99);
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        if MD1::new(middle).sojourn(0.99) <= services { low = middle } else { high = middle }
    }
    low
}

#[test]
fn the_rate_found_is_the_one_queueing_theory_gives() {
    for services in [4.0, 10.0] {
        let outcome = planned(&spec(100.0, &format!("p99={services}ms"))).unwrap();
        let mode = &outcome.modes[0];
        let found = mode.sustained_per_second().unwrap() / CEILING;
        let expected = highest_load(services);
        // 90 % of what holds in the worst slice is sustained: never above, and not far below.
        assert!((0.6..=0.95).contains(&(found / expected)), "{services} ms: load {found}, expected {expected}");
        let ceiling = mode.searched[0].ceiling_per_second().unwrap();
        assert!((ceiling / CEILING - 1.0).abs() < 0.001, "ceiling {ceiling}");
    }
}

#[test]
fn latency_is_measured_at_the_target_and_the_sustained_rate_on_later_loads_than_the_search() {
    let outcome = planned(&spec(200.0, "p99=10ms")).unwrap();
    let required = spec(200.0, "p99=10ms").required_per_second();
    assert!((required - 250.0).abs() < 1e-9 && (outcome.required_per_second - required).abs() < 1e-9);
    let mode = &outcome.modes[0];
    let findings = mode.principal().unwrap();
    let sustained = &findings.sustained[0];
    assert!(sustained.rate_per_second >= required);
    let is_below = |tried: f64| (sustained.rate_per_second - (0.9 * tried).max(required)).abs() < 1e-9;
    let decided = findings.decided.iter().find(|one| one.sustained == Some(true) && is_below(one.rate_per_second));
    let trials = decided.unwrap().trials;
    assert!(trials.held_count >= 4, "four in a row at least: {trials}");
    assert_eq!(findings.rounds().len(), trials.tried_count as usize, "every load that decided is evidence");
    let sojourn = |load: f64| MD1::new(load).sojourn(0.99) * MILLISECOND as f64;
    let at_target = mode.at_target.as_ref().unwrap();
    assert_eq!(at_target.trials.to_string(), "held 1 of 1");
    let response = &at_target.drive.measurement.command(CommandKind::Persist).unwrap().response;
    assert!((response.quantile(0.99) as f64 / sojourn(200.0 / CEILING) - 1.0).abs() < 0.15);
}

/// A testbed on which every second load at a rate misses the objective.
struct Fickle<'a> {
    testbed: &'a dyn Testbed,
    loads: Cell<u32>,
}

struct FickleRig<'a> {
    of: &'a Fickle<'a>,
    rig: Box<dyn Rig + 'a>,
}

impl Testbed for Fickle<'_> {
    fn emulation(&self, _machine: &Machine) -> Emulation {
        Emulation::CoresAndMemory
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        let rig = self.testbed.set_up(spec)?;
        Ok(rig.map(|rig| Box::new(FickleRig { of: self, rig }) as Box<dyn Rig>))
    }
}

impl Rig for FickleRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<RigOutcome<DriveResult>, ProcessError> {
        let driven = self.rig.drive(spec)?;
        let loads = self.of.loads.get();
        if let Load::Closed = spec.load {
            return Ok(driven);
        }
        self.of.loads.set(loads + 1);
        Ok(if loads % 2 == 1 { RigOutcome::OutOfMemory(RigStep::Load) } else { driven })
    }

    fn survey(&mut self, spec: &SurveySpec) -> Result<RigOutcome<Survey>, ProcessError> {
        self.rig.survey(spec)
    }

    fn finish(self: Box<Self>, verify: bool) -> Result<RigOutcome<RigSummary>, ProcessError> {
        self.rig.finish(verify)
    }
}

#[test]
fn a_rate_that_holds_every_second_time_is_never_sustained_however_often_it_is_tried() {
    let spec = PlanSpec { effort: Effort { error: 0.01, ..spec(100.0, "p99=10ms").effort }, ..spec(100.0, "p99=10ms") };
    planned_on(&spec, |testbed| {
        let fickle = Fickle { testbed, loads: Cell::new(0) };
        let job = Control::default();
        let outcome = search_machines(&fickle, &appends(3), &spec, JobContext::silent(&job)).unwrap();
        let mode = &outcome.modes[0];
        assert!(mode.recommended().is_none() && mode.sustained_per_second().is_none());
        let decided: Vec<_> = mode.searched.iter().flat_map(|findings| &findings.decided).collect();
        assert!(decided.iter().all(|one| one.sustained == Some(false)), "{decided:?}");
        let counts_both = |trials: Trials| trials.held_count > 0 && trials.held_count < trials.tried_count;
        assert!(decided.iter().any(|one| counts_both(one.trials)), "{decided:?}");
    });
}

/// A testbed without memory for databases that have grown by more than so many events.
struct Outgrown<'a> {
    testbed: &'a dyn Testbed,
    most_events: u64,
    /// Growth of the databases that were set up.
    grown_events: RefCell<Vec<u64>>,
}

impl Testbed for Outgrown<'_> {
    fn emulation(&self, _machine: &Machine) -> Emulation {
        Emulation::CoresAndMemory
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        self.grown_events.borrow_mut().push(spec.grown_events);
        if spec.grown_events > self.most_events {
            return Ok(RigOutcome::OutOfMemory(RigStep::Filling));
        }
        self.testbed.set_up(spec)
    }
}

#[test]
fn where_no_machine_is_enough_for_the_largest_database_the_machine_for_a_smaller_one_is_found() {
    for (most_events, expected) in [(1_000, 100), (60, 60), (59, 30), (0, 0)] {
        let spec = PlanSpec { grown_events: vec![0, 30, 60, 100], ..spec(100.0, "p99=10ms") };
        planned_on(&spec, |testbed| {
            let outgrown = Outgrown { testbed, most_events, grown_events: RefCell::default() };
            let job = Control::default();
            let outcome = search_machines(&outgrown, &appends(3), &spec, JobContext::silent(&job)).unwrap();
            let mode = &outcome.modes[0];
            assert_eq!(mode.recommended().unwrap().machine.name, "nano", "{most_events}");
            let set_up = outgrown.grown_events.into_inner();
            let fitting = set_up.iter().find(|&&grown_events| grown_events <= most_events);
            assert_eq!(fitting, Some(&expected), "the largest that fits first: {set_up:?}");
            let sizes = spec.grown_events.iter().filter(|&&grown_events| grown_events <= expected).count();
            assert_eq!(mode.sizes.len(), sizes, "that one and the smaller ones are measured");
        });
    }
}

#[test]
fn a_target_beyond_the_ceiling_is_held_by_nothing_and_is_not_even_offered() {
    let outcome = planned(&spec(2_000.0, "p99=10ms")).unwrap();
    let mode = &outcome.modes[0];
    assert!(mode.recommended().is_none());
    let findings = mode.principal().unwrap();
    assert!(findings.probes.iter().all(|probe| probe.offered_per_second < 1.06 * CEILING));
    let sustained = mode.sustained_per_second().unwrap();
    assert!(sustained > 0.5 * CEILING && sustained < CEILING, "what does hold is found all the same: {sustained}");
    assert_eq!(findings.machine.name, "medium", "the largest that this host can pretend to be");
}

#[test]
fn an_objective_no_rate_can_meet_is_met_by_none() {
    let outcome = planned(&spec(10.0, "p50=500us")).unwrap();
    let mode = &outcome.modes[0];
    assert!(mode.sustained_per_second().is_none() && mode.recommended().is_none());
    for findings in &mode.searched {
        assert!(findings.probes.iter().all(|probe| probe.rejection.is_some()));
        assert!(findings.probes.iter().any(|probe| probe.rejection == Some(Rejection::TooSlow)));
    }
}

#[test]
fn the_smallest_machine_that_does_not_die_is_recommended_and_the_dead_are_told() {
    planned_on(&spec(100.0, "p99=10ms"), |testbed| {
        let mortal = Mortal::new(testbed, |_| 1_500);
        let outcome =
            search_machines(&mortal, &appends(3), &spec(100.0, "p99=10ms"), JobContext::silent(&Control::default()))
                .unwrap();
        let mode = &outcome.modes[0];
        let recommended = mode.recommended().unwrap();
        assert_eq!((recommended.machine.name.as_str(), recommended.known.evidence), ("small", Evidence::Emulated));
        for name in ["nano", "micro"] {
            let verdict = mode.verdicts.iter().find(|verdict| verdict.machine.name == name).unwrap();
            assert_eq!((verdict.known.holds, verdict.known.sustained_per_second), (Some(false), None), "{name}");
            assert_eq!(verdict.known.binding.as_ref().unwrap().resource, Resource::Memory);
            assert!(verdict.known.reason.contains("killed"), "{}", verdict.known.reason);
        }
        let implied: Vec<_> =
            mode.verdicts.iter().filter(|verdict| verdict.known.evidence == Evidence::Implied).collect();
        assert!(implied.iter().any(|verdict| verdict.machine.name == "2xlarge" && verdict.known.holds == Some(true)));
    });
}

#[test]
fn a_machine_that_dies_only_at_higher_rates_holds_the_lower_ones() {
    let needs = |load: Load| match load {
        Load::Open { per_second, .. } if per_second < 500.0 => 100,
        _ => 600,
    };
    planned_on(&spec(100.0, "p99=10ms"), |testbed| {
        let mortal = Mortal::new(testbed, needs);
        let outcome =
            search_machines(&mortal, &appends(3), &spec(100.0, "p99=10ms"), JobContext::silent(&Control::default()))
                .unwrap();
        let mode = &outcome.modes[0];
        assert_eq!(mode.recommended().unwrap().machine.name, "nano");
        let sustained = mode.principal().unwrap().sustained_per_second().unwrap();
        assert!(sustained > 125.0 && sustained < 500.0, "{sustained}");
        assert!(mode.principal().unwrap().ceiling_per_second().is_none());
    });
}

#[test]
fn without_memory_limits_only_what_fitted_counts() {
    let outcome = planned(&spec(100.0, "p99=10ms")).unwrap();
    let mode = &outcome.modes[0];
    let findings = mode.principal().unwrap();
    assert!(findings.sustained.iter().all(|sustained| sustained.footprint.rss_bytes > 0));
    let verdict = mode.recommended().unwrap();
    assert_eq!(verdict.known.evidence, Evidence::CoresEmulated);
    let took = findings.sustained[0].footprint.total_bytes();
    assert!(took <= verdict.machine.usable_ram_bytes(), "{took} bytes on {}", verdict.machine);
}

#[test]
fn what_an_interrupted_plan_measured_is_not_measured_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let spec = spec(100.0, "p99=10ms");
    let (whole, cut, resumed) = planned_on(&spec, |testbed| {
        let whole = Mortal::new(testbed, |_| 0);
        search_machines(&whole, &appends(3), &spec, JobContext::silent(&Control::default())).unwrap();
        let cut = Mortal::new(testbed, |_| 0);
        interrupted_plan(&cut, &spec, &path, 5);
        let resumed = Mortal::new(testbed, |_| 0);
        let journal = Journal::open(&path, "these inputs").unwrap();
        assert_eq!(journal.loads(), 5);
        let control = Control::default();
        let journaled = JournaledTestbed::new(&resumed, journal, &control);
        let outcome = search_machines(&journaled, &appends(3), &spec, JobContext::silent(&control)).unwrap();
        assert!(!outcome.interrupted && outcome.modes[0].recommended().is_some());
        (whole.loads(), cut.loads(), resumed.loads())
    });
    assert_eq!(cut[..5], whole[..5]);
    assert!(resumed.len() < whole.len() + 3, "{} loads after 5 that were known, {} in all", resumed.len(), whole.len());
    assert!(!resumed.contains(&whole[0]), "the ceiling was known");
}

/// Runs a plan until so many loads were measured.
fn interrupted_plan(testbed: &dyn Testbed, spec: &PlanSpec, journal: &Path, loads: usize) {
    let control = Control::default();
    let stopping = Mortal { stops: Some((&control, loads)), ..Mortal::new(testbed, |_| 0) };
    let journaled = JournaledTestbed::new(&stopping, Journal::open(journal, "these inputs").unwrap(), &control);
    let outcome = search_machines(&journaled, &appends(3), spec, JobContext::silent(&control)).unwrap();
    assert!(outcome.interrupted);
}

#[test]
fn the_journal_of_another_plan_and_a_line_that_was_cut_off_are_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let spec = spec(100.0, "p99=10ms");
    planned_on(&spec, |testbed| interrupted_plan(testbed, &spec, &path, 3));
    let written = std::fs::read(&path).unwrap();
    let begins_entry = |at: &usize| written[*at..].starts_with(&ZSTD_MAGIC);
    let loads_if_cut = |at: usize| {
        std::fs::write(&path, &written[..at + 10]).unwrap();
        Journal::open(&path, "these inputs").unwrap().loads()
    };
    // The last entry may be another one than a load.
    let fewer = (0..written.len() - 10).rev().filter(begins_entry).map(loads_if_cut).find(|&loads| loads < 3);
    assert_eq!(fewer, Some(2));
    let other = Journal::open(&path, "other inputs").unwrap();
    assert_eq!(other.loads(), 0);
    assert!(other.dropped_bytes() > 0);
    drop(other);
    assert_eq!(Journal::open(&path, "these inputs").unwrap().loads(), 0, "it is that of the other plan now");
}

#[test]
fn what_cannot_be_answered_is_said_before_time_is_spent() {
    let refused = |spec: PlanSpec, expected: &str| {
        let error = planned(&spec).unwrap_err();
        assert!(matches!(&error, ProcessError::Run(RunError::Settings(text)) if text.contains(expected)), "{error}");
    };
    let good = || spec(100.0, "p99=10ms");
    refused(PlanSpec { host: Machine::host(1, 8 << 30), ..good() }, "1 core");
    refused(PlanSpec { target_per_second: f64::NAN, ..good() }, "more than 0");
    for headroom_percent in [-1.0, 100.0, 250.0] {
        refused(PlanSpec { headroom_percent, ..good() }, "0 to below 100");
    }
    refused(PlanSpec { machines: vec![Machine::custom(2, 40)], ..good() }, "40 MiB");
    let objective: Objective = "recover:p99=10ms".parse().unwrap();
    refused(PlanSpec { objective, ..good() }, "never issues");
}
