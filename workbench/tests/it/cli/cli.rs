//! The built binary as a user meets it: what it prints, what it leaves behind, and its exit codes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use ave_workbench::workload::{Workload, shipped};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

pub(crate) const PASS: i32 = 0;
pub(crate) const MISSED: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const INCONCLUSIVE: i32 = 3;
pub(crate) const FAILED: i32 = 4;

/// A workload of five actors that only persist.
const TINY: &str = "name = 'tiny'\ndescription = 'd'\nevent_bytes = { constant = 100 }\n\
                    state_bytes = { constant = 100 }\n[actors]\ncount = 5\n[persistence]\nmode = 'light'\n\
                    [commands]\npersist = 1\n";

/// A run of it that takes no time to speak of.
pub(crate) const SHORT: &str =
    "run tiny.toml --measure 200ms --warmup 0s --rounds 1 --workers 1 --durability off --kills 0";

/// Takes away what decides about colour, bars and browsers and differs from machine to machine.
pub(crate) fn on_any_machine(command: &mut Command) -> &mut Command {
    let colour = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "TERM"];
    let browsers = ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    colour.into_iter().chain(browsers).fold(command, Command::env_remove)
}

/// A directory to work in, with a workload in it.
pub(crate) struct Place(TempDir);

/// How the binary ended.
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
        command.args(words.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        on_any_machine(&mut command);
        command
    }

    pub(crate) fn run(&self, words: &str) -> Ended {
        Ended::of(self.command(words).output().unwrap())
    }

    /// Directories of reports, hidden ones included.
    pub(crate) fn reports(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("reports")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The one report there is.
    pub(crate) fn report(&self) -> Value {
        let reports = self.reports();
        assert_eq!(reports.len(), 1, "{reports:?}");
        json(&fs::read_to_string(reports[0].join("report.json")).unwrap())
    }

    /// No database, no half of a report, nothing but the names given.
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

    /// Asserts how a run that wrote a report ended. Where others kept the machine busy it may be inconclusive, whatever
    /// it found, and must say so; false then.
    #[track_caller]
    fn ended_with(&self, ended: &Ended, code: i32) -> bool {
        let verdict = self.report()["verdict"].clone();
        let told = match verdict["outcome"].as_str().unwrap() {
            "pass" => PASS,
            "fail" => MISSED,
            _ => INCONCLUSIVE,
        };
        assert_eq!(ended.code, told, "the exit code is the verdict: {verdict}");
        let reasons = verdict["reasons"].to_string();
        let disturbed = reasons.contains("the hypervisor took") || reasons.contains("other processes kept");
        if ended.code == INCONCLUSIVE && code != INCONCLUSIVE && disturbed {
            eprintln!("the machine was busy, so this run could only be inconclusive: {reasons}");
            return false;
        }
        assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
        true
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts an error that says all of `parts` on standard error, and nothing on standard output.
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

#[test]
fn a_run_leaves_a_report_and_nothing_else() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    place.holds_only(&["reports"]);
    let report = place.report();
    assert_eq!((&report["kind"], &report["name"]), (&"run".into(), &"tiny".into()));
    assert_eq!(report["modes"][0]["verification"]["differences"], json("[]"));
    assert!(ended.stdout.contains("persist") && ended.stdout.contains("report.html"), "{}", ended.stdout);
    assert!(ended.stderr.contains("durability off: measuring"), "progress is on standard error: {}", ended.stderr);
    let command = report["reproduce"]["command"].as_str().unwrap();
    assert_eq!(command, format!("ave-workbench {SHORT}"));
}

#[test]
fn json_is_the_report_and_follows_its_schema() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --json"));
    place.ended_with(&ended, PASS);
    let report = place.report();
    assert_eq!(json(&ended.stdout), report);
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &report).unwrap();
}

#[test]
fn quiet_prints_nothing_but_the_exit_code_speaks() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --quiet"));
    place.ended_with(&ended, PASS);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));

    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --quiet --slo p99=1ns"));
    place.ended_with(&ended, MISSED);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert!(place.run("run nonesuch --quiet").stderr.contains("nonesuch"), "errors are told all the same");
}

#[test]
fn an_objective_decides_the_exit_code() {
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --slo p50=1m"));
    place.ended_with(&ended, PASS);
    assert!(ended.stdout.contains("meets the limit"), "{}", ended.stdout);

    // Missed on a busy machine is not missed: it may take more than one attempt to find it idle.
    for _ in 0..4 {
        let place = Place::new();
        let ended = place.run(&format!("{SHORT} --slo persist:p99=1ns"));
        assert!(ended.stdout.contains("misses the limit"), "{}", ended.stdout);
        if place.ended_with(&ended, MISSED) {
            break;
        }
    }

    // Twenty commands say nothing of one in ten thousand.
    let place = Place::new();
    let ended = place.run(&format!("{SHORT} --rate 100 --slo p99.99=1m"));
    assert_eq!(ended.code, INCONCLUSIVE);
    assert!(ended.stdout.contains("INCONCLUSIVE") && ended.stdout.contains("too few"), "{}", ended.stdout);
}

#[test]
fn an_objective_without_a_command_is_on_the_one_issued_most() {
    let place = Place::new();
    place.write("tiny.toml", TINY.replace("persist = 1", "persist = 1\nlast_event = 9"));
    let ended = place.run(&format!("{SHORT} --slo p50=1m"));
    assert!(ended.stdout.contains("last_event p50"), "{}", ended.stdout);
}

#[test]
fn words_that_do_not_fit_are_usage_errors_and_touch_nothing() {
    let place = Place::new();
    for (words, parts) in [
        ("", &["Usage"][..]),
        ("fly", &["fly"]),
        ("run", &["<WORKLOAD|TRACE>"]),
        ("run nonesuch", &["no workload named `nonesuch`", "ledger", "mixed"]),
        ("run tiny.toml --rate 0", &["a rate of 0", "more than 0"]),
        ("run tiny.toml --rate -5", &["a rate of -5", "more than 0"]),
        ("run tiny.toml --rate NaN", &["a rate of NaN"]),
        ("run tiny.toml --rate inf", &["a rate of inf"]),
        ("run tiny.toml --rate 5 --speed 2", &["--rate", "--speed"]),
        ("run tiny.toml --speed 2", &["--speed needs a trace"]),
        ("run tiny.toml --measure soon", &["--measure `soon`", "`5s`"]),
        ("run tiny.toml --measure 0s", &["measured time of 0 s"]),
        ("run tiny.toml --rounds 0", &["at least", "one round"]),
        ("run tiny.toml --workers 0", &["--workers 0", "at least 1"]),
        ("run tiny.toml --spec huge", &["--spec `huge`", "nano", "CORES,RAM_MB"]),
        ("run tiny.toml --spec 0,512", &["--spec `0,512`"]),
        ("run tiny.toml --slo fast", &["`fast`", "p99=10ms"]),
        ("run tiny.toml --slo p42=1ms", &["no percentile `p42`", "p99.99"]),
        ("run tiny.toml --slo p99=-1ms", &["longer than zero"]),
        ("run tiny.toml --slo recover:p99=1ms", &["`recover`", "never issues", "it issues persist"]),
        ("plan tiny.toml --target 0 --slo p99=1ms", &["a target of 0", "more than 0"]),
        ("plan tiny.toml --target -1 --slo p99=1ms", &["a target of -1"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --headroom 100", &["a headroom of 100 %", "below 100"]),
        ("plan tiny.toml --target 5 --slo p99=1ms --headroom -1", &["a headroom of -1 %"]),
        ("plan tiny.toml --target 5 --slo recover:p99=1ms", &["`recover`", "never issues"]),
        ("plan tiny.toml --target 5", &["--slo"]),
        ("workloads nonesuch", &["nonesuch", "ledger"]),
        ("trace import log.csv --delimiter ß", &["--delimiter `ß`", "one ASCII character"]),
        ("completions csh", &["csh", "bash"]),
    ] {
        let ended = place.run(words);
        ended.refused(USAGE, parts);
        place.holds_only(&[]);
    }
}

#[test]
fn a_workload_file_that_does_not_hold_is_refused_with_file_line_and_key() {
    let place = Place::new();
    place.write("bad.toml", TINY.replace("count = 5", "count = 5\ncolour = 3"));
    place.run("run bad.toml").refused(FAILED, &["bad.toml", "line 7", "colour", "`count`, `types`"]);
    place.write("bad.toml", TINY.replace("count = 5", "count = 0"));
    place.run("run bad.toml").refused(FAILED, &["bad.toml", "line 6", "count", "1 to 100000000"]);
    place.run("run .").refused(FAILED, &["cannot read workload ."]);
    place.holds_only(&["bad.toml"]);
}

/// An event log of so many rows and 20 cases.
fn event_log(rows: u32) -> String {
    let row = |n: u32| format!("case-{},{},activity number {n}\n", n % 20, 1_700_000_000 + n);
    format!("case_id,timestamp,activity\n{}", (0..rows).map(row).collect::<Vec<_>>().concat())
}

#[test]
fn an_event_log_becomes_a_trace_and_the_trace_a_report() {
    let place = Place::new();
    place.write("log.csv", event_log(300));
    let ended = place.run("trace import log.csv");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(ended.stdout.contains("300 events over 20 actors"), "{}", ended.stdout);
    assert!(ended.stdout.contains("`case_id` (guessed)") && ended.stdout.contains("assumed:"), "{}", ended.stdout);
    place.holds_only(&["log.csv", "log.trace.csv.zst"]);

    let info = json(&place.run("trace info log.trace.csv.zst --json").stdout);
    assert_eq!(info["commands_count"]["persist"], 300);
    assert_eq!((&info["actors_count"], &info["duration_seconds"]), (&20.into(), &299.0.into()));

    let ended = place.run("run log.trace.csv.zst --rounds 1 --workers 2 --durability off --kills 2 --json");
    place.ended_with(&ended, PASS);
    let report = place.report();
    assert_eq!((&report["source"]["kind"], &report["modes"][0]["commands_count"]), (&"trace".into(), &300.into()));
    assert_eq!(report["modes"][0]["verification"]["events_count"], 300);
    let crash = &report["modes"][0]["verification"]["crash"];
    assert_eq!((&crash["kills_count"], &crash["lost_count"]), (&2.into(), &0.into()), "{crash}");
    assert!(crash["events_count"].as_u64().unwrap() > 0, "it is repeated until the kill: {crash}");
}

#[test]
fn a_trace_that_cannot_be_used_is_refused_by_name() {
    let place = Place::new();
    place.write("empty.csv", "");
    place.run("run empty.csv").refused(FAILED, &["empty.csv: empty"]);
    place.write("log.csv", event_log(3_000));
    place.run("run log.csv").refused(FAILED, &["log.csv: not a trace", "trace import"]);

    assert_eq!(place.run("trace import log.csv --output t.zst").code, PASS);
    let whole = fs::read(place.path("t.zst")).unwrap();
    place.write("cut.zst", &whole[..whole.len() / 2]);
    for words in ["run cut.zst", "trace info cut.zst"] {
        place.run(words).refused(FAILED, &["cut.zst: truncated after", "whole lines", "--allow-truncated"]);
    }
    let info = json(&place.run("trace info cut.zst --allow-truncated --json").stdout);
    let left = info["commands_count"]["persist"].as_u64().unwrap();
    assert!((1..3_000).contains(&left), "{left} commands are left");
    place.holds_only(&["cut.zst", "empty.csv", "log.csv", "t.zst"]);

    // All of it falls into the warm-up.
    let ended = place.run("run t.zst --warmup 1m --rounds 1 --durability off");
    ended.refused(INCONCLUSIVE, &["nothing was measured: all 3000 commands"]);
    assert!(place.reports().is_empty());
}

#[test]
fn an_import_that_fails_leaves_no_trace() {
    let place = Place::new();
    place.write("log.csv", "who,when\na,01/02/2024\n");
    place.run("trace import log.csv").refused(FAILED, &["log.csv", "case_id", "--actor-column", "who, when"]);
    let named = "trace import log.csv --actor-column who --time-column when";
    place.run(&format!("{named} --payload-column what")).refused(FAILED, &["no column `what`", "--payload-column"]);
    place.run(named).refused(FAILED, &["line 2", "`01/02/2024`", "--time-format"]);
    place.holds_only(&["log.csv"]);
    assert_eq!(place.run(&format!("{named} --time-format %m/%d/%Y")).code, PASS);
}

#[test]
fn a_place_that_takes_no_reports_is_found_out_before_the_run() {
    let place = Place::new();
    place.write("taken", "a file");
    let ended = place.run(&format!("{SHORT} --reports-dir taken"));
    ended.refused(FAILED, &["taken does not take reports", "os error"]);
    assert!(!ended.stderr.contains("measuring"), "{}", ended.stderr);
    let ended = place.run(&format!("{SHORT} --reports-dir taken/below"));
    ended.refused(FAILED, &["taken/below does not take reports"]);
    place.holds_only(&["taken"]);
}

#[test]
fn a_data_directory_that_is_none_is_named() {
    let place = Place::new();
    place.write("taken", "a file");
    for words in [&format!("{SHORT} --data-dir taken"), "host --data-dir taken", "host --data-dir nowhere"] {
        place.run(words).refused(FAILED, &["cannot use the data directory"]);
    }
    place.holds_only(&["taken"]);
}

/// The file system is mounted in a namespace of its own, which ends with the process.
#[test]
fn a_full_disk_ends_the_run_with_what_failed_and_no_report() {
    let place = Place::new();
    place.write("large.toml", TINY.replace("constant = 100", "constant = 60000"));
    fs::create_dir(place.path("small")).unwrap();
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=16m none small || exit 77; \"$@\"; code=$?; ls -A small; exit $code";
    command.args(["--mount", "sh", "-c", script, "sh"]);
    let run = SHORT.replace("tiny.toml", "large.toml").replace("200ms", "60s");
    let run = place.command(&format!("{run} --data-dir small"));
    command.arg(run.get_program()).args(run.get_args()).current_dir(place.0.path());
    let ended = match command.output() {
        Ok(output) if output.status.code() != Some(77) && !output.stderr.starts_with(b"unshare") => Ended::of(output),
        _ => return eprintln!("SKIPPED: this process may not mount a file system, so no disk was filled"),
    };
    // Nothing on standard output: the small disk is empty again.
    ended.refused(FAILED, &["put of actor tiny0/", "durability off", "No space left on device"]);
    place.holds_only(&["large.toml", "reports", "small"]);
    assert!(place.reports().is_empty());
}

#[test]
fn a_report_renders_again_as_it_was() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    let report = place.reports().remove(0);
    let stands = |name: &str| fs::read_to_string(report.join(name)).unwrap();
    let (directory, file) = (report.display(), report.join("report.json"));
    assert_eq!(place.run(&format!("report {directory}")).stdout, stands("report.html"));
    assert_eq!(place.run(&format!("report {} --format markdown", file.display())).stdout, stands("report.md"));
    for words in [format!("report {directory} --format json"), format!("report {directory} --json")] {
        assert_eq!(json(&place.run(&words).stdout), json(&stands("report.json")));
    }

    place.run("report nowhere").refused(FAILED, &["no report at nowhere"]);
    place.write("none.json", "{\"schema_version\": 1}");
    place.run("report none.json").refused(FAILED, &["none.json:1:", "not a report", "missing field"]);
}

#[test]
fn workloads_are_listed_and_printed_to_start_from() {
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
fn the_host_is_described_for_people_and_programs() {
    let place = Place::new();
    let host = json(&place.run("host --probe 0s --json").stdout);
    assert!(host["usable_cores_count"].as_u64().unwrap() > 0 && host["usable_ram_bytes"].as_u64().unwrap() > 0);
    assert!(host["machine_spec"].is_object() && !host["tuning"].as_array().unwrap().is_empty(), "{host}");
    assert!(host["sync_probe"].is_null(), "it was not asked for");
    let ended = place.run("host --probe 50ms");
    assert_eq!(ended.code, PASS);
    assert!(ended.stdout.contains("MachineSpec: {") && ended.stdout.contains("fdatasync"), "{}", ended.stdout);
    place.holds_only(&[]);
}

#[test]
fn completions_and_help_are_printed() {
    let place = Place::new();
    let script = place.run("completions bash").stdout;
    assert!(script.contains("complete -F") && script.contains("--durability"), "{script}");
    let help = place.run("run --help");
    assert_eq!(help.code, PASS);
    assert!(help.stdout.contains("--measure") && help.stdout.contains("Examples:"), "{}", help.stdout);
    assert!(place.run("--version").stdout.contains(env!("CARGO_PKG_VERSION")));
}

/// Runs it with a standard output that nobody reads.
fn unread(place: &Place, words: &str) -> Ended {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(words);
    command.stdout(writer).stderr(Stdio::piped());
    Ended::of(command.spawn().unwrap().wait_with_output().unwrap())
}

#[test]
fn a_reader_that_leaves_early_is_no_failure_and_changes_no_verdict() {
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
        let outcome = if ended.code == MISSED { "fail" } else { "inconclusive" };
        assert_eq!(place.report()["verdict"]["outcome"], outcome);
    }
}

/// A child that is killed if the test ends before it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As [`signalled`], for what ends by itself: its exit code.
pub(crate) fn interrupted(place: &Place, words: &str, until: &str, signal: &str) -> (i32, String) {
    let (status, rest) = signalled(place, words, until, signal);
    (status.code().expect("it ended by itself"), rest)
}

/// Starts it, waits until it says `until`, and for a moment more, sends the signal, and tells how it ended and what it said
/// after that.
pub(crate) fn signalled(place: &Place, words: &str, until: &str, signal: &str) -> (ExitStatus, String) {
    let mut command = place.command(words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.by_ref().find(|line| line.contains(until));
    assert!(said.is_some(), "it ended without `{until}`");
    std::thread::sleep(Duration::from_millis(300));
    let sent = Command::new("kill").args([signal, &running.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let rest: Vec<_> = lines.collect();
    (running.0.wait().unwrap(), rest.join("\n"))
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_cleans_up() {
    let place = Place::new();
    // Both durability modes were asked for; the first one is measured when the signal comes.
    let words = "run tiny.toml --measure 60s --warmup 0s --rounds 2 --workers 1";
    let (code, rest) = interrupted(&place, words, "measuring", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    place.holds_only(&["reports"]);
    let report = place.report();
    assert_eq!(report["verdict"]["outcome"], "inconclusive");
    let reasons = report["verdict"]["reasons"].to_string();
    assert!(reasons.contains("interrupted") && !reasons.contains("rounds scatter"), "{reasons}");
    let modes = report["modes"].as_array().unwrap();
    assert!(modes.len() == 1 && modes[0]["durability"] == "off", "{modes:?}");
    assert!(modes[0]["commands_count"].as_u64().unwrap() > 0);
    assert_eq!(modes[0]["verification"]["performed"], false);
}

/// Processes whose command line names a path.
fn processes_of(path: &Path) -> usize {
    let path = path.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    // One that ended meanwhile has no command line any more.
    entries.filter(|file| fs::read(file).is_ok_and(|words| String::from_utf8_lossy(&words).contains(path))).count()
}

#[test]
fn processes_that_write_are_killed_after_the_run_and_what_they_wrote_is_found() {
    let place = Place::new();
    let words = "run tiny.toml --measure 200ms --warmup 0s --rounds 2 --workers 2 --kills 2";
    let ended = place.run(words);
    assert!(ended.code == PASS || ended.code == INCONCLUSIVE, "{}{}", ended.stdout, ended.stderr);
    place.holds_only(&["reports"]);
    assert!(ended.stderr.contains("durability on: killing"), "{}", ended.stderr);
    let report = place.report();
    assert!(report["verdict"]["sentence"].as_str().unwrap().contains("also after 4 kills"), "{report}");
    for mode in report["modes"].as_array().unwrap() {
        let crash = &mode["verification"]["crash"];
        assert_eq!((&crash["kills_count"], &crash["lost_count"]), (&2.into(), &0.into()), "{crash}");
        assert_eq!(crash["differences"], json("[]"));
        assert!(crash["commands_acknowledged_count"].as_u64().unwrap() > 0, "{crash}");
    }
    assert!(ended.stdout.contains("found again, also after 4 kills"), "{}", ended.stdout);
    let page = fs::read_to_string(place.reports()[0].join("report.md")).unwrap();
    assert!(page.contains("killed twice while writing") && page.contains("not a power cut"), "{page}");
}

#[test]
fn who_verifies_nothing_kills_nothing() {
    for words in [SHORT.replace("--kills 0", "--no-verify"), SHORT.to_owned()] {
        let place = Place::new();
        let ended = place.run(&words);
        assert!(!ended.stderr.contains("killing"), "{}", ended.stderr);
        assert_eq!(place.report()["modes"][0]["verification"]["crash"], Value::Null);
    }
    let place = Place::new();
    place.run(&format!("{SHORT} --no-verify")).refused(USAGE, &["--kills", "--no-verify"]);
    place.run(&format!("{SHORT} --verify --no-verify")).refused(USAGE, &["--verify"]);
    assert!(
        !place.run("run --help").stdout.contains("crash-victim") && !place.run("help").stdout.contains("crash-victim")
    );
}

#[test]
fn ctrl_c_during_the_kills_leaves_no_process_and_no_database_behind() {
    let place = Place::new();
    let words = format!("{} --data-dir {}", SHORT.replace("--kills 0", "--kills 100000"), place.0.path().display());
    let (code, rest) = interrupted(&place, &words, "killing", "-INT");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    place.holds_only(&["reports"]);
    assert_eq!(processes_of(place.0.path()), 0);
    let report = place.report();
    assert!(report["verdict"]["reasons"].to_string().contains("interrupted"), "{}", report["verdict"]);
}

/// Whoever starts next cleans up after one that could not, and leaves alone what is in use.
#[test]
fn the_next_start_removes_the_databases_that_a_killed_one_left() {
    let place = Place::new();
    let data = format!("--data-dir {}", place.0.path().display());
    let slow = "--rate 10 --measure 1500ms --warmup 0s --rounds 1 --workers 1 --durability off --kills 100000";
    let start = |words: &str, until: &str| {
        let mut command = place.command(&format!("run tiny.toml {words} {data}"));
        let mut running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(until)), "it ended early");
        (running, lines)
    };
    let databases = || {
        let entries = fs::read_dir(place.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let ours = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(".ave-workbench-");
        entries.filter(ours).collect::<Vec<_>>()
    };
    let (mut killed, _lines) = start(slow, "killing");
    let left = databases();
    assert_eq!(left.len(), 1, "{left:?}");
    let (mut living, _lines) = start("--measure 60s --warmup 0s --rounds 1 --durability off", "measuring");
    let in_use: Vec<_> = databases().into_iter().filter(|path| !left.contains(path)).collect();
    assert_eq!(in_use.len(), 1, "{in_use:?}");
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    assert_eq!(databases().len(), 2, "a killed process cannot clean up");

    let ended = place.run(&format!("{SHORT} {data}"));
    let told = format!("removed 1 database directory that a killed workbench left in {}", place.0.path().display());
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert_eq!(databases(), in_use, "{}", ended.stderr);

    living.0.kill().unwrap();
    living.0.wait().unwrap();
    place.run(&format!("{SHORT} {data}"));
    place.holds_only(&["reports"]);
    assert_eq!(processes_of(place.0.path()), 0);
}

/// Killed itself, it cannot clean up; but nothing writes on.
#[test]
fn a_process_that_writes_ends_with_the_one_that_started_it() {
    let place = Place::new();
    let slow = "--rate 10 --measure 1500ms --warmup 0s --rounds 1 --workers 1 --durability off --kills 100000";
    let mut command = place.command(&format!("run tiny.toml {slow} --data-dir {}", place.0.path().display()));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("killing")), "it ended early");
    let eventually = |count| {
        (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            processes_of(place.0.path()) == count
        })
    };
    assert!(eventually(2), "it and its child");
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    assert!(eventually(0), "the child goes on");
}

#[test]
fn a_run_that_is_ended_before_it_measured_says_so_and_cleans_up() {
    let place = Place::new();
    place.write("tiny.toml", format!("preload = {{ events_per_actor = 1000000 }}\n{TINY}"));
    let (code, rest) = interrupted(&place, SHORT, "preloading", "-TERM");
    assert_eq!(code, INCONCLUSIVE, "{rest}");
    assert!(rest.contains("interrupted before anything was measured"), "{rest}");
    place.holds_only(&["reports"]);
    assert!(place.reports().is_empty());
}

/// Paths in messages are as they were given.
#[test]
fn the_current_directory_is_where_things_go_by_default() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    let line = ended.stdout.lines().last().unwrap();
    let path = line.strip_prefix("Report: ").unwrap();
    assert!(Path::new(path).starts_with("reports") && place.path(path).is_file(), "{line}");
}

#[test]
fn an_import_says_what_it_found_and_how_fast_it_was() {
    let place = Place::new();
    place.write("log.csv", "order;line;when\n1;a;13/01/2024 10:00\n1;b;14/01/2024 11:00\n");
    let words = "trace import log.csv --actor-column order,line --time-column when --time-zone Europe/Berlin";
    let ended = place.run(words);
    if ended.code == USAGE && ended.stderr.contains("tzdata") {
        return eprintln!("SKIPPED: this system has no time zones");
    }
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    for part in [
        "2 events over 2 actors",
        "actor: `order` and `line`",
        "time format: DD/MM/YYYY (guessed)",
        "field separator: `;` (guessed)",
        "times without an offset are in Europe/Berlin",
        "rows/s",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let summary = json(&place.run(&format!("{words} --json")).stdout);
    assert_eq!(summary["first_event_at"], "2024-01-13T09:00:00Z");
    assert!(summary["rows_per_second"].as_f64() > Some(0.0) && summary["elapsed_seconds"].as_f64() > Some(0.0));

    place.run("trace import log.csv --time-zone Mars/Olympus").refused(USAGE, &["`Mars/Olympus`", "Europe/Berlin"]);
    place.run(&format!("{words} --output log.csv")).refused(USAGE, &["--output log.csv", "the log itself"]);
    place.holds_only(&["log.csv", "log.trace.csv.zst"]);
}

#[test]
fn an_event_log_may_come_from_standard_input() {
    let place = Place::new();
    place.write("log.csv", event_log(50));
    let mut command = place.command("trace import -");
    command.stdin(fs::File::open(place.path("log.csv")).unwrap());
    let ended = Ended::of(command.output().unwrap());
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(ended.stdout.contains("50 events over 20 actors"), "{}", ended.stdout);
    place.holds_only(&["log.csv", "stdin.trace.csv.zst"]);
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let place = Place::new();
    let mut command = place.command("trace import - --output t.csv.zst");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let rows = event_log(20_000);
    std::io::Write::write_all(&mut pipe, rows.as_bytes()).unwrap();
    // More than a pipe holds was taken, so the import runs.
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(200));
    drop(pipe);
    let ended = Ended::of(child.wait_with_output().unwrap());
    ended.refused(INCONCLUSIVE, &["interrupted", "nothing was written"]);
    place.holds_only(&[]);
}
