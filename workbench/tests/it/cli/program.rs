//! Runs the built binary in a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

pub(crate) const PASS: i32 = 0;
pub(crate) const MISSED: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const INCONCLUSIVE: i32 = 3;
pub(crate) const FAILED: i32 = 4;

/// A workload of five actors that only persist.
pub(crate) const TINY: &str = "name = 'tiny'\ndescription = 'd'\nevent_bytes = { constant = 100 }\n\
                    state_bytes = { constant = 100 }\n[actors]\ncount = 5\n[persistence]\nmode = 'light'\n\
                    [commands]\npersist = 1\n";

/// A short run of it.
pub(crate) const SHORT: &str =
    "run tiny.toml --measure 200ms --warmup 0s --rounds 1 --writers 1 --durability off --kills 0";

/// The report in the repository.
pub(crate) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample");

/// Removes environment variables that select colours, bars and browsers.
pub(crate) fn on_any_machine(command: &mut Command) -> &mut Command {
    let colour = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "TERM"];
    let browsers = ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    colour.into_iter().chain(browsers).fold(command, Command::env_remove)
}

/// The words of a command that measures beside other tests.
pub(crate) fn on_a_busy_host(words: &str) -> Vec<&str> {
    let mut words: Vec<_> = words.split_whitespace().collect();
    if words.first().is_some_and(|command| ["run", "plan", "certify"].contains(command)) {
        words.insert(1, "--anyway");
    }
    words
}

/// A working directory with a workload in it.
pub(crate) struct Place(TempDir);

/// Exit code and output of the binary.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempdir().unwrap());
        place.write("tiny.toml", TINY);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ave-workbench"));
        command.args(on_a_busy_host(words)).current_dir(self.0.path()).stdin(Stdio::null());
        on_any_machine(&mut command);
        command
    }

    pub(crate) fn run(&self, words: &str) -> Ended {
        Ended::of(self.command(words).output().unwrap())
    }

    /// Runs it with a pipe as standard input that has this content.
    pub(crate) fn run_with_input(&self, words: &str, content: &[u8]) -> Ended {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(content);
        Ended::of(child.wait_with_output().unwrap())
    }

    /// Runs it beside a named pipe `pipe` that has this content.
    pub(crate) fn run_with_pipe(&self, words: &str, content: &[u8]) -> Ended {
        let pipe = self.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let (pipe, content) = (pipe.clone(), content.to_vec());
            // A command that refuses its arguments does not read.
            move || drop(fs::write(pipe, content))
        });
        let ended = self.run(words);
        // A writer that waits for a reader goes on.
        drop(fs::OpenOptions::new().read(true).write(true).open(&pipe));
        writer.join().unwrap();
        fs::remove_file(pipe).unwrap();
        ended
    }

    /// Directories of reports, hidden ones included.
    pub(crate) fn reports(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("reports")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The only report.
    pub(crate) fn report(&self) -> Value {
        let reports = self.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        json(&fs::read_to_string(reports[0].join("report.json")).unwrap())
    }

    /// Asserts that only these names are left: no database, no partial report.
    #[track_caller]
    pub(crate) fn holds_only(&self, names: &[&str]) {
        let mut found: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "tiny.toml")
            .collect();
        found.sort();
        assert_eq!(found, names);
    }

    /// Asserts that the exit code is the outcome in the one report, and the outcome `expected`; false if it is
    /// inconclusive because other processes or virtual machines used the host's cores.
    #[track_caller]
    pub(crate) fn ended_with(&self, ended: &Ended, expected: i32) -> bool {
        let report = self.report();
        let code = match report["verdict"]["outcome"].as_str().unwrap() {
            "pass" => PASS,
            "fail" => MISSED,
            "inconclusive" => INCONCLUSIVE,
            other => panic!("`{other}` is no outcome"),
        };
        assert_eq!(ended.code, code, "the exit code is the outcome: {}", report["verdict"]);
        if code == INCONCLUSIVE && code != expected && is_disturbed(&report) {
            return false;
        }
        assert_eq!(code, expected, "{}{}", ended.stdout, ended.stderr);
        true
    }
}

/// Whether others used the host during a run.
fn is_disturbed(report: &Value) -> bool {
    let figure = |mode: &Value, name: &str| mode["resources"][name].as_f64().unwrap_or(0.0);
    let disturbed = |mode: &Value| figure(mode, "foreign_cores") > 0.1 || figure(mode, "steal_percent") > 1.0;
    report["modes"].as_array().unwrap().iter().any(disturbed)
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts an error with all of `parts` on standard error, and an empty standard output.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs it with these environment variables.
pub(crate) fn run_with(place: &Place, words: &str, variables: &[(&str, &str)]) -> Ended {
    Ended::of(place.command(words).envs(variables.iter().copied()).output().unwrap())
}

/// A running command, which is killed when the test ends.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts it and waits for a line on standard error that contains `until`.
    pub(crate) fn start(place: &Place, words: &str, until: &str) -> Self {
        Self::start_with_line(place, words, until).0
    }

    /// As [`start`](Self::start), with the line.
    pub(crate) fn start_with_line(place: &Place, words: &str, until: &str) -> (Self, String) {
        let mut command = place.command(words);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut running = Self { child, lines };
        let line = running.lines.by_ref().map(Result::unwrap).find(|line| line.contains(until));
        let line = line.unwrap_or_else(|| panic!("it ended without `{until}`"));
        (running, line)
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// As [`signalled`]; returns the exit code.
pub(crate) fn interrupted(place: &Place, words: &str, until: &str, signal: &str) -> (i32, String) {
    let (status, rest) = signalled(place, words, until, signal);
    (status.code().expect("it handles the signal"), rest)
}

/// Starts it, sends a signal shortly after a line with `until`, and returns its status and the lines after that.
pub(crate) fn signalled(place: &Place, words: &str, until: &str, signal: &str) -> (ExitStatus, String) {
    let mut running = Running::start(place, words, until);
    std::thread::sleep(Duration::from_millis(300));
    let sent = Command::new("kill").args([signal, &running.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let rest: Vec<_> = running.lines.by_ref().map(Result::unwrap).collect();
    (running.child.wait().unwrap(), rest.join("\n"))
}

/// Processes that run in this directory: children have the working directory of their parent.
pub(crate) fn processes_of(directory: &Path) -> usize {
    let directory = fs::canonicalize(directory).unwrap();
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cwd"));
    // A process may have ended meanwhile.
    entries.filter(|link| fs::read_link(link).is_ok_and(|place| place == directory)).count()
}
