//! Reuse distances and the miss curve of a cache: how many reads a cache of a given size leaves to the disk.
//!
//! Pure: knows items by a hash and a size in bytes, not where they are stored.

mod curve;
mod sampler;
mod stack;

pub(crate) use curve::MissCurve;
pub(crate) use sampler::ReuseSampler;
