//! A testbed that looks at the disk between loads.

use std::cell::RefCell;

use crate::host::{DiskWatch, Machine, ProbeError};
use crate::load::DriveSpec;
use crate::process::{
    DriveResult, Emulation, ProcessError, Rig, RigResult, RigSpec, RigSummary, Survey, SurveySpec, SuspendedRig,
    Testbed,
};

/// Samples the disk for 0.2 s before the loads of the testbed behind it, every three seconds at the most.
pub(super) struct WatchedTestbed<'a> {
    testbed: &'a dyn Testbed,
    watch: &'a RefCell<DiskWatch<'a>>,
}

impl<'a> WatchedTestbed<'a> {
    pub(super) const fn new(testbed: &'a dyn Testbed, watch: &'a RefCell<DiskWatch<'a>>) -> Self {
        Self { testbed, watch }
    }
}

impl Testbed for WatchedTestbed<'_> {
    fn emulation(&self, machine: &Machine) -> Emulation {
        self.testbed.emulation(machine)
    }

    fn set_up(&self, spec: &RigSpec<'_>) -> RigResult<Box<dyn Rig + '_>> {
        let rig = self.testbed.set_up(spec)?;
        Ok(rig.map(|rig| -> Box<dyn Rig + '_> { Box::new(WatchedRig { rig, watch: self.watch }) }))
    }
}

struct WatchedRig<'a> {
    rig: Box<dyn Rig + 'a>,
    watch: &'a RefCell<DiskWatch<'a>>,
}

impl Rig for WatchedRig<'_> {
    fn drive(&mut self, spec: &DriveSpec) -> RigResult<DriveResult> {
        let failed = |error: ProbeError| ProcessError::Testbed(Box::new(error));
        self.watch.borrow_mut().look().map_err(failed)?;
        self.rig.drive(spec)
    }

    fn survey(&mut self, spec: &SurveySpec) -> RigResult<Survey> {
        self.rig.survey(spec)
    }

    fn finish(self: Box<Self>, verify: bool) -> RigResult<RigSummary> {
        self.rig.finish(verify)
    }

    fn suspend(self: Box<Self>) -> Result<Option<SuspendedRig>, ProcessError> {
        self.rig.suspend()
    }
}
