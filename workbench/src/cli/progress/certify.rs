//! Progress of a certification: one bar for its whole time, a line per segment.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::line::ProgressLine;
use super::time_left::{StageKind, TimeLeft};
use super::{activity, lock};
use crate::actor::Durability;
use crate::certify::{CertifiedMode, CertifySpec, JudgedSlice};
use crate::cli::output::Output;
use crate::load::{Observer, Phase};
use crate::units;

pub(crate) struct CertifyProgress {
    pub(crate) line: ProgressLine,
    slice_ms: u64,
    percentile: &'static str,
    shown: Mutex<Shown>,
}

#[derive(Clone, Copy, Default)]
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

    pub(crate) fn show(&self, mode: &CertifiedMode, left: Duration) {
        let (done_ms, total_ms) = (mode.slices.len() as u64 * self.slice_ms, mode.slices_planned * self.slice_ms);
        let mut shown = lock(&self.shown);
        *shown = Shown { done_ms, total_ms, ..*shown };
        drop(shown);
        let mut time_left = TimeLeft::new([(StageKind::Whole, 1, Some(left))]);
        time_left.begin(StageKind::Whole, Instant::now());
        self.line.expect(time_left);
        if !mode.slices.is_empty() {
            self.note(&self.text(mode, left));
        }
    }

    /// `durability on: 12 of 180 slices, worst p99 4.3 ms, none missed, 28 min 0 s left`.
    fn text(&self, mode: &CertifiedMode, left: Duration) -> String {
        let missed = mode.slices.iter().filter(|slice| slice.is_missed()).count() as u64;
        let worst = mode.slices.iter().filter_map(|slice: &JudgedSlice| slice.percentile_ns).max();
        let worst = worst.map(|value| format!(", worst {} {}", self.percentile, units::duration(value as f64)));
        let worst = worst.unwrap_or_default();
        let missed = if missed == 0 { "none".to_owned() } else { units::count(missed) };
        let left = if left.is_zero() { "no time".to_owned() } else { units::seconds(left.as_secs_f64()) };
        let (done, of) = (units::count(mode.slices.len() as u64), units::counted(mode.slices_planned, "slice"));
        format!("durability {}: {done} of {of}{worst}, {missed} missed, {left} left", mode.durability)
    }
}

impl Observer for CertifyProgress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let is_measure = phase == Phase::Measure;
        let Shown { phase: before, total_ms, .. } = *lock(&self.shown);
        lock(&self.shown).phase = Some(phase);
        // All segments are one certified time.
        if is_measure && before == Some(phase) {
            return;
        }
        let (label, total) = if is_measure {
            (format!("durability {durability}: certifying"), Some(total_ms))
        } else {
            (activity::label(durability, phase), total)
        };
        let line = activity::prints_line(phase).then(|| label.clone());
        self.line.phase(phase, label, total, line.as_deref());
    }

    fn progress(&self, done: u64, commands: u64) {
        let Shown { phase, done_ms, .. } = *lock(&self.shown);
        let before = if phase == Some(Phase::Measure) { done_ms } else { 0 };
        self.line.update(|activity| activity.progress(before + done, commands));
    }

    fn latency(&self, p99_ns: u64) {
        self.line.update(|activity| activity.p99_ns = Some(p99_ns));
    }

    fn note(&self, text: &str) {
        self.line.print(&format!("  {text}"));
    }
}
