//! How old a write can get before the kernel puts it on the disk by itself.

use crate::host::profile::read_line;

/// Age that an acknowledged write can reach in the page cache while nobody syncs it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsyncedAge {
    /// Seconds, an upper bound under an idle disk.
    pub seconds: f64,
    /// Where that comes from.
    pub source: String,
}

/// What Linux does unless it is told otherwise, hundredths of a second: Documentation/admin-guide/sysctl/vm.rst.
const DEFAULTS: [f64; 2] = [3000.0, 500.0];

impl UnsyncedAge {
    /// What this kernel is set to: data is written back once it is `dirty_expire_centisecs` old, which is looked at every
    /// `dirty_writeback_centisecs`.
    pub fn of_this_kernel() -> Self {
        let set = |name: &str| read_line(format!("/proc/sys/vm/{name}"))?.parse::<f64>().ok();
        match (set("dirty_expire_centisecs"), set("dirty_writeback_centisecs")) {
            (Some(expire), Some(every)) => Self {
                seconds: (expire + every) / 100.0,
                source: format!(
                    "vm.dirty_expire_centisecs {expire:.0} and vm.dirty_writeback_centisecs {every:.0} of this kernel"
                ),
            },
            _ => Self {
                seconds: (DEFAULTS[0] + DEFAULTS[1]) / 100.0,
                source: "the defaults of Linux, this kernel does not tell its own".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_age_is_always_told_and_where_it_comes_from() {
        let age = UnsyncedAge::of_this_kernel();
        assert!(age.seconds >= 0.0 && age.source.contains("vm.") || age.source.contains("defaults"));
    }
}
