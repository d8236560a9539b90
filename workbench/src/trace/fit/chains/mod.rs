//! Chains: the commands of several actors that one request of a user causes.
//!
//! A trace does not say which commands belong together. Actors of one name in several types are one subject, as a request
//! manager and the ledger that it manages are. The commands of a subject follow each other within a request and pause between
//! requests, so the pauses cut them into chains; most chains are one of a few. Commands of actors that all subjects share are
//! given to the place of a chain after which they follow sooner than by chance.

mod cuts;
mod find;
mod shared;
mod subjects;

pub(super) use find::{Chain, Chains, chains};
