//! `comparison.html`, `comparison.md` and the schema of `comparison.json`.

use std::fs;
use std::path::{Path, PathBuf};

use ave_workbench::compare::{BuildReports, CompareSettings, Comparison, ComparisonOutcome, compare};
use ave_workbench::render;
use ave_workbench::report::{ComparisonContext, Report};
use serde_json::Value;

use crate::support::sample;

fn html(comparison: &Comparison) -> String {
    render::comparison(comparison).html
}

fn markdown(comparison: &Comparison) -> String {
    render::comparison(comparison).markdown
}

/// A report whose medians took `percent` of the sample's.
fn report(number: u32, percent: u64) -> Report {
    let mut report = sample::run();
    report.started_at = format!("2026-03-01T09:{number:02}:00Z");
    for round in report.modes.iter_mut().flat_map(|mode| &mut mode.rounds) {
        for latency in &mut round.commands {
            latency.service.p50_ns = latency.service.p50_ns.map(|nanoseconds| nanoseconds * percent / 100);
        }
    }
    report
}

fn side(path: &str, report: Report) -> BuildReports {
    BuildReports::new(Path::new(path), vec![(PathBuf::from(path), report)])
}

fn compared(base: &BuildReports, candidates: &[BuildReports]) -> Comparison {
    let context = ComparisonContext {
        compared_at: "2026-03-02T10:00:00Z".to_owned(),
        command: "ave-workbench compare base candidate".to_owned(),
    };
    compare(base, candidates, CompareSettings::default(), &context).unwrap()
}

/// A candidate that is slower, and one that is the same.
pub(crate) fn two() -> Comparison {
    compared(&side("base", report(0, 100)), &[side("slow", report(1, 130)), side("same", report(2, 100))])
}

/// Below the styles: what the comparison wrote.
fn markup(page: &str) -> &str {
    &page[page.find("<body>").unwrap()..]
}

#[test]
fn the_page_asks_nothing_of_any_network_and_runs_nothing() {
    let page = html(&two());
    for loader in ["<script", " src=", "@import", "<link", "<iframe", "<object", "url(", "href=\"http", "href=\"//"] {
        assert!(!page.contains(loader), "{loader}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("script-src"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("name=\"viewport\""));
    assert!(page.len() < 100_000, "{} bytes", page.len());
}

#[test]
fn the_answer_comes_first_and_every_row_is_drawn_and_told() {
    let comparison = two();
    assert_eq!(comparison.outcome, ComparisonOutcome::Regression);
    let (page, text) = (html(&comparison), markdown(&comparison));
    let parts = [
        "class=\"screen fail\" id=\"answer\"",
        "id=\"candidate-1\"",
        "id=\"candidate-2\"",
        "id=\"reports\"",
        "id=\"reproduce\"",
    ];
    let places: Vec<_> =
        parts.iter().map(|part| page.find(part).unwrap_or_else(|| panic!("{part} is missing"))).collect();
    assert!(places.is_sorted());
    assert!(text.starts_with(&format!("# REGRESSION: {}\n", comparison.sentence)), "{text}");
    let rows: usize = comparison.candidates.iter().map(|candidate| candidate.rows.len()).sum();
    assert_eq!(page.matches("<svg class=\"forest").count(), rows);
    assert_eq!(page.matches("<line class=\"zero\"").count(), rows);
    assert_eq!(text.matches("| slower |").count(), 10, "five commands in two modes: {text}");
    for shown in [page.as_str(), &text] {
        assert!(shown.contains("+30.0 %") && shown.contains("no difference"));
    }
    for nonsense in ["NaN", "inf<", "undefined", "Some("] {
        assert!(!markup(&page).contains(nonsense) && !text.contains(nonsense), "{nonsense}");
    }
}

#[test]
fn what_is_drawn_lies_on_the_axis_with_the_threshold_beside_zero() {
    let page = html(&two());
    let numbers = |attribute: &str| -> Vec<f64> {
        let marks = markup(&page).match_indices(attribute).map(|(at, _)| &markup(&page)[at + attribute.len()..]);
        marks.map(|rest| rest[..rest.find('"').unwrap()].parse().unwrap()).collect()
    };
    for attribute in [" x1=\"", " x2=\"", " x=\"", " width=\""] {
        let found = numbers(attribute);
        assert!(!found.is_empty() && found.iter().all(|place| (0.0..=100.0).contains(place)), "{attribute}: {found:?}");
    }
    let (band, width) = (numbers(" x=\"")[0], numbers(" width=\"")[0]);
    let zero = numbers("<line class=\"zero\" x1=\"")[0];
    assert!(band < zero && zero < band + width, "{band} {zero} {width}");
}

#[test]
fn a_machine_that_differed_is_shown() {
    let mut busy = report(1, 130);
    let rounds = busy.modes.iter_mut().flat_map(|mode| &mut mode.rounds);
    rounds.for_each(|round| round.foreign_cores = Some(1.4));
    let comparison = compared(&side("base", report(0, 100)), &[side("busy", busy)]);
    assert_eq!(comparison.outcome, ComparisonOutcome::Undecided);
    let (page, text) = (html(&comparison), markdown(&comparison));
    for shown in [page.as_str(), &text] {
        assert!(shown.contains("cannot tell") && shown.contains("differed") && shown.contains("1.4 cores"), "{shown}");
    }
    assert!(page.contains("id=\"warnings\"") && text.contains("## Warnings"));
}

#[test]
fn hostile_names_stay_text() {
    let hostile = r#"</style><script>alert("1")</script><img onerror='x'>|"#;
    let reports = [0, 1].map(|number| {
        let mut report = report(number, 100 + 30 * u64::from(number));
        report.name = hostile.to_owned();
        report.source.origin = hostile.to_owned();
        report.reproduce.version = hostile.to_owned();
        for mode in &mut report.modes {
            mode.commands[0].name = hostile.to_owned();
            mode.rounds.iter_mut().for_each(|round| round.commands[0].name = hostile.to_owned());
        }
        report
    });
    let [base, candidate] = reports;
    let comparison = compared(&side(hostile, base), &[side("<img src=x>", candidate)]);
    let page = html(&comparison);
    assert!(!page.contains("<script") && !page.contains("<img"));
    // Inside code they are text already.
    let text: String = markdown(&comparison).split('`').step_by(2).collect();
    assert!(text.contains("&lt;img") && !text.contains("<img") && !text.contains("'x'>|"));
}

fn schema_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/comparison.schema.json")
}

#[test]
fn the_committed_schema_is_that_of_the_types_and_holds() {
    let generated = serde_json::to_value(schemars::schema_for!(Comparison)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(schema_path(), format!("{generated:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(schema_path()).unwrap()).unwrap();
    assert!(
        committed == generated,
        "reports/comparison.schema.json is out of date: run the tests with UPDATE_SCHEMA=1"
    );
    let validator = jsonschema::validator_for(&committed).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&serde_json::to_value(two()).unwrap()).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}
