//! What another host will sustain, by its profile and a plan of this one.
//!
//! A command takes time on a core, a share of a sync if writes wait for the disk, and reads from the disk where the database
//! has outgrown the memory:
//!
//! ```text
//! time of a command = (a / core speed + b × sync latency) + reads × read latency
//! ```
//!
//! `a` and `b` are those of the plan ([`SyncScaling`](super::sync_scaling)), and so are the reads, by the sizes that it
//! measured and modelled. The rate of the plan is divided by how much longer a command takes there, and multiplied by what
//! more cores yield under the Universal Scalability Law of the plan. All times of a queue that is served `q` times as fast are
//! `q` times as short, at `q` times the rate. So the rate within a limit `L` there is `q` times the rate within `q × L` here,
//! which the rates that the plan tried tell.
//!
//! The range is that of the corners: every input at the end of its band that makes the host slow, or fast. It is widened to
//! the errors of the functions, as the plan checked them.

mod base;
mod inputs;

use base::{Base, Corner, Unknown, Work};
use inputs::{Hosts, Inputs, around, cores, exactly, known};

use crate::actor::Durability;
use crate::host::Machine;
use crate::plan::limits::machine;
use crate::plan::other_host::OtherHost;
use crate::report::{Band, InputName, PlanResult, PredictedMode, PredictionCheck, PredictionInput, Report, suffices};
use crate::units;

/// By how much plans on one host differed without syncs: the root of the mean square over the pairs of four
/// (`docs/validation.md`), percent.
const REPEAT_ERROR_PERCENT: f64 = 8.5;
/// How far a round lies off the durable rate by sync latency of another one, in nine of ten (`docs/methodology.md`), percent.
const SYNC_ERROR_PERCENT: f64 = 12.0;
/// Reads per command of the smallest database from which on its rate depends on the disk's reads too.
const FEW_READS: f64 = 0.05;

/// The host of a plan beside another one.
pub(super) struct Predictor<'a> {
    pub(super) report: &'a Report,
    /// As it was measured.
    pub(super) plan: &'a PlanResult,
    pub(super) other: &'a OtherHost,
}

/// An end of a band, or its middle.
type End = fn(&Band) -> f64;

impl Predictor<'_> {
    /// The machine that the plan of the other host measured, with the database that it was measured on.
    pub(super) fn check(&self, durability: Durability) -> Option<PredictionCheck> {
        let there = self.other.plan.as_ref()?;
        let capacity = there.capacity(durability)?;
        let measured_per_second = capacity.sustained_per_second?;
        let wanted = machine(there.profile(&capacity.machine)?);
        let stored_bytes = there.horizon.as_ref().map(|horizon| horizon.measured_bytes);
        let predicted = self.predict(durability, &wanted, stored_bytes).per_second?;
        Some(PredictionCheck {
            machine: capacity.machine.clone(),
            measured_per_second,
            predicted_per_second: predicted,
            error_percent: 100.0 * (predicted.expected / measured_per_second - 1.0),
            is_within: suffices(measured_per_second, predicted.low) && suffices(predicted.high, measured_per_second),
        })
    }

    /// What `wanted`, a machine on the other host, sustains with a database of so many bytes at the horizon.
    pub(super) fn predict(&self, durability: Durability, wanted: &Machine, stored_bytes: Option<f64>) -> PredictedMode {
        let mut found = PredictedMode {
            durability,
            base: None,
            base_per_second: None,
            inputs: Vec::new(),
            model_error_percent: 0.0,
            per_second: None,
            at_least_per_second: None,
            note: String::new(),
            certainty: None,
            targets: Vec::new(),
            check: None,
        };
        match self.fill(wanted, stored_bytes, &mut found) {
            Ok(rate) => found.per_second = Some(rate),
            Err(Unknown { reason, at_least_per_second }) => {
                (found.note, found.at_least_per_second) = (reason, at_least_per_second);
            }
        }
        found
    }

    fn fill(&self, wanted: &Machine, stored_bytes: Option<f64>, found: &mut PredictedMode) -> Result<Band, Unknown> {
        let durability = found.durability;
        let hosts = Hosts { report: self.report, other: self.other };
        let base = Base::new(self.plan, durability)?;
        found.base = Some(base.machine.name.clone());
        let [has, needs] = [wanted, &base.machine].map(|machine| machine.usable_ram_bytes() as f64);
        if !suffices(has, needs) {
            let [has, needs] = [has, needs].map(units::bytes);
            return Err(format!("it has {has} of memory, less than the {needs} of {}", base.machine).into());
        }
        let (memory, work) = base.work(wanted, stored_bytes)?;
        found.base_per_second = Some(1.0 / (work.here + work.reads));
        let mut inputs = Inputs {
            speed: hosts.core_speed()?,
            sync: exactly(1.0),
            cores: exactly(1.0),
            read: exactly(1.0),
            writes: hosts.writes()?,
        };
        found.inputs.push(PredictionInput { name: InputName::CoreSpeed, ratio: inputs.speed });
        let mut errors = vec![REPEAT_ERROR_PERCENT];
        if let Some(durable) = base.durable {
            inputs.sync = hosts.sync_latency(durable)?;
            found.inputs.push(PredictionInput { name: InputName::SyncLatency, ratio: inputs.sync });
            errors.push(durable.error_percent.unwrap_or_default().max(SYNC_ERROR_PERCENT));
        }
        let has_reads = work.reads > 0.0 || base.reads_at_first() > FEW_READS;
        if has_reads {
            inputs.read = hosts.read_latency(durability)?;
            found.inputs.push(PredictionInput { name: InputName::ReadLatency, ratio: inputs.read });
            found.inputs.push(PredictionInput { name: InputName::BlockMemory, ratio: exactly(memory) });
            errors.extend(base.horizon.and_then(|(_, mode)| Some(mode.error?.rate_percent)));
        }
        let law = cores(self.plan, durability, [&base.machine, wanted]);
        if let Ok((cores, error)) = &law {
            inputs.cores = *cores;
            errors.extend(error);
            found.inputs.extend(error.map(|_| PredictionInput { name: InputName::Cores, ratio: *cores }));
        }
        found.model_error_percent = errors.iter().map(|error| error * error).sum::<f64>().sqrt();
        let rate = self.rate(&base, work, inputs, found.model_error_percent / 100.0)?;
        match law {
            Ok(_) => Ok(rate),
            // More cores are never slower.
            Err(reason) => Err(Unknown {
                reason,
                at_least_per_second: (wanted.millicores >= base.machine.millicores).then_some(rate.low),
            }),
        }
    }

    fn rate(&self, base: &Base<'_>, work: Work, inputs: Inputs, error: f64) -> Result<Band, Unknown> {
        let Inputs { mut speed, sync, cores, read, writes } = inputs;
        if base.reads_at_first() > FEW_READS {
            // Even the smallest database was read from the disk.
            speed = around(speed, Band { expected: 1.0 / read.expected, low: 1.0 / read.high, high: 1.0 / read.low });
        }
        if base.is_bound_by_writes() {
            speed = around(speed, writes);
        }
        let corner = |base: f64, [fast, slow]: [End; 2]| Corner {
            base,
            speed: fast(&speed),
            sync: slow(&sync),
            cores: fast(&cores),
            read: slow(&read),
            writes: fast(&writes),
        };
        let [low, expected, high]: [End; 3] = [|band| band.low, |band| band.expected, |band| band.high];
        let most = base.most_written(self.report);
        let at = |corner: Corner| base.rate(work, corner, most);
        let rate = at(corner(1.0, [expected, expected])).ok_or_else(|| {
            let percentile = self.plan.slo.percentile;
            format!("no rate that the plan tried has a {percentile} as short as the limit requires there")
        })?;
        let least = at(corner(1.0, [low, high])).unwrap_or(0.0);
        let most = at(corner(base.highest() / base.sustained, [high, low])).unwrap_or(rate);
        let found = Band {
            expected: rate,
            low: least.min((1.0 - error).max(0.0) * rate),
            high: most.max((1.0 + error) * rate),
        };
        known(found).ok_or_else(|| "the figures of the plan allow no rate".to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::{
        DiskProfile, DiskSample, DiskSwing, LatencyFigures, ProcessorProfile, RateFigures, ReadLatency, ReadPath,
    };
    use crate::report::{
        Basis, Capacity, DurableRate, DurableRateBasis, DurableRates, HorizonInfo, HorizonMode, ModelErrorInfo,
        PlanDisk, ProbeResult, Rejection, ScalingInfo, ScalingPointInfo, SizeRate, WorkingSet,
    };

    const GIB: f64 = 1_073_741_824.0;
    const LIMIT_NS: u64 = 25_000_000;
    /// `-ln 0.01`: the 99th percentile of an exponential distribution in units of its mean.
    const P99: f64 = 4.605;
    /// Nanoseconds of arithmetic and of waiting for memory, and syncs per command.
    const COMMAND_NS: f64 = 60_000.0;
    const SYNCS: f64 = 0.3;
    /// A sync under load takes so many times as long as on the idle disk.
    const LOADED: f64 = 1.5;
    const CONTENTION: f64 = 0.1;

    /// A host whose rates are known: its commands queue for one server that is as fast as its cores together.
    #[derive(Debug, Clone, Copy)]
    struct Oracle {
        /// Speed of a core in arithmetic and in waiting for memory, half of the work each.
        speed: [f64; 2],
        sync_ns: f64,
        read_ns: f64,
        cores: u32,
        ram_gib: f64,
    }

    const HERE: Oracle = Oracle { speed: [1.0, 1.0], sync_ns: 150_000.0, read_ns: 90_000.0, cores: 2, ram_gib: 0.5 };

    impl Oracle {
        fn service_ns(self, durability: Durability, database_gib: f64) -> f64 {
            let work = COMMAND_NS * (0.5 / self.speed[0] + 0.5 / self.speed[1]);
            let syncs = if durability.is_on() { SYNCS * LOADED * self.sync_ns } else { 0.0 };
            work + syncs + self.reads(database_gib) * self.read_ns
        }

        /// A block of the whole database is read at random.
        fn reads(self, database_gib: f64) -> f64 {
            (1.0 - self.memory_gib() / database_gib).max(0.0)
        }

        fn memory_gib(self) -> f64 {
            0.92 * self.ram_gib - 0.1
        }

        /// How many commands its cores do while one core does one.
        fn scaling(self) -> f64 {
            let cores = f64::from(self.cores);
            cores / (1.0 + CONTENTION * (cores - 1.0))
        }

        /// Commands per second at which p99 is at the limit.
        fn highest(self, durability: Durability, database_gib: f64) -> f64 {
            self.scaling() * (1e9 / self.service_ns(durability, database_gib) - P99 / (LIMIT_NS as f64 / 1e9))
        }

        fn ceiling(self, durability: Durability) -> f64 {
            self.scaling() * 1e9 / self.service_ns(durability, 0.1)
        }

        fn p99_ns(self, durability: Durability, per_second: f64) -> u64 {
            let free = 1e9 / self.service_ns(durability, 0.1) - per_second / self.scaling();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let found = if free > 0.0 { (1e9 * P99 / free) as u64 } else { u64::MAX / 2 };
            found
        }

        fn disk(self) -> DiskProfile {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let ns = |ns: f64| ns as u64;
            let sample = |share: f64| DiskSample { read_p50_ns: ns(share * self.read_ns), ..DiskSample::default() };
            let figures = LatencyFigures { samples_count: 1_000, mean_ns: self.read_ns, ..LatencyFigures::default() };
            let rate =
                RateFigures { p50_bytes_per_second: 4e8, lowest_bytes_per_second: 3e8, highest_bytes_per_second: 5e8 };
            DiskProfile {
                seconds: 10.0,
                foreign_cores: None,
                file_bytes: 1 << 28,
                read_path: ReadPath::Direct,
                syncs: Vec::new(),
                reads: vec![ReadLatency { depth_count: 32, latency: figures }],
                write: rate,
                read: rate,
                swing: DiskSwing {
                    sync_p10_ns: ns(0.95 * self.sync_ns),
                    sync_p50_ns: ns(self.sync_ns),
                    sync_p90_ns: ns(1.1 * self.sync_ns),
                    read_p50_ns: ns(self.read_ns),
                    ..DiskSwing::default()
                },
                samples: [0.98, 1.0, 1.03].map(sample).into(),
            }
        }

        fn processor(self) -> ProcessorProfile {
            ProcessorProfile {
                threads_count: self.cores,
                sort_p50_ns: 90_000.0 / self.speed[0],
                chase_p50_ns: 90_000.0 / self.speed[1],
                chased_bytes: 4 << 20,
            }
        }

        fn capacity(self, template: &Capacity) -> Capacity {
            let durability = template.durability;
            let highest = self.highest(durability, 0.1);
            let probe = |share: f64| {
                let p99 = self.p99_ns(durability, share * highest);
                ProbeResult {
                    offered_per_second: share * highest,
                    achieved_per_second: None,
                    p50_ns: None,
                    slo_percentile_ns: Some(p99),
                    worst_slice_ns: Some(p99),
                    rejection: (share > 1.0).then_some(Rejection::TooSlow),
                }
            };
            Capacity {
                machine: "nano".to_owned(),
                saturation_per_second: Some(self.ceiling(durability)),
                sustained_per_second: Some(0.85 * highest),
                probes: [0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.03, 1.1].map(probe).into(),
                ..template.clone()
            }
        }

        fn durable_rates(self) -> DurableRates {
            let loaded = LOADED * self.sync_ns;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency")]
            let rate = |swing_percent: f64| DurableRate {
                swing_percent,
                disk_sync_ns: self.sync_ns as u64,
                ceiling_sync_ns: loaded,
                ceiling_per_second: None,
                sustained_sync_ns: None,
                sustained_per_second: None,
            };
            DurableRates {
                machine: "nano".to_owned(),
                basis: DurableRateBasis::Fitted,
                seconds_count: 12,
                fixed_ns: COMMAND_NS,
                syncs_per_command_ratio: SYNCS,
                error_percent: Some(4.0),
                reach_ns: [loaded / 3.0, 3.0 * loaded],
                rates: [10.0, 50.0, 90.0].map(rate).into(),
                note: String::new(),
            }
        }

        /// The report of a plan on it; `grows` to that many GiB at the horizon.
        fn report(self, grows: Option<f64>) -> Report {
            let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample/report.json");
            let mut report: Report = serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
            report.host.processor = Some(self.processor());
            report.host.disk_profile = Some(self.disk());
            let plan = report.plan.as_mut().unwrap();
            plan.capacities = plan.capacities.iter().map(|one| self.capacity(one)).collect();
            plan.slo.limit_ns = LIMIT_NS;
            plan.forecast = None;
            for known in &mut plan.profiles {
                for mode in &mut known.modes {
                    mode.binding = None;
                }
            }
            plan.disk = Some(PlanDisk {
                swing: None,
                samples: Vec::new(),
                comparison: None,
                durable_rates: Some(self.durable_rates()),
            });
            let template = ScalingInfo {
                durability: Durability::Off,
                points: Vec::new(),
                contention: None,
                coherency: None,
                single_core_per_second: None,
                error_percent: None,
                curve: Vec::new(),
                note: String::new(),
            };
            let point = |cores_count: u32| {
                let per_second = 9_000.0 * Oracle { cores: cores_count, ..self }.scaling();
                ScalingPointInfo { cores_count, per_second }
            };
            let scaling =
                |durability| ScalingInfo { durability, points: [1, 1, 2, 2].map(point).into(), ..template.clone() };
            plan.scaling = Durability::BOTH.map(scaling).into();
            plan.horizon = plan.horizon.take().zip(grows).map(|(horizon, then)| self.horizon(horizon, then));
            report
        }

        fn horizon(self, template: HorizonInfo, then_gib: f64) -> HorizonInfo {
            let mode = |mode: &HorizonMode| {
                let point = |gib: f64| SizeRate {
                    database_bytes: gib * GIB,
                    basis: Basis::Modelled,
                    per_second: 0.85 * self.highest(mode.durability, gib),
                    disk_reads_per_command: self.reads(gib),
                };
                let points = [0.1, 0.36, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0].map(point).into();
                HorizonMode {
                    profile: "nano".to_owned(),
                    block_memory_bytes: self.memory_gib() * GIB,
                    points,
                    beyond: Vec::new(),
                    error: Some(ModelErrorInfo { rate_percent: 5.0, response_percent: Some(3.0) }),
                    ..mode.clone()
                }
            };
            HorizonInfo {
                database_bytes: exactly(then_gib * GIB),
                measured_bytes: 0.1 * GIB,
                written_now_bytes_per_command: 1.0,
                written_then_bytes_per_command: 1.0,
                working_set: WorkingSet::Growing,
                modes: template.modes.iter().map(mode).collect(),
                ..template
            }
        }

        fn other(self) -> OtherHost {
            let report = self.report(None);
            OtherHost {
                stem: "b".to_owned(),
                name: "host b".to_owned(),
                origin: "b.json".to_owned(),
                measured_at: "2026-11-02T10:00:00Z".to_owned(),
                disk: report.host.disk_profile.clone(),
                host: report.host,
                plan: None,
            }
        }

        fn machine(self) -> Machine {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of memory")]
            let ram_mb = (1_024.0 * self.ram_gib) as u64;
            Machine::custom(self.cores as usize, ram_mb)
        }
    }

    fn predicted(here: &Report, there: Oracle, durability: Durability, stored_gib: Option<f64>) -> PredictedMode {
        let other = there.other();
        let predictor = Predictor { report: here, plan: here.plan.as_ref().unwrap(), other: &other };
        predictor.predict(durability, &there.machine(), stored_gib.map(|gib| gib * GIB))
    }

    fn hosts() -> impl Strategy<Value = Oracle> {
        (0.5f64..2.0, 0.8f64..1.25, 0.4f64..2.5, 0.4f64..2.9, 2u32..5).prop_map(|(speed, unlike, sync, read, cores)| {
            Oracle {
                speed: [speed, speed * unlike],
                sync_ns: sync * HERE.sync_ns,
                read_ns: read * HERE.read_ns,
                cores,
                ..HERE
            }
        })
    }

    fn durabilities() -> impl Strategy<Value = Durability> {
        prop::sample::select(Durability::BOTH.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_true_rate_lies_within_the_range(there in hosts(), durability in durabilities()) {
            let found = predicted(&HERE.report(None), there, durability, None);
            let truth = there.highest(durability, 0.1);
            if let Some(band) = found.per_second {
                prop_assert!((band.low..=band.high).contains(&truth), "{truth} in {band:?}");
                // What is sustained is less than the highest rate, here as there.
                let off = band.expected / (0.85 * truth) - 1.0;
                prop_assert!(off.abs() < 0.15, "{off}: {found:?}");
            } else {
                prop_assert!(there.cores > 2, "{found:?}");
                prop_assert!(found.at_least_per_second.unwrap() <= truth, "{found:?}");
            }
        }

        #[test]
        fn a_database_that_has_outgrown_the_memory_is_read_as_fast_as_the_other_disk_reads(
            there in hosts(), durability in durabilities(), gib in 0.2f64..10.0, more in 0.0f64..2.0,
        ) {
            let there = Oracle { cores: 2, ram_gib: HERE.ram_gib + more, ..there };
            let found = predicted(&HERE.report(Some(8.0)), there, durability, Some(gib));
            let truth = there.highest(durability, gib);
            let band = found.per_second.unwrap();
            prop_assert!((band.low..=band.high).contains(&truth), "{truth} in {found:?}");
        }

        #[test]
        fn slower_syncs_never_predict_a_higher_rate(there in hosts(), times in 1.0f64..2.0) {
            let here = HERE.report(None);
            let rate = |sync_ns: f64| {
                predicted(&here, Oracle { sync_ns, cores: 2, ..there }, Durability::On, None).per_second
            };
            if let (Some(fast), Some(slow)) = (rate(there.sync_ns), rate(times * there.sync_ns)) {
                prop_assert!(slow.expected <= fast.expected * (1.0 + 1e-9));
                prop_assert!(slow.low <= fast.low * (1.0 + 1e-9) && slow.high <= fast.high * (1.0 + 1e-9));
            }
        }

        #[test]
        fn the_range_is_never_narrower_than_the_error_of_the_functions(there in hosts(), durability in durabilities()) {
            let found = predicted(&HERE.report(None), there, durability, None);
            if let Some(Band { expected, low, high }) = found.per_second {
                let error = found.model_error_percent / 100.0;
                prop_assert!(error >= REPEAT_ERROR_PERCENT / 100.0);
                prop_assert!(low <= (1.0 - error) * expected && high >= (1.0 + error) * expected, "{found:?}");
            }
        }

        #[test]
        fn a_faster_core_never_predicts_a_lower_rate(there in hosts(), times in 1.0f64..2.0, durability in durabilities()) {
            let here = HERE.report(None);
            let there = Oracle { cores: 2, sync_ns: HERE.sync_ns, ..there };
            let rate = |speed| predicted(&here, Oracle { speed, ..there }, durability, None).per_second;
            if let (Some(slow), Some(fast)) = (rate(there.speed), rate(there.speed.map(|speed| times * speed))) {
                prop_assert!(slow.expected <= fast.expected * (1.0 + 1e-9), "{slow:?} {fast:?}");
            }
        }
    }

    #[test]
    fn a_host_like_this_one_sustains_what_this_one_does() {
        let here = HERE.report(None);
        for durability in Durability::BOTH {
            let found = predicted(&here, HERE, durability, None);
            let sustained = here.plan.as_ref().unwrap().capacity(durability).unwrap().sustained_per_second.unwrap();
            assert!((found.per_second.unwrap().expected / sustained - 1.0).abs() < 1e-9, "{found:?}");
            assert!(found.inputs.iter().all(|input| (input.ratio.expected - 1.0).abs() < 1e-9), "{found:?}");
            let grown = HERE.report(Some(8.0));
            let at_horizon = 0.85 * HERE.highest(durability, 4.0);
            let found = predicted(&grown, HERE, durability, Some(4.0)).per_second.unwrap();
            assert!((found.expected / at_horizon - 1.0).abs() < 1e-9, "{found:?} {at_horizon}");
        }
    }

    #[test]
    fn what_is_missing_or_out_of_reach_is_said() {
        let here = HERE.report(None);
        let note = |there: Oracle| predicted(&here, there, Durability::On, None).note;
        let slow = note(Oracle { sync_ns: 10.0 * HERE.sync_ns, ..HERE });
        assert!(slow.starts_with("a sync takes 1.5 ms there; the durable rate is known from"), "{slow}");
        let small = note(Oracle { ram_gib: 0.25, ..HERE });
        assert!(small.contains("of memory, less than the"), "{small}");
        let many = predicted(&here, Oracle { cores: 8, ..HERE }, Durability::Off, None);
        assert!(many.note.contains("more than twice the 2") && many.at_least_per_second.is_some(), "{many:?}");
        let mut without = HERE.report(None);
        without.host.processor = None;
        let note = predicted(&without, HERE, Durability::Off, None).note;
        assert!(note.contains("the report of the plan has no host.processor"), "{note}");
    }

    #[test]
    fn without_measured_scaling_more_cores_are_as_fast_at_least() {
        let mut here = HERE.report(None);
        here.plan.as_mut().unwrap().scaling.clear();
        let found = predicted(&here, Oracle { cores: 4, ..HERE }, Durability::Off, None);
        assert!(found.note.contains("the plan did not measure how rates scale"), "{found:?}");
        assert!(found.per_second.is_none() && found.at_least_per_second.is_some());
        let fewer = predicted(&here, Oracle { cores: 1, ..HERE }, Durability::Off, None);
        assert_eq!((fewer.per_second, fewer.at_least_per_second), (None, None), "{fewer:?}");
    }

    #[test]
    fn a_prediction_is_compared_with_what_was_measured_there() {
        let there = Oracle { speed: [1.3, 1.2], sync_ns: 1.4 * HERE.sync_ns, ..HERE };
        let (here, measured) = (HERE.report(None), there.report(None));
        let other = OtherHost { plan: measured.plan, ..there.other() };
        let predictor = Predictor { report: &here, plan: here.plan.as_ref().unwrap(), other: &other };
        for durability in Durability::BOTH {
            let check = predictor.check(durability).unwrap();
            assert!(check.machine == "nano" && check.is_within && check.error_percent.abs() < 5.0, "{check:?}");
            assert!((check.measured_per_second / (0.85 * there.highest(durability, 0.1)) - 1.0).abs() < 1e-9);
        }
    }
}
