//! The figures of a run against a backend whose latency is known: time is simulated, so the right answer is computed
//! and not guessed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ave_actors_rocksdb::trace::{CommandKind, OpKind};
use ave_actors_store::Error;
use ave_actors_store::database::{Collection, CollectionIter, DbManager};
use ave_workbench::actor::Durability;
use ave_workbench::load::{
    Clock, Control, Drive, DriveSpec, JobContext, Load, Measurement, NullBackend, Session, Source, SystemClock, Target,
    WarmUp, arrival_times,
};
use ave_workbench::measure::{LatencyHistogram, PERCENTILES, Percentile, Slice};
use ave_workbench::trace::{Truncation, info, read};
use ave_workbench::workload::{Arrivals, Workload};

use crate::support::skip::skipped;
use crate::support::{provenance, replay, story_of, trace_of, trace_of_commands, workload};

const MICROSECOND: u64 = 1_000;
pub(crate) const MILLISECOND: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Time that passes when somebody waits and when the backend works, and at no other moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedClock(Arc<AtomicU64>);

impl SimulatedClock {
    /// Seconds that have passed, to the nearest.
    pub(crate) fn seconds(&self) -> u64 {
        (self.now_ns() + SECOND / 2) / SECOND
    }

    fn advance(&self, nanoseconds: u64) {
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn wait_until(&self, at_ns: u64) {
        self.0.fetch_max(at_ns, Ordering::Relaxed);
    }
}

/// A backend in which storing an event does what a script says; everything else takes no time.
#[derive(Clone)]
pub(crate) struct Scripted {
    write: Arc<dyn Fn() + Send + Sync>,
}

impl Scripted {
    /// A write that begins at a moment of this clock takes so long on it.
    pub(crate) fn new(clock: &SimulatedClock, service_ns: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Self {
        let clock = clock.clone();
        Self { write: Arc::new(move || clock.advance(service_ns(clock.now_ns()))) }
    }

    /// A write keeps the processor busy for so long.
    fn spinning(clock: SystemClock, service_ns: u64) -> Self {
        let write = move || {
            let end = clock.now_ns() + service_ns;
            while clock.now_ns() < end {
                std::hint::spin_loop();
            }
        };
        Self { write: Arc::new(write) }
    }
}

impl Target for Scripted {
    type Collection = Self;
    type State = NullBackend;
    type Manager = Self;

    fn open(&self, _directory: &Path, _durability: Durability) -> Result<Self, Error> {
        Ok(self.clone())
    }
}

impl DbManager<Self, NullBackend> for Scripted {
    fn create_collection(&self, _name: &str, _prefix: &str) -> Result<Self, Error> {
        Ok(self.clone())
    }

    fn create_state(&self, _name: &str, _prefix: &str) -> Result<NullBackend, Error> {
        Ok(NullBackend)
    }
}

impl Collection for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn get(&self, _key: &str) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn put(&mut self, _key: &str, _data: &[u8]) -> Result<(), Error> {
        (self.write)();
        Ok(())
    }

    fn del(&mut self, _key: &str) -> Result<(), Error> {
        Ok(())
    }

    fn last(&self) -> Result<Option<(String, Vec<u8>)>, Error> {
        Ok(None)
    }

    fn purge(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn iter(&self, _reverse: bool) -> Result<CollectionIter<'_>, Error> {
        Ok(Box::new(std::iter::empty()))
    }
}

/// One actor that only appends, without snapshots: a command is one write.
pub(crate) fn appends(seed: u64) -> Source {
    let mut workload = (*workload(1, "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1")).clone();
    workload.seed = seed;
    Source::Workload(Arc::new(workload))
}

fn closed() -> DriveSpec {
    DriveSpec {
        load: Load::Closed,
        warmup: WarmUp::NONE,
        measure: Some(Duration::from_secs(10)),
        lag_limit: None,
        settle: true,
    }
}

fn open(per_second: f64, arrivals: Arrivals, seconds: u64) -> DriveSpec {
    DriveSpec { load: Load::Open { per_second, arrivals }, measure: Some(Duration::from_secs(seconds)), ..closed() }
}

/// What one worker measures over a source when writes take `service_ns`, on a clock that starts at zero.
fn measure(source: &Source, spec: &DriveSpec, service_ns: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Measurement {
    let clock = SimulatedClock::default();
    let target = Scripted::new(&clock, service_ns);
    let directory = tempfile::tempdir().unwrap();
    let control = Control::default();
    let mut session =
        Session::start(&target, source, directory.path(), Durability::Off, 1, JobContext::silent(&control)).unwrap();
    session.drive(spec, &clock, JobContext::silent(&control)).unwrap().measurement
}

fn response(measurement: &Measurement) -> &LatencyHistogram {
    &measurement.command(CommandKind::Persist).unwrap().response
}

fn service(measurement: &Measurement) -> &LatencyHistogram {
    &measurement.command(CommandKind::Persist).unwrap().service
}

#[track_caller]
fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= expected * tolerance, "{what}: {found}, expected {expected} ± {tolerance}");
}

#[test]
fn a_constant_service_time_is_every_percentile() {
    const SERVICE: u64 = 237 * MICROSECOND;
    let measurement = measure(&appends(1), &closed(), |_| SERVICE);
    let issued = (10 * SECOND).div_ceil(SERVICE);
    assert_eq!(measurement.issued, issued);
    let operation = measurement.operations[OpKind::EventsPut.index()].as_ref().unwrap();
    for histogram in [response(&measurement), service(&measurement), operation] {
        assert_eq!(histogram.count(), issued);
        for percentile in PERCENTILES {
            assert_near(percentile.name(), histogram.quantile(percentile.quantile()) as f64, SERVICE as f64, 0.001);
        }
    }
    assert_near("commands per second", measurement.commands_per_second(), 1e9 / SERVICE as f64, 0.001);
}

#[test]
fn the_figures_of_actor_types_are_those_of_their_commands() {
    const SERVICE: u64 = 50 * MICROSECOND;
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/recorded-ledger-node.trace.csv.zst");
    if !recording.exists() {
        return skipped(the_figures_of_actor_types_are_those_of_their_commands, "no recorded trace in workloads");
    }
    let trace = Arc::new(read(&recording, Truncation::Refuse).unwrap());
    let info = info(&trace).unwrap();
    let measurement = measure(&replay(Arc::clone(&trace), 1), &closed(), |_| SERVICE);
    for expected in &info.types {
        let found = measurement.actor_types.iter().find(|found| found.name == expected.type_name).unwrap();
        assert_eq!(found.service.count(), expected.commands(), "{}", expected.type_name);
        assert_eq!(found.written_bytes, expected.written_bytes, "{}", expected.type_name);
    }
    let written: u64 = measurement.actor_types.iter().map(|one| one.written_bytes).sum();
    assert_eq!((measurement.actor_types.len(), written), (info.types.len(), measurement.payload_bytes));
    // This one does nothing but write events: all of its commands but the start take as long.
    let register = measurement.actor_types.iter().find(|one| one.name == "witnesses_register").unwrap();
    assert_near("median", register.service.quantile(0.5) as f64, SERVICE as f64, 0.01);
}

#[test]
fn the_populations_of_a_workload_have_figures_and_a_single_one_has_none() {
    let several = Source::Workload(Arc::new(Workload::find("ledger-node").unwrap()));
    let spec = DriveSpec { warmup: WarmUp::Fixed(Duration::from_secs(1)), ..closed() };
    let measurement = measure(&several, &spec, |_| MILLISECOND);
    let commands: u64 = measurement.actor_types.iter().map(|one| one.service.count()).sum();
    let written: u64 = measurement.actor_types.iter().map(|one| one.written_bytes).sum();
    assert_eq!((commands, written), (measurement.command_count(), measurement.payload_bytes));
    assert!(measurement.actor_types.iter().all(|one| one.service.count() == one.response.count()));
    assert_eq!(measure(&appends(1), &spec, |_| MILLISECOND).actor_types, []);
}

#[test]
fn the_warm_up_is_not_measured() {
    // Slow while it warms up, fast afterwards.
    let warmup = 5 * SECOND;
    let spec = DriveSpec { warmup: WarmUp::Fixed(Duration::from_secs(5)), ..open(1_000.0, Arrivals::Constant, 10) };
    let measurement = measure(&appends(1), &spec, move |now| if now < warmup { 900_000 } else { 100_000 });
    assert_eq!((measurement.issued, response(&measurement).count()), (15_000, 10_000));
    assert_near("max", response(&measurement).max() as f64, 100_000.0, 0.001);
    assert_near("commands per second", measurement.commands_per_second(), 1_000.0, 0.001);
}

/// A write that begins within the first 100 ms of a second ends with the stall.
///
/// A command arrives each millisecond and takes `s` = 0.2 ms. The one that arrives `u` after the second began waits for
/// the end of the stall and for the `u / 1 ms` before it: it takes `100 ms - u + s u / 1 ms + s`, which is
/// `100.2 ms - 0.8 u`, until the queue is served at `u` = 125 ms; from then on it takes `s`. So the share `p` < 0.125
/// of all commands takes longer than `100.2 ms - 0.8 s p`, and the rest `s`.
#[test]
fn response_times_of_all_commands_due_in_a_stall_include_it() {
    const SERVICE: u64 = 200 * MICROSECOND;
    const STALL: u64 = 100 * MILLISECOND;
    let measurement = measure(&appends(1), &open(1_000.0, Arrivals::Constant, 20), |now| {
        SERVICE + STALL.saturating_sub(now % SECOND)
    });
    assert_eq!(measurement.issued, 20_000);
    for percentile in PERCENTILES.iter().filter(|percentile| (0.5..1.0).contains(&percentile.quantile())) {
        let share = 1.0 - percentile.quantile();
        let expected = if share < 0.125 { 100.2e6 - 0.8e9 * share } else { SERVICE as f64 };
        let found = response(&measurement).quantile(percentile.quantile());
        assert_near(percentile.name(), found as f64, expected, 0.02);
    }

    // The backend was slow once a second, and that is all the service time shows.
    for percentile in [Percentile::P50, Percentile::P90, Percentile::P99] {
        let found = service(&measurement).quantile(percentile.quantile());
        assert_near(percentile.name(), found as f64, SERVICE as f64, 0.001);
    }
    assert_near("longest service", service(&measurement).max() as f64, 100.2e6, 0.001);

    // Every second looks the same, and is counted where the command was due.
    let slices = measurement.slices_of_all_commands();
    assert_eq!(slices.len(), 20);
    for slice in &slices {
        assert_eq!(slice.count(), 1_000);
        assert_near("p95 of a second", slice.quantile(0.95) as f64, 60.2e6, 0.02);
    }
}

/// The sojourn time in an M/D/1 queue, in units of the service time.
///
/// Erlang's series for the waiting time alternates in sign and loses all digits at high load. This is the form of
/// G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research Letters 29 (2001),
/// whose terms are all positive: for `k - 1 <= t < k`, with `u = load (k - t)` and `Q_m` the probability that at most
/// `m` customers wait, `P(W <= t) = e^-u sum_{j < k} Q_{k-1-j} u^j / j!`.
pub(crate) struct MD1 {
    load: f64,
    /// `Q_m`.
    waiting_at_most: Vec<f64>,
}

impl MD1 {
    const STATES: usize = 400;

    pub(crate) fn new(load: f64) -> Self {
        // Customers in the system: what flows from at most n to more than n flows back, and no term is negative.
        let arrivals = poisson(load, Self::STATES + 2);
        let more_than: Vec<f64> = (0..arrivals.len()).map(|k| arrivals[k + 1..].iter().sum()).collect();
        let mut present = vec![1.0 - load];
        for n in 0..Self::STATES {
            let up: f64 = (1..=n).map(|i| present[i] * more_than[n - i + 1]).sum();
            present.push((present[0] * more_than[n] + up) / arrivals[0]);
        }
        let mut sum = present[0];
        let waiting_at_most = present[1..].iter().map(|&share| {
            sum += share;
            sum
        });
        Self { load, waiting_at_most: waiting_at_most.collect() }
    }

    fn waits_at_most(&self, time: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short time, not negative")]
        let k = time.floor() as usize + 1;
        let arrivals = poisson(self.load * (k as f64 - time), k);
        (0..k).map(|j| arrivals[j] * self.waiting_at_most[k - 1 - j]).sum()
    }

    /// Waiting and service.
    pub(crate) fn sojourn(&self, quantile: f64) -> f64 {
        let (mut low, mut high) = (0.0, 300.0);
        for _ in 0..60 {
            let middle: f64 = f64::midpoint(low, high);
            if self.waits_at_most(middle) < quantile { low = middle } else { high = middle }
        }
        1.0 + high
    }
}

/// The probabilities of 0, 1, … events when `mean` are expected.
fn poisson(mean: f64, count: usize) -> Vec<f64> {
    std::iter::successors(Some((0.0, (-mean).exp())), |&(k, share)| Some((k + 1.0, share * mean / (k + 1.0))))
        .map(|(_, share)| share)
        .take(count)
        .collect()
}

#[test]
fn the_oracle_for_queues_agrees_with_what_is_known_in_closed_form() {
    for load in [0.5, 0.8, 0.95] {
        let queue = MD1::new(load);
        assert_near("nobody waits", queue.waits_at_most(0.0), 1.0 - load, 1e-9);
        // Erlang's own series, where it is still exact: the sum of the terms for 0 and 1.
        let erlang = (1.0 - load) * ((load * 1.5).exp() - load * 0.5 * (load * 0.5).exp());
        assert_near("one and a half", queue.waits_at_most(1.5), erlang, 1e-9);
        // Pollaczek and Khinchine: the mean of the waiting time is the area above its distribution.
        let step = 0.005;
        let mean: f64 = (0..60_000).map(|n| step * (1.0 - queue.waits_at_most((f64::from(n) + 0.5) * step))).sum();
        assert_near("mean wait", mean, load / (2.0 * (1.0 - load)), 0.001);
    }
}

/// Random arrivals at a backend that always takes as long: the response times are those of an M/D/1 queue.
///
/// The arrivals come from a seed and are the same each time. Busy periods grow long with the load, so that it takes
/// millions of commands before the sampling error of p99 is small beside the tolerance.
fn is_an_m_d_1_queue(load: f64, commands: u64) {
    const SERVICE: u64 = MILLISECOND;
    let seconds = commands as f64 * 1e-3 / load;
    let spec = DriveSpec {
        load: Load::Open { per_second: load * 1e3, arrivals: Arrivals::Poisson },
        // The queue starts empty; by then it has forgotten.
        warmup: WarmUp::Fixed(Duration::from_secs(30)),
        measure: Some(Duration::from_secs_f64(seconds)),
        lag_limit: None,
        settle: true,
    };
    let measurement = measure(&appends(8), &spec, |_| SERVICE);
    assert_near("commands", response(&measurement).count() as f64, commands as f64, 0.01);
    let queue = MD1::new(load);
    for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let expected = queue.sojourn(quantile) * SERVICE as f64;
        let found = response(&measurement).quantile(quantile);
        assert_near(&format!("{name} at load {load}"), found as f64, expected, 0.05);
        assert_near("service", service(&measurement).quantile(quantile) as f64, SERVICE as f64, 0.001);
    }
}

#[test]
fn at_half_load_response_times_are_those_of_the_queue() {
    is_an_m_d_1_queue(0.5, 100_000);
}

#[test]
fn at_80_percent_load_response_times_are_those_of_the_queue() {
    is_an_m_d_1_queue(0.8, 600_000);
}

#[test]
fn at_95_percent_load_response_times_are_those_of_the_queue() {
    is_an_m_d_1_queue(0.95, 2_500_000);
}

/// Twice as many commands as can be served: command `n` is due at `n` half milliseconds and done after `n + 1` whole
/// ones, so it takes half a millisecond for each one before it.
#[test]
fn an_overload_skips_nothing_and_shows_the_queue_grow() {
    let measurement = measure(&appends(1), &open(2_000.0, Arrivals::Constant, 10), |_| MILLISECOND);
    assert!(!measurement.gave_up);
    assert_eq!((measurement.issued, response(&measurement).count()), (20_000, 20_000));
    assert_near("commands per second", measurement.commands_per_second(), 1_000.0, 0.001);
    for (quantile, expected) in [(0.5, 5e9), (0.9, 9e9), (1.0, 10e9)] {
        assert_near("response", response(&measurement).quantile(quantile) as f64, expected, 0.002);
    }
    let medians: Vec<u64> = measurement.slices_of_all_commands().iter().map(|slice| slice.quantile(0.5)).collect();
    assert!(medians.len() == 10 && medians.is_sorted_by(|a, b| a < b), "{medians:?}");
    assert_near("service", service(&measurement).max() as f64, 1e6, 0.001);
}

/// The pause behind the last command belongs to the load: two commands in a second are two per second, at 0 and 0.5 s.
#[test]
fn the_rate_of_a_few_commands_is_that_which_was_offered() {
    for (per_second, seconds) in [(2.0, 1), (0.5, 4), (1.0, 1), (7.0, 3)] {
        let measurement = measure(&appends(1), &open(per_second, Arrivals::Constant, seconds), |_| MILLISECOND);
        assert_near("commands per second", measurement.commands_per_second(), per_second, 0.001);
    }
    let story = story_of(&workload(3, "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1"), 3);
    let source = replay(trace_of_commands(provenance("short"), &story), 1);
    let load = Load::TraceTimes { speed: 0.01 };
    let measurement = measure(&source, &DriveSpec { load, measure: None, ..closed() }, |_| MILLISECOND);
    let offered = source.offered_per_second(load).unwrap();
    assert_near("commands per second", measurement.commands_per_second(), offered, 0.001);
}

#[test]
fn an_overload_is_given_up_once_it_is_too_late() {
    let spec = DriveSpec { lag_limit: Some(Duration::from_secs(1)), ..open(2_000.0, Arrivals::Constant, 10) };
    let measurement = measure(&appends(1), &spec, |_| MILLISECOND);
    assert!(measurement.gave_up);
    // Command n begins n half milliseconds late: the 2,001st is the last that begins a second late.
    assert_eq!(measurement.issued, 2_001);
    assert_near("response", response(&measurement).max() as f64, 1.001e9, 0.001);

    let spec = DriveSpec { lag_limit: Some(Duration::from_secs(1)), ..open(800.0, Arrivals::Constant, 10) };
    let measurement = measure(&appends(1), &spec, |_| MILLISECOND);
    assert!(!measurement.gave_up && measurement.issued == 8_000, "a load that can be served is not given up");
}

/// The commands of a trace are due at its own times, faster by the speed, however long the backend takes.
#[test]
fn a_trace_is_replayed_at_its_own_times() {
    const SPEED: f64 = 4.0;
    let mut story = story_of(&workload(3, "mode = 'full'\nsnapshot_every = 0\n[commands]\npersist = 1"), 200);
    // Bursts and pauses: gaps of 0, 1, 4, 9, … milliseconds.
    let mut at_ns = 0;
    for (gap, command) in (0..15u64).cycle().zip(&mut story) {
        at_ns += gap * gap * MILLISECOND;
        command.at_ns = at_ns;
    }
    let trace = trace_of_commands(provenance("bursts"), &story);
    let length = trace.duration_ns() + 1;
    let due: Vec<u64> =
        (0..3).flat_map(|pass| story.iter().map(move |command| pass * length + command.at_ns)).collect();

    let began: Arc<Mutex<Vec<u64>>> = Arc::default();
    let script = {
        let began = Arc::clone(&began);
        move |now| {
            began.lock().unwrap().push(now);
            // A slow one now and then: the commands behind it are caught up with.
            if now % 7 == 0 { 3 * MILLISECOND } else { 10 * MICROSECOND }
        }
    };
    let spec = DriveSpec { load: Load::TraceTimes { speed: SPEED }, measure: None, ..closed() };
    let measurement = measure(&replay(trace, 3), &spec, script);

    assert_eq!(measurement.issued, due.len() as u64);
    let mut free = 0;
    for (&due, &began) in due.iter().zip(began.lock().unwrap().iter()) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds of a short trace")]
        let due = (due as f64 / SPEED) as u64;
        assert_eq!(began, due.max(free), "a command begins when it is due, or when the one before it is done");
        free = began + if began % 7 == 0 { 3 * MILLISECOND } else { 10 * MICROSECOND };
    }
}

/// With random arrivals, and commands that depend on those before.
#[test]
fn a_restored_session_continues_as_if_it_had_not_been_suspended() {
    let spec = open(800.0, Arrivals::Poisson, 5);
    let source = appends(4);
    let second_load = |is_suspended: bool| {
        let clock = SimulatedClock::default();
        let target = Scripted::new(&clock, |_| MILLISECOND);
        let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
        let path = directory.path();
        let mut session =
            Session::start(&target, &source, path, Durability::Off, 1, JobContext::silent(&control)).unwrap();
        let unsettled = DriveSpec { settle: false, ..spec };
        let first = session.drive(&unsettled, &clock, JobContext::silent(&control)).unwrap();
        assert_eq!(first.settled, None);
        if is_suspended {
            let written = serde_json::to_string(&session.suspend().unwrap()).unwrap();
            let read = serde_json::from_str(&written).unwrap();
            session = Session::restore(&target, &source, path, Durability::Off, &read);
        }
        let second = session.drive(&spec, &clock, JobContext::silent(&control)).unwrap();
        assert_eq!(second.settled, Some(true));
        assert_ne!(first.measurement.slices_of_all_commands(), second.measurement.slices_of_all_commands());
        let (_, size) = session.finish(false, JobContext::silent(&control)).unwrap();
        (second.measurement.slices_of_all_commands(), size.payload_bytes, session_commands(&first, &second))
    };
    assert_eq!(second_load(false), second_load(true));
}

fn session_commands(first: &Drive, second: &Drive) -> [u64; 2] {
    [first, second].map(|drive| drive.measurement.issued)
}

#[test]
fn slices_put_together_count_the_same() {
    let fine = measure(&appends(1), &open(800.0, Arrivals::Poisson, 10), |_| MILLISECOND);
    let coarse = fine.clone().in_slices_of(4);
    assert_eq!((coarse.slice_seconds, coarse.slice_ns()), (4, 4 * SECOND));
    let (fine, coarse) = (fine.slices_of_all_commands(), coarse.slices_of_all_commands());
    assert_eq!((fine.len(), coarse.len()), (10, 3));
    for (together, parts) in coarse.iter().zip(fine.chunks(4)) {
        assert_eq!(together.count(), parts.iter().map(Slice::count).sum::<u64>());
        assert_eq!(together.max(), parts.iter().map(Slice::max).max().unwrap());
    }
}

#[test]
fn a_finite_source_ends_a_closed_loop() {
    let trace = trace_of(&workload(3, "mode = 'light'\n[commands]\npersist = 1"), 50);
    let ops = trace.operation_count();
    let measurement = measure(&replay(trace, 2), &DriveSpec { measure: None, ..closed() }, |_| MILLISECOND);
    assert_eq!((measurement.command_count(), measurement.operation_count()), (100, 2 * ops));
}

/// On the real clock the same arrivals meet the same service, and whatever disturbs the host only adds to it: no response
/// is shorter than that of an undisturbed queue, which Lindley's recursion gives for these very arrivals.
#[test]
fn on_the_real_clock_a_queue_is_no_shorter_than_it_must_be() {
    const SERVICE: u64 = MILLISECOND;
    const COMMANDS: usize = 1_000;
    for load in [0.5, 0.8, 0.95] {
        let (rate, seed) = (1e9 * load / SERVICE as f64, 8);
        let mut free = 0;
        let undisturbed: LatencyHistogram = arrival_times(Arrivals::Poisson, rate, seed)
            .take(COMMANDS)
            .map(|due| {
                free = free.max(due) + SERVICE;
                free - due
            })
            .collect();
        let last = arrival_times(Arrivals::Poisson, rate, seed).nth(COMMANDS).unwrap();

        let clock = SystemClock::new();
        let target = Scripted::spinning(clock, SERVICE);
        let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
        let source = appends(seed);
        let mut session =
            Session::start(&target, &source, directory.path(), Durability::Off, 1, JobContext::silent(&control))
                .unwrap();
        let load = Load::Open { per_second: rate, arrivals: Arrivals::Poisson };
        let spec = DriveSpec { load, measure: Some(Duration::from_nanos(last)), ..closed() };
        let measurement = session.drive(&spec, &clock, JobContext::silent(&control)).unwrap().measurement;

        assert_eq!(response(&measurement).count(), COMMANDS as u64);
        for quantile in [0.5, 0.9, 0.99] {
            let (found, ideal) = (response(&measurement).quantile(quantile), undisturbed.quantile(quantile));
            assert!(found as f64 >= 0.998 * ideal as f64, "{quantile} at {rate} per second: {found} below {ideal}");
        }
    }
}

#[test]
fn a_real_run_counts_what_it_issued() {
    let directory = tempfile::tempdir().unwrap();
    let (control, clock) = (Control::default(), SystemClock::new());
    let mix = "mode = 'light'\n[commands]\npersist = 6\nrecover = 1\nevents = 2\nlast_event = 1\npurge = 1";
    let source = Source::Workload(workload(20, mix));
    let mut session =
        Session::start(&NullBackend, &source, directory.path(), Durability::Off, 2, JobContext::silent(&control))
            .unwrap();
    let time = Some(Duration::from_millis(200));
    let closed = session.drive(&DriveSpec { measure: time, ..closed() }, &clock, JobContext::silent(&control)).unwrap();
    let load = DriveSpec { measure: time, ..open(2_000.0, Arrivals::Constant, 0) };
    let paced = session.drive(&load, &clock, JobContext::silent(&control)).unwrap();

    assert_eq!(closed.measurement.command_count(), closed.measurement.issued);
    assert_eq!((paced.measurement.command_count(), paced.measurement.issued), (400, 400));
    assert_eq!(session.commands_issued(), closed.measurement.issued + 400);
    let slices: u64 = closed.measurement.slices_of_all_commands().iter().map(Slice::count).sum();
    assert_eq!(slices, closed.measurement.issued);
    for kind in source.kinds() {
        assert!(paced.measurement.command(kind).is_some(), "{kind} was never issued");
    }
}
