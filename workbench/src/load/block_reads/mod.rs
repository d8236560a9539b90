//! How many blocks of the database each command reads, and how many of these reads a cache of a given size serves.
//!
//! Found from the commands alone: no database is opened. Knows how the backend lays entries out in blocks, not how long a
//! read takes.

mod access;
mod curve;
mod geometry;
mod layout;

pub use curve::{BlockReads, Knee, ReadCurve, ReadPoint};
pub use geometry::BlockGeometry;
