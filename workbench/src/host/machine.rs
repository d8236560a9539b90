//! A candidate machine: a profile, a custom size, or this host.

use std::fmt;

use ave_actors_store::config::{MachineProfile, MachineSpec};

use super::matching::{KERNEL_RESERVE, PROFILES, matching_spec};
use crate::units;

/// Smallest RAM the backend works with, MiB: its memory budget has a floor of 32 MiB, and the process needs about as much
/// again.
pub(crate) const MIN_RAM_MB: u64 = 64;

pub(crate) const HOST: &str = "this host";

/// Thousandths of a core in a core.
pub(crate) const MILLI: u64 = 1_000;

/// A machine: the size the backend is tuned for, and the RAM that a process on it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// `nano` … `2xlarge`, `2,3000` for cores and MiB of RAM, the name in a catalogue, or `this host`.
    pub name: String,
    /// Cores, at least 1: whole ones, a fraction rounded up.
    pub cores: usize,
    /// Its CPU time in thousandths of a core: 500 for half a core.
    pub millicores: u64,
    /// RAM, MiB: as sold, or as this host has it.
    pub ram_mb: u64,
    /// Whether it is this host, which is not emulated.
    pub is_host: bool,
    profile: Option<MachineProfile>,
}

impl Machine {
    pub(crate) fn of_profile(profile: MachineProfile) -> Self {
        let name = profile.to_string();
        let (cores, ram_mb) = (profile.cpu_cores(), profile.ram_mb());
        Self { name, cores, millicores: cores as u64 * MILLI, ram_mb, is_host: false, profile: Some(profile) }
    }

    /// A machine with this many cores and MiB of RAM.
    pub fn custom(cores: usize, ram_mb: u64) -> Self {
        Self::named(format!("{cores},{ram_mb}"), cores as u64 * MILLI, ram_mb)
    }

    /// A machine of this name with so many thousandths of a core, at least 1, and MiB of RAM.
    pub(crate) fn named(name: String, millicores: u64, ram_mb: u64) -> Self {
        let cores = usize::try_from(millicores.div_ceil(MILLI)).unwrap_or(usize::MAX);
        Self { name, cores, millicores, ram_mb, is_host: false, profile: None }
    }

    /// The host itself: the cores and bytes of RAM that this process may use.
    pub fn host(cores: u32, ram_bytes: u64) -> Self {
        let profile = match matching_spec(cores, ram_bytes) {
            MachineSpec::Profile(profile) => Some(profile),
            MachineSpec::Custom { .. } => None,
        };
        let (name, cores) = (HOST.to_owned(), cores as usize);
        Self { name, cores, millicores: cores as u64 * MILLI, ram_mb: ram_bytes >> 20, is_host: true, profile }
    }

    /// All profiles, smallest first.
    pub fn profiles() -> Vec<Self> {
        PROFILES.into_iter().map(Self::of_profile).collect()
    }

    /// The specification to tune the backend for.
    pub fn spec(&self) -> MachineSpec {
        self.profile.map_or(MachineSpec::Custom { ram_mb: self.ram_mb, cpu_cores: self.cores }, MachineSpec::Profile)
    }

    /// This machine with fewer cores. It is none that could be bought: it shows how the machine scales.
    #[must_use]
    pub(crate) fn with_cores(&self, cores: usize) -> Self {
        let name = units::counted(cores as u64, "core");
        let is_host = cores == self.cores && self.is_host;
        Self { is_host, ..Self::named(name, cores as u64 * MILLI, self.ram_mb) }
    }

    /// RAM that the kernel leaves to programs and page cache, bytes. For this host: the RAM this process may use.
    pub fn usable_ram_bytes(&self) -> u64 {
        let all = self.ram_mb << 20;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a RAM size")]
        let usable = (all as f64 * (1.0 - KERNEL_RESERVE)) as u64;
        if self.is_host { all } else { usable }
    }

    /// RAM of the largest machine that this host can emulate, MiB: the machine's kernel would keep a part of it.
    pub(crate) fn most_emulated_ram_mb(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a multiple of a RAM size")]
        let bytes = (self.usable_ram_bytes() as f64 / (1.0 - KERNEL_RESERVE)) as u64;
        bytes >> 20
    }

    /// `2 cores and 1,500 MiB of RAM`.
    pub(crate) fn size_text(cores: usize, ram_mb: u64) -> String {
        format!("{} and {} MiB of RAM", units::counted(cores as u64, "core"), units::count(ram_mb))
    }

    pub(crate) const fn is_at_least(&self, other: &Self) -> bool {
        self.millicores >= other.millicores && self.ram_mb >= other.ram_mb
    }

    /// Whether it has the cores and the RAM of `other`; this host is no machine of its size, since nothing limits it.
    pub(crate) const fn is_same_size(&self, other: &Self) -> bool {
        self.millicores == other.millicores && self.ram_mb == other.ram_mb && self.is_host == other.is_host
    }

    /// Whether it has a fraction of a core.
    pub(crate) const fn has_part_of_a_core(&self) -> bool {
        !self.millicores.is_multiple_of(MILLI)
    }

    /// Its CPU time in thousandths of a core, if it has a fraction of one.
    pub(crate) fn part_of_a_core(&self) -> Option<u64> {
        self.has_part_of_a_core().then_some(self.millicores)
    }

    /// Orders machines by size: cores, then RAM.
    pub(crate) const fn size(&self) -> (u64, u64) {
        (self.millicores, self.ram_mb)
    }

    /// Whether `host` can emulate it: it has at least as many cores and as much RAM.
    pub(crate) fn fits_in(&self, host: &Self) -> bool {
        self.is_host || (self.millicores <= host.millicores && self.usable_ram_bytes() <= host.usable_ram_bytes())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_tuned_as_itself_without_the_kernels_share() {
        let nano = Machine::of_profile(MachineProfile::Nano);
        assert!(matches!(nano.spec(), MachineSpec::Profile(MachineProfile::Nano)));
        assert_eq!((nano.name.as_str(), nano.cores, nano.usable_ram_bytes() >> 20), ("nano", 2, 471));
    }

    #[test]
    fn a_fraction_of_a_core_is_tuned_as_a_whole_one_and_is_less_than_it() {
        let half = Machine::named("half".to_owned(), 500, 512);
        assert!(matches!(half.spec(), MachineSpec::Custom { ram_mb: 512, cpu_cores: 1 }));
        assert!(half.has_part_of_a_core() && !Machine::custom(1, 512).has_part_of_a_core());
        assert!(Machine::custom(1, 512).is_at_least(&half) && !half.is_at_least(&Machine::custom(1, 512)));
        let named = Machine::named("t.nano".to_owned(), 2_000, 512);
        assert!(named.is_same_size(&Machine::of_profile(MachineProfile::Nano)) && !named.is_same_size(&half));
        assert!(!Machine::custom(2, 4 << 10).is_same_size(&Machine::host(2, 4 << 30)));
    }

    #[test]
    fn the_host_is_tuned_by_its_figures() {
        let spec = Machine::host(2, 4 << 30).spec();
        assert!(matches!(spec, MachineSpec::Profile(MachineProfile::Medium)));
        let spec = Machine::host(3, 5 << 30).spec();
        assert!(matches!(spec, MachineSpec::Custom { ram_mb: 5120, cpu_cores: 3 }));
    }

    #[test]
    fn a_host_emulates_no_larger_machine() {
        let host = Machine::host(2, 4 << 30);
        let fitting: Vec<_> = Machine::profiles()
            .into_iter()
            .filter(|machine| machine.fits_in(&host))
            .map(|machine| machine.name)
            .collect();
        assert_eq!(fitting, ["nano", "micro", "small", "medium"]);
        let most = host.most_emulated_ram_mb();
        assert!(Machine::custom(2, most).fits_in(&host) && !Machine::custom(2, most + 2).fits_in(&host), "{most}");
    }
}
