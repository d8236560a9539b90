//! The search for the highest rate that meets an objective.
//!
//! First the rate that matters: does what is required hold? Then the ceiling: a closed loop, as fast as the workers go.
//! Then rates in between, halving the interval between the highest that met the objective and the lowest that did not.
//! A rate counts only on repeated evidence: it must hold again and again, and where the highest does not, a lower one
//! must. A rate is dismissed only if it failed twice.

use std::time::Duration;

use super::{Footprint, Objective};
use crate::workbench::actor::CommandKind;
use crate::workbench::runner::{Clock, Control, Drive, DriveSpec, Load, Observer, RunError, Session, Target, WarmUp};
use crate::workbench::workload::Arrivals;

/// How much time a search may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Measured time at the ceiling.
    pub saturation: Duration,
    /// Measured time of each rate that is tried, at least.
    pub probe: Duration,
    /// Measured time of a rate whose percentile needs more samples, at most.
    pub longest_probe: Duration,
    /// Warm-up before each.
    pub warmup: Duration,
    /// Rates tried between what is required and the ceiling.
    pub bisections: u32,
    /// Times a rate must hold to count.
    pub confirmations: u32,
}

impl Effort {
    /// About half a minute per durability mode.
    pub const fn quick() -> Self {
        Self {
            saturation: Duration::from_secs(2),
            probe: Duration::from_secs(3),
            longest_probe: Duration::from_secs(20),
            warmup: Duration::from_millis(500),
            bisections: 3,
            confirmations: 2,
        }
    }

    /// About two minutes per durability mode.
    pub const fn standard() -> Self {
        Self {
            saturation: Duration::from_secs(8),
            probe: Duration::from_secs(10),
            longest_probe: Duration::from_secs(60),
            warmup: Duration::from_secs(1),
            bisections: 6,
            confirmations: 2,
        }
    }

    /// About ten minutes per durability mode.
    pub const fn thorough() -> Self {
        Self {
            saturation: Duration::from_secs(20),
            probe: Duration::from_secs(45),
            longest_probe: Duration::from_secs(180),
            warmup: Duration::from_secs(5),
            bisections: 7,
            confirmations: 3,
        }
    }
}

/// One rate that was offered, in brief: a search tries many, and histograms of all of them would count as memory the
/// source needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Commands per second offered.
    pub offered_per_second: f64,
    /// Commands per second completed.
    pub achieved_per_second: f64,
    /// Median response time of the objective's command, nanoseconds; 0 if none was completed.
    pub median_ns: u64,
    /// Its response time at the objective's percentile, nanoseconds; `None` if too few samples stand behind it.
    pub percentile_ns: Option<u64>,
    /// Why it does not meet the objective; `None` if it does.
    pub rejection: Option<Rejection>,
}

/// Why a rate does not meet the objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// Commands piled up: fewer were completed than offered.
    FellBehind,
    /// The percentile is above the limit.
    TooSlow,
    /// Too few samples stand behind the percentile to tell.
    TooFewSamples,
}

/// A rate that does not hold again is lowered to this share.
const STEP_DOWN: f64 = 0.8;
/// Steps down before the search is content with what it has.
const MOST_STEPS_DOWN: u32 = 4;

/// A search on one session.
pub(super) struct Search<'a, 't, T: Target, C: Clock> {
    pub(super) session: &'a mut Session<'t, T>,
    pub(super) objective: Objective,
    pub(super) command: CommandKind,
    /// Share of commands that are the objective's.
    pub(super) share: f64,
    pub(super) effort: Effort,
    pub(super) arrivals: Arrivals,
    pub(super) clock: &'a C,
    pub(super) observer: &'a dyn Observer,
    pub(super) control: &'a Control,
    /// Every rate tried so far.
    pub(super) probes: Vec<Probe>,
    /// Largest resident set so far, bytes.
    pub(super) rss_peak_bytes: u64,
}

/// What a search found.
pub(super) struct Found {
    pub(super) saturation: Drive,
    pub(super) probes: Vec<Probe>,
    /// The rates that held on repeated evidence, ascending: what is required first, if it held.
    pub(super) held: Vec<Held>,
}

/// A rate that held on repeated evidence.
#[derive(Debug, Clone)]
pub struct Held {
    /// Commands per second.
    pub rate_per_second: f64,
    /// The drives that show it, a forgiven failure included.
    pub drives: Vec<Drive>,
    /// What was occupied by then, at its largest.
    pub footprint: Footprint,
}

impl<T: Target, C: Clock> Search<'_, '_, T, C>
where
    T::Manager: Sync,
{
    /// Searches; `required` is the rate that matters, commands per second.
    pub(super) fn run(mut self, required: f64) -> Result<Found, RunError> {
        let mut held: Vec<Held> = self.hold(required)?.into_iter().collect();
        let saturation = self.drive(Load::Closed, self.effort.saturation, None)?;
        let ceiling = saturation.measurement.commands_per_second();
        self.observer.note(&format!("ceiling: {ceiling:.0} commands/s"));
        let (low, high) = if held.is_empty() { (0.0, required.min(ceiling)) } else { (required, ceiling) };
        let highest = self.bisect(low, high)?;
        held.extend(self.hold_or_step_down(highest, low)?);
        self.probes.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        Ok(Found { saturation, probes: self.probes, held })
    }

    /// The highest rate between `low`, which is known to be met or is nothing, and `high` that met the objective.
    fn bisect(&mut self, mut low: f64, mut high: f64) -> Result<f64, RunError> {
        for _ in 0..self.effort.bisections {
            if self.control.is_stopped() || low >= high {
                break;
            }
            let next = low.midpoint(high);
            if self.probe_fairly(next)? {
                low = next;
            } else {
                high = next;
            }
        }
        Ok(low)
    }

    /// A rate above `known` that holds: `rate`, or else a lower one.
    fn hold_or_step_down(&mut self, rate: f64, known: f64) -> Result<Option<Held>, RunError> {
        let mut rate = rate;
        for _ in 0..MOST_STEPS_DOWN {
            if rate <= known || self.control.is_stopped() {
                return Ok(None);
            }
            if let Some(held) = self.hold(rate)? {
                return Ok(Some(held));
            }
            rate *= STEP_DOWN;
        }
        Ok(None)
    }

    /// Offers a rate until it has met the objective as often as asked for, with one failure allowed.
    fn hold(&mut self, rate: f64) -> Result<Option<Held>, RunError> {
        let mut drives = Vec::new();
        let mut failures = 0;
        while drives.len() < (self.effort.confirmations + failures) as usize {
            if self.control.is_stopped() {
                return Ok(None);
            }
            let (met, drive) = self.probe(rate)?;
            failures += u32::from(!met);
            // A failure that was forgiven still happened: it stands among the evidence.
            drives.push(drive);
            if failures > 1 {
                return Ok(None);
            }
        }
        let footprint = Footprint { rss_bytes: self.rss_peak_bytes, database_bytes: self.session.database_bytes() };
        Ok(Some(Held { rate_per_second: rate, drives, footprint }))
    }

    /// A rate that failed once gets a second chance: one hiccup of a shared disk is no reason to halve a machine's
    /// capacity, and what is accepted here must hold again anyway.
    fn probe_fairly(&mut self, rate: f64) -> Result<bool, RunError> {
        Ok(self.probe(rate)?.0 || (!self.control.is_stopped() && self.probe(rate)?.0))
    }

    /// Offers a rate and tells whether it met the objective.
    fn probe(&mut self, rate: f64) -> Result<(bool, Drive), RunError> {
        let load = Load::Open { per_second: rate, arrivals: self.arrivals };
        // Ten times the limit late: whatever comes now, the objective is missed, and the queue need not be served.
        let lag_limit =
            Duration::from_nanos(self.objective.limit_ns.saturating_mul(10)).max(Duration::from_millis(500));
        let drive = self.drive(load, self.probe_time(rate), Some(lag_limit))?;
        let response = drive.measurement.command(self.command).map(|latency| &latency.response);
        let probe = Probe {
            offered_per_second: rate,
            achieved_per_second: drive.measurement.commands_per_second(),
            median_ns: response.map_or(0, |response| response.quantile(0.5)),
            percentile_ns: response.and_then(|response| response.percentile(self.objective.percentile)),
            rejection: self.reject(&drive),
        };
        self.observer.note(&describe(&probe, self.objective));
        self.probes.push(probe);
        Ok((probe.rejection.is_none(), drive))
    }

    /// Long enough for the percentile, within limits.
    fn probe_time(&self, rate: f64) -> Duration {
        let needed = 1.2 * self.objective.samples_needed() as f64 / (rate * self.share).max(1e-9);
        let longest = self.effort.longest_probe.as_secs_f64();
        Duration::from_secs_f64(needed.clamp(self.effort.probe.as_secs_f64(), longest))
    }

    fn reject(&self, drive: &Drive) -> Option<Rejection> {
        let measurement = &drive.measurement;
        if measurement.fell_behind() {
            return Some(Rejection::FellBehind);
        }
        let met = measurement.command(self.command).and_then(|latency| self.objective.is_met(&latency.response));
        match met {
            None => Some(Rejection::TooFewSamples),
            Some(false) => Some(Rejection::TooSlow),
            Some(true) => None,
        }
    }

    fn drive(&mut self, load: Load, measure: Duration, lag_limit: Option<Duration>) -> Result<Drive, RunError> {
        let spec = DriveSpec { load, warmup: WarmUp::Fixed(self.effort.warmup), measure: Some(measure), lag_limit };
        let drive = self.session.drive(&spec, self.clock, self.observer, self.control)?;
        self.rss_peak_bytes = self.rss_peak_bytes.max(drive.usage.rss_peak_bytes);
        Ok(drive)
    }
}

fn describe(probe: &Probe, objective: Objective) -> String {
    let name = objective.percentile.name;
    let latency = probe
        .percentile_ns
        .map_or_else(|| format!("{name} unknown"), |value| format!("{name} {:.2} ms", value as f64 / 1e6));
    let outcome = match probe.rejection {
        None => "meets the objective",
        Some(Rejection::FellBehind) => "falls behind",
        Some(Rejection::TooSlow) => "too slow",
        Some(Rejection::TooFewSamples) => "too few samples",
    };
    format!("{:.0} commands/s: {latency}, {outcome}", probe.offered_per_second)
}
