//! What the binary prints where: colour and bars on a terminal, plain lines elsewhere, JSON alone for programs; and what
//! goes with a command line: completions, manual pages, a browser.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::cli::{Ended, FAILED, INCONCLUSIVE, PASS, Place, SHORT, USAGE, json, on_any_machine};

/// What begins a colour.
const ESCAPE: char = '\u{1b}';
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/sample");

/// Ends as it does with these variables of the environment and no others that matter here.
fn run_with(place: &Place, words: &str, variables: &[(&str, &str)]) -> Ended {
    Ended::of(place.command(words).envs(variables.iter().copied()).output().unwrap())
}

/// What it prints on a terminal, standard output and standard error together; an `xterm` unless `variables` say otherwise.
fn on_terminal(place: &Place, words: &str, variables: &[(&str, &str)]) -> String {
    let line = format!("stty cols 80 rows 24; exec {} {words}", env!("CARGO_BIN_EXE_ave-workbench"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.path("")).stdin(Stdio::null());
    let ended = on_any_machine(&mut command).env("TERM", "xterm").envs(variables.iter().copied()).output().unwrap();
    let shown = String::from_utf8(ended.stdout).unwrap();
    // Beside other tests a measurement may stay inconclusive.
    assert!(matches!(ended.status.code(), Some(PASS | INCONCLUSIVE)), "{words}: {}: {shown}", ended.status);
    shown
}

#[test]
fn colour_is_for_terminals_and_for_those_who_force_it_unless_it_is_not_wanted() {
    let place = Place::new();
    for (variables, coloured) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        // An empty variable is none: no-color.org.
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
    ] {
        let refused = run_with(&place, "run nonesuch", variables);
        assert_eq!(refused.stderr.contains(ESCAPE), coloured, "{variables:?}: {}", refused.stderr);
        // Long enough for a machine that has much else to do.
        let ran = run_with(&place, &SHORT.replace("200ms", "1s"), variables);
        assert_eq!(ran.stdout.contains(ESCAPE), coloured, "{variables:?}: {}{}", ran.stdout, ran.stderr);
        let told = run_with(&place, "workloads ledger --json", variables);
        assert!(!told.stdout.contains(ESCAPE), "{variables:?}: {}", told.stdout);
    }
}

#[test]
fn a_terminal_shows_a_bar_that_is_gone_in_the_end_and_a_dumb_one_lines() {
    let place = Place::new();
    let words = SHORT.replace("--warmup 0s", "--warmup 500ms");
    let shown = on_terminal(&place, &words, &[]);
    assert!(shown.contains("durability off: measuring") && shown.contains('░'), "{shown}");
    let result = shown.rsplit(ESCAPE).find(|part| part.contains("Report: ")).unwrap();
    assert!(!result.contains("measuring"), "{result}");

    // Machines for continuous integration say that they are some, which turns colour on elsewhere.
    for variables in [&[("TERM", "dumb")][..], &[("TERM", "dumb"), ("CI", "true"), ("CLICOLOR", "1")]] {
        let plain = on_terminal(&place, &words, variables);
        assert!(plain.contains("durability off: measuring for 200 ms"), "{plain}");
        assert!(!plain.contains(ESCAPE) && !plain.contains('░'), "{plain}");
    }
    let forced = on_terminal(&place, "run --help", &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains(ESCAPE), "{forced}");

    let no_colour = on_terminal(&place, "run --help", &[("NO_COLOR", "1")]);
    assert!(no_colour.contains("Usage:") && !no_colour.contains(ESCAPE), "{no_colour}");
}

#[test]
fn results_fit_a_terminal_of_eighty_columns() {
    let place = Place::new();
    for words in ["host --probe 0s", "workloads", SHORT] {
        let shown = on_terminal(&place, words, &[("TERM", "dumb")]);
        let long: Vec<_> = shown.lines().filter(|line| line.trim_end().chars().count() > 80).collect();
        // A path is not broken, whatever its length.
        assert!(long.iter().all(|line| line.contains('/')), "{words}: {long:#?}");
    }
}

#[test]
fn elsewhere_progress_is_lines_that_name_the_round() {
    let place = Place::new();
    let ended = place.run(&SHORT.replace("--rounds 1", "--rounds 2"));
    for part in ["durability off: measuring, round 1 of 2 for 200 ms\n", "durability off: measuring, round 2 of 2"] {
        assert!(ended.stderr.contains(part), "`{part}` is missing: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains(['\r', ESCAPE]), "{}", ended.stderr);
}

#[test]
fn json_stands_alone_on_standard_output_whatever_the_command() {
    let place = Place::new();
    place.write("log.csv", "case,timestamp\n1,2024-01-01T10:00:00Z\n2,2024-01-01T10:00:01Z\n1,2024-01-01T10:00:02Z\n");
    for words in [
        "host --probe 0s",
        "workloads",
        "workloads ledger",
        "trace import log.csv",
        "trace info log.trace.csv.zst",
        "trace fit log.trace.csv.zst",
        "trace export log.trace.csv.zst -o commands.csv",
        "trace generate tiny.toml -o tiny.trace.csv --commands 10",
        "completions bash",
        "man",
        "man pages",
        SHORT,
        &format!("report {SAMPLE}"),
        &format!("report {SAMPLE} -o page.html"),
    ] {
        let ended = place.run(&format!("{words} --json"));
        assert!(!ended.stdout.is_empty(), "{words}: {}", ended.stderr);
        assert!(json(&ended.stdout).is_object() || json(&ended.stdout).is_array(), "{words}");
    }
}

#[test]
fn an_error_leaves_standard_output_empty_and_says_why_on_standard_error() {
    let place = Place::new();
    place.write("broken.json", "{}");
    for (words, code, why) in [
        ("run nonesuch", USAGE, "nonesuch"),
        ("run tiny.toml --slo p99", USAGE, "p99"),
        ("plan ledger --target 0 --slo p99=10ms", USAGE, "target"),
        ("certify --check nonesuch.json", FAILED, "nonesuch.json"),
        ("trace info nonesuch.csv", FAILED, "nonesuch.csv"),
        ("trace import nonesuch.csv", FAILED, "nonesuch.csv"),
        ("report nonesuch", FAILED, "nonesuch"),
        ("report broken.json", FAILED, "broken.json"),
        ("report merge nonesuch", FAILED, "nonesuch"),
        ("workloads nonesuch", USAGE, "nonesuch"),
        ("host --data-dir nonesuch", FAILED, "nonesuch"),
        ("man broken.json", FAILED, "broken.json"),
    ] {
        for verbosity in ["", " --json", " --quiet"] {
            place.run(&format!("{words}{verbosity}")).refused(code, &["error: ", why]);
        }
    }
}

#[test]
fn a_report_of_an_older_build_is_rendered_again() {
    let place = Place::new();
    let page = place.run(&format!("report {SAMPLE}"));
    assert!(page.code == PASS && page.stdout.starts_with("<!") && page.stdout.contains("nano"), "{}", page.stderr);
    let text = place.run(&format!("report {SAMPLE}/report.json --format markdown"));
    assert!(text.stdout.starts_with('#') && text.stdout.contains("nano"), "{}", text.stdout);
    let told = place.run(&format!("report {SAMPLE} --format json"));
    assert_eq!(json(&told.stdout)["name"], "ledger");

    let written = place.run(&format!("report {SAMPLE} --output page.html"));
    assert_eq!(written.stdout, "Report: page.html\n");
    assert_eq!(fs::read_to_string(place.path("page.html")).unwrap(), page.stdout);
    assert_eq!(place.run(&format!("report {SAMPLE} -o page.html --quiet")).stdout, "");
}

/// A browser that writes down what it is asked to show.
fn browser(place: &Place) -> String {
    place.write("browser", "#!/bin/sh\nprintf %s \"$1\" > shown.part && mv shown.part shown\n");
    fs::set_permissions(place.path("browser"), fs::Permissions::from_mode(0o755)).unwrap();
    place.path("browser").display().to_string()
}

/// What the browser was asked to show. It is not waited for, so that takes a moment.
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
fn without_a_display_the_page_is_written_and_its_path_told() {
    let place = Place::new();
    let ended = run_with(&place, &format!("report {SAMPLE} -o page.html --open"), &[]);
    assert_eq!(ended.code, FAILED);
    assert!(ended.stderr.contains("page.html") && ended.stderr.contains("no display"), "{}", ended.stderr);
    assert!(place.path("page.html").is_file());

    // What a run found does not depend on who looks at it.
    let ended = run_with(&place, &format!("{SHORT} --open"), &[]);
    assert!(ended.code != FAILED && ended.stdout.contains("Report: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("report.html") && ended.stderr.contains("no display"), "{}", ended.stderr);
}

/// Whether a program that not every machine has is there; says so if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("{program} is not installed: what needs it was not looked at");
    }
    found
}

#[test]
fn manual_pages_are_there_for_every_command_and_groff_has_nothing_to_say() {
    let place = Place::new();
    let ended = place.run("man pages");
    assert_eq!(ended.code, PASS, "{}", ended.stderr);
    let pages: Vec<_> = fs::read_dir(place.path("pages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 12, "{pages:?}");
    assert_eq!(place.run("man").stdout, fs::read_to_string(place.path("pages/ave-workbench.1")).unwrap());
    if !has("groff") {
        return;
    }
    for page in pages {
        let output = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&page).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}

#[test]
fn bash_completes_what_the_script_says() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = place.run(&format!("completions {shell}"));
        assert!(ended.code == PASS && ended.stdout.contains("certify"), "{shell}");
        place.write(shell, ended.stdout);
    }
    if !has("bash") {
        return;
    }
    let asked = "source ./bash; complete -p ave-workbench; COMP_WORDS=(ave-workbench cert); COMP_CWORD=1; \
                 _ave__workbench ave-workbench cert ave-workbench; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", asked]).current_dir(place.path("")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("complete ") && said.trim_end().ends_with("certify"), "{said}");
}
