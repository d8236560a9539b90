//! The actors of a log: every name once, and its name in the trace.

use std::borrow::Cow;
use std::collections::HashMap;

use super::rows::text;
use ave_actors_rocksdb::trace::NameRule;
use ave_actors_rocksdb::trace::format::hashed;

/// Numbers names in order of appearance.
#[derive(Default)]
pub(super) struct Actors {
    numbers: HashMap<Box<[u8]>, u32>,
    /// Whether a name was not UTF-8.
    any_latin_1: bool,
}

impl Actors {
    pub(super) const fn any_latin_1(&self) -> bool {
        self.any_latin_1
    }

    /// The numbers of these names; `None` if there are more than 2^32.
    pub(super) fn numbers(&mut self, names: &[Cow<'_, [u8]>]) -> Option<Vec<u32>> {
        names.iter().map(|name| self.number(name)).collect()
    }

    fn number(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        self.any_latin_1 |= std::str::from_utf8(name).is_err();
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// The actors' names in the trace.
    pub(super) fn into_names(self, rule: NameRule) -> Names {
        let key: [u8; 16] = rand::random();
        let mut by_number = vec![Box::default(); self.numbers.len()];
        for (name, number) in self.numbers {
            by_number[number as usize] = name;
        }
        let mut names = Names::default();
        for name in by_number {
            match rule {
                NameRule::Keep => names.push(&text(&name)),
                NameRule::Hash => names.push(&hashed(&name, &key)),
            }
        }
        names
    }
}

/// Names by number, in one text: a log may have as many actors as rows.
#[derive(Default)]
pub(super) struct Names {
    text: String,
    ends: Vec<usize>,
}

impl Names {
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }
}
