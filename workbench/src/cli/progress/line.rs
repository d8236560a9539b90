//! Shows the current phase: a bar on a terminal; elsewhere a line per phase, and one every ten seconds of a long phase.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::activity::{Activity, whole_seconds};
use super::time_left::{StageKind, TimeLeft};
use super::{bar, lock};
use crate::cli::output::Output;
use crate::load::{Phase, Stage};

/// Longest time without a line where there is no bar.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub(crate) struct ProgressLine {
    output: Output,
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    heartbeat: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

struct State {
    activity: Option<Activity>,
    /// The current stage, until one of its phases begins.
    stage: Option<String>,
    time_left: TimeLeft,
    last_line: Instant,
}

impl ProgressLine {
    pub(super) fn new(output: Output, time_left: TimeLeft) -> Self {
        let bar = bar::new(output);
        let state = State { activity: None, stage: None, time_left, last_line: Instant::now() };
        let state = Arc::new(Mutex::new(state));
        let heartbeat = (bar.is_hidden() && !output.quiet).then(|| heartbeat(output, Arc::clone(&state)));
        Self { output, bar, state, heartbeat: Mutex::new(heartbeat) }
    }

    /// A phase begins. `line` is printed if there is no bar.
    pub(super) fn phase(&self, phase: Phase, label: String, total: Option<u64>, line: Option<&str>) {
        if let (true, Some(line)) = (self.bar.is_hidden(), line) {
            self.print(line);
        }
        let mut state = lock(&self.state);
        state.time_left.begin(StageKind::Phase(phase), Instant::now());
        bar::restart(&self.bar, state.with_time_left(&label), total);
        (state.activity, state.stage) = (Some(Activity::new(phase, label, self.bar.clone())), None);
    }

    /// A stage begins; the phase before it has ended.
    pub(super) fn stage(&self, kind: Stage, name: &str) {
        let line = {
            let mut state = lock(&self.state);
            state.time_left.begin(StageKind::Plan(kind), Instant::now());
            (state.activity, state.stage) = (None, Some(name.to_owned()));
            state.with_time_left(name)
        };
        self.print(&line);
        bar::restart(&self.bar, name.to_owned(), None);
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Activity)) {
        let mut state = lock(&self.state);
        let Some(activity) = &mut state.activity else { return };
        change(activity);
        let (label, figures) = (activity.label.clone(), activity.figures());
        self.bar.set_message(state.with_time_left(&label));
        self.bar.set_prefix(figures);
    }

    pub(super) fn expect(&self, time_left: TimeLeft) {
        lock(&self.state).time_left = time_left;
    }

    pub(super) fn expect_only(&self, to_come: &[(StageKind, u32)]) {
        lock(&self.state).time_left.expect_only(to_come);
    }

    /// Prints a line above the bar.
    pub(super) fn print(&self, text: &str) {
        if self.bar.is_hidden() {
            self.output.progress(text);
        } else {
            self.bar.println(text);
        }
        lock(&self.state).last_line = Instant::now();
    }

    /// Removes the bar: only the result stays on the terminal.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        let heartbeat = lock(&self.heartbeat).take();
        if let Some((stop, thread)) = heartbeat {
            drop(stop);
            // It only prints.
            let _ = thread.join();
        }
    }
}

impl State {
    /// `durability off: measuring, round 2 of 3; about 41 s left in total`.
    fn with_time_left(&self, text: &str) -> String {
        match self.time_left.at(Instant::now()) {
            Some(left) if !left.is_zero() => format!("{text}; about {} left in total", whole_seconds(left)),
            _ => text.to_owned(),
        }
    }

    fn heartbeat(&self) -> Option<String> {
        let line = self.activity.as_ref().map(Activity::line).or_else(|| self.stage.clone())?;
        Some(format!("  {}", self.with_time_left(&line)))
    }
}

/// A thread that prints the progress whenever no line was printed for a while.
fn heartbeat(output: Output, state: Arc<Mutex<State>>) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel();
    let thread = std::thread::spawn(move || {
        let mut wait = HEARTBEAT;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            let mut state = lock(&state);
            if state.last_line.elapsed() >= HEARTBEAT {
                if let Some(line) = state.heartbeat() {
                    output.progress(&line);
                }
                state.last_line = Instant::now();
            }
            wait = HEARTBEAT.saturating_sub(state.last_line.elapsed());
        }
    });
    (stop, thread)
}
