//! Runs every shell block of the documentation, in order, in a directory with the files that the document assumes.
//!
//! Measurements are short, see `ave-workbench.sh`. Commands of other systems are replaced, see [`follow::NOT_RUN`].

pub(crate) mod blocks;
mod follow;

use std::fs;
use std::path::Path;

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_rocksdb::backend::Tuning;
use ave_actors_store::config::{MachineProfile, MachineSpec, resolve_spec};
use ave_actors_store::database::{Collection, DbManager};
use ave_workbench::host::PROFILES;
use ave_workbench::trace::Truncation;
use ave_workbench::{trace, units};

use follow::Reader;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Documents with a test below.
const FOLLOWED: [&str; 19] = [
    "README.md",
    "docs/README.md",
    "docs/certify.md",
    "docs/compare.md",
    "docs/fleet.md",
    "docs/history.md",
    "docs/keys-with-dots.md",
    "docs/methodology.md",
    "docs/metrics.md",
    "docs/operating.md",
    "docs/planning.md",
    "docs/prices.md",
    "docs/reading-a-report.md",
    "docs/recording.md",
    "docs/traces.md",
    "docs/tuning.md",
    "docs/validation.md",
    "reports/README.md",
    "workloads/README.md",
];

#[test]
fn every_document_with_commands_is_followed() {
    for directory in ["", "docs", "reports", "workloads"] {
        for entry in fs::read_dir(root().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            if path.extension().is_none_or(|extension| extension != "md") || FOLLOWED.contains(&name) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let run = blocks::of(&text).into_iter().find(|block| ["sh", "rust"].contains(&block.language.as_str()));
            assert!(run.is_none(), "{name} shows commands or code and no test follows it: add it to `FOLLOWED`");
        }
    }
}

/// Runs a document of the repository; `not_run` are the commands of other systems in it, in order.
#[track_caller]
fn follow(reader: &Reader, document: &str, not_run: &[&str]) {
    assert!(FOLLOWED.contains(&document), "{document} is not among those that are followed");
    let text = fs::read_to_string(root().join(document)).unwrap();
    let followed = reader.follow(document, &text).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(followed.not_run, not_run, "{document}: commands that are not run");
    let shell = blocks::of(&text).into_iter().filter(|block| block.language == "sh").map(|block| block.code);
    let shown: usize = shell.map(|code| code.lines().filter(|line| line.starts_with("ave-workbench ")).count()).sum();
    assert_eq!(followed.run.len(), shown, "{document}: {:#?}", followed.run);
}

#[test]
fn the_readme() {
    let reader = Reader::new();
    follow(&reader, "README.md", &["make", "make", "cargo"]);
    assert!(reader.path("events.trace.csv.zst").is_file() && reader.path("events.toml").is_file());
}

#[test]
fn the_index() {
    follow(&Reader::new(), "docs/README.md", &[]);
}

#[test]
fn certify() {
    follow(&Reader::new(), "docs/certify.md", &[]);
}

#[test]
fn compare() {
    let reader = Reader::new();
    reader.add_build("base");
    reader.add_build("candidate");
    follow(&reader, "docs/compare.md", &[]);
    let reports = fs::read_dir(reader.path("reports")).unwrap();
    let compared: Vec<_> = reports.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(compared.len() == 1 && compared[0].contains("-comparison-"), "{compared:?}");
}

#[test]
fn fleet() {
    let reader = Reader::new();
    reader.copy_files_of("deploy");
    reader.copy_files_of("deploy/ansible");
    let per_type = ["kubectl", "kubectl", "kubectl", "kubectl"];
    let not_run = [&["make", "docker", "docker"][..], &["kubectl"; 3], &per_type.repeat(3)].concat();
    follow(&reader, "docs/fleet.md", &not_run);
    assert!(reader.path("machines/machines.html").is_file() && reader.path("whole/machines.html").is_file());
}

#[test]
fn history() {
    let reader = Reader::new();
    follow(&reader, "docs/history.md", &[]);
    let reports = fs::read_dir(reader.path("reports")).unwrap();
    let made: Vec<_> = reports.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(made.len() == 1 && made[0].contains("-history-"), "{made:?}");
}

#[test]
fn keys_with_dots() {
    follow(&Reader::new(), "docs/keys-with-dots.md", &[]);
}

#[test]
fn methodology() {
    follow(&Reader::new(), "docs/methodology.md", &[]);
}

#[test]
fn metrics() {
    follow(&Reader::new(), "docs/metrics.md", &[]);
}

#[test]
fn operating() {
    let mut reader = Reader::new();
    // What the page names: a database that was in use once, and a place for its backups.
    let (database, backups) = (reader.path("db"), reader.path("backups"));
    let written = b"opened";
    {
        let manager = RocksDbManager::new(&database, true, None).unwrap();
        let mut events = manager.create_collection("ledger_events", "alpha").unwrap();
        Collection::put(&mut events, "00000000000000000000", written).unwrap();
    }
    let log = "000013.log: dropping 28010 bytes; Corruption: checksum mismatch\n";
    fs::write(database.join("LOG.old.1"), log).unwrap();
    reader.set_variable("DB", &database);
    reader.set_variable("BACKUPS", &backups);
    follow(&reader, "docs/operating.md", &["cargo"]);

    assert!(backups.is_dir() && reader.path("db.broken").is_dir());
    let restored = RocksDbManager::new(&database, true, None).unwrap();
    let events = restored.create_collection("ledger_events", "alpha").unwrap();
    assert_eq!(Collection::get(&events, "00000000000000000000").unwrap(), written);
}

#[test]
fn planning() {
    follow(&Reader::new(), "docs/planning.md", &[]);
}

#[test]
fn prices() {
    let reader = Reader::new();
    reader.copy_files_of("machines");
    follow(&reader, "docs/prices.md", &[]);
    let priced = fs::read_to_string(reader.path("priced.csv")).unwrap();
    assert_eq!(priced.lines().nth(1), Some("m6g.medium,1,4,,0.0385,USD,2026-11-28"));
}

#[test]
fn reading_a_report() {
    let reader = Reader::new();
    reader.copy_files_of("reports/sample");
    follow(&reader, "docs/reading-a-report.md", &[]);
}

#[test]
fn recording() {
    let reader = Reader::new();
    reader.copy_files_of("workloads");
    follow(&reader, "docs/recording.md", &[]);
}

#[test]
fn traces() {
    let reader = Reader::new();
    follow(&reader, "docs/traces.md", &[]);
    assert!(reader.path("receipt.trace.csv.zst").is_file());
}

#[test]
fn tuning() {
    follow(&Reader::new(), "docs/tuning.md", &[]);
}

#[test]
fn validation() {
    let reader = Reader::new();
    reader.add_substitute("docs/validate.py");
    follow(&reader, "docs/validation.md", &["make", "docs/validate.py"]);
}

/// What the container of the Job does, in this directory instead of its volumes, and without waiting for an hour.
#[test]
fn the_job_of_a_fleet() {
    let job = fs::read_to_string(root().join("deploy/plan-job.yaml")).unwrap();
    let (_, script) = job.split_once("- |\n").unwrap();
    let lines: Vec<&str> =
        script.lines().take_while(|line| line.starts_with("              ")).map(str::trim).collect();
    assert!(lines[0].starts_with("ave-workbench plan") && lines.last() == Some(&"exit $code"), "{lines:?}");
    let here = lines.join("\n").replace("/data", "data").replace("/reports", "reports").replace("NODE_TYPE", "node");
    let reader = Reader::new();
    fs::create_dir(reader.path("data")).unwrap();
    // The container's shell goes on after a command that failed.
    let text = format!("```sh\nset +e\n{}\n```\n", here.replace("timeout 3600", "timeout 1"));
    let failure = reader.follow("deploy/plan-job.yaml", &text).err();
    assert_eq!(failure, None);
    assert!(reader.path("reports/waiting").is_file(), "the reports wait to be fetched");
    assert_eq!(fs::read_dir(reader.path("data")).unwrap().count(), 0, "no database stays");
}

#[test]
fn the_reports() {
    let reader = Reader::new();
    reader.copy_files_of("reports/sample");
    follow(&reader, "reports/README.md", &["cargo"]);
}

#[test]
fn the_workloads() {
    let reader = Reader::new();
    reader.copy_files_of("workloads");
    follow(&reader, "workloads/README.md", &["cargo"]);
}

/// The trace that the page shows.
fn trace_of_the_page(page: &str) -> String {
    let block = blocks::of(page).into_iter().find(|block| block.code.starts_with("cat > tiny")).unwrap();
    let (_, rest) = block.code.split_once('\n').unwrap();
    rest.split_once("END\n").unwrap().0.to_owned()
}

#[test]
fn errors_in_the_trace_of_the_page_are_those_on_the_page() {
    let page = fs::read_to_string(root().join("docs/traces.md")).unwrap();
    let (whole, reader) = (trace_of_the_page(&page), Reader::new());
    let read = |text: &str| {
        fs::write(reader.path("t.csv"), text).unwrap();
        trace::read(&reader.path("t.csv"), Truncation::Refuse)
    };
    let good = read(&whole).unwrap();
    assert_eq!((good.command_count(), good.operation_count(), good.dropped_count()), (3, 5, 2));
    assert_eq!(good.actors()[1].name.as_ref(), "bob, the second");
    assert_eq!(read(&whole.replace('\n', "\r\n")).unwrap().operation_count(), 5);
    for (from, to, message) in [
        ("# ave-trace", "# trace", "not a trace: the first line does not begin with"),
        ("ave-trace 1", "ave-trace 2", "version 2, expected 1"),
        ("}\n", "\n", "the provenance is not valid JSON"),
        (",key,bytes", ",key", "line 2 is"),
        (",120\n", "\n", "7 fields, expected 8"),
        ("1500000,", "2600000,", "is before the command above, expected ascending times"),
        ("second\",1,", "second\",0,", "belongs to another actor or kind on the line before"),
        (",00000000000000000000,0\n", ",000", "truncated after"),
    ] {
        assert!(whole.contains(from), "{from}");
        let error = read(&whole.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message) && page.contains(message), "`{message}`: {error}");
    }
    let empty: Vec<&str> = whole.lines().take(2).collect();
    let error = read(&(empty.join("\n") + "\n")).unwrap_err().to_string();
    let message = "empty: it holds no commands";
    assert!(error.contains(message) && page.contains(message), "{error}");
}

/// The anchor that a heading gets on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Targets of the links in a text, code left out.
fn links(text: &str) -> Vec<String> {
    let without_blocks: String = text.split("```").step_by(2).collect();
    let without_code: String = without_blocks.split('`').step_by(2).collect();
    let behind = without_code.split("](").skip(1);
    behind.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut seen = 0;
    let others = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "benches/README.md", "benches/peers/README.md"];
    for document in FOLLOWED.into_iter().chain(others) {
        let path = root().join(document);
        for link in links(&fs::read_to_string(&path).unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, section) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{document}: broken link `{link}`");
            if !section.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let found = headings.map(|line| anchor(line.trim_start_matches('#'))).any(|anchor| anchor == section);
                assert!(found, "{document}: no heading for `{link}`");
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} links were found");
}

/// The value of a setting in the format of the page: counts have no unit.
fn on_the_page(profile: MachineProfile, name: &str) -> String {
    let spec = resolve_spec(Some(MachineSpec::Profile(profile)));
    match name {
        "cores" => spec.cpu_cores.to_string(),
        "RAM" => units::bytes((spec.ram_mb << 20) as f64),
        name => {
            let settings = Tuning::new(&spec, None).settings();
            let setting = settings.iter().find(|setting| setting.name == name).unwrap_or_else(|| panic!("no `{name}`"));
            if setting.unit == "bytes" { units::bytes(setting.value as f64) } else { units::count(setting.value) }
        }
    }
}

#[test]
fn tuning_page_lists_every_setting_with_its_value_on_every_profile() {
    let text = fs::read_to_string(root().join("docs/tuning.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let rows: Vec<Vec<String>> = text.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    let of_profiles = rows.iter().filter(|row| row.len() == 1 + PROFILES.len() && !row[1].starts_with("--"));
    for row in of_profiles.clone().skip(1) {
        let expected = PROFILES.map(|profile| on_the_page(profile, &row[0]));
        assert_eq!(row[1..], expected, "{}", row[0]);
    }
    assert!(of_profiles.count() > 10);

    let (_, same) = text.split_once("## What is the same on every machine").unwrap();
    let of_any: Vec<Vec<String>> = same.lines().filter(|line| line.starts_with("| `")).map(cells).collect();
    assert!(of_any.len() > 10);
    for row in &of_any {
        assert_eq!(row[1].trim_end_matches(" %"), on_the_page(MachineProfile::Nano, &row[0]), "{}", row[0]);
    }
    for setting in Tuning::new(&resolve_spec(None), None).settings() {
        let has = |rows: &[Vec<String>]| rows.iter().any(|row| row[0] == setting.name);
        assert!(has(&rows), "the page has no row for `{}`", setting.name);
        let explained = rows.iter().any(|row| row.len() == 3 && row[0].contains(setting.name));
        assert!(explained, "the page does not explain `{}`", setting.name);
    }
}

#[test]
fn fleet_page_and_kubernetes_job_run_the_same_plan() {
    let [page, job] = ["docs/fleet.md", "deploy/plan-job.yaml"].map(|name| {
        let text = fs::read_to_string(root().join(name)).unwrap();
        let plan = text.lines().map(str::trim).find(|line| line.starts_with("ave-workbench plan")).unwrap().to_owned();
        plan.split_once(" --data-dir").unwrap().0.to_owned()
    });
    assert_eq!(page, job);
}

#[test]
fn a_failing_document_is_named_with_its_line() {
    let failure = |text: &str| Reader::new().follow("page.md", text).unwrap_err();
    for (text, parts) in [
        ("\n```sh\nave-workbench fly\n```\n", &["page.md:2", "exit code 2", "fly"][..]),
        ("```sh\nave-workbench trace info none.csv\n```\n", &["page.md:1", "exit code 4", "none.csv"]),
        ("```sh\nmkae plan\n```\n", &["page.md:1", "exit code 127", "mkae"]),
        ("```sh\nave-workbench fly | cat\n```\n", &["exit code 2"]),
        ("```sh\necho \"$NOTHING\"\n```\n", &["NOTHING: unbound variable"]),
        ("```toml\na = \n```\n", &["page.md:1", "TOML"]),
        ("```toml\n[commands]\npersist = 1\n```\n", &["page.md:1", "`name` is missing"]),
        ("```json\n{\n```\n", &["page.md:1", "JSON"]),
        ("```rust\nfn main() {}\n```\n", &["page.md:1", "doctest"]),
        ("```cobol\n```\n", &["page.md:1", "cobol"]),
        ("```sh\nls\n", &["page.md:1", "no end"]),
    ] {
        let failure = failure(text);
        for part in parts {
            assert!(failure.contains(part), "`{part}` is missing: {failure}");
        }
    }
}

#[test]
fn a_document_that_works_is_followed_in_order() {
    let reader = Reader::new();
    let text =
        "```sh\nmake it\nave-workbench workloads ledger > mine.toml\n```\n```sh\ngrep -c actors mine.toml\n```\n";
    let followed = reader.follow("page.md", text).unwrap();
    assert_eq!(followed.not_run, ["make"]);
    assert!(reader.path("mine.toml").is_file());
}
