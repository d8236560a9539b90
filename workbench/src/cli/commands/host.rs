//! `host`.

use crate::cli::args::host::HostArgs;
use crate::cli::error::CliError;
use crate::cli::output::{self, Output, figure_table};
use crate::host::{HostProfile, matching_spec, probe_sync, warnings};
use crate::measure::{LatencyHistogram, Percentile};
use crate::report::{HostInfo, PercentileInfo, TuningInfo, Warning, host_info, spec_json, spec_name, tuning_info};
use crate::units;

/// Percentiles of the disk probe in the text output.
const SHOWN: [Percentile; 4] = [Percentile::P50, Percentile::P99, Percentile::P99_9, Percentile::Max];

#[derive(Debug, serde::Serialize)]
struct HostResult {
    #[serde(flatten)]
    host: HostInfo,
    machine_spec: serde_json::Value,
    tuning: Vec<TuningInfo>,
    warnings: Vec<Warning>,
}

pub(crate) fn run(args: &HostArgs, output: Output) -> Result<(), CliError> {
    if !args.data_dir.is_dir() {
        let source = std::io::ErrorKind::NotADirectory.into();
        return Err(CliError::DataDirectory { path: args.data_dir.clone(), source });
    }
    let host = HostProfile::detect(&args.data_dir);
    let mut latencies = None;
    if !args.probe.is_zero() {
        output.progress(&format!("probing the disk for {}", units::seconds(args.probe.as_secs_f64())));
        latencies = Some(LatencyHistogram::from_iter(probe_sync(&args.data_dir, args.probe)?));
    }
    let spec = matching_spec(host.usable_cores, host.usable_ram_bytes);
    let result = HostResult {
        host: host_info(&host, latencies.as_ref()),
        machine_spec: spec_json(&spec),
        tuning: tuning_info(&spec),
        warnings: warnings(&host).into_iter().map(|seen| Warning { what: seen.what, hint: seen.hint }).collect(),
    };
    output.result(&result, || print(&host, &spec_name(&spec), &result, output))
}

fn print(host: &HostProfile, profile: &str, result: &HostResult, output: Output) -> Result<(), CliError> {
    output.line(&output::facts(&facts(host, result)))?;
    output.line(&format!("\nMachine: {profile}\nMachineSpec: {}\n", result.machine_spec))?;
    let tuning =
        result.tuning.iter().map(|tuning| vec![tuning.name.clone(), tuning.value.clone(), tuning.reason.clone()]);
    output.line(&figure_table(&["tuning", "value", "reason"], 3, tuning.collect()))?;
    if result.warnings.is_empty() {
        return output.line("\nNo known source of measurement error on this host.");
    }
    output.line("")?;
    output.warnings(&result.warnings)
}

fn facts(host: &HostProfile, result: &HostResult) -> Vec<(&'static str, String)> {
    let kind = match host.disk.rotational {
        Some(true) => ", rotational",
        Some(false) => ", solid state",
        None => "",
    };
    let bytes = |bytes: u64| units::bytes(bytes as f64);
    let physical = host.physical_cores.map_or_else(String::new, |cores| format!(", {cores} physical"));
    let mut facts = vec![
        ("CPU", host.cpu_model.clone()),
        ("cores", format!("{} logical{physical}", host.logical_cores)),
        ("usable cores", format!("{} ({})", host.usable_cores, host.usable_cores_source)),
        ("RAM", bytes(host.ram_bytes)),
        ("usable RAM", format!("{} ({})", bytes(host.usable_ram_bytes), host.usable_ram_source)),
        ("swap", format!("{}, {} in use", bytes(host.swap_bytes), bytes(host.swap_used_bytes))),
        ("disk", format!("{} on {}{kind}", host.disk.file_system, host.disk.device)),
        ("disk space", format!("{} free of {}", bytes(host.disk.free_bytes), bytes(host.disk.total_bytes))),
        ("kernel", host.kernel.clone()),
        ("virtualisation", host.virtualisation.clone()),
    ];
    if let Some(governor) = &host.governor {
        facts.push(("CPU governor", governor.clone()));
    }
    if let Some(probe) = &result.host.sync_probe {
        let shown = probe.percentiles.iter().filter(|found| SHOWN.contains(&found.percentile));
        let text = |found: &PercentileInfo| format!("{} {}", found.percentile, units::duration(found.value_ns as f64));
        let shown: Vec<_> = shown.map(text).collect();
        facts.push(("4 KiB write + fdatasync", format!("{} ({} writes)", shown.join(", "), units::count(probe.count))));
    }
    facts
}
