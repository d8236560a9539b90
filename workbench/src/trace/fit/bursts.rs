//! The bursts that resemble those of a trace.
//!
//! A workload's bursts are a Poisson process at two rates that take turns for exponentially distributed times, a
//! Markov-modulated Poisson process. What it does is known in closed form, so its three parameters are searched for
//! those that give the trace's figures: the coefficient of variation of the times between commands, and the index of
//! dispersion of their counts in windows of several lengths (H. Heffes, D. M. Lucantoni, "A Markov Modulated
//! Characterization of Packetized Voice and Data Traffic", IEEE JSAC 4 (1986) 856–868). Short windows show how much the
//! two rates differ, long ones how long they last, and the variation the rate between bursts.

use std::io;

use crate::trace::builder::Trace;
use crate::trace::info::Windows;
use crate::workload::Bursts;

/// Windows in which commands are counted, in mean times between two.
const WINDOWS: [u32; 9] = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000];
/// The window whose dispersion a fit is judged by.
const JUDGED_WINDOW: u32 = 100;
/// Required accuracy of the figures, as standard deviations of their logarithms.
const CLOSE_CV: f64 = 0.03;
const CLOSE_JUDGED: f64 = 0.1;
const CLOSE_OTHERS: f64 = 0.25;
/// Bursts that a trace must contain.
const FEWEST_BURSTS: f64 = 5.0;
/// Rate of the generated trace if all commands of the original came at once.
pub(super) const ANY_RATE: f64 = 1_000.0;
const STARTS: usize = 4;

/// How the commands of a trace are spaced. All times are in mean times between two commands.
#[derive(Debug)]
pub(super) struct Spacing {
    commands: f64,
    /// Standard deviation over mean of the times between commands.
    cv: f64,
    /// Windows of one length: length, number, and the index of dispersion of the counts.
    dispersions: Vec<(f64, f64, f64)>,
}

impl Spacing {
    /// Of a trace with this coefficient of variation.
    pub(super) fn of(trace: &Trace, cv: f64) -> io::Result<Self> {
        let each_time = |record: &mut dyn FnMut(u64)| trace.for_each_command(|command, _| record(command.at_ns));
        Self::counted(trace.command_count(), trace.duration_ns(), cv, each_time)
    }

    /// Of commands at the times that `each_time` passes on.
    fn counted<E>(
        commands: u64,
        duration_ns: u64,
        cv: f64,
        each_time: impl FnOnce(&mut dyn FnMut(u64)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let gap_ns = duration_ns / commands.saturating_sub(1).max(1);
        let mut windows = WINDOWS.map(|length| Windows::new((gap_ns * u64::from(length)).max(1), duration_ns));
        each_time(&mut |at_ns| windows.iter_mut().for_each(|windows| windows.record(at_ns)))?;
        let commands = commands as f64;
        let counted = |(length, windows): (u32, &mut Windows)| {
            let length = f64::from(length);
            Some((length, (commands / length).floor(), windows.dispersion().filter(|&found| found > 0.0)?))
        };
        Ok(Self { commands, cv, dispersions: WINDOWS.into_iter().zip(&mut windows).filter_map(counted).collect() })
    }
}

/// A candidate. Times are in mean times between two commands, rates in multiples of the mean rate.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Share of the time that bursts take.
    share: f64,
    factor: f64,
    calm: f64,
    length: f64,
}

impl Candidate {
    fn new(share: f64, calm: f64, length: f64) -> Self {
        Self { share, factor: (1.0 - calm * (1.0 - share)) / share, calm, length }
    }

    fn of(bursts: Bursts, rate: f64) -> Self {
        let Bursts { share, factor, seconds } = bursts;
        Self { share, factor, calm: bursts.calm_factor(), length: seconds * rate }
    }

    /// Rate at which phases end: the sum of the rates of bursts and calms.
    fn turns(self) -> f64 {
        1.0 / (self.length * (1.0 - self.share))
    }

    /// Coefficient of variation of the times between commands.
    ///
    /// With `p` the row of the shares of both phases, `D` their turns less their commands, and the mean rate 1, a time
    /// between commands has the second moment `2 p (-D)^-1 1`. For two phases that is
    /// `2 (turns + share calm + (1 - share) factor) / (factor calm + turns)`; for long phases
    /// `2 (share / factor + (1 - share) / calm)`, two exponential distributions side by side.
    fn cv(self) -> f64 {
        let Self { share, factor, calm, .. } = self;
        let turns = self.turns();
        let second_moment = 2.0 * (turns + share * calm + (1.0 - share) * factor) / (factor * calm + turns);
        (second_moment - 1.0).max(0.0).sqrt()
    }

    /// Index of dispersion of the counts in windows of this length. The intensity's covariance decays as
    /// `variance exp(-turns t)`; without end, `1 + 2 share (factor - 1)^2 length`.
    fn dispersion(self, window: f64) -> f64 {
        let variance = self.share * (self.factor - 1.0).powi(2) / (1.0 - self.share);
        let turned = self.turns() * window;
        1.0 + 2.0 * variance / self.turns() * (1.0 + (-turned).exp_m1() / turned)
    }

    /// Expected dispersion of a sample of so many windows, with the mean of the sample.
    fn sample_dispersion(self, window: f64, count: f64) -> f64 {
        (count * self.dispersion(window) - self.dispersion(count * window)) / (count - 1.0)
    }

    fn misfit(self, spacing: &Spacing) -> f64 {
        if self.length / self.share * FEWEST_BURSTS > spacing.commands {
            return f64::INFINITY;
        }
        let off = |found: f64, wanted: f64| (found.max(f64::MIN_POSITIVE) / wanted).ln().powi(2);
        let dispersions = spacing.dispersions.iter().map(|&(window, count, wanted)| {
            let is_judged = (window - f64::from(JUDGED_WINDOW)).abs() < 0.5;
            let close = if is_judged { CLOSE_JUDGED } else { CLOSE_OTHERS };
            // A variance of so many counts is itself uncertain.
            let chance = if is_judged { 0.0 } else { 2.0 / count };
            off(self.sample_dispersion(window, count), wanted) / (close.powi(2) + chance)
        });
        off(self.cv(), spacing.cv) / CLOSE_CV.powi(2) + dispersions.sum::<f64>()
    }
}

/// A point of the search: the logarithms of share and length, and the square root of the calm rate, which matters most
/// close to 0.
#[derive(Debug, Clone, Copy)]
struct Point([f64; 3]);

impl Point {
    const LOW: [f64; 3] = [-9.2, 0.0, -9.2];
    const HIGH: [f64; 3] = [-0.1, 0.99, 14.0];

    fn candidate(self) -> Candidate {
        let [share, calm, length] = self.0;
        Candidate::new(share.exp(), calm * calm, length.exp())
    }

    /// To the lowest misfit nearby, along one axis at a time (R. Hooke, T. A. Jeeves, "Direct Search", J. ACM 8 (1961)).
    fn descend(mut self, spacing: &Spacing) -> (f64, Self) {
        let (mut steps, mut lowest) = ([0.5, 0.1, 0.5], self.candidate().misfit(spacing));
        while steps[0] > 1e-4 {
            let before = lowest;
            for (axis, &size) in steps.iter().enumerate() {
                for step in [size, -size] {
                    let mut there = self;
                    there.0[axis] = (self.0[axis] + step).clamp(Self::LOW[axis], Self::HIGH[axis]);
                    let misfit = there.candidate().misfit(spacing);
                    if misfit < lowest {
                        (lowest, self) = (misfit, there);
                    }
                }
            }
            if lowest >= before {
                steps = steps.map(|step| step / 2.0);
            }
        }
        (lowest, self)
    }
}

/// The bursts with the closest figures at this mean rate, commands per second; even these may be far off.
pub(super) fn resembling(spacing: &Spacing, rate: f64) -> Option<Bursts> {
    let steps = |axis: usize, count: u32| {
        let [low, high] = [Point::LOW[axis], Point::HIGH[axis]];
        (0..count).map(move |step| low + (high - low) * f64::from(step) / f64::from(count - 1))
    };
    let mut starts = Vec::new();
    for share in steps(0, 10) {
        for calm in steps(1, 8) {
            starts.extend(steps(2, 24).map(|length| {
                let point = Point([share, calm, length]);
                (point.candidate().misfit(spacing), point)
            }));
        }
    }
    starts.retain(|(misfit, _)| misfit.is_finite());
    starts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ends = starts.into_iter().take(STARTS).map(|(_, point)| point.descend(spacing));
    let (_, best) = ends.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let Candidate { share, factor, length, .. } = best.candidate();
    let share = digits(share, 4);
    // Bursts contain at most all commands, however six digits are rounded.
    let factor = digits(factor.min((1.0 - 6e-6) / share), 6);
    Some(Bursts { factor, share, seconds: digits(length / rate, 4) })
}

/// Mean commands of a burst at this rate.
pub(super) fn commands_of_a_burst(bursts: Bursts, rate: f64) -> f64 {
    bursts.factor * bursts.seconds * rate
}

/// Relative standard error of the mean rate of so many commands.
pub(super) fn rate_error(bursts: Bursts, rate: f64, commands: u64) -> f64 {
    let commands = commands as f64;
    (Candidate::of(bursts, rate).dispersion(commands) / commands).sqrt()
}

/// Rounds to `count` significant digits.
pub(super) fn digits(figure: f64, count: usize) -> f64 {
    format!("{figure:.*e}", count - 1).parse().unwrap_or(figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    const BURSTS: [Bursts; 5] = [
        Bursts { factor: 5.0, share: 0.1, seconds: 1.0 },
        Bursts { factor: 2.0, share: 0.3, seconds: 0.3 },
        Bursts { factor: 20.0, share: 0.05, seconds: 0.02 },
        Bursts { factor: 9.0, share: 0.1, seconds: 0.05 },
        Bursts { factor: 30.0, share: 0.02, seconds: 0.2 },
    ];
    const RATE: f64 = 100.0;

    /// Simulates the process: the next event is a command or the other phase.
    fn drawn(bursts: Bursts, commands: usize, seed: u64) -> Vec<u64> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let calm_seconds = bursts.seconds * (1.0 - bursts.share) / bursts.share;
        let phases = [(bursts.calm_factor() * RATE, calm_seconds), (bursts.factor * RATE, bursts.seconds)];
        let (mut in_burst, mut now, mut times) = (false, 0.0, Vec::new());
        while times.len() < commands {
            let (rate, seconds) = phases[usize::from(in_burst)];
            let either = rate + 1.0 / seconds;
            now -= (1.0 - random.random::<f64>()).ln() / either;
            if random.random::<f64>() * either < rate {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
                times.push((now * 1e9) as u64);
            } else {
                in_burst = !in_burst;
            }
        }
        times
    }

    fn spacing(times: &[u64]) -> Spacing {
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let each_time = |record: &mut dyn FnMut(u64)| {
            times.iter().copied().for_each(record);
            io::Result::Ok(())
        };
        Spacing::counted(times.len() as u64, times[times.len() - 1], variance.sqrt() / mean, each_time).unwrap()
    }

    #[track_caller]
    fn assert_near(found: f64, expected: f64, within: f64, what: &str) {
        assert!((found / expected - 1.0).abs() <= within, "{what}: {found}, expected {expected}");
    }

    #[test]
    fn closed_forms_agree_with_simulations() {
        for bursts in BURSTS {
            let candidate = Candidate::of(bursts, RATE);
            let found = spacing(&drawn(bursts, 400_000, 1));
            assert_near(found.cv, candidate.cv(), 0.04, &format!("{bursts:?}, variation"));
            for &(window, count, dispersion) in found.dispersions.iter().filter(|(_, count, _)| *count >= 1_000.0) {
                let expected = candidate.sample_dispersion(window, count);
                assert_near(dispersion, expected, 0.12, &format!("{bursts:?}, {window}"));
            }
        }
    }

    #[test]
    fn limits_are_those_of_the_literature() {
        let long = Candidate::of(Bursts { factor: 5.0, share: 0.1, seconds: 1e6 }, RATE);
        assert_near(long.cv().powi(2), 2.0 * (0.1 / 5.0 + 0.9_f64.powi(2) / 0.5) - 1.0, 1e-4, "hyperexponential");
        let short = Candidate::of(BURSTS[0], RATE);
        assert_near(short.dispersion(1e9), 1.0 + 2.0 * 0.1 * 4.0_f64.powi(2) * 100.0, 1e-4, "all windows");
        // Without commands between bursts the times between them are independent of each other.
        let interrupted = Candidate::of(BURSTS[2], RATE);
        assert_near(interrupted.dispersion(1e9), interrupted.cv().powi(2), 1e-4, "renewal process");
    }

    #[test]
    fn parameters_are_found_again() {
        for bursts in BURSTS {
            for seed in 1..4 {
                let found = resembling(&spacing(&drawn(bursts, 400_000, seed)), RATE).unwrap();
                assert!(found.factor * found.share <= 1.0 && found.factor > 1.0, "{found:?}");
                let what = format!("seed {seed}: {found:?} of {bursts:?}");
                assert_near(found.factor, bursts.factor, 0.25, &what);
                assert_near(found.share, bursts.share, 0.3, &what);
                assert_near(found.seconds, bursts.seconds, 0.35, &what);
            }
        }
    }
}
