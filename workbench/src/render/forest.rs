//! The geometry of a forest plot: an interval per row on one axis, with zero and the threshold marked.

use serde::Serialize;

use crate::compare::{Row, as_much_faster};

/// Width of the axis in units of the drawing.
const WIDTH: f64 = 100.0;
/// Percent at which the axis ends at most: what lies beyond is drawn as reaching the edge.
const MAX_PERCENT: f64 = 100.0;
/// The axis reaches at least so many times as far as what must be ruled out.
const REACH: f64 = 1.25;

/// One axis for all rows of a table, from the fastest to the slowest end, percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    zero: f64,
    /// Where the threshold is drawn, for faster and slower.
    limits: [f64; 2],
    /// Where what must be ruled out is drawn, for faster and slower.
    ruled_out: [f64; 2],
}

#[derive(Serialize)]
pub(super) struct DrawnInterval {
    low: f64,
    at: f64,
    high: f64,
}

impl Axis {
    /// An axis on which all rows fit, or as much of them as is worth showing, and what must be ruled out does.
    pub(super) fn of<'r>(
        rows: impl Iterator<Item = &'r Row> + Clone,
        threshold_percent: f64,
        rule_out_percent: f64,
    ) -> Self {
        let [threshold, ruled_out] =
            [threshold_percent, rule_out_percent].map(|slower| [as_much_faster(slower), slower]);
        let lowest = rows.clone().map(|row| row.interval_percent[0]).fold(REACH * ruled_out[0], f64::min);
        let highest = rows.map(|row| row.interval_percent[1]).fold(REACH * ruled_out[1], f64::max);
        let (low, high) = (lowest.max(-MAX_PERCENT), highest.min(MAX_PERCENT.max(REACH * ruled_out[1])));
        let axis = Self { low, high, zero: 0.0, limits: [0.0; 2], ruled_out: [0.0; 2] };
        let place = |percent| axis.place(percent);
        Self { zero: place(0.0), limits: threshold.map(place), ruled_out: ruled_out.map(place), ..axis }
    }

    pub(super) fn draw(self, row: &Row) -> DrawnInterval {
        let [low, high] = row.interval_percent.map(|percent| self.place(percent));
        DrawnInterval { low, at: self.place(row.slower_percent), high }
    }

    fn place(self, percent: f64) -> f64 {
        (WIDTH * (percent - self.low) / (self.high - self.low)).clamp(0.0, WIDTH)
    }
}
