//! The actors of a log: every name once, and its name in the trace.

use std::collections::HashMap;

use super::rows::text;
use ave_actors_rocksdb::trace::NameRule;
use ave_actors_rocksdb::trace::format::hashed;

/// Texts that stand for no value.
const PLACEHOLDERS: [&[u8]; 9] = [b"NA", b"N/A", b"NULL", b"(null)", b"NaN", b"None", b"nil", b"-", b"\\N"];

/// Whether a text stands for no value, such as `NULL`.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    PLACEHOLDERS.iter().any(|placeholder| text.eq_ignore_ascii_case(placeholder))
}

/// Numbers names in order of appearance.
#[derive(Default)]
pub(super) struct Actors {
    numbers: HashMap<Box<[u8]>, u32>,
    pub(super) any_latin_1: bool,
}

impl Actors {
    /// The number of a name; `None` if there are more than 2^32.
    pub(super) fn number(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        self.any_latin_1 |= std::str::from_utf8(name).is_err();
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// The numbers here of others, in their order; `None` if there are more than 2^32.
    pub(super) fn numbers_of(&mut self, others: Self) -> Option<Vec<u32>> {
        others.in_order().iter().map(|name| self.number(name)).collect()
    }

    /// Numbers and names of actors whose name stands for no value.
    pub(super) fn placeholders(&self) -> Vec<(u32, String)> {
        let such = self.numbers.iter().filter(|(name, _)| is_placeholder(name.trim_ascii()));
        such.map(|(name, &number)| (number, text(name).into_owned())).collect()
    }

    fn in_order(self) -> Vec<Box<[u8]>> {
        let mut by_number = vec![Box::default(); self.numbers.len()];
        for (name, number) in self.numbers {
            by_number[number as usize] = name;
        }
        by_number
    }

    /// The actors' names in the trace, by number.
    pub(super) fn into_names(self, rule: NameRule) -> Vec<Box<str>> {
        let key: [u8; 16] = rand::random();
        let in_trace = |name: Box<[u8]>| match rule {
            NameRule::Keep => text(&name).into(),
            NameRule::Hash => hashed(&name, &key).into_boxed_str(),
        };
        self.in_order().into_iter().map(in_trace).collect()
    }
}
