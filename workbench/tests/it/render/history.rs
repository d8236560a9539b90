//! `history.html`, `history.md` and the schema of `history.json`.

use std::fs;
use std::path::{Path, PathBuf};

use ave_workbench::compare::CompareSettings;
use ave_workbench::history::{History, Reports, history};
use ave_workbench::render;
use ave_workbench::report::Report;
use serde_json::Value;

use crate::history::tracking::{Nightly, context};

/// A regression, an improvement before it, and a report of another question.
pub(crate) fn two_changes() -> History {
    changed(|_| {})
}

fn changed(change: impl Fn(&mut Report)) -> History {
    let mut nightly = Nightly::new(21, 0.01);
    nightly.add(1, 1.0, |report| report.settings.seed = 7);
    nightly.add(12, 1.0, &change).add(8, 0.8, &change);
    nightly.add(8, 1.3, |report| {
        change(report);
        "0.5.0".clone_into(&mut report.reproduce.version);
        report.reproduce.commit = Some("9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c".to_owned());
    });
    let reports = Reports::new(nightly.reports, None).unwrap();
    history(&reports, CompareSettings::default(), &context()).unwrap()
}

fn html(history: &History) -> String {
    render::history(history).html
}

#[test]
fn both_pages_have_the_answer_every_change_and_what_is_left_out() {
    let history = two_changes();
    let pages = render::history(&history);
    let page = pages.html.replace("&#x2f;", "/").replace("&#x27;", "'");
    for shown in [&page, &pages.markdown] {
        for part in [
            "Slower: ",
            "2026-03-01 13:00:00 UTC",
            "2026-03-01 21:00:00 UTC",
            "reproduce.version changed from 0.4.1 to 0.5.0",
            "nightly/21",
            "settings.seed is 7, and 42 in the newest report",
            "reproduce.commit changed from 1a2b3c4d5e6f to 9f8e7d6c5b4a",
        ] {
            assert!(shown.contains(part), "`{part}` is missing: {shown}");
        }
        for nonsense in ["NaN", "inf<", "undefined", "Some("] {
            assert!(!shown[shown.find("<body").unwrap_or(0)..].contains(nonsense), "{nonsense}");
        }
    }
    for build in ["0.4.1 (1a2b3c4d5e6f)", "0.5.0 (9f8e7d6c5b4a)"] {
        assert!(page.contains(build), "{build}");
    }
    assert_eq!(page.matches("<svg class=\"timeline").count(), history.series.len());
    let marks: usize = history.series.iter().map(|series| series.points.len()).sum();
    assert_eq!(page.matches("<circle cx").count(), marks, "a point per report and figure");
    assert!(page.contains("class=\"change worse\"") && page.contains("class=\"change better\""));
}

#[test]
fn what_is_drawn_lies_inside_the_chart() {
    let page = html(&two_changes());
    let charts: Vec<&str> =
        page.split("<svg class=\"timeline").skip(1).map(|rest| rest.split("</svg>").next().unwrap()).collect();
    for chart in charts {
        for (attribute, most) in
            [(" cx=\"", 460.0), (" cy=\"", 190.0), (" x1=\"", 460.0), (" y1=\"", 190.0), (" y2=\"", 190.0)]
        {
            let values: Vec<f64> = chart
                .match_indices(attribute)
                .map(|(at, _)| chart[at + attribute.len()..].split('"').next().unwrap().parse().unwrap())
                .collect();
            assert!(
                !values.is_empty() && values.iter().all(|place| (0.0..=most).contains(place)),
                "{attribute}: {values:?}"
            );
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let hostile = r#"</style><script>alert("1")</script><img onerror='x'>|"#;
    let history = changed(|report| {
        report.name = hostile.to_owned();
        report.source.origin = hostile.to_owned();
        report.reproduce.version = hostile.to_owned();
        report.modes.iter_mut().for_each(|mode| mode.commands.truncate(1));
        report.modes.iter_mut().for_each(|mode| mode.commands[0].name = hostile.to_owned());
    });
    let pages = render::history(&history);
    assert!(!pages.html.contains("<script") && !pages.html.contains("<img"));
    // Inside code they are text already.
    let text: String = pages.markdown.split('`').step_by(2).collect();
    assert!(text.contains("&lt;img") && !text.contains("<img") && !text.contains("'x'>|"));
}

#[test]
fn the_committed_schema_is_that_of_the_types_and_holds() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/history.schema.json");
    let generated = serde_json::to_value(schemars::schema_for!(History)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, format!("{generated:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(Path::new(&path)).unwrap()).unwrap();
    assert!(committed == generated, "reports/history.schema.json is out of date: run the tests with UPDATE_SCHEMA=1");
    let validator = jsonschema::validator_for(&committed).unwrap();
    let value = serde_json::to_value(two_changes()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}
