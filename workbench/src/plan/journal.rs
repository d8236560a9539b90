//! A plan's memory: what was measured is written down at once, so that a plan that was interrupted goes on where it was.
//!
//! A search asks for one load after the other, and which one comes next follows from what came of those before. So a plan
//! that is begun again with the same inputs asks the same questions, and is given the answers that were written down, until
//! it asks one that has none. The rig is set up only then: its database does not hold what the earlier loads wrote, which
//! is the one thing that differs.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Control, DriveSpec};
use crate::process::{
    DriveResult, Emulation, JournalError, JournalFile, ProcessError, Rig, RigOutcome, RigResult, RigSpec, RigStep,
    RigSummary, Survey, SurveySpec, Testbed,
};

/// The journal of one plan.
#[derive(Debug)]
pub struct Journal {
    file: JournalFile,
    /// Until they are replayed.
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    rig: RigKey,
    step: Step,
}

/// The n-th rig of a machine in a mode.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct RigKey {
    machine: String,
    /// Events by which its database is grown.
    grown_events: u64,
    durability: Durability,
    workers: u64,
    number: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// It could not even be filled.
    DiedAtOnce,
    Driven(DriveSpec, Box<RigOutcome<DriveResult>>),
    Surveyed(SurveySpec, Box<RigOutcome<Survey>>),
    Finished(RigOutcome<RigSummary>),
}

impl Journal {
    /// Opens the journal at `path` for a plan with these inputs; that of another plan is replaced.
    ///
    /// # Errors
    ///
    /// The file fails, or another plan has it open.
    pub fn open(path: &Path, inputs: &str) -> Result<Self, JournalError> {
        let (mut file, found) = JournalFile::open::<String, Line>(path)?;
        if found.as_deref() != Some(inputs) {
            file.begin(&inputs)?;
        }
        let lines = file.entries()?.collect::<Result<_, _>>()?;
        Ok(Self { file, lines })
    }

    /// A note for the user if the file system has no locks.
    pub(super) fn note(&self) -> Option<String> {
        self.file.note()
    }

    /// Loads in it.
    pub fn loads(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.step, Step::Driven(..))).count()
    }

    /// Bytes dropped when it was opened: a cut-off end, or the journal of another plan.
    pub const fn dropped_bytes(&self) -> u64 {
        self.file.dropped_bytes
    }
}

/// A testbed that gives the answers of a journal as long as it has them, and writes down those that follow.
pub struct JournaledTestbed<'a> {
    testbed: &'a dyn Testbed,
    control: &'a Control,
    journal: RefCell<Journal>,
    known: RefCell<HashMap<RigKey, VecDeque<Step>>>,
    /// The rigs so far by key, without their numbers.
    rigs: RefCell<HashMap<RigKey, u64>>,
}

impl<'a> JournaledTestbed<'a> {
    /// Remembers what was asked of `testbed`. What `control` cut short is not written down.
    pub fn new(testbed: &'a dyn Testbed, mut journal: Journal, control: &'a Control) -> Self {
        let mut known: HashMap<RigKey, VecDeque<Step>> = HashMap::new();
        for line in std::mem::take(&mut journal.lines) {
            known.entry(line.rig).or_default().push_back(line.step);
        }
        Self {
            testbed,
            control,
            journal: RefCell::new(journal),
            known: RefCell::new(known),
            rigs: RefCell::new(HashMap::new()),
        }
    }

    fn write(&self, rig: &RigKey, step: &Step) -> Result<(), ProcessError> {
        if self.control.is_stopped() {
            return Ok(());
        }
        let written = self.journal.borrow_mut().file.append(&Line { rig: rig.clone(), step: step.clone() });
        written.map_err(|error| ProcessError::Testbed(Box::new(error)))
    }

    fn next_key(&self, spec: &RigSpec<'_>) -> RigKey {
        let RigSpec { machine, grown_events, durability, workers } = *spec;
        let key = RigKey { machine: machine.name.clone(), grown_events, durability, workers, number: 0 };
        let mut rigs = self.rigs.borrow_mut();
        let count = rigs.entry(key.clone()).or_default();
        *count += 1;
        RigKey { number: *count, ..key }
    }
}

impl Testbed for JournaledTestbed<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        self.testbed.emulation(machine)
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> RigResult<Box<dyn Rig + '_>> {
        let key = self.next_key(spec);
        let known = self.known.borrow_mut().remove(&key).unwrap_or_default();
        if let Some(Step::DiedAtOnce) = known.front() {
            return Ok(RigOutcome::OutOfMemory(RigStep::Filling));
        }
        let mut rig =
            Box::new(JournaledRig { of: self, machine: spec.machine.clone(), key, known, rig: None, last: None });
        if rig.known.is_empty() && rig.revived()?.is_none() {
            return Ok(RigOutcome::OutOfMemory(RigStep::Filling));
        }
        Ok(RigOutcome::Completed(rig))
    }
}

/// A rig that may not be there yet.
struct JournaledRig<'a> {
    of: &'a JournaledTestbed<'a>,
    machine: Machine,
    key: RigKey,
    known: VecDeque<Step>,
    rig: Option<Box<dyn Rig + 'a>>,
    /// The last load whose answer was remembered.
    last: Option<DriveSpec>,
}

impl<'a> JournaledRig<'a> {
    /// The rig, which is set up unless it is there; `None` if that ran out of memory.
    fn revived(&mut self) -> Result<Option<&mut Box<dyn Rig + 'a>>, ProcessError> {
        if self.rig.is_none() {
            let RigKey { grown_events, durability, workers, .. } = self.key;
            match self.of.testbed.set_up(&RigSpec { machine: &self.machine, grown_events, durability, workers })? {
                RigOutcome::Completed(rig) => self.rig = Some(rig),
                RigOutcome::OutOfMemory(_) => self.of.write(&self.key, &Step::DiedAtOnce)?,
            }
        }
        Ok(self.rig.as_mut())
    }

    /// The same after the last load, which is repeated if the rig was not there: later steps examine its result.
    fn caught_up(&mut self) -> Result<Option<&mut Box<dyn Rig + 'a>>, ProcessError> {
        let repeated = self.last.filter(|_| self.rig.is_none());
        if let (Some(rig), Some(last)) = (self.revived()?, repeated)
            && let RigOutcome::OutOfMemory(_) = rig.drive(&last)?
        {
            self.rig = None;
        }
        Ok(self.rig.as_mut())
    }
}

impl Rig for JournaledRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult> {
        if let Some(Step::Driven(asked, answer)) = self.known.pop_front()
            && asked == *spec
        {
            self.last = Some(*spec);
            return Ok(*answer);
        }
        // The answers to the questions that followed the expected one do not apply.
        self.known.clear();
        let Some(rig) = self.revived()? else { return Ok(RigOutcome::OutOfMemory(RigStep::Filling)) };
        let answer = rig.drive(spec)?;
        self.of.write(&self.key, &Step::Driven(*spec, Box::new(answer.clone())))?;
        Ok(answer)
    }

    fn survey(&mut self, spec: &SurveySpec) -> RigResult<Survey> {
        if let Some(Step::Surveyed(asked, answer)) = self.known.pop_front()
            && asked == *spec
        {
            return Ok(*answer);
        }
        self.known.clear();
        let Some(rig) = self.caught_up()? else { return Ok(RigOutcome::OutOfMemory(RigStep::Filling)) };
        let answer = rig.survey(spec)?;
        self.of.write(&self.key, &Step::Surveyed(*spec, Box::new(answer.clone())))?;
        Ok(answer)
    }

    fn finish(mut self: Box<Self>, verify: bool) -> RigResult<RigSummary> {
        if let Some(Step::Finished(finished)) = self.known.pop_front() {
            return Ok(finished);
        }
        self.caught_up()?;
        let Some(rig) = self.rig.take() else { return Ok(RigOutcome::OutOfMemory(RigStep::Filling)) };
        let finished = rig.finish(verify)?;
        self.of.write(&self.key, &Step::Finished(finished.clone()))?;
        Ok(finished)
    }
}
