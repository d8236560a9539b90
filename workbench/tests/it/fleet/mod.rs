//! Reports of many hosts, and what is deployed to them.

mod deployment;
mod merging;
mod sharding;
