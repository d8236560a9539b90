//! Verifies a file of large values. RocksDB's error for a damaged value does not name the file.
//!
//! The format is that of RocksDB's `db/blob/blob_log_format.h`: a header, a record per value, and a footer.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use super::log_format::masked;

const HEADER: usize = 30;
const FOOTER: usize = 32;
/// Length of the key, length of the value, expiration (8 bytes each), checksum of these, checksum of key and value.
const RECORD_HEADER: usize = 32;
/// The first bytes of header and footer.
const MAGIC: u32 = 0x0024_8F37;
const BUFFER: usize = 1024 * 1024;

/// Whether all checksums of the file match.
pub(super) fn is_intact(path: &Path) -> io::Result<bool> {
    let length = path.metadata()?.len();
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    match read(&mut file, length) {
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read,
    }
}

fn read(file: &mut impl Read, length: u64) -> io::Result<bool> {
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    if number(&header[..4]) != u64::from(MAGIC) {
        return Ok(false);
    }
    let (mut at, end) = (HEADER as u64, length.saturating_sub(FOOTER as u64));
    while at < end {
        let mut record = [0; RECORD_HEADER];
        file.read_exact(&mut record)?;
        let size = number(&record[..8]).saturating_add(number(&record[8..16]));
        at = at.saturating_add(size).saturating_add(RECORD_HEADER as u64);
        if checksum(&record[..24]) != number(&record[24..28]) || at > end || value(file, size)? != number(&record[28..])
        {
            return Ok(false);
        }
    }
    let mut footer = [0; FOOTER];
    file.read_exact(&mut footer)?;
    Ok(number(&footer[..4]) == u64::from(MAGIC) && checksum(&footer[..28]) == number(&footer[28..]))
}

/// The checksum of the next `size` bytes.
fn value(file: &mut impl Read, size: u64) -> io::Result<u64> {
    let (mut rest, mut buffer, mut sum) = (size, [0; 16 * 1024], 0);
    while rest > 0 {
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact(&mut buffer[..count])?;
        sum = crc32c::crc32c_append(sum, &buffer[..count]);
        rest -= count as u64;
    }
    Ok(masked(sum).into())
}

fn checksum(bytes: &[u8]) -> u64 {
    masked(crc32c::crc32c(bytes)).into()
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
