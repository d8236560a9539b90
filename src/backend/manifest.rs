//! The oldest write-ahead log that a recovery replays, from the manifest (RocksDB's `db/version_edit.h`).

use std::{collections::BTreeMap, fs, io, ops::ControlFlow, path::Path};

use super::log_format::for_each_entry;

/// Number of the oldest log that a recovery replays. `None` if there is no manifest, or it is not understood.
pub(super) fn oldest_needed_log(database: &Path) -> io::Result<Option<u64>> {
    let current = fs::read_to_string(database.join("CURRENT"))?;
    let (mut needed, mut is_understood) = (Needed::default(), true);
    for_each_entry(&database.join(current.trim_end()), 0, |_, edit| {
        is_understood = needed.apply(edit).is_some();
        if is_understood { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(is_understood.then(|| needed.oldest_log()))
}

#[derive(Default)]
struct Needed {
    /// By column family, the oldest log with data that is not in its files.
    logs: BTreeMap<u64, u64>,
    /// Older ones were deleted, or may be.
    kept: u64,
}

impl Needed {
    fn oldest_log(&self) -> u64 {
        self.logs.values().copied().min().unwrap_or(0).max(self.kept)
    }

    /// Applies one edit. `None` if it is not understood.
    fn apply(&mut self, edit: &[u8]) -> Option<()> {
        const LOG_NUMBER: u64 = 2;
        const MIN_LOG_TO_KEEP: u64 = 10;
        const COLUMN_FAMILY: u64 = 200;
        const COLUMN_FAMILY_DROP: u64 = 202;
        let mut edit = Fields(edit);
        let (mut family, mut log, mut is_dropped) = (0, None, false);
        while !edit.0.is_empty() {
            match edit.number()? {
                LOG_NUMBER => log = Some(edit.number()?),
                MIN_LOG_TO_KEEP => self.kept = self.kept.max(edit.number()?),
                COLUMN_FAMILY => family = edit.number()?,
                COLUMN_FAMILY_DROP => is_dropped = true,
                tag => edit.skip(tag)?,
            }
        }
        if is_dropped {
            self.logs.remove(&family);
        } else if let Some(log) = log {
            let newest = self.logs.entry(family).or_default();
            *newest = log.max(*newest);
        }
        Some(())
    }
}

/// The rest of an edit: numbers of variable length, and byte strings after their length.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn numbers(&mut self, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| self.number().map(drop))
    }

    fn strings(&mut self, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| {
            let length = usize::try_from(self.number()?).ok()?;
            self.0 = self.0.get(length..)?;
            Some(())
        })
    }

    /// Pairs of a tag and a string, up to the tag `end`.
    fn pairs(&mut self, end: u64) -> Option<()> {
        while self.number()? != end {
            self.strings(1)?;
        }
        Some(())
    }

    /// Skips the value of a tag. `None` for an unknown one.
    fn skip(&mut self, tag: u64) -> Option<()> {
        /// Unknown tags from here on have a string.
        const IGNORABLE: u64 = 1 << 13;
        match tag {
            // Next file, last sequence number, previous log, largest column family, edits left in the group.
            3 | 4 | 9 | 203 | 300 => self.numbers(1),
            // Comparator, added column family.
            1 | 201 => self.strings(1),
            // Position of compactions.
            5 => self.numbers(1).and_then(|()| self.strings(1)),
            // Deleted file.
            6 => self.numbers(2),
            // New file: level, number, size; smallest and largest key; sequence numbers.
            103 => {
                self.numbers(3)?;
                self.strings(2)?;
                self.numbers(2)?;
                self.pairs(1)
            }
            // New blob file.
            400 => {
                self.numbers(3)?;
                self.strings(2)?;
                self.pairs(0)
            }
            // Garbage in a blob file.
            401 => self.numbers(3).and_then(|()| self.pairs(0)),
            // Old formats, which had no length.
            8194..=8197 => None,
            tag if tag >= IGNORABLE => self.strings(1),
            _ => None,
        }
    }
}
