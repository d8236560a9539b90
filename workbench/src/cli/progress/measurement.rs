//! Progress of a run or a plan.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::line::ProgressLine;
use super::run_stages::run_stages;
use super::time_left::{StageKind, TimeLeft};
use super::{activity, lock};
use crate::actor::Durability;
use crate::cli::output::Output;
use crate::load::{Observer, Phase, Source, Stage, StageTime};
use crate::run::RunSpec;
use crate::units;

/// A run that takes as long says so beforehand.
const WORTH_A_LINE: Duration = Duration::from_secs(10);

pub(crate) struct MeasurementProgress {
    pub(crate) line: ProgressLine,
    /// The current round, and the number of rounds.
    round: Mutex<Option<[u32; 2]>>,
    /// What follows the next expected stages.
    later: Mutex<Duration>,
}

impl MeasurementProgress {
    /// Of a plan, which reports its stages itself.
    pub(crate) fn of_plan(output: Output) -> Self {
        Self::new(output, TimeLeft::default())
    }

    fn new(output: Output, time_left: TimeLeft) -> Self {
        Self { line: ProgressLine::new(output, time_left), round: Mutex::default(), later: Mutex::default() }
    }

    pub(crate) fn of_run(output: Output, spec: &RunSpec, source: &Source) -> Self {
        let time_left = run_stages(spec, source);
        if let Some(total) = time_left.at(Instant::now()).filter(|&total| total >= WORTH_A_LINE) {
            output.progress(&format!("the run takes about {}", activity::whole_seconds(total)));
        }
        Self::new(output, time_left)
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

    fn expect_stages(&self, stages: &[StageTime]) {
        let kinds = stages.iter().map(|one| (StageKind::Plan(one.stage), one.count, Some(one.each)));
        self.line.expect(TimeLeft::new(kinds).and_then(std::mem::take(&mut *lock(&self.later))));
    }

    fn expect_only(&self, stages: &[StageTime]) {
        let to_come: Vec<_> = stages.iter().map(|one| (StageKind::Plan(one.stage), one.count)).collect();
        self.line.expect_only(&to_come);
    }

    fn expect_later(&self, time: Duration) {
        *lock(&self.later) = time;
    }

    fn stage(&self, stage: Stage, name: &str) {
        self.line.stage(stage, name);
    }

    fn note(&self, text: &str) {
        self.line.print(&format!("  {text}"));
    }
}

fn amount(phase: Phase, total: Option<u64>) -> String {
    let Some(total) = total else { return String::new() };
    match phase {
        Phase::Measure => format!(" for {}", units::seconds(total as f64 / 1e3)),
        Phase::Preload | Phase::Cache => format!(" {}", units::bytes(total as f64)),
        Phase::Crash => format!(": {}", units::counted(total, "kill")),
        Phase::PowerCut => format!(": {}", units::counted(total, "cut")),
        Phase::Verify => format!(" {}", units::counted(total, "actor")),
        Phase::Start | Phase::WarmUp | Phase::Settle => String::new(),
    }
}
