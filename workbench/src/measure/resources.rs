//! Resource use of this process and its machine during a measurement.

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// Consumption between start and stop of a `ResourceSampler`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceUsage {
    /// Wall time, seconds.
    pub wall_seconds: f64,
    /// CPU time of the process, seconds.
    pub cpu_seconds: f64,
    /// Largest resident set seen, bytes.
    pub rss_peak_bytes: u64,
    /// Bytes the process caused to be sent to storage; `None` if unknown.
    pub written_bytes: Option<u64>,
    /// Bytes the process read from storage; `None` if unknown.
    pub read_bytes: Option<u64>,
    /// CPU time that the hypervisor gave to other machines, percent of all; `None` if unknown.
    pub steal_percent: Option<f64>,
    /// Cores used by other processes of the machine, mean; `None` if unknown.
    pub foreign_cores: Option<f64>,
    /// Bytes the machine swapped in or out meanwhile; `None` if unknown.
    pub swapped_bytes: Option<u64>,
}

impl ResourceUsage {
    /// Consumption between two snapshots, `wall` apart. The peak resident set is the larger of both.
    pub fn between(before: &Snapshot, after: &Snapshot, wall: Duration) -> Self {
        let machine = before.machine.zip(after.machine);
        let wall_seconds = wall.as_secs_f64();
        let cpu_seconds = after.cpu_seconds - before.cpu_seconds;
        let counted = |before: Option<u64>, after: Option<u64>| {
            before.zip(after).map(|(before, after)| after.saturating_sub(before))
        };
        Self {
            wall_seconds,
            cpu_seconds,
            rss_peak_bytes: before.rss_bytes.max(after.rss_bytes),
            written_bytes: counted(before.written_bytes, after.written_bytes),
            read_bytes: counted(before.read_bytes, after.read_bytes),
            steal_percent: machine.map(|(before, after)| after.steal_since(before)),
            // Clock ticks are coarser than the process clock, so a short difference may be negative.
            foreign_cores: machine
                .filter(|_| wall_seconds > 0.0)
                .map(|(before, after)| ((after.busy_since(before) - cpu_seconds) / wall_seconds).max(0.0)),
            swapped_bytes: counted(before.swapped_bytes, after.swapped_bytes),
        }
    }
}

/// Cumulative consumption of the process and its machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// CPU time, seconds.
    pub cpu_seconds: f64,
    /// Resident set, bytes, 0 where the system does not tell.
    pub rss_bytes: u64,
    /// Bytes it caused to be sent to storage; `None` if unknown.
    pub written_bytes: Option<u64>,
    /// Bytes it had to read from storage; `None` if unknown.
    pub read_bytes: Option<u64>,
    /// CPU time of the machine; `None` if unknown.
    pub machine: Option<MachineTime>,
    /// Bytes the machine swapped in and out since it was started; `None` if unknown.
    pub swapped_bytes: Option<u64>,
}

impl Snapshot {
    /// The current figures.
    pub fn now() -> Self {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let swapped = |name| number_of("/proc/vmstat", name);
        let swapped_pages = || Some(swapped("pswpin ")? + swapped("pswpout ")?);
        Self {
            cpu_seconds: spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9,
            rss_bytes: rss_bytes(),
            written_bytes: number_of("/proc/self/io", "write_bytes:"),
            read_bytes: number_of("/proc/self/io", "read_bytes:"),
            machine: MachineTime::now(),
            swapped_bytes: swapped_pages().map(|pages| pages * rustix::param::page_size() as u64),
        }
    }
}

/// Resident memory of this process that is no file, bytes: heap and stacks; `None` if the system does not report it.
pub(crate) fn anonymous_bytes() -> Option<u64> {
    number_of("/proc/self/status", "RssAnon:").map(|kibibytes| kibibytes << 10)
}

/// Samples the process until it is stopped.
#[derive(Debug)]
pub(crate) struct ResourceSampler {
    started: Instant,
    before: Snapshot,
    /// Its drop ends the watcher.
    running: Sender<()>,
    /// Returns the largest resident set it saw.
    watcher: JoinHandle<u64>,
}

impl ResourceSampler {
    /// Starts a thread that samples the resident set ten times a second.
    pub(crate) fn start() -> Self {
        let (running, ended) = channel();
        let watcher = std::thread::spawn(move || {
            let mut peak = rss_bytes();
            while ended.recv_timeout(SAMPLE_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                peak = peak.max(rss_bytes());
            }
            peak
        });
        Self { started: Instant::now(), before: Snapshot::now(), running, watcher }
    }

    /// Stops sampling and returns the consumption.
    pub(crate) fn stop(self) -> ResourceUsage {
        drop(self.running);
        // The watcher cannot panic in a way that matters here: the snapshots have resident sets as well.
        let peak = self.watcher.join().unwrap_or(0);
        let usage = ResourceUsage::between(&self.before, &Snapshot::now(), self.started.elapsed());
        ResourceUsage { rss_peak_bytes: peak.max(usage.rss_peak_bytes), ..usage }
    }
}

/// Resident set of this process in bytes, 0 where the system does not tell.
fn rss_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// The number behind a name, at the beginning of a line.
fn number_of(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Cumulative CPU time of the machine, clock ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineTime {
    /// Of all cores, idle time included.
    pub all: u64,
    /// Given to other machines by the hypervisor.
    pub steal: u64,
    /// Not idle, of all processes.
    pub busy: u64,
}

impl MachineTime {
    fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// First line of `/proc/stat`: `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guest time
    /// is already part of user time.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
        let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks.try_into().ok()?;
        let busy = user + nice + system + irq + softirq;
        Some(Self { all: busy + idle + iowait + steal, steal, busy })
    }

    fn busy_since(self, before: Self) -> f64 {
        self.busy.saturating_sub(before.busy) as f64 / rustix::param::clock_ticks_per_second() as f64
    }

    fn steal_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all).max(1);
        100.0 * self.steal.saturating_sub(before.steal) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_between_start_and_stop_is_counted() {
        let sampler = ResourceSampler::start();
        let mut held = vec![0u8; 64 << 20];
        held.iter_mut().step_by(4096).for_each(|page| *page = 1);
        let mut sum = 0u64;
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(50) {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        let usage = sampler.stop();
        assert!(sum > 0 && held[0] == 1);
        assert!(usage.cpu_seconds > 0.0);
        assert!(usage.rss_peak_bytes > 64 << 20);
    }

    #[test]
    fn steal_is_its_share_of_the_ticks_in_between() {
        let before = MachineTime::parse("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1").unwrap();
        let after = MachineTime::parse("cpu  150 0 120 820 0 0 0 10 0 0").unwrap();
        assert!((after.steal_since(before) - 10.0).abs() < 1e-9);
        assert_eq!(after.busy - before.busy, 70);
    }
}
