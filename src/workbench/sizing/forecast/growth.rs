//! The size of a database after more commands than were measured.
//!
//! What is live follows from the commands alone: the books are kept of every command (see [`Walk`]), as if it had been
//! executed. What that takes on the disk is measured: bytes in compacted files per byte that is live, for events, states
//! and metadata apart. On top of it comes what lies on the disk beyond what is live, because no compaction has met it
//! yet: a bounded amount, which the rules of the tree tell (`tree.rs`).

use super::tree::{Raw, SUFFIXES, Shape, Tree, TreeRules};
use crate::workbench::runner::{FamilySize, Inventory, Source};

/// Commands that are walked at most; the curve goes on straight from there.
pub const MOST_WALKED: u64 = 4_000_000;
/// Points of a curve.
const POINTS: u64 = 128;
/// A kind of family with less than this measures no density of its own, bytes.
const FEWEST_BYTES: u64 = 256 << 10;
/// Files of level 0 are compressed with a faster and weaker method. Where it is not seen by how much, so much.
const YOUNG_FACTOR: f64 = 1.1;
const MOST_YOUNG_FACTOR: f64 = 2.5;
/// How far the density of compacted data may drift as there is more of it: the error of every prediction at least.
const DENSITY_ERROR: f64 = 0.02;

/// Flushes that come a little earlier or later than in the books add up: by so much of all commands the books may be ahead
/// or behind.
const DRIFT: f64 = 0.15;

/// Bytes on the disk per byte before compression.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Densities {
    settled: [f64; 3],
    young_factor: f64,
    blob: f64,
}

impl Densities {
    fn new(shapes: &[Shape; 3], inventory: &Inventory, deletes: bool) -> Self {
        let compacted = SUFFIXES.map(|suffix| sum(&inventory.compacted, suffix, |size| size.bytes() - size.blob_bytes));
        let mean = ratio(compacted.iter().sum(), shapes.iter().map(|shape| shape.live.table).sum()).unwrap_or(1.0);
        let mut settled = [mean; 3];
        for (kind, density) in settled.iter_mut().enumerate() {
            let enough = shapes[kind].live.table >= FEWEST_BYTES;
            *density = ratio(compacted[kind], shapes[kind].live.table).filter(|_| enough).unwrap_or(mean);
        }
        let blobs = shapes.iter().map(|shape| shape.young.blob + shape.settled.blob).sum();
        let blob = ratio(inventory.at_rest.iter().map(|size| size.blob_bytes).sum(), blobs).unwrap_or(1.0);
        // Where events are deleted, what is not in compacted files need not be live.
        let young_factor = if deletes { YOUNG_FACTOR } else { young_factor(&shapes[0], settled[0], inventory) };
        Self { settled, young_factor, blob }
    }

    fn bytes(&self, kind: usize, raw: Raw) -> f64 {
        raw.table as f64 * self.settled[kind] + raw.blob as f64 * self.blob
    }

    /// What lies on the disk beyond what is live.
    fn excess(&self, shapes: &[Shape; 3]) -> f64 {
        let excess = shapes.iter().enumerate().map(|(kind, shape)| {
            let young = Raw { blob: 0, ..shape.young };
            self.bytes(kind, shape.settled)
                + self.bytes(kind, shape.young)
                + self.bytes(kind, young) * (self.young_factor - 1.0)
                - self.bytes(kind, shape.live)
        });
        excess.sum::<f64>().max(0.0)
    }
}

/// How much larger the same events are in files of level 0: what is not in compacted files must be there.
fn young_factor(events: &Shape, density: f64, inventory: &Inventory) -> f64 {
    let young = sum(&inventory.at_rest, SUFFIXES[0], |size| size.young_bytes) as f64;
    let settled = sum(&inventory.at_rest, SUFFIXES[0], |size| size.settled_bytes) as f64;
    let raw = events.live.table as f64 - settled / density;
    if raw < events.live.table as f64 / 10.0 || raw < FEWEST_BYTES as f64 {
        return YOUNG_FACTOR;
    }
    (young / raw / density).clamp(1.0, MOST_YOUNG_FACTOR)
}

/// A little beyond the commands that are asked for, so that there is something around them.
fn end_of_walk(commands: u64, measured: u64) -> u64 {
    let asked = commands.max(measured).saturating_sub(measured).min(MOST_WALKED) + measured;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of commands")]
    let drift = (asked as f64 * DRIFT).ceil() as u64;
    asked + drift
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn sum(sizes: &[FamilySize], suffix: &str, of: impl Fn(&FamilySize) -> u64) -> u64 {
    sizes.iter().filter(|size| size.name.ends_with(suffix)).map(of).sum()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0 && part > 0).then(|| part as f64 / whole as f64)
}

/// The database after so many commands.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    commands: f64,
    /// What the live data takes when it is compacted.
    events: f64,
    states: f64,
    excess: f64,
}

/// The size of a database over the number of commands.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthCurve {
    points: Vec<Point>,
    other_bytes: f64,
    densities: Densities,
}

/// The size of a database at rest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PredictedSize {
    /// The database, bytes.
    pub bytes: f64,
    /// At least, bytes.
    pub low_bytes: f64,
    /// At most, bytes.
    pub high_bytes: f64,
    /// The part that is events, compacted, bytes.
    pub event_bytes: f64,
    /// The part that is snapshots and metadata, compacted, bytes.
    pub state_bytes: f64,
    /// The part that is overwritten or deleted, or not yet compressed as it will be, bytes.
    pub excess_bytes: f64,
}

impl GrowthCurve {
    /// Walks `commands` commands of `source`, preload included, as `workers` workers would issue them, at most
    /// [`MOST_WALKED`] beyond those of the inventory. `None` if the backend told no sizes or nothing is stored.
    pub fn walk(source: &Source, workers: u64, rules: TreeRules, inventory: &Inventory, commands: u64) -> Option<Self> {
        if inventory.compacted.iter().all(|size| size.bytes() == 0) {
            return None;
        }
        let mut walk = source.walk(workers);
        let mut tree = Tree::new(rules, source.deletes());
        let mut issued = 0;
        let preload = source.preload_commands();
        let mut go_to = |tree: &mut Tree, end: u64| {
            while issued < end {
                let Some(step) = walk.step() else { break };
                issued += u64::from(step.is_command);
                tree.step(&step);
                if step.is_command && issued == preload {
                    tree.rest();
                }
            }
            issued
        };
        let measured = inventory.commands;
        let end = end_of_walk(commands, measured);
        let mut stops: Vec<u64> = (1..=POINTS).map(|n| n * end / POINTS).chain([measured]).collect();
        stops.sort_unstable();
        let mut seen = Vec::new();
        let mut densities = None;
        for stop in stops {
            let reached = go_to(&mut tree, stop);
            let shapes = tree.at_rest();
            if stop == measured {
                densities = Some(Densities::new(&shapes, inventory, source.deletes()));
            }
            seen.push((reached, shapes));
            if reached < stop && stop > measured {
                break;
            }
        }
        let densities = densities?;
        let points = seen.into_iter().map(|(commands, shapes)| Point::new(commands, &shapes, &densities)).collect();
        Some(Self { points, other_bytes: inventory.other_bytes() as f64, densities })
    }

    /// The size after so many commands, preload included.
    pub fn at(&self, commands: u64) -> PredictedSize {
        let at = commands as f64;
        let [events, states] = [|point: &Point| point.events, |point: &Point| point.states].map(|of| self.line(at, of));
        let seen = self.excess_around(at);
        let excess = mean(&seen);
        let bytes = self.other_bytes + events + states + excess;
        let low = seen.iter().copied().fold(excess, f64::min);
        let high = seen.iter().copied().fold(excess, f64::max);
        let error = DENSITY_ERROR * (events + states);
        PredictedSize {
            bytes,
            low_bytes: bytes - excess + low - error,
            high_bytes: bytes - excess + high + error,
            event_bytes: events,
            state_bytes: states,
            excess_bytes: excess,
        }
    }

    /// Excess at the points around `commands`, at the last ones if there is nothing around it. It rises with every flush
    /// and falls with every merge of a family.
    fn excess_around(&self, commands: f64) -> Vec<f64> {
        let last = self.points.last().map_or(0.0, |point| point.commands);
        let middle = commands.min(last / (1.0 + DRIFT));
        let within = |point: &&Point| (point.commands - middle).abs() <= middle * DRIFT;
        self.points.iter().filter(within).map(|point| point.excess).collect()
    }

    /// A figure between the points, and beyond them along the line through their second half.
    fn line(&self, commands: f64, of: impl Fn(&Point) -> f64) -> f64 {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else { return 0.0 };
        let after = self.points.iter().position(|point| point.commands >= commands);
        let (from, to) = match after {
            Some(0) => return of(first),
            Some(after) => (&self.points[after - 1], &self.points[after]),
            None => (&self.points[self.points.len() / 2], last),
        };
        let width = to.commands - from.commands;
        if width <= 0.0 { of(to) } else { of(from) + (of(to) - of(from)) * (commands - from.commands) / width }
    }
}

impl Point {
    fn new(commands: u64, shapes: &[Shape; 3], densities: &Densities) -> Self {
        let live = |kind: usize| densities.bytes(kind, shapes[kind].live);
        Self { commands: commands as f64, events: live(0), states: live(1) + live(2), excess: densities.excess(shapes) }
    }
}
