//! Machines that can be bought: names, sizes, disks and prices, from a file that a person or a program writes.
//!
//! TOML and CSV become the same rows, whose fields are then checked one by one, so that an error names the
//! line and the field in both. This module knows nothing of workloads, rates or plans.

mod disk;
mod error;
mod file;
mod price;
mod quantity;
mod rows;
mod shipped;

pub use disk::DiskFigures;
pub use error::CatalogueError;
pub use file::{Catalogue, CatalogueMachine};
pub use price::{HOURS_PER_MONTH, Price};
pub(crate) use quantity::{CORES, millicores, ram_mib};
