//! Which machine is enough for how long: the rates of a machine over the size of its database, measured and modelled.
//!
//! As fast as the writers go, a command takes `1 / ceiling`. That time is a line over what a larger database adds to the work:
//!
//! `time = time on the largest + slope × (work − work on the largest)`
//!
//! The work is the blocks that the block cache does not have, which are read from the page cache, plus those that the page cache does
//! not have either, which are read from the disk. Where states grow with the events of their actor it is the bytes of the values
//! that a command writes. What a read from the disk adds is measured on the largest database, by closed loops that begin with a cold
//! page cache: they read more bytes and take longer. What a block from the page cache adds is the rest of the difference between the
//! smallest and the largest database, and no more than one from the disk; what lies between tells the error. With one size alone it
//! is as much as one from the disk.
//!
//! The machine sustains the share of the ceiling that it sustained on the largest database. A response time there is the time in a
//! queue of commands, and the rest of stalls: flushes, compactions, syncs. If commands take `f` times as long, so does the queue at the
//! same utilisation; stalls do not. The queue's part is at most what the median makes of the percentile if response times are
//! distributed exponentially, as in M/M/1. Where the objective would then be missed, the share is smaller: between the response time at
//! the target, where writers hardly wait, and that at the share the response time is taken for a line.

use crate::measure::Percentile;
use crate::plan::limits::highest;
use crate::plan::outcome::{ResponseTimes, SizeFindings};
use crate::report::{Basis, MachinePeriod, ModelErrorInfo, SizeRate};

/// Times at which machines are compared, over the time until the horizon.
const MOMENTS: u32 = 256;
/// Ratio of the bytes that a command writes on two databases up to which they are the same.
const SAME_WRITES: f64 = 1.1;
/// Blocks per command by which two databases differ at least if they tell what a block adds.
const LEAST_LOADS: f64 = 0.01;
/// Points of the modelled curve.
const POINTS: u32 = 24;
/// How much larger than at the horizon the database is at most for which rates are modelled: for higher targets.
const BEYOND: f64 = 16.0;
/// Ratio of the sizes of neighbours there.
const BEYOND_STEP: f64 = std::f64::consts::SQRT_2;

/// The work of a command as the database grows.
pub(super) trait Work {
    /// Reads that go to the disk, by the size of the database and the memory for its blocks, bytes each. Never more with more
    /// memory.
    fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64;

    /// Blocks that the block cache of the measured machine does not have, whether the page cache has them or not.
    fn block_loads(&self, database_bytes: f64) -> f64;

    /// Bytes of the values that a command writes: the same at every size unless states grow.
    fn written_bytes(&self, database_bytes: f64) -> f64;
}

/// What was measured of a machine on databases of several sizes.
pub(super) struct MeasuredSizes<'a> {
    pub(super) work: &'a dyn Work,
    /// What a read from the disk adds to the time of a command, seconds.
    pub(super) read_seconds: f64,
    /// Of the objective.
    pub(super) limit_seconds: f64,
    /// Of the objective.
    pub(super) percentile: Percentile,
    /// Memory for blocks of the measured machine.
    pub(super) memory_bytes: f64,
    /// Ascending by size.
    pub(super) sizes: &'a [SizeFindings],
    /// The same of the machine in the other durability mode: they tell what reads add if this mode was measured at one size.
    pub(super) other_mode: &'a [SizeFindings],
    /// The rate that is sustained on the largest.
    pub(super) sustained_per_second: f64,
    /// The response times there at the target, if known.
    pub(super) at_target: Option<ResponseTimes>,
}

impl<'a> MeasuredSizes<'a> {
    /// The line through the smallest and the largest; `None` if there are none.
    pub(super) fn fit(self) -> Option<SizeModel<'a>> {
        let (smallest, largest) = (self.sizes.first()?, self.sizes.last()?);
        let writes_grow = self.written(largest) > SAME_WRITES * self.written(smallest);
        let of_load =
            if writes_grow { None } else { self.of_load(self.sizes).or_else(|| self.of_load(self.other_mode)) };
        let seconds_per_written_byte = if writes_grow {
            let more = self.written(largest) - self.written(smallest);
            ((largest.seconds() - smallest.seconds()) / more).max(0.0)
        } else {
            largest.seconds() / self.written(largest).max(1.0)
        };
        Some(SizeModel {
            largest: *largest,
            reads: self.reads(largest.database_bytes as f64, self.memory_bytes),
            written: self.written(largest),
            writes_grow,
            seconds_per_load: of_load.unwrap_or(self.read_seconds),
            seconds_per_written_byte,
            measured: self,
        })
    }

    /// Block loads and disk reads of a command.
    fn reads(&self, database_bytes: f64, memory_bytes: f64) -> [f64; 2] {
        [self.work.block_loads(database_bytes), self.work.disk_reads(database_bytes, memory_bytes)]
    }

    /// What a block from the page cache adds, by the smallest and the largest of these sizes: more work takes no less time.
    fn of_load(&self, sizes: &[SizeFindings]) -> Option<f64> {
        let of = |one: &SizeFindings| (one.seconds(), self.reads(one.database_bytes as f64, self.memory_bytes));
        let [(before, [loads, disk_reads]), (after, [then_loads, then_disk_reads])] =
            [of(sizes.first()?), of(sizes.last()?)];
        let (more_loads, in_disk_reads) = (then_loads - loads, self.read_seconds * (then_disk_reads - disk_reads));
        (more_loads > LEAST_LOADS)
            .then(|| ((after - before - in_disk_reads) / more_loads).clamp(0.0, self.read_seconds))
    }

    fn written(&self, one: &SizeFindings) -> f64 {
        self.work.written_bytes(one.database_bytes as f64)
    }
}

/// The rates of a machine over the size of its database.
pub(super) struct SizeModel<'a> {
    measured: MeasuredSizes<'a>,
    largest: SizeFindings,
    /// Work of a command on the largest database: block loads and disk reads.
    reads: [f64; 2],
    written: f64,
    /// Whether commands write more on the larger of the databases that were measured.
    writes_grow: bool,
    /// What a block load adds to the time of a command, from the page cache.
    seconds_per_load: f64,
    /// What a byte that is written adds: in proportion if all databases write the same.
    seconds_per_written_byte: f64,
}

impl SizeModel<'_> {
    fn seconds_of_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        let [loads, disk_reads] = self.measured.reads(database_bytes, memory_bytes);
        let [more_loads, more_disk_reads] = [loads - self.reads[0], disk_reads - self.reads[1]];
        self.largest.seconds() + self.seconds_per_load * more_loads + self.measured.read_seconds * more_disk_reads
    }

    fn seconds_of_writes(&self, database_bytes: f64) -> f64 {
        let more = self.measured.work.written_bytes(database_bytes) - self.written;
        self.largest.seconds() + self.seconds_per_written_byte * more
    }

    /// The highest rate that meets the objective with so much memory for blocks; never more than on the largest database that was
    /// measured.
    pub(super) fn rate(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
        self.rate_at(self.seconds_of_reads(database_bytes, memory_bytes)).min(self.rate_of_writes(database_bytes))
    }

    /// The same by what commands write.
    pub(super) fn rate_of_writes(&self, database_bytes: f64) -> f64 {
        self.rate_at(self.seconds_of_writes(database_bytes))
    }

    /// The share of the ceiling that is sustained.
    fn share(&self) -> f64 {
        self.measured.sustained_per_second * self.largest.seconds()
    }

    /// The highest rate if a command takes so long.
    fn rate_at(&self, seconds: f64) -> f64 {
        let slower = (seconds / self.largest.seconds()).max(1.0);
        let limit = self.measured.limit_seconds;
        let percentile = |response| self.response_seconds(response, slower);
        let meeting = match self.largest.response.map(percentile) {
            Some(response) if response > limit => {
                let rest = self.measured.at_target.map_or(0.0, percentile).min(response);
                ((limit - rest) / (response - rest).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
            }
            _ => 1.0,
        };
        meeting * self.share() / (slower * self.largest.seconds())
    }

    /// The objective's percentile of a response time if commands take so many times as long.
    fn response_seconds(&self, response: ResponseTimes, slower: f64) -> f64 {
        let ResponseTimes { percentile_seconds, median_seconds } = response;
        let of_median = (1.0 - self.measured.percentile.quantile()).log(0.5);
        let in_queue = (of_median * median_seconds).min(percentile_seconds);
        percentile_seconds + (slower - 1.0) * in_queue
    }

    /// How far the line is off at the sizes between those that it goes through, at most; `None` if there are none.
    pub(super) fn error(&self) -> Option<ModelErrorInfo> {
        let [_, between @ .., largest] = self.measured.sizes else { return None };
        let percent_off = |predicted: f64, measured: f64| 100.0 * (predicted / measured - 1.0);
        let error = |one: &SizeFindings| {
            let bytes = one.database_bytes as f64;
            let predicted = if self.writes_grow {
                self.seconds_of_writes(bytes)
            } else {
                self.seconds_of_reads(bytes, self.measured.memory_bytes)
            };
            let slower = predicted / largest.seconds();
            let response = largest.response.zip(one.response).map(|(largest, measured)| {
                percent_off(self.response_seconds(largest, slower), measured.percentile_seconds)
            });
            ModelErrorInfo { rate_percent: percent_off(one.seconds(), predicted), response_percent: response }
        };
        between.iter().map(error).max_by(|a, b| a.rate_percent.abs().total_cmp(&b.rate_percent.abs()))
    }

    /// What was measured, and the model from there to a database of `end_bytes`.
    pub(super) fn points(&self, end_bytes: f64) -> Vec<SizeRate> {
        let point = |database_bytes, per_second, basis| self.point(database_bytes, per_second, basis);
        let known = self
            .measured
            .sizes
            .iter()
            .map(|one| point(one.database_bytes as f64, self.share() * one.ceiling_per_second, Basis::Measured));
        let from = self.largest.database_bytes.max(1) as f64;
        let ratio = (end_bytes / from).max(1.0);
        let steps = if ratio > 1.0 { POINTS } else { 0 };
        let beyond = (1..=steps).map(|step| {
            let database_bytes = from * ratio.powf(f64::from(step) / f64::from(POINTS));
            point(database_bytes, self.rate(database_bytes, self.measured.memory_bytes), Basis::Modelled)
        });
        known.chain(beyond).collect()
    }

    /// Rates on databases that are larger than `bytes`, up to many times `at_horizon_bytes`, where the disk does not end the
    /// growth.
    pub(super) fn beyond(&self, bytes: f64, at_horizon_bytes: f64) -> Vec<SizeRate> {
        let most = BEYOND * at_horizon_bytes.max(bytes);
        let sizes = std::iter::successors(Some(bytes), |bytes| Some(BEYOND_STEP * bytes)).skip(1);
        // The last one reaches the most.
        let sizes = sizes.take_while(|&bytes| bytes > 0.0 && bytes < BEYOND_STEP * most);
        let larger = sizes.filter(|&bytes| bytes > self.largest.database_bytes as f64);
        larger.map(|bytes| self.point(bytes, self.rate(bytes, self.measured.memory_bytes), Basis::Modelled)).collect()
    }

    fn point(&self, database_bytes: f64, per_second: f64, basis: Basis) -> SizeRate {
        let disk_reads_per_command = self.measured.work.disk_reads(database_bytes, self.measured.memory_bytes);
        SizeRate { database_bytes, basis, per_second, disk_reads_per_command }
    }
}

/// The machine for every time until `days`: `enough` gives it for one, and `date` a date in words.
pub(super) fn periods(
    days: f64,
    enough: impl Fn(f64) -> Option<String>,
    date: impl Fn(f64) -> Option<String>,
) -> Vec<MachinePeriod> {
    let mut periods: Vec<MachinePeriod> = Vec::new();
    for moment in 0..=MOMENTS {
        let at_days = days * f64::from(moment) / f64::from(MOMENTS);
        let profile = enough(at_days);
        match periods.last_mut() {
            Some(last) if last.profile == profile => last.until_days = at_days,
            last => {
                let from_days = last.map_or(at_days, |last| {
                    let lasts = highest(last.until_days, at_days, |days| enough(days) == last.profile);
                    last.until_days = lasts.unwrap_or(last.until_days);
                    last.until_days
                });
                periods.push(MachinePeriod { profile, from_days, until_days: at_days, until: None });
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
    use crate::report::suffices;
    use proptest::prelude::*;

    const GIB: f64 = 1_073_741_824.0;
    /// Time of a command without reads, and what a read adds.
    const SECONDS: f64 = 0.0001;
    const READ_SECONDS: f64 = 0.0003;

    /// Every command reads a block of the whole database at random: what memory does not hold is read from the disk.
    struct Uniform;

    impl Work for Uniform {
        fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
            (1.0 - memory_bytes / database_bytes).max(0.0)
        }

        fn block_loads(&self, _database_bytes: f64) -> f64 {
            0.0
        }

        fn written_bytes(&self, _database_bytes: f64) -> f64 {
            500.0
        }
    }

    /// The same, and the block cache has ever fewer of the blocks, until it has none.
    struct Cached;

    impl Work for Cached {
        fn disk_reads(&self, database_bytes: f64, memory_bytes: f64) -> f64 {
            Uniform.disk_reads(database_bytes, memory_bytes)
        }

        fn block_loads(&self, database_bytes: f64) -> f64 {
            (database_bytes / GIB).min(1.0)
        }

        fn written_bytes(&self, _database_bytes: f64) -> f64 {
            500.0
        }
    }

    /// The end of a log alone is read: it fits.
    struct Tail;

    impl Work for Tail {
        fn disk_reads(&self, _database_bytes: f64, _memory_bytes: f64) -> f64 {
            0.0
        }

        fn block_loads(&self, _database_bytes: f64) -> f64 {
            0.1
        }

        fn written_bytes(&self, _database_bytes: f64) -> f64 {
            500.0
        }
    }

    fn size(gib: f64, seconds: f64) -> SizeFindings {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive size")]
        let database_bytes = (gib * GIB) as u64;
        SizeFindings { database_bytes, ceiling_per_second: 1.0 / seconds, response: Some(exponential(0.001)) }
    }

    /// Response times of a queue without stalls.
    fn exponential(percentile_seconds: f64) -> ResponseTimes {
        ResponseTimes { percentile_seconds, median_seconds: percentile_seconds * 0.5_f64.ln() / 0.01_f64.ln() }
    }

    /// Half of the ceiling is sustained.
    fn measured<'a>(work: &'a dyn Work, sizes: &'a [SizeFindings]) -> MeasuredSizes<'a> {
        MeasuredSizes {
            work,
            read_seconds: READ_SECONDS,
            limit_seconds: 0.01,
            percentile: Percentile::P99,
            memory_bytes: 0.5 * GIB,
            sizes,
            other_mode: &[],
            sustained_per_second: 0.5 * sizes[sizes.len() - 1].ceiling_per_second,
            at_target: None,
        }
    }

    fn model<'a>(work: &'a dyn Work, sizes: &'a [SizeFindings]) -> SizeModel<'a> {
        measured(work, sizes).fit().unwrap()
    }

    fn assert_close(one: f64, other: f64) {
        assert!((one / other - 1.0).abs() < 1e-6, "{one} {other}");
    }

    /// One GiB a day, on nano with half a GiB of memory for blocks, and small with two.
    fn periods_of(model: &SizeModel<'_>, required: f64) -> Vec<(Option<String>, f64)> {
        let enough = |days: f64| {
            let holds = |(_, memory): &(&str, f64)| suffices(model.rate(days * GIB, memory * GIB), required);
            [("nano", 0.5), ("small", 2.0)].into_iter().find(holds).map(|(name, _)| name.to_owned())
        };
        let found = periods(8.0, enough, |_| None);
        found.into_iter().map(|period| (period.profile, period.until_days)).collect()
    }

    #[test]
    fn with_one_size_a_read_adds_what_it_takes_with_a_cold_page_cache() {
        let measured = [size(0.25, SECONDS)];
        let model = model(&Uniform, &measured);
        assert_close(model.rate(GIB, 0.5 * GIB), 0.5 / (SECONDS + 0.5 * READ_SECONDS));
        assert_close(model.rate(0.25 * GIB, 0.5 * GIB), 0.5 / SECONDS);
        assert_eq!(model.error(), None);
        assert!(MeasuredSizes { sizes: &[], ..self::measured(&Uniform, &measured) }.fit().is_none());
    }

    #[test]
    fn two_sizes_tell_what_a_block_from_the_page_cache_adds_and_no_more_than_one_from_the_disk() {
        let rate = |larger_seconds: f64| {
            let sizes = [size(0.1, SECONDS), size(0.2, larger_seconds)];
            let model = model(&Cached, &sizes);
            0.5 / model.rate(4.0 * GIB, 0.5 * GIB) - larger_seconds
        };
        // 0.8 block loads more and 0.875 reads from the disk.
        assert_close(rate(1.1 * SECONDS), 0.8 * SECONDS + 0.875 * READ_SECONDS);
        // Faster or slower by chance.
        assert_close(rate(0.9 * SECONDS), 0.875 * READ_SECONDS);
        assert_close(rate(3.0 * SECONDS), (0.8 + 0.875) * READ_SECONDS);
    }

    #[test]
    fn two_sizes_tell_what_a_block_adds_and_those_between_how_far_that_is_off() {
        let work = |gib: f64| (Cached.block_loads(gib * GIB), Cached.disk_reads(gib * GIB, 0.5 * GIB));
        let seconds = |gib: f64| SECONDS + 0.5 * READ_SECONDS * work(gib).0 + READ_SECONDS * work(gib).1;
        let two = [size(0.25, seconds(0.25)), size(0.75, seconds(0.75))];
        let rate = model(&Cached, &two).rate(4.0 * GIB, 0.5 * GIB);
        assert_close(rate, 0.5 / seconds(4.0));
        assert_eq!(model(&Cached, &two).error(), None);
        // In the other mode it was measured at one size.
        let one = [two[1]];
        let other = MeasuredSizes { other_mode: &two, ..measured(&Cached, &one) }.fit().unwrap();
        assert_close(other.rate(4.0 * GIB, 0.5 * GIB), rate);
        let exact = [two[0], size(0.5, seconds(0.5)), two[1]];
        assert!(model(&Cached, &exact).error().unwrap().rate_percent.abs() < 1e-6);
        let slower = SizeFindings { response: Some(exponential(0.002)), ..size(0.5, 1.5 * seconds(0.5)) };
        let off = [two[0], slower, two[1]];
        let error = model(&Cached, &off).error().unwrap();
        assert!((error.rate_percent - 50.0).abs() < 1e-6, "{error:?}");
        let expected = 100.0 * (0.001 * seconds(0.5) / seconds(0.75) / 0.002 - 1.0);
        assert!((error.response_percent.unwrap() - expected).abs() < 1e-6, "{error:?}");
    }

    #[test]
    fn the_share_of_the_ceiling_shrinks_where_the_objective_would_be_missed() {
        // 3 ms at the target, 8 ms at half of the ceiling, 10 ms allowed.
        let sizes = [SizeFindings { response: Some(exponential(0.008)), ..size(0.25, SECONDS) }];
        let model = MeasuredSizes { at_target: Some(exponential(0.003)), ..measured(&Uniform, &sizes) }.fit().unwrap();
        let of = |slower: f64, share: f64| share / (slower * SECONDS);
        // Commands that take 1.25 times as long would take 10 ms at half of the ceiling, those that take twice as long 10 ms at a
        // fifth: 2 × (3 + 5 × 0.4) ms.
        let rate = |slower: f64| model.rate_at(slower * SECONDS);
        assert_close(rate(1.25), of(1.25, 0.5));
        assert_close(rate(2.0), of(2.0, 0.2));
        assert!(rate(3.4).abs() < 1e-9, "more than 10 ms even at the target");
    }

    #[test]
    fn stalls_last_no_longer_because_commands_do() {
        // 9 ms, of which 1 ms is a queue's.
        let stalled = ResponseTimes { percentile_seconds: 0.009, ..exponential(0.001) };
        let sizes = [SizeFindings { response: Some(stalled), ..size(0.25, SECONDS) }];
        let model = model(&Uniform, &sizes);
        assert_close(model.rate_at(2.0 * SECONDS), 0.25 / SECONDS);
        // 11 ms at half of the ceiling, of which 10 ms are allowed.
        assert_close(model.rate_at(3.0 * SECONDS), 10.0 / 11.0 * 0.5 / (3.0 * SECONDS));
    }

    #[test]
    fn a_database_that_is_read_everywhere_needs_the_next_machine_and_then_has_none() {
        let measured = [size(0.25, SECONDS)];
        let model = model(&Uniform, &measured);
        let required = model.rate(GIB, 0.5 * GIB);
        let found = periods_of(&model, required);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, [Some("nano"), Some("small"), None]);
        assert!((found[0].1 - 1.0).abs() < 0.1, "a GiB is there after a day: {found:?}");
        assert!((found[1].1 - 4.0).abs() < 0.1, "as large in proportion to its memory: {found:?}");
        assert!((found[2].1 - 8.0).abs() < 1e-9, "the last period ends at the horizon");
    }

    #[test]
    fn where_the_end_of_the_log_alone_is_read_one_machine_is_enough_for_ever() {
        let measured = [size(0.25, SECONDS), size(1.0, 1.01 * SECONDS), size(2.0, 1.02 * SECONDS)];
        let model = model(&Tail, &measured);
        assert_eq!(periods_of(&model, 4_500.0), [(Some("nano".to_owned()), 8.0)]);
        assert!(model.error().unwrap().rate_percent.abs() < 2.0);
    }

    /// A register with an entry for everything that was stored, written with every command.
    struct Register;

    impl Work for Register {
        fn disk_reads(&self, _database_bytes: f64, _memory_bytes: f64) -> f64 {
            0.0
        }

        fn block_loads(&self, _database_bytes: f64) -> f64 {
            0.0
        }

        fn written_bytes(&self, database_bytes: f64) -> f64 {
            500.0 + database_bytes / 1e4
        }
    }

    #[test]
    fn a_state_that_grows_ends_what_a_machine_sustains() {
        // Twice the time at twice the bytes: half of the rate on a database that makes commands write twice as much again.
        let measured = [size(0.25, SECONDS), size(0.5, 2.0 * SECONDS)];
        let model = model(&Register, &measured);
        let written = |gib: f64| Register.written_bytes(gib * GIB);
        let per_byte = SECONDS / (written(0.5) - written(0.25));
        let expected = 0.5 / (2.0 * SECONDS + per_byte * (written(4.0) - written(0.5)));
        assert_close(model.rate(4.0 * GIB, 0.5 * GIB), expected);
        assert_close(model.rate(4.0 * GIB, 8.0 * GIB), expected);
        let found = periods_of(&model, expected);
        assert_eq!(found[0].0.as_deref(), Some("nano"));
        assert!(found.len() == 2 && found[1].0.is_none() && (found[0].1 - 4.0).abs() < 0.1, "{found:?}");
        let between = [measured[0], size(0.375, 1.5 * SECONDS), measured[1]];
        let error = self::model(&Register, &between).error().unwrap();
        assert!(error.rate_percent.abs() < 1e-6, "the line is over what commands write: {error:?}");
    }

    proptest! {
        #[test]
        fn more_memory_never_lowers_a_rate_and_a_larger_database_never_raises_it(
            gib in 0.1..100.0, memory in 0.1..8.0, response in 0.0005..0.01, median_share in 0.0..1.0, slower in 0.8..4.0,
        ) {
            let stalled = ResponseTimes { percentile_seconds: response, median_seconds: median_share * response };
            let of = |size: SizeFindings| SizeFindings { response: Some(stalled), ..size };
            let measured = [of(size(0.25, SECONDS)), of(size(1.0, slower * SECONDS))];
            let model = model(&Uniform, &measured);
            let rate = model.rate(gib * GIB, memory * GIB);
            prop_assert!(model.rate(gib * GIB, 2.0 * memory * GIB) >= rate);
            prop_assert!(model.rate(2.0 * gib * GIB, memory * GIB) <= rate);
            prop_assert!(rate <= model.measured.sustained_per_second * (1.0 + 1e-9) && rate >= 0.0);
        }
    }
}
