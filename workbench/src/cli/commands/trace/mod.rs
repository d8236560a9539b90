//! The subcommands of `trace`.

mod export;
mod fit;
mod generate;
mod import;
mod info;
mod read;

pub(crate) use export::export;
pub(crate) use fit::fit;
pub(crate) use generate::generate;
pub(crate) use import::import;
pub(crate) use info::info;
