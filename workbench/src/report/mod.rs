//! What all reports share: the frame around the figures, the figures of a durability mode, and the directory on disk.
//!
//! A [`Report`] is complete in itself: `report.json` contains all of it, and every renderer is a function from it to text.
//! Every field name carries its unit: latencies are nanoseconds, sizes are bytes, rates are per second. This module
//! never measures and renders nothing.

mod assemble;
mod assess;
mod attachments;
mod build;
mod catalogue;
mod certainty;
mod certificate;
mod demand;
mod directory;
mod disk;
mod disk_file;
mod forecast;
mod frame;
pub(crate) mod histogram_log;
mod horizon;
mod host_info;
mod latency;
mod mode;
mod plan;
mod prediction;
mod price;
mod question;
mod ramp;
mod series;
mod slo;
mod what_if;
mod writers;

pub use crate::host::HostWarning as Warning;
#[cfg(feature = "rocksdb")]
pub(crate) use assemble::tuning_info;
pub use assemble::{Context, latency_info};
pub(crate) use assemble::{MeasuredMode, host_info, report, spec_json, verification};
pub(crate) use assess::{Assessment, DISTURBED, UNDECIDED, relative_deviation};
pub(crate) use attachments::{Attachment, attachments};
pub(crate) use build::{COMMIT, VERSION, build_name, is_same_commit, short_commit};
pub use catalogue::{CatalogueEntry, CatalogueInfo, MachineCost};
pub(crate) use certainty::Ground;
pub use certainty::{Certainty, CertaintyLevel};
pub use certificate::{CertificateInfo, CertifiedSlice, CertifiedSlices};
pub use demand::{DemandInfo, DemandMode, DemandStep, LeastRegret, MachineStanding, TargetMachine};
pub use directory::{Destination, Rendered, ReportDirectory, ReportError};
pub(crate) use directory::{read_json, report_directories};
pub use disk::{DiskChange, DiskComparison, DurableRate, DurableRateBasis, DurableRates, PlanDisk};
pub use disk_file::{DISK_SCHEMA_VERSION, DiskFile};
pub use forecast::{
    Band, Disk, DiskOrigin, ForecastInfo, MemoryInfo, MemoryPartInfo, RestartInfo, SizeInfo, WritesInfo,
};
pub use frame::{
    LoadKind, Outcome, Reason, ReasonKind, Report, ReportKind, Reproduce, SCHEMA_VERSION, Settings, ShardInfo,
    SourceInfo, SourceKind, TuningInfo, Verdict,
};
pub(crate) use histogram_log::{LogError, LoggedLatencies};
pub use horizon::{HorizonInfo, HorizonMode, MachinePeriod, ModelErrorInfo, SizeRate, WorkingSet};
pub use host_info::HostInfo;
pub use latency::{CurvePoint, LatencyInfo, NamedLatency, PercentileInfo};
pub use mode::{
    ActorTypeInfo, CrashVerification, ModeResult, ResourceUse, RoundFigures, RoundInfo, RoundLatency, Verification,
};
pub(crate) use plan::suffices;
pub use plan::{
    Binding, Capacity, ContainerLimits, End, Evidence, ExpectedLatency, GrowthInfo, MachineLatency, MachineMode,
    PlanResult, ProbeResult, ProfileEvidence, RankedFrom, RateTrials, Recommendation, Rejection, RequestCommands,
    Resource, ScalingCurveInfo, ScalingInfo, ScalingPointInfo, ValidUntil,
};
pub use prediction::{InputName, PredictedMode, PredictedTarget, PredictionCheck, PredictionInfo, PredictionInput};
pub use price::{AtRisk, DurabilityPrice, LatencyPrice, ThroughputBasis, ThroughputPrice};
pub use question::{ComparisonContext, Incomparable, Question, Target};
pub(crate) use question::{
    Field, ReportAtPath, check_distinct, check_equal, check_whole, data_loss, difference, field, question_fields,
    shard_fields,
};
pub use ramp::{RampInfo, RampMode, RampPoint};
pub use series::SeriesPoint;
pub(crate) use series::SlicesSummary;
pub use slo::SloInfo;
pub(crate) use slo::slo_info;
pub use what_if::{Basis, FigureName, WhatIfFigure, WhatIfInfo, WhatIfMode};
pub use writers::{WriterPoint, WriterSweep};
