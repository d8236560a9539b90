//! Progress of a certification: one bar for all of its time on a terminal, a line for each segment elsewhere.

use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

use super::bar;
use super::output::Output;
use crate::workbench::actor::Durability;
use crate::workbench::report::format;
use crate::workbench::runner::{Observer, Phase};
use crate::workbench::sizing::certify::{CertifyObserver, CertifySpec, JudgedSlice, Standing};

/// An observer that shows how far a certification is.
pub(super) struct CertifyProgress {
    output: Output,
    bar: Option<ProgressBar>,
    slice_ms: u64,
    /// Name of the objective's percentile.
    percentile: &'static str,
    shown: Mutex<Shown>,
}

/// What the bar stands for.
#[derive(Default)]
struct Shown {
    phase: Option<Phase>,
    /// Certified time of the mode before the segment in hand, and in all, milliseconds.
    done_ms: u64,
    total_ms: u64,
    left: String,
}

impl CertifyProgress {
    pub(super) fn new(output: Output, spec: &CertifySpec) -> Self {
        Self {
            output,
            bar: bar::new(output),
            slice_ms: 1_000 * u64::from(spec.slice_seconds()),
            percentile: spec.objective.percentile.name,
            shown: Mutex::default(),
        }
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// `12 of 180 slices, worst p99 4.3 ms, none missed, 28 min 0 s left`.
    fn line(&self, standing: &Standing<'_>, left: &str) -> String {
        let missed = standing.slices.iter().filter(|slice| slice.is_missed()).count() as u64;
        let worst = standing.slices.iter().filter_map(|slice: &JudgedSlice| slice.percentile_ns).max();
        let worst = worst.map_or_else(String::new, |value| {
            format!(", worst {} {}", self.percentile, format::duration(value as f64))
        });
        let missed = if missed == 0 { "none".to_owned() } else { format::count(missed) };
        format!(
            "durability {}: {} of {} slices{worst}, {missed} missed, {left} left",
            standing.durability,
            format::count(standing.slices.len() as u64),
            format::count(standing.of)
        )
    }
}

impl Observer for CertifyProgress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // The certified time is one, however many segments it has.
        if shown.phase == Some(phase) && phase == Phase::Measure {
            return;
        }
        shown.phase = Some(phase);
        let doing = match phase {
            Phase::Preload => "preloading",
            Phase::WarmUp => "warming up",
            Phase::Measure => "certifying",
            Phase::Settle => "waiting for compactions",
            Phase::Verify => "verifying",
            Phase::Crash => "killing processes while they write",
        };
        let label = format!("durability {durability}: {doing}");
        let total = if phase == Phase::Measure { Some(shown.total_ms) } else { total };
        match &self.bar {
            Some(bar) => {
                bar::begin(bar, label, total);
                bar.set_prefix(shown.left.clone());
            }
            None if phase == Phase::WarmUp => {}
            None => self.output.progress(&label),
        }
    }

    fn progress(&self, done: u64, _commands: u64) {
        let Some(bar) = &self.bar else { return };
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        bar.set_position(if shown.phase == Some(Phase::Measure) { shown.done_ms + done } else { done });
    }

    fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("  {text}")),
            None => self.output.progress(&format!("  {text}")),
        }
    }
}

impl CertifyObserver for CertifyProgress {
    fn standing(&self, standing: &Standing<'_>) {
        let left = match standing.left.as_secs_f64() {
            0.0 => "no time".to_owned(),
            seconds => format::seconds(seconds),
        };
        {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.done_ms = standing.slices.len() as u64 * self.slice_ms;
            shown.total_ms = standing.of * self.slice_ms;
            shown.left = format!("{left} left");
            if let Some(bar) = &self.bar {
                bar.set_prefix(shown.left.clone());
            }
        }
        if !standing.slices.is_empty() {
            self.note(&self.line(standing, &left));
        }
    }
}
