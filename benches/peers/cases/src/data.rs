//! Keys, values and choices: the same for every backend, and cheap enough to make inside a measured loop.

/// The name of actor number `n`.
pub fn actor(n: u64) -> String {
    format!("actor-{n:06}")
}

/// The key of event number `n`, as the store writes it.
pub fn key(n: u64) -> String {
    format!("{n:020}")
}

/// The keys of the first `count` events.
pub fn keys(count: u64) -> Vec<String> {
    (0..count).map(key).collect()
}

const DIGITS: usize = 20;

/// The key of the next event of one actor, counted up in place: no allocation, no formatting.
#[derive(Debug, Clone)]
pub struct Key {
    stored: Vec<u8>,
}

impl Key {
    /// The key of event 0.
    pub fn first(actor: &str) -> Self {
        Self { stored: format!("{actor}.{:020}", 0).into_bytes() }
    }

    /// The key for the traits.
    ///
    /// # Panics
    ///
    /// Never: it consists of digits.
    pub fn logical(&self) -> &str {
        str::from_utf8(&self.stored[self.stored.len() - DIGITS..]).expect("digits are UTF-8")
    }

    /// The key as it is stored, `actor.key`, for what writes without the traits.
    pub fn stored(&self) -> &[u8] {
        &self.stored
    }

    /// On to the next event.
    pub fn advance(&mut self) {
        for digit in self.stored.iter_mut().rev().take(DIGITS) {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }
}

const POOL_BYTES: usize = 1 << 20;
const WORDS: &[u8; 16] = b"\"amount\":\"owner\"";

/// Values of one size that compress to about half, as serialized events do, and differ from each other.
#[derive(Debug, Clone)]
pub struct Values {
    pool: Vec<u8>,
    len: usize,
}

impl Values {
    /// Values of `len` bytes.
    ///
    /// # Panics
    ///
    /// If `len` is more than half of a mebibyte.
    pub fn new(len: usize) -> Self {
        assert!(len <= POOL_BYTES / 2, "values of {len} bytes would overlap");
        let mut random = Random::new(0x5eed);
        let pool = (0..POOL_BYTES / 16).flat_map(|_| piece(&mut random)).collect();
        Self { pool, len }
    }

    /// Value number `n`.
    pub fn get(&self, n: u64) -> &[u8] {
        let span = (self.pool.len() - self.len) as u64;
        let start = usize::try_from(mix(n) % span).unwrap_or(0);
        &self.pool[start..start + self.len]
    }
}

/// Eight random bytes, then eight of a text.
fn piece(random: &mut Random) -> [u8; 16] {
    let mut piece = [0; 16];
    let n = random.next();
    piece[..8].copy_from_slice(&n.to_le_bytes());
    let half = if n & 1 == 0 { &WORDS[..8] } else { &WORDS[8..] };
    piece[8..].copy_from_slice(half);
    piece
}

/// A small generator of pseudorandom numbers (`SplitMix64`): the same numbers for every backend.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number below `end`, small ones more often: one in ten of the actors gets about a third of the work.
    pub fn skewed_below(&mut self, end: u64) -> u64 {
        let fraction = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let n = (fraction * fraction * end as f64) as u64;
        n.min(end - 1)
    }
}

fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_keys_are_formatted_keys() {
        let mut counted = Key::first("actor-000001");
        for n in 0..1_234 {
            assert_eq!(counted.logical(), key(n));
            assert_eq!(counted.stored(), format!("actor-000001.{}", key(n)).as_bytes());
            counted.advance();
        }
    }

    #[test]
    fn values_have_their_size_and_differ() {
        let values = Values::new(256);
        assert_eq!(values.get(7).len(), 256);
        assert_ne!(values.get(7), values.get(8));
        assert_eq!(values.get(7), Values::new(256).get(7));
    }

    #[test]
    fn skew_is_as_documented() {
        let mut random = Random::new(1);
        let hot = (0..100_000).filter(|_| random.skewed_below(500) < 50).count();
        assert!((28_000..36_000).contains(&hot), "{hot}");
    }
}
