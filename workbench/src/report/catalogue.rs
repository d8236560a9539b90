//! The part of a plan that says where its machines come from: sizes, disks and prices.

use super::forecast::{Disk, DiskOrigin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The catalogue of `--machines`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueInfo {
    /// The file, or the name of a shipped one.
    pub origin: String,
    /// Currency of all prices, three letters of ISO 4217; absent if no machine has a price.
    pub currency: Option<String>,
    /// The oldest day on which a price was valid (`2026-11-28`).
    pub prices_on: Option<String>,
    /// In the order of the file.
    pub machines: Vec<CatalogueEntry>,
}

/// A machine of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// Its name: the `profile` of its evidence.
    pub profile: String,
    /// CPU time in thousandths of a core: 500 for half a core.
    pub cpu_millicores_count: u64,
    /// Its RAM.
    pub ram_bytes: u64,
    /// Price per month of 730 hours, in the currency of the catalogue; absent if it is not known.
    pub price_per_month: Option<f64>,
    /// The day of the price.
    pub price_on: Option<String>,
    /// Size of its disk.
    pub disk_bytes: Option<u64>,
    /// Time of a 4 KiB write with `fdatasync`.
    pub disk_sync_ns: Option<f64>,
    /// Writes per second at most.
    pub disk_writes_per_second: Option<f64>,
    /// Bytes written per second at most.
    pub disk_bytes_per_second: Option<f64>,
}

impl CatalogueInfo {
    /// What is preferred of machines that are enough: the `cheapest` by a catalogue with prices, else the `smallest`.
    pub(crate) fn preference(catalogue: Option<&Self>) -> &'static str {
        match catalogue.and_then(|catalogue| catalogue.currency.as_ref()) {
            Some(_) => "cheapest",
            None => "smallest",
        }
    }

    /// The smallest disk that it gives one of these machines; `None` if it gives none.
    pub(crate) fn least_disk<'a>(&self, profiles: impl Iterator<Item = &'a str>) -> Option<Disk> {
        let bytes = profiles.filter_map(|name| self.entry(name)?.disk_bytes).min()?;
        Some(Disk { bytes, origin: DiskOrigin::Machine })
    }

    pub(crate) fn entry(&self, profile: &str) -> Option<&CatalogueEntry> {
        self.machines.iter().find(|one| one.profile == profile)
    }
}

/// What a machine costs at the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineCost {
    /// Three letters of ISO 4217.
    pub currency: String,
    /// Per month of 730 hours.
    pub per_month: f64,
    /// Per million commands, at the target all month.
    pub per_million_commands: f64,
    /// The day on which the price was valid (`2026-11-28`).
    pub price_on: String,
}
