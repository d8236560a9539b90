//! `report`: renders and opens reports.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::program::{FAILED, PASS, Place, SAMPLE, SHORT, USAGE, json, run_with};

#[test]
fn a_report_renders_again_as_it_was() {
    let place = Place::new();
    let ended = place.run(SHORT);
    place.ended_with(&ended, PASS);
    let report = place.reports().remove(0);
    let file_text = |name: &str| fs::read_to_string(report.join(name)).unwrap();
    let (directory, file) = (report.display(), report.join("report.json"));
    assert_eq!(place.run(&format!("report {directory}")).stdout, file_text("report.html"));
    assert_eq!(place.run(&format!("report {} --format markdown", file.display())).stdout, file_text("report.md"));
    for words in [format!("report {directory} --format json"), format!("report {directory} --json")] {
        assert_eq!(json(&place.run(&words).stdout), json(&file_text("report.json")));
    }

    place.run("report nowhere").refused(FAILED, &["no report at nowhere"]);
    place.write("none.json", "{\"schema_version\": 1}");
    place.run("report none.json").refused(FAILED, &["none.json:1:", "not a report", "missing field"]);
}

#[test]
fn the_sample_report_is_rendered() {
    let place = Place::new();
    let page = place.run(&format!("report {SAMPLE}"));
    assert!(page.code == PASS && page.stdout.starts_with("<!") && page.stdout.contains("nano"), "{}", page.stderr);
    let text = place.run(&format!("report {SAMPLE}/report.json --format markdown"));
    assert!(text.stdout.starts_with('#') && text.stdout.contains("nano"), "{}", text.stdout);
    let printed = place.run(&format!("report {SAMPLE} --format json"));
    assert_eq!(json(&printed.stdout)["name"], "ledger");

    let written = place.run(&format!("report {SAMPLE} --output page.html"));
    assert_eq!(written.stdout, "Report: page.html\n");
    assert_eq!(fs::read_to_string(place.path("page.html")).unwrap(), page.stdout);
    assert_eq!(place.run(&format!("report {SAMPLE} -o page.html --force --quiet")).stdout, "");
}

/// A browser that writes its argument to a file.
fn browser(place: &Place) -> String {
    place.write("browser", "#!/bin/sh\nprintf %s \"$1\" > shown.part && mv shown.part shown\n");
    fs::set_permissions(place.path("browser"), fs::Permissions::from_mode(0o755)).unwrap();
    place.path("browser").display().to_string()
}

/// The argument of the browser, which runs in the background.
fn shown(place: &Place) -> String {
    let found = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        fs::read_to_string(place.path("shown")).ok()
    });
    found.expect("the browser was started")
}

#[test]
fn open_renders_the_page_again_and_shows_it() {
    let place = Place::new();
    fs::create_dir(place.path("old")).unwrap();
    fs::copy(format!("{SAMPLE}/report.json"), place.path("old/report.json")).unwrap();
    let ended = run_with(&place, "report old --open", &[("BROWSER", &browser(&place))]);
    assert_eq!((ended.code, ended.stdout.as_str()), (PASS, "Report: old/report.html\n"), "{}", ended.stderr);
    let page = place.path("old/report.html").canonicalize().unwrap();
    assert_eq!(shown(&place), page.display().to_string());
    assert!(fs::read_to_string(page).unwrap().contains("nano"));

    run_with(&place, "report old --open --format markdown", &[]).refused(USAGE, &["--open", "html"]);
}

#[test]
fn the_second_browser_is_taken_if_the_first_is_not_there() {
    let place = Place::new();
    let browsers = format!("/nonesuch/browser:{}", browser(&place));
    let ended = run_with(&place, &format!("report {SAMPLE} -o page.html --open"), &[("BROWSER", &browsers)]);
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    assert!(shown(&place).ends_with("/page.html"));
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_the_page_is_written_and_its_path_printed() {
    let place = Place::new();
    let ended = run_with(&place, &format!("report {SAMPLE} -o page.html --open"), &[]);
    assert_eq!(ended.code, FAILED);
    assert!(ended.stderr.contains("page.html") && ended.stderr.contains("no display"), "{}", ended.stderr);
    assert!(place.path("page.html").is_file());

    // The exit code of a run does not depend on the browser.
    let ended = run_with(&place, &format!("{SHORT} --open"), &[]);
    place.ended_with(&ended, PASS);
    assert!(ended.stdout.contains("Report: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("report.html") && ended.stderr.contains("no display"), "{}", ended.stderr);
}
