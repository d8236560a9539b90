//! Workers: threads that issue the commands of their share of the actors.

mod acknowledging;
mod recovering;
mod worker;

pub(super) use recovering::RestartActor;
pub(super) use worker::{Shared, Worker, mark};
