//! Which machine is enough for how long: the rates of a machine over the size of its database, measured and modelled.

use crate::plan::forecast::{ModelError, ReadModel, SmallDatabase};
use crate::plan::outcome::SizeFindings;
use crate::report::{Basis, MachinePeriod, SizeRate};

/// Times at which machines are compared, over the time until the horizon.
const MOMENTS: u32 = 256;
/// Ratio of the bytes that a command writes on two databases up to which they are the same.
const SAME_WRITES: f64 = 1.1;
/// Points of the modelled curve.
const POINTS: u32 = 24;
/// How much larger than at the horizon the database is at most for which rates are modelled, and in how many steps: for
/// higher targets.
const BEYOND: f64 = 16.0;
const BEYOND_POINTS: u32 = 8;

/// The work of a command as the database grows.
pub(super) trait Work {
    /// Reads that go to the disk, by the size of the database and the memory for its blocks, bytes each. Never more with more
    /// memory.
    fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64;

    /// Bytes of the values that a command writes: the same at every size unless states grow.
    fn written_bytes(&self, database_bytes: f64) -> f64;
}

/// A machine whose rates on databases of several sizes are known.
pub(super) struct SizeModel<'a> {
    pub(super) work: &'a dyn Work,
    pub(super) writers: f64,
    /// Mean time of a random read of the disk with so many at once.
    pub(super) read_seconds: &'a dyn Fn(f64) -> f64,
    /// Of the objective.
    pub(super) limit_seconds: f64,
    /// Memory for blocks of the measured machine.
    pub(super) memory_bytes: f64,
    /// Ascending by size, at least one.
    pub(super) measured: &'a [SizeFindings],
    /// The rate that is sustained on the largest of them, as a multiple of the one that met the objective there once.
    pub(super) sustained_share: f64,
}

impl SizeModel<'_> {
    fn smallest(&self) -> &SizeFindings {
        &self.measured[0]
    }

    fn largest(&self) -> &SizeFindings {
        &self.measured[self.measured.len() - 1]
    }

    fn fitted_on(&self, one: &SizeFindings) -> Option<ReadModel> {
        ReadModel::fit(SmallDatabase {
            per_second: one.per_second,
            service_seconds: one.service_seconds,
            response_seconds: one.response_seconds,
            writers: self.writers,
            disk_reads_per_command: self.work.disk_reads(one.database_bytes as f64, self.memory_bytes),
        })
    }

    /// The highest rate that meets the objective with so much memory for blocks, from the largest database that was
    /// measured; never more than there.
    pub(super) fn rate(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        self.rate_of_reads(database_bytes, memory_bytes).min(self.rate_of_writes(database_bytes))
    }

    /// Commands take longer the more they write: a line through the smallest and the largest database that were measured, or
    /// in proportion where both write the same.
    pub(super) fn rate_of_writes(&self, database_bytes: f64) -> f64 {
        let (smallest, largest) = (self.smallest(), self.largest());
        let written = |one: &SizeFindings| self.work.written_bytes(one.database_bytes as f64);
        let [before, now, then] = [written(smallest), written(largest), self.work.written_bytes(database_bytes)];
        let slope = if now > SAME_WRITES * before {
            ((largest.service_seconds - smallest.service_seconds) / (now - before)).max(0.0)
        } else {
            largest.service_seconds / now.max(1.0)
        };
        let slower = 1.0 + slope * (then - now).max(0.0) / largest.service_seconds.max(f64::MIN_POSITIVE);
        self.sustained_share * largest.per_second / slower
    }

    fn rate_of_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        let largest = self.largest();
        let reads = self.work.disk_reads(database_bytes, memory_bytes);
        if reads <= self.work.disk_reads(largest.database_bytes as f64, self.memory_bytes) {
            return self.sustained_share * largest.per_second;
        }
        let found =
            self.fitted_on(largest).and_then(|model| model.highest_rate(self.limit_seconds, reads, self.read_seconds));
        self.sustained_share * found.map_or(0.0, |found| found.per_second)
    }

    /// How far the predictions from the smallest database are off at the others, at most; `None` if there are no others, or
    /// the smallest carries no model.
    pub(super) fn error(&self) -> Option<ModelError> {
        let model = self.fitted_on(self.smallest())?;
        let errors = self.measured[1..].iter().filter_map(|one| {
            let reads = self.work.disk_reads(one.database_bytes as f64, self.memory_bytes);
            let response = model.at_rate(one.per_second, reads, self.read_seconds).map(|at| at.response_seconds);
            let rate = model.highest_rate(self.limit_seconds, reads, self.read_seconds)?.per_second;
            Some(ModelError::new([response.unwrap_or(f64::INFINITY), one.response_seconds], [rate, one.per_second]))
        });
        errors.max_by(|a, b| a.rate.abs().total_cmp(&b.rate.abs()))
    }

    /// What was measured, and the model from there to a database of `end_bytes`.
    pub(super) fn points(&self, end_bytes: f64) -> Vec<SizeRate> {
        let point = |database_bytes, per_second, basis| self.point(database_bytes, per_second, basis);
        let known = self
            .measured
            .iter()
            .map(|one| point(one.database_bytes as f64, self.sustained_share * one.per_second, Basis::Measured));
        let from = self.largest().database_bytes.max(1) as f64;
        let ratio = (end_bytes / from).max(1.0);
        let steps = if ratio > 1.0 { POINTS } else { 0 };
        let beyond = (1..=steps).map(|step| {
            let database_bytes = from * ratio.powf(f64::from(step) / f64::from(POINTS));
            point(database_bytes, self.rate(database_bytes, self.memory_bytes), Basis::Modelled)
        });
        known.chain(beyond).collect()
    }

    /// Rates on databases that are larger than these bytes.
    pub(super) fn beyond(&self, bytes: f64) -> Vec<SizeRate> {
        let size = |step: u32| bytes * BEYOND.powf(f64::from(step) / f64::from(BEYOND_POINTS));
        let larger = (1..=BEYOND_POINTS).map(size).filter(|&bytes| bytes > self.largest().database_bytes as f64);
        larger.map(|bytes| self.point(bytes, self.rate(bytes, self.memory_bytes), Basis::Modelled)).collect()
    }

    fn point(&self, database_bytes: f64, per_second: f64, basis: Basis) -> SizeRate {
        let disk_reads_per_command = self.work.disk_reads(database_bytes, self.memory_bytes);
        SizeRate { database_bytes, basis, per_second, disk_reads_per_command }
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
        let size = size_at(at_days).max(model.smallest().database_bytes as f64);
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

    impl Work for Uniform {
        fn written_bytes(&self, _database_bytes: f64) -> f64 {
            500.0
        }

        fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
            (1.0 - memory_bytes / database_bytes).max(0.0)
        }
    }

    /// The end of a log alone is read: it fits.
    struct Tail;

    impl Work for Tail {
        fn written_bytes(&self, _database_bytes: f64) -> f64 {
            500.0
        }

        fn disk_reads(&self, _database_bytes: f64, _memory_bytes: f64) -> f64 {
            0.0
        }
    }

    /// 0.1 ms per command without reads, and 0.3 ms for each read.
    fn size(gib: f64, per_second: f64) -> SizeFindings {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive size")]
        let database_bytes = (gib * GIB) as u64;
        SizeFindings { database_bytes, per_second, service_seconds: 0.0001, response_seconds: 0.001 }
    }

    fn model<'a>(work: &'a dyn Work, measured: &'a [SizeFindings]) -> SizeModel<'a> {
        SizeModel {
            work,
            writers: 2.0,
            read_seconds: &|_| 0.0003,
            limit_seconds: 0.01,
            memory_bytes: 0.5 * GIB,
            measured,
            sustained_share: 1.0,
        }
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
        let required = model.rate(GIB, 0.5 * GIB);
        assert!(required > 1_000.0 && required < 8_000.0, "half of a read goes to the disk: {required}");
        let found = periods_of(&model, required);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, [Some("nano"), Some("small"), None]);
        assert!((found[0].1 - 1.0).abs() < 0.1, "a GiB is there after a day: {found:?}");
        assert!((found[1].1 - 4.0).abs() < 0.1, "as large in proportion to its memory: {found:?}");
        assert!((found[2].1 - 8.0).abs() < 1e-9, "the last period ends at the horizon");
    }

    #[test]
    fn where_the_end_of_the_log_alone_is_read_one_machine_is_enough_for_ever() {
        let measured = [size(0.25, 10_000.0), size(2.0, 9_900.0)];
        let model = model(&Tail, &measured);
        assert_eq!(periods_of(&model, 5_000.0), [(Some("nano".to_owned()), 8.0)]);
        assert!(model.error().unwrap().rate.abs() < 0.02);
    }

    /// A register with an entry for everything that was stored, written with every command.
    struct Register;

    impl Work for Register {
        fn written_bytes(&self, database_bytes: f64) -> f64 {
            500.0 + database_bytes / 1e4
        }

        fn disk_reads(&self, _database_bytes: f64, _memory_bytes: f64) -> f64 {
            0.0
        }
    }

    #[test]
    fn a_state_that_grows_ends_what_a_machine_sustains() {
        // Twice the service time at twice the bytes: half of the rate on a database that makes commands write twice as much again.
        let slow = SizeFindings { service_seconds: 0.0002, ..size(0.5, 5_000.0) };
        let measured = [size(0.25, 10_000.0), slow];
        let model = model(&Register, &measured);
        let written = |gib: f64| Register.written_bytes(gib * GIB);
        let slope = 0.0001 / (written(0.5) - written(0.25));
        let expected = 5_000.0 / (1.0 + slope * (written(4.0) - written(0.5)) / 0.0002);
        assert!((model.rate(4.0 * GIB, 0.5 * GIB) / expected - 1.0).abs() < 1e-9);
        assert!((model.rate(4.0 * GIB, 8.0 * GIB) / expected - 1.0).abs() < 1e-9, "memory does not help");
        let found = periods_of(&model, expected);
        assert_eq!(found[0].0.as_deref(), Some("nano"));
        assert!(found.len() == 2 && found[1].0.is_none() && (found[0].1 - 4.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn the_error_is_that_at_the_sizes_it_was_not_fitted_on() {
        let smallest = size(0.25, 10_000.0);
        let truth = |gib: f64| {
            let measured = [smallest];
            let per_second = model(&Uniform, &measured).rate(gib * GIB, 0.5 * GIB);
            SizeFindings { per_second, ..size(gib, per_second) }
        };
        let exact = [smallest, truth(1.0), truth(4.0)];
        assert!(model(&Uniform, &exact).error().unwrap().rate.abs() < 1e-6);
        let slower = SizeFindings { per_second: truth(4.0).per_second / 1.5, ..truth(4.0) };
        let off = [smallest, truth(1.0), slower];
        assert!((model(&Uniform, &off).error().unwrap().rate - 0.5).abs() < 1e-6);
        assert_eq!(model(&Uniform, &off[..1]).error(), None);
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
