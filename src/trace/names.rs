//! Actors' names in a trace: as they are, or as hashes that nobody can undo.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

/// Whether actors keep their names in the trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameRule {
    /// As they are. A name in an event log that is not UTF-8 is read as Latin-1, so that different names stay different.
    Keep,
    /// Replaced by a hash under a random key that is not kept: equal names stay equal within this trace, and nobody
    /// can tell which name it was. The default of a recorder.
    #[default]
    Hash,
}

/// What stands in the trace for a name under [`NameRule::Hash`]: 32 hexadecimal digits.
pub fn hashed(name: &[u8], key: &[u8; 16]) -> String {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(name);
    format!("{:032x}", hasher.finish128().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_names_stay_distinct_and_tell_nothing() {
        assert_eq!(hashed(b"case-1", &[1; 16]), hashed(b"case-1", &[1; 16]));
        assert_ne!(hashed(b"case-1", &[1; 16]), hashed(b"case-2", &[1; 16]));
        assert_ne!(hashed(b"case-1", &[1; 16]), hashed(b"case-1", &[2; 16]), "another key, another name");
    }
}
