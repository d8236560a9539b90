//! How many commands a demand that grows issues until a day.
//!
//! The demand grows by the same share in every month, so after `d` days it is `exp(r d)` times that of today. The commands
//! until then are its integral. They are counted in days of today's demand, which need no rate: at 500 commands/s as at
//! 5,000, twelve months at 4 % per month are as many commands as fifteen months of today.

use crate::units::DAYS_PER_MONTH;

/// Compound growth of a demand, none or more.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct DemandGrowth {
    /// Natural logarithm of the factor per day.
    per_day: f64,
}

impl DemandGrowth {
    /// Growth of 0 % per month or more.
    pub(super) fn of_percent_per_month(percent: f64) -> Self {
        Self { per_day: (percent / 100.0).ln_1p() / DAYS_PER_MONTH }
    }

    fn is_none(self) -> bool {
        self.per_day <= 0.0
    }

    /// The demand after so many days, as a multiple of today's.
    pub(super) fn factor_after(self, days: f64) -> f64 {
        (self.per_day * days).exp()
    }

    /// The commands of so many days, in days of today's demand.
    pub(super) fn commands_in(self, days: f64) -> f64 {
        if self.is_none() { days } else { (self.per_day * days).exp_m1() / self.per_day }
    }

    /// Days until so many commands are issued, in days of today's demand each: the inverse of [`Self::commands_in`].
    pub(super) fn days_of(self, commands: f64) -> f64 {
        if self.is_none() { commands } else { (self.per_day * commands).ln_1p() / self.per_day }
    }

    /// The commands of the last `retention` days after so many days, all of them if that is `None`; in days of today's demand.
    pub(super) fn kept_after(self, days: f64, retention: Option<f64>) -> f64 {
        let kept = retention.map_or(days, |retention| days.min(retention)).max(0.0);
        if self.is_none() {
            return kept;
        }
        self.factor_after((days - kept).max(0.0)) * self.commands_in(kept)
    }

    /// Days until so many commands are stored, in days of today's demand; `None` if never.
    #[cfg(any(feature = "rocksdb", test))]
    pub(super) fn days_until_kept(self, commands: f64, retention: Option<f64>) -> Option<f64> {
        let days = self.days_of(commands);
        let Some(retention) = retention.filter(|&retention| retention < days) else { return Some(days) };
        // Later, a full retention of a larger demand.
        (!self.is_none()).then(|| retention + (commands / self.commands_in(retention)).ln() / self.per_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn growth(percent: f64) -> DemandGrowth {
        DemandGrowth::of_percent_per_month(percent)
    }

    #[test]
    fn a_demand_without_growth_issues_as_much_every_day() {
        for days in [0.0, 0.3, 365.25, 36_525.0] {
            let none = growth(0.0);
            let found = [none.commands_in(days), none.days_of(days), none.kept_after(days, Some(30.0))];
            assert_eq!(found.map(f64::to_bits), [days, days, days.min(30.0)].map(f64::to_bits), "exactly");
        }
        assert_eq!(growth(0.0).days_until_kept(31.0, Some(30.0)), None);
        assert_eq!(growth(0.0).days_until_kept(30.0, Some(30.0)), Some(30.0));
    }

    #[test]
    fn four_percent_per_month_make_a_year_last_fifteen_months() {
        let (four, year) = (growth(4.0), 12.0 * DAYS_PER_MONTH);
        assert!((four.factor_after(year) - 1.04_f64.powi(12)).abs() < 1e-9);
        // The mean of 1.04^m over m from 0 to 12 is (1.04^12 - 1) / (12 ln 1.04).
        let mean = (1.04_f64.powi(12) - 1.0) / (12.0 * 1.04_f64.ln());
        assert!((four.commands_in(year) / year - mean).abs() < 1e-9 && (15.0..15.5).contains(&(12.0 * mean)), "{mean}");
    }

    proptest! {
        #[test]
        fn the_commands_are_the_integral_of_the_demand(percent in 0.0f64..30.0, days in 1.0f64..1_500.0) {
            let growth = growth(percent);
            let steps = 4_000_u32;
            let step = days / f64::from(steps);
            let sum: f64 = (0..steps).map(|number| step * growth.factor_after((f64::from(number) + 0.5) * step)).sum();
            prop_assert!((growth.commands_in(days) / sum - 1.0).abs() < 1e-4, "{} {sum}", growth.commands_in(days));
            prop_assert!((growth.days_of(growth.commands_in(days)) / days - 1.0).abs() < 1e-9);
        }

        #[test]
        fn what_is_kept_is_what_was_issued_since(percent in 0.0f64..30.0, days in 0.0f64..1_500.0, retention in 1.0f64..900.0) {
            let growth = growth(percent);
            let before = growth.commands_in((days - retention).max(0.0));
            let expected = growth.commands_in(days) - before;
            let kept = growth.kept_after(days, Some(retention));
            prop_assert!((kept - expected).abs() <= 1e-9 * growth.commands_in(days), "{kept} {expected}");
            if let Some(until) = growth.days_until_kept(kept, Some(retention)).filter(|_| percent > 0.1 || days < retention) {
                prop_assert!((until - days).abs() < 1e-6 * (1.0 + days), "{until} {days}");
            }
        }

        #[test]
        fn more_growth_stores_as_much_no_later(low in 0.0f64..20.0, more in 0.0f64..20.0, commands in 0.1f64..5_000.0) {
            let [slow, fast] = [low, low + more].map(|percent| growth(percent).days_of(commands));
            prop_assert!(fast <= slow * (1.0 + 1e-9));
        }
    }
}
