//! Bytes that file systems cannot compress.

/// The same pseudo-random words each time (xorshift64).
pub(in crate::host) fn random_words() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0x9e37_79b9_7f4a_7c15_u64), |&word| {
        let word = word ^ (word << 13);
        let word = word ^ (word >> 7);
        Some(word ^ (word << 17))
    })
}

/// So many bytes, rounded down to whole words.
pub(super) fn random_bytes(count: usize) -> Vec<u8> {
    random_words().take(count / 8).flat_map(u64::to_le_bytes).collect()
}
