//! A file system in memory that forgets what was not synced when its power is cut.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::content::Content;
use super::directory::{Directories, EntryOrder, Inode};
use super::fault::{CutPoint, Faults, Operation};
use super::random::Random;

/// The directory at the top.
pub(super) const ROOT: Inode = 1;
/// Most memory for file contents, bytes. Beyond it the disk is full.
const CAPACITY_BYTES: usize = 1 << 30;
/// Longest time of a slow sync.
const LONGEST_SYNC_MICROS: usize = 8_000;
const DIRECTORY_MODE: u16 = 0o755;

/// Why an operation fails, as POSIX names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiskError {
    NotFound,
    Exists,
    IsDirectory,
    NotDirectory,
    NotEmpty,
    NoSpace,
    /// The power is off, or a fault.
    InputOutput,
}

type Result<T> = std::result::Result<T, DiskError>;

/// What `stat` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) inode: Inode,
    pub(super) is_directory: bool,
    pub(super) bytes: u64,
    pub(super) links: usize,
    pub(super) mode: u16,
}

/// The file system. Until its power is cut it behaves like any other.
#[derive(Debug)]
pub struct Disk {
    files: BTreeMap<Inode, File>,
    directories: Directories,
    next: Inode,
    is_on: bool,
    has_failed: bool,
    /// Operations until the power goes off by itself.
    cut_point: Option<CutPoint>,
    faults: Faults,
    random: Random,
    order: EntryOrder,
    /// One sync in this many takes a while.
    slow_syncs: Option<usize>,
}

#[derive(Debug, Default)]
struct File {
    content: Content,
    /// Its newest name, which [`Faults`] refer to.
    name: OsString,
    mode: u16,
    opened: u32,
}

impl Disk {
    /// An empty one. `faults` are planted; `order` says which entries a cut can lose.
    pub fn new(faults: Faults, order: EntryOrder) -> Self {
        let mut directories = Directories::default();
        directories.add(ROOT);
        Self {
            files: BTreeMap::new(),
            directories,
            next: ROOT + 1,
            is_on: true,
            has_failed: false,
            cut_point: None,
            faults,
            random: Random::new(0),
            order,
            slow_syncs: None,
        }
    }

    /// Makes one sync in `one_in` take up to 8 ms, in which other operations continue.
    #[must_use]
    pub fn with_slow_syncs(self, one_in: usize) -> Self {
        Self { slow_syncs: Some(one_in), ..self }
    }

    /// Lets the power go off at a point of the operations that follow.
    pub(super) fn set_cut_point(&mut self, point: Option<CutPoint>) {
        self.cut_point = point;
    }

    /// Whether a sync has failed since the last restart.
    pub(super) const fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// All operations fail from now on.
    pub(super) fn power_off(&mut self) {
        self.is_on = false;
    }

    pub(super) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Loses what was not synced, as far as `seed` decides, and switches the power on again.
    pub(super) fn restart(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        self.directories.lose_power(self.order, &mut random);
        let reachable = self.directories.reachable(ROOT);
        self.files.retain(|inode, _| reachable.contains(inode));
        for file in self.files.values_mut() {
            file.content.lose_power(&mut random);
            file.opened = 0;
        }
        for &inode in reachable.iter().filter(|inode| !self.files.contains_key(inode)) {
            self.directories.add(inode);
        }
        self.cut_point = None;
        self.random = random;
        (self.is_on, self.has_failed) = (true, false);
    }

    /// Called before every operation: it may be the one at which the power goes off.
    fn begin(&mut self, operation: Operation) -> Result<()> {
        if let Some(point) = &mut self.cut_point {
            self.is_on &= !point.is_reached_by(operation);
        }
        self.check_power()
    }

    fn read_entries(&self, directory: Inode) -> Result<&BTreeMap<OsString, Inode>> {
        let missing = if self.files.contains_key(&directory) { DiskError::NotDirectory } else { DiskError::NotFound };
        self.directories.entries(directory).ok_or(missing)
    }

    fn find(&self, directory: Inode, name: &OsStr) -> Result<Inode> {
        self.read_entries(directory)?.get(name).copied().ok_or(DiskError::NotFound)
    }

    fn file(&mut self, inode: Inode) -> Result<&mut File> {
        let missing =
            if self.directories.entries(inode).is_some() { DiskError::IsDirectory } else { DiskError::NotFound };
        self.files.get_mut(&inode).ok_or(missing)
    }

    pub(super) fn look_up(&mut self, directory: Inode, name: &OsStr) -> Result<Attributes> {
        self.begin(Operation::Read)?;
        self.find(directory, name).and_then(|inode| self.attributes_of(inode))
    }

    pub(super) fn attributes(&mut self, inode: Inode) -> Result<Attributes> {
        self.begin(Operation::Read)?;
        self.attributes_of(inode)
    }

    fn attributes_of(&self, inode: Inode) -> Result<Attributes> {
        let attributes = Attributes { inode, is_directory: true, bytes: 0, links: 2, mode: DIRECTORY_MODE };
        match self.files.get(&inode) {
            Some(file) => Ok(Attributes {
                is_directory: false,
                bytes: file.content.len() as u64,
                links: self.directories.links(inode),
                mode: file.mode,
                ..attributes
            }),
            None => self.read_entries(inode).map(|_| attributes),
        }
    }

    /// Names and attributes of a directory's entries, in order.
    pub(super) fn list(&mut self, directory: Inode) -> Result<Vec<(OsString, Attributes)>> {
        self.begin(Operation::Read)?;
        let entry = |(name, &inode): (&OsString, &Inode)| Ok((name.clone(), self.attributes_of(inode)?));
        self.read_entries(directory)?.iter().map(entry).collect()
    }

    /// Creates and opens a file.
    pub(super) fn create(&mut self, directory: Inode, name: &OsStr, mode: u16) -> Result<Attributes> {
        let inode = self.insert(directory, name)?;
        let file = File { name: name.to_owned(), mode, opened: 1, ..File::default() };
        self.files.insert(inode, file);
        self.attributes_of(inode)
    }

    pub(super) fn create_directory(&mut self, parent: Inode, name: &OsStr) -> Result<Attributes> {
        let inode = self.insert(parent, name)?;
        self.directories.add(inode);
        self.attributes_of(inode)
    }

    fn insert(&mut self, directory: Inode, name: &OsStr) -> Result<Inode> {
        self.begin(Operation::Entry)?;
        if self.read_entries(directory)?.contains_key(name) {
            return Err(DiskError::Exists);
        }
        let inode = self.next;
        self.next += 1;
        self.directories.insert(directory, name, inode);
        Ok(inode)
    }

    pub(super) fn link(&mut self, inode: Inode, directory: Inode, name: &OsStr) -> Result<Attributes> {
        self.begin(Operation::Entry)?;
        if self.read_entries(directory)?.contains_key(name) {
            return Err(DiskError::Exists);
        }
        self.file(inode)?;
        self.directories.insert(directory, name, inode);
        self.attributes_of(inode)
    }

    pub(super) fn remove(&mut self, directory: Inode, name: &OsStr) -> Result<()> {
        self.begin(Operation::Entry)?;
        let inode = self.find(directory, name)?;
        self.file(inode)?;
        self.directories.remove(directory, name);
        Ok(())
    }

    pub(super) fn remove_directory(&mut self, parent: Inode, name: &OsStr) -> Result<()> {
        self.begin(Operation::Entry)?;
        let inode = self.find(parent, name)?;
        if !self.read_entries(inode)?.is_empty() {
            return Err(DiskError::NotEmpty);
        }
        self.directories.remove(parent, name);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: (Inode, &OsStr), to: (Inode, &OsStr)) -> Result<()> {
        self.begin(Operation::Entry)?;
        let inode = self.find(from.0, from.1)?;
        match self.find(to.0, to.1) {
            // Two names of one file: POSIX requires that nothing changes.
            Ok(replaced) if replaced == inode => return Ok(()),
            Ok(replaced) => match self.directories.entries(replaced) {
                Some(entries) if !entries.is_empty() => return Err(DiskError::NotEmpty),
                Some(_) if self.files.contains_key(&inode) => return Err(DiskError::IsDirectory),
                None if !self.files.contains_key(&inode) => return Err(DiskError::NotDirectory),
                _ => {}
            },
            Err(DiskError::NotFound) => drop(self.read_entries(to.0)?),
            Err(error) => return Err(error),
        }
        self.directories.rename(from, to, inode);
        if let Some(file) = self.files.get_mut(&inode) {
            to.1.clone_into(&mut file.name);
        }
        Ok(())
    }

    pub(super) fn open(&mut self, inode: Inode) -> Result<()> {
        self.begin(Operation::Read)?;
        self.file(inode)?.opened += 1;
        Ok(())
    }

    pub(super) fn close(&mut self, inode: Inode) {
        if let Ok(file) = self.file(inode) {
            file.opened = file.opened.saturating_sub(1);
        }
        self.drop_if_unused(inode);
    }

    pub(super) fn read(&mut self, inode: Inode, at: u64, bytes: u32) -> Result<&[u8]> {
        self.begin(Operation::Read)?;
        Ok(self.file(inode)?.content.read(position(at), bytes as usize))
    }

    pub(super) fn write(&mut self, inode: Inode, at: u64, bytes: &[u8]) -> Result<()> {
        self.begin(Operation::Write)?;
        if self.free_bytes() < 3 * bytes.len() {
            return Err(DiskError::NoSpace);
        }
        self.file(inode)?.content.write(position(at), bytes);
        Ok(())
    }

    pub(super) fn resize(&mut self, inode: Inode, bytes: u64) -> Result<()> {
        self.begin(Operation::Write)?;
        if self.free_bytes() < position(bytes).saturating_sub(self.file(inode)?.content.len()) {
            return Err(DiskError::NoSpace);
        }
        self.file(inode)?.content.resize(position(bytes));
        Ok(())
    }

    /// Zeros a part of a file, without a change of its length.
    pub(super) fn punch_hole(&mut self, inode: Inode, at: u64, bytes: u64) -> Result<()> {
        self.begin(Operation::Write)?;
        let content = &mut self.file(inode)?.content;
        let end = position(at.saturating_add(bytes)).min(content.len());
        if position(at) < end {
            content.write(position(at), &vec![0; end - position(at)]);
        }
        Ok(())
    }

    /// Begins an `fsync`. Returns how long the disk takes for it.
    pub(super) fn begin_sync(&mut self) -> Result<Duration> {
        self.begin(Operation::Sync)?;
        let is_slow = self.slow_syncs.is_some_and(|slow| self.random.one_in(slow));
        let micros = if is_slow { self.random.below(LONGEST_SYNC_MICROS) } else { 0 };
        Ok(Duration::from_micros(micros as u64))
    }

    fn check_power(&self) -> Result<()> {
        if self.is_on { Ok(()) } else { Err(DiskError::InputOutput) }
    }

    /// The end of an `fsync` of a file. It makes the content durable, but not the name.
    pub(super) fn sync(&mut self, inode: Inode) -> Result<()> {
        self.check_power()?;
        let (mut random, mut faults) = (self.random.clone(), self.faults.clone());
        let file = self.file(inode)?;
        let result = if faults.ignores_sync_of(&file.name) {
            Ok(())
        } else if faults.fails_sync_of(&file.name) {
            file.content.fail_sync(&mut random);
            Err(DiskError::InputOutput)
        } else {
            file.content.sync();
            Ok(())
        };
        (self.random, self.faults) = (random, faults);
        self.has_failed |= result.is_err();
        result
    }

    /// The end of an `fsync` of a directory. It makes the entries durable.
    pub(super) fn sync_directory(&mut self, directory: Inode) -> Result<()> {
        self.check_power()?;
        self.read_entries(directory)?;
        if !self.faults.ignores_directory_syncs() {
            self.directories.sync(directory);
            for inode in self.files.keys().copied().collect::<Vec<_>>() {
                self.drop_if_unused(inode);
            }
        }
        Ok(())
    }

    /// Makes everything durable.
    pub(super) fn sync_all(&mut self) {
        self.directories.sync_all();
        self.files.values_mut().for_each(|file| file.content.sync());
    }

    /// Frees the memory of a file that is not open and that no cut can bring back.
    fn drop_if_unused(&mut self, inode: Inode) {
        if self.files.get(&inode).is_some_and(|file| file.opened == 0) && !self.directories.refers_to(inode) {
            self.files.remove(&inode);
            self.directories.forget(inode);
        }
    }

    pub(super) fn free_bytes(&self) -> usize {
        let used: usize = self.files.values().map(|file| file.content.memory_bytes()).sum();
        CAPACITY_BYTES.saturating_sub(used)
    }

    pub(super) const fn capacity_bytes() -> usize {
        CAPACITY_BYTES
    }
}

fn position(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
