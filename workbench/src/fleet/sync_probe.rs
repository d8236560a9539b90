//! The sync latency of a machine's disk.

use super::report_with_log::ReportWithLog;
use super::result::SyncProbe;
use crate::measure::Percentile;
use crate::report::LatencyInfo;

/// Ranges over the reports; `None` if none probed the disk.
pub(super) fn sync_probe(reports: &[ReportWithLog]) -> Option<SyncProbe> {
    let probes: Vec<&LatencyInfo> = reports.iter().filter_map(|one| one.report.host.sync_probe.as_ref()).collect();
    let range = |percentile| {
        let values = probes.iter().filter_map(|probe| probe.percentile(percentile)).map(|found| found.value_ns);
        Some([values.clone().min()?, values.max()?])
    };
    let reports_count = u32::try_from(probes.len()).unwrap_or(u32::MAX);
    (reports_count > 0).then(|| SyncProbe {
        reports_count,
        p50_range_ns: range(Percentile::P50),
        p99_range_ns: range(Percentile::P99),
    })
}
