//! When others took so much of the machine that a measurement says little of what was measured.

use serde::{Deserialize, Serialize};

use super::resources::ResourceUsage;

/// Steal, percent of all CPU time, that is worth a warning, and that spoils a result.
pub(crate) const STEAL_PERCENT: [f64; 2] = [2.0, 10.0];
/// Share of the cores kept busy by other processes that is worth a warning, and that spoils a result.
pub(crate) const FOREIGN_SHARE: [f64; 2] = [0.1, 0.4];
/// Bytes swapped that spoil a result: single pages come and go.
pub(crate) const SWAPPED_BYTES: u64 = 1 << 20;

/// What took time away from the system under test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// The hypervisor gave this share of the CPU time to others, percent.
    Steal(f64),
    /// Other processes kept so many cores busy.
    ForeignCores(f64),
    /// The machine swapped so many bytes.
    Swap(u64),
}

impl ResourceUsage {
    /// What spoils a measurement that consumed this on a machine with so many cores.
    pub fn disturbances(&self, cores: u32) -> Vec<Disturbance> {
        let steal = self.steal_percent.filter(|&percent| percent > STEAL_PERCENT[1]).map(Disturbance::Steal);
        let most_foreign = FOREIGN_SHARE[1] * f64::from(cores.max(1));
        let foreign = self.foreign_cores.filter(|&busy| busy > most_foreign).map(Disturbance::ForeignCores);
        let swap = self.swapped_bytes.filter(|&bytes| bytes > SWAPPED_BYTES).map(Disturbance::Swap);
        [steal, foreign, swap].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_no_disturbance_and_much_is() {
        let usage = |steal_percent, foreign_cores, swapped_bytes| ResourceUsage {
            steal_percent: Some(steal_percent),
            foreign_cores: Some(foreign_cores),
            swapped_bytes: Some(swapped_bytes),
            ..ResourceUsage::default()
        };
        assert_eq!(usage(9.0, 0.7, 4096).disturbances(2), []);
        assert_eq!(usage(11.0, 0.7, 4096).disturbances(2), [Disturbance::Steal(11.0)]);
        let swapped = 2 << 20;
        assert_eq!(
            usage(0.0, 0.9, swapped).disturbances(2),
            [Disturbance::ForeignCores(0.9), Disturbance::Swap(swapped)]
        );
        assert_eq!(usage(0.0, 0.9, 0).disturbances(8), []);
        assert_eq!(ResourceUsage::default().disturbances(2), [], "what the system does not tell is no disturbance");
    }
}
