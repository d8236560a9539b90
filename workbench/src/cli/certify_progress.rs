//! Progress of a certification: one bar for all of its time on a terminal, a line for each segment elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::actor::Durability;
use crate::certify::{CertifyObserver, CertifySpec, JudgedSlice, Standing};
use crate::cli::doing;
use crate::cli::doing::Doing;
use crate::cli::live::Live;
use crate::cli::output::Output;
use crate::load::{Observer, Phase};
use crate::units;

/// An observer that shows how far a certification is.
pub(super) struct CertifyProgress {
    live: Live,
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
}

impl CertifyProgress {
    pub(super) fn new(output: Output, spec: &CertifySpec) -> Self {
        Self {
            live: Live::new(output),
            slice_ms: 1_000 * u64::from(spec.slice_seconds()),
            percentile: spec.objective.percentile.name(),
            shown: Mutex::default(),
        }
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        self.live.finish();
    }

    /// `12 of 180 slices, worst p99 4.3 ms, none missed, 28 min 0 s left`.
    fn line(&self, standing: &Standing<'_>) -> String {
        let missed = standing.slices.iter().filter(|slice| slice.is_missed()).count() as u64;
        let worst = standing.slices.iter().filter_map(|slice: &JudgedSlice| slice.percentile_ns).max();
        let worst = worst
            .map_or_else(String::new, |value| format!(", worst {} {}", self.percentile, units::duration(value as f64)));
        let missed = if missed == 0 { "none".to_owned() } else { units::count(missed) };
        let left = match standing.left.as_secs_f64() {
            0.0 => "no time".to_owned(),
            seconds => units::seconds(seconds),
        };
        format!(
            "durability {}: {} of {}{worst}, {missed} missed, {left} left",
            standing.durability,
            units::count(standing.slices.len() as u64),
            units::counted(standing.of, "slice")
        )
    }
}

impl Observer for CertifyProgress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let (is_same, total) = {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let is_same = shown.phase.replace(phase) == Some(phase);
            (is_same, if phase == Phase::Measure { Some(shown.total_ms) } else { total })
        };
        // The certified time is one, however many segments it has.
        if is_same && phase == Phase::Measure {
            return;
        }
        let label = match phase {
            Phase::Measure => format!("durability {durability}: certifying"),
            _ => doing::label(durability, phase),
        };
        let line = doing::is_told(phase).then(|| label.clone());
        self.live.begin(Doing::new(phase, label, total, Instant::now()), line.as_deref());
    }

    fn progress(&self, done: u64, commands: u64) {
        let before = {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.phase == Some(Phase::Measure) { shown.done_ms } else { 0 }
        };
        self.live.update(|doing, now| doing.progress(before + done, commands, now));
    }

    fn latency(&self, p99_ns: u64) {
        self.live.update(|doing, _| doing.latency(p99_ns));
    }

    fn note(&self, text: &str) {
        self.live.say(&format!("  {text}"));
    }
}

impl CertifyObserver for CertifyProgress {
    fn standing(&self, standing: &Standing<'_>) {
        {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.done_ms = standing.slices.len() as u64 * self.slice_ms;
            shown.total_ms = standing.of * self.slice_ms;
        }
        self.live.ends_in(Some(standing.left));
        if !standing.slices.is_empty() {
            self.note(&self.line(standing));
        }
    }
}
