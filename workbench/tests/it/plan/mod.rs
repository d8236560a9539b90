//! Plans: search, evidence, answers, forecasts.

mod answers;
mod costs;
mod forecasting;
pub(crate) mod planning;
