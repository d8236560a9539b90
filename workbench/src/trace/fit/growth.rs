//! States that grow, with the events of their actor or with other actors.

use std::io;

use crate::trace::builder::Trace;
use ave_actors_rocksdb::trace::OpKind;

/// Share of the variance of the sizes that the events of the actor have to explain.
const EXPLAINED: f64 = 0.9;
/// Growth from the first to the last state, as a share of the mean size, below which a state counts as constant.
const LEAST_GROWTH: f64 = 0.3;
const LEAST_STATES: f64 = 20.0;

/// A line through the sizes of the states of a trace over the events that their actors had, or over what else they grow with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// Size without any, bytes, as stored.
    pub(super) base_bytes: f64,
    /// Bytes for each.
    pub(super) each_bytes: f64,
    /// Share of the variance of the sizes that the line explains.
    pub(super) explained_ratio: f64,
}

/// A state of a single actor that grows with the actors of a group which have events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Register {
    /// Number of the group.
    pub(super) of: usize,
    /// With each of its actors.
    pub(super) growth: Growth,
}

/// The growth of the states, if they grow with the events of their actors.
pub(super) fn growth(trace: &Trace) -> io::Result<Option<Growth>> {
    let mut events = vec![0.0; trace.actors().len()];
    let mut line = Line::default();
    trace.for_each_command(|command, ops| {
        let known = &mut events[command.actor as usize];
        for op in ops {
            match op.kind {
                OpKind::EventsPut => *known = op.number as f64 + 1.0,
                OpKind::EventsPurge => *known = 0.0,
                OpKind::StatesPut => line.add(*known, op.bytes.into()),
                _ => {}
            }
        }
    })?;
    Ok(line.growth())
}

/// Least squares.
#[derive(Debug, Default)]
pub(super) struct Line {
    count: f64,
    /// Means, and sums of the products of the deviations from them.
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
    most: f64,
    least: Option<f64>,
}

impl Line {
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let from_mean = [x - self.x, y - self.y];
        self.x += from_mean[0] / self.count;
        self.y += from_mean[1] / self.count;
        self.xx += from_mean[0] * (x - self.x);
        self.yy += from_mean[1] * (y - self.y);
        self.xy += from_mean[0] * (y - self.y);
        self.most = self.most.max(x);
        self.least = Some(self.least.map_or(x, |least| least.min(x)));
    }

    /// The growth of `y` with `x`, if it is one.
    pub(super) fn growth(&self) -> Option<Growth> {
        let slope = self.xy / self.xx;
        let explained_ratio = slope * self.xy / self.yy;
        let grown = slope * (self.most - self.least?);
        let is_found = self.count >= LEAST_STATES && explained_ratio >= EXPLAINED && grown >= LEAST_GROWTH * self.y;
        is_found.then(|| Growth { base_bytes: (self.y - slope * self.x).max(0.0), each_bytes: slope, explained_ratio })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sizes: impl Fn(u32) -> f64) -> Option<Growth> {
        let mut line = Line::default();
        (1..=200).for_each(|event| line.add(f64::from(event), sizes(event)));
        line.growth()
    }

    #[test]
    fn a_register_grows_by_an_entry_per_event() {
        let found = line(|event| 70.0 + 37.0 * f64::from(event)).unwrap();
        assert!((found.each_bytes - 37.0).abs() < 1e-6 && (found.base_bytes - 70.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn states_that_vary_or_stay_do_not_grow() {
        assert_eq!(line(|_| 500.0), None);
        assert_eq!(line(|event| f64::from(event * 7919 % 503)), None);
        assert_eq!(line(|event| 10_000.0 + f64::from(event)), None);
        assert_eq!(line(|event| f64::from(event.min(20)) * 100.0), None);
    }
}
