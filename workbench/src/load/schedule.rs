//! When commands are due: one schedule for every kind of load.
//!
//! An open loop has an intensity, commands per nanosecond, that may change with time: linearly on a ramp, in steps with
//! bursts. Commands are spaced in the *amount* of load offered so far, evenly or at random; a command is due when its amount
//! is reached. So one way of spacing serves every intensity (the time change of an inhomogeneous Poisson process: E. Çınlar,
//! "Introduction to Stochastic Processes", 1975, ch. 4).

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::spec::Load;
use super::turn::Turn;
use super::window::Window;
use crate::workload::{Arrivals, Bursts, mix};

/// The due times of one worker's commands, in nanoseconds of the clock.
///
/// A due time never depends on how long anything took: a late command does not move the ones after it.
#[derive(Debug)]
pub(super) enum Schedule {
    WhenFree,
    Paced(Box<Paced>),
    Trace { start_ns: u64, speed: f64 },
}

/// Salts of the random generators: arrivals, bursts, commands and values have streams of their own.
const ARRIVAL_SALT: u64 = 0xa2 << 32;
const BURST_SALT: u64 = 0xa3 << 32;

impl Schedule {
    /// The schedule of a worker. Each load of a session has its own arrivals, by the window's number.
    pub(super) fn new(
        window: &Window,
        Turn { worker, workers, share, commands_per_arrival, .. }: Turn,
        seed: u64,
    ) -> Self {
        let (intensity, arrivals) = match window.load {
            Load::Closed => return Self::WhenFree,
            Load::TraceTimes { speed } => return Self::Trace { start_ns: window.start_ns, speed },
            Load::Open { per_second, arrivals: Arrivals::Bursts(bursts) } => {
                let random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, 0, BURST_SALT + window.number, 0));
                (Intensity::Bursts(Phases::new(bursts, per_second / 1e9, window.start_ns, random)), Arrivals::Poisson)
            }
            Load::Open { per_second, arrivals } => (Intensity::Constant(per_second / 1e9), arrivals),
            Load::Ramp { from_per_second, to_per_second, arrivals } => {
                let [from, to] = [from_per_second, to_per_second].map(|rate| rate / 1e9);
                let [start_ns, end_ns] = window.ramp_ns().map(|moment| moment as f64);
                (Intensity::Ramp { from, to, start_ns, end_ns }, arrivals)
            }
        };
        let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, worker, ARRIVAL_SALT + window.number, workers));
        let is_random = arrivals != Arrivals::Constant;
        // Workers take turns, so that evenly spaced commands are even over all workers. Random streams of the workers add up
        // to one random stream.
        let step = commands_per_arrival / share;
        let first = step * if is_random { exponential(&mut random) } else { worker as f64 / workers as f64 };
        let random = is_random.then_some(random);
        Self::Paced(Box::new(Paced { intensity, at_ns: window.start_ns as f64, until_due: first, step, random }))
    }

    /// When the next command is due, or the next transaction, with all its commands; `None` is immediately. `at_ns` is its time in the trace.
    pub(super) fn due(&mut self, at_ns: Option<u64>) -> Option<u64> {
        match self {
            Self::WhenFree => None,
            Self::Trace { start_ns, speed } => Some(start_ns.saturating_add(to_ns(at_ns.unwrap_or(0) as f64 / *speed))),
            Self::Paced(paced) => Some(paced.due()),
        }
    }
}

/// Commands spaced in the amount of load offered to all workers.
#[derive(Debug)]
pub(super) struct Paced {
    intensity: Intensity,
    at_ns: f64,
    /// Commands of all workers from then to this worker's next one.
    until_due: f64,
    step: f64,
    random: Option<Xoshiro256PlusPlus>,
}

impl Paced {
    fn due(&mut self) -> u64 {
        self.at_ns = self.intensity.after(self.at_ns, self.until_due);
        self.until_due = self.step * self.random.as_mut().map_or(1.0, exponential);
        // Sums of fractions: cut off, the first command behind the end would be due a nanosecond before it.
        to_ns(self.at_ns.round())
    }
}

/// Commands per nanosecond over all workers as a function of time.
#[derive(Debug)]
enum Intensity {
    Constant(f64),
    /// `from` until `start_ns`, then linear to `to` at `end_ns`, then `to`.
    Ramp {
        from: f64,
        to: f64,
        start_ns: f64,
        end_ns: f64,
    },
    Bursts(Phases),
}

impl Intensity {
    /// When `amount` more commands will have been offered than at `at_ns`.
    fn after(&mut self, at_ns: f64, amount: f64) -> f64 {
        match self {
            Self::Constant(rate) => at_ns + amount / *rate,
            Self::Ramp { from, to, start_ns, end_ns } => on_ramp([*from, *to], [*start_ns, *end_ns], at_ns, amount),
            Self::Bursts(phases) => phases.after(at_ns, amount),
        }
    }
}

fn on_ramp(rates: [f64; 2], [start_ns, end_ns]: [f64; 2], mut at_ns: f64, mut amount: f64) -> f64 {
    if at_ns < start_ns {
        let level = (start_ns - at_ns) * rates[0];
        if amount <= level {
            return at_ns + amount / rates[0];
        }
        (at_ns, amount) = (start_ns, amount - level);
    }
    if at_ns < end_ns {
        let slope = (rates[1] - rates[0]) / (end_ns - start_ns);
        let rate = rates[0] + slope * (at_ns - start_ns);
        let rest = (end_ns - at_ns) * rate.midpoint(rates[1]);
        if amount <= rest {
            // The root of `rate t + slope t^2 / 2 = amount`, in the form that loses no digits where the slope is small.
            let root = (rate * rate + 2.0 * slope * amount).max(0.0).sqrt();
            return at_ns + 2.0 * amount / (rate + root);
        }
        (at_ns, amount) = (end_ns, amount - rest);
    }
    at_ns + amount / rates[1]
}

/// Bursts between two commands that are drawn at most.
const MOST_PHASES: f64 = 10_000.0;

/// Bursts and the calm between them, of random lengths: a Poisson process with two rates. All workers draw the same phases.
#[derive(Debug)]
struct Phases {
    rates: [f64; 2],
    mean_ns: [f64; 2],
    in_burst: bool,
    end_ns: f64,
    random: Xoshiro256PlusPlus,
}

impl Phases {
    fn new(bursts: Bursts, mean_rate: f64, start_ns: u64, mut random: Xoshiro256PlusPlus) -> Self {
        let burst_ns = 1e9 * bursts.seconds;
        let mean_ns = [burst_ns * (1.0 - bursts.share) / bursts.share, burst_ns];
        let in_burst = random.random::<f64>() < bursts.share;
        // The rest of a phase does not depend on how long it has lasted.
        let end_ns = start_ns as f64 + mean_ns[usize::from(in_burst)] * exponential(&mut random);
        Self {
            rates: [bursts.calm_factor(), bursts.factor].map(|factor| factor * mean_rate),
            mean_ns,
            in_burst,
            end_ns,
            random,
        }
    }

    fn after(&mut self, mut at_ns: f64, mut amount: f64) -> f64 {
        let [calm_ns, burst_ns] = self.mean_ns;
        let per_phases = calm_ns * self.rates[0] + burst_ns * self.rates[1];
        loop {
            if amount > MOST_PHASES * per_phases {
                // So many phases average out, and to draw each of them could take for ever.
                at_ns += amount / per_phases * (calm_ns + burst_ns);
                self.end_ns = self.end_ns.max(at_ns);
                return at_ns;
            }
            let rate = self.rates[usize::from(self.in_burst)];
            let rest = (self.end_ns - at_ns) * rate;
            if amount <= rest {
                return at_ns + amount / rate;
            }
            (at_ns, amount) = (self.end_ns, amount - rest);
            self.in_burst = !self.in_burst;
            self.end_ns += self.mean_ns[usize::from(self.in_burst)] * exponential(&mut self.random);
        }
    }
}

/// A random number of the exponential distribution with mean 1.
fn exponential(random: &mut Xoshiro256PlusPlus) -> f64 {
    -(1.0 - random.random::<f64>()).ln()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds of a run, not negative")]
fn to_ns(nanoseconds: f64) -> u64 {
    nanoseconds as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn window(load: Load, number: u64, seconds: u64) -> Window {
        Window::fixed(load, 1_000, Some(seconds * SECOND), number)
    }

    fn due_times(load: Load, workers: u64, until_ns: u64) -> Vec<u64> {
        let mut times: Vec<u64> = (0..workers)
            .flat_map(|worker| {
                let mut schedule = Schedule::new(&window(load, 0, 100), Turn::equal(worker, workers), 9);
                std::iter::from_fn(move || schedule.due(None))
                    .take_while(move |&due| due < until_ns)
                    .collect::<Vec<_>>()
            })
            .collect();
        times.sort_unstable();
        times
    }

    fn counts(times: &[u64], window_ns: u64, windows: usize) -> Vec<f64> {
        let mut counts = vec![0.0; windows];
        for time in times {
            if let Some(count) = usize::try_from(time / window_ns).ok().and_then(|place| counts.get_mut(place)) {
                *count += 1.0;
            }
        }
        counts
    }

    #[test]
    fn constant_arrivals_are_even_over_all_workers() {
        let load = Load::Open { per_second: 1e6, arrivals: Arrivals::Constant };
        let times = due_times(load, 4, 400_000);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1_000), "{times:?}");
        assert_eq!(times.len(), 399);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() {
        let load = Load::Open { per_second: 1e5, arrivals: Arrivals::Poisson };
        for workers in [1, 3] {
            let times = due_times(load, workers, SECOND / 2);
            let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
            assert!((mean / 10_000.0 - 1.0).abs() < 0.02, "mean gap {mean}");
            assert!((deviation / mean - 1.0).abs() < 0.03, "coefficient of variation {}", deviation / mean);
        }
    }

    /// From 1,000 to 3,000 per second in 100 s: after `t` seconds `1,000 t + 10 t^2` commands were due.
    #[test]
    fn a_ramp_rises_linearly() {
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            let load = Load::Ramp { from_per_second: 1_000.0, to_per_second: 3_000.0, arrivals };
            let times = due_times(load, 2, 120 * SECOND);
            for (seconds, expected) in [(10.0, 11_000.0), (50.0, 75_000.0), (100.0, 200_000.0), (110.0, 230_000.0)] {
                let by_then = times.partition_point(|&time| (time as f64) < seconds * 1e9) as f64;
                let chance = if arrivals == Arrivals::Constant { 1.0 } else { 4.0 * f64::sqrt(expected) };
                assert!((by_then - expected).abs() <= chance, "{by_then} after {seconds} s, expected {expected}");
            }
        }
        let falling = Load::Ramp { from_per_second: 3_000.0, to_per_second: 1_000.0, arrivals: Arrivals::Constant };
        let times = due_times(falling, 1, 100 * SECOND);
        assert!((times.len() as f64 - 200_000.0).abs() <= 1.0, "{}", times.len());
    }

    #[test]
    fn bursts_have_the_mean_rate_and_come_to_all_workers_at_once() {
        let bursts = Bursts { factor: 5.0, share: 0.1, seconds: 0.5 };
        let load = Load::Open { per_second: 1_000.0, arrivals: Arrivals::Bursts(bursts) };
        let windows = 20_000;
        let times = due_times(load, 4, windows as u64 * SECOND / 10);
        let counts = counts(&times, SECOND / 10, windows);
        let mean = counts.iter().sum::<f64>() / windows as f64;
        assert!((mean / 100.0 - 1.0).abs() < 0.05, "{mean} in a tenth of a second");
        let bursting = counts.iter().filter(|&&count| count > 300.0).count() as f64 / windows as f64;
        // Windows in which a burst begins or ends lie in between.
        assert!((0.06..0.12).contains(&bursting), "bursts take {bursting} of the time");
        let calm = counts.iter().filter(|&&count| (25.0..90.0).contains(&count)).count() as f64 / windows as f64;
        assert!(calm > 0.8, "the calm goes at 56 in a tenth of a second: {calm}");
    }

    #[test]
    fn bursts_far_shorter_than_the_time_between_commands_average_out() {
        let bursts = Bursts { factor: 50.0, share: 0.01, seconds: 1e-15 };
        let load = Load::Open { per_second: 100.0, arrivals: Arrivals::Bursts(bursts) };
        let times = due_times(load, 2, 100 * SECOND);
        assert!((9_600..10_400).contains(&times.len()), "{} in 100 s", times.len());
    }

    #[test]
    fn the_same_rate_offered_again_comes_with_other_arrivals() {
        let load = Load::Open { per_second: 1e5, arrivals: Arrivals::Poisson };
        let first_due = |number| Schedule::new(&window(load, number, 1), Turn::equal(0, 1), 9).due(None);
        assert_eq!(first_due(3), first_due(3));
        assert_ne!(first_due(3), first_due(4));
    }

    #[test]
    fn a_trace_runs_faster_by_its_speed() {
        let load = Load::TraceTimes { speed: 10.0 };
        let mut schedule = Schedule::new(&Window::fixed(load, 500, None, 0), Turn::equal(0, 1), 0);
        assert_eq!(schedule.due(Some(0)), Some(500));
        assert_eq!(schedule.due(Some(1_000_000)), Some(100_500));
    }
}
