//! Progress of a certification: one bar for its whole time, a line per segment.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::activity;
use super::line::ProgressLine;
use super::time_left::{StageKind, TimeLeft};
use crate::actor::Durability;
use crate::certify::{CertifiedMode, CertifySpec, JudgedSlice};
use crate::cli::output::Output;
use crate::load::{Observer, Phase};
use crate::units;

/// An observer that shows progress.
pub(crate) struct CertifyProgress {
    line: ProgressLine,
    slice_ms: u64,
    /// Name of the objective's percentile.
    percentile: &'static str,
    shown: Mutex<Shown>,
}

/// What the bar shows.
#[derive(Default)]
struct Shown {
    phase: Option<Phase>,
    /// Certified time of the mode before the current segment, milliseconds.
    done_ms: u64,
    /// Time to certify in the mode, milliseconds.
    total_ms: u64,
}

impl CertifyProgress {
    pub(crate) fn new(output: Output, spec: &CertifySpec) -> Self {
        Self {
            line: ProgressLine::new(output, TimeLeft::default()),
            slice_ms: 1_000 * u64::from(spec.slice_seconds()),
            percentile: spec.objective.percentile.name(),
            shown: Mutex::default(),
        }
    }

    /// Removes the bar: only the result stays on the terminal.
    pub(crate) fn finish(&self) {
        self.line.finish();
    }

    pub(crate) fn show(&self, mode: &CertifiedMode, left: Duration) {
        {
            let mut shown = self.shown();
            shown.done_ms = mode.slices.len() as u64 * self.slice_ms;
            shown.total_ms = mode.slices_planned * self.slice_ms;
        }
        let mut time_left = TimeLeft::new([(StageKind::Whole, 1, Some(left))]);
        time_left.begin(StageKind::Whole, Instant::now());
        self.line.expect(time_left);
        if !mode.slices.is_empty() {
            self.note(&self.text(mode, left));
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `durability on: 12 of 180 slices, worst p99 4.3 ms, none missed, 28 min 0 s left`.
    fn text(&self, mode: &CertifiedMode, left: Duration) -> String {
        let missed = mode.slices.iter().filter(|slice| slice.is_missed()).count() as u64;
        let worst = mode.slices.iter().filter_map(|slice: &JudgedSlice| slice.percentile_ns).max();
        let worst = worst
            .map_or_else(String::new, |value| format!(", worst {} {}", self.percentile, units::duration(value as f64)));
        let missed = if missed == 0 { "none".to_owned() } else { units::count(missed) };
        let left = match left.as_secs_f64() {
            0.0 => "no time".to_owned(),
            seconds => units::seconds(seconds),
        };
        format!(
            "durability {}: {} of {}{worst}, {missed} missed, {left} left",
            mode.durability,
            units::count(mode.slices.len() as u64),
            units::counted(mode.slices_planned, "slice")
        )
    }
}

impl Observer for CertifyProgress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let is_measure = phase == Phase::Measure;
        let (before, total_ms) = {
            let mut shown = self.shown();
            (shown.phase.replace(phase), shown.total_ms)
        };
        // All segments are one certified time.
        if is_measure && before == Some(phase) {
            return;
        }
        let label = if is_measure {
            format!("durability {durability}: certifying")
        } else {
            activity::label(durability, phase)
        };
        let line = activity::prints_line(phase).then(|| label.clone());
        self.line.phase(phase, label, if is_measure { Some(total_ms) } else { total }, line.as_deref());
    }

    fn progress(&self, done: u64, commands: u64) {
        let before = {
            let shown = self.shown();
            if shown.phase == Some(Phase::Measure) { shown.done_ms } else { 0 }
        };
        self.line.update(|activity| activity.progress(before + done, commands));
    }

    fn latency(&self, p99_ns: u64) {
        self.line.update(|activity| activity.latency(p99_ns));
    }

    fn note(&self, text: &str) {
        self.line.print(&format!("  {text}"));
    }
}
