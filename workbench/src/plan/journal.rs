//! A plan's memory: what was measured is written down at once, so that a plan that was interrupted goes on where it was.
//!
//! A search asks for one load after the other, and which one comes next follows from what came of those before. So a plan
//! that is begun again with the same inputs asks the same questions, and is given the answers that were written down, until
//! it asks one that has none. The rig is set up only then: its database does not hold what the earlier loads wrote, which
//! is the one thing that differs.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::actor::Durability;
use crate::host::Machine;
use crate::load::{Control, DriveSpec, RestartSpec};
use crate::process::{DriveResult, Emulation, ProcessError, Rig, RigOutcome, RigSummary, Survey, Testbed};

/// The journal of one plan, a file with a line of JSON for each load.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
    dropped_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    /// What the plan was asked, in full: of another plan nothing is taken.
    inputs: String,
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
    Surveyed(RestartSpec, Box<RigOutcome<Survey>>),
    Finished(RigOutcome<RigSummary>),
}

impl Journal {
    /// The journal at `path` for a plan with these inputs; what another plan left there is replaced.
    ///
    /// A last line that was cut off by the death of its writer is dropped.
    ///
    /// # Errors
    ///
    /// What the system says of the file, or that another plan has it open.
    pub fn open(path: &Path, inputs: &str) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another plan with the same inputs writes to it")
            }
            TryLockError::Error(error) => error,
        })?;
        let (lines, end) = read(&file, inputs)?;
        let length = file.metadata()?.len();
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let mut journal = Self { path: path.to_owned(), file, lines, dropped_bytes: length - end };
        if end == 0 {
            journal.append(&Heading { inputs: inputs.to_owned() })?;
        }
        Ok(journal)
    }

    /// Loads that were written down.
    pub fn loads(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.step, Step::Driven(..))).count()
    }

    /// Bytes that could not be used: a line that was cut off, or the journal of another plan.
    pub const fn dropped_bytes(&self) -> u64 {
        self.dropped_bytes
    }

    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}

/// The whole lines of a journal of this plan, and where they end; none, and 0, if it is of another one.
fn read(file: &File, inputs: &str) -> io::Result<(Vec<Line>, u64)> {
    let mut reader = BufReader::new(file);
    let mut text = Vec::new();
    let mut end = reader.read_until(b'\n', &mut text)? as u64;
    let heading = serde_json::from_slice::<Heading>(&text).ok().filter(|heading| heading.inputs == inputs);
    if heading.is_none() || text.last() != Some(&b'\n') {
        return Ok((Vec::new(), 0));
    }
    let mut lines = Vec::new();
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)? as u64;
        match serde_json::from_slice(&text) {
            Ok(line) if text.last() == Some(&b'\n') => lines.push(line),
            _ => return Ok((lines, end)),
        }
        end += length;
    }
}

/// A measurement cannot be written to the journal.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the journal {}: {source}", path.display())]
struct JournalError {
    path: PathBuf,
    source: io::Error,
}

/// A testbed that gives the answers of a journal as long as it has them, and writes down those that follow.
pub struct JournaledTestbed<'a> {
    testbed: &'a dyn Testbed,
    control: &'a Control,
    journal: RefCell<Journal>,
    known: RefCell<HashMap<RigKey, VecDeque<Step>>>,
    rigs: RefCell<HashMap<(String, Durability, u64), u64>>,
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
        let mut journal = self.journal.borrow_mut();
        let written = journal.append(&Line { rig: rig.clone(), step: step.clone() });
        written.map_err(|source| ProcessError::Testbed(Box::new(JournalError { path: journal.path.clone(), source })))
    }

    fn next_key(&self, machine: &Machine, durability: Durability, workers: u64) -> RigKey {
        let mut rigs = self.rigs.borrow_mut();
        let count = rigs.entry((machine.name.clone(), durability, workers)).or_default();
        *count += 1;
        RigKey { machine: machine.name.clone(), durability, workers, number: *count }
    }
}

impl Testbed for JournaledTestbed<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        self.testbed.emulation(machine)
    }

    fn set_up(
        &self,
        machine: &Machine,
        durability: Durability,
        workers: u64,
    ) -> Result<RigOutcome<Box<dyn Rig + '_>>, ProcessError> {
        let key = self.next_key(machine, durability, workers);
        let known = self.known.borrow_mut().remove(&key).unwrap_or_default();
        if let Some(Step::DiedAtOnce) = known.front() {
            return Ok(RigOutcome::OutOfMemory);
        }
        let mut rig = Box::new(JournaledRig { of: self, machine: machine.clone(), key, known, rig: None, last: None });
        if rig.known.is_empty() && !rig.revive()? {
            return Ok(RigOutcome::OutOfMemory);
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

impl JournaledRig<'_> {
    /// Sets the rig up, unless it is there; whether it lives.
    fn revive(&mut self) -> Result<bool, ProcessError> {
        if self.rig.is_some() {
            return Ok(true);
        }
        match self.of.testbed.set_up(&self.machine, self.key.durability, self.key.workers)? {
            RigOutcome::Completed(rig) => {
                self.rig = Some(rig);
                Ok(true)
            }
            RigOutcome::OutOfMemory => {
                self.of.write(&self.key, &Step::DiedAtOnce)?;
                Ok(false)
            }
        }
    }
}

impl JournaledRig<'_> {
    /// Sets the rig up, unless it is there, and does the last load again, so that there is something to look at; whether
    /// it lives.
    fn catch_up(&mut self) -> Result<bool, ProcessError> {
        if self.rig.is_some() {
            return Ok(true);
        }
        let alive = self.revive()?;
        if let (true, Some(last), Some(rig)) = (alive, self.last, &mut self.rig) {
            return Ok(matches!(rig.drive(&last)?, RigOutcome::Completed(_)));
        }
        Ok(alive)
    }
}

impl Rig for JournaledRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> Result<RigOutcome<DriveResult>, ProcessError> {
        if let Some(Step::Driven(asked, _)) = self.known.front()
            && asked == spec
            && let Some(Step::Driven(_, answer)) = self.known.pop_front()
        {
            self.last = Some(*spec);
            return Ok(*answer);
        }
        // Another question: what was answered to others from here on is of no use.
        self.known.clear();
        if !self.revive()? {
            return Ok(RigOutcome::OutOfMemory);
        }
        let Some(rig) = &mut self.rig else { return Ok(RigOutcome::OutOfMemory) };
        let answer = rig.drive(spec)?;
        self.of.write(&self.key, &Step::Driven(*spec, Box::new(answer.clone())))?;
        Ok(answer)
    }

    fn survey(&mut self, spec: &RestartSpec) -> Result<RigOutcome<Survey>, ProcessError> {
        if let Some(Step::Surveyed(asked, _)) = self.known.front()
            && asked == spec
            && let Some(Step::Surveyed(_, answer)) = self.known.pop_front()
        {
            return Ok(*answer);
        }
        self.known.clear();
        if !self.catch_up()? {
            return Ok(RigOutcome::OutOfMemory);
        }
        let Some(rig) = &mut self.rig else { return Ok(RigOutcome::OutOfMemory) };
        let answer = rig.survey(spec)?;
        self.of.write(&self.key, &Step::Surveyed(*spec, Box::new(answer.clone())))?;
        Ok(answer)
    }

    fn finish(mut self: Box<Self>, verify: bool) -> Result<RigOutcome<RigSummary>, ProcessError> {
        if let Some(Step::Finished(finished)) = self.known.pop_front() {
            return Ok(finished);
        }
        if !self.catch_up()? {
            return Ok(RigOutcome::OutOfMemory);
        }
        let Some(rig) = self.rig.take() else { return Ok(RigOutcome::OutOfMemory) };
        let finished = rig.finish(verify)?;
        self.of.write(&self.key, &Step::Finished(finished.clone()))?;
        Ok(finished)
    }
}
