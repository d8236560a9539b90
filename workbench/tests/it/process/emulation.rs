//! Plans of the built binary within the limits of machines: out-of-memory kills, cleaning up, resuming.
//!
//! Where control groups are not permitted, the tests print it and do nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use ave_workbench::host::{Confinement, remove_stale_groups};
use serde_json::Value;

use crate::cli::figures;
use crate::cli::program::{Ended, INCONCLUSIVE, PASS, Place, USAGE, json};
use crate::support::skip::skipped;

/// Ten actors whose states alone take hundreds of megabytes of page cache, and more than a small machine has at once.
const LARGE_STATES: &str = "name = 'large'\ndescription = 'd'\nevent_bytes = { constant = 100 }\n\
                            state_bytes = { constant = 16000000 }\ncompressibility = 0.0\n[actors]\ncount = 10\n\
                            [persistence]\nmode = 'light'\n[commands]\npersist = 1\n";

/// The shortest plan.
const QUICK: &str = "plan tiny.toml --target 50 --slo p50=500ms --quick --durability off --machine nano --horizon 1m";

fn limits_memory(test: impl Fn()) -> bool {
    let confinement = Confinement::detect();
    if !confinement.limits_memory() {
        let reasons: Vec<_> = confinement.rejected().iter().map(ToString::to_string).collect();
        skipped(test, &reasons.join("; "));
    }
    confinement.limits_memory()
}

/// Control groups of workbenches whose process is this one.
fn groups_of(pid: u32) -> Vec<PathBuf> {
    fn walk(directory: &Path, mark: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().starts_with(mark) {
                    found.push(entry.path());
                }
                walk(&entry.path(), mark, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), &format!("ave-workbench-{pid}-"), &mut found);
    found
}

/// Processes whose command line names this directory or that were started below it.
fn processes_in(place: &Place) -> Vec<String> {
    let directory = fs::canonicalize(place.path(".")).unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == directory))
        .map(|entry| fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " "))
        .collect()
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts it and returns when its progress says `until`.
fn started(place: &Place, words: &str, until: &str) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = place.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(until) {
        line.clear();
        assert!(progress.read_line(&mut line).unwrap() > 0, "ended before `{until}`");
    }
    (child, progress)
}

fn machine<'r>(report: &'r Value, name: &str) -> &'r Value {
    let profiles = report["plan"]["profiles"].as_array().unwrap();
    profiles.iter().find(|profile| profile["profile"] == name).unwrap_or_else(|| panic!("{profiles:?}"))
}

#[test]
fn a_machine_with_too_little_memory_fails_and_a_larger_one_is_recommended() {
    if !limits_memory(a_machine_with_too_little_memory_fails_and_a_larger_one_is_recommended) {
        return;
    }
    let place = Place::new();
    place.write("large.toml", LARGE_STATES);
    // A rate that a busy machine reaches too: a command writes 16 MB.
    let words =
        "plan large.toml --target 1 --slo max=60s --headroom 0 --quick --durability off --writers 2 --horizon 1m";
    let ended = place.run(&format!("{words} --machine 1,80 --machine 1,4000"));
    assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}{}", ended.stdout, ended.stderr);
    let report = place.report();
    let small = machine(&report, "1,80");
    assert!(small["reason"].as_str().unwrap().contains("killed"), "{small}");
    assert_eq!(small["modes"][0]["holds"], false);
    assert_eq!(small["modes"][0]["binding"]["resource"], "memory");
    let large = machine(&report, "1,4000");
    assert_eq!((&large["evidence"], &large["modes"][0]["holds"]), (&"emulated".into(), &true.into()), "{large}");
    let recommended = &report["plan"]["recommendations"][0];
    assert_eq!(recommended["machine_spec"], json(r#"{"custom": {"ram_mb": 4000, "cpu_cores": 1}}"#));
    assert_eq!(recommended["container"]["memory_mib"], 3680);
    figures::of_plan(&place, &ended);
    place.holds_only(&["large.toml", "reports"]);
}

/// The histograms of 512 writers take more memory than the machine has.
#[test]
fn the_workbench_does_not_count_against_the_machine() {
    if !limits_memory(the_workbench_does_not_count_against_the_machine) {
        return;
    }
    let place = Place::new();
    let many = "name = 'many'\ndescription = 'd'\nevent_bytes = { constant = 100 }\nstate_bytes = { constant = 100 }\n\
                [actors]\ncount = 2000\n[persistence]\nmode = 'light'\n[commands]\npersist = 1\n";
    place.write("many.toml", many);
    let short = "--measure 300ms --warmup 0s --rounds 1 --kills 0 --durability off";
    let ended = place.run(&format!("run many.toml --rate 200 --machine 1,80 --writers 512 {short}"));
    assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}{}", ended.stdout, ended.stderr);
    let report = place.report();
    let mode = &report["modes"][0];
    assert!(mode["harness_memory_bytes"].as_u64().unwrap() > 80 << 20, "{mode}");
    assert_eq!(mode["writers_count"], 512);
}

#[test]
fn a_database_is_verified_outside_of_the_machine() {
    if !limits_memory(a_database_is_verified_outside_of_the_machine) {
        return;
    }
    let place = Place::new();
    let long = "name = 'long'\ndescription = 'd'\nevent_bytes = { constant = 16000 }\nstate_bytes = { constant = 20 }\n\
                compressibility = 0.0\n[actors]\ncount = 1\n[persistence]\nmode = 'full'\n[commands]\npersist = 1\n\
                [preload]\nevents_per_actor = 12000\n";
    place.write("long.toml", long);
    let short = "--measure 300ms --warmup 0s --rounds 1 --kills 0 --durability off";
    let ended = place.run(&format!("run long.toml --rate 100 --machine 1,64 {short}"));
    assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}{}", ended.stdout, ended.stderr);
    let verification = &place.report()["modes"][0]["verification"];
    assert!(verification["events_count"].as_u64().unwrap() >= 12_000, "{verification}");
    assert_eq!(verification["differences"], json("[]"));
}

/// Long names make handles of actors large: 50,000 of them take more memory than the machine has.
#[test]
fn a_restart_that_is_killed_is_a_finding_and_leaves_the_database_as_it_was() {
    if !limits_memory(a_restart_that_is_killed_is_a_finding_and_leaves_the_database_as_it_was) {
        return;
    }
    let place = Place::new();
    let named = "name = 'named'\ndescription = 'd'\nevent_bytes = { constant = 20 }\nstate_bytes = { constant = 20 }\n\
                 [actors]\ncount = 20\nname_bytes = 400\n[persistence]\nmode = 'full'\n[commands]\nlast_event = 1\n\
                 [preload]\nevents_per_actor = 1\n";
    place.write("named.toml", named);
    let ended = place
        .run("plan named.toml --target 5 --slo last_event:max=2s --quick --durability off --machine 1,64 --actors 50000 --writers 2 --horizon 1m");
    assert!(ended.stderr.contains("out of memory (restarting 50,000 actors)"), "{}{}", ended.stdout, ended.stderr);
    let verification = &place.report()["modes"][0]["verification"];
    assert_eq!((&verification["performed"], &verification["differences"]), (&true.into(), &json("[]")));
    place.holds_only(&["named.toml", "reports"]);
}

/// A control group in which at most 8 threads run; `None` where none can be created.
fn crowded_group() -> Option<PathBuf> {
    let own = ave_actors_rocksdb::machine::cgroup_dirs(Path::new("/"), "self", "pids").into_iter().next()?;
    let group = own.path.join(format!("threads-{}", std::process::id()));
    fs::create_dir(&group).ok()?;
    let limited = fs::write(group.join("pids.max"), "8");
    limited.inspect_err(|_| drop(fs::remove_dir(&group))).ok().map(|()| group)
}

#[test]
fn too_few_threads_are_an_error_before_anything_is_measured() {
    let Some(group) = crowded_group() else {
        let test = too_few_threads_are_an_error_before_anything_is_measured;
        return skipped(test, "a control group that limits threads cannot be created");
    };
    let place = Place::new();
    for verb in ["run tiny.toml", "certify tiny.toml --rate 100 --slo p50=1s", "plan tiny.toml --target 5 --slo p50=1s"]
    {
        let workbench = place.command(&format!("{verb} --writers 5"));
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\""]).arg(&group);
        command.arg(workbench.get_program()).args(workbench.get_args()).current_dir(place.path("."));
        let ended = Ended::of(command.stdin(Stdio::null()).output().unwrap());
        ended.refused(USAGE, &["5 writers need as many threads", "pids.max is 8 in", "--writers"]);
    }
    place.holds_only(&[]);
    eventually("the group is empty", || fs::remove_dir(&group).is_ok());
}

#[test]
fn more_writers_than_actors_are_named() {
    let place = Place::new();
    let short = "--measure 200ms --warmup 0s --rounds 1 --durability off --kills 0";
    let ended = place.run(&format!("run tiny.toml --writers 1000 {short}"));
    assert!(ended.stderr.contains("--writers 1000: `tiny` has"), "{}", ended.stderr);
    assert_eq!(place.report()["modes"][0]["writers_count"], place.report()["source"]["actors_count"]);
}

#[test]
fn the_next_start_removes_what_a_killed_plan_left() {
    if !limits_memory(the_next_start_removes_what_a_killed_plan_left) {
        return;
    }
    let place = Place::new();
    let (mut child, _progress) = started(&place, QUICK, "measuring");
    let pid = child.id();
    assert!(!groups_of(pid).is_empty(), "it runs in a control group");
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("its processes end with it", || processes_in(&place).is_empty());
    remove_stale_groups();
    assert_eq!(groups_of(pid), Vec::<PathBuf>::new());
    let short = "run tiny.toml --measure 200ms --warmup 0s --rounds 1 --durability off --kills 0";
    place.run(short);
    place.holds_only(&["reports"]);
}

#[test]
fn an_interrupted_plan_resumes_and_leaves_no_journal() {
    if !limits_memory(an_interrupted_plan_resumes_and_leaves_no_journal) {
        return;
    }
    let place = Place::new();
    let (mut child, mut progress) = started(&place, QUICK, "meets the objective");
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut progress, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(INCONCLUSIVE), "{rest}");
    assert!(rest.contains("run the same command again to resume"), "{rest}");
    assert!(groups_of(child.id()).is_empty() && processes_in(&place).is_empty());
    let ended = place.run(QUICK);
    assert!(ended.stderr.contains("resuming with"), "{}", ended.stderr);
    let is_hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    let hidden: Vec<_> = place.reports().into_iter().filter(is_hidden).collect();
    assert_eq!(hidden, Vec::<PathBuf>::new(), "the journal is gone");
    let log = place.reports().into_iter().filter(|path| path.join("latency.hlog").exists()).count();
    assert!(log > 0, "histograms lie beside the report");
}

#[test]
fn invalid_plans_are_refused_before_anything_is_measured() {
    let place = Place::new();
    for (words, parts) in [
        ("--machine tiny", &["invalid value 'tiny' for '--machine", "nano", "CORES,RAM_MIB"][..]),
        ("--machine 2,40", &["`40` without a unit is 40 MiB", "64 MiB", "`2,40GiB`"]),
        ("--machine 1000,4000", &["less than any candidate machine"]),
        ("--what-if users=2x", &["`users` is none of actors"]),
        ("--what-if actors=0x", &["neither a factor"]),
        ("--quick --thorough", &["cannot be used with"]),
    ] {
        place.run(&format!("plan tiny.toml --target 5 --slo p99=1ms {words}")).refused(USAGE, parts);
    }
    let vast = LARGE_STATES.replace("constant = 100 ", "constant = 16000000 ");
    place.write("vast.toml", vast.replace("[commands]", "[preload]\nevents_per_actor = 1000000\n[commands]"));
    for words in ["plan --target 5 --slo p99=1ms", "run", "certify --rate 2000 --slo p50=1s"] {
        place.run(&format!("{words} vast.toml")).refused(USAGE, &["preloads", "are free"]);
    }
    place.holds_only(&["vast.toml"]);
}
