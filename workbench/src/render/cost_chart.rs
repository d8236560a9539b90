//! What machines cost against the rate that they sustain, as shapes to draw: a point for each, the cheapest machine for
//! each rate as a line of steps, and the targets. Both axes are logarithmic, since prices double with sizes. Without prices
//! the machines are in the order of their sizes, and the line is the smallest one for each rate.

use serde::Serialize;

use super::chart::Tick;
use super::labels::{Area, LINE, Label, rows, width};
use crate::actor::Durability;
use crate::report::{DemandInfo, DemandMode, DemandStep, MachineStanding};
use crate::units;

/// About that of a phone, so that text is legible there.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 270.0;
/// Room for the labels of the axes.
const BOTTOM: f64 = 24.0;
const RIGHT: f64 = 26.0;
/// Between a label and what it is of.
const GAP: f64 = 4.0;
/// Free share of the axis at either end, as a factor of the value there; above the targets there is room for their labels.
const MARGIN: f64 = 1.35;
const TARGET_MARGIN: f64 = 2.5;
/// Rates further from the targets than this factor are drawn at the ends of the axis.
const REACH: f64 = 30.0;
/// Share of an axis between its lines at least: across and up.
const ACROSS: f64 = 0.2;
const UP: f64 = 0.14;
/// Of more machines, names of which the chart can do without stand nowhere across a line.
const MOST_NAMES: usize = 16;
/// Radius of the point of the recommended machine, and of others.
const CHOSEN: f64 = 6.0;
const OTHER: f64 = 3.5;

/// The charts of all modes, on one scale.
#[derive(Debug, Serialize)]
pub(super) struct CostCharts<'a> {
    pub(super) has_prices: bool,
    /// Whether a machine's rate is beyond the axis.
    has_beyond: bool,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    targets: Vec<TargetLine>,
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
struct TargetLine {
    at: f64,
    top: f64,
    label: Label,
}

#[derive(Debug, Serialize)]
struct MachinePoint<'a> {
    x: f64,
    y: f64,
    radius: f64,
    machine: &'a MachineStanding,
    /// Its rate is beyond the axis.
    is_beyond: bool,
    /// Its name, where there is room.
    name: Option<Label>,
}

struct Scale<'a> {
    left: f64,
    top: f64,
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
        let mut scale = Scale::of(demand, currency.is_some())?;
        let prices = match &scale.levels {
            Levels::Prices(prices) => lines(*prices, UP),
            Levels::Sizes(_) => Vec::new(),
        };
        let price_text = |price| format!("{} {}", units::number(price), currency.unwrap_or_default());
        let widest = prices.iter().map(|&price| width(&price_text(price))).fold(0.0, f64::max);
        scale.left = GAP + widest + GAP;
        let targets = scale.targets(&demand.targets_per_second);
        let lowest = targets.iter().map(|target| target.label.y).fold(0.0, f64::max);
        scale.top = lowest + GAP;
        let modes: Vec<_> = demand.modes.iter().map(|mode| scale.chart(mode, &targets)).collect();
        let x_tick = |rate| Tick { at: scale.x(rate), label: units::rate(rate) };
        let y_tick = |price| Some(Tick { at: scale.y(Some(price), "")?, label: price_text(price) });
        Some(Self {
            has_prices: matches!(scale.levels, Levels::Prices(_)),
            has_beyond: modes.iter().flat_map(|mode| &mode.points).any(|point| point.is_beyond),
            width: WIDTH,
            height: HEIGHT,
            left: scale.left,
            right: WIDTH - RIGHT,
            top: scale.top,
            bottom: HEIGHT - BOTTOM,
            x_ticks: lines(scale.rates, ACROSS).into_iter().map(x_tick).collect(),
            y_ticks: prices.into_iter().filter_map(y_tick).collect(),
            targets,
            modes,
        })
    }
}

impl<'a> Scale<'a> {
    fn of(demand: &'a DemandInfo, has_prices: bool) -> Option<Self> {
        let machines = || demand.modes.iter().flat_map(|mode| &mode.machines).filter(|one| rate(one).is_some());
        let priced = || machines().filter(|one| price(one).is_some());
        let scale = |rates, levels| Self { left: 0.0, top: 0.0, rates, levels };
        if let Some(prices) = ends(priced().filter_map(price)).filter(|_| has_prices) {
            let rates = rate_axis(ends(priced().filter_map(rate))?, &demand.targets_per_second);
            return Some(scale(rates, Levels::Prices([prices[0] / MARGIN, prices[1] * MARGIN])));
        }
        let mut names: Vec<&str> = Vec::new();
        for machine in machines() {
            if !names.contains(&machine.profile.as_str()) {
                names.push(&machine.profile);
            }
        }
        let rates = rate_axis(ends(machines().filter_map(rate))?, &demand.targets_per_second);
        Some(scale(rates, Levels::Sizes(names)))
    }

    fn x(&self, rate: f64) -> f64 {
        self.left + share(self.rates, rate).clamp(0.0, 1.0) * (WIDTH - self.left - RIGHT)
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
        Some(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - self.top))
    }

    /// A line per target. Its label is beside its end, above the lines of higher ones.
    fn targets(&self, targets_per_second: &[f64]) -> Vec<TargetLine> {
        let label = |&target: &f64| {
            let (at, text) = (self.x(target), units::rate(target));
            let room = GAP + width(&text);
            let (anchor, x, area) = if at + room <= WIDTH {
                ("start", at + GAP, [at, at + room])
            } else {
                ("end", at - GAP, [at - room, at])
            };
            (at, Label { x, y: 0.0, anchor, text }, area)
        };
        let labels: Vec<_> = targets_per_second.iter().map(label).collect();
        let rows = rows(&labels.iter().map(|(_, _, area)| *area).collect::<Vec<_>>());
        let line = |((at, label, _), row): ((f64, Label, _), usize)| {
            let top = LINE * row as f64;
            TargetLine { at, top, label: Label { y: top + LINE - GAP, ..label } }
        };
        labels.into_iter().zip(rows).map(line).collect()
    }

    fn chart(&self, mode: &'a DemandMode, targets: &[TargetLine]) -> CostChart<'a> {
        let levels = self.levels(&mode.steps);
        let mut points: Vec<_> = mode.machines.iter().filter_map(|machine| self.point(machine)).collect();
        let vertical = |target: &TargetLine| Area { x: [target.at; 2], y: [target.top, HEIGHT - BOTTOM] };
        let lines: Vec<_> = levels.iter().copied().chain(targets.iter().map(vertical)).collect();
        self.name(mode, &lines, &mut points);
        let level = |Area { x: [from, to], y: [y, _] }: &Area| format!("{from:.1} {y:.1}L{to:.1} {y:.1}");
        let path = levels.iter().map(level).collect::<Vec<_>>().join("L");
        let path = if path.is_empty() { path } else { format!("M{path}") };
        CostChart { durability: mode.durability, path, points }
    }

    fn point(&self, machine: &'a MachineStanding) -> Option<MachinePoint<'a>> {
        let rate = rate(machine)?;
        let (x, y) = (self.x(rate), self.y(price(machine), &machine.profile)?);
        let is_beyond = !(self.rates[0]..=self.rates[1]).contains(&rate);
        let radius = if machine.is_chosen { CHOSEN } else { OTHER };
        Some(MachinePoint { x, y, radius, machine, is_beyond, name: None })
    }

    /// Names the recommended machine and those that are the cheapest, or smallest, for some rate, then others; of many those
    /// alone that cover no line.
    fn name(&self, mode: &DemandMode, lines: &[Area], points: &mut [MachinePoint<'_>]) {
        let frame = Area { x: [self.left, WIDTH], y: [self.top, HEIGHT - BOTTOM] };
        let count = points.len();
        let is_best = |machine: &MachineStanding| {
            let is_of = |step| self.best(step).is_some_and(|(name, _)| *name == machine.profile);
            machine.is_chosen || mode.steps.iter().any(is_of)
        };
        let may_cross = |machine: &MachineStanding| count <= MOST_NAMES || is_best(machine);
        let mut taken: Vec<_> = points.iter().map(|point| Area::around(point.x, point.y, point.radius)).collect();
        let mut ordered: Vec<_> = points.iter_mut().collect();
        ordered.sort_by_key(|point| (!point.machine.is_chosen, !is_best(point.machine)));
        for point in ordered {
            let (at, distance) = ([point.x, point.y], point.radius + GAP);
            let place = |taken: &[Area]| Label::beside(at, distance, &point.machine.profile, &frame, taken);
            let across_lines = || place(&taken).filter(|_| may_cross(point.machine));
            if let Some((label, area)) = place(&[lines, &taken].concat()).or_else(across_lines) {
                point.name = Some(label);
                taken.push(area);
            }
        }
    }

    /// The machine for a step of the demand, and its price.
    fn best<'s>(&self, step: &'s DemandStep) -> Option<(&'s String, Option<f64>)> {
        match self.levels {
            Levels::Prices(_) => Some((step.cheapest.as_ref()?, step.price_per_month.filter(|&price| price > 0.0))),
            Levels::Sizes(_) => Some((&step.smallest, None)),
        }
    }

    /// The best machine for each step of the demand that the axis shows, as lines.
    fn levels(&self, steps: &[DemandStep]) -> Vec<Area> {
        let [low, high] = self.rates;
        let shown = steps.iter().filter(|step| step.to_per_second > low && step.from_per_second < high);
        let level = |step: &DemandStep| {
            let (name, price) = self.best(step)?;
            Some(Area {
                x: [step.from_per_second, step.to_per_second].map(|rate| self.x(rate)),
                y: [self.y(price, name)?; 2],
            })
        };
        shown.filter_map(level).collect()
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

/// Lowest and highest.
fn ends(values: impl Iterator<Item = f64> + Clone) -> Option<[f64; 2]> {
    Some([values.clone().reduce(f64::min)?, values.reduce(f64::max)?])
}

/// The rates of machines as far as they are near the targets, and all targets.
fn rate_axis(rates: [f64; 2], targets_per_second: &[f64]) -> [f64; 2] {
    let [low, high] = ends(targets_per_second.iter().copied()).unwrap_or(rates);
    let [lowest, highest] = [rates[0].max(low / REACH), rates[1].min(high * REACH)];
    [lowest.min(low) / MARGIN, (highest * MARGIN).max(high * TARGET_MARGIN)]
}

fn share([low, high]: [f64; 2], value: f64) -> f64 {
    (value / low).ln() / (high / low).ln()
}

/// Round values between two ends, neighbours at least that share of the axis apart.
fn lines(axis: [f64; 2], apart: f64) -> Vec<f64> {
    let [low, high] = axis;
    let of = |mantissas: &[f64]| -> Vec<f64> {
        let powers = (-6..12).map(|power| 10_f64.powi(power));
        let all = powers.flat_map(|power| mantissas.iter().map(move |mantissa| mantissa * power));
        all.filter(|value| (low..=high).contains(value)).collect()
    };
    let has_room =
        |values: &Vec<f64>| values.windows(2).all(|pair| share(axis, pair[1]) - share(axis, pair[0]) >= apart);
    let sets: [&[f64]; 5] =
        [&[1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0], &[1.0, 1.5, 2.0, 3.0, 5.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    sets.into_iter().map(of).find(has_room).unwrap_or_else(|| of(&[1.0]))
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
            assert!((charts.left..=charts.right).contains(&point.x) && (charts.top..=charts.bottom).contains(&point.y));
        }
        assert!(points[0].x < points[1].x && points[0].y > points[1].y, "more to the right, dearer above");
        assert!(points.iter().all(|point| point.name.is_some() && !point.is_beyond));
        assert!(charts.targets[0].at < points[0].x && charts.modes[0].path.starts_with('M'));
    }

    #[test]
    fn without_prices_machines_stand_in_the_order_of_their_sizes() {
        let demand = demand(vec![machine("a", Some(1_000.0), None), machine("b", Some(3_000.0), None)]);
        let charts = CostCharts::new(&demand, None).unwrap();
        let points = &charts.modes[0].points;
        assert!(!charts.has_prices && charts.y_ticks.is_empty());
        assert!(points[0].x < points[1].x && points[0].y > points[1].y, "larger ones above");
        assert!(points.iter().all(|point| point.name.is_some()));
        let level = format!("{:.1}", points[0].y);
        assert!(charts.modes[0].path.contains(&level), "the line is at the smallest: {}", charts.modes[0].path);
    }

    #[test]
    fn labels_of_many_targets_and_machines_do_not_overlap() {
        let one = |place: u32| machine(&format!("machine-{place}"), Some(20_000.0), Some(4.0 + 0.1 * f64::from(place)));
        let mut demand = demand((0..40).map(one).collect());
        demand.targets_per_second = vec![300.0, 310.0, 3_000.0];
        let charts = CostCharts::new(&demand, Some("EUR")).unwrap();
        assert_eq!(charts.targets.iter().map(|target| target.top).collect::<Vec<_>>(), [0.0, LINE, 0.0]);
        let points = &charts.modes[0].points;
        let mut named: Vec<_> = points.iter().filter_map(|point| point.name.as_ref()).collect();
        assert!(points.len() == 40 && (2..40).contains(&named.len()), "{} names", named.len());
        named.sort_by(|a, b| (a.anchor, a.y).partial_cmp(&(b.anchor, b.y)).unwrap());
        let is_apart = |pair: &[&Label]| pair[0].anchor != pair[1].anchor || pair[1].y - pair[0].y >= LINE - 1e-9;
        assert!(named.windows(2).all(is_apart), "{named:?}");
    }

    #[test]
    fn rates_far_from_the_targets_are_at_the_ends_of_the_axis() {
        let demand = demand(vec![machine("a", Some(0.01), Some(4.0)), machine("b", Some(900.0), Some(8.0))]);
        let charts = CostCharts::new(&demand, Some("EUR")).unwrap();
        let points = &charts.modes[0].points;
        assert!(charts.has_beyond && points[0].is_beyond && !points[1].is_beyond);
        assert!((points[0].x - charts.left).abs() < 1e-9);
    }

    #[test]
    fn without_a_rate_there_is_no_chart() {
        assert!(CostCharts::new(&demand(vec![machine("a", None, Some(4.0))]), Some("EUR")).is_none());
    }
}
