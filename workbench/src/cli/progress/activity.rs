//! The phase in progress: how far it is, its rate and its latency, as text.

use std::time::Duration;

use indicatif::ProgressBar;

use crate::actor::Durability;
use crate::load::Phase;
use crate::units;

pub(super) struct Activity {
    phase: Phase,
    pub(super) label: String,
    /// Position in the phase, in its own unit; estimates the time left.
    bar: ProgressBar,
    /// Counts completed commands, for their rate. Never shown.
    commands: ProgressBar,
    pub(super) p99_ns: Option<u64>,
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Preload => "preloading",
        Phase::Cache => "filling the page cache",
        Phase::Start => "starting actors",
        Phase::WarmUp => "warming up",
        Phase::Measure => "measuring",
        Phase::Settle => "waiting for compactions",
        Phase::Verify => "verifying",
        Phase::Crash => "killing writing processes",
        Phase::PowerCut => "cutting the power",
    }
}

/// Whether a line is printed when a phase begins and there is no bar. Others are short.
pub(super) const fn prints_line(phase: Phase) -> bool {
    !matches!(phase, Phase::Cache | Phase::Start | Phase::WarmUp)
}

/// `durability off: measuring`.
pub(super) fn label(durability: Durability, phase: Phase) -> String {
    format!("durability {durability}: {}", name(phase))
}

impl Activity {
    /// Begins a phase on `bar`, which was restarted for it.
    pub(super) fn new(phase: Phase, label: String, bar: ProgressBar) -> Self {
        Self { phase, label, bar, commands: ProgressBar::hidden(), p99_ns: None }
    }

    /// Sets the position, and the number of commands completed since the load began.
    pub(super) fn progress(&self, done: u64, commands: u64) {
        self.bar.set_position(done);
        if !matches!(self.phase, Phase::Crash | Phase::PowerCut) {
            self.commands.set_position(commands);
        }
    }

    /// `5,320 commands/s, p99 1.24 ms, 3 s left`: what is known so far.
    pub(super) fn figures(&self) -> String {
        let rate = Some(self.commands.per_sec().round()).filter(|&rate| rate > 0.0);
        let rate = rate.map(units::commands_per_second);
        let p99 = self.p99_ns.map(|value| format!("p99 {}", units::duration(value as f64)));
        let left = Some(self.bar.eta()).filter(|left| !left.is_zero()).map(|left| {
            // A warm-up ends early when the load is steady.
            let most = if self.phase == Phase::WarmUp { "at most " } else { "" };
            format!("{most}{} left", whole_seconds(left))
        });
        [rate, p99, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// `durability off: measuring, 40 %, 5,320 commands/s, p99 1.24 ms, 18 s left`.
    pub(super) fn line(&self) -> String {
        let position = match self.bar.length() {
            Some(total) if total > 0 => format!("{} %", (100 * self.bar.position() / total).min(100)),
            _ => format!("for {}", whole_seconds(self.bar.elapsed())),
        };
        let parts = [self.label.clone(), position, self.figures()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// A time, rounded up to whole seconds.
pub(super) fn whole_seconds(time: Duration) -> String {
    units::seconds(time.as_secs_f64().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity(phase: Phase, total: Option<u64>) -> Activity {
        let bar = ProgressBar::with_draw_target(total, indicatif::ProgressDrawTarget::hidden());
        Activity::new(phase, label(Durability::Off, phase), bar)
    }

    #[test]
    fn a_line_has_label_share_and_latency() {
        let mut measuring = activity(Phase::Measure, Some(1_000));
        measuring.p99_ns = Some(1_240_000);
        assert_eq!(measuring.line(), "durability off: measuring, 0 %, p99 1.24 ms");
        measuring.progress(1_700, 0);
        assert_eq!(measuring.line(), "durability off: measuring, 100 %, p99 1.24 ms", "beyond the expected length");
        let line = activity(Phase::Settle, None).line();
        assert!(line.starts_with("durability off: waiting for compactions, for "), "of unknown length: {line}");
    }
}
