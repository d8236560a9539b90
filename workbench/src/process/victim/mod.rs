//! The process that the crash check kills: this program under a hidden command.

mod client;
mod protocol;
mod server;

pub(crate) use client::OwnProgram;
pub(crate) use server::run;
