//! The bytes and names a workload stores: computed from the seed, not kept.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use ave_actors_rocksdb::trace::OpKind;

/// Bytes of the pool beyond the longest value; different values start at different offsets.
const POOL_BYTES: usize = 4 << 20;
/// Length of the pieces that are part random, part repeated; short, so that compressors see the ratio in every block.
const PIECE_BYTES: usize = 128;

/// Mixes a seed with what identifies a value into 64 well-spread bits.
pub(crate) fn mix(seed: u64, actor: u64, salt: u64, number: u64) -> u64 {
    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014) between the parts.
    let mut bits = seed ^ 0x9e37_79b9_7f4a_7c15;
    for part in [actor, salt, number] {
        bits = bits.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
    }
    bits
}

/// Bytes of which every value is a slice: values need no generation and no allocation, and can be found again when they are
/// verified. Populations whose values compress differently have pools of their own.
#[derive(Debug)]
pub(crate) struct ValuePool {
    seed: u64,
    pools: Vec<Vec<u8>>,
    /// For each population the end of its actors' numbers, and its pool.
    populations: Vec<(u64, usize)>,
}

/// What a pool depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolOf {
    /// Actors of the population.
    pub(crate) actors: u64,
    /// Share of each value that repeats, 0 (random) to 1.
    pub(crate) compressibility: f64,
    /// The longest value, bytes.
    pub(crate) longest: u32,
}

impl ValuePool {
    /// `compressibility` is the share of each value that repeats, `0.0` (random) to `1.0`; `longest` is the longest value,
    /// bytes.
    pub(crate) fn new(seed: u64, compressibility: f64, longest: u32) -> Self {
        Self::of_populations(seed, [PoolOf { actors: 1, compressibility, longest }])
    }

    pub(crate) fn of_populations(seed: u64, all: impl IntoIterator<Item = PoolOf>) -> Self {
        let (mut shapes, mut populations, mut end): (Vec<(f64, u32)>, _, _) = (Vec::new(), Vec::new(), 0);
        for PoolOf { actors, compressibility, longest } in all {
            end += actors;
            let known = shapes.iter().position(|(known, _)| known.total_cmp(&compressibility).is_eq());
            let pool = known.unwrap_or_else(|| {
                shapes.push((compressibility, 0));
                shapes.len() - 1
            });
            shapes[pool].1 = shapes[pool].1.max(longest);
            populations.push((end, pool));
        }
        let pools = shapes.into_iter().map(|(compressibility, longest)| pool(seed, compressibility, longest)).collect();
        Self { seed, pools, populations }
    }

    /// The pool of an actor. The numbers of copies follow those of the actors, in the same order.
    fn pool_of(&self, actor: u64) -> &[u8] {
        match &self.pools[..] {
            [only] => only,
            pools => {
                let original = actor % self.populations.last().map_or(1, |(end, _)| *end);
                let at = self.populations.partition_point(|(end, _)| *end <= original);
                &pools[self.populations[at].1]
            }
        }
    }

    /// The value number `number` that `actor` writes with `kind`.
    ///
    /// # Panics
    ///
    /// If `len` exceeds the longest value of the actor's population.
    pub(crate) fn value(&self, actor: u64, kind: OpKind, number: u64, len: u32) -> &[u8] {
        let start = usize::try_from(mix(self.seed, actor, kind as u64, number) % POOL_BYTES as u64)
            .expect("below the pool's length");
        &self.pool_of(actor)[start..start + len as usize]
    }
}

fn pool(seed: u64, compressibility: f64, longest: u32) -> Vec<u8> {
    let mut bytes = vec![0; POOL_BYTES];
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of PIECE_BYTES")]
    let random = (PIECE_BYTES as f64 * (1.0 - compressibility.clamp(0.0, 1.0))).round() as usize;
    for piece in bytes.chunks_mut(PIECE_BYTES) {
        let filled = random.min(piece.len());
        rng.fill_bytes(&mut piece[..filled]);
    }
    // A value that starts near the end goes on at the beginning, and again if it is longer than the pool.
    let all = POOL_BYTES + longest as usize;
    while bytes.len() < all {
        bytes.extend_from_within(..(all - bytes.len()).min(POOL_BYTES));
    }
    bytes
}

/// Names of actors: fixed-length hexadecimal digests, as content-addressed systems use them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActorNames {
    seed: u64,
    len: usize,
}

impl ActorNames {
    /// Names of `len` characters.
    pub(crate) const fn new(seed: u64, len: usize) -> Self {
        Self { seed, len }
    }

    /// The name of actor number `actor`. Distinct actors have distinct names: the digest ends in the number.
    pub(crate) fn name(&self, actor: u64) -> String {
        use std::fmt::Write;
        let number = format!("{actor:08x}");
        let mut name = String::with_capacity(self.len);
        let mut word = 0;
        while name.len() + number.len() < self.len {
            let room = self.len - number.len() - name.len();
            let digits = format!("{:016x}", mix(self.seed, actor, u64::MAX, word));
            let _ = write!(name, "{}", &digits[..room.min(16)]);
            word += 1;
        }
        name + &number
    }

    /// The beginning of that name as a number: sorts actors as their names do.
    pub(crate) fn leading(&self, actor: u64) -> u128 {
        let mut bytes = [0; 16];
        for (byte, digit) in bytes.iter_mut().zip(self.name(actor).bytes()) {
            *byte = digit;
        }
        u128::from_be_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_value_and_other_values_differ() {
        let [one, other] = [(); 2].map(|()| ValuePool::new(7, 0.5, 1000));
        let value = one.value(3, OpKind::EventsPut, 9, 500);
        assert_eq!(value, other.value(3, OpKind::EventsPut, 9, 500));
        for (actor, kind, number) in [(3, OpKind::EventsPut, 10), (4, OpKind::EventsPut, 9), (3, OpKind::StatesPut, 9)]
        {
            assert_ne!(value, one.value(actor, kind, number, 500));
        }
    }

    #[test]
    fn compressibility_is_what_a_compressor_finds() {
        for (compressibility, low, high) in [(0.0, 0.98, 1.05), (0.5, 0.45, 0.60), (0.9, 0.08, 0.20)] {
            let pool = ValuePool::new(1, compressibility, 64 << 10);
            let value = pool.value(1, OpKind::EventsPut, 1, 64 << 10);
            let packed = zstd::bulk::compress(value, 1).unwrap();
            let left = packed.len() as f64 / value.len() as f64;
            assert!((low..high).contains(&left), "compressibility {compressibility}: {left} of the bytes remain");
        }
    }

    #[test]
    fn names_have_the_given_length_and_are_distinct() {
        let names = ActorNames::new(1, 44);
        let all: std::collections::HashSet<_> = (0..1000).map(|actor| names.name(actor)).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|name| name.len() == 44 && name.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
