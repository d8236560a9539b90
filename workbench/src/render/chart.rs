//! The numbers behind the charts of `report.html`, ready for a plotting library: columns that share an x axis,
//! bounded in size whatever the run was.
//!
//! Pure. Knows nothing of colours, pixels or the library.

use jiff::Timestamp;
use serde::Serialize;

use crate::actor::Durability;
use crate::measure::Percentile;
use crate::report::{
    CurvePoint, LatencyInfo, ModeResult, PlanResult, ProbeResult, Report, ScalingInfo, SeriesPoint, SlicesSummary,
    SloInfo,
};
use crate::units;

/// The percentile axis counts nines, `-log10(1 - quantile)`: p90 is 1, p99 is 2. It ends at p99.999.
const NINES_STEP: f64 = 0.04;
const NINES_STEPS: u32 = 125;

/// Points per mode a time series keeps; longer ones are merged slice by slice.
const SERIES_POINTS: usize = 600;

/// Everything the charts draw.
#[derive(Debug, Serialize)]
pub(super) struct Charts<'a> {
    pub(super) curves: Vec<CurveChart<'a>>,
    pub(super) objective: Option<ObjectiveMark<'a>>,
    pub(super) probes: Option<ProbeChart<'a>>,
    pub(super) series: Option<SeriesChart>,
    pub(super) scaling: Option<ScalingChart<'a>>,
    pub(super) growth: Option<GrowthChart>,
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
        }
    }

    /// As JSON that is valid inside a `<script>` element: `<` occurs in strings only, where its escape means the same.
    pub(super) fn to_script_json(&self) -> String {
        serde_json::to_string(self).map_or_else(|_| "{}".to_owned(), |json| json.replace('<', "\\u003c"))
    }
}

/// Percentile curves of one command or operation.
#[derive(Debug, Serialize)]
pub(super) struct CurveChart<'a> {
    /// `command` or `operation`.
    kind: &'static str,
    name: &'a str,
    nines: Vec<f64>,
    lines: Vec<CurveLine>,
}

/// Where the curve of the objective's command must not be above.
#[derive(Debug, Serialize)]
pub(super) struct ObjectiveMark<'a> {
    command: &'a str,
    percentile: Percentile,
    nines: f64,
    limit_ns: u64,
}

impl<'a> ObjectiveMark<'a> {
    fn new(slo: &'a SloInfo) -> Option<Self> {
        let nines = -(1.0 - slo.percentile.quantile()).log10();
        (!slo.percentile.is_extreme()).then_some(Self {
            command: &slo.command,
            percentile: slo.percentile,
            nines,
            limit_ns: slo.limit_ns,
        })
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
            charts[index]
                .lines
                .push(CurveLine { durability: mode.durability, latency_ns: on_grid(latency.response_or_service()) });
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

/// Throughput against latency.
#[derive(Debug, Serialize)]
pub(super) struct ProbeChart<'a> {
    command: &'a str,
    percentile: Percentile,
    limit_ns: u64,
    target_per_second: f64,
    lines: Vec<ProbeLine<'a>>,
}

#[derive(Debug, Serialize)]
struct ProbeLine<'a> {
    durability: Durability,
    points: Vec<&'a ProbeResult>,
}

impl<'a> ProbeChart<'a> {
    fn new(plan: &'a PlanResult) -> Option<Self> {
        let lines: Vec<_> = plan
            .capacities
            .iter()
            .map(|capacity| {
                let mut points: Vec<_> =
                    capacity.probes.iter().filter(|probe| probe.slo_percentile_ns.is_some()).collect();
                points.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
                ProbeLine { durability: capacity.durability, points }
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        (!lines.is_empty()).then_some(Self {
            command: &plan.slo.command,
            percentile: plan.slo.percentile,
            limit_ns: plan.slo.limit_ns,
            target_per_second: plan.target_per_second,
            lines,
        })
    }
}

/// Latency and throughput over measured time, the rounds one after the other.
#[derive(Debug, Serialize)]
pub(super) struct SeriesChart {
    /// Slices of the run in one point of the chart.
    pub(super) slices_per_point: usize,
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
    commands_per_second: Vec<Option<f64>>,
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
    let slices = || modes.iter().flat_map(|mode| &mode.series);
    let mut numbers: Vec<u32> = slices().map(|slice| slice.round).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut at_seconds = 0.0;
    numbers
        .into_iter()
        .map(|round| {
            let start = RoundStart { round, at_seconds };
            let of_round = slices().filter(|slice| slice.round == round);
            at_seconds += of_round.map(|slice| slice.at_seconds).fold(0.0, f64::max);
            start
        })
        .collect()
}

impl SeriesLine {
    fn new(mode: &ModeResult, rounds: &[RoundStart], slices_per_point: usize) -> Self {
        let mut line = Self {
            durability: mode.durability,
            at_seconds: Vec::new(),
            p50_ns: Vec::new(),
            p99_ns: Vec::new(),
            commands_per_second: Vec::new(),
            stalls: Vec::new(),
        };
        for round in mode.series.chunk_by(|a, b| a.round == b.round) {
            let start = rounds.iter().find(|start| start.round == round[0].round);
            let offset = start.map_or(0.0, |start| start.at_seconds);
            line.break_at(offset);
            line.mark_stalls(offset, round);
            for slices in round.chunks(slices_per_point) {
                line.push(offset, slices);
            }
        }
        line
    }

    fn break_at(&mut self, at_seconds: f64) {
        if !self.at_seconds.is_empty() {
            self.at_seconds.push(at_seconds + 1e-6);
            self.p50_ns.push(None);
            self.p99_ns.push(None);
            self.commands_per_second.push(None);
        }
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

    /// Merges slices into one point that hides nothing: the median of the medians, the worst of the 99th percentiles.
    fn push(&mut self, offset: f64, slices: &[SeriesPoint]) {
        let Some(last) = slices.last() else { return };
        let summary = SlicesSummary::of(slices);
        self.at_seconds.push(offset + last.at_seconds);
        self.p50_ns.push(Some(summary.median_p50_ns));
        self.p99_ns.push(Some(summary.worst_p99_ns));
        self.commands_per_second.push(Some(summary.mean_per_second));
    }
}

/// How this host scales with cores.
#[derive(Debug, Serialize)]
pub(super) struct ScalingChart<'a> {
    /// Most cores that were measured: what lies beyond is extrapolated.
    pub(super) measured_cores: u32,
    lines: Vec<&'a ScalingInfo>,
}

impl<'a> ScalingChart<'a> {
    fn new(plan: &'a PlanResult) -> Option<Self> {
        let lines: Vec<_> = plan.scaling.iter().filter(|line| !line.points.is_empty()).collect();
        let measured_cores = lines.iter().flat_map(|line| &line.points).map(|point| point.cores_count).max()?;
        Some(Self { measured_cores, lines })
    }
}

/// The database over the days to come.
#[derive(Debug, Serialize)]
pub(super) struct GrowthChart {
    /// Seconds since 1970.
    at_seconds: Vec<i64>,
    expected_bytes: Vec<f64>,
    low_bytes: Vec<f64>,
    high_bytes: Vec<f64>,
    /// Size of the disk.
    disk_bytes: u64,
    /// The size less what compactions and logs need.
    usable_bytes: u64,
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
        Some(Self {
            at_seconds: sizes.iter().map(|size| at(size.at_days)).collect(),
            expected_bytes: sizes.iter().map(|size| size.bytes.expected).collect(),
            low_bytes: sizes.iter().map(|size| size.bytes.low).collect(),
            high_bytes: sizes.iter().map(|size| size.bytes.high).collect(),
            disk_bytes: forecast.disk_bytes,
            usable_bytes: forecast.disk_bytes.saturating_sub(forecast.compaction_headroom_bytes),
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

    #[test]
    fn a_long_series_keeps_its_worst_slice() {
        let point = |second: u32| SeriesPoint {
            round: 1,
            at_seconds: f64::from(second),
            commands_per_second: 100.0,
            p50_ns: 5,
            p99_ns: if second == 7_777 { 1_000 } else { 10 },
            max_ns: 1_000,
            ..SeriesPoint::default()
        };
        let series: Vec<_> = (1..=20_000).map(point).collect();
        let starts = [RoundStart { round: 1, at_seconds: 0.0 }];
        let mode = ModeResult {
            durability: Durability::On,
            commands_count: 0,
            operations_count: 0,
            offered_per_second: None,
            achieved_per_second: 0.0,
            achieved_range_per_second: [0.0, 0.0],
            commands: Vec::new(),
            operations: Vec::new(),
            resources: crate::report::ResourceUse::default(),
            series,
            rounds: Vec::new(),
            verification: crate::report::Verification::default(),
            harness_ns_per_operation: 0.0,
        };
        let line = SeriesLine::new(&mode, &starts, 20_000_usize.div_ceil(SERIES_POINTS));
        assert!(line.p99_ns.len() <= SERIES_POINTS);
        assert_eq!(line.p99_ns.iter().flatten().max(), Some(&1_000));
    }
}
