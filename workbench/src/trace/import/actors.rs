//! The actors of a log: every name once, and its type and name in the trace.

use std::collections::HashMap;
use std::sync::Arc;

use super::rows::text;
use ave_actors_rocksdb::trace::NameRule;
use ave_actors_rocksdb::trace::format::hashed;

/// Texts that stand for no value.
const PLACEHOLDERS: [&[u8]; 13] =
    [b"NA", b"N/A", b"#N/A", b"NULL", b"(null)", b"NaN", b"NaT", b"None", b"nil", b"undefined", b"-", b"?", b"\\N"];

/// Whether a text stands for no value, such as `NULL`.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    PLACEHOLDERS.iter().any(|placeholder| text.eq_ignore_ascii_case(placeholder))
}

/// Whether nothing of a text is visible: Unicode's spaces, zero-width characters, control characters.
pub(super) fn is_blank(text: &[u8]) -> bool {
    let is_invisible =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}');
    std::str::from_utf8(text).is_ok_and(|text| text.chars().all(is_invisible))
}

/// Between type and name in a key; never in a type.
const END_OF_TYPE: u8 = 0xff;

/// Numbers names in order of appearance. Actors of different types are different, whatever their names.
#[derive(Default)]
pub(super) struct Actors {
    /// By name, of actors without a type of their own.
    plain: HashMap<Box<[u8]>, u32>,
    /// By type and name.
    typed: HashMap<Box<[u8]>, u32>,
    pub(super) any_latin_1: bool,
    /// Each type of the trace, and what the log calls it.
    types: HashMap<Box<str>, Box<str>>,
    /// Two types of the log that are one in the trace, and that one.
    pub(super) merged_types: Option<[Box<str>; 3]>,
}

/// An actor's name, behind its type if it has one.
struct Key {
    is_typed: bool,
    bytes: Box<[u8]>,
}

/// An actor of the trace.
pub(super) struct Named {
    pub(super) type_name: Arc<str>,
    pub(super) name: Box<str>,
}

impl Actors {
    /// The number of a name of a type; `None` if there are more than 2^32.
    pub(super) fn number(&mut self, type_name: Option<&[u8]>, name: &[u8]) -> Option<u32> {
        let Some(type_name) = type_name else { return self.number_of(false, name) };
        let type_name = text(type_name);
        let family = family_name(&type_name);
        self.see_type(&family, &type_name);
        let mut key = family.into_bytes();
        key.push(END_OF_TYPE);
        key.extend_from_slice(name);
        self.number_of(true, &key)
    }

    fn see_type(&mut self, family: &str, type_name: &str) {
        match self.types.get(family) {
            None => {
                self.types.insert(family.into(), type_name.into());
            }
            Some(known) if **known != *type_name && self.merged_types.is_none() => {
                self.merged_types = Some([known.clone(), type_name.into(), family.into()]);
            }
            Some(_) => {}
        }
    }

    fn number_of(&mut self, is_typed: bool, key: &[u8]) -> Option<u32> {
        let numbers = if is_typed { &self.typed } else { &self.plain };
        if let Some(&number) = numbers.get(key) {
            return Some(number);
        }
        let number = u32::try_from(self.plain.len() + self.typed.len()).ok()?;
        self.any_latin_1 |= std::str::from_utf8(parts(is_typed, key).1).is_err();
        let numbers = if is_typed { &mut self.typed } else { &mut self.plain };
        numbers.insert(key.into(), number);
        Some(number)
    }

    /// The numbers here of others, in their order; `None` if there are more than 2^32.
    pub(super) fn numbers_of(&mut self, others: Self) -> Option<Vec<u32>> {
        for (family, type_name) in &others.types {
            self.see_type(family, type_name);
        }
        if self.merged_types.is_none() {
            self.merged_types.clone_from(&others.merged_types);
        }
        others.in_order().iter().map(|key| self.number_of(key.is_typed, &key.bytes)).collect()
    }

    pub(super) fn count(&self) -> u64 {
        (self.plain.len() + self.typed.len()) as u64
    }

    /// Numbers and names of actors whose name stands for no value.
    pub(super) fn placeholders(&self) -> Vec<(u32, String)> {
        let plain = self.plain.iter().map(|(key, number)| (parts(false, key).1, *number));
        let typed = self.typed.iter().map(|(key, number)| (parts(true, key).1, *number));
        let all = plain.chain(typed);
        let such = all.filter(|(name, _)| is_placeholder(name.trim_ascii()));
        such.map(|(name, number)| (number, text(name).into_owned())).collect()
    }

    /// A name in scientific notation as spreadsheets write long numbers, `4.51E+15`: it may stand for many.
    pub(super) fn rounded(&self) -> Option<String> {
        let all =
            self.plain.keys().map(|key| parts(false, key).1).chain(self.typed.keys().map(|key| parts(true, key).1));
        let is_rounded = |name: &&[u8]| {
            let Some((digits, exponent)) = std::str::from_utf8(name).ok().and_then(|name| name.trim().split_once("E+"))
            else {
                return false;
            };
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let is_decimal = digits.split_once(['.', ',']).is_some_and(|(a, b)| is_number(a) && is_number(b));
            is_number(exponent) && (is_decimal || digits.len() == 1 && is_number(digits))
        };
        all.filter(is_rounded).min().map(|name| text(name).into_owned())
    }

    fn in_order(self) -> Vec<Key> {
        let of = |is_typed| move |(bytes, number): (Box<[u8]>, u32)| (number, Key { is_typed, bytes });
        let mut keys: Vec<_> =
            self.plain.into_iter().map(of(false)).chain(self.typed.into_iter().map(of(true))).collect();
        keys.sort_unstable_by_key(|(number, _)| *number);
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// The actors of the trace, by number; `type_name` is that of actors without one of their own.
    pub(super) fn into_named(self, rule: NameRule, type_name: &str) -> Vec<Named> {
        let secret: [u8; 16] = rand::random();
        let mut types: HashMap<Box<[u8]>, Arc<str>> = HashMap::new();
        let default: Arc<str> = type_name.into();
        let named = |key: Key| {
            let (own_type, name) = parts(key.is_typed, &key.bytes);
            let type_name = match own_type {
                Some(own) => Arc::clone(types.entry(own.into()).or_insert_with(|| text(own).into())),
                None => Arc::clone(&default),
            };
            let name = match rule {
                NameRule::Keep => text(name).into(),
                NameRule::Hash => hashed(name, &secret).into_boxed_str(),
            };
            Named { type_name, name }
        };
        self.in_order().into_iter().map(named).collect()
    }
}

fn parts(is_typed: bool, key: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = key.iter().position(|&byte| byte == END_OF_TYPE).filter(|_| is_typed);
    end.map_or((None, key), |end| (Some(&key[..end]), &key[end + 1..]))
}

/// A name as part of a column family's, without commas and the like: `purchase_order` for `Purchase Order`.
pub(crate) fn family_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
