//! Running on fewer cores than the host has.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps the calling thread, and every thread it starts, on the first cores it may use; the drop undoes it for the
/// calling thread.
#[derive(Debug)]
pub struct CoreLimit {
    before: CpuSet,
}

impl CoreLimit {
    /// Limits the calling thread to `cores` of the cores it may use now; `None` if it has no more than that anyway.
    ///
    /// # Errors
    ///
    /// What the system says if it refuses.
    pub fn apply(cores: usize) -> io::Result<Option<Self>> {
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
        // Widening what was narrowed before is always permitted; there is nobody to tell if it were not.
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
