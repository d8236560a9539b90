//! Settings of a plan, and how much time it takes.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::actor::Durability;
use crate::catalogue::Catalogue;
use crate::host::{MIN_RAM_MB, Machine};
use crate::load::{Objective, RequestKind, RestartSpec, RunError, Source, Writers};

/// Settings of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSpec {
    /// Rate that the deployment must sustain, commands per second, above 0.
    pub target_per_second: f64,
    /// The objective.
    pub objective: Objective,
    /// Share of the capacity to keep free, percent, 0 to below 100.
    pub headroom_percent: f64,
    /// Threads that issue commands; `None` is [as many as an actor system has](Writers::of_actor_system) on a machine.
    pub writers: Option<u64>,
    /// Candidate machines, in any order; of a catalogue all of its machines.
    pub machines: Vec<Machine>,
    /// Where the candidates come from, with their disks and prices, if they are not sizes alone.
    pub catalogue: Option<Catalogue>,
    /// Names of those whose disk the workload fills before the horizon.
    pub short_of_disk: Vec<String>,
    /// Whether machines with a part of a core can be emulated: that needs a limit on CPU time.
    pub emulates_parts_of_cores: bool,
    /// Demand besides the target.
    pub demand: Demand,
    /// This host.
    pub host: Machine,
    /// The modes to plan for.
    pub durabilities: Vec<Durability>,
    /// How much time to take.
    pub effort: Effort,
    /// Events by which the database has grown, for each size that rates are measured on: ascending, 0 first. Machines are
    /// chosen on the last one.
    pub grown_events: Vec<u64>,
    /// The restart that is measured.
    pub restart: RestartSpec,
    /// Sequential write bandwidth of the disk, bytes per second, if it was probed.
    pub disk_bytes_per_second: Option<f64>,
}

/// Orders machines with their prices: cheapest first, then those without a price, smallest first.
pub(super) fn by_preference(a: (Option<f64>, &Machine), b: (Option<f64>, &Machine)) -> Ordering {
    let [price_a, price_b] = [a.0, b.0].map(|price| price.unwrap_or(f64::INFINITY));
    let rest = |machine: &Machine| (machine.size(), machine.is_host);
    price_a.total_cmp(&price_b).then_with(|| rest(a.1).cmp(&rest(b.1)))
}

/// The demand of a deployment besides its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Lowest and highest target that are thought possible, commands per second; the target lies between them.
    pub range_per_second: Option<[f64; 2]>,
    /// Growth per month, percent, 0 or more; compound.
    pub growth_percent_per_month: f64,
    /// Months over which the costs of machines are compared, more than 0.
    pub months: f64,
}

impl Demand {
    /// The lowest, the likely and the highest target; or the likely one alone.
    pub(super) fn targets(&self, likely_per_second: f64) -> Vec<f64> {
        match self.range_per_second {
            Some([low, high]) => vec![low, likely_per_second, high],
            None => vec![likely_per_second],
        }
    }
}

impl Default for Demand {
    /// One target that does not grow, for a year.
    fn default() -> Self {
        Self { range_per_second: None, growth_percent_per_month: 0.0, months: 12.0 }
    }
}

/// How much time a search may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Measured time at the ceiling.
    pub saturation: Duration,
    /// Measured time of each rate that is tried, at least.
    pub probe: Duration,
    /// Measured time of a rate whose percentile needs more samples, at most.
    pub longest_probe: Duration,
    /// Warm-up before each.
    pub warmup: Duration,
    /// Chance that a rate which meets the objective only half of the time is taken for sustained, above 0 and below 0.5.
    pub error: f64,
    /// Time of the loads that decide on a machine in one mode, about: later ones take larger steps.
    pub climb: Duration,
    /// Which machines are searched.
    pub breadth: Breadth,
}

/// Machines that a plan measures in each mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// The smallest that sustains the required rate.
    Smallest,
    /// That, and how throughput scales with cores; where none sustains it, this host without limits.
    SmallestAndScaling,
    /// Every machine that this host can emulate.
    All,
}

impl Effort {
    /// About a minute for a plan of both durability modes.
    pub(crate) const fn quick() -> Self {
        Self {
            saturation: Duration::from_millis(1_200),
            probe: Duration::from_millis(1_200),
            longest_probe: Duration::from_secs(120),
            warmup: Duration::from_millis(200),
            error: 0.1,
            climb: Duration::from_secs(10),
            breadth: Breadth::Smallest,
        }
    }

    /// Minutes for a plan of both durability modes.
    pub(crate) const fn standard() -> Self {
        Self {
            saturation: Duration::from_secs(3),
            probe: Duration::from_secs(3),
            longest_probe: Duration::from_secs(300),
            warmup: Duration::from_millis(700),
            error: 0.05,
            climb: Duration::from_secs(45),
            breadth: Breadth::SmallestAndScaling,
        }
    }

    /// About five minutes for each machine and durability mode.
    pub(crate) const fn thorough() -> Self {
        Self {
            saturation: Duration::from_secs(15),
            probe: Duration::from_secs(20),
            longest_probe: Duration::from_secs(600),
            warmup: Duration::from_secs(3),
            error: 0.01,
            climb: Duration::from_secs(900),
            breadth: Breadth::All,
        }
    }
}

/// The rate at which a target leaves the headroom, commands per second.
pub(super) fn required_rate(target_per_second: f64, headroom_percent: f64) -> f64 {
    target_per_second / (1.0 - headroom_percent / 100.0)
}

/// A share that is kept free, percent.
pub(super) fn check_headroom(percent: f64) -> Result<(), RunError> {
    if (0.0..100.0).contains(&percent) {
        return Ok(());
    }
    Err(RunError::Settings(format!("a headroom of {percent} %, expected 0 to below 100")))
}

impl PlanSpec {
    /// The rate that leaves the headroom at the target, commands per second.
    pub fn required_per_second(&self) -> f64 {
        required_rate(self.target_per_second, self.headroom_percent)
    }

    /// Checks the settings against each other and the source, and finds the objective's command.
    pub(super) fn check(&self, source: &Source) -> Result<RequestKind, RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if !(self.target_per_second > 0.0 && self.target_per_second.is_finite()) {
            return wrong(format!("a target of {} commands/s, expected more than 0", self.target_per_second));
        }
        check_headroom(self.headroom_percent)?;
        if self.durabilities.is_empty() {
            return wrong("at least one durability mode is needed".to_owned());
        }
        self.check_machines()?;
        for machine in self.candidates_and_host() {
            self.writers_on(&machine, source).check(&self.durabilities)?;
        }
        self.objective.check(source)
    }

    fn check_machines(&self) -> Result<(), RunError> {
        let wrong = |text: String| Err(RunError::Settings(text));
        if let Some(machine) = self.machines.iter().find(|machine| machine.ram_mb < MIN_RAM_MB) {
            return wrong(format!(
                "the machine {machine} has {} MiB of RAM: the backend's memory budget is 32 MiB at least, and with the \
                 process around it nothing below {MIN_RAM_MB} MiB works",
                machine.ram_mb
            ));
        }
        if self.emulatable().is_empty() {
            let largest = Machine::size_text(self.host.cores, self.host.most_emulated_ram_mb());
            let candidates: Vec<_> = self.machines.iter().map(|machine| machine.name.as_str()).collect();
            return wrong(format!(
                "the largest machine that this process can emulate has {largest}, less than any candidate machine ({}); `run` \
                 measures this host",
                candidates.join(" ")
            ));
        }
        Ok(())
    }

    /// Whether larger databases are measured than the one as it is now.
    pub(super) fn grows(&self) -> bool {
        self.grown_events.len() > 1
    }

    pub(super) fn most_grown_events(&self) -> u64 {
        self.grown_events.last().copied().unwrap_or(0)
    }

    pub(super) fn writers_on(&self, machine: &Machine, source: &Source) -> Writers {
        let writers = self.writers.map_or_else(|| Writers::of_actor_system(machine.cores), Writers::both);
        writers.at_most(source.most_writers())
    }

    /// The machines that this host can emulate, in the order of preference; of several of one size the first.
    pub(super) fn emulatable(&self) -> Vec<Machine> {
        let can_emulate = |machine: &&Machine| {
            machine.fits_in(&self.host) && (self.emulates_parts_of_cores || !machine.has_part_of_a_core())
        };
        let mut machines: Vec<_> = self.machines.iter().filter(can_emulate).cloned().collect();
        self.sort(&mut machines);
        let lasting: Vec<_> = machines.iter().filter(|machine| !self.is_short_of_disk(machine)).cloned().collect();
        let has_lasting = |machine: &Machine| lasting.iter().any(|other| other.is_same_size(machine));
        machines.retain(|machine| !self.is_short_of_disk(machine) || !has_lasting(machine));
        let mut sizes = BTreeSet::new();
        machines.retain(|machine| sizes.insert(machine.size()));
        machines
    }

    /// Those of them that are searched: the ones whose disk lasts until the horizon, else the largest, from which larger ones are
    /// judged.
    pub(super) fn searched<'m>(&self, emulatable: &'m [Machine]) -> Vec<&'m Machine> {
        let lasting: Vec<_> = emulatable.iter().filter(|machine| !self.is_short_of_disk(machine)).collect();
        if lasting.is_empty() {
            emulatable.iter().max_by_key(|machine| machine.size()).into_iter().collect()
        } else {
            lasting
        }
    }

    fn is_short_of_disk(&self, machine: &Machine) -> bool {
        self.short_of_disk.contains(&machine.name)
    }

    /// All candidates and this host, in the order of preference.
    pub(super) fn candidates_and_host(&self) -> Vec<Machine> {
        let mut all = self.machines.clone();
        all.push(self.host.clone());
        self.sort(&mut all);
        all.dedup();
        all
    }

    /// Sorts by preference: the cheapest first, then those without a price, smallest first; this host has none.
    fn sort(&self, machines: &mut [Machine]) {
        let price = |machine: &Machine| {
            let entry = self.catalogue.as_ref().filter(|_| !machine.is_host)?.entry(&machine.name)?;
            entry.price.as_ref().map(|price| price.per_month)
        };
        machines.sort_by(|a, b| by_preference((price(a), a), (price(b), b)));
    }

    /// Whether any candidate has more cores than this host.
    pub(super) fn extrapolates(&self) -> bool {
        self.effort.breadth != Breadth::Smallest && self.machines.iter().any(|machine| machine.cores > self.host.cores)
    }
}
