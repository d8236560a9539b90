//! The measured processes: one for each case, round and side.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use ave_peer_cases::{Outcome, catalog::Side};
use tempfile::TempDir;

use crate::{arguments::Arguments, plan::Planned};

const POLL: Duration = Duration::from_millis(20);

/// The binaries, and where they work.
pub(crate) struct Servers {
    published: PathBuf,
    ours: PathBuf,
    dir: PathBuf,
    timeout: Duration,
}

impl Servers {
    /// Finds the binaries that the arguments do not name.
    pub(crate) fn find(arguments: &Arguments) -> Result<Self> {
        let here = std::env::current_exe()?.parent().context("a program lies in a directory")?.to_owned();
        let published = arguments.published.clone().unwrap_or_else(|| here.join("ave-peer-published"));
        let ours = arguments.ours.clone().unwrap_or_else(|| beside(&here).join("ave-peer-ours"));
        for (binary, option) in [(&published, "--published"), (&ours, "--ours")] {
            ensure!(binary.is_file(), "{} is missing: run `make peers`, or use {option} FILE", binary.display());
        }
        let dir = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
        ensure!(dir.is_dir(), "{} is not a directory", dir.display());
        Ok(Self { published, ours, dir, timeout: Duration::from_secs(arguments.timeout) })
    }

    /// Runs one case against one side, in a fresh directory that is gone afterwards.
    pub(crate) fn run(&self, planned: &Planned, side: Side, interrupted: &AtomicBool) -> Result<Outcome> {
        let dir = TempDir::with_prefix_in("ave-peers-", &self.dir)
            .with_context(|| format!("cannot create a directory in {}", self.dir.display()))?;
        let (stdout, stderr) = (dir.path().join("stdout"), dir.path().join("stderr"));
        let mut command = self.command(planned, side, &dir.path().join("work"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary(side).display()))?;
        let status = self.wait(&mut child, interrupted)?;
        ensure!(status.success(), "{status}: {}", tail(&stderr));
        let line = fs::read_to_string(&stdout)?;
        serde_json::from_str(&line).with_context(|| format!("no line of figures, but {line:?}"))
    }

    fn command(&self, planned: &Planned, side: Side, dir: &Path) -> Command {
        let mut command = Command::new(self.binary(side));
        command.args(["--backend", side.name(), "--case", &planned.name(), "--dir"]).arg(dir);
        if planned.full {
            command.arg("--full");
        }
        command
    }

    fn binary(&self, side: Side) -> &Path {
        match side {
            Side::Published | Side::Memory | Side::Sqlite => &self.published,
            Side::Ours | Side::Bare | Side::File => &self.ours,
        }
    }

    /// A child never outlives this.
    fn wait(&self, child: &mut Child, interrupted: &AtomicBool) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            let late = start.elapsed() > self.timeout;
            if late || interrupted.load(Ordering::Relaxed) {
                child.kill()?;
                child.wait()?;
                bail!(if late { "exceeded --timeout" } else { "interrupted" });
            }
            thread::sleep(POLL);
        }
    }
}

/// `target/release` for `target-peers/release`; the directory itself where there is no such thing.
fn beside(release: &Path) -> PathBuf {
    let plain = release.parent().and_then(|target| {
        let name = target.file_name()?.to_str()?.strip_suffix("-peers")?;
        Some(target.with_file_name(name).join(release.file_name()?))
    });
    plain.unwrap_or_else(|| release.to_owned())
}

/// The last lines of standard error.
fn tail(stderr: &Path) -> String {
    let text = fs::read_to_string(stderr).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_target_directory_has_the_name_without_the_suffix() {
        assert_eq!(beside(Path::new("/x/target-peers/release")), Path::new("/x/target/release"));
        assert_eq!(beside(Path::new("/x/target/release")), Path::new("/x/target/release"));
    }
}
