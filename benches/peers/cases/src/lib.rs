//! What the backends are measured with: the cases, generic over the traits of `ave-actors-store`.
//!
//! A *case* is one kind of work. A server binary runs one case against one backend in a fresh process and prints an
//! [`Outcome`] as a line of JSON; the driver runs the same case against several, in turn, and compares. This crate
//! knows no RocksDB: what it measures comes in through [`Peer`].

pub mod cases;
pub mod catalog;
pub mod data;
pub mod host;
pub mod measure;
pub mod outcome;
mod peer;
pub mod server;

pub use catalog::{Case, Figure};
pub use outcome::Outcome;
pub use peer::{MACHINE, Peer, Run, Scale};
