//! What machines cost against the rate that they sustain, as shapes to draw: a point for each, the cheapest machine for
//! each rate as a line of steps, and the targets. Both axes are logarithmic, since prices double with sizes. Without prices
//! the machines are in the order of their sizes, and the line is the smallest one for each rate.

use serde::Serialize;

use super::chart::Tick;
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
/// More machines in the order of their sizes than there is room for names.
const MOST_NAMES: usize = 16;

/// The charts of all modes, on one scale.
#[derive(Debug, Serialize)]
pub(super) struct CostCharts<'a> {
    has_prices: bool,
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

#[derive(Debug, Serialize)]
struct CostChart<'a> {
    durability: Durability,
    /// The cheapest, or smallest, machine for each rate: the data of an SVG path.
    path: String,
    points: Vec<MachinePoint<'a>>,
}

#[derive(Debug, Serialize)]
struct MachinePoint<'a> {
    x: f64,
    y: f64,
    machine: &'a MachineStanding,
    /// Whether there is room for its name: it is the cheapest, or smallest, for some rate.
    is_named: bool,
    /// Whether its name is on its left.
    is_right: bool,
}

struct Scale<'a> {
    rates: [f64; 2],
    levels: Levels<'a>,
}

/// The vertical axis.
enum Levels<'a> {
    /// Lowest and highest price.
    Prices([f64; 2]),
    /// Names of the machines, smallest first.
    Sizes(Vec<&'a str>),
}

impl<'a> CostCharts<'a> {
    /// `None` unless a machine has a rate. `currency` is that of the prices, if there are any.
    pub(super) fn new(demand: &'a DemandInfo, currency: Option<&str>) -> Option<Self> {
        let scale = Scale::of(demand, currency.is_some())?;
        let chart = |mode: &'a DemandMode| CostChart {
            durability: mode.durability,
            path: scale.path(&mode.steps),
            points: mode.machines.iter().filter_map(|machine| scale.point(mode, machine)).collect(),
        };
        let target = |&rate: &f64| Tick { at: scale.x(rate), label: format!("target {}", units::rate(rate)) };
        let x_tick = |rate| Tick { at: scale.x(rate), label: units::rate(rate) };
        let y_tick = |price| {
            let label = units::money(price, currency.unwrap_or_default());
            Some(Tick { at: scale.y(Some(price), "")?, label })
        };
        let y_ticks = match &scale.levels {
            Levels::Prices([low, high]) => lines(*low, *high).into_iter().filter_map(y_tick).collect(),
            Levels::Sizes(_) => Vec::new(),
        };
        Some(Self {
            has_prices: matches!(scale.levels, Levels::Prices(_)),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x_ticks: lines(scale.rates[0], scale.rates[1]).into_iter().map(x_tick).collect(),
            y_ticks,
            targets: demand.targets_per_second.iter().map(target).collect(),
            modes: demand.modes.iter().map(chart).collect(),
        })
    }
}

impl<'a> Scale<'a> {
    fn of(demand: &'a DemandInfo, has_prices: bool) -> Option<Self> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let [low, high] =
                values.fold([f64::INFINITY, 0.0_f64], |[low, high], value| [low.min(value), high.max(value)]);
            (low <= high).then_some([low / MARGIN, high * MARGIN])
        };
        let machines = || demand.modes.iter().flat_map(|mode| &mode.machines).filter(|one| rate(one).is_some());
        let priced = || machines().filter(|one| price(one).is_some());
        let targets = demand.targets_per_second.iter().copied();
        if let Some(prices) = ends(&mut priced().filter_map(price)).filter(|_| has_prices) {
            let rates = ends(&mut priced().filter_map(rate).chain(targets))?;
            return Some(Self { rates, levels: Levels::Prices(prices) });
        }
        let mut names: Vec<&str> = Vec::new();
        for machine in machines() {
            if !names.contains(&machine.profile.as_str()) {
                names.push(&machine.profile);
            }
        }
        let rates = ends(&mut machines().filter_map(rate).chain(targets)).filter(|_| !names.is_empty())?;
        Some(Self { rates, levels: Levels::Sizes(names) })
    }

    fn x(&self, rate: f64) -> f64 {
        LEFT + share(self.rates, rate) * (WIDTH - LEFT - RIGHT)
    }

    /// The level of a machine; `None` if it has no price where the others do.
    fn y(&self, price: Option<f64>, name: &str) -> Option<f64> {
        let share = match &self.levels {
            Levels::Prices(prices) => share(*prices, price?),
            Levels::Sizes(names) => {
                let place = names.iter().position(|known| *known == name)?;
                (place as f64 + 0.5) / names.len() as f64
            }
        };
        Some(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP))
    }

    fn point(&self, mode: &DemandMode, machine: &'a MachineStanding) -> Option<MachinePoint<'a>> {
        let (x, y) = (self.x(rate(machine)?), self.y(price(machine), &machine.profile)?);
        let is_best = |step: &DemandStep| self.best(step).is_some_and(|(name, _)| *name == machine.profile);
        let has_room = matches!(&self.levels, Levels::Sizes(names) if names.len() <= MOST_NAMES);
        let is_named = has_room || machine.is_chosen || mode.steps.iter().any(is_best);
        Some(MachinePoint { x, y, machine, is_named, is_right: x > WIDTH / 2.0 })
    }

    /// The machine for a step of the demand, and its price.
    fn best<'s>(&self, step: &'s DemandStep) -> Option<(&'s String, Option<f64>)> {
        match self.levels {
            Levels::Prices(_) => Some((step.cheapest.as_ref()?, step.price_per_month.filter(|&price| price > 0.0))),
            Levels::Sizes(_) => Some((&step.smallest, None)),
        }
    }

    fn path(&self, steps: &[DemandStep]) -> String {
        let level = |step: &DemandStep| {
            let (name, price) = self.best(step)?;
            let y = self.y(price, name)?;
            let (from, to) = (self.x(step.from_per_second.max(self.rates[0])), self.x(step.to_per_second));
            Some(format!("{from:.1} {y:.1}L{to:.1} {y:.1}"))
        };
        let levels: Vec<String> = steps.iter().filter_map(level).collect();
        if levels.is_empty() { String::new() } else { format!("M{}", levels.join("L")) }
    }
}

/// The rate that a machine is known to sustain.
fn rate(machine: &MachineStanding) -> Option<f64> {
    machine.usable_per_second.filter(|&rate| rate > 0.0)
}

/// Its price; free machines have no place on a logarithmic axis.
fn price(machine: &MachineStanding) -> Option<f64> {
    machine.price_per_month.filter(|&price| price > 0.0)
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
        let charts = CostCharts::new(&demand, Some("EUR")).unwrap();
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
    fn without_prices_machines_stand_in_the_order_of_their_sizes() {
        let demand = demand(vec![machine("a", Some(1_000.0), None), machine("b", Some(3_000.0), None)]);
        let charts = CostCharts::new(&demand, None).unwrap();
        let points = &charts.modes[0].points;
        assert!(!charts.has_prices && charts.y_ticks.is_empty());
        assert!(points[0].x < points[1].x && points[0].y > points[1].y, "larger ones above");
        assert!(points.iter().all(|point| point.is_named));
        let level = format!("{:.1}", points[0].y);
        assert!(charts.modes[0].path.contains(&level), "the line is at the smallest: {}", charts.modes[0].path);
    }

    #[test]
    fn without_a_rate_there_is_no_chart() {
        assert!(CostCharts::new(&demand(vec![machine("a", None, Some(4.0))]), Some("EUR")).is_none());
    }
}
