//! The format of RocksDB's logs: write-ahead logs and the manifest (`db/log_format.h`). Reads what is intact.

use std::{
    fs::File,
    io::{self, Read},
    ops::ControlFlow,
    path::Path,
};

/// Size of a block of a log. A record lies within one block; each block begins with a record.
const BLOCK: usize = 32 * 1024;
/// Checksum, length (two bytes) and type. A recyclable record also contains the lower half of the log's number.
const HEADER: usize = 7;
const RECYCLABLE_HEADER: usize = HEADER + 4;
/// An entry in one record, and the first, further and last records of a longer one.
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;
/// Difference of the types above in a recyclable log.
const RECYCLABLE: u8 = 4;

/// Calls `each` with every intact entry of a log, and its position in the file, until it breaks. `number` is that of a
/// write-ahead log: a recyclable record with another one is from an older log.
pub(super) fn for_each_entry(
    log: &Path,
    number: u64,
    mut each: impl FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let number = number.to_le_bytes();
    let (mut file, mut block) = (File::open(log)?, Vec::with_capacity(BLOCK));
    let (mut block_start, mut entry, mut is_in_entry, mut entry_start) = (0, Vec::new(), false, 0);
    loop {
        block.clear();
        (&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(());
        }
        for record in records(&block, &number[..4]) {
            let begins = matches!(record.kind, FULL | FIRST);
            if begins {
                entry.clear();
                entry_start = block_start + record.position as u64;
            }
            is_in_entry = begins || (is_in_entry && matches!(record.kind, MIDDLE | LAST));
            if !is_in_entry {
                continue;
            }
            entry.extend_from_slice(record.payload);
            if matches!(record.kind, FULL | LAST) {
                is_in_entry = false;
                if each(entry_start, &entry).is_break() {
                    return Ok(());
                }
            }
        }
        block_start += block.len() as u64;
    }
}

/// A record with a matching checksum and, if it is recyclable, log number.
struct Record<'a> {
    /// Position in the block.
    position: usize,
    /// As in a log that is not recyclable.
    kind: u8,
    payload: &'a [u8],
}

/// The intact records of a block, also those after a damaged one whose length is intact.
fn records<'a>(block: &'a [u8], number: &'a [u8]) -> impl Iterator<Item = Record<'a>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            let position = next;
            let header = block.get(position..position + HEADER)?;
            let (length, kind) = (usize::from(u16::from_le_bytes([header[4], header[5]])), header[6]);
            let is_recyclable = (FULL + RECYCLABLE..=LAST + RECYCLABLE).contains(&kind);
            let header = if is_recyclable { RECYCLABLE_HEADER } else { HEADER };
            next = position + header + length;
            let record = block.get(position..next)?;
            let is_intact = record[..4] == masked(crc32c::crc32c(&record[HEADER - 1..])).to_le_bytes();
            if is_intact && (!is_recyclable || record[HEADER..header] == *number) {
                let kind = if is_recyclable { kind - RECYCLABLE } else { kind };
                return Some(Record { position, kind, payload: &record[header..] });
            }
        }
    })
}

/// The stored form of a checksum (RocksDB's `util/crc32c.h`).
pub(super) fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xA282_EAD8)
}
