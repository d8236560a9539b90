//! Certifications of a backend with known latencies, on a simulated clock.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use ave_actors_rocksdb::trace::CommandKind;
use ave_actors_store::config::{MachineProfile, MachineSpec};
use ave_workbench::actor::Durability;
use ave_workbench::certify::{
    Certification, CertifyError, CertifyInputs, CertifyJournal, CertifyOutcome, CertifySpec, EarlyEnd, Finding,
    InterruptionKind, JournalHead, JudgedSlice, judge,
};
use ave_workbench::host::Machine;
use ave_workbench::load::{
    Control, Drive, DriveSpec, EngineCounters, JobContext, RequestKind, RunError, Sample, SessionSize, Source,
    Verified, WarmUp, Writers,
};
use ave_workbench::measure::{LatencyHistogram, MachineTime, Percentile, Snapshot};
use ave_workbench::process::{
    DriveResult, Emulation, InProcess, JournalError, ProcessError, Rig, RigOutcome, RigSpec, RigSummary, Survey,
    SurveySpec, SuspendedRig, Testbed,
};
use ave_workbench::report::Outcome;
use ave_workbench::workload::Arrivals;
use tempfile::TempDir;

use crate::load::known_latency::{MILLISECOND, SECOND, Scripted, SimulatedClock, appends};
use crate::support::workload;

/// Ten minutes at 200 commands/s in slices of 10 s and segments of a minute.
fn spec(objective: &str) -> CertifySpec {
    CertifySpec {
        rate_per_second: 200.0,
        objective: objective.parse().unwrap(),
        duration: Duration::from_secs(600),
        slice: Duration::from_secs(10),
        segment: Duration::from_secs(60),
        warmup: WarmUp::NONE,
        durabilities: vec![Durability::On],
        writers: Writers::both(1),
    }
}

pub(crate) fn head(spec: &CertifySpec, source: &Source, data_directory: &Path) -> JournalHead {
    let machine_spec = MachineSpec::Profile(MachineProfile::Nano);
    let inputs =
        CertifyInputs::new(source, Path::new("none"), spec, CommandKind::Persist.into(), &machine_spec).unwrap();
    JournalHead {
        inputs,
        data_directory: data_directory.to_owned(),
        machine: "this one".to_owned(),
        commit: Some("1a2b3c4d5e6f".to_owned()),
        command: "ave-workbench certify".to_owned(),
        began_at: jiff::Timestamp::now(),
    }
}

/// A testbed whose samples, sizes and free space follow a script: the real ones depend on the machine that runs the tests.
struct Staged<'a> {
    inner: &'a dyn Testbed,
    clock: &'a SimulatedClock,
    stages: &'a Stages,
    /// Size of the database in steps of growth.
    size: Cell<u64>,
    /// Loads so far.
    loads: Cell<u32>,
}

struct StagedRig<'a> {
    inner: Box<dyn Rig + 'a>,
    of: &'a Staged<'a>,
}

impl Testbed for Staged<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        self.inner.emulation(machine)
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        let rig = self.inner.set_up(spec)?;
        Ok(rig.map(|inner| Box::new(StagedRig { inner, of: self }) as Box<dyn Rig>))
    }

    fn resume(&self, suspended: &SuspendedRig) -> Result<Box<dyn Rig + '_>, ProcessError> {
        Ok(Box::new(StagedRig { inner: self.inner.resume(suspended)?, of: self }))
    }
}

impl Rig for StagedRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<RigOutcome<DriveResult>, ProcessError> {
        let Staged { clock, stages, size, loads, .. } = self.of;
        loads.set(loads.get() + 1);
        if stages.fails_at == Some(loads.get()) {
            return Err(RunError::NothingMeasured { commands: 0, warmup_seconds: 0.0 }.into());
        }
        let began = clock.seconds();
        let driven = self.inner.drive(spec)?;
        let sample = |second: u64| {
            let (machine, engine) = (stages.counters)(began + second);
            let process = Snapshot { machine: Some(machine), swapped_bytes: Some(0), ..Snapshot::default() };
            Sample { at: Duration::from_secs(second), process, commands: 0, engine: Some(engine) }
        };
        let bytes = |size: u64| stages.space.map_or(0, |(_, growth)| growth * size);
        Ok(driven.map(|driven| {
            let samples = (0..=driven.drive.measurement.elapsed_ns.div_ceil(SECOND)).map(sample).collect();
            let database_bytes_before = bytes(size.get());
            size.set(size.get() + 1);
            DriveResult {
                drive: Drive { samples, ..driven.drive },
                database_bytes_before,
                database_bytes: bytes(size.get()),
                free_bytes: stages.space.map(|(free, _)| free),
                memory_peak_bytes: None,
                harness_memory_bytes: None,
            }
        }))
    }

    fn survey(&mut self, spec: &SurveySpec) -> Result<RigOutcome<Survey>, ProcessError> {
        self.inner.survey(spec)
    }

    fn finish(self: Box<Self>, verify: bool) -> Result<RigOutcome<RigSummary>, ProcessError> {
        let verified = self.of.stages.verified.clone();
        let summary = self.inner.finish(verify && verified.is_none())?;
        Ok(summary.map(|summary| match verified {
            Some(verified) => RigSummary { verified: Some(verified), size: SessionSize::default(), ..summary },
            None => summary,
        }))
    }

    fn suspend(self: Box<Self>) -> Result<Option<SuspendedRig>, ProcessError> {
        self.inner.suspend()
    }
}

/// A certification with its clock, backend and directories.
struct Trial {
    clock: SimulatedClock,
    target: Scripted,
    source: Source,
    spec: CertifySpec,
    directory: TempDir,
    stages: Stages,
}

/// What does not depend on the machine that runs the tests.
struct Stages {
    /// Counters of machine and engine at a second of the simulated time.
    counters: fn(u64) -> (MachineTime, EngineCounters),
    /// Result of the comparison; `None` compares what is really stored, which is nothing.
    verified: Option<Verified>,
    /// Free space, and growth of the database in a segment.
    space: Option<(u64, u64)>,
    /// The load that fails, from 1.
    fails_at: Option<u32>,
}

fn quiet(second: u64) -> (MachineTime, EngineCounters) {
    (MachineTime { all: 200 * second, steal: 0, busy: 0 }, EngineCounters::default())
}

impl Trial {
    /// `service_ns` is the duration of a write by the moment it begins.
    fn new(spec: CertifySpec, service_ns: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Self {
        let clock = SimulatedClock::default();
        let target = Scripted::new(&clock, service_ns);
        let stages = Stages { counters: quiet, verified: Some(Verified::default()), space: None, fails_at: None };
        Self { clock, target, source: appends(1), spec, directory: tempfile::tempdir().unwrap(), stages }
    }

    fn staged(self, stage: impl FnOnce(&mut Stages)) -> Self {
        let mut trial = self;
        stage(&mut trial.stages);
        trial
    }

    fn journal(&self, fresh: bool) -> Result<CertifyJournal, CertifyError> {
        let head = head(&self.spec, &self.source, self.directory.path());
        CertifyJournal::open(&self.directory.path().join("reports"), head, fresh)
    }

    fn run_until(&self, stop_after: u64) -> Result<CertifyOutcome, CertifyError> {
        let (control, mut journal) = (Control::default(), self.journal(false)?);
        let databases = journal.head().databases();
        let job = JobContext::silent(&control);
        let inner = InProcess::new(&self.target, &self.source, &databases, &self.clock, job).keeping_databases();
        let (clock, stages) = (&self.clock, &self.stages);
        let testbed = Staged { inner: &inner, clock, stages, size: Cell::new(1), loads: Cell::new(0) };
        let certification = Certification {
            spec: &self.spec,
            request: CommandKind::Persist.into(),
            arrivals: Arrivals::Constant,
            machine: Machine::host(2, 5 << 30),
            cores: 2,
            job,
            on_progress: &|mode, _| {
                if mode.slices.len() as u64 >= stop_after {
                    control.stop();
                }
            },
        };
        certification.run(&testbed, &mut journal)
    }

    fn run(&self) -> CertifyOutcome {
        self.run_until(u64::MAX).unwrap()
    }

    /// The verdict and the findings.
    fn judged(&self) -> (Outcome, Vec<Finding>) {
        let (verdict, findings) = judge(&self.spec, &self.run());
        (verdict, findings.into_iter().map(|(_, finding)| finding).collect())
    }
}

/// All slices without their dates.
fn figures(outcome: &CertifyOutcome) -> Vec<JudgedSlice> {
    let slices = outcome.modes.iter().flat_map(|mode| &mode.slices);
    slices.map(|slice| JudgedSlice { began_at: jiff::Timestamp::UNIX_EPOCH, ..slice.clone() }).collect()
}

#[test]
fn a_steady_backend_passes_in_every_slice() {
    let trial = Trial::new(spec("p99=10ms"), |_| 2 * MILLISECOND);
    assert_eq!(trial.judged(), (Outcome::Pass, vec![]));
    let outcome = Trial::new(spec("p99=10ms"), |_| 2 * MILLISECOND).run();
    let mode = &outcome.modes[0];
    assert_eq!((outcome.interrupted, mode.slices.len(), mode.segments, mode.state.databases), (false, 60, 10, 1));
    assert_eq!((mode.state.early_end, outcome.interruptions.len(), mode.pauses_seconds.len()), (None, 0, 9));
    for (place, slice) in (0..).zip(&mode.slices) {
        assert_eq!((slice.at_seconds, slice.count, slice.met), (10 * place, 2_000, Some(true)));
        let percentile = slice.percentile_ns.unwrap() as f64;
        assert!((percentile / 2e6 - 1.0).abs() < 0.001, "{slice:?}");
        assert!((slice.commands_per_second - 200.0).abs() < 1e-9);
        assert!(!slice.is_missed() && !slice.is_disturbed());
    }
}

/// Half a second without an answer in ten minutes: one command in a thousand is late, and in its slice one in twenty.
#[test]
fn a_stall_in_one_slice_fails_although_the_percentile_of_the_whole_time_passes() {
    let stalled = |now: u64| {
        let stall = 373 * SECOND..373 * SECOND + SECOND / 2;
        MILLISECOND + if stall.contains(&now) { stall.end - now } else { 0 }
    };
    let trial = Trial::new(spec("p99=10ms"), stalled);
    let outcome = trial.run();
    let journal = trial.journal(false).unwrap();
    let response = |drive: Drive| drive.measurement.command(CommandKind::Persist).unwrap().response.clone();
    let mut whole = LatencyHistogram::new();
    for segment in journal.segments(Durability::On).unwrap() {
        whole.add(&response(segment.unwrap().drive));
    }
    assert_eq!(whole.count(), 120_000);
    assert!(whole.quantile(0.99) < 2 * MILLISECOND, "the whole time hides it");

    assert_eq!(judge(&trial.spec, &outcome), (Outcome::Fail, vec![(Durability::On, Finding::Missed(1))]));
    let missed: Vec<_> = outcome.modes[0].slices.iter().filter(|slice| slice.is_missed()).collect();
    assert_eq!(missed, [outcome.modes[0].worst().unwrap()]);
    assert_eq!((missed[0].at_seconds, missed[0].count), (370, 2_000));
    assert!((400 * MILLISECOND..500 * MILLISECOND).contains(&missed[0].percentile_ns.unwrap()));
}

#[test]
fn a_rising_latency_that_would_reach_the_limit_is_inconclusive() {
    // From 1 ms to 4 ms in ten minutes.
    let slower = |now: u64| MILLISECOND + now / 200_000;
    let (verdict, findings) = Trial::new(spec("p99=5ms"), slower).judged();
    assert_eq!(verdict, Outcome::Inconclusive);
    let [Finding::LatencyRises { percentile: Percentile::P99, drift }] = findings[..] else { panic!("{findings:?}") };
    assert!((drift.at_twice / 7e6 - 1.0).abs() < 0.02, "7 ms after ten minutes more: {drift:?}");

    let (verdict, findings) = Trial::new(spec("p99=50ms"), slower).judged();
    assert_eq!(verdict, Outcome::Pass, "far from the limit");
    assert!(matches!(findings[..], [Finding::MedianRose(drift)] if drift.to > 1.5 * drift.from), "{findings:?}");
}

#[test]
fn growing_compaction_debt_is_inconclusive() {
    let growing = |second: u64| {
        let engine = EngineCounters { pending_compaction_bytes: second << 20, ..EngineCounters::default() };
        (quiet(second).0, engine)
    };
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.counters = growing);
    let (verdict, findings) = trial.judged();
    assert_eq!(verdict, Outcome::Inconclusive);
    assert!(matches!(findings[..], [Finding::DebtGrows(drift)] if drift.to > 400e6), "{findings:?}");

    // As large, and paid back every half minute.
    let swinging = |second: u64| {
        let pending_compaction_bytes = (second % 30) << 24;
        (quiet(second).0, EngineCounters { pending_compaction_bytes, ..EngineCounters::default() })
    };
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.counters = swinging);
    assert_eq!(trial.judged(), (Outcome::Pass, vec![]));
}

#[test]
fn growing_stalls_are_inconclusive() {
    // Held back for longer and longer: half of each second in the end.
    let growing = |second: u64| {
        let stall_micros = second * second * 1_000_000 / 2_400;
        (quiet(second).0, EngineCounters { stall_micros, ..EngineCounters::default() })
    };
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.counters = growing);
    let (verdict, findings) = trial.judged();
    assert_eq!(verdict, Outcome::Inconclusive);
    assert!(matches!(findings[..], [Finding::StallsGrow(drift)] if drift.to > 3_000.0), "{findings:?}");
}

/// Slow from the second minute to the third, and half of the machine stolen meanwhile.
fn stolen(second: u64) -> (MachineTime, EngineCounters) {
    let (machine, engine) = quiet(second);
    (MachineTime { steal: 100 * second.clamp(60, 120), ..machine }, engine)
}

#[test]
fn a_disturbed_miss_is_inconclusive_and_an_undisturbed_one_fails() {
    let slow_while = |from: u64, to: u64| {
        move |now: u64| if (from * SECOND..to * SECOND).contains(&now) { 4 * MILLISECOND } else { MILLISECOND }
    };
    let trial = |from, to| Trial::new(spec("p99=3ms"), slow_while(from, to)).staged(|stages| stages.counters = stolen);
    let disturbed = trial(60, 80);
    assert_eq!(disturbed.judged(), (Outcome::Inconclusive, vec![Finding::MissedDisturbed(2)]));
    let outcome = trial(60, 80).run();
    for slice in &outcome.modes[0].slices {
        let expected: &[_] =
            if (60..120).contains(&slice.at_seconds) { &["the hypervisor took 50 % of the CPU time"] } else { &[] };
        assert_eq!(slice.disturbed_by, expected, "{slice:?}");
    }
    let (verdict, findings) = trial(110, 130).judged();
    assert_eq!((verdict, &findings[0]), (Outcome::Fail, &Finding::Missed(1)));
    assert!(findings.contains(&Finding::MissedDisturbed(1)), "{findings:?}");
    assert_eq!(trial(0, 0).judged(), (Outcome::Pass, vec![]), "a disturbed slice that met the limit met it");
}

#[test]
fn a_load_that_cannot_be_served_is_aborted_and_fails() {
    let trial = Trial::new(spec("p99=10ms"), |now| if now < 90 * SECOND { MILLISECOND } else { 20 * MILLISECOND });
    let outcome = trial.run();
    let (verdict, findings) = judge(&trial.spec, &outcome);
    assert_eq!(verdict, Outcome::Fail);
    assert!(findings.contains(&(Durability::On, Finding::GaveUp)), "{findings:?}");
    let mode = &outcome.modes[0];
    assert!(!outcome.interrupted && mode.state.early_end == Some(EarlyEnd::GaveUp));
    assert!((10..12).contains(&mode.slices.len()), "{} slices", mode.slices.len());
    assert!(mode.slices.last().unwrap().fell_behind);
    assert_eq!(mode.worst(), mode.slices.last());
}

#[test]
fn a_certification_ends_before_the_disk_is_full() {
    let space = Some((3_000, 1_000));
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.space = space);
    let outcome = trial.run();
    let (verdict, findings) = judge(&trial.spec, &outcome);
    assert_eq!(verdict, Outcome::Inconclusive);
    assert!(matches!(findings[..], [(_, Finding::FullDisk(full))] if full.expected_bytes == 7_000), "{findings:?}");
    assert_eq!((outcome.interrupted, outcome.modes[0].segments), (false, 3));
}

#[test]
fn lost_data_fail_whatever_the_latencies() {
    // The scripted backend stores nothing.
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.verified = None);
    let (verdict, findings) = trial.judged();
    assert_eq!(verdict, Outcome::Fail);
    assert!(matches!(&findings[..], [Finding::DataDiffer(first)] if !first.is_empty()), "{findings:?}");
}

#[test]
fn slices_with_too_few_samples_are_inconclusive() {
    let trial = Trial::new(spec("p99.99=10ms"), |_| MILLISECOND);
    let (verdict, findings) = trial.judged();
    assert_eq!((verdict, &findings[0]), (Outcome::Inconclusive, &Finding::TooFewSamples(60)));
}

#[test]
fn a_resumed_certification_has_the_figures_of_an_uninterrupted_one() {
    // Another latency in every slice.
    let varied = |now: u64| MILLISECOND + (now / (10 * SECOND)) * 7_919 % 1_000_000;
    let whole = figures(&Trial::new(spec("p99=10ms"), varied).run());
    let trial = Trial::new(spec("p99=10ms"), varied);
    for (stop_after, slices) in [(12, 12), (13, 18), (40, 42)] {
        let outcome = trial.run_until(stop_after).unwrap();
        assert!(outcome.interrupted);
        assert_eq!(figures(&outcome), whole[..slices]);
        let (verdict, findings) = judge(&trial.spec, &outcome);
        assert_eq!(verdict, Outcome::Inconclusive);
        let interrupted = Finding::Interrupted { slices: slices as u64, of: 60 };
        assert!(findings.contains(&(Durability::On, interrupted)), "{findings:?}");
    }
    let outcome = trial.run();
    assert!(!outcome.interrupted);
    assert_eq!(figures(&outcome), whole);
    assert_eq!(outcome.modes[0].state.databases, 1);
    let seen: Vec<_> =
        outcome.interruptions.iter().map(|one| (one.kind, one.after_slices_count, one.database_is_new)).collect();
    assert_eq!(seen, [12, 18, 42].map(|slices| (InterruptionKind::Stopped, slices, false)));
    assert!(outcome.interruptions.iter().all(|seen| seen.resumed_at > seen.stopped_at));
    assert_eq!(judge(&trial.spec, &outcome).0, Outcome::Pass);
    assert_eq!(figures(&trial.run()), whole, "once finished, it is not measured again");
}

#[test]
fn a_database_that_was_not_closed_is_replaced_and_recorded() {
    let mut trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND).staged(|stages| stages.fails_at = Some(4));
    assert!(matches!(trial.run_until(u64::MAX), Err(CertifyError::Run(RunError::NothingMeasured { .. }))));
    trial.stages.fails_at = None;
    let outcome = trial.run();
    let mode = &outcome.modes[0];
    assert_eq!((outcome.interrupted, mode.slices.len(), mode.state.databases), (false, 60, 2));
    assert_eq!(mode.on_last_database().len(), 42);
    let interruption = outcome.interruptions[0];
    assert_eq!((interruption.kind, interruption.after_slices_count), (InterruptionKind::Ended, 18));
    assert!(interruption.database_is_new && interruption.stopped_at.is_none() && interruption.resumed_at.is_some());
    assert_eq!(judge(&trial.spec, &outcome).0, Outcome::Pass);
}

#[test]
fn modes_are_certified_one_after_the_other() {
    let both = CertifySpec { durabilities: Durability::BOTH.to_vec(), ..spec("p99=10ms") };
    let trial = Trial::new(both.clone(), |_| MILLISECOND);
    let outcome = trial.run_until(60).unwrap();
    assert!(outcome.interrupted && outcome.modes.len() == 1, "the second one has not begun");
    let findings = judge(&both, &outcome).1;
    assert!(findings.contains(&(Durability::On, Finding::Interrupted { slices: 0, of: 60 })), "{findings:?}");
    let outcome = trial.run();
    let durabilities: Vec<_> = outcome.modes.iter().map(|mode| (mode.durability, mode.slices.len())).collect();
    assert_eq!(durabilities, [(Durability::Off, 60), (Durability::On, 60)]);
    assert_eq!(judge(&both, &outcome).0, Outcome::Pass);
}

#[test]
fn a_journal_belongs_to_one_process_machine_and_directory() {
    let trial = Trial::new(spec("p99=10ms"), |_| MILLISECOND);
    trial.run_until(12).unwrap();
    let reports = trial.directory.path().join("reports");
    let journal = trial.journal(false).unwrap();
    for fresh in [false, true] {
        let refused = trial.journal(fresh);
        assert!(matches!(refused, Err(CertifyError::Journal(JournalError::Locked { .. }))), "{refused:?}");
    }
    drop(journal);
    let own = head(&trial.spec, &trial.source, trial.directory.path());
    for other in [
        JournalHead { machine: "another one".to_owned(), ..own.clone() },
        JournalHead { commit: Some("0a0b0c0d0e0f".to_owned()), ..own.clone() },
        JournalHead { data_directory: "/elsewhere".into(), ..own },
    ] {
        let refused = CertifyJournal::open(&reports, other, false).unwrap_err();
        assert!(matches!(refused, CertifyError::Elsewhere { .. }) && refused.to_string().contains("--fresh"));
    }
    let segments = |fresh| trial.journal(fresh).unwrap().segments(Durability::On).unwrap().count();
    assert_eq!([segments(false), segments(true)], [2, 0]);
    trial.journal(false).unwrap().remove().unwrap();
    assert_eq!(std::fs::read_dir(reports).unwrap().count(), 0);
}

fn actors(count: u32) -> Source {
    Source::Workload(workload(count, "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1"))
}

#[test]
fn a_specification_that_does_not_fit_is_refused_with_one_that_does() {
    let source = appends(1);
    let refused = |spec: CertifySpec, free: Option<u64>| spec.check(&source, free).unwrap_err().to_string();
    let base = || spec("p99=10ms");
    assert_eq!(base().check(&source, None).unwrap(), RequestKind::Command(CommandKind::Persist));
    for rate_per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(refused(CertifySpec { rate_per_second, ..base() }, None).contains("more than 0"));
    }
    let other = refused(spec("recover:p99=10ms"), None);
    assert!(other.contains("never issues") && other.contains("persist"), "{other}");

    // 1,000 samples and five deviations of chance, at 200 a second.
    assert!(CertifySpec { slice: Duration::from_secs(6), ..base() }.check(&source, None).is_ok());
    let short = refused(CertifySpec { slice: Duration::from_secs(5), ..base() }, None);
    assert!(short.contains("has about 1,000 of the 1,159 samples") && short.contains("--slice 6s"), "{short}");
    let never = refused(CertifySpec { rate_per_second: 1.0, ..base() }, None);
    assert!(never.contains("no slice of at most 300 s has them"), "{never}");
    for slice in [Duration::ZERO, Duration::from_millis(7_500), Duration::from_secs(301)] {
        assert!(refused(CertifySpec { slice, ..base() }, None).contains("whole seconds, 1 to 300"));
    }

    let brief = refused(CertifySpec { duration: Duration::from_secs(20), ..base() }, None);
    assert!(brief.contains("less than 3 slices of 10 s") && brief.contains("30 s"), "{brief}");
    assert!(CertifySpec { duration: Duration::from_secs(30), ..base() }.check(&source, None).is_ok());
    for (duration, whole) in
        [(Duration::from_secs(45), "40 s or 50 s"), (Duration::from_millis(30_500), "30 s or 40 s")]
    {
        let uneven = refused(CertifySpec { duration, ..base() }, None);
        assert!(uneven.contains("no whole number of slices of 10 s") && uneven.contains(whole), "{uneven}");
    }

    let full = refused(base(), Some(1_000_000));
    assert!(full.contains("120,000 commands write") && full.contains(" are free"), "{full}");
    assert!(base().check(&source, Some(100_000_000)).is_ok());
    let many = CertifySpec { writers: Writers::both(1_025), ..base() }.check(&actors(2_000), None).unwrap_err();
    assert!(many.to_string().contains("1 to 1024"), "{many}");
    assert!(refused(CertifySpec { durabilities: vec![], ..base() }, None).contains("at least one durability"));
}
