//! Runs a test whose conditions would disturb other tests in a child process: this binary again, with only that test.
//! Small disks are mounted in the mount namespace of the child and disappear with it.

use std::{
    any::type_name_of_val,
    env,
    ffi::CStr,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::{
    fs::statvfs,
    mount::{MountFlags, mount, mount_remount},
    process::{Resource, getrlimit, setrlimit},
    thread::{CapabilitySet, capabilities, set_capabilities},
};
use tempfile::{TempDir, tempdir};

const CHILD: &str = "AVE_TEST_FAULT";

/// Runs the body in a child process, whose limits it may change. `test` is the calling test.
pub(crate) fn alone(test: impl Fn(), body: impl FnOnce()) {
    in_child(&test, &[], body);
}

/// Runs the body in a child process to which file permissions apply, even if root runs the tests.
pub(crate) fn without_privileges(test: impl Fn(), body: impl FnOnce()) {
    in_child(&test, &[], || {
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
        set_capabilities(None, sets).unwrap();
        body();
    });
}

/// Runs the body in a child process with a file system of `mib` MiB. Prints `SKIPPED` and does nothing if neither root
/// nor a user namespace can mount one.
pub(crate) fn on_small_disk(test: impl Fn(), mib: u32, body: impl FnOnce(&Disk)) {
    let launchers: [&[&str]; 2] = [&["unshare", "-rm"], &["unshare", "-m"]];
    let launcher = if is_child(&test) { Some(launchers[0]) } else { launchers.into_iter().find(|l| can_mount(l)) };
    match launcher {
        Some(launcher) => in_child(&test, launcher, || body(&Disk::new(mib))),
        None => skipped(&test, "cannot mount a file system: this needs root or `unshare -rm`"),
    }
}

fn can_mount(launcher: &[&str]) -> bool {
    let mut command = Command::new(launcher[0]);
    command.args(&launcher[1..]).args(["mount", "-t", "tmpfs", "tmpfs"]).arg(env::temp_dir());
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Writes to stderr directly: the test harness discards the output of a passing test.
fn skipped(test: &impl Fn(), reason: &str) {
    io::stderr().write_all(format!("SKIPPED {}: {reason}\n", name(test)).as_bytes()).unwrap();
}

/// The name in the test harness: the path without the crate.
fn name<T>(test: &T) -> &'static str {
    type_name_of_val(test).split_once("::").unwrap().1
}

fn is_child(test: &impl Fn()) -> bool {
    env::var_os(CHILD).is_some_and(|child| child == name(test))
}

fn in_child(test: &impl Fn(), launcher: &[&str], body: impl FnOnce()) {
    if is_child(test) {
        return body();
    }
    let binary = env::current_exe().unwrap();
    let mut command = match launcher {
        [] => Command::new(&binary),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&binary);
            command
        }
    };
    let output = command.args([name(test), "--exact"]).env(CHILD, name(test)).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains("1 passed"), "in the child:\n{stdout}\n{stderr}");
}

/// A small file system that a test can fill completely.
pub(crate) struct Disk {
    dir: TempDir,
}

impl Disk {
    fn new(mib: u32) -> Self {
        let dir = tempdir().unwrap();
        let size = format!("size={mib}m\0");
        let size = CStr::from_bytes_with_nul(size.as_bytes()).unwrap();
        mount(c"tmpfs", dir.path(), c"tmpfs", MountFlags::empty(), size).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Fills the disk except for `bytes`.
    pub(crate) fn fill_except(&self, bytes: usize) {
        let reserve = self.path().join("reserve");
        fs::write(&reserve, vec![1; bytes]).unwrap();
        let mut ballast = File::create(self.ballast()).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
        fs::remove_file(reserve).unwrap();
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let blocks = statvfs(self.path()).unwrap();
        blocks.f_bavail * blocks.f_frsize
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Uses all inodes: no file can be created, although there is space.
    pub(crate) fn fill_with_files(&self) {
        mount_remount(self.path(), MountFlags::empty(), c"nr_inodes=200").unwrap();
        fs::create_dir(self.path().join("files")).unwrap();
        let mut n = 0;
        while File::create(self.path().join(format!("files/{n}"))).is_ok() {
            n += 1;
        }
    }

    pub(crate) fn remove_files(&self) {
        fs::remove_dir_all(self.path().join("files")).unwrap();
    }

    pub(crate) fn make_read_only(&self) {
        mount_remount(self.path(), MountFlags::RDONLY, c"").unwrap();
    }

    pub(crate) fn make_writable(&self) {
        mount_remount(self.path(), MountFlags::empty(), c"").unwrap();
    }
}

/// Sets the soft limit on open files of this process.
pub(crate) fn limit_open_files(limit: u64) {
    let mut limits = getrlimit(Resource::Nofile);
    limits.current = Some(limit);
    setrlimit(Resource::Nofile, limits).unwrap();
}
