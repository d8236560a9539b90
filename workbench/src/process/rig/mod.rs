//! A rig that is a child process within the limits of a machine: this program under a hidden command, in a control group.
//!
//! The child reads its task from standard input before it allocates memory, so that all of it is counted. Its standard
//! input stays open until it has to end.
//!
//! The database and the handles of the actors have the machine's RAM. The workbench has what it needs beside it: the child
//! measures that and [raises its limit](crate::host::MachineMemory) by it, and lifts the limit for inventories, copies of
//! actors and verifications. A restart is measured in a process of its own.

mod client;
mod protocol;
mod server;

pub(crate) use client::ProcessTestbed;
pub(crate) use server::run;
