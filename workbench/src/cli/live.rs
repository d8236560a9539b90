//! Shows what is being done: a bar on a terminal; elsewhere a line for each phase, and one every ten seconds of a long one,
//! so that a log shows life.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::cli::bar;
use crate::cli::doing::{Doing, whole_seconds};
use crate::cli::output::Output;

/// Longest silence where there is no bar.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What a person sees while something goes on.
pub(super) struct Live {
    output: Output,
    bar: Option<ProgressBar>,
    seen: Arc<Mutex<Seen>>,
    heart: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

struct Seen {
    doing: Option<Doing>,
    /// The stage that is in hand, until a phase of it begins.
    stage: Option<String>,
    /// When all of it ends, as expected.
    ends: Option<Instant>,
    /// When something was said last.
    said: Instant,
}

impl Live {
    pub(super) fn new(output: Output) -> Self {
        let bar = bar::new(output);
        let seen = Arc::new(Mutex::new(Seen { doing: None, stage: None, ends: None, said: Instant::now() }));
        let heart = (bar.is_none() && output.tells_progress()).then(|| beat(output, Arc::clone(&seen)));
        Self { output, bar, seen, heart: Mutex::new(heart) }
    }

    /// Something begins. `line` is said of it where there is no bar.
    pub(super) fn begin(&self, doing: Doing, line: Option<&str>) {
        if let (None, Some(line)) = (&self.bar, line) {
            self.say(line);
        }
        let mut seen = self.seen();
        if let Some(bar) = &self.bar {
            bar::begin(bar, seen.headline(&doing), doing.total());
        }
        (seen.doing, seen.stage) = (Some(doing), None);
    }

    /// A stage begins, which takes about so long with all that follows. What was being done is over.
    pub(super) fn stage(&self, stage: &str, line: &str, left: Duration) {
        self.ends_in(Some(left));
        self.say(line);
        let mut seen = self.seen();
        (seen.doing, seen.stage) = (None, Some(stage.to_owned()));
        if let Some(bar) = &self.bar {
            bar::begin(bar, stage.to_owned(), None);
        }
    }

    /// Something about what is being done has changed.
    pub(super) fn update(&self, change: impl FnOnce(&mut Doing, Instant)) {
        let mut seen = self.seen();
        let now = Instant::now();
        let Some(doing) = &mut seen.doing else { return };
        change(doing, now);
        let (Some(bar), Some(doing)) = (&self.bar, &seen.doing) else { return };
        bar::show(bar, doing.done(), seen.headline(doing), doing.figures(now));
    }

    /// All of it takes about so long from now on; `None` if that is not known any more.
    pub(super) fn ends_in(&self, left: Option<Duration>) {
        self.seen().ends = left.map(|left| Instant::now() + left);
    }

    /// A line that stays.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.output.progress(text),
        }
        self.seen().said = Instant::now();
    }

    /// Removes the bar, so that the result stands alone.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let heart = self.heart.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = heart {
            drop(stop);
            // It says nothing that anybody misses.
            let _ = thread.join();
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Seen {
    /// `durability off: measuring, round 2 of 3; about 41 s to go`.
    fn headline(&self, doing: &Doing) -> String {
        let to_go = self.to_go().map_or_else(String::new, |to_go| format!("; {to_go}"));
        format!("{}{to_go}", doing.label())
    }

    /// `about 41 s to go`, as long as it is not later than it was expected to be.
    fn to_go(&self) -> Option<String> {
        let left = self.ends?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| format!("about {} to go", whole_seconds(left)))
    }

    /// What is said after a silence.
    fn heartbeat(&self) -> Option<String> {
        let doing = self.doing.as_ref().map(|doing| doing.line(Instant::now()));
        let line = doing.or_else(|| self.stage.clone())?;
        let to_go = self.to_go().map_or_else(String::new, |to_go| format!("; {to_go}"));
        Some(format!("  {line}{to_go}"))
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that says how far it is whenever nothing was said for a while.
fn beat(output: Output, seen: Arc<Mutex<Seen>>) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel();
    let thread = std::thread::spawn(move || {
        let mut wait = HEARTBEAT;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            let mut seen = lock(&seen);
            let silence = seen.said.elapsed();
            if silence >= HEARTBEAT {
                if let Some(line) = seen.heartbeat() {
                    output.progress(&line);
                }
                seen.said = Instant::now();
            }
            wait = HEARTBEAT.saturating_sub(seen.said.elapsed());
        }
    });
    (stop, thread)
}
