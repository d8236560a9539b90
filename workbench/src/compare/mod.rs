//! Comparison of builds: is a candidate slower than the base?
//!
//! A [`Comparison`] is made of reports of the same load on the same host. Each difference has a confidence interval; it is a
//! regression only if chance, the machine and the number of comparisons are ruled out as its cause. This module measures and
//! renders nothing.

mod answer;
mod comparable;
mod disk;
mod error;
mod judge;
mod machine;
mod result;
mod samples;
mod sentence;
mod settings;
mod side;
mod warnings;

pub(crate) use answer::{Rule, percent};
pub(crate) use comparable::{host_fields, setting_fields};
pub use error::CompareError;
pub use judge::compare;
pub(crate) use result::as_much_faster;
pub use result::{
    Answer, Candidate, ComparedReport, Comparison, ComparisonOutcome, MachineFigure, MachineRow, Metric, Row, Samples,
    Side,
};
pub use settings::CompareSettings;
pub use side::BuildReports;
