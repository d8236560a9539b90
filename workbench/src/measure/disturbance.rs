//! Disturbances by other processes and machines that invalidate a measurement.

use serde::{Deserialize, Serialize};

use super::resources::ResourceUsage;

/// Steal, percent of all CPU time: warning, and invalid result.
pub(crate) const STEAL_PERCENT: [f64; 2] = [2.0, 10.0];
/// Share of the cores used by other processes: warning, and invalid result.
pub(crate) const FOREIGN_SHARE: [f64; 2] = [0.1, 0.4];
/// Swapped bytes above which a result is invalid; single pages are normal.
pub(crate) const SWAPPED_BYTES: u64 = 1 << 20;

/// A cause of an invalid measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// CPU time that the hypervisor gave to other machines, percent.
    Steal(f64),
    /// Cores used by other processes.
    ForeignCores(f64),
    /// Bytes the machine swapped.
    Swap(u64),
}

impl ResourceUsage {
    /// The disturbances of a measurement with this usage on a machine with `cores` cores.
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
    fn usage_above_a_limit_is_a_disturbance() {
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
        assert_eq!(ResourceUsage::default().disturbances(2), [], "unknown usage is no disturbance");
    }
}
