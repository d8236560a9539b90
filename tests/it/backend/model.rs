//! Model test: random operations on collections and states with confusable prefixes, through several handles for each,
//! across stops and reopens, compared with maps in memory.

use std::collections::BTreeMap;

use ave_actors_rocksdb::RocksDbStore;
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{Database, not_found, open, scratch};

/// Column families of collections and of states.
const EVENTS: [&str; 2] = ["events", "other_events"];
const STATES: [&str; 2] = ["states", "other_states"];
const HANDLES: usize = 2;

/// The parts of prefixes and keys. Few, so that many have common starts and ends: many dots, bytes next to the dot,
/// bytes like an encoded dot, non-ASCII characters, and characters that sort first and last.
const PIECES: [&str; 20] = [
    ".",
    ".",
    ".",
    ".",
    "a",
    "a",
    "b",
    "-",
    "/",
    "-\u{7F}",
    "\0",
    "\u{1}",
    " ",
    "\n",
    "é",
    "e\u{301}",
    "日本",
    "\u{80}",
    "\u{D7FF}",
    "\u{10FFFF}",
];
/// Lengths of long names in bytes: around the longest key that is built on the stack, and far above.
const LENGTHS: [usize; 7] = [1, 250, 254, 255, 256, 1024, 64 * 1024];

/// A prefix or a key, stored in parts so that failures are readable and long names shrink to short ones.
#[derive(Debug, Clone)]
struct Name {
    /// Whether the name starts with the common start of all long names.
    long: bool,
    pieces: Vec<&'static str>,
}

impl Name {
    fn text(&self, long: usize) -> String {
        "l".repeat(if self.long { long } else { 0 }) + &self.pieces.concat()
    }
}

fn name() -> impl Strategy<Value = Name> {
    let pieces = vec(select(&PIECES), 0..6);
    (proptest::bool::weighted(0.3), pieces).prop_map(|(long, pieces)| Name { long, pieces })
}

/// Event numbers, or any name.
fn key() -> impl Strategy<Value = Name> {
    let number = select(&["00000000000000000001", "00000000000000000002", "00000000000000000010"]);
    prop_oneof![1 => number.prop_map(|number| Name { long: false, pieces: vec![number] }), 3 => name()]
}

/// An operation on one prefix in one family, through one of its handles.
#[derive(Debug, Clone)]
struct Op {
    family: usize,
    prefix: usize,
    handle: usize,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    Put(usize, Vec<u8>),
    Get(usize),
    Del(usize),
    Last,
    Iter {
        reverse: bool,
    },
    Range(Option<usize>, isize),
    Purge,
    StatePut(Vec<u8>),
    StateGet,
    StateDel,
    StatePurge,
    /// Drops the handle and creates it again: purges treat the prefixes of live handles differently.
    Renew,
    Stop,
    Reopen,
}

/// An index of a prefix or a key, modulo their number.
const ANY: std::ops::Range<usize> = 0..8;

fn quantity() -> impl Strategy<Value = isize> {
    prop_oneof![6 => -4_isize..5, 1 => select(&[isize::MIN, isize::MIN + 1, isize::MAX])]
}

fn action() -> impl Strategy<Value = Action> {
    let value = vec(any::<u8>(), 0..40);
    prop_oneof![
        14 => (ANY, value.clone()).prop_map(|(key, value)| Action::Put(key, value)),
        4 => ANY.prop_map(Action::Get),
        4 => ANY.prop_map(Action::Del),
        3 => Just(Action::Last),
        4 => any::<bool>().prop_map(|reverse| Action::Iter { reverse }),
        4 => (proptest::option::of(ANY), quantity()).prop_map(|(from, quantity)| Action::Range(from, quantity)),
        3 => Just(Action::Purge),
        3 => value.prop_map(Action::StatePut),
        2 => Just(Action::StateGet),
        1 => Just(Action::StateDel),
        1 => Just(Action::StatePurge),
        1 => Just(Action::Renew),
        1 => Just(Action::Stop),
        1 => Just(Action::Reopen),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let place = (0..EVENTS.len(), ANY, 0..HANDLES);
    (place, action()).prop_map(|((family, prefix, handle), action)| Op { family, prefix, handle, action })
}

/// Family and prefix.
type Place = (usize, String);
type Entries = BTreeMap<String, Vec<u8>>;

/// The expected content of the database.
#[derive(Default)]
struct Model {
    collections: BTreeMap<Place, Entries>,
    states: BTreeMap<Place, Vec<u8>>,
}

impl Model {
    fn range(entries: &Entries, from: Option<&String>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        if let Some(from) = from.filter(|from| !entries.contains_key(*from)) {
            return Err(not_found(from));
        }
        let limit = quantity.unsigned_abs();
        let values = if quantity >= 0 {
            let after = entries.iter().filter(|(key, _)| from.is_none_or(|from| *key > from));
            after.map(|(_, value)| value.clone()).take(limit).collect()
        } else {
            let before = entries.iter().rev().filter(|(key, _)| from.is_none_or(|from| *key < from));
            before.map(|(_, value)| value.clone()).take(limit).collect()
        };
        Ok(values)
    }
}

/// The database under test, with handles for every prefix in every family.
struct Subject {
    db: Database,
    prefixes: Vec<String>,
    keys: Vec<String>,
    collections: BTreeMap<(usize, usize, usize), RocksDbStore>,
    states: BTreeMap<(usize, usize, usize), RocksDbStore>,
}

impl Subject {
    fn new(db: Database, prefixes: Vec<String>, keys: Vec<String>) -> Self {
        let (mut collections, mut states) = (BTreeMap::new(), BTreeMap::new());
        for family in 0..EVENTS.len() {
            for (number, prefix) in prefixes.iter().enumerate() {
                for handle in 0..HANDLES {
                    collections.insert((family, number, handle), db.collection(EVENTS[family], prefix));
                    states.insert((family, number, handle), db.state(STATES[family], prefix));
                }
            }
        }
        Self { db, prefixes, keys, collections, states }
    }

    fn reopen(self) -> Self {
        let Self { db, prefixes, keys, collections, states } = self;
        drop((collections, states));
        Self::new(db.reopen(), prefixes, keys)
    }

    fn key(&self, number: usize) -> &str {
        &self.keys[number % self.keys.len()]
    }

    /// Runs one operation on both, and compares the results.
    fn step(&mut self, model: &mut Model, op: &Op) -> Result<(), TestCaseError> {
        let prefix_number = op.prefix % self.prefixes.len();
        let prefix = self.prefixes[prefix_number].clone();
        let expected = model.collections.entry((op.family, prefix.clone())).or_default();
        let missing = |key: &str| not_found(&format!("{prefix}.{key}"));
        let at = (op.family, prefix_number, op.handle);
        match &op.action {
            Action::Put(key, value) => {
                let key = self.key(*key).to_owned();
                prop_assert_eq!(Collection::put(self.collection(at), &key, value), Ok(()));
                expected.insert(key, value.clone());
            }
            Action::Get(key) => {
                let key = self.key(*key).to_owned();
                let expected = expected.get(&key).cloned().ok_or_else(|| missing(&key));
                prop_assert_eq!(Collection::get(self.collection(at), &key), expected);
            }
            Action::Del(key) => {
                let key = self.key(*key).to_owned();
                let expected = expected.remove(&key).map(drop).ok_or_else(|| missing(&key));
                prop_assert_eq!(Collection::del(self.collection(at), &key), expected);
            }
            Action::Last => {
                let expected = expected.last_key_value().map(|(key, value)| (key.clone(), value.clone()));
                prop_assert_eq!(self.collection(at).last(), Ok(expected));
            }
            Action::Iter { reverse } => compare(self.collection(at), expected, *reverse)?,
            Action::Range(from, quantity) => {
                let from = from.map(|key| self.key(key).to_owned());
                let expected = Model::range(expected, from.as_ref(), *quantity);
                prop_assert_eq!(self.collection(at).get_by_range(from, *quantity), expected);
            }
            Action::Purge => {
                prop_assert_eq!(Collection::purge(self.collection(at)), Ok(()));
                expected.clear();
            }
            Action::Renew => {
                // The old handle first, so that there may be none in between.
                self.collections.remove(&at);
                self.collections.insert(at, self.db.collection(EVENTS[op.family], &prefix));
            }
            Action::Stop => prop_assert_eq!(self.db.manager.stop(), Ok(())),
            _ => self.state_step(model, &op.action, at, (op.family, prefix))?,
        }
        Ok(())
    }

    fn state_step(
        &mut self,
        model: &mut Model,
        action: &Action,
        at: (usize, usize, usize),
        place: Place,
    ) -> Result<(), TestCaseError> {
        let state = self.states.get_mut(&at).unwrap();
        let missing = not_found(&place.1);
        match action {
            Action::StatePut(value) => {
                prop_assert_eq!(State::put(state, value), Ok(()));
                model.states.insert(place, value.clone());
            }
            Action::StateGet => {
                prop_assert_eq!(State::get(state), model.states.get(&place).cloned().ok_or(missing));
            }
            Action::StateDel => {
                prop_assert_eq!(State::del(state), model.states.remove(&place).map(drop).ok_or(missing));
            }
            Action::StatePurge => {
                prop_assert_eq!(State::purge(state), Ok(()));
                model.states.remove(&place);
            }
            _ => unreachable!("not an operation on a state"),
        }
        Ok(())
    }

    fn collection(&mut self, at: (usize, usize, usize)) -> &mut RocksDbStore {
        self.collections.get_mut(&at).unwrap()
    }

    /// Compares everything, through every handle.
    fn compare_all(&self, model: &Model) -> Result<(), TestCaseError> {
        let nothing = Entries::new();
        for ((family, prefix, _), collection) in &self.collections {
            let place = (*family, self.prefixes[*prefix].clone());
            let expected = model.collections.get(&place).unwrap_or(&nothing);
            compare(collection, expected, false)?;
            compare(collection, expected, true)?;
        }
        for ((family, prefix, _), state) in &self.states {
            let prefix = &self.prefixes[*prefix];
            let expected = model.states.get(&(*family, prefix.clone())).cloned();
            prop_assert_eq!(State::get(state), expected.ok_or_else(|| not_found(prefix)));
        }
        Ok(())
    }
}

fn compare(collection: &RocksDbStore, expected: &Entries, reverse: bool) -> Result<(), TestCaseError> {
    let found: Result<Vec<_>, _> = collection.iter(reverse).unwrap().collect();
    let mut expected: Vec<_> = expected.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    if reverse {
        expected.reverse();
    }
    prop_assert_eq!(found, Ok(expected), "{:?} in reverse: {}", collection, reverse);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_have_the_results_of_a_map(
        long in select(&LENGTHS),
        prefixes in vec(name(), 1..8),
        keys in vec(key(), 1..8),
        ops in vec(op(), 1..100),
    ) {
        let dir = scratch();
        let db = Database { manager: open(&dir.path().join("db")), dir };
        let text = |names: &[Name]| names.iter().map(|name| name.text(long)).collect::<Vec<_>>();
        let mut subject = Subject::new(db, text(&prefixes), text(&keys));
        let mut model = Model::default();
        for op in &ops {
            if matches!(op.action, Action::Reopen) {
                subject = subject.reopen();
            } else {
                subject.step(&mut model, op)?;
            }
        }
        subject.compare_all(&model)?;
        subject.reopen().compare_all(&model)?;
    }
}
