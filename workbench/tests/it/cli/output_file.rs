//! `--output FILE`: what is replaced, what is written through, what is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::program::{PASS, Place, SAMPLE, USAGE};

const LOG: &str = "case_id,timestamp,activity\na,2024-01-01T00:00:00Z,x\nb,2024-01-01T00:00:01Z,y\n";

/// The commands that write a file, without the name of that.
const COMMANDS: [&str; 6] = [
    "trace import log.csv --keep-names -o",
    "trace generate tiny.toml --commands 10 -o",
    "trace fit t.csv -o",
    "trace export t.csv -o",
    "host --probe 50ms -o",
    "report SAMPLE -o",
];

/// A place with the inputs of these commands.
fn with_inputs() -> Place {
    let place = Place::new();
    place.write("log.csv", LOG);
    assert_eq!(place.run("trace generate tiny.toml --commands 10 -o t.csv").code, PASS);
    place
}

fn words(command: &str, target: &str) -> String {
    format!("{} {target}", command.replace("SAMPLE", SAMPLE))
}

#[test]
fn an_existing_file_is_replaced_with_force_only() {
    let place = with_inputs();
    for command in COMMANDS {
        place.write("precious", "precious");
        place.run(&words(command, "precious")).refused(USAGE, &["precious", "exists already", "--force"]);
        assert_eq!(fs::read_to_string(place.path("precious")).unwrap(), "precious", "{command}");
        let ended = place.run(&words(command, "precious --force"));
        assert_eq!(ended.code, PASS, "{command}: {}", ended.stderr);
        assert_ne!(fs::read_to_string(place.path("precious")).unwrap(), "precious", "{command}");
        place.run(&words(command, ".")).refused(USAGE, &["is a directory, expected a file"]);
    }
    // The defaults are names as any other.
    place.write("log.trace.csv.zst", "precious");
    place.write("tiny.toml", "precious");
    place.run("trace import log.csv").refused(USAGE, &["log.trace.csv.zst", "--force"]);
    place.run("trace fit t.csv").refused(USAGE, &["tiny.toml", "--force"]);
    assert_eq!(fs::read_to_string(place.path("tiny.toml")).unwrap(), "precious");
    for useless in ["trace export t.csv --force", &format!("report {SAMPLE} --force"), "host --probe 0s --force"] {
        place.run(useless).refused(USAGE, &["--force needs --output"]);
    }
}

#[test]
fn the_input_is_never_replaced_whatever_it_is_called() {
    let place = with_inputs();
    fs::create_dir(place.path("below")).unwrap();
    fs::create_dir(place.path("recording")).unwrap();
    fs::copy(place.path("t.csv"), place.path("recording/t-1.csv")).unwrap();
    fs::create_dir(place.path("sample")).unwrap();
    fs::copy(format!("{SAMPLE}/report.json"), place.path("sample/report.json")).unwrap();
    for (command, input) in [
        ("trace import log.csv", "log.csv"),
        ("trace generate ./tiny.toml", "tiny.toml"),
        ("trace fit t.csv", "t.csv"),
        ("trace export t.csv", "t.csv"),
        ("trace export recording", "recording/t-1.csv"),
        ("report sample", "sample/report.json"),
    ] {
        let before = fs::read(place.path(input)).unwrap();
        let (soft, hard) = (place.path("soft"), place.path("hard"));
        symlink(input, &soft).unwrap();
        fs::hard_link(place.path(input), &hard).unwrap();
        for target in [input, &format!("below/../{input}"), "soft", "hard"] {
            for force in ["", " --force"] {
                let refused = place.run(&format!("{command} -o {target}{force}"));
                refused.refused(USAGE, &[target, "the input itself"]);
            }
        }
        assert_eq!(fs::read(place.path(input)).unwrap(), before, "{command}");
        fs::remove_file(soft).unwrap();
        fs::remove_file(hard).unwrap();
    }
    let mut command = place.command("trace export - -o t.csv --force");
    command.stdin(fs::File::open(place.path("t.csv")).unwrap());
    super::program::Ended::of(command.output().unwrap()).refused(USAGE, &["the input itself"]);
}

#[test]
fn a_pipe_is_written_through() {
    let place = with_inputs();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    for command in COMMANDS {
        let (pipe, file) = (place.path("pipe"), place.path("file"));
        let reader = std::thread::spawn(move || fs::read(pipe).unwrap());
        let ended = place.run(&words(command, "pipe"));
        assert_eq!(ended.code, PASS, "{command}: {}", ended.stderr);
        let through = reader.join().unwrap();
        assert_eq!(place.run(&words(command, "file")).code, PASS, "{command}");
        let written = fs::read(&file).unwrap();
        if command.starts_with("host") {
            assert!(through.starts_with(b"{"));
        } else {
            assert!(!written.is_empty() && through == written, "{command}");
        }
        fs::remove_file(file).unwrap();
        assert_eq!(place.run(&words(command, "/dev/null")).code, PASS, "{command}");
    }
    place.holds_only(&["log.csv", "pipe", "t.csv"]);
}

#[test]
fn a_link_stays_a_link() {
    let place = with_inputs();
    fs::create_dir(place.path("below")).unwrap();
    symlink("below/new", place.path("link")).unwrap();
    for command in COMMANDS {
        for force in ["", " --force"] {
            let ended = place.run(&words(command, &format!("link{force}")));
            assert_eq!(ended.code, PASS, "{command}: {}", ended.stderr);
            assert!(fs::symlink_metadata(place.path("link")).unwrap().is_symlink(), "{command}");
            assert!(fs::metadata(place.path("below/new")).unwrap().len() > 0, "{command}");
        }
        fs::remove_file(place.path("below/new")).unwrap();
        assert_eq!(fs::read_dir(place.path("below")).unwrap().count(), 0, "{command}");
    }
}

#[test]
fn standard_output_gets_the_result_alone() {
    let place = with_inputs();
    for command in COMMANDS.iter().filter(|command| !command.starts_with("host")) {
        let piped = place.run(&words(command, "/dev/stdout"));
        assert_eq!((piped.code, piped.stderr.as_str()), (PASS, ""), "{command}");
        let dash = place.run(&words(command, "-"));
        assert_eq!((dash.code, dash.stdout, dash.stderr), (PASS, piped.stdout.clone(), String::new()), "{command}");
        assert!(!place.path("-").exists(), "{command}");
        let file = place.path("stdout");
        let mut redirected = place.command(&words(command, "/dev/stdout"));
        redirected.stdout(fs::File::create(&file).unwrap());
        assert!(redirected.status().unwrap().success(), "{command}");
        assert_eq!(place.run(&words(command, "named")).code, PASS, "{command}");
        for name in ["stdout", "named"] {
            assert_eq!(fs::read_to_string(place.path(name)).unwrap(), piped.stdout, "{command}: {name}");
            fs::remove_file(place.path(name)).unwrap();
        }
    }
}
