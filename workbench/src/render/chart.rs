//! The numbers behind the charts of `report.html`, ready for a plotting library: columns that share an x axis, bounded in
//! size whatever the run was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use statrs::statistics::Statistics;

use crate::actor::Durability;
use crate::measure::ascending;
use crate::report::{
    Capacity, CertificateInfo, CertifiedSlices, CurvePoint, DiskOrigin, HorizonMode, LatencyInfo, ModeResult,
    PlanResult, ProbeResult, RampInfo, Report, ScalingInfo, SeriesPoint, SlicesSummary, SloInfo,
};
use crate::units;

/// The percentile axis counts nines, `-log10(1 - quantile)`: p90 is 1, p99 is 2. It ends at p99.999.
const NINES_STEP: f64 = 0.04;
const NINES_STEPS: u32 = 125;

/// Points per mode a time series keeps; longer ones are merged slice by slice.
const SERIES_POINTS: usize = 600;

#[derive(Debug, Serialize)]
pub(super) struct Charts<'a> {
    curves: Vec<CurveChart<'a>>,
    objective: Option<ObjectiveMark<'a>>,
    probes: Option<ProbeChart<'a>>,
    series: Option<SeriesChart>,
    scaling: Option<ScalingChart<'a>>,
    growth: Option<GrowthChart>,
    sizes: Option<SizeChart<'a>>,
    certificate: Option<CertificateChart<'a>>,
    ramp: Option<RampChart<'a>>,
}

impl<'a> Charts<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        Self {
            curves: curve_charts(&report.modes),
            objective: report.plan.as_ref().and_then(|plan| ObjectiveMark::new(&plan.slo)),
            probes: report.plan.as_ref().and_then(ProbeChart::new),
            series: SeriesChart::new(&report.modes),
            scaling: report.plan.as_ref().and_then(ScalingChart::new),
            growth: GrowthChart::new(report),
            sizes: report.plan.as_ref().and_then(SizeChart::new),
            certificate: report.certificate.as_ref().and_then(CertificateChart::new),
            ramp: RampChart::new(report),
        }
    }

    /// As JSON that is valid inside a `<script>` element: `<` occurs in strings only, where its escape means the same.
    pub(super) fn to_script_json(&self) -> String {
        serde_json::to_string(self).map_or_else(|_| "{}".to_owned(), |json| json.replace('<', "\\u003c"))
    }
}

/// Percentile curves of one command or operation.
#[derive(Debug, Serialize)]
struct CurveChart<'a> {
    /// `command` or `operation`.
    kind: &'static str,
    name: &'a str,
    nines: Vec<f64>,
    lines: Vec<CurveLine>,
}

/// Where the curve of the objective's command must not be above.
#[derive(Debug, Serialize)]
struct ObjectiveMark<'a> {
    #[serde(flatten)]
    slo: &'a SloInfo,
    nines: f64,
}

impl<'a> ObjectiveMark<'a> {
    fn new(slo: &'a SloInfo) -> Option<Self> {
        let nines = -(1.0 - slo.percentile.quantile()).log10();
        (!slo.percentile.is_extreme()).then_some(Self { slo, nines })
    }
}

#[derive(Debug, Serialize)]
struct CurveLine {
    durability: Durability,
    latency_ns: Vec<Option<u64>>,
}

fn curve_charts(modes: &[ModeResult]) -> Vec<CurveChart<'_>> {
    let mut charts: Vec<CurveChart<'_>> = Vec::new();
    for mode in modes {
        let commands = mode.commands.iter().map(|latency| ("command", latency));
        let operations = mode.operations.iter().map(|latency| ("operation", latency));
        for (kind, latency) in commands.chain(operations) {
            let known = charts.iter().position(|chart| chart.kind == kind && chart.name == latency.name);
            let index = known.unwrap_or_else(|| {
                charts.push(CurveChart { kind, name: &latency.name, nines: nines_grid(), lines: Vec::new() });
                charts.len() - 1
            });
            let latency_ns = on_grid(latency.response_or_service());
            charts[index].lines.push(CurveLine { durability: mode.durability, latency_ns });
        }
    }
    charts.retain(|chart| chart.lines.iter().any(|line| line.latency_ns.iter().any(Option::is_some)));
    charts
}

/// The grid of the percentile axis, in nines.
pub(super) fn nines_grid() -> Vec<f64> {
    // Through hundredths, so that the numbers print short.
    (0..=NINES_STEPS).map(|step| (f64::from(step) * NINES_STEP * 100.0).round() / 100.0).collect()
}

/// A line of the grid of a chart.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// The curve at every grid point its samples support: a quantile needs one sample beyond it.
pub(super) fn on_grid(latency: &LatencyInfo) -> Vec<Option<u64>> {
    let highest = 1.0 - 1.0 / latency.count.max(1) as f64;
    nines_grid()
        .into_iter()
        .map(|nines| 1.0 - 10_f64.powf(-nines))
        .map(|quantile| (quantile <= highest).then(|| value_at(&latency.curve, quantile)).flatten())
        .collect()
}

/// The latency of the first point that covers the quantile.
fn value_at(curve: &[CurvePoint], quantile: f64) -> Option<u64> {
    let index = curve.partition_point(|point| point.quantile < quantile);
    curve.get(index).map(|point| point.value_ns)
}

#[derive(Debug, Serialize)]
struct ProbeChart<'a> {
    #[serde(flatten)]
    slo: &'a SloInfo,
    target_per_second: f64,
    required_per_second: f64,
    lines: Vec<ProbeLine>,
}

#[derive(Debug, Serialize)]
struct ProbeLine {
    durability: Durability,
    /// Ascending by rate.
    points: Vec<ProbePoint>,
}

/// All tries of one rate.
#[derive(Debug, Serialize)]
struct ProbePoint {
    offered_per_second: f64,
    /// Mean.
    achieved_per_second: f64,
    /// The percentile of the objective in the worst slice of the best, the median and the worst try.
    low_ns: u64,
    middle_ns: u64,
    high_ns: u64,
    /// Their trend over the rates: a queue is not shorter at a higher rate.
    trend_ns: f64,
    held_count: usize,
    tried_count: usize,
}

impl<'a> ProbeChart<'a> {
    fn new(plan: &'a PlanResult) -> Option<Self> {
        let lines: Vec<_> = plan.capacities.iter().filter_map(ProbeLine::new).collect();
        (!lines.is_empty()).then_some(Self {
            slo: &plan.slo,
            target_per_second: plan.target_per_second,
            required_per_second: plan.required_per_second,
            lines,
        })
    }
}

impl ProbeLine {
    fn new(capacity: &Capacity) -> Option<Self> {
        let mut tries: Vec<_> = capacity.probes.iter().filter(|probe| probe.slo_percentile_ns.is_some()).collect();
        tries.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
        let same = |a: &&ProbeResult, b: &&ProbeResult| b.offered_per_second <= a.offered_per_second * (1.0 + 1e-6);
        let mut points: Vec<_> = tries.chunk_by(same).filter_map(ProbePoint::new).collect();
        let middles: Vec<_> = points.iter().map(|point| point.middle_ns as f64).collect();
        for (point, trend_ns) in points.iter_mut().zip(ascending(&middles)) {
            point.trend_ns = trend_ns;
        }
        (!points.is_empty()).then_some(Self { durability: capacity.durability, points })
    }
}

impl ProbePoint {
    fn new(tries: &[&ProbeResult]) -> Option<Self> {
        let mut latencies: Vec<_> =
            tries.iter().filter_map(|probe| probe.worst_slice_ns.or(probe.slo_percentile_ns)).collect();
        latencies.sort_unstable();
        let achieved: Vec<f64> = tries.iter().filter_map(|probe| probe.achieved_per_second).collect();
        let middle_ns = *latencies.get(latencies.len().saturating_sub(1) / 2)?;
        Some(Self {
            offered_per_second: tries[0].offered_per_second,
            achieved_per_second: (&achieved).mean(),
            low_ns: latencies[0],
            middle_ns,
            high_ns: latencies[latencies.len() - 1],
            trend_ns: middle_ns as f64,
            held_count: tries.iter().filter(|probe| probe.rejection.is_none()).count(),
            tried_count: tries.len(),
        })
    }
}

/// Every slice of a certification against the limit.
#[derive(Debug, Serialize)]
struct CertificateChart<'a> {
    slo: &'a SloInfo,
    slice_seconds: u32,
    lines: Vec<&'a CertifiedSlices>,
}

impl<'a> CertificateChart<'a> {
    fn new(certificate: &'a CertificateInfo) -> Option<Self> {
        let lines: Vec<_> = certificate.modes.iter().filter(|mode| !mode.slices.is_empty()).collect();
        let chart = Self { slo: &certificate.slo, slice_seconds: certificate.slice_seconds, lines };
        (!chart.lines.is_empty()).then_some(chart)
    }
}

/// Latency against the rate of a ramp.
#[derive(Debug, Serialize)]
struct RampChart<'a> {
    ramp: &'a RampInfo,
    slo: Option<&'a SloInfo>,
}

impl<'a> RampChart<'a> {
    fn new(report: &'a Report) -> Option<Self> {
        let has_points = |ramp: &&RampInfo| ramp.modes.iter().any(|mode| mode.points.len() > 1);
        Some(Self { ramp: report.ramp.as_ref().filter(has_points)?, slo: report.objective.as_ref() })
    }
}

/// Latency and throughput over measured time, the rounds one after the other.
#[derive(Debug, Serialize)]
struct SeriesChart {
    slices_per_point: usize,
    rounds: Vec<RoundStart>,
    lines: Vec<SeriesLine>,
}

#[derive(Debug, Serialize)]
struct RoundStart {
    round: u32,
    at_seconds: f64,
}

#[derive(Debug, Serialize)]
struct SeriesLine {
    durability: Durability,
    at_seconds: Vec<f64>,
    /// `None` between rounds: the line breaks there.
    p50_ns: Vec<Option<u64>>,
    p99_ns: Vec<Option<u64>>,
    completed_per_second: Vec<Option<f64>>,
    /// Empty in a closed loop, which offers no rate.
    offered_per_second: Vec<Option<f64>>,
    /// Start and end of each stall, seconds.
    stalls: Vec<[f64; 2]>,
}

impl SeriesChart {
    fn new(modes: &[ModeResult]) -> Option<Self> {
        let longest = modes.iter().map(|mode| mode.series.len()).max().filter(|&longest| longest > 0)?;
        let slices_per_point = longest.div_ceil(SERIES_POINTS);
        let rounds = round_starts(modes);
        let lines = modes.iter().map(|mode| SeriesLine::new(mode, &rounds, slices_per_point)).collect();
        Some(Self { slices_per_point, rounds, lines })
    }
}

/// Where each round begins when all follow each other without a pause; the same for every mode.
fn round_starts(modes: &[ModeResult]) -> Vec<RoundStart> {
    let mut lengths = BTreeMap::new();
    for slice in modes.iter().flat_map(|mode| &mode.series) {
        let length = lengths.entry(slice.round).or_insert(0.0_f64);
        *length = length.max(slice.at_seconds);
    }
    let mut at_seconds = 0.0;
    let start = |(round, length)| {
        let start = RoundStart { round, at_seconds };
        at_seconds += length;
        start
    };
    lengths.into_iter().map(start).collect()
}

impl SeriesLine {
    fn new(mode: &ModeResult, rounds: &[RoundStart], slices_per_point: usize) -> Self {
        let mut line = Self {
            durability: mode.durability,
            at_seconds: Vec::new(),
            p50_ns: Vec::new(),
            p99_ns: Vec::new(),
            completed_per_second: Vec::new(),
            offered_per_second: Vec::new(),
            stalls: Vec::new(),
        };
        for round in mode.series.chunk_by(|a, b| a.round == b.round) {
            let start = rounds.iter().find(|start| start.round == round[0].round);
            let offset = start.map_or(0.0, |start| start.at_seconds);
            if !line.at_seconds.is_empty() {
                line.push(offset + 1e-6, None);
            }
            line.mark_stalls(offset, round);
            for slices in round.chunks(slices_per_point) {
                line.push(offset + slices[slices.len() - 1].at_seconds, Some(&SlicesSummary::of(slices)));
            }
        }
        if mode.offered_per_second.is_none() {
            line.offered_per_second.clear();
        }
        line
    }

    /// A point that hides nothing: the median of the medians, the worst of the 99th percentiles.
    fn push(&mut self, at_seconds: f64, summary: Option<&SlicesSummary>) {
        self.at_seconds.push(at_seconds);
        // Slices in which no command was due have no latency.
        let due = summary.filter(|summary| summary.offered_per_second > 0.0);
        self.p50_ns.push(due.map(|summary| summary.median_p50_ns));
        self.p99_ns.push(due.map(|summary| summary.worst_p99_ns));
        self.completed_per_second.push(summary.map(|summary| summary.mean_per_second));
        self.offered_per_second.push(summary.map(|summary| summary.offered_per_second));
    }

    /// Adjacent stalled slices are one stall.
    fn mark_stalls(&mut self, offset: f64, slices: &[SeriesPoint]) {
        let mut from = offset;
        for slice in slices {
            let to = offset + slice.at_seconds;
            if slice.is_stalled() {
                match self.stalls.last_mut() {
                    Some(last) if last[1] >= from => last[1] = to,
                    _ => self.stalls.push([from, to]),
                }
            }
            from = to;
        }
    }
}

#[derive(Debug, Serialize)]
struct ScalingChart<'a> {
    /// Most cores that were measured: what lies beyond is extrapolated.
    measured_cores: u32,
    lines: Vec<&'a ScalingInfo>,
}

impl<'a> ScalingChart<'a> {
    fn new(plan: &'a PlanResult) -> Option<Self> {
        let lines: Vec<_> = plan.scaling.iter().filter(|line| !line.points.is_empty()).collect();
        let measured_cores = lines.iter().flat_map(|line| &line.points).map(|point| point.cores_count).max()?;
        Some(Self { measured_cores, lines })
    }
}

/// The rate that meets the objective over the size of the database.
#[derive(Debug, Serialize)]
struct SizeChart<'a> {
    modes: &'a [HorizonMode],
    required_per_second: f64,
    horizon_bytes: f64,
    /// RAM of the machines in the chart, by name.
    ram: Vec<(&'a str, u64)>,
}

impl<'a> SizeChart<'a> {
    fn new(plan: &'a PlanResult) -> Option<Self> {
        let horizon = plan.horizon.as_ref().filter(|horizon| horizon.modes.iter().any(|mode| mode.points.len() > 1))?;
        let mut names: Vec<&str> = horizon.modes.iter().map(|mode| mode.profile.as_str()).collect();
        names.dedup();
        let ram = names.into_iter().filter_map(|name| Some((name, plan.profile(name)?.ram_bytes))).collect();
        Some(Self {
            modes: &horizon.modes,
            required_per_second: plan.required_per_second,
            horizon_bytes: horizon.database_bytes.expected,
            ram,
        })
    }
}

#[derive(Debug, Serialize)]
struct GrowthChart {
    /// Seconds since 1970.
    at_seconds: Vec<i64>,
    expected_bytes: Vec<f64>,
    low_bytes: Vec<f64>,
    high_bytes: Vec<f64>,
    /// Size of the disk less what compactions and logs need; of a disk to attach all of it.
    room_bytes: u64,
    /// What that is, in words.
    room: &'static str,
    /// The day of the forecast on which the space is used up.
    full_on: Option<String>,
}

impl GrowthChart {
    fn new(report: &Report) -> Option<Self> {
        let forecast = report.plan.as_ref()?.forecast.as_ref().filter(|forecast| forecast.sizes.len() > 1)?;
        let began = report.started_at.parse::<Timestamp>().ok()?.as_second();
        #[expect(clippy::cast_possible_truncation, reason = "a hundred years at most")]
        let at = |days: f64| began + (days * units::DAY_SECONDS) as i64;
        let sizes = &forecast.sizes;
        let (room_bytes, room) = match forecast.disk_origin {
            DiskOrigin::Attached => (forecast.disk_bytes, "needed until the horizon"),
            _ => (forecast.disk_bytes.saturating_sub(forecast.compaction_headroom_bytes), "room on the disk"),
        };
        Some(Self {
            at_seconds: sizes.iter().map(|size| at(size.at_days)).collect(),
            expected_bytes: sizes.iter().map(|size| size.bytes.expected).collect(),
            low_bytes: sizes.iter().map(|size| size.bytes.low).collect(),
            high_bytes: sizes.iter().map(|size| size.bytes.high).collect(),
            room_bytes,
            room,
            full_on: forecast.disk_full_on.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(count: u64, curve: &[(f64, u64)]) -> LatencyInfo {
        let curve = curve.iter().map(|&(quantile, value_ns)| CurvePoint { quantile, value_ns }).collect();
        LatencyInfo { count, mean_ns: 0.0, percentiles: Vec::new(), curve }
    }

    #[test]
    fn a_curve_is_read_at_the_point_that_covers_the_quantile() {
        let curve = latency(1_000_000, &[(0.5, 10), (0.9, 20), (0.99, 30), (0.999_9, 40)]).curve;
        assert_eq!(value_at(&curve, 0.0), Some(10));
        assert_eq!(value_at(&curve, 0.5), Some(10));
        assert_eq!(value_at(&curve, 0.51), Some(20));
        assert_eq!(value_at(&curve, 0.999_99), None);
    }

    #[test]
    fn a_curve_ends_where_its_samples_do() {
        let values = on_grid(&latency(100, &[(0.5, 10), (1.0, 20)]));
        let supported = values.iter().filter(|value| value.is_some()).count();
        let last_nines = nines_grid()[supported - 1];
        assert!((1.96..=2.0).contains(&last_nines), "100 samples carry p99 and no more, got {last_nines} nines");
    }
}
