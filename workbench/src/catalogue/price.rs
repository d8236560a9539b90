//! Prices of machines.

use jiff::civil::Date;

/// Hours in a month by which prices per hour become prices per month, as providers count: 365 days of 24 hours, over 12.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// What a machine costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Per month of [`HOURS_PER_MONTH`], in the currency of the catalogue, 0 or more.
    pub per_month: f64,
    /// The day on which it was valid.
    pub on: Date,
}
