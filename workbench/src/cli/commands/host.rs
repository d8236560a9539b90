//! `host`.

use crate::cli::args::HostArgs;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::output::{Output, text_table};
use crate::host::{HostProfile, matching_spec, probe_sync, warnings};
use crate::measure::{LatencyHistogram, Percentile};
use crate::report::{HostInfo, Outcome, TuningInfo, Warning, host_info, spec_json, spec_name, tuning_info};
use crate::units;

/// Percentiles of the disk probe in the text output.
const SHOWN: [Percentile; 4] = [Percentile::P50, Percentile::P99, Percentile::P99_9, Percentile::Max];

/// The result as JSON.
#[derive(Debug, serde::Serialize)]
struct HostResult {
    #[serde(flatten)]
    host: HostInfo,
    machine_spec: serde_json::Value,
    tuning: Vec<TuningInfo>,
    warnings: Vec<Warning>,
}

pub(crate) fn run(args: &HostArgs, output: Output) -> Result<Outcome, CliError> {
    if !args.data_dir.is_dir() {
        let source = std::io::ErrorKind::NotADirectory.into();
        return Err(CliError::DataDirectory { path: args.data_dir.clone(), source });
    }
    let host = HostProfile::detect(&args.data_dir);
    let latencies = if args.probe.is_zero() {
        None
    } else {
        output.progress(&format!("probing the disk for {}", units::seconds(args.probe.as_secs_f64())));
        Some(LatencyHistogram::from_iter(probe_sync(&args.data_dir, args.probe)?))
    };
    let spec = matching_spec(host.usable_cores, host.usable_ram_bytes);
    let result = HostResult {
        host: host_info(&host, latencies.as_ref()),
        machine_spec: spec_json(&spec),
        tuning: tuning_info(&spec),
        warnings: warnings(&host).into_iter().map(|seen| Warning { what: seen.what, hint: seen.hint }).collect(),
    };
    if output.is_json() {
        output::json(&result)?;
    } else {
        print(&host, &spec_name(&spec), &result, output)?;
    }
    Ok(Outcome::Pass)
}

fn print(host: &HostProfile, profile: &str, result: &HostResult, output: Output) -> Result<(), CliError> {
    output.line(&output::facts(&facts(host, result)))?;
    output.line(&format!("\nMachine: {profile}\nMachineSpec: {}\n", result.machine_spec))?;
    let tuning =
        result.tuning.iter().map(|tuning| vec![tuning.name.clone(), tuning.value.clone(), tuning.reason.clone()]);
    output.line(&text_table(&["tuning", "value", "reason"], tuning.collect()))?;
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
    let physical = host.physical_cores.map_or_else(String::new, |cores| format!(", {cores} physical"));
    let mut facts = vec![
        ("CPU", host.cpu_model.clone()),
        ("cores", format!("{} logical{physical}", host.logical_cores)),
        ("usable cores", format!("{} ({})", host.usable_cores, host.usable_cores_source)),
        ("RAM", units::bytes(host.ram_bytes as f64)),
        ("usable RAM", format!("{} ({})", units::bytes(host.usable_ram_bytes as f64), host.usable_ram_source)),
        (
            "swap",
            format!("{}, {} in use", units::bytes(host.swap_bytes as f64), units::bytes(host.swap_used_bytes as f64)),
        ),
        ("disk", format!("{} on {}{kind}", host.disk.file_system, host.disk.device)),
        (
            "disk space",
            format!(
                "{} free of {}",
                units::bytes(host.disk.free_bytes as f64),
                units::bytes(host.disk.total_bytes as f64)
            ),
        ),
        ("kernel", host.kernel.clone()),
        ("virtualisation", host.virtualisation.clone()),
    ];
    if let Some(governor) = &host.governor {
        facts.push(("CPU governor", governor.clone()));
    }
    if let Some(probe) = &result.host.sync_probe {
        let shown: Vec<_> = probe
            .percentiles
            .iter()
            .filter(|found| SHOWN.contains(&found.percentile))
            .map(|found| format!("{} {}", found.percentile, units::duration(found.value_ns as f64)))
            .collect();
        facts.push(("4 KiB write + fdatasync", format!("{} ({} writes)", shown.join(", "), units::count(probe.count))));
    }
    facts
}
