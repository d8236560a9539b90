//! Paths of any bytes, and what is read from them: files, pipes, directories.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use super::program::{Ended, FAILED, INCONCLUSIVE, PASS, Place, SAMPLE, SHORT, TINY, USAGE, json};

/// A name that is not UTF-8, and how reports show it.
const NAME: &[u8] = b"d\xff";
const SHOWN: &str = "d\\xff";

/// Asserts that a measurement ended with a report; on a busy host it may be inconclusive.
#[track_caller]
fn measured(ended: &Ended) {
    assert!([PASS, INCONCLUSIVE].contains(&ended.code), "{}{}", ended.stdout, ended.stderr);
}

/// Ends the command with a path.
fn run_on(place: &Place, words: &str, path: &Path) -> Ended {
    Ended::of(place.command(words).arg(path).output().unwrap())
}

#[test]
fn a_path_that_is_not_utf_8_is_in_the_report_escaped() {
    let place = Place::new();
    let name = Path::new(OsStr::from_bytes(NAME));
    let directory = place.path("").join(name);
    fs::create_dir(&directory).unwrap();
    let workload = directory.join("w.toml");
    fs::copy(place.path("tiny.toml"), &workload).unwrap();
    let words = SHORT.replace("tiny.toml", "").replace("--kills 0", "--kills 1");
    for option in ["--data-dir", "--reports-dir"] {
        measured(&run_on(&place, &format!("{SHORT} {option}").replace("--kills 0", "--kills 1"), name));
    }
    measured(&run_on(&place, &words, &workload));
    let texts = |root: &Path| -> Vec<String> {
        let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join("report.json"));
        entries.filter(|path| path.exists()).map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let reports: Vec<_> = texts(&place.path("reports")).iter().map(|text| json(text)).collect();
    let shown = |pointer: &str| {
        reports.iter().filter(|one| one.pointer(pointer).unwrap().as_str().unwrap().contains(SHOWN)).count()
    };
    assert_eq!((reports.len(), shown("/settings/data_directory"), shown("/source/origin")), (2, 1, 1));
    assert_eq!(shown("/reproduce/command"), 2);
    let elsewhere = texts(&directory);
    assert!(elsewhere.len() == 1 && elsewhere[0].contains("--reports-dir $'d\\\\xff'"), "{elsewhere:?}");
}

#[test]
fn every_command_takes_a_path_that_is_not_utf_8() {
    let place = Place::new();
    let at = |name: &[u8]| place.path("").join(OsStr::from_bytes(name));
    let log = "case_id,timestamp\na,2024-01-01T00:00:00Z\nb,2024-01-01T00:00:01Z\n";
    fs::write(at(b"l\xff.csv"), log).unwrap();
    assert_eq!(place.run("trace generate tiny.toml --commands 2000 -o t.csv").code, PASS);
    fs::rename(place.path("t.csv"), at(b"t\xff.csv")).unwrap();
    for (words, path) in [
        ("trace import --json", &b"l\xff.csv"[..]),
        ("trace generate --json tiny.toml -o", b"g\xff.csv"),
        ("trace info --json", b"t\xff.csv"),
        ("trace fit --json -o f.toml", b"t\xff.csv"),
        ("trace export --json -o e.csv", b"t\xff.csv"),
        ("man --json", b"m\xff"),
        ("host --json --probe 50ms -o", b"h\xff.json"),
    ] {
        let ended = run_on(&place, words, &at(path));
        assert_eq!(ended.code, PASS, "{words}: {}", ended.stderr);
        json(&ended.stdout);
    }
    let words = "run --measure 100ms --warmup 0s --rounds 1 --writers 1 --durability off --kills 1";
    measured(&run_on(&place, words, &at(b"t\xff.csv")));
    let checked = run_on(&place, "certify --json --check", &at(b"nothing\xff.json"));
    checked.refused(FAILED, &["cannot be read"]);
    fs::create_dir(at(b"r\xff")).unwrap();
    fs::copy(format!("{SAMPLE}/report.json"), at(b"r\xff/report.json")).unwrap();
    assert_eq!(run_on(&place, "report", &at(b"r\xff")).code, PASS);
}

#[test]
fn a_source_that_can_be_read_once_only_is_refused_before_it_is_read() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    for words in [
        "run -",
        "run /dev/stdin",
        "run pipe",
        "run /dev/null",
        "plan pipe --target 5 --slo p99=1ms",
        "certify - --rate 5 --slo p99=1ms",
    ] {
        place.run(words).refused(USAGE, &["not a file", "write it to a file first"]);
    }
}

#[test]
fn a_trace_is_read_from_standard_input_and_from_a_pipe() {
    let place = Place::new();
    assert_eq!(place.run("trace generate tiny.toml --commands 100 -o t.csv.zst").code, PASS);
    let trace = fs::read(place.path("t.csv.zst")).unwrap();
    for words in ["trace info", "trace export", "trace fit -o fitted.toml --force"] {
        let named = place.run(&format!("{words} t.csv.zst")).stdout;
        let ended = place.run_with_input(&format!("{words} -"), &trace);
        assert_eq!((ended.code, ended.stdout.as_str()), (PASS, named.as_str()), "{words}: {}", ended.stderr);
        assert_eq!(place.run_with_pipe(&format!("{words} pipe"), &trace).stdout, named, "{words}");
    }
}

#[test]
fn every_file_that_is_read_once_may_be_standard_input_or_a_pipe() {
    let place = Place::new();
    let report = fs::read_to_string(format!("{SAMPLE}/report.json")).unwrap();
    let machines = "name,vcpus,memory\nsmall,1,1\nlarge,2,4\n";
    let toml = "[[machine]]\nname = 'small'\nvcpus = 1\nmemory = 1\n";
    let failure = r#"{"host": "a", "kind": "b", "what": "no ssh", "hint": "none"}"#;
    for (words, file, content) in [
        ("report FILE", "report.json", report.as_str()),
        ("report FILE --format markdown", "report.json", &report),
        ("report FILE --json", "report.json", &report),
        ("plan --json --reports-dir out --target 300 --from FILE", "report.json", &report),
        ("plan --json --reports-dir out --target 300 --from SAMPLE --machines FILE", "machines.csv", machines),
        ("plan --json --reports-dir out --target 300 --from SAMPLE --machines FILE", "machines.toml", toml),
        ("plan --target 5 --slo p99=1ms tiny.toml --disk FILE", "disk.json", "{}"),
        ("report merge --json FILE", "report.json", &report),
        ("report merge --json SAMPLE --failure FILE", "failure.json", failure),
        ("certify --check FILE", "certificate.json", "{\n  \"schema_version\": 1\n}"),
        ("workloads --memory --json FILE", "tiny.toml", TINY),
        ("trace generate FILE --json --commands 50 -o t.csv --force", "tiny.toml", TINY),
    ] {
        reads_alike(&place, words, [file, content]);
    }
}

/// Asserts that a command gives the same for a file of this name and content, in place of `FILE`, and for pipes.
fn reads_alike(place: &Place, words: &str, [file, content]: [&str; 2]) {
    let words = |file: &str| words.replace("SAMPLE", SAMPLE).replace("FILE", file);
    place.write(file, content);
    let named = place.run(&words(file));
    for (name, ended) in [
        ("/dev/stdin", place.run_with_input(&words("-"), content.as_bytes())),
        ("/dev/stdin", place.run_with_input(&words("/dev/stdin"), content.as_bytes())),
        ("pipe", place.run_with_pipe(&words("pipe"), content.as_bytes())),
    ] {
        let result = |ended: &Ended| without_moments(&format!("{}{}", ended.stdout, ended.stderr).replace(name, file));
        assert_eq!((ended.code, result(&ended)), (named.code, result(&named)), "{}", words(name));
    }
}

/// The text of a result without its command line, moments and directories.
fn without_moments(text: &str) -> String {
    let is_fixed =
        |line: &&str| !["\"command\":", "_at\":", "path\":", "reports/", "out/"].iter().any(|part| line.contains(part));
    text.lines().filter(is_fixed).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pipe_that_would_be_read_twice_must_be_a_file() {
    let place = Place::new();
    for words in
        ["compare - -", "compare /dev/stdin -", "report merge - --failure -", "plan --from - --machines - --target 5"]
    {
        place.run_with_input(words, b"").refused(USAGE, &["/dev/stdin", "named twice must be a file"]);
    }
    place.run_with_input("report - --open", b"").refused(USAGE, &["/dev/stdin: must be a file", "--output"]);
    place.holds_only(&[]);
}

#[test]
fn an_event_log_is_not_taken_for_a_workload_or_a_trace() {
    let place = Place::new();
    let log = "case_id,timestamp,activity\na,2024-01-01T00:00:00Z,x\n";
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    place.write("LOG.CSV", log);
    place.write("log.txt", log);
    place.write("log.csv.gz", gzip(log));
    place.write("log.bin", [0xff, 0xfe, 0x00]);
    for name in ["LOG.CSV", "log.txt", "log.csv.gz", "log.bin"] {
        let words = format!("run {name}");
        place.run(&words).refused(FAILED, &[name, "trace import"]);
    }
    // A gzip trace is one.
    assert_eq!(place.run("trace generate tiny.toml --commands 500 -o t.csv").code, PASS);
    let packed = gzip(&fs::read_to_string(place.path("t.csv")).unwrap());
    place.write("t.csv.gz", &packed);
    place.write("half.csv.gz", &packed[..packed.len() / 2]);
    let infos = ["t.csv", "t.csv.gz"].map(|name| place.run(&format!("trace info {name}")).stdout);
    assert_eq!(infos[0], infos[1]);
    place.run("trace info half.csv.gz").refused(FAILED, &["truncated after", "--allow-truncated"]);
    assert_eq!(place.run("trace info half.csv.gz --allow-truncated").code, PASS);
}

#[test]
fn a_directory_named_like_a_workload_does_not_hide_it() {
    let place = Place::new();
    fs::create_dir(place.path("ledger")).unwrap();
    place.write("ledger/notes.csv", "a,b\n");
    place.run("run ledger --speed 2").refused(USAGE, &["a workload has no times of its own"]);
    place.run("run ./ledger").refused(FAILED, &["ledger/notes.csv: not a trace"]);
}
