//! What must hold before a measurement begins: space on the disk, and a host that others leave idle.

use std::thread;
use std::time::Duration;

use super::control::Control;
use super::error::RunError;
use super::source::Source;
use crate::measure::{Disturbance, ResourceUsage, Snapshot};
use crate::units;

/// Bytes on the disk per byte of preload: the database, its log, and the output of a compaction.
const DISK_PER_PRELOAD: f64 = 3.0;
/// Time for which the host is observed.
const WINDOW: Duration = Duration::from_millis(500);
/// Windows that are all disturbed on a busy host: one may see what a process that has just ended leaves behind.
const WINDOWS: u32 = 6;

impl Source {
    /// Checks that its preload fits the free space of the disk.
    ///
    /// # Errors
    ///
    /// [`RunError::Settings`] with what is needed.
    pub(crate) fn check_space(&self, free_bytes: u64) -> Result<(), RunError> {
        let (preload_bytes, free_bytes) = (self.preload_bytes() as f64, free_bytes as f64);
        let needed_bytes = DISK_PER_PRELOAD * preload_bytes;
        if needed_bytes <= free_bytes {
            return Ok(());
        }
        let [preload, needed, free] = [preload_bytes, needed_bytes, free_bytes].map(units::bytes);
        Err(RunError::Settings(format!(
            "`{}` preloads {preload}, which needs about {needed} of disk; {free} are free. Give --data-dir on a larger disk, or \
             a smaller preload",
            self.name()
        )))
    }
}

/// Observes a host of so many `cores` for half a second, and for three if others use it.
///
/// The load average is no measure for this: it decays for minutes after the measurement before.
///
/// # Errors
///
/// [`RunError::BusyHost`] if what others do would make every result inconclusive.
pub(crate) fn require_idle_host(cores: u32, control: &Control) -> Result<(), RunError> {
    idle_window(cores, || Some(usage_of_window()).filter(|_| !control.is_stopped()))
}

/// What others did during half a second that would make a result inconclusive, in words; empty on an idle host.
pub(crate) fn disturbances_now(cores: u32) -> Vec<String> {
    usage_of_window().disturbances(cores).into_iter().map(disturbance_text).collect()
}

fn usage_of_window() -> ResourceUsage {
    let before = Snapshot::now();
    thread::sleep(WINDOW);
    ResourceUsage::between(&before, &Snapshot::now(), WINDOW)
}

/// Looks for a window without disturbances; `None` of `observe` ends the search.
fn idle_window(cores: u32, mut observe: impl FnMut() -> Option<ResourceUsage>) -> Result<(), RunError> {
    let mut seen = Vec::new();
    for _ in 0..WINDOWS {
        seen = observe().map(|usage| usage.disturbances(cores)).unwrap_or_default();
        if seen.is_empty() {
            return Ok(());
        }
    }
    let seen: Vec<_> = seen.into_iter().map(disturbance_text).collect();
    Err(RunError::BusyHost { seen: seen.join(", "), cores })
}

/// `other processes kept 1.8 cores busy`.
pub(crate) fn disturbance_text(disturbance: Disturbance) -> String {
    match disturbance {
        Disturbance::Steal(percent) => format!("the hypervisor took {} of the CPU time", units::percent(percent)),
        Disturbance::ForeignCores(cores) => format!("other processes kept {cores:.1} cores busy"),
        Disturbance::Swap(bytes) => format!("the machine swapped {}", units::bytes(bytes as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn windows(foreign_cores: &[f64]) -> Result<(), RunError> {
        let mut left = foreign_cores.iter();
        idle_window(2, || {
            left.next().map(|&cores| ResourceUsage { foreign_cores: Some(cores), ..ResourceUsage::default() })
        })
    }

    #[test]
    fn a_host_is_busy_if_every_window_is_disturbed() {
        assert!(windows(&[0.1]).is_ok());
        assert!(windows(&[1.9, 1.9, 0.1]).is_ok(), "what was there has ended");
        assert!(windows(&[1.9]).is_ok(), "stopped by Ctrl-C");
        let error = windows(&[1.9; 6]).unwrap_err().to_string();
        assert_eq!(
            error,
            "other processes kept 1.9 cores busy, of 2 cores: results would be inconclusive; wait until they have ended, or \
             measure with --anyway"
        );
    }

    #[test]
    fn a_preload_needs_three_times_its_size() {
        let mut workload = Workload::find("ledger").unwrap();
        workload.name = "shop".to_owned();
        let source = Source::Workload(workload.into());
        let needed = 3 * source.preload_bytes();
        assert!(source.check_space(needed).is_ok());
        let error = source.check_space(needed - 1).unwrap_err().to_string();
        assert!(error.starts_with("`shop` preloads ") && error.contains("--data-dir"), "{error}");
    }
}
