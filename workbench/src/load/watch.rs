//! Watches a load from the calling thread: progress, the end of the warm-up, and a sample of process and engine each second.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::engine::{EngineCounters, EngineFigure};
use super::measurement::Measurement;
use super::observer::{JobContext, Phase};
use super::slices::{SliceExchange, Slices};
use super::spec::DriveSpec;
use super::warmup::{Steadiness, WarmUp};
use super::window::Window;
use crate::actor::Durability;
use crate::host::ReferenceWork;
use crate::measure::{Percentile, ResourceSampler, ResourceUsage, Snapshot};

const POLL_INTERVAL: Duration = Duration::from_millis(100);
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);

/// Counters of process and engine at a moment of the measured time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Since measuring began.
    pub at: Duration,
    /// The process.
    pub process: Snapshot,
    /// Commands completed since the load began, warm-up included.
    pub commands: u64,
    /// Counters of the engine since the database was opened; `None` if it has none.
    pub engine: Option<EngineCounters>,
}

/// The measurements of one load.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Drive {
    /// Latencies and counts.
    pub measurement: Measurement,
    /// Time before anything counted.
    pub warmup: Duration,
    /// Whether the load was steady when measuring began; `None` unless the warm-up is [`Steady`](crate::load::WarmUp).
    pub steady: Option<bool>,
    /// Resources of the process from the end of the warm-up to the end of the load.
    pub usage: ResourceUsage,
    /// Process and engine each second, the first when measuring began, the last when the load ended.
    pub samples: Vec<Sample>,
    /// The engine's own figures before the warm-up and after the load.
    pub statistics: Vec<EngineFigure>,
    /// Whether background work ended in time after the load; `None` if it was not waited for.
    pub settled: Option<bool>,
    /// How long background work was waited for after the load.
    pub settling: Duration,
    /// Speed of the machine at a fixed amount of work before and after the load; `None` if it was not measured.
    pub reference_work: Option<ReferenceWork>,
}

impl Drive {
    /// With slices of `seconds` seconds, and with samples where slices begin and end.
    ///
    /// # Panics
    ///
    /// As [`Measurement::in_slices_of`].
    #[must_use]
    pub fn in_slices_of(self, seconds: u32) -> Self {
        let slices = self.measurement.elapsed_ns.div_ceil(u64::from(seconds.max(1)) * 1_000_000_000);
        let bounds = (0..=slices).map(|slice| Duration::from_secs(slice * u64::from(seconds)));
        let nearest = |bound: Duration| self.samples.iter().min_by_key(|sample| sample.at.abs_diff(bound)).copied();
        let samples = bounds.filter_map(nearest).collect();
        Self { measurement: self.measurement.in_slices_of(seconds), samples, ..self }
    }

    /// Counters of the engine from the end of the warm-up to the end of the load; `None` if it has none.
    pub fn engine(&self) -> Option<EngineCounters> {
        let after = self.samples.last()?.engine?;
        Some(after.since(self.samples.first()?.engine?))
    }
}

pub(super) struct Watch<'a, C: Clock> {
    pub(super) spec: &'a DriveSpec,
    pub(super) window: &'a Window,
    pub(super) durability: Durability,
    pub(super) exchanges: &'a [SliceExchange],
    pub(super) clock: &'a C,
    pub(super) job: JobContext<'a>,
    pub(super) counters: &'a dyn Fn() -> Option<EngineCounters>,
    pub(super) is_finished: &'a dyn Fn() -> bool,
}

impl<C: Clock> Watch<'_, C> {
    /// What was observed: the measurement, the statistics and what comes after the load are missing.
    pub(super) fn run(&self) -> (Drive, Slices) {
        let mut slices = Slices::default();
        let began = Instant::now();
        let steady = self.warm_up(began, &mut slices);
        let warmup = began.elapsed();
        self.job.observer.phase(self.durability, Phase::Measure, self.spec.measure.map(millis));
        let resources = ResourceSampler::start();
        let began = Instant::now();
        let mut samples = vec![self.sample(began)];
        while !(self.is_finished)() {
            std::thread::park_timeout(POLL_INTERVAL);
            self.poll(&mut slices);
            self.job.observer.progress(millis(began.elapsed()), self.progress()[0]);
            let due = SAMPLE_INTERVAL * u32::try_from(samples.len()).unwrap_or(u32::MAX);
            if began.elapsed() >= due {
                samples.push(self.sample(began));
            }
        }
        samples.push(self.sample(began));
        (Drive { warmup, steady, usage: resources.stop(), samples, ..Drive::default() }, slices)
    }

    /// Waits for the end of the warm-up; whether the load is steady then.
    fn warm_up(&self, began: Instant, slices: &mut Slices) -> Option<bool> {
        let most = self.spec.warmup.most();
        if most.is_zero() {
            return None;
        }
        self.job.observer.phase(self.durability, Phase::WarmUp, Some(millis(most)));
        let mut steadiness = Steadiness::default();
        let mut steady = None;
        while began.elapsed() < most && !(self.is_finished)() && steady != Some(true) {
            std::thread::park_timeout(POLL_INTERVAL.min(most.saturating_sub(began.elapsed())));
            self.poll(slices);
            let [commands, busy_ns] = self.progress();
            self.job.observer.progress(millis(began.elapsed()), commands);
            steadiness.sample(commands, busy_ns);
            if let WarmUp::Steady { least, .. } = self.spec.warmup {
                steady = Some(began.elapsed() >= least && steadiness.is_steady());
            }
        }
        if steady.is_some() {
            self.window.measure_from(self.clock.now_ns());
        }
        steady
    }

    fn poll(&self, slices: &mut Slices) {
        let took = self.exchanges.iter().filter(|exchange| exchange.collect(slices)).count();
        // Computed from what the workers have passed on, at no cost to them.
        if let Some(p99_ns) = slices.all.percentile(Percentile::P99).filter(|_| took > 0) {
            self.job.observer.latency(p99_ns);
        }
        let [commands, _] = self.progress();
        self.job.control.set_commands(commands);
    }

    fn progress(&self) -> [u64; 2] {
        self.exchanges
            .iter()
            .map(SliceExchange::progress)
            .fold([0; 2], |sum, more| [sum[0] + more[0], sum[1] + more[1]])
    }

    fn sample(&self, began: Instant) -> Sample {
        let (commands, process, engine) = (self.progress()[0], Snapshot::now(), (self.counters)());
        self.job.observer.resources(&process, engine);
        Sample { at: began.elapsed(), process, commands, engine }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
