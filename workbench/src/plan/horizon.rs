//! Which machine is enough for how long.
//!
//! A command takes what it took on a database that fits into memory, and the time of each of its reads that go to the disk:
//!
//! `ceiling(D, M) = w / (w / ceiling(D₀, M₀) + t · (reads(D, M) - reads(D₀, M₀)))`
//!
//! with `w` writers, `t` the time of a random read of this disk at that concurrency, and `reads(D, M)` the reads per command
//! that `M` bytes of memory leave to the disk on a database of `D` bytes. The rate that meets the objective falls in
//! proportion to the ceiling. This holds as long as neither the CPU time of a read nor the disk's bandwidth binds first.

use crate::report::{Basis, MachinePeriod, SizeRate};

/// Times at which machines are compared, over the time until the horizon.
const MOMENTS: u32 = 256;
/// Points of the modelled curve.
const POINTS: u32 = 24;
/// A machine with more memory is not taken to be faster than so many times the measured one.
const MOST_SPEED_UP: f64 = 2.0;

/// Reads per command that go to the disk, by the size of the database and the memory for its blocks, bytes each.
pub(super) trait DiskReads {
    /// Never more with more memory.
    fn per_command(&self, database_bytes: f64, memory_bytes: f64) -> f64;
}

/// Rates that were measured on a database of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MeasuredSize {
    /// Size when it was opened.
    pub(super) database_bytes: f64,
    /// Of the closed loop, commands per second.
    pub(super) ceiling_per_second: f64,
    /// The highest rate that met the objective, commands per second.
    pub(super) rate_per_second: f64,
}

/// A machine whose rates on databases of several sizes are known.
pub(super) struct SizeModel<'a> {
    pub(super) reads: &'a dyn DiskReads,
    pub(super) writers: f64,
    /// Time of a random read of the disk with so many at once.
    pub(super) read_seconds: f64,
    /// Memory for blocks of the measured machine.
    pub(super) memory_bytes: f64,
    /// Ascending by size, at least one.
    pub(super) measured: &'a [MeasuredSize],
}

impl SizeModel<'_> {
    fn smallest(&self) -> &MeasuredSize {
        &self.measured[0]
    }

    fn largest(&self) -> &MeasuredSize {
        &self.measured[self.measured.len() - 1]
    }

    /// The rate on a database and a machine with so much memory for its blocks, from what was measured at `from`.
    fn rate_from(&self, from: &MeasuredSize, database_bytes: f64, memory_bytes: f64) -> f64 {
        let more_reads = self.reads.per_command(database_bytes, memory_bytes)
            - self.reads.per_command(from.database_bytes, self.memory_bytes);
        let known = self.writers / from.ceiling_per_second;
        let seconds = (known + more_reads * self.read_seconds).max(known / MOST_SPEED_UP);
        from.rate_per_second * known / seconds
    }

    /// The rate on a database of this size, from the largest that was measured.
    pub(super) fn rate(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        self.rate_from(self.largest(), database_bytes, memory_bytes)
    }

    /// How far the prediction from the smallest database is off at the others, at most, percent; `None` if there are no
    /// others.
    pub(super) fn error_percent(&self) -> Option<f64> {
        let smallest = self.smallest();
        let errors = self.measured[1..].iter().map(|one| {
            let predicted = self.rate_from(smallest, one.database_bytes, self.memory_bytes);
            100.0 * (predicted / one.rate_per_second - 1.0).abs()
        });
        errors.reduce(f64::max)
    }

    /// What was measured, and the model from there to a database of `end_bytes`.
    pub(super) fn points(&self, end_bytes: f64) -> Vec<SizeRate> {
        let point = |database_bytes, per_second, basis| SizeRate {
            database_bytes,
            basis,
            per_second,
            disk_reads_per_command: self.reads.per_command(database_bytes, self.memory_bytes),
        };
        let known = self.measured.iter().map(|one| point(one.database_bytes, one.rate_per_second, Basis::Measured));
        let from = self.largest().database_bytes.max(1.0);
        let ratio = (end_bytes / from).max(1.0);
        let steps = if ratio > 1.0 { POINTS } else { 0 };
        let beyond = (1..=steps).map(|step| {
            let database_bytes = from * ratio.powf(f64::from(step) / f64::from(POINTS));
            point(database_bytes, self.rate(database_bytes, self.memory_bytes), Basis::Modelled)
        });
        known.chain(beyond).collect()
    }
}

/// A machine that may be bought: its name, and its memory for blocks.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) memory_bytes: f64,
}

/// The smallest machine for every time until `days`. `candidates` are the measured machine and those with at least its
/// cores and memory, smallest first; `size_at` is the size of the database after so many days, and `date` a date in words.
pub(super) fn periods(
    model: &SizeModel<'_>,
    candidates: &[Candidate<'_>],
    required_per_second: f64,
    days: f64,
    size_at: impl Fn(f64) -> f64,
    date: impl Fn(f64) -> Option<String>,
) -> Vec<MachinePeriod> {
    let enough = |at_days: f64| {
        let size = size_at(at_days).max(model.smallest().database_bytes);
        let holds = |one: &&Candidate<'_>| model.rate(size, one.memory_bytes) >= required_per_second;
        candidates.iter().find(holds).map(|one| one.name.to_owned())
    };
    let mut periods: Vec<MachinePeriod> = Vec::new();
    for moment in 0..=MOMENTS {
        let at_days = days * f64::from(moment) / f64::from(MOMENTS);
        let profile = enough(at_days);
        match periods.last_mut() {
            Some(last) if last.profile == profile => last.until_days = at_days,
            last => {
                if let Some(last) = last {
                    last.until_days = at_days;
                }
                periods.push(MachinePeriod { profile, from_days: at_days, until_days: at_days, until: None });
            }
        }
    }
    for period in &mut periods {
        period.until = date(period.until_days);
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: f64 = 1_073_741_824.0;

    /// Every command reads a block of the whole database at random: what memory does not hold is read from the disk.
    struct Uniform;

    impl DiskReads for Uniform {
        fn per_command(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
            (1.0 - memory_bytes / database_bytes).max(0.0)
        }
    }

    /// The end of a log alone is read: it fits.
    struct Tail;

    impl DiskReads for Tail {
        fn per_command(&self, _database_bytes: f64, _memory_bytes: f64) -> f64 {
            0.0
        }
    }

    fn size(gib: f64, per_second: f64) -> MeasuredSize {
        let database_bytes = gib * GIB;
        MeasuredSize { database_bytes, ceiling_per_second: 2.0 * per_second, rate_per_second: per_second }
    }

    fn model<'a>(reads: &'a dyn DiskReads, measured: &'a [MeasuredSize]) -> SizeModel<'a> {
        SizeModel { reads, writers: 2.0, read_seconds: 0.0003, memory_bytes: 0.5 * GIB, measured }
    }

    const CANDIDATES: [Candidate<'static>; 2] =
        [Candidate { name: "nano", memory_bytes: 0.5 * GIB }, Candidate { name: "small", memory_bytes: 2.0 * GIB }];

    /// One GiB a day.
    fn periods_of(model: &SizeModel<'_>, required: f64) -> Vec<(Option<String>, f64)> {
        let found = periods(model, &CANDIDATES, required, 8.0, |days| days * GIB, |_| None);
        found.into_iter().map(|period| (period.profile, period.until_days)).collect()
    }

    #[test]
    fn a_database_that_is_read_everywhere_needs_the_next_machine_and_then_has_none() {
        let measured = [size(0.25, 10_000.0)];
        let model = model(&Uniform, &measured);
        // 0.1 ms without reads, 0.3 ms more with each: half of the rate where a third of a read goes to the disk.
        let half = model.rate(0.75 * GIB, 0.5 * GIB);
        assert!((half / 5_000.0 - 1.0).abs() < 1e-9, "{half}");
        let found = periods_of(&model, 5_000.0);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, [Some("nano"), Some("small"), None]);
        assert!((found[0].1 - 0.75).abs() < 0.1 && (found[1].1 - 3.0).abs() < 0.1, "{found:?}");
        assert!((found[2].1 - 8.0).abs() < 1e-9, "the last period ends at the horizon");
    }

    #[test]
    fn where_the_end_of_the_log_alone_is_read_one_machine_is_enough_for_ever() {
        let measured = [size(0.25, 10_000.0), size(2.0, 9_900.0)];
        let model = model(&Tail, &measured);
        assert_eq!(periods_of(&model, 5_000.0), [(Some("nano".to_owned()), 8.0)]);
        assert!(model.error_percent().unwrap() < 2.0);
    }

    #[test]
    fn the_error_is_that_at_the_sizes_it_was_not_fitted_on() {
        let truth = |gib: f64| {
            let measured = [size(0.25, 10_000.0)];
            model(&Uniform, &measured).rate(gib * GIB, 0.5 * GIB)
        };
        let exact = [size(0.25, 10_000.0), size(1.0, truth(1.0)), size(4.0, truth(4.0))];
        assert!(model(&Uniform, &exact).error_percent().unwrap() < 1e-6);
        let off = [size(0.25, 10_000.0), size(1.0, truth(1.0)), size(4.0, truth(4.0) / 1.5)];
        assert!((model(&Uniform, &off).error_percent().unwrap() - 50.0).abs() < 1e-6);
        assert_eq!(model(&Uniform, &off[..1]).error_percent(), None);
    }

    #[test]
    fn more_memory_never_lowers_a_rate_and_a_larger_database_never_raises_it() {
        let measured = [size(0.25, 10_000.0)];
        let model = model(&Uniform, &measured);
        for gib in [0.25, 0.5, 1.0, 3.0, 100.0] {
            assert!(model.rate(gib * GIB, 2.0 * GIB) >= model.rate(gib * GIB, 0.5 * GIB));
            assert!(model.rate(gib * GIB, 0.5 * GIB) >= model.rate(2.0 * gib * GIB, 0.5 * GIB));
        }
    }
}
