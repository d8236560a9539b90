//! Child processes under limits: what kills them, what does not, and the removal of their control groups.
//!
//! Where control groups are not permitted, the tests print it and do nothing.

use std::any::type_name_of_val;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use ave_workbench::host::{
    Confined, Confinement, ConfinementMethod, GroupLimits, GroupStats, HostProfile, remove_stale_groups,
};
use tempfile::tempdir_in;

use crate::support::skip::skipped;

const MIB: u64 = 1 << 20;
const LIMITS: GroupLimits = GroupLimits { millicores: 1_000, ram_bytes: 64 * MIB };
/// Makes a shell wait for a line, so that it is in its group when it continues.
const WAIT_FOR_LINE: &str = "read line;";
const KILLED: i32 = 9;

/// A confinement that limits memory, if there is one.
fn confinement(test: impl Fn()) -> Option<Confinement> {
    let confinement = Confinement::detect();
    if confinement.limits_memory() {
        return Some(confinement);
    }
    let reasons: Vec<_> = confinement.rejected().iter().map(ToString::to_string).collect();
    skipped(test, &reasons.join("; "));
    None
}

/// As the harness calls it: the path without the crate.
fn name(test: &impl Fn()) -> &'static str {
    type_name_of_val(test).split_once("::").unwrap().1
}

/// A shell that is in its groups and waits for a line.
fn start(confinement: &Confinement, limits: GroupLimits, script: &str) -> (Child, Confined) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{WAIT_FOR_LINE} {script}")]);
    let (mut command, mut confined) = confinement.prepare(limits, command).unwrap();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    confined.enter(child.id()).unwrap();
    (child, confined)
}

fn release(child: &mut Child) {
    child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
}

/// The shell's exit status and what its groups counted.
fn run(confinement: &Confinement, script: &str) -> (ExitStatus, GroupStats) {
    let (mut child, confined) = start(confinement, LIMITS, script);
    release(&mut child);
    let status = child.wait().unwrap();
    let evidence = confined.stats().unwrap().unwrap();
    confined.remove().unwrap();
    (status, evidence)
}

fn groups(confined: &Confined) -> Vec<PathBuf> {
    let groups: Vec<_> = confined.groups().map(Path::to_owned).collect();
    assert!(!groups.is_empty() && groups.iter().all(|group| group.is_dir()), "{groups:?}");
    groups
}

#[track_caller]
fn are_gone(groups: &[PathBuf]) {
    assert!(groups.iter().all(|group| !group.exists()), "{groups:?}");
}

/// Whether it is running, and not a zombie.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}

fn ends(pid: u32) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while runs(pid) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    !runs(pid)
}

#[test]
fn a_process_over_the_memory_limit_is_killed_and_counted() {
    let Some(confinement) = confinement(a_process_over_the_memory_limit_is_killed_and_counted) else {
        return;
    };
    // The last of a pipe has to be kept until its end is known.
    let (status, evidence) = run(&confinement, "head -c 300M /dev/zero | tail -c 300M");
    assert_eq!(status.code(), Some(128 + KILLED), "the shell tells how the last of the pipe ended");
    assert_eq!(evidence.oom_kills, 1);
    assert!(evidence.memory_limit_hits.unwrap() > 0);
    if let Some(peak) = evidence.memory_peak_bytes {
        assert!((LIMITS.ram_bytes / 2..=LIMITS.ram_bytes).contains(&peak), "{evidence:?}");
    }
}

#[test]
fn a_file_larger_than_memory_can_be_written_and_read() {
    let Some(confinement) = confinement(a_file_larger_than_memory_can_be_written_and_read) else { return };
    // Not in a directory that may be memory itself.
    let directory = tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file_system = HostProfile::detect(directory.path()).disk.file_system;
    if matches!(file_system.as_str(), "tmpfs" | "ramfs" | "rootfs") {
        let reason = format!("{} is on {file_system}, which is memory", directory.path().display());
        return skipped(a_file_larger_than_memory_can_be_written_and_read, &reason);
    }
    let file = directory.path().join("large");
    let file = file.to_str().unwrap();
    let script = format!("dd if=/dev/zero of={file} bs=1M count=300 && dd if={file} of=/dev/null bs=1M");
    let (status, evidence) = run(&confinement, &script);
    assert!(status.success(), "{status}");
    assert_eq!(evidence.oom_kills, 0);
    assert!(evidence.memory_limit_hits.unwrap() > 0, "page cache counts: {evidence:?}");
}

#[test]
fn a_process_below_the_memory_limit_is_not_affected() {
    let Some(confinement) = confinement(a_process_below_the_memory_limit_is_not_affected) else { return };
    let (status, evidence) = run(&confinement, "head -c 20M /dev/zero | tail -c 20M");
    assert!(status.success(), "{status}");
    assert_eq!((evidence.oom_kills, evidence.memory_limit_hits), (0, Some(0)));
    if let Some(peak) = evidence.memory_peak_bytes {
        assert!((20 * MIB..LIMITS.ram_bytes).contains(&peak), "{evidence:?}");
    }
}

#[test]
fn other_kills_are_not_counted_as_out_of_memory() {
    let Some(confinement) = confinement(other_kills_are_not_counted_as_out_of_memory) else { return };
    let (mut child, confined) = start(&confinement, LIMITS, "exec sleep 1000");
    release(&mut child);
    assert_eq!(confined.stats().unwrap().unwrap().oom_kills, 0, "it can be asked while it runs");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(KILLED));
    assert_eq!(confined.stats().unwrap().unwrap().oom_kills, 0);
}

/// Cores are kept by affinity; a quota would only add throttling where the host has no more cores than asked for.
#[test]
fn a_quota_is_set_only_where_the_host_has_more_cores() {
    let Some(confinement) = confinement(a_quota_is_set_only_where_the_host_has_more_cores) else { return };
    let cores = std::thread::available_parallelism().unwrap().get();
    let quota = |millicores: u64| {
        let (mut child, confined) = start(&confinement, GroupLimits { millicores, ..LIMITS }, "");
        let quota = confined.groups().find_map(|group| {
            let quota =
                ["cpu.max", "cpu.cfs_quota_us"].iter().find_map(|name| fs::read_to_string(group.join(name)).ok())?;
            quota.split_whitespace().next()?.parse::<u64>().ok()
        });
        release(&mut child);
        child.wait().unwrap();
        quota
    };
    assert_eq!(quota(cores as u64 * 1_000), None);
    let refused = confinement.rejected().iter().any(|refusal| refusal.reason.contains("cpu"));
    if !refused {
        assert_eq!(quota(500), Some(50_000), "half of every period");
    }
    if cores > 1 && !refused {
        assert_eq!(quota(1_000), Some(100_000));
    }
}

#[test]
fn groups_are_removed_with_their_processes() {
    let Some(confinement) = confinement(groups_are_removed_with_their_processes) else { return };
    let (mut child, confined) = start(&confinement, LIMITS, "sleep 1000 & sleep 1000");
    release(&mut child);
    let groups = groups(&confined);
    drop(confined);
    are_gone(&groups);
    assert_eq!(child.wait().unwrap().signal(), Some(KILLED));
}

#[test]
fn groups_of_a_child_that_was_just_killed_are_removed() {
    let Some(confinement) = confinement(groups_of_a_child_that_was_just_killed_are_removed) else { return };
    for _ in 0..20 {
        let (mut child, confined) = start(&confinement, LIMITS, "sleep 1000");
        let groups = groups(&confined);
        child.kill().unwrap();
        confined.remove().unwrap();
        are_gone(&groups);
        child.wait().unwrap();
    }
}

#[test]
fn a_panic_leaves_no_group() {
    let Some(confinement) = confinement(a_panic_leaves_no_group) else { return };
    let mut made = Vec::new();
    let (mut child, confined) = start(&confinement, LIMITS, "sleep 1000");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        made = groups(&confined);
        let _confined = confined;
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(panicked.is_err());
    are_gone(&made);
    child.wait().unwrap();
}

/// This test binary once more, told to run this test alone.
fn once_more(test: &impl Fn()) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name(test), "--exact"]).env(ONCE_MORE, "1");
    command
}

const ONCE_MORE: &str = "AVE_TEST_CONFINEMENT";

fn is_once_more() -> bool {
    env::var_os(ONCE_MORE).is_some()
}

#[test]
fn nothing_is_left_of_the_trial() {
    if !is_once_more() {
        // In a process without other tests, which have groups as well.
        return assert!(once_more(&nothing_is_left_of_the_trial).output().unwrap().status.success());
    }
    let confinement = Confinement::detect();
    assert!(confinement.limits_memory() || !confinement.rejected().is_empty());
    let own = format!("ave-workbench-{}-*", std::process::id());
    let found = Command::new("find").args(["/sys/fs/cgroup", "-name", &own]).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "");
}

/// When a process started, as the kernel counts it.
fn start_of(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}

#[test]
fn the_group_of_a_live_process_stays() {
    let Some(confinement) = confinement(the_group_of_a_live_process_stays) else { return };
    if confinement.method() == ConfinementMethod::SystemdScope {
        let test = the_group_of_a_live_process_stays;
        return skipped(test, "systemd manages the control groups");
    }
    let (mut child, confined) = start(&confinement, LIMITS, "sleep 1000");
    let place = groups(&confined)[0].parent().unwrap().to_owned();
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    let mut left_behind = Command::new("sleep").arg("1000").spawn().unwrap();
    let group = place.join(format!("ave-workbench-{}-{}-0", owner.id(), start_of(owner.id())));
    let other = place.join(format!("ave-workbench-{}-{}-0", owner.id(), start_of(owner.id()) + 1));
    for group in [&group, &other] {
        fs::create_dir(group).unwrap();
    }
    fs::write(group.join("cgroup.procs"), left_behind.id().to_string()).unwrap();

    let stale = remove_stale_groups();
    assert!(group.is_dir() && runs(left_behind.id()));
    assert!(!other.exists(), "of a process with this id that started at another time: {stale:?}");

    owner.kill().unwrap();
    owner.wait().unwrap();
    remove_stale_groups();
    assert!(!group.exists());
    assert_eq!(left_behind.wait().unwrap().signal(), Some(KILLED));

    // The groups of this process were there all the time.
    assert!(runs(child.id()) && confined.stats().is_ok());
    drop(confined);
    child.wait().unwrap();
}

#[test]
fn a_start_removes_what_a_killed_process_left() {
    let Some(confinement) = confinement(a_start_removes_what_a_killed_process_left) else { return };
    if is_once_more() {
        let (child, confined) = start(&confinement, LIMITS, "sleep 1000");
        let groups: Vec<_> = groups(&confined).iter().map(|group| group.display().to_string()).collect();
        let told = format!("\nwaits {} {}\n", child.id(), groups.join(" "));
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        // Its standard input stays open, so it does nothing until it is killed.
        let _child = child;
        std::thread::sleep(Duration::from_secs(1000));
        return;
    }
    let mut parent = once_more(&a_start_removes_what_a_killed_process_left);
    let mut parent = parent.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(parent.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.into_iter().find_map(|line| line.strip_prefix("waits ").map(str::to_owned)).expect("it says when");
    let mut told = told.split(' ');
    let child: u32 = told.next().unwrap().parse().unwrap();
    let groups: Vec<_> = told.map(PathBuf::from).collect();
    assert!(!groups.is_empty());

    // It lives: whoever starts now must not touch it.
    remove_stale_groups();
    assert!(groups.iter().all(|group| group.is_dir()) && parent.try_wait().unwrap().is_none());

    parent.kill().unwrap();
    parent.wait().unwrap();
    let stale = remove_stale_groups();
    are_gone(&groups);
    assert!(ends(child), "{stale:?}");
}

/// Starts clean up while others make groups and remove them.
#[test]
fn concurrent_starts_do_not_interfere() {
    let Some(confinement) = confinement(concurrent_starts_do_not_interfere) else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    remove_stale_groups();
                    let again = Confinement::detect();
                    assert_eq!(again.method(), confinement.method(), "{:?}", again.rejected());
                    let (mut child, confined) = start(&confinement, LIMITS, "");
                    release(&mut child);
                    assert!(child.wait().unwrap().success());
                    confined.stats().unwrap().unwrap();
                    confined.remove().unwrap();
                }
            });
        }
    });
}
