//! What the workbench is doing, how far it is, and how that reads. Pure: knows nothing of terminals.

use std::time::{Duration, Instant};

use crate::actor::Durability;
use crate::cli::pace::Pace;
use crate::load::Phase;
use crate::units;

/// Time for which the speed so far says nothing of the time that is left.
const TOO_SHORT: Duration = Duration::from_secs(1);

/// A phase and how far it is.
pub(super) struct Doing {
    phase: Phase,
    label: String,
    total: Option<u64>,
    done: u64,
    began: Instant,
    pace: Pace,
    p99_ns: Option<u64>,
}

/// What a phase is called.
pub(super) const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Preload => "preloading",
        Phase::Start => "starting the actors",
        Phase::WarmUp => "warming up",
        Phase::Measure => "measuring",
        Phase::Settle => "waiting for compactions",
        Phase::Verify => "verifying",
        Phase::Crash => "killing processes while they write",
    }
}

/// Whether a line tells where it begins, where there is no bar: what follows it soon says enough of the others.
pub(super) const fn is_told(phase: Phase) -> bool {
    !matches!(phase, Phase::Start | Phase::WarmUp)
}

/// `durability off: measuring`.
pub(super) fn label(durability: Durability, phase: Phase) -> String {
    format!("durability {durability}: {}", name(phase))
}

impl Doing {
    /// A phase that begins now.
    pub(super) fn new(phase: Phase, label: String, total: Option<u64>, now: Instant) -> Self {
        Self { phase, label, total, done: 0, began: now, pace: Pace::default(), p99_ns: None }
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Length of the phase in its own unit.
    pub(super) const fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) const fn done(&self) -> u64 {
        self.done
    }

    /// So much of it is done, and so many commands were completed, if it counts any.
    pub(super) fn progress(&mut self, done: u64, commands: u64, now: Instant) {
        self.done = done;
        if commands > 0 && self.phase != Phase::Crash {
            self.pace.tell(now, commands);
        }
    }

    pub(super) const fn latency(&mut self, p99_ns: u64) {
        self.p99_ns = Some(p99_ns);
    }

    /// How much of it is done, percent.
    pub(super) fn percent(&self) -> Option<u64> {
        let total = self.total?;
        (total > 0).then(|| (100 * self.done.min(total)) / total)
    }

    /// Time that is left: exact where the phase is a time, else as fast as it went so far.
    fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        if matches!(self.phase, Phase::Measure | Phase::WarmUp) {
            return Some(Duration::from_millis(left));
        }
        let took = now.duration_since(self.began);
        let per_step = (self.done > 0 && took >= TOO_SHORT).then(|| took.as_secs_f64() / self.done as f64)?;
        Some(Duration::from_secs_f64(per_step * left as f64))
    }

    /// `5,320 commands/s, p99 1.24 ms, 3 s left`: what is known of it.
    pub(super) fn figures(&self, now: Instant) -> String {
        let rate = self.pace.per_second().map(|rate| format!("{} commands/s", units::number(rate.round())));
        let p99 = self.p99_ns.map(|value| format!("p99 {}", units::duration(value as f64)));
        let left = self.left(now).filter(|left| !left.is_zero()).map(|left| {
            // A warm-up ends when the load is steady.
            let most = if self.phase == Phase::WarmUp { "at most " } else { "" };
            format!("{most}{} left", whole_seconds(left))
        });
        [rate, p99, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// `durability off: measuring, 40 %, 5,320 commands/s, p99 1.24 ms, 18 s left`, for where there is no bar.
    pub(super) fn line(&self, now: Instant) -> String {
        let took = format!("for {}", whole_seconds(now.duration_since(self.began)));
        let share = self.percent().map_or(took, |percent| format!("{percent} %"));
        let figures = self.figures(now);
        let comma = if figures.is_empty() { "" } else { ", " };
        format!("{}, {share}{comma}{figures}", self.label)
    }
}

/// A time for people who wait: nobody waits in milliseconds.
pub(super) fn whole_seconds(time: Duration) -> String {
    units::seconds(time.as_secs_f64().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measuring(phase: Phase, total: Option<u64>) -> (Doing, Instant) {
        let now = Instant::now();
        (Doing::new(phase, label(Durability::Off, phase), total, now), now)
    }

    #[test]
    fn a_line_tells_share_rate_latency_and_what_is_left() {
        let (mut doing, began) = measuring(Phase::Measure, Some(30_000));
        for tenth in 0..=120_u64 {
            doing.progress(100 * tenth, 532 * tenth, began + Duration::from_millis(100 * tenth));
        }
        doing.latency(1_240_000);
        let told = doing.line(began + Duration::from_secs(12));
        assert_eq!(told, "durability off: measuring, 40 %, 5,320 commands/s, p99 1.24 ms, 18 s left");
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let (doing, began) = measuring(Phase::Settle, None);
        let told = doing.line(began + Duration::from_secs(10));
        assert_eq!(told, "durability off: waiting for compactions, for 10 s");
    }

    #[test]
    fn a_phase_that_is_no_time_ends_at_the_speed_it_goes() {
        let (mut doing, began) = measuring(Phase::Verify, Some(1_000));
        doing.progress(250, 0, began + Duration::from_millis(500));
        assert_eq!(doing.figures(began + Duration::from_millis(500)), "", "too early to tell");
        assert_eq!(doing.figures(began + Duration::from_secs(4)), "12 s left");
    }

    #[test]
    fn a_warm_up_ends_earlier_when_the_load_is_steady() {
        let (mut doing, began) = measuring(Phase::WarmUp, Some(10_000));
        doing.progress(2_500, 0, began);
        assert_eq!(doing.figures(began), "at most 8 s left");
    }

    #[test]
    fn more_than_all_is_all() {
        let (mut doing, _) = measuring(Phase::Measure, Some(1_000));
        doing.progress(1_700, 1, Instant::now());
        assert_eq!(doing.percent(), Some(100));
    }
}
