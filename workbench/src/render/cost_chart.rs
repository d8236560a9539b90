//! What machines cost against the rate that they sustain, as shapes to draw: a point for each, the cheapest machine for
//! each rate as a line of steps, and the targets. Both axes are logarithmic, since prices double with sizes.

use serde::Serialize;

use crate::actor::Durability;
use crate::report::{DemandInfo, DemandMode, DemandStep, MachineStanding};
use crate::units;

const WIDTH: f64 = 660.0;
const HEIGHT: f64 = 300.0;
/// Room for the labels of the axes.
const LEFT: f64 = 76.0;
const BOTTOM: f64 = 30.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 18.0;
/// Free share of the axis at either end, as a factor of the value there.
const MARGIN: f64 = 1.35;
/// Lines per axis beyond which only powers of ten have one.
const MOST_LINES: usize = 8;

/// The charts of all modes, on one scale.
#[derive(Debug, Serialize)]
pub(super) struct CostCharts<'a> {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    targets: Vec<Tick>,
    modes: Vec<CostChart<'a>>,
}

/// A line of the grid, or a target.
#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct CostChart<'a> {
    durability: Durability,
    /// The cheapest machine for each rate: the data of an SVG path.
    path: String,
    points: Vec<MachinePoint<'a>>,
}

#[derive(Debug, Serialize)]
struct MachinePoint<'a> {
    x: f64,
    y: f64,
    machine: &'a MachineStanding,
    /// Whether there is room for its name: it is the cheapest for some rate.
    is_named: bool,
    /// Whether its name is on its left.
    is_right: bool,
}

struct Scale {
    rates: [f64; 2],
    prices: [f64; 2],
}

impl<'a> CostCharts<'a> {
    /// `None` unless a machine has a price and a rate.
    pub(super) fn new(demand: &'a DemandInfo, currency: &str) -> Option<Self> {
        let points = demand.modes.iter().flat_map(|mode| &mode.machines).filter_map(place);
        let scale = Scale::of(points, &demand.targets_per_second)?;
        let chart = |mode: &'a DemandMode| CostChart {
            durability: mode.durability,
            path: scale.path(&mode.steps),
            points: mode.machines.iter().filter_map(|machine| scale.point(mode, machine)).collect(),
        };
        let target = |&rate: &f64| Tick { at: scale.x(rate), label: format!("target {}", units::rate(rate)) };
        let tick = |at: fn(&Scale, f64) -> f64, label: &dyn Fn(f64) -> String, [low, high]: [f64; 2]| {
            lines(low, high).into_iter().map(|value| Tick { at: at(&scale, value), label: label(value) }).collect()
        };
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x_ticks: tick(Scale::x, &units::rate, scale.rates),
            y_ticks: tick(Scale::y, &|price| units::money(price, currency), scale.prices),
            targets: demand.targets_per_second.iter().map(target).collect(),
            modes: demand.modes.iter().map(chart).collect(),
        })
    }
}

/// Rate and price of a machine that has both; free machines have no place on a logarithmic axis.
fn place(machine: &MachineStanding) -> Option<(f64, f64)> {
    machine.usable_per_second.zip(machine.price_per_month).filter(|&(rate, price)| rate > 0.0 && price > 0.0)
}

impl Scale {
    fn of(points: impl Iterator<Item = (f64, f64)> + Clone, targets: &[f64]) -> Option<Self> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let [low, high] =
                values.fold([f64::INFINITY, 0.0_f64], |[low, high], value| [low.min(value), high.max(value)]);
            (low <= high).then_some([low / MARGIN, high * MARGIN])
        };
        let prices = ends(&mut points.clone().map(|(_, price)| price))?;
        let rates = ends(&mut points.map(|(rate, _)| rate).chain(targets.iter().copied()))?;
        Some(Self { rates, prices })
    }

    fn x(&self, rate: f64) -> f64 {
        LEFT + share(self.rates, rate) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, price: f64) -> f64 {
        HEIGHT - BOTTOM - share(self.prices, price) * (HEIGHT - BOTTOM - TOP)
    }

    fn point<'a>(&self, mode: &DemandMode, machine: &'a MachineStanding) -> Option<MachinePoint<'a>> {
        let (rate, price) = place(machine)?;
        let is_cheapest = mode.steps.iter().any(|step| step.cheapest.as_ref() == Some(&machine.profile));
        let x = self.x(rate);
        let is_right = x > WIDTH / 2.0;
        Some(MachinePoint { x, y: self.y(price), machine, is_named: is_cheapest || machine.is_chosen, is_right })
    }

    fn path(&self, steps: &[DemandStep]) -> String {
        let level = |step: &DemandStep| {
            let y = self.y(step.price_per_month.filter(|&price| price > 0.0)?);
            let (from, to) = (self.x(step.from_per_second.max(self.rates[0])), self.x(step.to_per_second));
            Some(format!("{from:.1} {y:.1}L{to:.1} {y:.1}"))
        };
        let levels: Vec<String> = steps.iter().filter_map(level).collect();
        if levels.is_empty() { String::new() } else { format!("M{}", levels.join("L")) }
    }
}

fn share([low, high]: [f64; 2], value: f64) -> f64 {
    (value / low).ln() / (high / low).ln()
}

/// Round values between two ends.
fn lines(low: f64, high: f64) -> Vec<f64> {
    let of = |mantissas: &[f64]| -> Vec<f64> {
        let powers = (-6..12).map(|power| 10_f64.powi(power));
        let all = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * power));
        all.filter(|value| (low..=high).contains(value)).collect()
    };
    let all = of(&[1.0, 2.0, 5.0]);
    if all.len() > MOST_LINES { of(&[1.0]) } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(profile: &str, usable: Option<f64>, price: Option<f64>) -> MachineStanding {
        MachineStanding {
            profile: profile.to_owned(),
            is_chosen: false,
            usable_per_second: usable,
            price_per_month: price,
            reason: String::new(),
        }
    }

    fn demand(machines: Vec<MachineStanding>) -> DemandInfo {
        let step = |from_per_second, to_per_second, name: &str, price| DemandStep {
            from_per_second,
            to_per_second,
            smallest: name.to_owned(),
            cheapest: Some(name.to_owned()),
            price_per_month: Some(price),
        };
        let steps = vec![step(0.0, 1_000.0, "a", 4.0), step(1_000.0, 3_000.0, "b", 8.0)];
        let mode = DemandMode { durability: Durability::On, machines, steps, targets: Vec::new(), least_regret: None };
        DemandInfo {
            targets_per_second: vec![500.0],
            growth_percent_per_month: 0.0,
            months: 12.0,
            durability_per_month: None,
            modes: vec![mode],
        }
    }

    #[test]
    fn every_machine_with_a_price_and_a_rate_is_a_point_inside_the_axes() {
        let demand = demand(vec![
            machine("a", Some(1_000.0), Some(4.0)),
            machine("b", Some(3_000.0), Some(8.0)),
            machine("dear", Some(900.0), Some(90.0)),
            machine("unknown", None, Some(5.0)),
            machine("unpriced", Some(1_000.0), None),
        ]);
        let charts = CostCharts::new(&demand, "EUR").unwrap();
        let points = &charts.modes[0].points;
        assert_eq!(points.iter().map(|point| point.machine.profile.as_str()).collect::<Vec<_>>(), ["a", "b", "dear"]);
        for point in points {
            assert!((LEFT..=WIDTH - RIGHT).contains(&point.x) && (TOP..=HEIGHT - BOTTOM).contains(&point.y));
        }
        assert!(points[0].x < points[1].x && points[0].y > points[1].y, "more to the right, dearer above");
        assert_eq!(points.iter().map(|point| point.is_named).collect::<Vec<_>>(), [true, true, false]);
        assert!(charts.targets[0].at < points[0].x && charts.modes[0].path.starts_with('M'));
    }

    #[test]
    fn without_prices_there_is_no_chart() {
        assert!(CostCharts::new(&demand(vec![machine("a", Some(1_000.0), None)]), "EUR").is_none());
    }
}
