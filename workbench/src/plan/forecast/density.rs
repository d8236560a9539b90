//! What data takes in files: bytes on the disk per byte before compression, measured.

use super::tree::{Raw, SUFFIXES, Shape};
use crate::load::{FamilySize, Inventory};

/// A kind of family with less than this measures no density of its own, bytes.
const FEWEST_BYTES: u64 = 256 << 10;
/// Files of level 0 are compressed with a faster and weaker method. Where it is not seen by how much, so much.
const YOUNG_FACTOR: f64 = 1.1;
/// More than this is not compression.
const MOST_YOUNG_FACTOR: f64 = 2.5;

/// Bytes on the disk per byte before compression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Densities {
    /// In compacted files: events, states, metadata.
    settled: [f64; 3],
    /// In files of level 0, as a multiple of that.
    young_factor: f64,
    blob: f64,
}

impl Densities {
    /// From an inventory and the books of the same moment; `deletes` is whether events are ever deleted.
    pub(super) fn new(books: &[Shape; 3], inventory: &Inventory, deletes: bool) -> Self {
        let compacted = SUFFIXES.map(|suffix| sum(&inventory.compacted, suffix, |size| size.bytes() - size.blob_bytes));
        let mean = ratio(compacted.iter().sum(), books.iter().map(|shape| shape.live.table).sum()).unwrap_or(1.0);
        let mut settled = [mean; 3];
        for (kind, density) in settled.iter_mut().enumerate() {
            let live = books[kind].live.table;
            *density = ratio(compacted[kind], live).filter(|_| live >= FEWEST_BYTES).unwrap_or(mean);
        }
        let blobs = books.iter().map(|shape| shape.young.blob + shape.settled.blob).sum();
        let blob = ratio(inventory.at_rest.iter().map(|size| size.blob_bytes).sum(), blobs).unwrap_or(1.0);
        // Where events are deleted, what is not in compacted files need not be live.
        let young_factor = if deletes { YOUNG_FACTOR } else { young_factor(&books[0], settled[0], inventory) };
        Self { settled, young_factor, blob }
    }

    /// What so much of a kind takes once it is compacted, bytes.
    pub(super) fn bytes(&self, kind: usize, raw: Raw) -> f64 {
        raw.table as f64 * self.settled[kind] + raw.blob as f64 * self.blob
    }

    /// What lies on the disk beyond what is live, bytes.
    pub(super) fn excess(&self, shapes: &[Shape; 3]) -> f64 {
        let excess = shapes.iter().enumerate().map(|(kind, shape)| {
            let weaker = self.bytes(kind, Raw { blob: 0, ..shape.young }) * (self.young_factor - 1.0);
            self.bytes(kind, shape.settled) + self.bytes(kind, shape.young) + weaker - self.bytes(kind, shape.live)
        });
        excess.sum::<f64>().max(0.0)
    }
}

/// How much larger events are in files of level 0: those that are not in compacted files must be there.
fn young_factor(events: &Shape, density: f64, inventory: &Inventory) -> f64 {
    let young = sum(&inventory.at_rest, SUFFIXES[0], |size| size.young_bytes) as f64;
    let settled = sum(&inventory.at_rest, SUFFIXES[0], |size| size.settled_bytes) as f64;
    let raw = events.live.table as f64 - settled / density;
    if raw < events.live.table as f64 / 10.0 || raw < FEWEST_BYTES as f64 {
        return YOUNG_FACTOR;
    }
    (young / raw / density).clamp(1.0, MOST_YOUNG_FACTOR)
}

fn sum(sizes: &[FamilySize], suffix: &str, of: impl Fn(&FamilySize) -> u64) -> u64 {
    sizes.iter().filter(|size| size.name.ends_with(suffix)).map(of).sum()
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0 && part > 0).then(|| part as f64 / whole as f64)
}
