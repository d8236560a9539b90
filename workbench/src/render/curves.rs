//! The percentile curves of every machine, as shapes to draw: small charts of one scale, so that they compare.

use serde::Serialize;

use super::chart::{Tick, nines_grid, on_grid};
use crate::actor::Durability;
use crate::fleet::{MachineComparison, MergedMachine};
use crate::units;

const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 200.0;
/// Room for the labels of the axes.
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 24.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 8.0;
/// Where the latency axis has more lines than this, it names powers of ten alone.
const MOST_LINES: usize = 8;
/// Percentiles the axis names, in nines.
const NAMED_NINES: [(f64, &str); 6] =
    [(0.301, "p50"), (1.0, "p90"), (2.0, "p99"), (3.0, "p99.9"), (4.0, "p99.99"), (5.0, "p99.999")];

#[derive(Debug, Serialize)]
pub(super) struct CurveBoard<'a> {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// Latency lines, from below.
    y_ticks: Vec<Tick>,
    x_ticks: Vec<Tick>,
    charts: Vec<MachineCurves<'a>>,
}

#[derive(Debug, Serialize)]
struct MachineCurves<'a> {
    machine: &'a MergedMachine,
    lines: Vec<CurvePath>,
}

/// One durability mode: the data of an SVG path.
#[derive(Debug, Serialize)]
struct CurvePath {
    durability: Durability,
    path: String,
}

/// The scale of all charts.
struct Scale {
    most_nines: f64,
    low: f64,
    high: f64,
}

impl<'a> CurveBoard<'a> {
    /// Charts of the headline command; `None` without latencies.
    pub(super) fn new(comparison: &'a MachineComparison) -> Option<Self> {
        let command = comparison.headline_command.as_deref()?;
        let curves: Vec<_> = comparison.machines.iter().map(|machine| (machine, points(machine, command))).collect();
        let scale = Scale::of(curves.iter().flat_map(|(_, modes)| modes).flat_map(|(_, points)| points))?;
        let path = |(durability, points): (_, Vec<Point>)| CurvePath { durability, path: scale.path(&points) };
        let chart =
            |(machine, modes): (_, Vec<_>)| MachineCurves { machine, lines: modes.into_iter().map(path).collect() };
        let charts = curves.into_iter().map(chart).collect();
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let (x_ticks, y_ticks) = (scale.x_ticks(), scale.y_ticks());
        Some(Self { width: WIDTH, height: HEIGHT, left: LEFT, right, top: TOP, bottom, y_ticks, x_ticks, charts })
    }
}

/// Nines and latency.
type Point = (f64, f64);

fn points(machine: &MergedMachine, command: &str) -> Vec<(Durability, Vec<Point>)> {
    let of_mode = |mode: &crate::fleet::MergedMode| {
        let values = on_grid(&mode.command(command)?.response);
        let known = nines_grid().into_iter().zip(values);
        Some((mode.durability, known.filter_map(|(nines, value)| Some((nines, value?.max(1) as f64))).collect()))
    };
    machine.modes.iter().filter_map(of_mode).collect()
}

impl Scale {
    fn of<'p>(points: impl Iterator<Item = &'p Point> + Clone) -> Option<Self> {
        let latencies = points.clone().map(|point| point.1);
        let (low, high) = (latencies.clone().reduce(f64::min)?, latencies.reduce(f64::max)?);
        let most_nines = points.map(|point| point.0).fold(1.0, f64::max);
        Some(Self { most_nines, low: low / 1.3, high: high * 1.3 })
    }

    fn x(&self, nines: f64) -> f64 {
        LEFT + nines / self.most_nines * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, latency: f64) -> f64 {
        let share = (latency / self.low).ln() / (self.high / self.low).ln();
        HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
    }

    fn path(&self, points: &[Point]) -> String {
        let at = |&(nines, latency): &Point| format!("{:.1} {:.1}", self.x(nines), self.y(latency));
        let places: Vec<String> = points.iter().map(at).collect();
        if places.is_empty() { String::new() } else { format!("M{}", places.join("L")) }
    }

    fn x_ticks(&self) -> Vec<Tick> {
        let shown = NAMED_NINES.into_iter().filter(|&(nines, _)| nines <= self.most_nines + 0.02);
        shown.map(|(nines, name)| Tick { at: self.x(nines), label: name.to_owned() }).collect()
    }

    /// As many lines per power of ten as there is room for.
    fn y_ticks(&self) -> Vec<Tick> {
        let lines = |mantissas: &[f64]| -> Vec<f64> {
            let powers = (0..12).map(|power| 10_f64.powi(power));
            let all = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * power));
            all.filter(|latency| (self.low..=self.high).contains(latency)).collect()
        };
        let all = lines(&[1.0, 2.0, 5.0]);
        let shown = if all.len() > MOST_LINES { lines(&[1.0]) } else { all };
        shown.into_iter().map(|latency| Tick { at: self.y(latency), label: units::duration(latency) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_every_point_and_rises_upwards() {
        let points = [(0.0, 1e4), (1.0, 2e5), (2.4, 3e7)];
        let scale = Scale::of(points.iter()).unwrap();
        for (nines, latency) in points {
            assert!((LEFT..=WIDTH - RIGHT).contains(&scale.x(nines)));
            assert!((TOP..=HEIGHT - BOTTOM).contains(&scale.y(latency)));
        }
        assert!(scale.y(1e4) > scale.y(3e7));
        let labels: Vec<_> = scale.y_ticks().into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["10 µs", "100 µs", "1 ms", "10 ms"]);
        let names: Vec<_> = scale.x_ticks().into_iter().map(|tick| tick.label).collect();
        assert_eq!(names, ["p50", "p90", "p99"]);
        assert!(Scale::of([].iter()).is_none());
    }
}
