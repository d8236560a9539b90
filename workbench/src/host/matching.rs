//! From a host to a machine specification.

use ave_actors_store::config::{MachineProfile, MachineSpec};

/// All profiles, smallest first.
pub const PROFILES: [MachineProfile; 7] = [
    MachineProfile::Nano,
    MachineProfile::Micro,
    MachineProfile::Small,
    MachineProfile::Medium,
    MachineProfile::Large,
    MachineProfile::XLarge,
    MachineProfile::XXLarge,
];

/// Share of the RAM that kernel and firmware reserve: a machine sold as 4 GB shows 3.7 to 4.
pub(super) const KERNEL_RESERVE: f64 = 0.08;

/// The profile whose cores equal `cores` and whose RAM differs from `ram_bytes` by no more than what a kernel
/// reserves, or the exact figures.
pub(crate) fn matching_spec(cores: u32, ram_bytes: u64) -> MachineSpec {
    let cores = cores as usize;
    let ram_mb = ram_bytes >> 20;
    let fits = |profile: &MachineProfile| {
        let nominal = profile.ram_mb() as f64;
        let shown = ram_mb as f64;
        profile.cpu_cores() == cores && shown <= nominal * 1.01 && shown >= nominal * (1.0 - KERNEL_RESERVE)
    };
    PROFILES.into_iter().find(fits).map_or(MachineSpec::Custom { ram_mb, cpu_cores: cores }, MachineSpec::Profile)
}

/// The profile of this name (`nano` … `2xlarge`).
pub(crate) fn profile_named(name: &str) -> Option<MachineProfile> {
    PROFILES.into_iter().find(|profile| profile.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn matched(cores: u32, ram_bytes: u64) -> String {
        match matching_spec(cores, ram_bytes) {
            MachineSpec::Profile(profile) => profile.to_string(),
            MachineSpec::Custom { ram_mb, cpu_cores } => format!("{cpu_cores} cores, {ram_mb} MiB"),
        }
    }

    #[test]
    fn a_machine_matches_the_profile_it_was_sold_as_or_is_described_exactly() {
        assert_eq!(matched(2, 4 * GIB), "medium");
        assert_eq!(matched(2, 4 * GIB - 300 * (1 << 20)), "medium", "7 % kept by the kernel");
        assert_eq!(matched(4, 16 * GIB), "xlarge");
        assert_eq!(matched(2, 3 * GIB), "2 cores, 3072 MiB");
        assert_eq!(matched(4, 4 * GIB), "4 cores, 4096 MiB", "cores must be equal");
        assert_eq!(matched(2, 4 * GIB + 500 * (1 << 20)), "2 cores, 4596 MiB", "more RAM than the profile has");
    }

    #[test]
    fn every_profile_is_found_by_the_name_it_prints() {
        for profile in PROFILES {
            assert_eq!(profile_named(&profile.to_string()), Some(profile));
        }
        assert_eq!(profile_named("huge"), None);
    }
}
