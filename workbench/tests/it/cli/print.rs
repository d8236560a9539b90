//! Commands that print: workloads, host, help, completions, manual pages.

use std::fs;
use std::process::{Command, Stdio};

use ave_workbench::host::Machine;
use ave_workbench::workload::{Workload, shipped};

use super::program::{Ended, MISSED, PASS, Place, SAMPLE, SHORT, TINY, json};
use crate::support::skip::skipped;

#[test]
fn workloads_are_listed_and_printed() {
    let place = Place::new();
    let list = place.run("workloads").stdout;
    let listed = json(&place.run("workloads --json").stdout);
    for (place_in_list, workload) in shipped().iter().enumerate() {
        assert!(list.contains(&format!("{} — ", workload.name)), "{} is not listed", workload.name);
        assert_eq!(listed[place_in_list]["name"], workload.name);
        let printed = place.run(&format!("workloads {}", workload.name)).stdout;
        assert_eq!(Workload::parse(&printed).unwrap(), Workload::parse(workload.text).unwrap());
    }
}

#[test]
fn the_memory_that_serves_the_reads_of_a_workload_is_drawn() {
    let place = Place::new();
    place.write("reading.toml", TINY.replace("persist = 1", "persist = 1\nlast_event = 1"));
    let text = place.run("workloads reading.toml --memory --grown-by 1000").stdout;
    for part in ["A command reads", "nothing more is gained", "by memory for blocks", "KiB  █"] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    let reads = json(&place.run("workloads reading.toml --memory --json").stdout);
    assert!(reads["knee"]["memory_bytes"].as_f64().unwrap() > 0.0, "{reads}");
    let none = place.run("workloads tiny.toml --memory");
    assert_eq!((none.code, none.stdout.as_str()), (PASS, "Its commands read nothing from the database.\n"));
}

#[test]
fn the_host_is_described_as_text_and_as_json() {
    let place = Place::new();
    let host = json(&place.run("host --probe 0s --json").stdout);
    assert!(host["usable_cores_count"].as_u64().unwrap() > 0 && host["usable_ram_bytes"].as_u64().unwrap() > 0);
    assert!(host["machine_spec"].is_object() && !host["tuning"].as_array().unwrap().is_empty(), "{host}");
    assert!(host["sync_probe"].is_null(), "0s skips the probe");
    let ended = place.run("host --probe 50ms");
    assert_eq!(ended.code, PASS);
    assert!(ended.stdout.starts_with("This host "), "the answer comes first: {}", ended.stdout);
    assert!(ended.stdout.contains("MachineSpec: {") && ended.stdout.contains("fdatasync"), "{}", ended.stdout);
    assert!(host["disk_total_bytes"].as_u64() >= host["disk_free_bytes"].as_u64(), "{host}");
    let setting = host["tuning"][0]["name"].as_str().unwrap();
    assert!(!ended.stdout.contains(setting) && ended.stdout.contains("--tuning"), "{}", ended.stdout);
    assert!(place.run("host --probe 0s --tuning").stdout.contains(setting));
    place.holds_only(&[]);
}

#[test]
fn machines_are_listed_with_their_sizes() {
    let place = Place::new();
    let (text, machines) = (place.run("machines").stdout, json(&place.run("machines --json").stdout));
    for machine in Machine::profiles() {
        let listed =
            machines.as_array().unwrap().iter().find(|listed| listed["name"] == machine.name.as_str()).unwrap();
        assert_eq!(listed["ram_bytes"], machine.ram_mb << 20);
        let line = text.lines().find(|line| line.starts_with(&format!("{} ", machine.name))).unwrap();
        assert!(line.contains(&machine.cores.to_string()), "{line}");
    }
    assert!(text.contains("  4   16 GiB") && text.contains("CORES,RAM_MIB"), "{text}");
}

#[test]
fn completions_and_help_are_printed() {
    let place = Place::new();
    let script = place.run("completions bash").stdout;
    assert!(script.contains("complete -F") && script.contains("--durability"), "{script}");
    let help = place.run("run --help");
    assert_eq!(help.code, PASS);
    assert!(help.stdout.contains("--measure") && help.stdout.contains("Examples:"), "{}", help.stdout);
}

#[test]
fn the_version_is_printed_with_the_commit_that_the_build_has() {
    let printed = Place::new().run("--version").stdout;
    let version = concat!("ave-workbench ", env!("CARGO_PKG_VERSION"));
    match option_env!("AVE_WORKBENCH_COMMIT") {
        Some(commit) => {
            assert!(printed.starts_with(&format!("{version} ({}", &commit[..7])), "{printed}");
            assert_eq!(printed.contains("-dirty)"), commit.ends_with("-dirty"), "{printed}");
        }
        None => assert_eq!(printed, format!("{version}\n")),
    }
}

/// Runs it with a closed pipe as standard output.
fn unread(place: &Place, words: &str) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(words);
    command.stdout(writer).stderr(Stdio::piped());
    Ended::of(command.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    let place = Place::new();
    for words in ["workloads", "workloads ledger", "host --probe 0s --json", "completions bash"] {
        let ended = unread(&place, words);
        assert_eq!((ended.code, ended.stderr.as_str()), (PASS, ""), "{words}");
    }
    for words in [format!("{SHORT} --slo p99=1ns"), format!("{SHORT} --slo p99=1ns --json")] {
        let place = Place::new();
        let ended = unread(&place, &words);
        place.ended_with(&ended, MISSED);
        assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("error"), "{}", ended.stderr);
    }
}

#[test]
fn standard_output_is_json_alone_for_every_command() {
    let place = Place::new();
    place.write("log.csv", "case,timestamp\n1,2024-01-01T10:00:00Z\n2,2024-01-01T10:00:01Z\n1,2024-01-01T10:00:02Z\n");
    for words in [
        "host --probe 0s",
        "workloads",
        "workloads ledger",
        "trace import log.csv",
        "trace info log.trace.csv.zst",
        "trace fit log.trace.csv.zst",
        "trace export log.trace.csv.zst -o commands.csv",
        "trace generate tiny.toml -o tiny.trace.csv --commands 10",
        "completions bash",
        "man",
        "man pages",
        SHORT,
        &format!("report {SAMPLE}"),
        &format!("report {SAMPLE} -o page.html"),
    ] {
        let ended = place.run(&format!("{words} --json"));
        assert!(!ended.stdout.is_empty(), "{words}: {}", ended.stderr);
        assert!(json(&ended.stdout).is_object() || json(&ended.stdout).is_array(), "{words}");
    }
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn manual_pages_are_valid_for_groff() {
    let place = Place::new();
    let ended = place.run("man pages");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    let pages: Vec<_> = fs::read_dir(place.path("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 12, "{pages:?}");
    assert_eq!(place.run("man").stdout, fs::read_to_string(place.path("pages/ave-workbench.1")).unwrap());
    if !has("groff") {
        return skipped(manual_pages_are_valid_for_groff, "groff is not installed");
    }
    for page in pages {
        let output = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&page).output().unwrap();
        let warnings = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    }
}

#[test]
fn bash_completes_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = place.run(&format!("completions {shell}"));
        assert!(ended.code == PASS && ended.stdout.contains("certify"), "{shell}");
        place.write(shell, ended.stdout);
    }
    if !has("bash") {
        return skipped(bash_completes_commands, "bash is not installed");
    }
    let script = "source ./bash; complete -p ave-workbench; COMP_WORDS=(ave-workbench cert); COMP_CWORD=1; \
                 _ave__workbench ave-workbench cert ave-workbench; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", script]).current_dir(place.path("")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("complete ") && printed.trim_end().ends_with("certify"), "{printed}");
}
