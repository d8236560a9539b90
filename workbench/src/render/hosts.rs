//! Other hosts beside each other: what each is predicted to sustain, and for which target it is enough.

use serde::Serialize;

use crate::actor::Durability;
use crate::report::{
    Band, CatalogueInfo, PlanResult, PredictedMode, PredictedTarget, PredictionCheck, PredictionInfo, TargetMachine,
};

#[derive(Debug, Serialize)]
pub(super) struct HostsView<'a> {
    targets_per_second: Vec<f64>,
    rows: Vec<HostRow<'a>>,
    /// `smallest`, or with prices `cheapest`.
    preference: &'static str,
    /// The host for each target.
    enough: Vec<(Durability, &'a [TargetMachine])>,
}

/// A host in one durability mode.
#[derive(Debug, Serialize)]
struct HostRow<'a> {
    prediction: &'a PredictionInfo,
    mode: &'a PredictedMode,
    rate: String,
    /// Class of the page, and the word for each target.
    answers: Vec<[&'static str; 2]>,
    inputs: Vec<(&'static str, Band)>,
    check: Option<String>,
}

impl<'a> HostsView<'a> {
    /// `None` if the plan predicts no host.
    pub(super) fn new(plan: &'a PlanResult) -> Option<Self> {
        let first = plan.predictions.first()?.modes.first()?;
        let rows = plan.predictions.iter().flat_map(|one| one.modes.iter().map(|mode| HostRow::new(one, mode)));
        let modes = plan.demand.iter().flat_map(|demand| &demand.modes);
        Some(Self {
            targets_per_second: first.targets.iter().map(|target| target.target_per_second).collect(),
            rows: rows.collect(),
            preference: CatalogueInfo::preference(plan.catalogue.as_ref()),
            enough: modes.map(|mode| (mode.durability, mode.targets.as_slice())).collect(),
        })
    }
}

impl<'a> HostRow<'a> {
    fn new(prediction: &'a PredictionInfo, mode: &'a PredictedMode) -> Self {
        let class = |target: &PredictedTarget| match target.holds {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unsure",
        };
        Self {
            prediction,
            mode,
            rate: mode.rate(),
            answers: mode.targets.iter().map(|target| [class(target), target.word()]).collect(),
            inputs: mode.inputs.iter().map(|input| (input.name.name(), input.ratio)).collect(),
            check: mode.check.as_ref().map(PredictionCheck::summary),
        }
    }
}
