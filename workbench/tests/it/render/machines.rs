//! `machines.html`, `machines.md` and `machines.json`: machines side by side, for people and programs.

use std::fs;
use std::path::{Path, PathBuf};

use ave_workbench::fleet::{MachineComparison, ReportWithLog, merge};
use ave_workbench::render;
use ave_workbench::report::{ComparisonContext, Report};
use serde_json::Value;

use crate::support::sample;

fn html(comparison: &MachineComparison) -> String {
    render::fleet(comparison).html
}

fn markdown(comparison: &MachineComparison) -> String {
    render::fleet(comparison).markdown
}

/// Reports joined; each is made another machine by its number of cores.
fn joined(reports: impl IntoIterator<Item = Report>) -> MachineComparison {
    let given = (0..).zip(reports).map(|(number, mut report)| {
        report.started_at = format!("2026-03-01T09:30:0{number}Z");
        report.host.usable_cores_count = 2 << number;
        ReportWithLog::without_log(Path::new(&format!("fleet/node-{number}")), report)
    });
    let context = ComparisonContext {
        compared_at: "2026-03-02T10:00:00Z".to_owned(),
        command: "ave-workbench report merge fleet/*".to_owned(),
    };
    merge(given.collect(), Vec::new(), &context).unwrap().comparison
}

pub(crate) fn plans() -> MachineComparison {
    let mut weak = sample::plan();
    weak.plan.as_mut().unwrap().capacities[1].sustained_per_second = None;
    joined([sample::plan(), weak, sample::plan()])
}

/// Below the styles: what the comparison wrote.
fn markup(page: &str) -> &str {
    &page[page.find("<body>").unwrap()..]
}

#[test]
fn the_page_asks_nothing_of_any_network_and_runs_nothing() {
    let page = html(&plans());
    for loader in [
        "<script",
        " src=",
        "@import",
        "<link",
        "<iframe",
        "<object",
        "<base",
        "srcset",
        "url(",
        "href=\"http",
        "href=\"//",
    ] {
        assert!(!page.contains(loader), "{loader}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("script-src"));
    assert!(page.contains("prefers-color-scheme: dark"));
    assert!(page.len() < 100_000, "{} bytes for three machines", page.len());
}

#[test]
fn the_answer_precedes_everything_and_reproduction_ends_it() {
    let page = html(&plans());
    let parts = [
        "class=\"screen neutral\" id=\"answer\"",
        "id=\"machines\"",
        "id=\"latency\"",
        "id=\"disks\"",
        "id=\"reports\"",
        "id=\"reproduce\"",
    ];
    let places: Vec<_> =
        parts.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part} is missing"))).collect();
    assert!(places.is_sorted());
    let text = markdown(&plans());
    assert!(text.starts_with(&format!("# {}\n", plans().sentence)), "{text}");
}

#[test]
fn every_machine_has_a_row_in_each_mode_a_bar_and_a_chart() {
    let comparison = plans();
    let page = html(&comparison);
    assert_eq!(page.matches("<svg class=\"bar\"").count(), 2 * 3);
    assert_eq!(page.matches("<figure>").count(), 3);
    assert_eq!(page.matches("<path class=\"on\" d=\"M").count(), 3);
    assert_eq!(page.matches("✓ sustained").count(), 5);
    assert_eq!(page.matches("✗ not sustained").count(), 1);
    let text = markdown(&comparison);
    for machine in &comparison.machines {
        assert_eq!(text.matches(&format!("| {} |", machine.name)).count(), 2, "two modes");
    }
    for nonsense in ["NaN", "inf<", "undefined", "Some("] {
        assert!(!markup(&page).contains(nonsense) && !text.contains(nonsense), "{nonsense}");
    }
}

#[test]
fn bars_are_as_long_as_rates_and_the_line_is_at_what_is_required() {
    let page = html(&plans());
    let on = &page[page.find("Machines with durability on").unwrap()..];
    assert!(on.contains(r#"<rect class="on" width="100.0""#), "the fastest fills it");
    assert!(on.contains(r#"<rect class="on" width="0.0""#), "the one that sustained nothing is empty");
    // 2,000/s with 30 % headroom require 2,857 of 3,150.
    assert!(on.contains(r#"x1="90.7" x2="90.7""#), "{on}");
}

#[test]
fn runs_show_no_target_and_no_probe_shows_no_columns() {
    let mut run = sample::run();
    run.host.sync_probe = None;
    let page = html(&joined([run]));
    for absent in [">Target<", "Disk full in", "Sync</abbr> p50"] {
        assert!(!page.contains(absent), "{absent}");
        assert!(html(&plans()).contains(absent), "{absent}");
    }
}

#[test]
fn nothing_measured_is_nothing_shown() {
    let comparison = joined([sample::empty_plan(), sample::empty_plan()]);
    assert!(html(&comparison).contains("Reports") && !html(&comparison).contains("id=\"latency\""));
    assert!(markdown(&comparison).contains("## How to reproduce"));
    let bare = joined([sample::bare()]);
    assert!(html(&bare).contains("not merged") && markdown(&bare).contains("not merged"));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = r#"</style><script>alert("1")</script><img onerror='x'>|"#;
    let mut report = sample::plan();
    report.host.cpu_model = hostile.to_owned();
    report.host.virtualisation = hostile.to_owned();
    report.verdict.sentence = hostile.to_owned();
    report.name = hostile.to_owned();
    report.source.origin = hostile.to_owned();
    report.plan.as_mut().unwrap().slo.command = hostile.to_owned();
    report.modes.iter_mut().for_each(|mode| mode.commands[0].name = hostile.to_owned());
    let comparison = joined([report]);
    let page = html(&comparison);
    assert!(!page.contains("<script") && !page.contains("<img"));
    // Inside code they are text already.
    let text: String = markdown(&comparison).split('`').step_by(2).collect();
    assert!(text.contains("&lt;img") && !text.contains("<img") && !text.contains("'x'>|"));
}

fn schema_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/machines.schema.json")
}

#[test]
fn the_committed_schema_is_that_of_the_types_and_holds() {
    let generated = serde_json::to_value(schemars::schema_for!(MachineComparison)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(schema_path(), format!("{generated:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(schema_path()).unwrap()).unwrap();
    assert!(committed == generated, "reports/machines.schema.json is out of date: run the tests with UPDATE_SCHEMA=1");
    let validator = jsonschema::validator_for(&committed).unwrap();
    for comparison in [plans(), joined([sample::run()]), joined([sample::bare()])] {
        let value = serde_json::to_value(&comparison).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn modes_with_the_same_answer_are_named_together() {
    let sentence = joined([sample::plan()]).sentence;
    assert_eq!(
        sentence,
        "The one machine sustains 2,000 commands/s with durability off and on; valid until 2026-11-19, when the disk is full."
    );
    let of_three = plans().sentence;
    assert!(
        of_three.starts_with("3 of 3 machines sustain") && of_three.contains("; 2 of 3 machines sustain"),
        "{of_three}"
    );
}
