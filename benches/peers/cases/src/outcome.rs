//! What a measured process reports.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::Hasher,
};

use serde::{Deserialize, Serialize};

/// The result of one run of one case against one backend: one line of JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The name of the case.
    pub case: String,
    /// The name of the backend.
    pub backend: String,
    /// Figures by name. The name ends in the unit.
    pub metrics: BTreeMap<String, f64>,
    /// Results that are no numbers.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// What was read. Two backends that did the same work have the same one.
    pub checksum: Option<Checksum>,
    /// Other processes' CPU while this one ran, in cores.
    pub foreign_cpu_cores: f64,
    /// CPU stolen by the hypervisor, in cores.
    pub steal_cores: f64,
    /// From the start of the process to this line.
    pub wall_s: f64,
    /// User and system CPU of the process.
    pub cpu_s: f64,
}

impl Outcome {
    /// Adds a figure.
    pub fn set(&mut self, name: impl Into<String>, value: f64) {
        self.metrics.insert(name.into(), value);
    }

    /// Adds a result that is no number.
    pub fn set_text(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(name.into(), text.into());
    }

    /// Adds what was read to what was read before.
    pub fn read(&mut self, checksum: &Reader) {
        let checksum = checksum.finish();
        let before = self.checksum.get_or_insert(Checksum { count: 0, hash: 0 });
        before.count += checksum.count;
        before.hash = before.hash.rotate_left(1) ^ checksum.hash;
    }
}

/// How many byte strings were read, and a hash of them and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How many.
    pub count: u64,
    /// Comparable between binaries of one toolchain, not between releases.
    pub hash: u64,
}

/// Computes a [`Checksum`]. Not for measured loops: hashing costs the same on every side and hides differences.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    count: u64,
    hasher: DefaultHasher,
}

impl Reader {
    /// One more was read.
    pub fn add(&mut self, bytes: &[u8]) {
        self.count += 1;
        self.hasher.write_usize(bytes.len());
        self.hasher.write(bytes);
    }

    /// Something that should be there is not.
    pub fn add_nothing(&mut self) {
        self.count += 1;
        self.hasher.write_u8(0);
    }

    fn finish(&self) -> Checksum {
        Checksum { count: self.count, hash: self.hasher.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(reads: &[&[u8]]) -> Outcome {
        let mut reader = Reader::default();
        for bytes in reads {
            reader.add(bytes);
        }
        let mut outcome = Outcome::default();
        outcome.read(&reader);
        outcome
    }

    #[test]
    fn a_checksum_tells_contents_order_and_borders_apart() {
        let base = outcome(&[b"ab", b"c"]);
        assert_eq!(base, outcome(&[b"ab", b"c"]));
        for other in [&[b"c" as &[u8], b"ab"], &[b"a", b"bc"], &[b"ab", b""]] {
            assert_ne!(base, outcome(other));
        }
    }

    #[test]
    fn an_outcome_survives_its_line() {
        let mut outcome = outcome(&[b"x"]);
        outcome.set("ops_per_s", 12.5);
        outcome.set_text("verdict", "isolated");
        let line = serde_json::to_string(&outcome).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&line).unwrap(), outcome);
    }
}
