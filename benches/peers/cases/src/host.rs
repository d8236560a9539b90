//! This process and this host on Linux: `/proc`, and the page cache.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::{
    fs::{Advice, fadvise},
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

/// User and system CPU of this process, all threads.
pub fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Raises the limit of open files: some backends open several for each actor.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // If that is refused, opening more files fails with an error.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// CPU of the whole host since it started.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostCpu {
    /// Spent by processes, this one included.
    pub busy: Duration,
    /// Stolen by the hypervisor.
    pub steal: Duration,
}

impl HostCpu {
    /// As of now; zeroes if `/proc/stat` cannot be read.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let jiffies: Vec<u64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .filter_map(|field| field.parse().ok())
            .collect();
        let at = |n: usize| jiffies.get(n).copied().unwrap_or(0);
        // user nice system idle iowait irq softirq steal: in hundredths of a second.
        let busy = at(0) + at(1) + at(2) + at(5) + at(6);
        Self { busy: Duration::from_millis(busy * 10), steal: Duration::from_millis(at(7) * 10) }
    }
}

/// What this process handed to the system to read and write since it started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Io {
    /// Bytes in `write` calls.
    pub written: u64,
    /// Bytes that went towards the disk.
    pub written_to_disk: u64,
    /// Bytes that came from the disk.
    pub read_from_disk: u64,
}

impl Io {
    /// As of now.
    pub fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/self/io").context("cannot read /proc/self/io")?;
        let field = |name| number_after(&text, name);
        Ok(Self {
            written: field("wchar:"),
            written_to_disk: field("write_bytes:"),
            read_from_disk: field("read_bytes:"),
        })
    }
}

/// Waits until the process has written nothing for `quiet`, at most for `limit`: compactions have settled. Returns
/// whether they have.
pub fn settle(quiet: Duration, limit: Duration) -> Result<bool> {
    let start = Instant::now();
    let (mut written, mut since) = (Io::now()?.written, Instant::now());
    while since.elapsed() < quiet {
        if start.elapsed() > limit {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
        let now = Io::now()?.written;
        // Less than a block is RocksDB's log line or the like.
        if now.saturating_sub(written) > 4096 {
            (written, since) = (now, Instant::now());
        }
    }
    Ok(true)
}

/// Starts the measurement of peak memory anew.
pub fn reset_peak_memory() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak in /proc/self/clear_refs")
}

/// The most memory the process had resident since [`reset_peak_memory`], in bytes.
pub fn peak_memory() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    Ok(number_after(&text, "VmHWM:") * 1024)
}

fn number_after(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Takes the files of a closed database out of the page cache, and leaves the rest of the host's alone.
pub fn evict(dir: &Path) -> Result<()> {
    each_file(dir, &mut |path| {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        // Dirty pages stay, so there must be none.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed).context("cannot evict a file from the page cache")
    })
}

/// Bytes of the files of a directory on the disk.
pub fn space(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut blocks = 0;
    each_file(dir, &mut |path| {
        // A file may be deleted while we look.
        blocks += fs::metadata(path).map_or(0, |metadata| metadata.blocks());
        Ok(())
    })?;
    Ok(blocks * 512)
}

fn each_file(dir: &Path, visit: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            each_file(&path, visit)?;
        } else {
            visit(&path)?;
        }
    }
    Ok(())
}
