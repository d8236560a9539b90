//! What a measurement on this host says of machine profiles.
//!
//! A run speaks for a profile if nothing the run had would be missing there: it ran under the profile's tuning, on no
//! more cores than the profile has, and everything it touched (the process and the whole database, which is the most
//! the page cache can have held) fits in the profile's RAM. A profile with at least as many cores and more RAM than such
//! a machine does at least as well. Of any other profile nothing is known.

use ave_actors_store::config::MachineProfile;

use crate::workbench::host::{KERNEL_RESERVE, PROFILES};

/// What a run occupied at its largest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Resident set of the process, bytes.
    pub rss_bytes: u64,
    /// The database on disk, bytes: an upper bound of what the page cache held of it.
    pub database_bytes: u64,
}

impl Footprint {
    /// RAM that certainly holds all of it, bytes.
    pub const fn total_bytes(self) -> u64 {
        self.rss_bytes + self.database_bytes
    }

    /// The larger of both in each respect.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            rss_bytes: self.rss_bytes.max(other.rss_bytes),
            database_bytes: self.database_bytes.max(other.database_bytes),
        }
    }

    /// Whether a profile's RAM, less what its kernel keeps, holds it.
    pub fn fits(self, profile: MachineProfile) -> bool {
        self.total_bytes() <= usable_ram_bytes(profile)
    }
}

/// RAM of a profile that its kernel leaves to programs and page cache, bytes.
pub(super) fn usable_ram_bytes(profile: MachineProfile) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a RAM size")]
    let usable = ((profile.ram_mb() << 20) as f64 * (1.0 - KERNEL_RESERVE)) as u64;
    usable
}

/// The smallest profile that holds a footprint on at most `cores` cores.
pub fn smallest_fitting(footprint: Footprint, cores: usize) -> Option<MachineProfile> {
    PROFILES.into_iter().find(|&profile| profile.cpu_cores() <= cores && footprint.fits(profile))
}

/// What stands behind a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Measured: under its tuning, on its number of cores, within its RAM.
    Measured,
    /// No smaller in cores and RAM than a profile that was measured: at least as good.
    Implied,
    /// Nothing measured speaks of it.
    NotMeasured,
}

/// A profile, what stands behind it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileVerdict {
    /// The profile.
    pub profile: MachineProfile,
    /// What stands behind it.
    pub support: Support,
    /// Why, in words.
    pub reason: String,
}

/// What a run under the tuning of `tuned_for`, on `cores` cores, with this footprint, says of every profile.
pub fn judge_profiles(tuned_for: MachineProfile, cores: usize, footprint: Footprint) -> Vec<ProfileVerdict> {
    PROFILES
        .into_iter()
        .map(|profile| {
            let (support, reason) = judge(profile, tuned_for, cores, footprint);
            ProfileVerdict { profile, support, reason }
        })
        .collect()
}

fn judge(profile: MachineProfile, tuned_for: MachineProfile, cores: usize, footprint: Footprint) -> (Support, String) {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    if !footprint.fits(profile) {
        let reason = format!(
            "the run touched {} MB ({} MB process, {} MB database), more than its {} MB: reads would leave the page cache",
            megabytes(footprint.total_bytes()),
            megabytes(footprint.rss_bytes),
            megabytes(footprint.database_bytes),
            megabytes(usable_ram_bytes(profile)),
        );
        return (Support::NotMeasured, reason);
    }
    if profile.ram_mb() < tuned_for.ram_mb() {
        return (Support::NotMeasured, format!("the run had the larger buffers of {tuned_for}"));
    }
    if profile.cpu_cores() < cores {
        return (Support::NotMeasured, format!("the run had {cores} cores, it has {}", profile.cpu_cores()));
    }
    if profile == tuned_for && profile.cpu_cores() == cores {
        let reason = format!(
            "ran on this host on {cores} cores under this profile's tuning and touched {} MB of its {} MB",
            megabytes(footprint.total_bytes()),
            megabytes(usable_ram_bytes(profile)),
        );
        return (Support::Measured, reason);
    }
    let reason = format!("has all that was measured under {tuned_for} on {cores} cores, and more: at least that rate");
    (Support::Implied, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    fn supports(tuned_for: MachineProfile, cores: usize, total_mb: u64) -> Vec<Support> {
        let footprint = Footprint { rss_bytes: total_mb * MB / 2, database_bytes: total_mb * MB / 2 };
        judge_profiles(tuned_for, cores, footprint).into_iter().map(|verdict| verdict.support).collect()
    }

    #[test]
    fn a_run_speaks_for_its_profile_and_by_dominance_for_larger_ones() {
        use Support::{Implied, Measured, NotMeasured};
        let found = supports(MachineProfile::Micro, 2, 600);
        assert_eq!(found, [NotMeasured, Measured, Implied, Implied, Implied, Implied, Implied]);
    }

    #[test]
    fn a_run_that_outgrew_a_profile_does_not_speak_for_it() {
        use Support::{Implied, NotMeasured};
        let found = supports(MachineProfile::Nano, 2, 1500);
        assert_eq!(found[..3], [NotMeasured, NotMeasured, Implied]);
    }

    #[test]
    fn a_run_on_more_cores_does_not_speak_for_fewer() {
        let found = supports(MachineProfile::Nano, 4, 100);
        assert_eq!(found[..5], [Support::NotMeasured; 5], "two-core profiles");
        assert_eq!(found[5], Support::Implied, "four cores, more RAM");
    }

    #[test]
    fn the_smallest_fitting_profile_leaves_the_kernel_its_share() {
        let footprint = |mb: u64| Footprint { rss_bytes: mb * MB, database_bytes: 0 };
        assert_eq!(smallest_fitting(footprint(460), 2), Some(MachineProfile::Nano));
        assert_eq!(smallest_fitting(footprint(500), 2), Some(MachineProfile::Micro));
        assert_eq!(smallest_fitting(footprint(500), 1), None, "no profile has one core");
        assert_eq!(smallest_fitting(footprint(40_000), 8), None);
    }
}
