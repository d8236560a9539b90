//! The chart of a series over time: its points, the means of its segments, the change points.

use serde::Serialize;

use super::chart::Tick;
use crate::actor::Durability;
use crate::history::{Change, History, Point, Segment, Series};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 352.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 160.0;
/// Part of the axis that stays free above and below the values.
const FREE: f64 = 0.08;
/// Ranges of more points would be a band of lines.
const MOST_RANGES: usize = 200;

#[derive(Debug, Serialize)]
pub(super) struct TimelineChart {
    durability: Durability,
    what: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    ticks: Vec<Tick>,
    /// Dates of the first and the last point.
    dates: [String; 2],
    marks: Vec<Mark>,
    levels: Vec<Level>,
    changes: Vec<ChangeMark>,
    label: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    x: f64,
    y: f64,
    range: Option<[f64; 2]>,
}

#[derive(Debug, Serialize)]
struct Level {
    x: [f64; 2],
    y: f64,
}

#[derive(Debug, Serialize)]
struct ChangeMark {
    x: f64,
    class: &'static str,
}

impl TimelineChart {
    /// `None` for a series without points.
    pub(super) fn new(history: &History, series: &Series) -> Option<Self> {
        let (first, last) = (series.points.first()?, series.points.last()?);
        let values = || series.points.iter().map(|point| point.value);
        let (lowest, highest) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
        // A series of equal values has an axis around them.
        let free = (FREE * (highest - lowest)).max(0.02 * highest);
        let (low, high) = ((lowest - free).max(0.0), highest + free);
        let y = |value: f64| BOTTOM - (BOTTOM - TOP) * ((value - low) / (high - low)).clamp(0.0, 1.0);
        let step = (RIGHT - LEFT) / series.points.len() as f64;
        let x = |place: f64| LEFT + (place + 0.5) * step;
        let has_ranges = series.points.len() <= MOST_RANGES;
        let mark = |(place, point): (usize, &Point)| Mark {
            x: x(place as f64),
            y: y(point.value),
            range: point.range.filter(|_| has_ranges).map(|ends| ends.map(y)),
        };
        let level =
            |part: &Segment| Level { x: [x(part.first as f64 - 0.4), x(part.last as f64 + 0.4)], y: y(part.mean) };
        let change = |(part, change): (&Segment, &Change)| ChangeMark {
            x: x(part.first as f64 - 0.5),
            class: match (change.is_beyond_threshold, change.is_worse) {
                (false, _) => "small",
                (true, true) => "worse",
                (true, false) => "better",
            },
        };
        let date = |report: usize| history.reports[report].started_at.chars().take(10).collect::<String>();
        let tick = |value: f64| Tick { at: y(value), label: series.figure(value) };
        let what = series.what();
        Some(Self {
            durability: series.durability,
            label: format!("{what} with durability {}; the tables below contain the figures", series.durability),
            what,
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: RIGHT,
            top: TOP,
            bottom: BOTTOM,
            ticks: [low, f64::midpoint(low, high), high].map(tick).into(),
            dates: [date(first.report), date(last.report)],
            marks: series.points.iter().enumerate().map(mark).collect(),
            levels: series.segments.iter().map(level).collect(),
            changes: series.segments.iter().skip(1).zip(&series.changes).map(change).collect(),
        })
    }
}
