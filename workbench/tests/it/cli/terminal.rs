//! Terminals: colour, bars, width; progress elsewhere.

use std::process::{Command, Stdio};

use super::program::{INCONCLUSIVE, PASS, Place, SHORT, on_a_busy_host, on_any_machine, run_with};

/// Begins an escape sequence.
const ESCAPE: char = '\u{1b}';

/// Standard output and standard error on a terminal of 80 columns, by default an `xterm`.
fn on_terminal(place: &Place, words: &str, variables: &[(&str, &str)]) -> String {
    let words = on_a_busy_host(words).join(" ");
    let line = format!("stty cols 80 rows 24; exec {} {words}", env!("CARGO_BIN_EXE_ave-workbench"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.path("")).stdin(Stdio::null());
    let ended = on_any_machine(&mut command).env("TERM", "xterm").envs(variables.iter().copied()).output().unwrap();
    let shown = String::from_utf8(ended.stdout).unwrap();
    // A busy host makes measurements inconclusive; what is printed does not depend on it.
    assert!(matches!(ended.status.code(), Some(PASS | INCONCLUSIVE)), "{words}: {}: {shown}", ended.status);
    shown
}

#[test]
fn environment_variables_force_and_disable_colour() {
    let place = Place::new();
    for (variables, coloured) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        // An empty variable has no effect: no-color.org.
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
    ] {
        let refused = run_with(&place, "run nonesuch", variables);
        assert_eq!(refused.stderr.contains(ESCAPE), coloured, "{variables:?}: {}", refused.stderr);
        let ran = run_with(&place, SHORT, variables);
        assert_eq!(ran.stdout.contains(ESCAPE), coloured, "{variables:?}: {}{}", ran.stdout, ran.stderr);
        let json = run_with(&place, "workloads ledger --json", variables);
        assert!(!json.stdout.contains(ESCAPE), "{variables:?}: {}", json.stdout);
    }
}

#[test]
fn a_terminal_shows_a_bar_until_the_end_and_a_dumb_one_shows_lines() {
    let place = Place::new();
    let words = SHORT.replace("--warmup 0s", "--warmup 500ms");
    let shown = on_terminal(&place, &words, &[]);
    assert!(shown.contains("durability off: measuring") && shown.contains('░'), "{shown}");
    let result = shown.rsplit(ESCAPE).find(|part| part.contains("Report: ")).unwrap();
    assert!(!result.contains("measuring"), "{result}");

    // Variables of continuous integration enable colour on other terminals.
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
        // Paths are not wrapped.
        assert!(long.iter().all(|line| line.contains('/')), "{words}: {long:#?}");
    }
}

#[test]
fn without_a_terminal_progress_is_lines_that_name_the_round() {
    let place = Place::new();
    let ended = place.run(&SHORT.replace("--rounds 1", "--rounds 2"));
    for part in ["durability off: measuring, round 1 of 2 for 200 ms\n", "durability off: measuring, round 2 of 2"] {
        assert!(ended.stderr.contains(part), "`{part}` is missing: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains(['\r', ESCAPE]), "{}", ended.stderr);
}
