//! Encodes a prefix and a key as the stored key, and decodes it. Pure functions without a database.
//!
//! A collection entry is stored as `prefix`, a dot, and the key, byte for byte, except that a dot *inside the key* is
//! stored as the two bytes `2D FF`. This has two properties:
//!
//! * The **last** dot of a stored key separates prefix and key, so two collections never produce the same bytes, dotted
//!   prefixes included: key `b.c` of `a` is `a.b\x2D\xFFc`, key `c` of `a.b` is `a.b.c`.
//! * The encoding preserves order. `FF` never occurs in UTF-8, so the pair always stands for a dot. It starts with
//!   `2D`, the byte just below the dot, and ends above every UTF-8 byte, so it sorts exactly where the dot did.
//!
//! A state is stored under its prefix alone.
//!
//! The entries of `a` lie between `a.` and `a/` (the byte after the dot), and so do those of `a.b`. The latter are
//! *foreign* to `a`: the part after `a.` has a dot. They form *runs*: everything between `a.b.` and `a.b/` is foreign,
//! so one seek skips it.

use std::borrow::Cow;

/// Separates prefix and key.
const DOT: u8 = b'.';
/// The byte after [`DOT`]: `prefix/` is the first key after all of `prefix.`.
const AFTER_DOT: u8 = b'/';
/// The stored form of a dot inside a key.
const ENCODED_DOT: [u8; 2] = [b'-', 0xFF];
/// Stored keys up to this many bytes are built on the stack.
const STACK_KEY_LEN: usize = 256;

/// The prefix of a collection, or the key of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The prefix and a dot: the lower bound of its range.
    with_dot: Box<str>,
}

/// A range of keys: the first key, and the first key after it.
pub(super) type Run = (Vec<u8>, Vec<u8>);

/// How a stored key relates to a prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// An entry of this prefix. Contains the stored key without the prefix.
    Own(&'a [u8]),
    /// An entry of a longer prefix. Contains the name of its run, see [`Prefix::run`].
    Foreign(&'a [u8]),
    /// Not in the range of this prefix.
    Outside,
}

impl Prefix {
    pub(super) fn new(prefix: &str) -> Self {
        let mut with_dot = String::with_capacity(prefix.len() + 1);
        with_dot.push_str(prefix);
        with_dot.push('.');
        Self { with_dot: with_dot.into_boxed_str() }
    }

    /// The prefix as the user wrote it.
    pub(super) fn as_str(&self) -> &str {
        &self.with_dot[..self.with_dot.len() - 1]
    }

    /// The key under which a state of this prefix is stored.
    pub(super) fn state_key(&self) -> &[u8] {
        self.as_str().as_bytes()
    }

    /// The first key of the range of all entries.
    pub(super) fn lower_bound(&self) -> &[u8] {
        self.with_dot.as_bytes()
    }

    /// The first key after that range.
    pub(super) fn upper_bound(&self) -> Vec<u8> {
        let mut bound = Vec::with_capacity(self.with_dot.len());
        bound.extend_from_slice(self.state_key());
        bound.push(AFTER_DOT);
        bound
    }

    /// `prefix.key` as the user wrote it, for error messages.
    pub(super) fn logical_key(&self, key: &str) -> String {
        let mut logical = String::with_capacity(self.with_dot.len() + key.len());
        logical.push_str(&self.with_dot);
        logical.push_str(key);
        logical
    }

    /// Calls `then` with the stored form of `key`. Does not allocate for keys without a dot up to [`STACK_KEY_LEN`].
    pub(super) fn with_stored_key<R>(&self, key: &str, then: impl FnOnce(&[u8]) -> R) -> R {
        let key = encode(key);
        let (head, len) = (self.with_dot.len(), self.with_dot.len() + key.len());
        if len <= STACK_KEY_LEN {
            let mut buffer = [0; STACK_KEY_LEN];
            buffer[..head].copy_from_slice(self.with_dot.as_bytes());
            buffer[head..len].copy_from_slice(&key);
            then(&buffer[..len])
        } else {
            then(&[self.with_dot.as_bytes(), &key].concat())
        }
    }

    pub(super) fn classify<'a>(&self, stored: &'a [u8]) -> Entry<'a> {
        let Some(rest) = stored.strip_prefix(self.with_dot.as_bytes()) else { return Entry::Outside };
        match rest.iter().position(|byte| *byte == DOT) {
            None => Entry::Own(rest),
            Some(dot) => Entry::Foreign(&rest[..dot]),
        }
    }

    /// The name of the run that a handle of prefix `other` writes to inside this prefix's range, if any.
    ///
    /// ```text
    /// Prefix::new("a").run_of("a.b.c") == Some("b")      all entries of `a.b.c` lie in `a.b.`
    /// ```
    pub(super) fn run_of<'a>(&self, other: &'a [u8]) -> Option<&'a [u8]> {
        let rest = other.strip_prefix(self.with_dot.as_bytes())?;
        rest.split(|byte| *byte == DOT).next()
    }

    /// The bounds of a run: its first possible key and the first key after it.
    pub(super) fn run(&self, name: &[u8]) -> Run {
        range_of(&[self.with_dot.as_bytes(), name].concat())
    }
}

/// The range of all entries of `prefix` and of those nested in it.
pub(super) fn range_of(prefix: &[u8]) -> Run {
    ([prefix, &[DOT]].concat(), [prefix, &[AFTER_DOT]].concat())
}

/// The prefix of the collection entry that this stored key is. Empty for a state's key without a dot.
pub(super) fn prefix_of(stored: &[u8]) -> &[u8] {
    let dot = stored.iter().rposition(|byte| *byte == DOT);
    dot.map_or(&[], |dot| &stored[..dot])
}

/// Whether the entries of this prefix lie in the range of another prefix.
pub(super) fn is_nested(prefix: &[u8]) -> bool {
    prefix.contains(&DOT)
}

/// The prefixes whose ranges contain the entries of `nested`.
pub(super) fn parents(nested: &[u8]) -> impl Iterator<Item = &[u8]> {
    let dots = nested.iter().enumerate().filter(|(_, byte)| **byte == DOT);
    dots.map(|(dot, _)| &nested[..dot])
}

fn encode(key: &str) -> Cow<'_, [u8]> {
    let bytes = key.as_bytes();
    if !bytes.contains(&DOT) {
        return Cow::Borrowed(bytes);
    }
    let mut encoded = Vec::with_capacity(bytes.len() + 8);
    for byte in bytes {
        match *byte {
            DOT => encoded.extend_from_slice(&ENCODED_DOT),
            other => encoded.push(other),
        }
    }
    Cow::Owned(encoded)
}

/// Decodes the key in [`Entry::Own`]. Fails on bytes that [`encode`] never returns.
pub(super) fn decode(stored: &[u8]) -> Result<String, std::string::FromUtf8Error> {
    if !stored.contains(&ENCODED_DOT[1]) {
        return String::from_utf8(stored.to_vec());
    }
    let mut key = Vec::with_capacity(stored.len());
    let mut rest = stored;
    while let Some((byte, tail)) = rest.split_first() {
        let dot = rest.strip_prefix(&ENCODED_DOT);
        key.push(if dot.is_some() { DOT } else { *byte });
        rest = dot.unwrap_or(tail);
    }
    String::from_utf8(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(prefix: &str, key: &str) -> Vec<u8> {
        Prefix::new(prefix).with_stored_key(key, <[u8]>::to_vec)
    }

    /// Short texts with many dots and bytes that sort next to the dot.
    fn dotted() -> impl Strategy<Value = String> {
        prop_oneof![
            "[-./a\\x00]{0,6}",
            proptest::collection::vec(any::<char>(), 0..6).prop_map(|chars| chars.into_iter().collect()),
        ]
    }

    #[test]
    fn keys_without_dots_are_stored_byte_for_byte() {
        assert_eq!(stored("actor-1", "00000000000000000001"), b"actor-1.00000000000000000001");
        assert_eq!(stored("a.b", ""), b"a.b.");
        assert_eq!(stored("", "k"), b".k");
        assert_eq!(Prefix::new("actor-1").state_key(), b"actor-1");
    }

    #[test]
    fn a_dot_inside_a_key_is_stored_as_two_bytes() {
        assert_eq!(stored("a", "b.c"), b"a.b-\xFFc");
    }

    #[test]
    fn keys_beyond_the_stack_buffer_are_encoded_alike() {
        for len in [STACK_KEY_LEN - 2, STACK_KEY_LEN - 1, STACK_KEY_LEN, 4 * STACK_KEY_LEN] {
            let key = "k".repeat(len);
            assert_eq!(stored("p", &key), format!("p.{key}").into_bytes(), "length {len}");
        }
    }

    #[test]
    fn entries_of_longer_prefixes_are_foreign() {
        let a = Prefix::new("a");
        assert_eq!(a.classify(b"a.k"), Entry::Own(b"k"));
        assert_eq!(a.classify(b"a."), Entry::Own(b""));
        assert_eq!(a.classify(b"a.b.k"), Entry::Foreign(b"b"));
        assert_eq!(a.classify(b"a..k"), Entry::Foreign(b""));
        assert_eq!(a.classify(b"a"), Entry::Outside);
        assert_eq!(a.classify(b"ab.k"), Entry::Outside);
        assert_eq!(a.run(b"b"), (b"a.b.".to_vec(), b"a.b/".to_vec()));
    }

    #[test]
    fn the_first_segment_of_a_longer_prefix_names_its_run() {
        let a = Prefix::new("a");
        assert_eq!(a.run_of(b"a.b"), Some(&b"b"[..]));
        assert_eq!(a.run_of(b"a.b.c"), Some(&b"b"[..]));
        assert_eq!(a.run_of(b"a."), Some(&b""[..]));
        assert_eq!(a.run_of(b"a"), None);
        assert_eq!(a.run_of(b"ab"), None);
        assert_eq!(Prefix::new("").run_of(b".x"), Some(&b"x"[..]));
    }

    #[test]
    fn bytes_that_no_key_encodes_to_do_not_decode() {
        assert!(decode(b"\xFF").is_err());
        assert!(decode(b"a\xFE-\xFF").is_err());
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(prefix in dotted(), key in dotted()) {
            let stored = stored(&prefix, &key);
            let prefix = Prefix::new(&prefix);
            prop_assert_eq!(prefix_of(&stored), prefix.state_key());
            let Entry::Own(own) = prefix.classify(&stored) else { panic!("not its own: {stored:?}") };
            prop_assert_eq!(decode(own).unwrap(), key);
        }

        #[test]
        fn encoding_preserves_order(prefix in dotted(), a in dotted(), b in dotted()) {
            prop_assert_eq!(a.cmp(&b), stored(&prefix, &a).cmp(&stored(&prefix, &b)));
        }

        #[test]
        fn different_entries_have_different_stored_keys(p in dotted(), q in dotted(), a in dotted(), b in dotted()) {
            prop_assert_eq!((&p, &a) == (&q, &b), stored(&p, &a) == stored(&q, &b));
        }

        #[test]
        fn every_entry_is_inside_the_bounds_and_belongs_to_one_prefix(p in dotted(), q in dotted(), key in dotted()) {
            let key = stored(&p, &key);
            let (own, other) = (Prefix::new(&p), Prefix::new(&q));
            prop_assert!(own.lower_bound() <= &key[..] && key < own.upper_bound());
            prop_assert_eq!(matches!(other.classify(&key), Entry::Own(_)), p == q);
        }

        #[test]
        fn foreign_entries_lie_in_their_run(p in dotted(), q in dotted(), key in dotted()) {
            let key = stored(&q, &key);
            let prefix = Prefix::new(&p);
            if let Entry::Foreign(name) = prefix.classify(&key) {
                let (first, after) = prefix.run(name);
                prop_assert!(first <= key && key < after);
                prop_assert_eq!(prefix.run_of(q.as_bytes()), Some(name));
            }
        }
    }
}
