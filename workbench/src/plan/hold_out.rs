//! Whether a candidate rate is sustained: decided on loads that the search did not choose it by.
//!
//! Each rate is tried on a new database until the sequential test decides; where a lower one leaves a margin, the first load that
//! misses decides: a rate that now and then misses would take many. A rate that holds is raised
//! again, until one that is little higher does not; for the first rate one load is enough for that, and its test goes on only if
//! the higher one does not hold. After an out-of-memory kill the required rate is next. The machines of several modes take
//! turns in random order, so that what the disk does meanwhile hits all of them.

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
/// A rate that holds is raised by this factor: 1.5 times the answer has to fail.
const STEP_UP: f64 = 1.2;
/// A rate is not raised by less than this.
const WORTH_RAISING: f64 = 1.15;
/// Share of the rate that was tried which is sustained. A rate at which one load in five misses the objective passes the test
/// more often than not; a little below it, none does.
const KEPT: f64 = 0.85;

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
    current: Tried,
    /// Whether the current rate waits for its first load, or for a later one after those of another rate.
    is_new: bool,
    /// The first rate, if its first load met the objective and nothing is decided about it.
    passed: Option<Tried>,
    steps_down: usize,
    /// The lowest rate that does not hold.
    failed: Option<f64>,
    /// The highest rate that holds.
    held: Option<f64>,
    is_decided: bool,
}

/// A rate and its loads so far.
#[derive(Default)]
struct Tried {
    rate: f64,
    trials: Trials,
    drives: Vec<Drive>,
}

impl Tried {
    fn at(rate: f64) -> Self {
        Self { rate, ..Self::default() }
    }
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
            current: Tried::at(candidate),
            is_new: true,
            passed: None,
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
        if std::mem::take(&mut self.is_new) {
            self.search.renew();
        }
        let began = Instant::now();
        let (is_met, drive) = self.search.probe(self.current.rate)?;
        self.spent += began.elapsed();
        self.current.trials.add(is_met);
        if drive.is_none() && self.lowest.is_some() {
            // A little less load needs hardly less memory.
            self.steps_down = STEPS_DOWN.len();
        }
        self.current.drives.extend(drive);
        if is_met
            && self.is_first()
            && let Some(higher) = self.higher(self.current.rate)
        {
            self.passed = Some(self.begin(higher));
            return Ok(());
        }
        let sustained = match decide(self.current.trials, self.error) {
            Decision::Open if is_met || !self.can_miss() => return Ok(()),
            Decision::Reliable => Some(true),
            Decision::Open | Decision::Unreliable => Some(false),
            Decision::Undecided => None,
        };
        let Tried { rate, trials, drives } = std::mem::take(&mut self.current);
        self.search.note(&format!("{} commands/s {trials}", units::number(rate)));
        self.search.findings.decided.push(RateTrials { rate_per_second: rate, trials, sustained });
        if sustained == Some(true) {
            let kept = (KEPT * rate).max(self.lowest.unwrap_or(0.0).min(rate));
            self.search.sustain(kept, rate, drives);
            self.held = Some(rate);
            self.passed = None;
        } else {
            self.failed = Some(rate);
        }
        match self.next(rate) {
            Some(next) => {
                self.begin(next);
            }
            None => self.is_decided = true,
        }
        Ok(())
    }

    /// Returns what was tried before.
    fn begin(&mut self, next: Tried) -> Tried {
        self.is_new = true;
        std::mem::replace(&mut self.current, next)
    }

    /// The rate to go on with after it was decided on `rate`; `None` if that is not worth a load.
    fn next(&mut self, rate: f64) -> Option<Tried> {
        let Some(failed) = self.failed else { return self.higher(rate) };
        let Some(below) = self.below() else { return self.lower(rate).map(Tried::at) };
        // Without a margin over the required rate the answer depends on the rates between those that are known.
        if !self.has_margin(below) && failed >= RESOLUTION * below {
            return Some(Tried::at((below * failed).sqrt()));
        }
        self.passed.take()
    }

    /// Whether this was the first load of all.
    fn is_first(&self) -> bool {
        let is_first_here = self.current.trials.tried_count == 1;
        is_first_here && self.passed.is_none() && self.held.is_none() && self.failed.is_none()
    }

    /// The highest rate below those that do not hold that met the objective.
    fn below(&self) -> Option<f64> {
        self.passed.as_ref().map(|passed| passed.rate).or(self.held)
    }

    /// A rate above one that met the objective; `None` if that is not worth a load.
    fn higher(&self, rate: f64) -> Option<Tried> {
        let next = (STEP_UP * rate).min(self.highest);
        let is_late = self.is_late() && self.has_margin(rate);
        (next >= WORTH_RAISING * rate && !is_late).then(|| Tried::at(next))
    }

    /// Whether there is a margin if the current rate does not hold.
    fn can_miss(&self) -> bool {
        self.has_margin(self.below().unwrap_or(STEPS_DOWN[0] * self.current.rate))
    }

    fn has_margin(&self, rate: f64) -> bool {
        self.lowest.is_none_or(|lowest| KEPT * rate >= LEAST_MARGIN * lowest)
    }

    /// A rate below `rate`.
    fn lower(&mut self, rate: f64) -> Option<f64> {
        let step = STEPS_DOWN.get(self.steps_down).map(|&step| if self.is_late() { LATE_STEP_DOWN } else { step });
        let lowest = self.lowest.unwrap_or(0.0);
        let lower = match step.map(|step| step * rate) {
            Some(lower) if lower > lowest => lower,
            // The required rate itself leaves no margin.
            Some(_) if rate > RESOLUTION * RESOLUTION * lowest => (rate * lowest).sqrt(),
            _ => lowest,
        };
        self.steps_down += 1;
        let is_worthless = self.lowest.is_none() && !self.search.input.is_worth_a_load(lower);
        (lower > 0.0 && lower < rate && !is_worthless).then_some(lower)
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
