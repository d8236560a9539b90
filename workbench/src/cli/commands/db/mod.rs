//! `db`: one file per command.

pub(crate) mod backup;
pub(crate) mod info;
mod operation;
pub(crate) mod restore;
pub(crate) mod verify;
