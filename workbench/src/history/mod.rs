//! History: one question over time and builds, with the places where a figure changed.
//!
//! A [`History`] is made of [`Reports`] of one question, in order of time. Each figure is a series, whose change points divide
//! it; the newest segment is compared with the one before, or with that of a baseline. This module measures and renders nothing.

mod change;
mod directory;
mod error;
mod judge;
mod recorded;
mod reports;
mod result;
mod sentence;
mod subject;
mod table;
mod warnings;

pub use error::HistoryError;
pub use judge::history;
pub use reports::Reports;
pub use result::{Change, DifferingField, History, HistoryReport, LeftOut, Metric, Point, Segment, Series};
