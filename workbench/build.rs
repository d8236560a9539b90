//! Passes the commit of the sources to the program, which reports carry (`src/report/build.rs`).

#![allow(clippy::print_stdout, reason = "what a build script prints are its instructions to Cargo")]

use std::path::Path;
use std::process::Command;

/// Variable with the commit of a build without git, as in a container.
const GIVEN: &str = "AVE_BUILD_COMMIT";
/// Ends a commit whose sources had changes.
const DIRTY: &str = "-dirty";
/// What the program is compiled from: a change of any of these ends in another build. Cargo runs this script again then, and
/// when the commit changes.
const SOURCES: [&str; 10] = [
    "build.rs",
    "Cargo.toml",
    "src",
    "../assets",
    "../Cargo.lock",
    "../Cargo.toml",
    "../.cargo",
    "../machines",
    "../src",
    "../workloads",
];

fn main() {
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let given = std::env::var(GIVEN).unwrap_or_default();
    let commit = match given.as_str() {
        "" => commit_by_git(),
        given if is_commit(given) => Some(given.to_owned()),
        _ => {
            println!(
                "cargo::error={GIVEN} is `{given}`, expected 7 to 64 hexadecimal digits of a commit, and {DIRTY} if it had changes"
            );
            None
        }
    };
    if let Some(commit) = commit {
        println!("cargo::rustc-env=AVE_WORKBENCH_COMMIT={commit}");
    }
}

fn is_commit(text: &str) -> bool {
    let digits = text.strip_suffix(DIRTY).unwrap_or(text);
    (7..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `None` outside of a repository, or without git.
fn commit_by_git() -> Option<String> {
    // A package may lie in another repository, such as that of a home directory.
    git(["ls-files", "--error-unmatch", "Cargo.toml"])?;
    let branch = git(["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        watch(&git(["rev-parse", "--git-path", name])?);
    }
    SOURCES.into_iter().for_each(watch);
    let commit = git(["rev-parse", "HEAD"])?;
    let changes = git(["--no-optional-locks", "status", "--porcelain", "--"].into_iter().chain(SOURCES))?;
    Some(if changes.is_empty() { commit } else { format!("{commit}{DIRTY}") })
}

/// Cargo would run the script each time for a file that does not exist.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn git<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
