//! Names of files: those that are visible, those on disk, and the changes in between.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::random::Random;

/// Number of a file or directory.
pub(super) type Inode = u64;
type Entries = BTreeMap<OsString, Inode>;

/// The entries of all directories.
#[derive(Debug, Default)]
pub(super) struct Directories {
    current: BTreeMap<Inode, Entries>,
    durable: BTreeMap<Inode, Entries>,
    /// Changes whose directory has not been synced since, in order.
    unsynced: Vec<EntryChange>,
}

/// A rename removes and inserts; both are on disk, or neither.
#[derive(Debug, Clone)]
struct EntryChange {
    removed: Option<(Inode, OsString)>,
    inserted: Option<(Inode, OsString, Inode)>,
}

impl EntryChange {
    fn apply(&self, directories: &mut BTreeMap<Inode, Entries>) {
        if let Some((directory, name)) = &self.removed {
            directories.entry(*directory).or_default().remove(name);
        }
        if let Some((directory, name, inode)) = &self.inserted {
            directories.entry(*directory).or_default().insert(name.clone(), *inode);
        }
    }

    fn touches(&self, directory: Inode) -> bool {
        self.removed.as_ref().is_some_and(|removed| removed.0 == directory)
            || self.inserted.as_ref().is_some_and(|inserted| inserted.0 == directory)
    }
}

impl Directories {
    /// Adds an empty directory. It survives if its entry in another one does, or if it is the root.
    pub(super) fn add(&mut self, directory: Inode) {
        self.current.entry(directory).or_default();
    }

    /// The visible entries of a directory; `None` if it is not a directory.
    pub(super) fn entries(&self, directory: Inode) -> Option<&Entries> {
        self.current.get(&directory)
    }

    pub(super) fn insert(&mut self, directory: Inode, name: &OsStr, inode: Inode) {
        self.change(EntryChange { removed: None, inserted: Some((directory, name.to_owned(), inode)) });
    }

    pub(super) fn remove(&mut self, directory: Inode, name: &OsStr) {
        self.change(EntryChange { removed: Some((directory, name.to_owned())), inserted: None });
    }

    pub(super) fn rename(&mut self, from: (Inode, &OsStr), to: (Inode, &OsStr), inode: Inode) {
        let removed = Some((from.0, from.1.to_owned()));
        self.change(EntryChange { removed, inserted: Some((to.0, to.1.to_owned(), inode)) });
    }

    fn change(&mut self, change: EntryChange) {
        change.apply(&mut self.current);
        self.unsynced.push(change);
    }

    /// Makes the entries of a directory durable.
    pub(super) fn sync(&mut self, directory: Inode) {
        for change in self.unsynced.extract_if(.., |change| change.touches(directory)) {
            change.apply(&mut self.durable);
        }
    }

    pub(super) fn sync_all(&mut self) {
        self.unsynced.drain(..).for_each(|change| change.apply(&mut self.durable));
    }

    /// Leaves what is on disk after a cut: of the unsynced changes the first ones, as on a file system with a journal,
    /// or any of them.
    pub(super) fn lose_power(&mut self, order: EntryOrder, random: &mut Random) {
        let first = match random.below(4) {
            0 => 0,
            1 => self.unsynced.len(),
            _ => random.below(self.unsynced.len() + 1),
        };
        let drops_any = order == EntryOrder::Any && random.one_in(2);
        for (number, change) in self.unsynced.drain(..).enumerate() {
            if if drops_any { random.one_in(2) } else { number < first } {
                change.apply(&mut self.durable);
            }
        }
        self.current = self.durable.clone();
    }

    /// Everything that `root` contains, directly or not, with `root`.
    pub(super) fn reachable(&self, root: Inode) -> Vec<Inode> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(inode) = found.get(next) {
            let entries = self.current.get(inode).into_iter().flat_map(Entries::values).copied();
            found.extend(entries.collect::<Vec<_>>());
            next += 1;
        }
        found
    }

    /// Removes a directory that is not reachable any more.
    pub(super) fn forget(&mut self, inode: Inode) {
        self.current.remove(&inode);
        self.durable.remove(&inode);
    }

    /// Whether a name, visible or on disk, refers to a file.
    pub(super) fn refers_to(&self, inode: Inode) -> bool {
        let on_disk = self.durable.values().chain(self.current.values());
        on_disk.flat_map(Entries::values).any(|&other| other == inode)
            || self.unsynced.iter().any(|change| change.inserted.as_ref().is_some_and(|inserted| inserted.2 == inode))
    }

    /// Visible names of a file.
    pub(super) fn links(&self, inode: Inode) -> usize {
        self.current.values().flat_map(Entries::values).filter(|&&other| other == inode).count()
    }
}

/// Which of the unsynced changes to directories a cut can lose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntryOrder {
    /// The last ones, in the order of all directories, as on a file system with a journal.
    #[default]
    Journal,
    /// Any, as POSIX permits.
    Any,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ROOT: Inode = 1;

    fn survivors(order: EntryOrder, change: impl Fn(&mut Directories)) -> BTreeSet<Vec<(String, Inode)>> {
        let survivor = |seed| {
            let mut directories = Directories::default();
            directories.add(ROOT);
            change(&mut directories);
            directories.lose_power(order, &mut Random::new(seed));
            let name = |(name, &inode): (&OsString, &Inode)| (name.to_str().unwrap().to_owned(), inode);
            directories.entries(ROOT).map(|entries| entries.iter().map(name).collect()).unwrap_or_default()
        };
        (0..200).map(survivor).collect()
    }

    fn names(names: &[(&str, Inode)]) -> Vec<(String, Inode)> {
        names.iter().map(|&(name, inode)| (name.to_owned(), inode)).collect()
    }

    #[test]
    fn entries_are_lost_until_their_directory_is_synced() {
        let two = |directories: &mut Directories| {
            directories.insert(ROOT, OsStr::new("a"), 2);
            directories.sync(ROOT);
            directories.insert(ROOT, OsStr::new("b"), 3);
            directories.remove(ROOT, OsStr::new("a"));
        };
        let journal = [names(&[("a", 2)]), names(&[("a", 2), ("b", 3)]), names(&[("b", 3)])];
        assert_eq!(survivors(EntryOrder::Journal, two), BTreeSet::from(journal.clone()));
        let any = journal.into_iter().chain([Vec::new()]);
        assert_eq!(survivors(EntryOrder::Any, two), any.collect());
    }

    #[test]
    fn a_rename_replaces_or_changes_nothing() {
        let replaced = |directories: &mut Directories| {
            directories.insert(ROOT, OsStr::new("current"), 2);
            directories.insert(ROOT, OsStr::new("new"), 3);
            directories.sync(ROOT);
            directories.rename((ROOT, OsStr::new("new")), (ROOT, OsStr::new("current")), 3);
        };
        let expected = [names(&[("current", 2), ("new", 3)]), names(&[("current", 3)])];
        assert_eq!(survivors(EntryOrder::Any, replaced), BTreeSet::from(expected));
    }
}
