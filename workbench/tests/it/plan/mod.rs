//! Plans: search, evidence, answers, forecasts.

mod answers;
mod forecasting;
pub(crate) mod planning;
