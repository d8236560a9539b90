//! Which actors of a trace belong to which of its shards.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// One of several shards of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardNumber {
    number: u32,
    count: u32,
}

impl ShardNumber {
    /// Shard `number` of `count`; `None` unless `number` is 1 to `count`.
    pub const fn new(number: u32, count: u32) -> Option<Self> {
        if 1 <= number && number <= count { Some(Self { number, count }) } else { None }
    }

    /// Number of the shard, from 1.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Number of shards.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether the actors of this name belong to it: the first 8 bytes of the SHA-256 of the name, big-endian, modulo the
    /// number of shards, plus 1, are its number. Actors of several types with one name stay together.
    pub fn contains(self, actor_name: &str) -> bool {
        let digest = Sha256::digest(actor_name.as_bytes());
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) % u64::from(self.count) + 1 == u64::from(self.number)
    }
}

impl fmt::Display for ShardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

/// Not `NUMBER/COUNT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a shard and the number of shards, such as `3/16`; shards count from 1")]
pub struct NotAShard;

impl FromStr for ShardNumber {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let numbers = text
            .split_once('/')
            .and_then(|(number, count)| Some((number.trim().parse().ok()?, count.trim().parse().ok()?)));
        numbers.and_then(|(number, count)| Self::new(number, count)).ok_or(NotAShard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `python3 -c "import hashlib; print(int.from_bytes(hashlib.sha256(b'alice').digest()[:8], 'big') % 16 + 1)"`, and so on.
    #[test]
    fn a_name_belongs_to_the_shard_that_other_programs_compute() {
        let shard_of = |name: &str, count| (1..=count).find(|&n| ShardNumber::new(n, count).unwrap().contains(name));
        for (name, of_16, of_3) in [("alice", 16, 3), ("", 5, 2), ("año", 9, 3)] {
            assert_eq!((shard_of(name, 16), shard_of(name, 3)), (Some(of_16), Some(of_3)), "{name}");
        }
    }

    #[test]
    fn shards_count_from_one() {
        assert_eq!("3/16".parse::<ShardNumber>().unwrap().to_string(), "3/16");
        for text in ["0/16", "17/16", "3", "3/", "/16", "-1/4", "1/0", "a/b", "1/99999999999"] {
            assert_eq!(text.parse::<ShardNumber>(), Err(NotAShard), "{text}");
        }
    }
}
