//! The machine to order if the demand is uncertain or grows.
//!
//! A choice is judged by its regret under each possible demand: what it costs, over some months, more than always having
//! the cheapest machine that is enough. Too large a machine costs the difference of the prices, month by month. Too small
//! a one must be replaced when the demand reaches its limit; a replacement costs [`MOVE_MONTHS`] of the new machine, since
//! both run while the data are moved. A machine that is too large is not replaced. Of the machines that are enough for the
//! likely demand today, the one whose largest regret is least is taken: L. J. Savage, "The Theory of Statistical Decision",
//! Journal of the American Statistical Association 46 (1951).

use crate::report::suffices;

/// Months of the new machine's price that a replacement costs.
pub(super) const MOVE_MONTHS: f64 = 1.0;

/// A machine that may be ordered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) per_month: f64,
    /// The highest demand of today that it is known to be enough for until the horizon.
    pub(super) usable_per_second: f64,
    /// The highest demand that it is known to sustain while the demand grows, the size of its disk aside.
    pub(super) sustained_per_second: f64,
}

impl Choice {
    fn sustains(&self, demand: Growing, month: u32) -> bool {
        suffices(self.usable_per_second, demand.per_second) && self.sustained_per_second >= demand.after(month)
    }
}

/// A demand, and how it grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growing {
    pub(super) per_second: f64,
    /// Factor per month, 1 or more.
    pub(super) factor: f64,
}

impl Growing {
    fn after(self, months: u32) -> f64 {
        self.per_second * self.factor.powf(f64::from(months))
    }

    /// Months until it exceeds a rate: 0 if it does today; `None` if it never does.
    pub(super) fn months_until(self, per_second: f64) -> Option<f64> {
        if self.per_second > per_second {
            return Some(0.0);
        }
        (self.factor > 1.0).then(|| (per_second / self.per_second).ln() / self.factor.ln())
    }
}

/// The choice that is regretted least, as a place in `options`, and its regret under each demand. `options` are sorted by
/// price; `demands` are ascending, and `likely` is the place of one of them. `None` if no option is enough for that.
pub(super) fn least_regret(
    options: &[Choice],
    demands: &[Growing],
    likely: usize,
    months: f64,
) -> Option<(usize, Vec<f64>)> {
    let today = demands.get(likely)?.per_second;
    let enough = options.iter().enumerate().filter(|(_, option)| suffices(option.usable_per_second, today));
    let judged = enough.map(|(place, _)| {
        let regrets: Vec<f64> = demands.iter().map(|&demand| regret(options, place, demand, months)).collect();
        (place, regrets)
    });
    let most = |regrets: &[f64]| regrets.iter().copied().fold(0.0, f64::max);
    // Of equal ones the first, which is the cheapest.
    judged.min_by(|a, b| most(&a.1).total_cmp(&most(&b.1)))
}

/// What a choice costs more than always having the cheapest machine that is enough. It ends with the month in which none is.
fn regret(options: &[Choice], choice: usize, demand: Growing, months: f64) -> f64 {
    let (mut current, mut regret) = (&options[choice], 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months, a thousand at most")]
    let begun = months.ceil().clamp(1.0, 1_200.0) as u32;
    for month in 0..begun {
        let share = (months - f64::from(month)).min(1.0);
        let Some(cheapest) = options.iter().find(|option| option.sustains(demand, month)) else { break };
        if !current.sustains(demand, month) {
            current = cheapest;
            regret += MOVE_MONTHS * current.per_month;
        }
        regret += share * (current.per_month - cheapest.per_month);
    }
    regret
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn options(figures: &[(f64, f64)]) -> Vec<Choice> {
        let option = |&(per_month, usable_per_second): &(f64, f64)| Choice {
            name: format!("{per_month}"),
            per_month,
            usable_per_second,
            sustained_per_second: usable_per_second,
        };
        figures.iter().map(option).collect()
    }

    fn steady(per_second: f64) -> Growing {
        Growing { per_second, factor: 1.0 }
    }

    #[test]
    fn a_certain_demand_that_does_not_grow_takes_the_cheapest_that_is_enough() {
        let options = options(&[(10.0, 500.0), (20.0, 1_000.0), (40.0, 2_000.0)]);
        let (place, regrets) = least_regret(&options, &[steady(800.0)], 0, 12.0).unwrap();
        assert_eq!((place, regrets), (1, vec![0.0]));
        assert_eq!(least_regret(&options, &[steady(3_000.0)], 0, 12.0), None);
    }

    #[test]
    fn a_part_of_a_month_costs_its_part() {
        let options = options(&[(10.0, 500.0), (20.0, 1_000.0)]);
        let demands = [steady(400.0), steady(800.0)];
        let (place, regrets) = least_regret(&options, &demands, 1, 2.5).unwrap();
        assert_eq!((place, regrets), (1, vec![25.0, 0.0]));
    }

    #[test]
    fn a_larger_machine_is_worth_its_price_where_the_smaller_one_is_soon_too_small() {
        let options = options(&[(10.0, 1_000.0), (14.0, 2_000.0)]);
        let growing = |factor| [Growing { per_second: 900.0, factor }];
        // Two months until it is too small: 2 x 4 for the larger one at once, 14 for a move.
        assert_eq!(least_regret(&options, &growing(1.06), 0, 12.0).unwrap(), (1, vec![8.0]));
        // Eleven months: 11 x 4 at once, 14 for the move.
        assert_eq!(least_regret(&options, &growing(1.01), 0, 12.0).unwrap(), (0, vec![14.0]));
    }

    #[test]
    fn the_worst_case_decides_between_low_and_high_demand() {
        // A move costs 11, which is less than a year of the difference.
        let far = options(&[(5.0, 500.0), (10.0, 1_000.0), (11.0, 5_000.0)]);
        let demands = [steady(500.0), steady(900.0), steady(5_000.0)];
        assert_eq!(least_regret(&far, &demands, 1, 12.0).unwrap(), (1, vec![60.0, 0.0, 11.0]));
        // Where the demand cannot be low, the larger one costs 6 at most.
        let close = options(&[(10.0, 1_000.0), (10.5, 5_000.0)]);
        assert_eq!(least_regret(&close, &demands[1..], 0, 12.0).unwrap(), (1, vec![6.0, 0.0]));
    }

    #[test]
    fn a_disk_that_lasts_for_the_demand_of_today_is_not_replaced_when_the_demand_has_grown() {
        // Twice as much today would fill the disk before the horizon; what today's demand grows to does not.
        let option = Choice { sustained_per_second: 4_000.0, ..options(&[(10.0, 1_000.0)]).remove(0) };
        let larger = options(&[(20.0, 4_000.0)]).remove(0);
        let growing = [Growing { per_second: 900.0, factor: 1.06 }];
        assert_eq!(least_regret(&[option, larger], &growing, 0, 12.0).unwrap(), (0, vec![0.0]));
    }

    #[test]
    fn months_count_until_the_demand_exceeds_a_rate() {
        let growing = Growing { per_second: 100.0, factor: 1.04 };
        assert!((growing.months_until(100.0 * 1.04_f64.powi(6)).unwrap() - 6.0).abs() < 1e-9);
        assert_eq!(growing.months_until(99.0), Some(0.0));
        assert_eq!(steady(100.0).months_until(100.0), None);
    }

    proptest! {
        #[test]
        fn no_other_choice_has_a_smaller_largest_regret(
            mut figures in prop::collection::vec((1.0f64..100.0, 100.0f64..5_000.0), 1..6),
            targets in prop::collection::vec(50.0f64..4_000.0, 3),
            factor in 1.0f64..1.1,
        ) {
            figures.sort_by(|a, b| a.0.total_cmp(&b.0));
            let options = options(&figures);
            let mut targets = targets;
            targets.sort_by(f64::total_cmp);
            let demands: Vec<_> = targets.iter().map(|&per_second| Growing { per_second, factor }).collect();
            let most = |place| demands.iter().map(|&demand| regret(&options, place, demand, 12.0)).fold(0.0, f64::max);
            if let Some((place, _)) = least_regret(&options, &demands, 1, 12.0) {
                prop_assert!(options[place].usable_per_second >= targets[1]);
                let enough = (0..options.len()).filter(|&other| options[other].usable_per_second >= targets[1]);
                for other in enough {
                    prop_assert!(most(place) <= most(other) + 1e-9);
                }
            }
        }
    }
}
