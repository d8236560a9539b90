//! A disk over time: the band its speed swung through, and steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::{LatencyHistogram, Step, steps};
use crate::units;

/// Speed of a disk over a fraction of a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskSample {
    /// When it began, seconds since the measurement began.
    pub at_seconds: f64,
    /// Median of a 4 KiB write and `fdatasync`.
    pub sync_p50_ns: u64,
    /// Syncs behind it.
    pub syncs_count: u64,
    /// Median of a single random read of 4 KiB.
    pub read_p50_ns: u64,
    /// Reads behind it.
    pub reads_count: u64,
    /// Rate of sequential writes; absent where none were made.
    pub write_bytes_per_second: Option<f64>,
}

impl DiskSample {
    pub(super) fn new(
        at_seconds: f64,
        syncs: &LatencyHistogram,
        reads: &LatencyHistogram,
        write_bytes_per_second: Option<f64>,
    ) -> Self {
        Self {
            at_seconds,
            sync_p50_ns: syncs.quantile(0.5),
            syncs_count: syncs.count(),
            read_p50_ns: reads.quantile(0.5),
            reads_count: reads.count(),
            write_bytes_per_second,
        }
    }
}

/// What samples of a disk have in common, and how far they lie apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskSwing {
    /// Samples behind it.
    pub samples_count: u64,
    /// Time from the first sample to the last.
    pub seconds: f64,
    /// Sync latency of 4 KiB: the median of the samples' medians.
    pub sync_p50_ns: u64,
    /// The band of the sync latency: the 10th percentile of the samples' medians …
    pub sync_p10_ns: u64,
    /// … and their 90th.
    pub sync_p90_ns: u64,
    /// Latency of a single random read of 4 KiB: the median of the samples' medians.
    pub read_p50_ns: u64,
    /// Changes of the level, in order; none can be found in fewer than a dozen samples.
    pub steps: Vec<DiskStep>,
}

/// A change of a disk's speed that lasted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskStep {
    /// What changed.
    pub figure: DiskFigure,
    /// Begin of the first sample of the new level, seconds since the measurement began.
    pub at_seconds: f64,
    /// The new level over the old one.
    pub factor_ratio: f64,
    /// In words: `after 23 s the sync latency rose 6-fold: burst credits may be used up`.
    pub sentence: String,
}

/// What the samples of a disk show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskFigure {
    /// Time of a 4 KiB write and `fdatasync`.
    SyncLatency,
    /// Time of a random read of 4 KiB.
    ReadLatency,
    /// Rate of sequential writes.
    WriteRate,
}

impl DiskFigure {
    const ALL: [Self; 3] = [Self::SyncLatency, Self::ReadLatency, Self::WriteRate];

    const fn name(self) -> &'static str {
        match self {
            Self::SyncLatency => "sync latency",
            Self::ReadLatency => "read latency",
            Self::WriteRate => "rate of sequential writes",
        }
    }

    /// `None` unless every sample has it.
    fn values(self, samples: &[DiskSample]) -> Option<Vec<f64>> {
        let value = |sample: &DiskSample| match self {
            Self::SyncLatency => Some(sample.sync_p50_ns as f64),
            Self::ReadLatency => Some(sample.read_p50_ns as f64),
            Self::WriteRate => sample.write_bytes_per_second,
        };
        samples.iter().map(value).collect()
    }

    const fn is_worse(self, factor: f64) -> bool {
        matches!(self, Self::WriteRate) == (factor < 1.0)
    }

    fn steps(self, samples: &[DiskSample]) -> Vec<DiskStep> {
        let found = steps(&self.values(samples).unwrap_or_default());
        let last = found.len().saturating_sub(1);
        let step = |(number, step): (usize, Step)| {
            let (at_seconds, factor_ratio) = (samples[step.place].at_seconds, step.factor());
            let cause = match (self.is_worse(factor_ratio), number == last) {
                (true, true) => "burst credits may be used up",
                (true, false) => "something else may have used the disk, it became faster again later",
                (false, _) => "what slowed it down before may have ended",
            };
            let sentence = format!("after {at_seconds:.0} s the {} {}: {cause}", self.name(), change(factor_ratio));
            DiskStep { figure: self, at_seconds, factor_ratio, sentence }
        };
        found.into_iter().enumerate().map(step).collect()
    }
}

/// `rose 6-fold`, `fell to a third` as `fell by a factor of 3`.
fn change(factor: f64) -> String {
    let digits = |factor: f64| if factor < 10.0 { format!("{factor:.1}") } else { format!("{factor:.0}") };
    let [rise, fall] = [factor, 1.0 / factor].map(|factor| digits(factor).trim_end_matches(".0").to_owned());
    if factor > 1.0 { format!("rose {rise}-fold") } else { format!("fell by a factor of {fall}") }
}

impl DiskSwing {
    /// `median 77 µs of 10 samples over 10 s, band 70 – 95 µs`: a sample is the median of its syncs.
    pub fn summary(&self) -> String {
        let [p10, p50, p90] = [self.sync_p10_ns, self.sync_p50_ns, self.sync_p90_ns].map(|value| value as f64);
        let (median, band) = (units::duration(p50), units::duration_range(p10, p90));
        let samples = units::counted(self.samples_count, "sample");
        format!("median {median} of {samples} over {}, band {band}", units::seconds(self.seconds))
    }

    /// Of samples in the order of their times; `None` without any.
    pub fn of(samples: &[DiskSample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let sorted = |value: fn(&DiskSample) -> u64| {
            let mut values: Vec<u64> = samples.iter().map(value).collect();
            values.sort_unstable();
            values
        };
        let (syncs, reads) = (sorted(|sample| sample.sync_p50_ns), sorted(|sample| sample.read_p50_ns));
        let mut steps: Vec<DiskStep> = DiskFigure::ALL.into_iter().flat_map(|figure| figure.steps(samples)).collect();
        steps.sort_by(|a, b| a.at_seconds.total_cmp(&b.at_seconds));
        Some(Self {
            samples_count: samples.len() as u64,
            seconds: last.at_seconds - first.at_seconds,
            sync_p50_ns: nearest_rank(&syncs, 50),
            sync_p10_ns: nearest_rank(&syncs, 10),
            sync_p90_ns: nearest_rank(&syncs, 90),
            read_p50_ns: nearest_rank(&reads, 50),
            steps,
        })
    }
}

/// The value at or below which so many percent of ascending values lie.
fn nearest_rank(sorted: &[u64], percent: usize) -> u64 {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(second: u32, sync_micros: u64) -> DiskSample {
        DiskSample {
            at_seconds: f64::from(second),
            sync_p50_ns: 1_000 * sync_micros,
            syncs_count: 100,
            read_p50_ns: 90_000,
            reads_count: 100,
            write_bytes_per_second: None,
        }
    }

    fn scattered(second: u32, sync_micros: u64) -> DiskSample {
        sample(second, sync_micros + u64::from(second * 7 % 10))
    }

    #[test]
    fn a_latency_that_rises_for_good_may_be_burst_credits() {
        let samples: Vec<_> = (0..60).map(|second| scattered(second, if second < 23 { 100 } else { 640 })).collect();
        let swing = DiskSwing::of(&samples).unwrap();
        let [step] = &swing.steps[..] else { panic!("{swing:?}") };
        assert_eq!((step.figure, step.at_seconds), (DiskFigure::SyncLatency, 23.0));
        assert!(step.sentence.starts_with("after 23 s the sync latency rose 6"), "{step:?}");
        assert!(step.sentence.ends_with("-fold: burst credits may be used up"), "{step:?}");
    }

    #[test]
    fn a_latency_that_falls_again_is_no_burst() {
        let slow = |second| (20..40).contains(&second);
        let samples: Vec<_> = (0..60).map(|second| scattered(second, if slow(second) { 800 } else { 100 })).collect();
        let sentences: Vec<_> = DiskSwing::of(&samples).unwrap().steps.into_iter().map(|step| step.sentence).collect();
        let [rise, fall] = &sentences[..] else { panic!("{sentences:?}") };
        assert!(rise.contains("rose") && !rise.contains("burst"), "{rise}");
        assert!(fall.contains("after 40 s the sync latency fell by a factor of 7"), "{fall}");
    }

    #[test]
    fn a_write_rate_that_falls_is_worse_and_counts_only_where_all_samples_have_it() {
        let rate = |second| Some(if second < 30 { 3e8 } else { 1e8 });
        let mut samples: Vec<_> = (0..60)
            .map(|second| DiskSample { write_bytes_per_second: rate(second), ..scattered(second, 100) })
            .collect();
        let swing = DiskSwing::of(&samples).unwrap();
        let sentence = "after 30 s the rate of sequential writes fell by a factor of 3: burst credits may be used up";
        assert_eq!(swing.steps.iter().map(|step| step.sentence.as_str()).collect::<Vec<_>>(), [sentence]);
        samples[5].write_bytes_per_second = None;
        assert_eq!(DiskSwing::of(&samples).unwrap().steps, []);
    }

    #[test]
    fn no_samples_have_no_swing_and_one_is_its_own_band() {
        assert_eq!(DiskSwing::of(&[]), None);
        let one = DiskSwing::of(&[sample(3, 70)]).unwrap();
        assert_eq!((one.sync_p10_ns, one.sync_p50_ns, one.sync_p90_ns), (70_000, 70_000, 70_000));
        assert_eq!((one.samples_count, one.seconds), (1, 0.0));
    }

    proptest! {
        #[test]
        fn the_band_contains_the_median_and_leaves_at_most_a_tenth_out_on_each_side(
            micros in prop::collection::vec(1u64..100_000, 1..80),
        ) {
            let samples: Vec<_> = (0..).zip(&micros).map(|(second, &micros)| sample(second, micros)).collect();
            let swing = DiskSwing::of(&samples).unwrap();
            prop_assert!(swing.sync_p10_ns <= swing.sync_p50_ns && swing.sync_p50_ns <= swing.sync_p90_ns);
            let beyond = |outside: &dyn Fn(u64) -> bool| micros.iter().filter(|&&it| outside(1_000 * it)).count();
            prop_assert!(10 * beyond(&|it| it < swing.sync_p10_ns) <= micros.len());
            prop_assert!(10 * beyond(&|it| it > swing.sync_p90_ns) <= micros.len());
        }
    }
}
