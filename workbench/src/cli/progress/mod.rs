//! Progress of what takes time: a bar on a terminal, elsewhere a line per phase and one every ten seconds.

mod activity;
mod bar;
mod certify;
mod database;
mod import;
mod line;
mod measurement;
mod run_stages;
mod time_left;

pub(crate) use certify::CertifyProgress;
pub(crate) use database::DatabaseProgress;
pub(crate) use import::ImportProgress;
pub(crate) use measurement::MeasurementProgress;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
