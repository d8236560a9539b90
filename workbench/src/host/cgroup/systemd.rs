//! A scope created by systemd, where groups cannot be created directly.
//!
//! systemd removes a scope as soon as it is empty, and with it the kernel's counters. To read them after the child's end,
//! each scope has a second, idle process, which exits when this one does. A scope is marked as delegated; otherwise systemd
//! would kill the idle process after an out-of-memory kill as well.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use super::directory::{GroupDirectory, POLL_INTERVAL, lock, processes};
use super::limits::{CPU, GroupLimits, MEMORY};
use super::owner::{Owner, SCOPE, exited};
use super::stats::GroupStats;
use ave_actors_rocksdb::machine::{cgroup_dirs, under};

const SCOPE_TIMEOUT: Duration = Duration::from_secs(10);
/// Starts the idle process, which checks once a second whether its owner runs, and becomes the program.
const WITH_KEEPER: &str = r#"tail --pid="$0" -s 1 -f /dev/null </dev/null >/dev/null 2>&1 & exec "$@""#;

/// The systemd of this host, or of this user if not root.
#[derive(Debug, Clone)]
pub(super) struct Systemd {
    root: PathBuf,
    program: PathBuf,
    owner: Owner,
}

impl Systemd {
    pub(super) fn new(root: &Path, owner: Owner) -> Self {
        Self { root: root.to_owned(), program: "systemd-run".into(), owner }
    }

    /// Whether the host was booted with systemd, as `sd_booted(3)` checks it.
    pub(super) fn runs(root: &Path) -> bool {
        root.join("run/systemd/system").is_dir()
    }

    /// The same command in a scope of its own; `quota`: with a CPU quota.
    pub(super) fn scope(&self, limits: GroupLimits, quota: bool, command: &Command) -> (Command, Scope) {
        let name = self.owner.new_name();
        let mut wrapped = Command::new(&self.program);
        wrapped.args(["--scope", "--quiet", "--collect", "--no-ask-password"]);
        if !geteuid().is_root() {
            wrapped.arg("--user");
        }
        wrapped.arg(format!("--unit={name}"));
        wrapped.args(["-p", "Delegate=yes", "-p", "MemorySwapMax=0"]);
        wrapped.args(["-p", &format!("MemoryMax={}", limits.ram_bytes)]);
        if quota {
            // Older versions take whole percents alone.
            wrapped.args(["-p", &format!("CPUQuota={}%", (limits.millicores / 10).max(1))]);
        }
        wrapped.args(["--", "sh", "-c", WITH_KEEPER, &self.owner.pid.to_string()]);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            wrapped.current_dir(directory);
        }
        (wrapped, Scope { root: self.root.clone(), name: format!("{name}{SCOPE}"), ram_bytes: limits.ram_bytes })
    }

    /// Creates a scope, checks that it has its limit and outlives its process, and removes it.
    pub(super) fn try_out(&self, limits: GroupLimits) -> io::Result<()> {
        let (mut command, scope) = self.scope(limits, true, &Command::new("cat"));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let failed = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.program.display()));
        let mut child = command.spawn().map_err(failed)?;
        let groups = scope.wait_for(child.id());
        let ended = child.kill().and_then(|()| child.wait());
        let groups = groups.map_err(|error| failed(systemd_error(&mut child, error)))?;
        ended.map_err(failed)?;
        GroupStats::of(&groups).map_err(failed)?;
        groups.into_iter().try_for_each(|mut group| group.remove())
    }
}

/// Changes the memory limit of a scope until it ends; `None` lifts it.
pub(super) fn set_memory_limit(scope: &Path, bytes: Option<u64>) -> io::Result<()> {
    let mut command = Command::new("systemctl");
    if !geteuid().is_root() {
        command.arg("--user");
    }
    command.args(["--no-ask-password", "--runtime", "set-property"]).arg(scope.file_name().unwrap_or_default());
    command.arg(format!("MemoryMax={}", bytes.map_or_else(|| "infinity".to_owned(), |bytes| bytes.to_string())));
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("systemctl set-property: {}", message.trim())))
}

/// The error output of `systemd-run`, or `other` if there is none.
fn systemd_error(child: &mut Child, other: io::Error) -> io::Error {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.read_to_string(&mut text);
    }
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { other } else { io::Error::new(other.kind(), lines.join(" ")) }
}

#[derive(Debug)]
pub(super) struct Scope {
    root: PathBuf,
    name: String,
    ram_bytes: u64,
}

impl Scope {
    /// Waits until the process and the idle one are in the scope. Returns the groups of the scope, that of the memory
    /// controller first.
    pub(super) fn wait_for(&self, pid: u32) -> io::Result<Vec<GroupDirectory>> {
        let groups = self.wait(pid, || self.groups_of(pid))?;
        let memory = &groups[0];
        self.check_memory_limit(memory)?;
        // Without the idle process, the scope would not outlive it.
        self.wait(pid, || {
            let others = processes(&memory.path)?.into_iter().filter(|&other| other != pid);
            Ok(others.collect())
        })?;
        Ok(groups)
    }

    /// Calls `find` until it returns something.
    fn wait<T>(&self, pid: u32, find: impl Fn() -> io::Result<Vec<T>>) -> io::Result<Vec<T>> {
        let until = Instant::now() + SCOPE_TIMEOUT;
        while Instant::now() < until {
            let found = find()?;
            if !found.is_empty() {
                return Ok(found);
            }
            if exited(&self.root, pid, None) {
                return Err(io::Error::other(format!("process {pid} exited before {} was complete", self.name)));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let late = format!("{} is not complete after {} s", self.name, SCOPE_TIMEOUT.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, late))
    }

    /// Empty before the process is in the scope.
    fn groups_of(&self, pid: u32) -> io::Result<Vec<GroupDirectory>> {
        let mut groups: Vec<GroupDirectory> = Vec::new();
        for controller in [MEMORY, CPU] {
            let own = cgroup_dirs(&self.root, &pid.to_string(), controller).into_iter();
            let mut own = own.filter(|dir| dir.path.file_name().is_some_and(|name| name == self.name.as_str()));
            // With v1 it enters one hierarchy after the other; that of memory is required.
            let Some(dir) = own.next() else { break };
            let path = under(&self.root, &dir.path);
            if groups.iter().all(|group| group.path != path) {
                let lock = lock(&path)?;
                groups.push(GroupDirectory::adopt(dir.version, path, lock));
            }
        }
        Ok(groups)
    }

    /// systemd silently ignores limits for controllers it does not have.
    fn check_memory_limit(&self, memory: &GroupDirectory) -> io::Result<()> {
        match memory.memory_limit()? {
            Some(bytes) if bytes <= self.ram_bytes => Ok(()),
            _ => Err(io::Error::other(format!(
                "systemd created {} without a memory limit; is the controller delegated?",
                memory.path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ave_actors_rocksdb::machine::{CgroupDir, CgroupVersion};
    use std::ffi::OsStr;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use tempfile::TempDir;

    const LIMITS: GroupLimits = GroupLimits { millicores: 2_000, ram_bytes: 64 << 20 };

    fn systemd(program: &Path) -> Systemd {
        let owner = Owner::this(Path::new("/")).unwrap();
        Systemd { program: program.to_owned(), ..Systemd::new(Path::new("/"), owner) }
    }

    fn words<'a>(words: impl Iterator<Item = &'a OsStr>) -> Vec<&'a str> {
        words.map(|word| word.to_str().unwrap()).collect()
    }

    #[test]
    fn a_command_keeps_its_arguments_variables_and_directory() {
        let systemd = systemd(Path::new("systemd-run"));
        let mut command = Command::new("/bin/x");
        command.args(["a b", "-c"]).env("SET", "1").env_remove("GONE").current_dir("/tmp");
        let (wrapped, scope) = systemd.scope(LIMITS, true, &command);
        assert_eq!(wrapped.get_program(), "systemd-run");
        let arguments = words(wrapped.get_args());
        let unit = format!("--unit={}", scope.name.strip_suffix(SCOPE).unwrap());
        for part in ["--scope", "--collect", "MemoryMax=67108864", "MemorySwapMax=0", "CPUQuota=200%", &unit] {
            assert!(arguments.contains(&part), "{part} is missing in {arguments:?}");
        }
        assert_eq!(arguments.contains(&"--user"), !geteuid().is_root());
        assert_eq!(arguments[arguments.len() - 3..], ["/bin/x", "a b", "-c"]);
        assert_eq!(wrapped.get_current_dir(), Some(Path::new("/tmp")));
        let variables: Vec<_> = wrapped.get_envs().collect();
        assert_eq!(variables, [(OsStr::new("GONE"), None), (OsStr::new("SET"), Some(OsStr::new("1")))]);
        let (wrapped, _) = systemd.scope(LIMITS, false, &command);
        assert!(words(wrapped.get_args()).iter().all(|word| !word.starts_with("CPUQuota")));
    }

    #[test]
    fn the_output_of_systemd_or_its_absence_is_the_error() {
        let (_directory, program) = script("echo 'Failed to connect to bus: Host is down' >&2; exit 1");
        let error = systemd(&program).try_out(LIMITS).unwrap_err().to_string();
        assert_eq!(error, format!("{}: Failed to connect to bus: Host is down", program.display()));
        let error = systemd(Path::new("/no/such/systemd-run")).try_out(LIMITS).unwrap_err().to_string();
        assert!(error.starts_with("/no/such/systemd-run: No such file"), "{error}");
    }

    fn script(text: &str) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("systemd-run");
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (directory, program)
    }

    /// A stand-in for `systemd-run` where v1 groups can be created directly: it creates a group with the name of the scope and,
    /// if `limit`, its memory limit, runs the program in it, and removes the group once it is empty.
    ///
    /// One test at a time uses it: each checks that no group is left.
    fn stand_in(limit: bool) -> Option<(MutexGuard<'static, ()>, TempDir, PathBuf)> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = Owner::this(Path::new("/")).unwrap();
        let own = cgroup_dirs(Path::new("/"), "self", MEMORY).into_iter().next();
        let creates = |own: &CgroupDir| {
            own.version == CgroupVersion::V1 && GroupDirectory::create(own.version, &own.path, owner).is_ok()
        };
        let Some(own) = own.filter(creates) else {
            let reason = "SKIPPED: the stand-in for systemd needs cgroup v1 groups, which cannot be created here\n";
            std::io::stderr().write_all(reason.as_bytes()).unwrap();
            return None;
        };
        let limit = if limit { r#"echo "$bytes" > "$group/memory.limit_in_bytes""# } else { ":" };
        let (directory, program) = script(&format!(
            r#"for word; do case $word in
               --unit=*) group={}/${{word#--unit=}}.scope ;;
               MemoryMax=*) bytes=${{word#MemoryMax=}} ;;
               esac; done
               mkdir "$group" && {limit} || exit 1
               (looks=0
                until grep -q . "$group/cgroup.procs" || [ $looks = 50 ]; do sleep 0.02; looks=$((looks + 1)); done
                until rmdir "$group" || ! [ -d "$group" ]; do sleep 0.02; done) <&- >/dev/null 2>&1 &
               echo $$ > "$group/cgroup.procs" || exit 1
               while [ "$1" != -- ]; do shift; done; shift; exec "$@""#,
            own.path.display()
        ));
        Some((turn, directory, program))
    }

    #[test]
    fn a_tried_scope_leaves_no_group() {
        let Some((_turn, _directory, program)) = stand_in(true) else { return };
        systemd(&program).try_out(LIMITS).unwrap();
        let own = cgroup_dirs(Path::new("/"), "self", MEMORY).remove(0).path;
        let prefix = format!("ave-workbench-{}-", std::process::id());
        let scopes = fs::read_dir(own).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(scopes.into_iter().all(|name| !(name.starts_with(&prefix) && name.ends_with(SCOPE))));
    }

    #[test]
    fn a_scope_without_a_memory_limit_is_an_error() {
        let Some((_turn, _directory, program)) = stand_in(false) else { return };
        let error = systemd(&program).try_out(LIMITS).unwrap_err().to_string();
        assert!(error.contains("without a memory limit"), "{error}");
    }

    #[test]
    fn counters_of_a_scope_can_be_read_after_an_out_of_memory_kill() {
        let Some((_turn, _directory, program)) = stand_in(true) else { return };
        let mut eats = Command::new("sh");
        eats.args(["-c", "read word; head -c 300M /dev/zero | tail -c 300M"]);
        let (mut command, scope) = systemd(&program).scope(LIMITS, false, &eats);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut groups = scope.wait_for(child.id()).unwrap();
        drop(child.stdin.take());
        assert!(!child.wait().unwrap().success());
        assert_eq!(GroupStats::of(&groups).unwrap().unwrap().oom_kills, 1);
        for group in &mut groups {
            group.remove().unwrap();
        }
        assert!(groups.iter().all(|group| !group.path.exists()));
    }
}
