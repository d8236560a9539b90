//! `history`: exit codes, files, and what is left out.

use std::fs;

use super::figures::Prints;
use super::program::{FAILED, INCONCLUSIVE, MISSED, PASS, Place, USAGE, json};
use crate::history::tracking::Nightly;
use crate::support::sample;

/// Reports of steady runs below `steady`, of runs that became slower below `slow`, and few of them below `few`.
fn with_reports() -> Place {
    let place = Place::new();
    for (directory, slower, count) in [("steady", 1.0, 6), ("slow", 1.3, 6), ("few", 1.0, 0)] {
        let mut nightly = Nightly::new(31, 0.01);
        nightly.add(if count == 0 { 3 } else { 14 }, 1.0, |_| {}).add(count, slower, |_| {});
        for (number, (_, report)) in nightly.reports.iter().enumerate() {
            place.report_at(&format!("{directory}/{number:02}"), report);
        }
    }
    place
}

#[test]
fn the_exit_code_is_the_outcome() {
    let place = with_reports();
    for (words, code) in [
        ("history steady", PASS),
        ("history slow", MISSED),
        ("history slow --threshold 80%", PASS),
        ("history slow --baseline slow/03", MISSED),
        ("history slow --baseline slow/17/report.json", PASS),
        ("history slow/00 slow/01 slow/02", INCONCLUSIVE),
        ("history few", INCONCLUSIVE),
        // The same reports in two directories are copies of each other.
        ("history few steady", PASS),
    ] {
        let ended = place.run(&format!("{words} --json"));
        assert_eq!(ended.code, code, "{words}: {}{}", ended.stdout, ended.stderr);
        let history = json(&ended.stdout);
        let printed = place.run(words).stdout;
        let sentence: Vec<_> = history["sentence"].as_str().unwrap().split_whitespace().collect();
        for part in [&sentence.join(" "), "history.html", "durability"] {
            assert!(printed.contains(part), "{words}: `{part}` is missing: {printed}");
        }
    }
}

#[test]
fn quiet_prints_nothing_and_json_is_the_file_and_follows_its_schema() {
    let place = with_reports();
    let ended = place.run("history slow --quiet -o quiet");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (MISSED, "", ""));
    let ended = place.run("history slow --json -o out");
    let history = json(&ended.stdout);
    assert_eq!(history, json(&fs::read_to_string(place.path("out/history.json")).unwrap()));
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/history.schema.json")).unwrap();
    jsonschema::validate(&json(&schema), &history).unwrap();
    let mut files: Vec<_> = fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["history.csv", "history.html", "history.json", "history.md"]);
}

#[test]
fn terminal_markdown_and_page_have_the_same_figures() {
    let place = with_reports();
    let ended = place.run("history slow");
    let prints = Prints::of(&place, &ended, "history");
    let history = prints.json::<ave_workbench::history::History>("history.json");
    prints.all_have("the verdict", &history.sentence);
    for series in &history.series {
        let slower = series.slower_percent.unwrap();
        prints.all_have("the slowdown", &ave_workbench::units::percent_difference(slower));
        for change in &series.changes {
            prints.all_have("a change", &ave_workbench::units::percent_difference(change.change_percent));
            prints.all_have("its interval", &ave_workbench::units::percent_interval(change.interval_percent));
        }
    }
}

#[test]
fn what_cannot_be_read_is_left_out_of_a_directory_and_refused_by_name() {
    let place = with_reports();
    fs::create_dir(place.path("steady/broken")).unwrap();
    place.write("steady/broken/report.json", "{\n\"schema_version\": 1,\n");
    fs::create_dir(place.path("steady/future")).unwrap();
    place.write("steady/future/report.json", "{\"schema_version\": 99}");
    let ended = place.run("history steady -o out");
    assert_eq!(ended.code, PASS, "{}{}", ended.stdout, ended.stderr);
    for part in ["steady/broken is left out: steady/broken/report.json:3:", "steady/future is left out: ", "layout 99"]
    {
        assert!(ended.stdout.contains(part), "`{part}` is missing: {}", ended.stdout);
    }
    fs::create_dir(place.path("empty")).unwrap();
    for (words, code, parts) in [
        ("history", USAGE, &["<REPORTS>"][..]),
        ("history nowhere", FAILED, &["there is no report at nowhere"]),
        ("history empty", FAILED, &["there is no report in empty", "directories with reports"]),
        ("history steady/broken", FAILED, &["steady/broken/report.json:3:", "not a report"]),
        ("history steady --baseline nowhere", FAILED, &["there is no report at nowhere"]),
        ("history steady --threshold much", USAGE, &["'much' for '--threshold"]),
        ("history steady --threshold 0", USAGE, &["more than 0 %"]),
        ("history steady --confidence 99.9%", USAGE, &["at most 99 %"]),
        ("history steady -o slow", FAILED, &["slow is there already"]),
    ] {
        place.run(words).refused(code, parts);
    }
    place.holds_only(&["empty", "few", "out", "slow", "steady"]);
}

#[test]
fn reports_of_other_questions_alone_are_refused_with_file_and_field() {
    let place = with_reports();
    let mut nightly = Nightly::new(32, 0.01);
    let mut other = nightly.report(1.0);
    (other.settings.seed, other.started_at) = (7, "2026-04-01T12:00:00Z".to_owned());
    place.report_at("other/newest", &other);
    place.report_at("other/older", &nightly.report(1.0));
    let parts = ["other/newest", "other/older: settings.seed is 42, and 7 in the newest report"];
    place.run("history other").refused(USAGE, &parts);
    place.run("history steady --baseline other/newest").refused(USAGE, &["settings.seed"]);
    place.holds_only(&["few", "other", "slow", "steady"]);
}

#[test]
fn runs_of_this_build_have_a_history() {
    let place = Place::new();
    for _ in 0..2 {
        let ended =
            place.run("run tiny.toml --measure 100ms --warmup 0s --rounds 1 --writers 1 --durability off --no-verify");
        assert!(matches!(ended.code, PASS | INCONCLUSIVE), "{}", ended.stderr);
    }
    let ended = place.run("history reports --json -o out");
    assert_eq!(ended.code, INCONCLUSIVE, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(json(&ended.stdout)["reports"].as_array().unwrap().len(), 2);
    // What a history writes is no report.
    assert_eq!(place.run("history reports").code, INCONCLUSIVE);
    assert_eq!(json(&place.run("history reports --json").stdout)["reports"].as_array().unwrap().len(), 2);
}

#[test]
fn a_report_without_a_start_is_damaged() {
    let place = with_reports();
    let mut report = sample::run();
    report.started_at = "yesterday".to_owned();
    place.report_at("steady/yesterday", &report);
    let damaged = ["steady/yesterday/report.json", "`started_at` is `yesterday`", "damaged"];
    place.run("history steady/yesterday").refused(FAILED, &damaged);
    let history = json(&place.run("history steady --json").stdout);
    let left_out = history["left_out"].to_string();
    assert!(damaged.iter().all(|part| left_out.contains(part)), "{left_out}");
}
