//! Live figures of a measurement for Prometheus (`--metrics`).
//!
//! They are those that the progress shows: the thread that watches a load passes them on, and a thread of its own answers
//! scrapes. No writer knows of them.

mod figures;
mod observer;
mod server;

pub(crate) use observer::MeteredObserver;
pub(crate) use server::MetricsServer;
