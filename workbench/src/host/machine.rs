//! A machine that could be bought, and what of it programs may use.

use std::fmt;

use ave_actors_store::config::{MachineProfile, MachineSpec};

use crate::host::matching::{KERNEL_RESERVE, PROFILES, matching_spec};

/// RAM below which the backend cannot work, MiB: its memory budget has a floor of 32 MiB, and the process around it needs
/// about as much.
pub const LEAST_RAM_MB: u64 = 64;

/// Name of the machine that a plan runs on.
pub const HOST: &str = "this host";

/// A machine: what the backend is tuned for, and what a process on it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `nano` … `2xlarge`, `2,3000` for cores and MiB of RAM, or `this host`.
    pub name: String,
    /// Cores, at least 1.
    pub cores: usize,
    /// RAM, MiB: as sold, or as this host has it.
    pub ram_mb: u64,
    /// Whether it is the host itself: nothing is limited then.
    pub is_host: bool,
    profile: Option<MachineProfile>,
}

impl Machine {
    /// The machine of a profile.
    pub fn of_profile(profile: MachineProfile) -> Self {
        let name = profile.to_string();
        let (cores, ram_mb) = (profile.cpu_cores(), profile.ram_mb());
        Self { name, cores, ram_mb, is_host: false, profile: Some(profile) }
    }

    /// A machine with this many cores and MiB of RAM.
    pub fn custom(cores: usize, ram_mb: u64) -> Self {
        Self { name: format!("{cores},{ram_mb}"), cores, ram_mb, is_host: false, profile: None }
    }

    /// The host itself: the cores and bytes of RAM that this process may use.
    pub fn host(cores: u32, ram_bytes: u64) -> Self {
        let profile = match matching_spec(cores, ram_bytes) {
            MachineSpec::Profile(profile) => Some(profile),
            MachineSpec::Custom { .. } => None,
        };
        let (name, cores) = (HOST.to_owned(), cores as usize);
        Self { name, cores, ram_mb: ram_bytes >> 20, is_host: true, profile }
    }

    /// All profiles, smallest first.
    pub fn profiles() -> Vec<Self> {
        PROFILES.into_iter().map(Self::of_profile).collect()
    }

    /// What the backend is tuned for on it, as `ave-actors-store` reads it.
    pub fn spec(&self) -> MachineSpec {
        self.profile.map_or(MachineSpec::Custom { ram_mb: self.ram_mb, cpu_cores: self.cores }, MachineSpec::Profile)
    }

    /// This machine with fewer cores. It is none that could be bought: it shows how the machine scales.
    #[must_use]
    pub fn with_cores(&self, cores: usize) -> Self {
        let name = cores_in_words(cores);
        Self { name, cores, ram_mb: self.ram_mb, is_host: cores == self.cores && self.is_host, profile: None }
    }

    /// RAM that its kernel leaves to programs and page cache, bytes. Of the host it is what this process was found to be
    /// allowed, which is that already.
    pub fn usable_ram_bytes(&self) -> u64 {
        let all = self.ram_mb << 20;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a RAM size")]
        let usable = (all as f64 * (1.0 - KERNEL_RESERVE)) as u64;
        if self.is_host { all } else { usable }
    }

    /// Whether it has at least as many cores and as much RAM as `other`.
    pub const fn is_at_least(&self, other: &Self) -> bool {
        self.cores >= other.cores && self.ram_mb >= other.ram_mb
    }

    /// Whether this host can pretend to be it: it has as many cores and as much RAM.
    pub fn fits_in(&self, host: &Self) -> bool {
        self.is_host || (self.cores <= host.cores && self.usable_ram_bytes() <= host.usable_ram_bytes())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// `1 core`, `2 cores`.
pub fn cores_in_words(cores: usize) -> String {
    if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_tuned_as_itself_and_leaves_its_kernel_a_share() {
        let nano = Machine::of_profile(MachineProfile::Nano);
        assert!(matches!(nano.spec(), MachineSpec::Profile(MachineProfile::Nano)));
        assert_eq!((nano.name.as_str(), nano.cores, nano.usable_ram_bytes() >> 20), ("nano", 2, 471));
    }

    #[test]
    fn the_host_is_tuned_as_what_it_is() {
        let spec = Machine::host(2, 4 << 30).spec();
        assert!(matches!(spec, MachineSpec::Profile(MachineProfile::Medium)));
        let spec = Machine::host(3, 5 << 30).spec();
        assert!(matches!(spec, MachineSpec::Custom { ram_mb: 5120, cpu_cores: 3 }));
    }

    #[test]
    fn a_host_pretends_to_be_no_machine_larger_than_itself() {
        let host = Machine::host(2, 4 << 30);
        let fitting: Vec<_> = Machine::profiles()
            .into_iter()
            .filter(|machine| machine.fits_in(&host))
            .map(|machine| machine.name)
            .collect();
        assert_eq!(fitting, ["nano", "micro", "small", "medium"]);
    }
}
