//! An observer that passes progress on to another one, and to the figures.

use std::time::Duration;

use super::server::MetricsServer;
use crate::actor::Durability;
use crate::load::{EngineCounters, Observer, Phase, Stage, StageTime};
use crate::measure::Snapshot;

pub(crate) struct MeteredObserver<'a> {
    inner: &'a dyn Observer,
    server: Option<&'a MetricsServer>,
}

impl<'a> MeteredObserver<'a> {
    /// Without a server it passes everything on to `inner` alone.
    pub(crate) fn new(inner: &'a dyn Observer, server: Option<&'a MetricsServer>) -> Self {
        Self { inner, server }
    }
}

impl Observer for MeteredObserver<'_> {
    fn phase(&self, durability: Durability, phase: Phase, total: Option<u64>) {
        self.inner.phase(durability, phase, total);
        if let Some(server) = self.server {
            server.figures().phase(durability, phase, total);
        }
    }

    fn progress(&self, done: u64, commands: u64) {
        self.inner.progress(done, commands);
        if let Some(server) = self.server {
            server.figures().progress(done, commands);
        }
    }

    fn latency(&self, p99_ns: u64) {
        self.inner.latency(p99_ns);
        if let Some(server) = self.server {
            server.figures().latency(p99_ns);
        }
    }

    fn resources(&self, process: &Snapshot, engine: Option<EngineCounters>) {
        self.inner.resources(process, engine);
        if let Some(server) = self.server {
            server.figures().resources(process, engine);
        }
    }

    fn round(&self, round: u32, of: u32) {
        self.inner.round(round, of);
        if let Some(server) = self.server {
            server.figures().round(round, of);
        }
    }

    fn expect_stages(&self, stages: &[StageTime]) {
        self.inner.expect_stages(stages);
    }

    fn expect_only(&self, stages: &[StageTime]) {
        self.inner.expect_only(stages);
    }

    fn expect_later(&self, time: Duration) {
        self.inner.expect_later(time);
    }

    fn stage(&self, stage: Stage, name: &str) {
        self.inner.stage(stage, name);
    }

    fn note(&self, text: &str) {
        self.inner.note(text);
    }
}
