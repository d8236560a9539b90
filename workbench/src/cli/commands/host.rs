//! `host`.

use std::path::Path;
use std::time::Duration;

use super::disk_table;
use crate::cli::args::host::HostArgs;
use crate::cli::error::CliError;
use crate::cli::output::{self, Output, figure_table};
use crate::cli::{output_file, resolve};
use crate::host::{HostProfile, MeasuredDisk, matching_spec, measure_disk, warnings};
use crate::load::disturbances_now;
use crate::report::{DiskFile, HostInfo, TuningInfo, Warning, host_info, spec_json, tuning_info};
use crate::trace::{replace_file, scratch_directory};
use crate::units;

/// A probe that is longer reports its progress about as often.
const NOTE_EVERY_SECONDS: u64 = 10;

#[derive(Debug, serde::Serialize)]
struct HostResult {
    #[serde(flatten)]
    host: HostInfo,
    /// Size of the file system under the data directory.
    disk_total_bytes: u64,
    machine_spec: serde_json::Value,
    tuning: Vec<TuningInfo>,
    warnings: Vec<Warning>,
    /// The file of the disk profile.
    disk_file: Option<String>,
}

pub(crate) fn run(args: &HostArgs, output: Output) -> Result<(), CliError> {
    resolve::existing_directory(&args.data_dir, "")?;
    let time = args.probe_for.unwrap_or(args.probe);
    let output = output_file::admit(args.output.as_deref(), args.overwrite, &[], output)?;
    if let Some(path) = &args.output {
        if time.is_zero() {
            return Err(CliError::Usage("--output needs a probe of the disk, expected --probe above 0s".to_owned()));
        }
        // Before time is spent.
        let directory = scratch_directory(path);
        tempfile::tempfile_in(directory).map_err(|source| CliError::Write { path: path.clone(), source })?;
    }
    let host = HostProfile::detect(&args.data_dir);
    let disk = if time.is_zero() { None } else { Some(probe(&args.data_dir, time, output)?) };
    let spec = matching_spec(host.usable_cores, host.usable_ram_bytes);
    let info = host_info(&host, disk.as_ref());
    if let (Some(path), Some(disk)) = (&args.output, disk) {
        write(path, &DiskFile::new(&info, &args.data_dir, resolve::now(), disk.profile))?;
    }
    let result = HostResult {
        host: info,
        disk_total_bytes: host.disk.total_bytes,
        machine_spec: spec_json(&spec),
        tuning: tuning_info(&spec),
        warnings: warnings(&host).into_iter().chain(busy(&host)).collect(),
        disk_file: args.output.as_ref().map(|path| path.display().to_string()),
    };
    output.result(&result, || print(&host, &result, args.tuning, output))
}

fn busy(host: &HostProfile) -> Vec<Warning> {
    let hint = "wait until it is idle: `run`, `plan` and `certify` refuse to measure without --anyway";
    let seen = disturbances_now(host.logical_cores).into_iter();
    seen.map(|what| Warning { what, hint: hint.to_owned() }).collect()
}

/// Ctrl-C ends the probe; what was measured by then counts.
fn probe(directory: &Path, time: Duration, output: Output) -> Result<MeasuredDisk, CliError> {
    let control = resolve::stop_on_ctrl_c(output)?;
    output.progress(&format!("probing the disk for {}", units::seconds(time.as_secs_f64())));
    let goes_on = |elapsed: Duration| {
        let second = (elapsed + Duration::from_millis(500)).as_secs();
        if second > 0 && second.is_multiple_of(NOTE_EVERY_SECONDS) {
            output.progress(&format!("probed {second} s of {}", units::seconds(time.as_secs_f64())));
        }
        !control.is_stopped()
    };
    Ok(measure_disk(directory, time, &goes_on)?)
}

fn write(path: &Path, file: &DiskFile) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_owned(), source };
    let text = serde_json::to_string_pretty(file).map_err(|error| failed(error.into()))?;
    replace_file(path, format!("{text}\n").as_bytes()).map_err(failed)
}

/// The answer comes first: which machine it is, and whether measurements on it count.
fn print(host: &HostProfile, result: &HostResult, shows_tuning: bool, output: Output) -> Result<(), CliError> {
    output.sentence(&answer(&result.host))?;
    if result.warnings.is_empty() {
        output.line("No known source of measurement error on this host.")?;
    }
    output.warnings(&result.warnings)?;
    let speed = result.host.processor.map(|processor| ("core speed", processor.summary()));
    let facts: Vec<_> = facts(host).into_iter().chain(speed).collect();
    output.line(&format!("\n{}", output::facts(&facts)))?;
    if let Some(disk) = &result.host.disk_profile {
        output.line(&format!("\n{}\n\n{}", disk_table::table(disk), output::facts(&disk_table::facts(disk))))?;
    }
    if let Some(file) = &result.disk_file {
        output.line(&format!(
            "Disk profile: {file}\nCompare a plan with it: `ave-workbench plan … --disk {file}`.\nPredict from a plan of another \
             host what this one sustains: `ave-workbench plan --from REPORT --host {file}`."
        ))?;
    }
    output.line(&format!("\nMachineSpec: {}", result.machine_spec))?;
    let tuning =
        result.tuning.iter().map(|tuning| vec![tuning.name.clone(), tuning.value.clone(), tuning.reason.clone()]);
    if shows_tuning {
        return output.line(&format!("\n{}", figure_table(&["tuning", "value", "reason"], 3, tuning.collect())));
    }
    output.line(&format!("{}, each with its reason: --tuning", units::counted(result.tuning.len() as u64, "setting")))
}

/// `This host is the machine `medium`: this process may use 2 cores and 3.9 GiB of RAM; a sync of its disk takes …`
fn answer(host: &HostInfo) -> String {
    let (cores, ram) =
        (units::counted(host.usable_cores_count.into(), "core"), units::bytes(host.usable_ram_bytes as f64));
    let name = match host.machine_profile.as_str() {
        "custom" => "This host has the size of no profile (`ave-workbench machines`)".to_owned(),
        profile => format!("This host is the machine `{profile}`"),
    };
    let disk = host.disk_profile.as_ref();
    let disk = disk.map_or_else(String::new, |disk| format!(" Sync of 4 KiB on its disk: {}.", disk.swing.summary()));
    format!("{name}: this process may use {cores} and {ram} of RAM.{disk}")
}

fn facts(host: &HostProfile) -> Vec<(&'static str, String)> {
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
    facts
}
