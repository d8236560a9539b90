//! CPU affinity: running on fewer cores than the host has.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Restricts the calling thread, and every thread it starts, to the first cores it may use. The drop lifts the restriction
/// for the calling thread.
#[derive(Debug)]
pub(crate) struct CoreLimit {
    before: CpuSet,
}

impl CoreLimit {
    /// Restricts the calling thread to `cores` of the cores it may use now, at least 1; `None` if it has no more.
    pub(crate) fn apply(cores: usize) -> io::Result<Option<Self>> {
        let before = sched_getaffinity(None)?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| before.is_set(cpu)).collect();
        if allowed.len() <= cores {
            return Ok(None);
        }
        let mut fewer = CpuSet::new();
        allowed.iter().take(cores.max(1)).for_each(|&cpu| fewer.set(cpu));
        sched_setaffinity(None, &fewer)?;
        Ok(Some(Self { before }))
    }
}

impl Drop for CoreLimit {
    fn drop(&mut self) {
        // Restoring a wider set is always permitted, and a drop cannot report an error.
        let _ = sched_setaffinity(None, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_until_it_is_dropped() {
        std::thread::spawn(|| {
            let before = sched_getaffinity(None).unwrap().count();
            if let Some(limit) = CoreLimit::apply(1).unwrap() {
                assert_eq!(sched_getaffinity(None).unwrap().count(), 1);
                drop(limit);
            }
            assert_eq!(sched_getaffinity(None).unwrap().count(), before);
        })
        .join()
        .unwrap();
    }
}
