//! Progress for a person: bars on a terminal, plain lines elsewhere, nothing in quiet mode.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::ProgressBar;

use super::bar;
use super::output::Output;
use crate::workbench::actor::Durability;
use crate::workbench::report::format;
use crate::workbench::runner::{Observer, Phase};

/// An observer that shows what the runner does.
pub(super) struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
    /// When the phase began.
    began: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        Self { output, bar: bar::new(output), began: Mutex::new(Instant::now()) }
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress {
    /// A line that stays.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.output.progress(text),
        }
    }
}

impl Observer for Progress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let doing = match phase {
            Phase::Preload => "preloading",
            Phase::WarmUp => "warming up",
            Phase::Measure => "measuring",
            Phase::Settle => "waiting for compactions",
            Phase::Verify => "verifying",
            Phase::Crash => "killing processes while they write",
        };
        let label = format!("durability {durability}: {doing}");
        if let Some(bar) = &self.bar {
            bar::begin(bar, label, total);
        } else if phase != Phase::WarmUp {
            let amount = match (phase, total) {
                (Phase::Measure, Some(total)) => format!(" for {}", format::seconds(total as f64 / 1e3)),
                (Phase::Preload, Some(total)) => format!(" {} events", format::count(total)),
                (Phase::Crash, Some(total)) => format!(", {total} of them"),
                (Phase::Verify, Some(total)) => format!(" {} actors", format::count(total)),
                _ => String::new(),
            };
            self.output.progress(&format!("{label}{amount}"));
        }
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn progress(&self, done: u64, commands: u64) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(done);
        let seconds = self.began.lock().unwrap_or_else(PoisonError::into_inner).elapsed().as_secs_f64();
        if commands > 0 && seconds > 0.2 {
            bar.set_prefix(format!("{} commands", format::count(commands)));
        }
    }

    fn stage(&self, doing: &str, remaining: std::time::Duration) {
        let left = format::seconds(remaining.as_secs_f64().max(1.0).round());
        self.line(&format!("{doing} (about {left} to go)"));
    }

    fn note(&self, text: &str) {
        self.line(&format!("  {text}"));
    }
}
