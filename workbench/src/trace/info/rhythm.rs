//! How commands spread over time: evenly, at random, or in bursts.

use hdrhistogram::Histogram;
use serde::Serialize;

const SECOND_NS: u64 = 1_000_000_000;
/// Multiple of the usual gap above which a gap is a pause.
const PAUSE_FACTOR: u64 = 10;
/// Commands in the longer windows, on average.
const COMMANDS_PER_WINDOW: u64 = 100;
/// Whole windows that a dispersion needs.
const FEWEST_WINDOWS: u64 = 10;
const SLICES: usize = 60;

/// How commands spread over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rhythm {
    /// Median time between two commands, seconds.
    pub interarrival_median_seconds: f64,
    /// Mean time between two commands, seconds.
    pub interarrival_mean_seconds: f64,
    /// Coefficient of variation of these times, standard deviation over mean: 0 if they are equal, 1 for a Poisson
    /// process, more for bursts. `None` below three commands.
    pub interarrival_cv_ratio: Option<f64>,
    /// Burstiness `B = (cv - 1) / (cv + 1)`, −1 regular, 0 Poisson, towards 1 bursts: K.-I. Goh, A.-L. Barabási,
    /// "Burstiness and memory in complex systems", EPL 81 (2008) 48002.
    pub burstiness_ratio: Option<f64>,
    /// Index of dispersion of the counts in whole seconds, variance over mean: 1 for a Poisson process, larger if busy and
    /// calm seconds alternate (D. R. Cox, P. A. W. Lewis, "The Statistical Analysis of Series of Events",
    /// 1966, chapter 4). `None` below ten seconds.
    pub dispersion_per_second_ratio: Option<f64>,
    /// The same in windows as long as a hundred commands take on average. `None` below ten windows.
    pub dispersion_per_100_commands_ratio: Option<f64>,
    /// Commands in the busiest second, seconds counted from the first command. `None` below two seconds.
    pub peak_commands_per_second: Option<u64>,
    /// Commands of the busiest second over those of the mean second.
    pub peak_to_mean_ratio: Option<f64>,
    /// Longest time between two commands, seconds.
    pub longest_gap_seconds: f64,
    /// Times between commands that are longer than ten times the median; `None` if the median is zero.
    pub gaps_over_10_medians_count: Option<u64>,
    /// Times between commands that are longer than ten times the mean.
    pub gaps_over_10_means_count: u64,
    /// Length of each part of the trace in `commands_by_slice_count`, seconds.
    pub slice_seconds: f64,
    /// Commands in each of up to 60 parts of equal length, from the first command to the last.
    pub commands_by_slice_count: Vec<u64>,
}

impl Rhythm {
    /// Of commands at these times, nanoseconds, ascending.
    pub(in super::super) fn of(times: &[u64]) -> Self {
        let mut counter = RhythmCounter::new(times.len() as u64, times.last().copied().unwrap_or(0));
        for &at_ns in times {
            counter.record(at_ns);
        }
        counter.finish()
    }

    /// Commands per second on average; 0 if all came at once.
    pub(in super::super) fn commands_per_second(&self) -> f64 {
        if self.interarrival_mean_seconds > 0.0 { self.interarrival_mean_seconds.recip() } else { 0.0 }
    }
}

#[derive(Debug)]
pub(super) struct RhythmCounter {
    duration_ns: u64,
    last_ns: Option<u64>,
    /// Three significant digits, from 1 ns on.
    gaps: Histogram<u64>,
    gap_squares_sum: f64,
    longest_ns: u64,
    seconds: Windows,
    longer: Windows,
    slices: Vec<u64>,
}

impl RhythmCounter {
    pub(super) fn new(commands: u64, duration_ns: u64) -> Self {
        let gap_ns = duration_ns / commands.saturating_sub(1).max(1);
        let slices = if duration_ns == 0 { 1 } else { SLICES };
        Self {
            duration_ns,
            last_ns: None,
            gaps: Histogram::new(3).expect("three digits are valid"),
            gap_squares_sum: 0.0,
            longest_ns: 0,
            seconds: Windows::new(SECOND_NS, duration_ns),
            longer: Windows::new(gap_ns.saturating_mul(COMMANDS_PER_WINDOW).max(1), duration_ns),
            slices: vec![0; slices],
        }
    }

    pub(super) fn record(&mut self, at_ns: u64) {
        if let Some(last_ns) = self.last_ns.replace(at_ns) {
            let gap_ns = at_ns - last_ns;
            self.gaps.record(gap_ns).expect("it grows with the longest");
            self.gap_squares_sum += (gap_ns as f64).powi(2);
            self.longest_ns = self.longest_ns.max(gap_ns);
        }
        self.seconds.record(at_ns);
        self.longer.record(at_ns);
        let slice = u128::from(at_ns) * self.slices.len() as u128 / (u128::from(self.duration_ns) + 1);
        self.slices[usize::try_from(slice).expect("below the number of slices")] += 1;
    }

    pub(super) fn finish(mut self) -> Rhythm {
        let gaps = self.gaps.len();
        let mean_ns = self.duration_ns as f64 / gaps.max(1) as f64;
        let variance = (self.gap_squares_sum / gaps.max(1) as f64 - mean_ns * mean_ns).max(0.0);
        let cv = (gaps > 1 && mean_ns > 0.0).then(|| variance.sqrt() / mean_ns);
        let median_ns = self.gaps.value_at_quantile(0.5);
        let peak = self.seconds.peak();
        let commands_per_second = 1e9 / mean_ns;
        Rhythm {
            interarrival_median_seconds: median_ns as f64 / 1e9,
            interarrival_mean_seconds: mean_ns / 1e9,
            interarrival_cv_ratio: cv,
            burstiness_ratio: cv.map(|cv| (cv - 1.0) / (cv + 1.0)),
            dispersion_per_second_ratio: self.seconds.dispersion(),
            dispersion_per_100_commands_ratio: self.longer.dispersion(),
            peak_commands_per_second: peak,
            peak_to_mean_ratio: peak.map(|peak| peak as f64 / commands_per_second),
            longest_gap_seconds: self.longest_ns as f64 / 1e9,
            gaps_over_10_medians_count: (median_ns > 0).then(|| self.gaps_over(median_ns as f64)),
            gaps_over_10_means_count: self.gaps_over(mean_ns),
            slice_seconds: self.duration_ns as f64 / 1e9 / self.slices.len() as f64,
            commands_by_slice_count: self.slices,
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time between two commands")]
    fn gaps_over(&self, usual_ns: f64) -> u64 {
        let from = (usual_ns * PAUSE_FACTOR as f64) as u64;
        self.gaps.count_between(from.saturating_add(1), u64::MAX)
    }
}

/// Counts in windows of equal length, one after the other; the last one counts only if it is whole.
#[derive(Debug)]
pub(in super::super) struct Windows {
    window_ns: u64,
    whole: u64,
    number: u64,
    count: u64,
    counted: u64,
    squares: u128,
    most: u64,
}

impl Windows {
    pub(in super::super) const fn new(window_ns: u64, duration_ns: u64) -> Self {
        Self { window_ns, whole: duration_ns / window_ns, number: 0, count: 0, counted: 0, squares: 0, most: 0 }
    }

    pub(in super::super) fn record(&mut self, at_ns: u64) {
        let number = at_ns / self.window_ns;
        if number != self.number {
            self.close();
            self.number = number;
        }
        self.count += 1;
    }

    fn close(&mut self) {
        if self.number < self.whole {
            self.counted += self.count;
            self.squares += u128::from(self.count).pow(2);
            self.most = self.most.max(self.count);
        }
        self.count = 0;
    }

    fn peak(&mut self) -> Option<u64> {
        self.close();
        (self.whole >= 2).then_some(self.most)
    }

    /// Variance over mean; windows in which nothing came count as zero.
    pub(in super::super) fn dispersion(&mut self) -> Option<f64> {
        self.close();
        let windows = self.whole as f64;
        let mean = self.counted as f64 / windows;
        let variance = (self.squares as f64 - windows * mean * mean) / (windows - 1.0);
        (self.whole >= FEWEST_WINDOWS && self.counted > 0).then_some(variance / mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_distr::Exp1;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn near(found: Option<f64>, expected: f64, within: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() <= within)
    }

    fn random_times(mean_ns: impl Fn(u64) -> f64) -> Vec<u64> {
        let (mut rng, mut at_ns) = (Xoshiro256PlusPlus::seed_from_u64(4), 0.0);
        let mut step = |number: u64| {
            at_ns += mean_ns(number) * rng.sample::<f64, _>(Exp1);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
            let due = at_ns as u64;
            due
        };
        (0..100_000).map(&mut step).collect()
    }

    #[test]
    fn even_arrivals_do_not_vary() {
        let found = Rhythm::of(&(0..10_000).map(|n| n * 10_000_000).collect::<Vec<_>>());
        assert!(near(found.interarrival_cv_ratio, 0.0, 1e-6) && near(found.burstiness_ratio, -1.0, 1e-6), "{found:?}");
        assert!(near(found.dispersion_per_second_ratio, 0.0, 1e-9), "{found:?}");
        assert_eq!((found.peak_commands_per_second, found.gaps_over_10_means_count), (Some(100), 0));
        assert_eq!(found.commands_by_slice_count.iter().sum::<u64>(), 10_000);
    }

    #[test]
    fn a_poisson_process_has_a_variation_and_a_dispersion_of_one() {
        let found = Rhythm::of(&random_times(|_| 1e6));
        assert!(near(found.interarrival_cv_ratio, 1.0, 0.02) && near(found.burstiness_ratio, 0.0, 0.01), "{found:?}");
        assert!(near(found.dispersion_per_second_ratio, 1.0, 0.4), "{found:?}");
        assert!(near(found.dispersion_per_100_commands_ratio, 1.0, 0.15), "{found:?}");
    }

    #[test]
    fn bursts_vary_more() {
        let found = Rhythm::of(&random_times(|number| if number / 500 % 2 == 0 { 1e5 } else { 1e7 }));
        assert!(found.interarrival_cv_ratio.unwrap() > 1.5 && found.burstiness_ratio.unwrap() > 0.2, "{found:?}");
        assert!(found.dispersion_per_second_ratio.unwrap() > 10.0 && found.peak_to_mean_ratio.unwrap() > 2.0);
    }

    #[test]
    fn pauses_are_counted() {
        let mut times: Vec<u64> = (0..1_000).map(|n| n * SECOND_NS).collect();
        times.extend((0..1_000).map(|n| (5_000 + n) * SECOND_NS));
        let found = Rhythm::of(&times);
        assert!((found.longest_gap_seconds - 4_001.0).abs() < 1e-9, "{found:?}");
        assert_eq!((found.gaps_over_10_medians_count, found.gaps_over_10_means_count), (Some(1), 1));
    }

    #[test]
    fn commands_at_one_time_have_no_variation() {
        for times in [&[][..], &[0], &[0, 0, 0]] {
            let found = Rhythm::of(times);
            assert_eq!((found.interarrival_cv_ratio, found.peak_commands_per_second), (None, None));
            assert_eq!(found.commands_by_slice_count, [times.len() as u64]);
        }
    }
}
