//! Actors' names in a trace: unchanged, or as keyed hashes.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

/// Treatment of actors' names in a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameRule {
    /// Unchanged. An imported name that is not UTF-8 is read as Latin-1, so that different names stay different.
    Keep,
    /// Replaced by SipHash-128 under a random key that is not stored: equal names stay equal within a recording and cannot
    /// be recovered. The default.
    #[default]
    Hash,
}

/// A name under [`NameRule::Hash`]: 32 hexadecimal digits.
pub fn hashed(name: &[u8], key: &[u8; 16]) -> String {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(name);
    format!("{:032x}", hasher.finish128().as_u128())
}
