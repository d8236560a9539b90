//! Progress of a run or a plan.

use std::sync::Mutex;
use std::time::Duration;

use super::line::ProgressLine;
use super::run_stages::run_stages;
use super::time_left::{StageKind, TimeLeft};
use super::{activity, lock};
use crate::actor::Durability;
use crate::cli::output::Output;
use crate::load::{Observer, Phase, Source};
use crate::run::RunSpec;
use crate::units;

pub(crate) struct MeasurementProgress {
    pub(crate) line: ProgressLine,
    /// The current round, and the number of rounds.
    round: Mutex<Option<[u32; 2]>>,
}

impl MeasurementProgress {
    /// Of a plan, which reports its stages itself.
    pub(crate) fn of_plan(output: Output) -> Self {
        Self { line: ProgressLine::new(output, TimeLeft::default()), round: Mutex::new(None) }
    }

    pub(crate) fn of_run(output: Output, spec: &RunSpec, source: &Source) -> Self {
        Self { line: ProgressLine::new(output, run_stages(spec, source)), round: Mutex::new(None) }
    }

    /// `, round 2 of 3`, in the phases that rounds have.
    fn round_of(&self, phase: Phase) -> String {
        match *lock(&self.round) {
            Some([round, of]) if of > 1 && matches!(phase, Phase::WarmUp | Phase::Measure) => {
                format!(", round {round} of {of}")
            }
            _ => String::new(),
        }
    }
}

impl Observer for MeasurementProgress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let label = format!("{}{}", activity::label(durability, phase), self.round_of(phase));
        let line = activity::prints_line(phase).then(|| format!("{label}{}", amount(phase, total)));
        self.line.phase(phase, label, total, line.as_deref());
    }

    fn progress(&self, done: u64, commands: u64) {
        self.line.update(|activity| activity.progress(done, commands));
    }

    fn latency(&self, p99_ns: u64) {
        self.line.update(|activity| activity.p99_ns = Some(p99_ns));
    }

    fn round(&self, round: u32, of: u32) {
        *lock(&self.round) = Some([round, of]);
    }

    fn expect_stages(&self, count: u32, each: Duration) {
        self.line.expect(TimeLeft::new([(StageKind::Whole, count, Some(each))]));
    }

    fn stage(&self, name: &str) {
        self.line.stage(name);
    }

    fn note(&self, text: &str) {
        self.line.print(&format!("  {text}"));
    }
}

fn amount(phase: Phase, total: Option<u64>) -> String {
    let Some(total) = total else { return String::new() };
    match phase {
        Phase::Measure => format!(" for {}", units::seconds(total as f64 / 1e3)),
        Phase::Preload => format!(" {}", units::bytes(total as f64)),
        Phase::Crash => format!(": {}", units::counted(total, "kill")),
        Phase::PowerCut => format!(": {}", units::counted(total, "cut")),
        Phase::Verify => format!(" {}", units::counted(total, "actor")),
        Phase::Start | Phase::WarmUp | Phase::Settle => String::new(),
    }
}
