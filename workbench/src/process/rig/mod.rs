//! A rig that is a child process within the limits of a machine: this program under a hidden command, in a control group.
//!
//! The child reads its task from standard input before it allocates memory, so that all of it is counted. Its standard
//! input stays open until it has to end.

mod client;
mod protocol;
mod server;

pub(crate) use client::ProcessTestbed;
pub(crate) use server::run;
