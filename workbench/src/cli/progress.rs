//! Progress of a run or a plan for a person.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::actor::Durability;
use crate::cli::doing;
use crate::cli::doing::Doing;
use crate::cli::live::Live;
use crate::cli::output::Output;
use crate::cli::run_agenda::RunAgenda;
use crate::load::{Observer, Phase};
use crate::units;

/// An observer that shows what the runner does.
pub(super) struct Progress {
    live: Live,
    /// What is to come, if it is known; a plan is told by its stages.
    agenda: Option<Mutex<RunAgenda>>,
    /// The round in hand, and how many there are.
    round: Mutex<Option<[u32; 2]>>,
    /// Stages to come, and the expected time of one.
    stages: Mutex<(u32, Duration)>,
}

impl Progress {
    /// Of a plan, whose stages say how long it takes.
    pub(super) fn of_plan(output: Output) -> Self {
        Self { live: Live::new(output), agenda: None, round: Mutex::new(None), stages: Mutex::default() }
    }

    /// Of a run.
    pub(super) fn of_run(output: Output, agenda: RunAgenda) -> Self {
        Self { agenda: Some(Mutex::new(agenda)), ..Self::of_plan(output) }
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        self.live.finish();
    }

    /// `, round 2 of 3`, in the phases that rounds have.
    fn round_of(&self, phase: Phase) -> String {
        let round = *self.round.lock().unwrap_or_else(PoisonError::into_inner);
        match round {
            Some([round, of]) if of > 1 && matches!(phase, Phase::WarmUp | Phase::Measure) => {
                format!(", round {round} of {of}")
            }
            _ => String::new(),
        }
    }
}

impl Observer for Progress {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        let now = Instant::now();
        if let Some(agenda) = &self.agenda {
            let mut agenda = agenda.lock().unwrap_or_else(PoisonError::into_inner);
            agenda.begin(phase, now);
            self.live.ends_in(agenda.left());
        }
        let label = format!("{}{}", doing::label(durability, phase), self.round_of(phase));
        let line = format!("{label}{}", amount(phase, total));
        let told = doing::is_told(phase).then_some(line.as_str());
        self.live.begin(Doing::new(phase, label, total, now), told);
    }

    fn progress(&self, done: u64, commands: u64) {
        self.live.update(|doing, now| doing.progress(done, commands, now));
    }

    fn latency(&self, p99_ns: u64) {
        self.live.update(|doing, _| doing.latency(p99_ns));
    }

    fn round(&self, round: u32, of: u32) {
        *self.round.lock().unwrap_or_else(PoisonError::into_inner) = Some([round, of]);
    }

    fn expect_stages(&self, count: u32, each: Duration) {
        *self.stages.lock().unwrap_or_else(PoisonError::into_inner) = (count, each);
    }

    fn stage(&self, name: &str) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let remaining = (stages.1 * stages.0).max(Duration::from_secs(1));
        stages.0 = stages.0.saturating_sub(1);
        let left = units::seconds(remaining.as_secs_f64().round());
        self.live.stage(name, &format!("{name} (about {left} to go)"), remaining);
    }

    fn note(&self, text: &str) {
        self.live.say(&format!("  {text}"));
    }
}

/// How much there is of a phase.
fn amount(phase: Phase, total: Option<u64>) -> String {
    let Some(total) = total else { return String::new() };
    match phase {
        Phase::Measure => format!(" for {}", units::seconds(total as f64 / 1e3)),
        Phase::Preload => format!(" {}", units::counted(total, "event")),
        Phase::Crash => format!(", {} of them", units::count(total)),
        Phase::Verify => format!(" {}", units::counted(total, "actor")),
        Phase::Start | Phase::WarmUp | Phase::Settle => String::new(),
    }
}
