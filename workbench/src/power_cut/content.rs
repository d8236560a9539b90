//! The bytes of a file: as they are read, as they are on disk, and the changes in between.

use std::ops::Range;

use super::random::Random;

/// The unit in which the operating system writes a file.
const PAGE: usize = 4096;
/// The unit that a disk writes completely or not at all.
const SECTOR: usize = 512;
/// A page that is written at the moment of the cut is torn once in this many cases.
const TORN: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Content {
    current: Vec<u8>,
    durable: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Content {
    pub(super) fn len(&self) -> usize {
        self.current.len()
    }

    pub(super) fn read(&self, at: usize, len: usize) -> &[u8] {
        let end = at.saturating_add(len).min(self.len());
        self.current.get(at..end).unwrap_or_default()
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.change(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(super) fn resize(&mut self, len: usize) {
        if len != self.len() {
            self.change(Change::Resize(len));
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.unsynced.push(change);
    }

    /// Makes all changes durable.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that fails, as Linux handles it: some of the changes are on disk, and no later sync writes the others.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        self.durable = self.survivor(random);
        self.unsynced.clear();
    }

    /// Leaves what is on disk after a cut.
    pub(super) fn lose_power(&mut self, random: &mut Random) {
        self.fail_sync(random);
        self.current.clone_from(&self.durable);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let changes: usize = self.unsynced.iter().map(Change::bytes).sum();
        self.current.len() + self.durable.len() + changes
    }

    /// What may be on disk now. Without a sync, pages are written at any time and in any order.
    fn survivor(&self, random: &mut Random) -> Vec<u8> {
        if self.unsynced.is_empty() {
            return self.durable.clone();
        }
        match random.below(4) {
            0 => self.durable.clone(),
            1 => self.current.clone(),
            2 => self.in_order(random),
            _ => self.page_by_page(random),
        }
    }

    /// The first changes, and a part of the next one.
    fn in_order(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let complete = random.below(self.unsynced.len() + 1);
        self.unsynced[..complete].iter().for_each(|change| change.apply(&mut bytes));
        if let Some(Change::Write { at, bytes: written }) = self.unsynced.get(complete) {
            // Sectors count from the start of the file.
            let torn_at = (at + random.below(written.len() + 1)) / SECTOR * SECTOR;
            let written = &written[..torn_at.saturating_sub(*at)];
            apply_write(*at, written, &mut bytes);
        }
        bytes
    }

    /// The length after any of the changes, and each page as it was after any of them.
    fn page_by_page(&self, random: &mut Random) -> Vec<u8> {
        let lengths = self.lengths();
        let len = random.choose(&lengths);
        let changes = self.changes_of_pages(lengths.iter().copied().max().unwrap_or(0));
        let newest = random.choose(&[2, 8, 64]);
        let mut image = Vec::with_capacity(len);
        for (page, changes) in changes.iter().enumerate().take(len.div_ceil(PAGE)) {
            let unit = if changes.len() > 1 && random.one_in(TORN) { SECTOR } else { PAGE };
            for sector in 0..PAGE / unit {
                let is_newest = !random.one_in(newest);
                let applied = if is_newest { changes.len() } else { random.below(changes.len() + 1) };
                let start = page * PAGE + sector * unit;
                image.extend(self.part(start..start + unit, &changes[..applied]));
            }
        }
        image.truncate(len);
        image
    }

    /// The length on disk, and that after each change.
    fn lengths(&self) -> Vec<usize> {
        let mut lengths = vec![self.durable.len()];
        for change in &self.unsynced {
            let before = lengths[lengths.len() - 1];
            lengths.push(match change {
                Change::Write { at, bytes } => before.max(at + bytes.len()),
                Change::Resize(len) => *len,
            });
        }
        lengths
    }

    /// The changes of each page of a file of `len` bytes, in order.
    fn changes_of_pages(&self, len: usize) -> Vec<Vec<&Change>> {
        let mut pages = vec![Vec::new(); len.div_ceil(PAGE)];
        for change in &self.unsynced {
            let Range { start, end } = match change {
                Change::Write { at, bytes } => at / PAGE..(at + bytes.len()).div_ceil(PAGE),
                Change::Resize(len) => len / PAGE..pages.len(),
            };
            for page in pages.iter_mut().take(end).skip(start) {
                page.push(change);
            }
        }
        pages
    }

    /// A part of the file after `changes`, with zeros beyond its end.
    fn part(&self, range: Range<usize>, changes: &[&Change]) -> Vec<u8> {
        let mut part = vec![0; range.len()];
        copy_overlap(0, &self.durable, range.start, &mut part);
        for change in changes {
            match change {
                Change::Write { at, bytes } => copy_overlap(*at, bytes, range.start, &mut part),
                Change::Resize(len) => part.iter_mut().skip(len.saturating_sub(range.start)).for_each(|byte| *byte = 0),
            }
        }
        part
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => apply_write(*at, bytes, file),
            Self::Resize(len) => file.resize(*len, 0),
        }
    }

    fn bytes(&self) -> usize {
        if let Self::Write { bytes, .. } = self { bytes.len() } else { 0 }
    }
}

fn apply_write(at: usize, bytes: &[u8], file: &mut Vec<u8>) {
    let end = at + bytes.len();
    if file.len() < end && !bytes.is_empty() {
        file.resize(end, 0);
    }
    copy_overlap(at, bytes, 0, file);
}

/// Copies the bytes of `from`, which starts at `from_start`, that are also in `to`, which starts at `to_start`.
fn copy_overlap(from_start: usize, from: &[u8], to_start: usize, to: &mut [u8]) {
    let start = from_start.max(to_start);
    let end = (from_start + from.len()).min(to_start + to.len());
    if start < end {
        to[start - to_start..end - to_start].copy_from_slice(&from[start - from_start..end - from_start]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEN: usize = 3 * PAGE;

    #[derive(Debug, Clone)]
    enum Step {
        Write(usize, usize),
        Resize(usize),
        Sync,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0..LEN, 1..2 * PAGE).prop_map(|(at, len)| Step::Write(at, len)),
            1 => (0..LEN).prop_map(Step::Resize),
            1 => Just(Step::Sync),
        ];
        proptest::collection::vec(step, 0..12)
    }

    fn take(content: &mut Content, number: usize, step: &Step) {
        match *step {
            Step::Write(at, len) => content.write(at, &vec![u8::try_from(number + 1).unwrap(); len]),
            Step::Resize(len) => content.resize(len),
            Step::Sync => content.sync(),
        }
    }

    proptest! {
        #[test]
        fn what_was_synced_survives(steps in steps(), seed: u64) {
            let mut content = Content::default();
            steps.iter().enumerate().for_each(|(number, step)| take(&mut content, number, step));
            content.sync();
            let before = content.current.clone();
            content.lose_power(&mut Random::new(seed));
            prop_assert!(content.current == before && content.durable == before);
        }

        /// Each sector is one that the file had at some time since the last sync, or zeros.
        #[test]
        fn what_survives_was_written(steps in steps(), seed: u64) {
            let mut content = Content::default();
            let mut versions = vec![Vec::new()];
            for (number, step) in steps.iter().enumerate() {
                take(&mut content, number, step);
                if matches!(step, Step::Sync) {
                    versions.clear();
                }
                versions.push(content.current.clone());
            }
            content.lose_power(&mut Random::new(seed));
            let lengths: Vec<usize> = versions.iter().map(Vec::len).collect();
            let longest = lengths.iter().max().unwrap();
            prop_assert!(content.len() <= *longest);
            for (number, sector) in content.current.chunks(SECTOR).enumerate() {
                let was_there = versions.iter().any(|version| {
                    let mut padded = version.get(number * SECTOR..).unwrap_or_default().to_vec();
                    padded.resize(sector.len().max(padded.len()), 0);
                    padded[..sector.len()] == *sector
                });
                prop_assert!(was_there, "sector {number} of {}", content.len());
            }
        }

        #[test]
        fn a_seed_decides_what_survives(steps in steps(), seed: u64) {
            let survivor = || {
                let mut content = Content::default();
                steps.iter().enumerate().for_each(|(number, step)| take(&mut content, number, step));
                content.lose_power(&mut Random::new(seed));
                content.current
            };
            prop_assert!(survivor() == survivor());
        }
    }

    fn survivors(content: impl Fn() -> Content) -> std::collections::BTreeSet<Vec<u8>> {
        (0..500)
            .map(|seed| {
                let mut content = content();
                content.lose_power(&mut Random::new(seed));
                content.current
            })
            .collect()
    }

    #[test]
    fn pages_survive_in_any_order_and_torn() {
        let two_writes = || {
            let mut content = Content::default();
            content.write(0, &[1; 2 * PAGE]);
            content.sync();
            content.write(0, &[2; PAGE]);
            content.write(PAGE, &[3; PAGE]);
            content
        };
        let image = |first: u8, second: u8| [vec![first; PAGE], vec![second; PAGE]].concat();
        let survivors = survivors(two_writes);
        for (first, second) in [(1, 1), (2, 1), (1, 3), (2, 3)] {
            assert!(survivors.contains(&image(first, second)), "{first} {second}");
        }
        assert!(survivors.iter().any(|bytes| bytes[..PAGE].contains(&1) && bytes[..PAGE].contains(&2)), "torn");
    }

    #[test]
    fn a_longer_file_can_survive_without_its_bytes() {
        let appended = || {
            let mut content = Content::default();
            content.write(0, &[1; PAGE]);
            content.write(PAGE, &[2; PAGE]);
            content
        };
        let survivors = survivors(appended);
        assert!(survivors.contains(&Vec::new()));
        assert!(survivors.contains(&[vec![0; PAGE], vec![2; PAGE]].concat()));
    }

    #[test]
    fn a_failed_sync_leaves_what_a_later_one_does_not_write() {
        let lost = (0..100).filter(|&seed| {
            let mut content = Content::default();
            content.write(0, &[1; PAGE]);
            content.fail_sync(&mut Random::new(seed));
            assert_eq!(content.read(0, PAGE), [1; PAGE], "it is read until the cut");
            content.sync();
            content.lose_power(&mut Random::new(seed));
            content.len() == 0
        });
        assert!(lost.count() > 10);
    }
}
