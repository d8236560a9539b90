//! Random operations on collections and states whose prefixes get in each other's way, against a `BTreeMap`, across
//! stops and reopenings.

use std::collections::BTreeMap;

use ave_actors_rocksdb::RocksDbStore;
use ave_actors_store::{
    Error,
    database::{Collection, DbManager, State},
};
use proptest::prelude::*;

use super::{Database, not_found};

const PREFIXES: [&str; 9] = ["", ".", "a", "a.", "a.b", "a.b.c", "a.b.d", "a-", "ab"];
const KEYS: [&str; 10] = ["", ".", "-", "/", "b", "b.c", "c", "00000000000000000001", "00000000000000000002", "é"];

#[derive(Debug, Clone)]
enum Op {
    Put(usize, usize, Vec<u8>),
    Get(usize, usize),
    Del(usize, usize),
    Last(usize),
    Iter(usize, bool),
    Range(usize, Option<usize>, isize),
    Purge(usize),
    StatePut(usize, Vec<u8>),
    StateGet(usize),
    StateDel(usize),
    StatePurge(usize),
    /// Drops the handle of a prefix and creates it anew: purges spare what live handles may write.
    Renew(usize),
    Stop,
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let prefix = 0..PREFIXES.len();
    let key = 0..KEYS.len();
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        12 => (prefix.clone(), key.clone(), value.clone()).prop_map(|(p, k, v)| Op::Put(p, k, v)),
        4 => (prefix.clone(), key.clone()).prop_map(|(p, k)| Op::Get(p, k)),
        4 => (prefix.clone(), key.clone()).prop_map(|(p, k)| Op::Del(p, k)),
        3 => prefix.clone().prop_map(Op::Last),
        4 => (prefix.clone(), any::<bool>()).prop_map(|(p, reverse)| Op::Iter(p, reverse)),
        4 => (prefix.clone(), proptest::option::of(key), -4_isize..5).prop_map(|(p, k, n)| Op::Range(p, k, n)),
        2 => prefix.clone().prop_map(Op::Purge),
        2 => (prefix.clone(), value).prop_map(|(p, v)| Op::StatePut(p, v)),
        2 => prefix.clone().prop_map(Op::StateGet),
        1 => prefix.clone().prop_map(Op::StateDel),
        1 => prefix.clone().prop_map(Op::StatePurge),
        1 => prefix.prop_map(Op::Renew),
        1 => Just(Op::Stop),
        1 => Just(Op::Reopen),
    ]
}

/// What must be in the database.
#[derive(Default)]
struct Model {
    collections: BTreeMap<usize, BTreeMap<&'static str, Vec<u8>>>,
    states: BTreeMap<usize, Vec<u8>>,
}

impl Model {
    fn of(&mut self, prefix: usize) -> &mut BTreeMap<&'static str, Vec<u8>> {
        self.collections.entry(prefix).or_default()
    }

    fn range(&mut self, prefix: usize, from: Option<&'static str>, quantity: isize) -> Result<Vec<Vec<u8>>, Error> {
        let entries = self.of(prefix);
        if let Some(from) = from.filter(|from| !entries.contains_key(from)) {
            return Err(not_found(from));
        }
        let wanted = quantity.unsigned_abs();
        let values = if quantity >= 0 {
            let after = entries.iter().filter(|(key, _)| from.is_none_or(|from| **key > from));
            after.map(|(_, value)| value.clone()).take(wanted).collect()
        } else {
            let before = entries.iter().rev().filter(|(key, _)| from.is_none_or(|from| **key < from));
            before.map(|(_, value)| value.clone()).take(wanted).collect()
        };
        Ok(values)
    }
}

/// The database under test with a handle per prefix.
struct Subject {
    db: Database,
    collections: Vec<RocksDbStore>,
    states: Vec<RocksDbStore>,
}

impl Subject {
    fn new(db: Database) -> Self {
        let collections = PREFIXES.map(|prefix| db.collection("events", prefix)).into();
        let states = PREFIXES.map(|prefix| db.state("states", prefix)).into();
        Self { db, collections, states }
    }

    fn reopen(self) -> Self {
        let Self { db, collections, states } = self;
        drop((collections, states));
        Self::new(db.reopen())
    }
}

/// Does one operation on both and compares what they say.
fn step(subject: &mut Subject, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    match op {
        Op::Put(p, k, value) => {
            prop_assert_eq!(Collection::put(&mut subject.collections[p], KEYS[k], &value), Ok(()));
            model.of(p).insert(KEYS[k], value);
        }
        Op::Get(p, k) => {
            let expected = model.of(p).get(KEYS[k]).cloned();
            let expected = expected.ok_or_else(|| not_found(&format!("{}.{}", PREFIXES[p], KEYS[k])));
            prop_assert_eq!(Collection::get(&subject.collections[p], KEYS[k]), expected);
        }
        Op::Del(p, k) => {
            let expected = model.of(p).remove(KEYS[k]).map(drop);
            let expected = expected.ok_or_else(|| not_found(&format!("{}.{}", PREFIXES[p], KEYS[k])));
            prop_assert_eq!(Collection::del(&mut subject.collections[p], KEYS[k]), expected);
        }
        Op::Last(p) => {
            let expected = model.of(p).last_key_value().map(|(key, value)| ((*key).to_owned(), value.clone()));
            prop_assert_eq!(subject.collections[p].last(), Ok(expected));
        }
        Op::Iter(p, reverse) => compare_entries(subject, model, p, reverse)?,
        Op::Range(p, from, quantity) => {
            let from = from.map(|k| KEYS[k]);
            let expected = model.range(p, from, quantity);
            prop_assert_eq!(subject.collections[p].get_by_range(from.map(str::to_owned), quantity), expected);
        }
        Op::Purge(p) => {
            prop_assert_eq!(Collection::purge(&mut subject.collections[p]), Ok(()));
            model.of(p).clear();
        }
        Op::Renew(p) => subject.collections[p] = subject.db.collection("events", PREFIXES[p]),
        Op::Stop => prop_assert_eq!(subject.db.manager.stop(), Ok(())),
        Op::StatePut(..) | Op::StateGet(_) | Op::StateDel(_) | Op::StatePurge(_) => state_step(subject, model, op)?,
        Op::Reopen => unreachable!("done by the caller, who owns the subject"),
    }
    Ok(())
}

fn state_step(subject: &mut Subject, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    match op {
        Op::StatePut(p, value) => {
            prop_assert_eq!(State::put(&mut subject.states[p], &value), Ok(()));
            model.states.insert(p, value);
        }
        Op::StateGet(p) => {
            let expected = model.states.get(&p).cloned().ok_or_else(|| not_found(PREFIXES[p]));
            prop_assert_eq!(State::get(&subject.states[p]), expected);
        }
        Op::StateDel(p) => {
            let expected = model.states.remove(&p).map(drop).ok_or_else(|| not_found(PREFIXES[p]));
            prop_assert_eq!(State::del(&mut subject.states[p]), expected);
        }
        Op::StatePurge(p) => {
            prop_assert_eq!(State::purge(&mut subject.states[p]), Ok(()));
            model.states.remove(&p);
        }
        _ => unreachable!("not an operation on a state"),
    }
    Ok(())
}

fn compare_entries(subject: &Subject, model: &mut Model, p: usize, reverse: bool) -> Result<(), TestCaseError> {
    let found: Result<Vec<_>, _> = subject.collections[p].iter(reverse).unwrap().collect();
    let mut expected: Vec<_> = model.of(p).iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    if reverse {
        expected.reverse();
    }
    prop_assert_eq!(found, Ok(expected), "prefix {:?}", PREFIXES[p]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_backend_behaves_like_a_map_of_maps(ops in proptest::collection::vec(op(), 1..80)) {
        let mut subject = Subject::new(Database::new());
        let mut model = Model::default();
        for op in ops {
            if matches!(op, Op::Reopen) {
                subject = subject.reopen();
            } else {
                step(&mut subject, &mut model, op)?;
            }
        }
        for p in 0..PREFIXES.len() {
            compare_entries(&subject, &mut model, p, false)?;
            compare_entries(&subject, &mut model, p, true)?;
        }
    }
}
