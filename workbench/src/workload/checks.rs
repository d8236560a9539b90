//! Checks of single figures while a workload file is read, so that an error points at its line.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};

use super::distribution::{SizeDistribution, checked as sizes};

/// Highest weight: sums of them are finite, and their shares exact enough.
pub(super) const MOST_WEIGHT: f64 = 1e12;

/// Bytes by which a state may grow with an event or an actor.
const ENTRY_BYTES: RangeInclusive<f64> = 0.0..=1_048_576.0;

/// A default that is a whole number.
pub(super) fn whole<const N: u8, T: From<u8>>() -> T {
    N.into()
}

pub(super) const fn default_compressibility() -> f64 {
    0.5
}

/// Reads and checks a value.
pub(super) fn checked<'de, D, T>(deserializer: D, is_valid: impl Fn(&T) -> bool, expected: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let value = T::deserialize(deserializer)?;
    if is_valid(&value) { Ok(value) } else { Err(serde::de::Error::custom(format!("expected {expected}"))) }
}

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let fits = |name: &String| {
        !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    checked(deserializer, fits, "a name of 1 to 64 letters, digits, `-` or `_`")
}

pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, |share| (0.0..=1.0).contains(share), "a share from 0 to 1")
}

pub(super) fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, |weight: &f64| *weight > 0.0 && *weight <= MOST_WEIGHT, "a weight above 0, at most 10^12")
}

pub(super) fn growth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    checked(deserializer, |bytes| ENTRY_BYTES.contains(bytes), "0 to 1048576 bytes per event")
}

/// By the name of a population.
pub(super) fn bytes_per_actor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let fits = |all: &BTreeMap<String, f64>| all.values().all(|bytes| ENTRY_BYTES.contains(bytes));
    checked(deserializer, fits, "0 to 1048576 bytes per actor of a population, such as `{ customer = 120 }`")
}

/// A whole number in a range, both ends included.
pub(super) fn within<'de, const LEAST: u64, const MOST: u64, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Copy + TryInto<u64>,
{
    let fits = |&value: &T| value.try_into().is_ok_and(|value| (LEAST..=MOST).contains(&value));
    checked(deserializer, fits, &format!("a whole number from {LEAST} to {MOST}"))
}

pub(super) fn some_sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SizeDistribution>, D::Error> {
    sizes(deserializer).map(Some)
}

pub(super) fn some_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    share(deserializer).map(Some)
}

pub(super) fn some_growth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    growth(deserializer).map(Some)
}
