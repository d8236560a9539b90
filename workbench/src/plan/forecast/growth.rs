//! The size of a database after more commands than were measured.
//!
//! What is live follows from the commands alone: the books are kept of every command, as if it had been executed. What
//! that takes on the disk is measured: bytes in compacted files per byte that is live, for events, states and metadata
//! apart. On top of it comes what lies on the disk beyond what is live, because no compaction has met it yet: a bounded
//! amount, which the rules of the tree tell.
//!
//! The size of a short run, multiplied, would be wrong by half: files of level 0 hold states that are long overwritten, and
//! no actor has two states however many commands there are.

use super::density::Densities;
use super::tree::{Shape, Tree};
use crate::load::{Inventory, Source, Walk};
use crate::report::Band;
use ave_actors_rocksdb::backend::Tuning;

/// Commands that are walked at most beyond the measured ones, some seconds of work; the curve goes on straight from there,
/// as its second half does.
pub(super) const MOST_WALKED: u64 = 4_000_000;
const POINTS: u64 = 128;
/// Flushes that come a little earlier or later than in the books add up: by so much of all commands the books may be ahead
/// or behind.
const DRIFT: f64 = 0.15;
/// How far the density of compacted data may drift as there is more of it: the error of every prediction at least.
const DENSITY_ERROR: f64 = 0.02;
/// What changes by less over half a curve does not grow.
const LEAST_GROWTH: f64 = 0.005;
/// Nor does what moves no further than so many times its scatter about the line.
const LEAST_SCATTERS: f64 = 3.0;

/// The database after so many commands.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    commands: f64,
    /// Live events, compacted, bytes.
    events: f64,
    /// Live states and metadata, compacted, bytes.
    states: f64,
    excess: f64,
}

/// What grows: the events, and the states with their metadata.
const PARTS: [fn(&Point) -> f64; 2] = [|point| point.events, |point| point.states];

impl Point {
    fn new(commands: u64, books: &[Shape; 3], densities: &Densities) -> Self {
        let live = |kind: usize| densities.bytes(kind, books[kind].live);
        Self { commands: commands as f64, events: live(0), states: live(1) + live(2), excess: densities.excess(books) }
    }
}

/// The size of a database over the number of commands.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthCurve {
    points: Vec<Point>,
    other_bytes: f64,
}

impl GrowthCurve {
    /// Walks `commands` commands of `source` after its preload, as `workers` workers issue them, at most
    /// `MOST_WALKED` beyond those of the inventory. `None` if the backend reports no sizes or nothing is stored.
    pub fn walk(source: &Source, workers: u64, tuning: Tuning, inventory: &Inventory, commands: u64) -> Option<Self> {
        if inventory.compacted.iter().all(|size| size.bytes() == 0) {
            return None;
        }
        let mut books = Books::new(source, workers, tuning);
        let measured = inventory.commands;
        let end = end_of_walk(commands, measured);
        let mut stops: Vec<u64> = (1..=POINTS).map(|n| n * end / POINTS).chain([measured]).collect();
        stops.sort_unstable();
        stops.dedup();
        let (mut seen, mut densities) = (Vec::new(), None);
        for stop in stops {
            let is_there = books.go_to(stop);
            let shapes = books.tree.at_rest();
            seen.push((books.issued, shapes));
            if stop == measured {
                densities = Some(Densities::new(&shapes, inventory, source.deletes()));
            }
            if !is_there && stop >= measured {
                break;
            }
        }
        let densities = densities?;
        let points = seen.into_iter().map(|(commands, shapes)| Point::new(commands, &shapes, &densities)).collect();
        Some(Self { points, other_bytes: inventory.other_bytes() as f64 })
    }

    /// The size at rest after the preload and so many commands, bytes: after an orderly stop, compactions settled.
    pub fn at(&self, commands: u64) -> Band {
        let live: f64 = PARTS.iter().map(|of| self.figure(commands as f64, of)).sum();
        let seen = self.excess_around(commands as f64);
        let excess = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
        let data = self.other_bytes + live;
        let error = DENSITY_ERROR * live;
        // Beyond the walk, what its growth leaves open adds up.
        let beyond = self.points.last().map_or(0.0, |last| (commands as f64 - last.commands).max(0.0));
        let growth = self.bytes_per_command();
        let [less, more] = [growth.expected - growth.low, growth.high - growth.expected].map(|open| open * beyond);
        Band {
            expected: data + excess,
            low: (data - error - less + seen.iter().copied().fold(excess, f64::min)).max(0.0),
            high: data + error + more + seen.iter().copied().fold(excess, f64::max),
        }
    }

    /// Growth in the long run, bytes per command: that of the second half of the curve. The range is that of its quarters.
    pub fn bytes_per_command(&self) -> Band {
        let [_, second] = halves(&self.points);
        let all = |point: &Point| point.events + point.states;
        let expected: f64 = self.parts_per_command().iter().sum();
        let quarters = halves(second)
            .map(|quarter| if expected > 0.0 { Line::through(quarter, &all).slope.max(0.0) } else { 0.0 });
        Band {
            expected,
            low: (1.0 - DENSITY_ERROR) * quarters.into_iter().fold(expected, f64::min),
            high: (1.0 + DENSITY_ERROR) * quarters.into_iter().fold(expected, f64::max),
        }
    }

    /// The same of the events, and of the states with their metadata.
    pub(super) fn parts_per_command(&self) -> [f64; 2] {
        let [_, second] = halves(&self.points);
        PARTS.map(|of| Line::through(second, &of).growth())
    }

    /// Excess at the points around `commands`, at the last ones if there is nothing around it. It rises with every flush
    /// and falls with every merge of a family.
    fn excess_around(&self, commands: f64) -> Vec<f64> {
        let last = self.points.last().map_or(0.0, |point| point.commands);
        let middle = commands.min(last / (1.0 + DRIFT));
        let within = |point: &&Point| (point.commands - middle).abs() <= middle * DRIFT;
        self.points.iter().filter(within).map(|point| point.excess).collect()
    }

    /// A figure between the points, and beyond them as the second half grows.
    fn figure(&self, commands: f64, of: impl Fn(&Point) -> f64) -> f64 {
        match self.points.iter().position(|point| point.commands >= commands) {
            Some(0) => of(&self.points[0]),
            Some(after) => {
                let (from, to) = (&self.points[after - 1], &self.points[after]);
                of(from) + (of(to) - of(from)) * (commands - from.commands) / (to.commands - from.commands)
            }
            None => {
                let last = self.points.last();
                let line = Line::through(halves(&self.points)[1], &of);
                last.map_or(0.0, |last| of(last) + line.growth() * (commands - last.commands))
            }
        }
    }
}

fn halves(points: &[Point]) -> [&[Point]; 2] {
    let (first, second) = points.split_at(points.len() / 2);
    [first, second]
}

/// A little beyond the commands asked for, so that there is something around them.
fn end_of_walk(commands: u64, measured: u64) -> u64 {
    let asked = commands.max(measured).min(measured.saturating_add(MOST_WALKED));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of commands")]
    let drift = (asked as f64 * DRIFT).ceil() as u64;
    asked.saturating_add(drift)
}

struct Books {
    walk: Walk,
    tree: Tree,
    issued: u64,
}

impl Books {
    /// Those of a database that is filled with the preload.
    fn new(source: &Source, workers: u64, tuning: Tuning) -> Self {
        let (mut walk, mut tree) = (source.walk(workers), Tree::new(tuning, source.deletes()));
        while let Some(step) = walk.preload_step() {
            tree.load(&step);
        }
        Self { walk, tree, issued: 0 }
    }

    /// Goes on until so many commands are issued; false if the source ends before.
    fn go_to(&mut self, commands: u64) -> bool {
        while self.issued < commands {
            let Some(step) = self.walk.step() else { return false };
            self.tree.step(&step);
            self.issued += 1;
        }
        true
    }
}

/// The straight line through points, by least squares.
struct Line {
    slope: f64,
    /// Root mean square of what the points are off.
    scatter: f64,
    /// From the first to the last point.
    width: f64,
    mean: f64,
}

impl Line {
    fn through(points: &[Point], of: &impl Fn(&Point) -> f64) -> Self {
        let count = points.len().max(1) as f64;
        let mean_of = |of: &dyn Fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, mean) = (mean_of(&|point| point.commands), mean_of(of));
        let spread = mean_of(&|point| (point.commands - x).powi(2));
        let common = mean_of(&|point| (point.commands - x) * (of(point) - mean));
        let slope = if spread > 0.0 { common / spread } else { 0.0 };
        let squares = mean_of(&|point| (of(point) - mean - slope * (point.commands - x)).powi(2));
        let width = points.last().map_or(0.0, |last| last.commands - points[0].commands);
        Self { slope, scatter: squares.sqrt(), width, mean }
    }

    /// The slope, 0 if that is no growth.
    fn growth(&self) -> f64 {
        let grown = self.slope * self.width;
        let is_growth = grown > LEAST_SCATTERS * self.scatter && grown > LEAST_GROWTH * self.mean;
        if is_growth { self.slope } else { 0.0 }
    }
}

#[cfg(test)]
impl GrowthCurve {
    /// A database of events that grows by so many bytes per command.
    pub(super) fn straight(bytes_per_command: f64, commands: u64) -> Self {
        let point = |n: u64| {
            let commands = (n * commands / POINTS) as f64;
            Point { commands, events: bytes_per_command * commands, states: 0.0, excess: 0.0 }
        };
        Self { points: (1..=POINTS).map(point).collect(), other_bytes: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::SUFFIXES;
    use super::*;
    use std::sync::Arc;

    use ave_actors_store::config::ResolvedSpec;

    use crate::load::FamilySize;
    use crate::workload::Workload;

    /// Small memtables, which are flushed often.
    fn tuning() -> Tuning {
        let mut tuning = Tuning::new(&ResolvedSpec { ram_mb: 512, cpu_cores: 2 }, None);
        (tuning.memtable_budget_bytes, tuning.write_buffer_bytes) = (1 << 20, 1 << 19);
        tuning.max_wal_bytes = 1 << 21;
        tuning
    }

    const MEASURED: u64 = 20_000;
    const OTHER: u64 = 1000;

    fn source(persistence: &str, commands: &str) -> Source {
        let text = format!(
            "name='t'\ndescription='d'\nevent_bytes={{uniform={{min=50,max=150}}}}\nstate_bytes={{constant=300}}\n\
             [actors]\ncount=200\n[persistence]\n{persistence}\n[commands]\n{commands}"
        );
        Source::Workload(Arc::new(Workload::parse(&text).unwrap()))
    }

    /// Of a database in which every byte takes half a byte.
    fn inventory(source: &Source) -> Inventory {
        let mut books = Books::new(source, 2, tuning());
        books.go_to(MEASURED);
        let shapes = books.tree.at_rest();
        let size = |place: usize, of: fn(&Shape) -> [u64; 2]| {
            let [young_bytes, settled_bytes] = of(&shapes[place]).map(|bytes| bytes / 2);
            let name = format!("t0{}", SUFFIXES[place]);
            FamilySize { name, young_bytes, settled_bytes, blob_bytes: 0 }
        };
        let at_rest: Vec<_> =
            (0..3).map(|place| size(place, |shape| [shape.young.table, shape.settled.table])).collect();
        let compacted = (0..3).map(|place| size(place, |shape| [0, shape.live.table])).collect();
        let directory_bytes = OTHER + at_rest.iter().map(FamilySize::bytes).sum::<u64>();
        Inventory { commands: MEASURED, at_rest, compacted, directory_bytes }
    }

    fn curve(source: &Source, commands: u64) -> GrowthCurve {
        GrowthCurve::walk(source, 2, tuning(), &inventory(source), commands).unwrap()
    }

    const APPENDING: &str = "mode='full'\nsnapshot_every=0";

    #[test]
    fn a_log_grows_from_what_was_measured_with_its_commands_inside_the_walk_and_beyond() {
        let source = source(APPENDING, "persist=1");
        let curve = curve(&source, 10 * MEASURED);
        let measured = curve.at(MEASURED);
        assert!((measured.expected / inventory(&source).directory_bytes as f64 - 1.0).abs() < 0.02, "{measured:?}");
        let per_command = curve.bytes_per_command();
        // Half of 100 bytes of event and 8 of its key.
        assert!((per_command.expected - 54.0).abs() < 1.0, "{per_command:?}");
        assert!(per_command.low <= per_command.expected && per_command.expected <= per_command.high);
        assert!(curve.parts_per_command()[1] < 1e-9, "no states");
        for commands in [5 * MEASURED, 10 * MEASURED, 1000 * MEASURED] {
            let found = curve.at(commands);
            assert!((found.expected / (54.0 * commands as f64) - 1.0).abs() < 0.05, "{found:?}");
            assert!(found.low < found.expected && found.expected < found.high);
        }
    }

    #[test]
    fn states_grow_until_every_actor_has_one() {
        let curve = curve(&source("mode='light'", "persist=1"), 10 * MEASURED);
        let [early, late] = [10, 1000].map(|times| curve.figure((times * MEASURED) as f64, PARTS[1]));
        assert!((early - late).abs() < 1.0, "200 states are 200 states: {early} {late}");
        assert!(curve.parts_per_command()[1] <= 0.0 && curve.parts_per_command()[0] > 50.0);
        assert!(curve.excess_around((10 * MEASURED) as f64)[0] > 0.0, "states that are overwritten");
    }

    #[test]
    fn a_log_that_is_compacted_away_does_not_grow() {
        let curve =
            curve(&source("mode='full'\nsnapshot_every=25\ncompact_on_snapshot=true", "persist=1"), 20 * MEASURED);
        assert!(curve.bytes_per_command().high <= 0.0, "{:?}", curve.bytes_per_command());
        let [early, late] = [20, 2000].map(|times| curve.at(times * MEASURED).expected);
        assert!((late / early - 1.0).abs() < 0.2, "{early} {late}");
    }

    #[test]
    fn the_walk_ends_with_a_source_that_ends_and_with_a_backend_that_tells_no_sizes() {
        let source = source(APPENDING, "persist=1");
        assert_eq!(GrowthCurve::walk(&source, 2, tuning(), &Inventory::default(), MEASURED), None);
        assert_eq!(end_of_walk(u64::MAX, 100), end_of_walk(100 + MOST_WALKED, 100));
    }
}
