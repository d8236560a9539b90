//! Whether a candidate rate is sustained: decided on loads that the search did not choose it by.
//!
//! Each rate is tried on a new database until the sequential test decides; where a lower one leaves a margin, the first load that
//! misses decides: a rate that now and then misses would take many. A rate that does not hold is lowered; one that holds is
//! raised again, until one that is little higher does not. After an out-of-memory kill the required rate is next. The machines of
//! several modes take turns in random order, so that what the disk does meanwhile hits all of them.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::search::{RESOLUTION, Search};
use super::sentences::LEAST_MARGIN;
use crate::load::Drive;
use crate::measure::{Decision, Trials, decide};
use crate::process::ProcessError;
use crate::report::RateTrials;
use crate::units;

/// A rate that does not hold is lowered by these factors, one after the other; then the lowest one is tried.
const STEPS_DOWN: [f64; 6] = [0.8, 0.8, 0.8, 0.8, 0.65, 0.5];
/// The same once the time for the trials is over.
const LATE_STEP_DOWN: f64 = 0.65;
/// A rate that holds is raised by this factor: the highest that holds is known to that.
const STEP_UP: f64 = 1.2;
/// A rate is not raised by less than this: 1.5 times the answer has to fail.
const WORTH_RAISING: f64 = 1.15;
/// Between a rate that holds and the next that does not, another is tried if they differ by this factor or more: not after one
/// step up.
const WORTH_REFINING: f64 = 1.35;
/// Share of the rate that was tried which is sustained. A rate at which one load in five misses the objective passes the test
/// more often than not; a little below it, none does.
const KEPT: f64 = 0.9;

/// The trials of one machine in one mode.
pub(super) struct HoldOut<'s, 'a> {
    search: &'s mut Search<'a>,
    /// No lower rate is worth a trial; `None` if any that holds is.
    lowest: Option<f64>,
    /// No higher one is.
    highest: f64,
    error: f64,
    /// Time of its own loads.
    spent: Duration,
    rate: f64,
    trials: Trials,
    drives: Vec<Drive>,
    steps_down: usize,
    /// The lowest rate that does not hold.
    failed: Option<f64>,
    /// The highest rate that holds.
    held: Option<f64>,
    is_decided: bool,
}

impl<'s, 'a> HoldOut<'s, 'a> {
    /// Begins with `candidate`. No rate below the required one is tried, unless there is none.
    pub(super) fn new(search: &'s mut Search<'a>, candidate: f64, lowest: Option<f64>) -> Self {
        let error = search.input.spec.effort.error;
        let highest = lowest.map_or(STEP_UP * candidate, |lowest| search.highest(lowest));
        Self {
            search,
            lowest,
            highest,
            error,
            spent: Duration::ZERO,
            rate: candidate,
            trials: Trials::default(),
            drives: Vec::new(),
            steps_down: 0,
            failed: None,
            held: None,
            is_decided: false,
        }
    }

    /// Tries until it is decided.
    pub(super) fn decide(self) -> Result<(), ProcessError> {
        decide_all(vec![self], 0)
    }

    fn step(&mut self) -> Result<(), ProcessError> {
        if self.search.is_over() {
            self.is_decided = true;
            return Ok(());
        }
        if self.trials == Trials::default() {
            self.search.renew();
        }
        let began = Instant::now();
        let (is_met, drive) = self.search.probe(self.rate)?;
        self.spent += began.elapsed();
        self.trials.add(is_met);
        if drive.is_none() && self.lowest.is_some() {
            // A little less load needs hardly less memory.
            self.steps_down = STEPS_DOWN.len();
        }
        self.drives.extend(drive);
        let sustained = match decide(self.trials, self.error) {
            Decision::Open if is_met || !self.can_miss() => return Ok(()),
            Decision::Reliable => Some(true),
            Decision::Open | Decision::Unreliable => Some(false),
            Decision::Undecided => None,
        };
        self.search.note(&format!("{} {}", units::commands_per_second(self.rate), self.trials));
        let decided = RateTrials { rate_per_second: self.rate, trials: self.trials, sustained };
        self.search.findings.decided.push(decided);
        let drives = std::mem::take(&mut self.drives);
        self.trials = Trials::default();
        if sustained == Some(true) {
            let kept = (KEPT * self.rate).max(self.lowest.unwrap_or(0.0).min(self.rate));
            self.search.sustain(kept, self.rate, drives);
            self.held = Some(self.rate);
        } else {
            self.failed = Some(self.rate);
        }
        self.choose_rate();
        Ok(())
    }

    fn choose_rate(&mut self) {
        match (self.held, self.failed) {
            (Some(held), Some(failed)) => self.try_between(held, failed),
            (Some(_), None) => self.raise(),
            (None, _) => self.lower(),
        }
    }

    fn raise(&mut self) {
        let next = (STEP_UP * self.rate).min(self.highest);
        self.is_decided = next < WORTH_RAISING * self.rate || (self.is_late() && self.has_margin(self.rate));
        self.rate = next;
    }

    /// Without a margin over the required rate the answer depends on the rates between those that are known.
    fn try_between(&mut self, held: f64, failed: f64) {
        let has_margin = self.has_margin(held);
        let worth = if has_margin { WORTH_REFINING } else { RESOLUTION };
        self.is_decided = failed < worth * held || (self.is_late() && has_margin);
        self.rate = (held * failed).sqrt();
    }

    /// Whether there is a margin if the rate does not hold.
    fn can_miss(&self) -> bool {
        self.has_margin(self.held.unwrap_or(STEPS_DOWN[0] * self.rate))
    }

    fn has_margin(&self, rate: f64) -> bool {
        self.lowest.is_none_or(|lowest| KEPT * rate >= LEAST_MARGIN * lowest)
    }

    fn lower(&mut self) {
        let step = STEPS_DOWN.get(self.steps_down).map(|&step| if self.is_late() { LATE_STEP_DOWN } else { step });
        let lowest = self.lowest.unwrap_or(0.0);
        let lower = match step.map(|step| step * self.rate) {
            Some(lower) if lower > lowest => lower,
            // The required rate itself leaves no margin.
            Some(_) if self.rate > RESOLUTION * RESOLUTION * lowest => (self.rate * lowest).sqrt(),
            _ => lowest,
        };
        let is_worthless = self.lowest.is_none() && !self.search.input.is_worth_a_load(lower);
        self.is_decided = lower <= 0.0 || lower >= self.rate || is_worthless;
        self.steps_down += 1;
        self.rate = lower;
    }

    fn is_late(&self) -> bool {
        self.spent > self.search.input.spec.effort.climb
    }
}

/// Tries the candidates in turns until all are decided. The order is drawn from `seed`.
pub(super) fn decide_all(mut all: Vec<HoldOut<'_, '_>>, seed: u64) -> Result<(), ProcessError> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    while all.iter().any(|one| !one.is_decided) {
        all.shuffle(&mut random);
        for one in all.iter_mut().filter(|one| !one.is_decided) {
            one.step()?;
        }
    }
    Ok(())
}
