//! How long an unsynced write can stay in memory before the kernel writes it to the disk.

use super::kernel_file::read_line;

/// Longest time that an acknowledged write stays in the page cache if no process syncs it: what a power cut can lose with
/// durability off.
#[derive(Debug, Clone, PartialEq)]
pub struct WritebackDelay {
    /// Upper bound on an idle disk, seconds.
    pub seconds: f64,
    /// Where the figure comes from, as text for the report.
    pub source: String,
}

/// Defaults of Linux, hundredths of a second: Documentation/admin-guide/sysctl/vm.rst.
const DEFAULTS: [f64; 2] = [3000.0, 500.0];

impl WritebackDelay {
    /// As this kernel is configured: data is written back once it is `dirty_expire_centisecs` old, which is checked every
    /// `dirty_writeback_centisecs`. Linux's defaults where the settings cannot be read.
    pub(crate) fn detect() -> Self {
        let setting = |name: &str| read_line(format!("/proc/sys/vm/{name}"))?.parse::<f64>().ok();
        let settings = setting("dirty_expire_centisecs").zip(setting("dirty_writeback_centisecs"));
        let source = settings.map_or_else(
            || "the defaults of Linux; the settings of this kernel cannot be read".to_owned(),
            |(expire, check)| {
                format!(
                    "vm.dirty_expire_centisecs {expire:.0} and vm.dirty_writeback_centisecs {check:.0} of this kernel"
                )
            },
        );
        let (expire, check) = settings.unwrap_or(DEFAULTS.into());
        Self { seconds: (expire + check) / 100.0, source }
    }
}
