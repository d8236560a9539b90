//! Container image, Kubernetes Job and inventory of a fleet, checked without building or running them. `deploy/ansible/test.sh`
//! runs the fleet.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

use crate::support::skip::skipped;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn manifest(name: &str) -> toml::Table {
    read(name).parse().unwrap()
}

/// The Dockerfile's instructions, continued lines joined, comments left out.
fn instructions() -> Vec<String> {
    let text: Vec<String> =
        read("Dockerfile").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let joined = text.join("\n").replace("\\\n", " ");
    joined
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

/// The files and directories copied from the repository.
fn copied() -> Vec<String> {
    let copies = instructions().into_iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from"));
    copies
        .flat_map(|line| {
            let words: Vec<String> = line.split(' ').skip(1).map(str::to_owned).collect();
            words[..words.len() - 1].to_vec()
        })
        .collect()
}

#[test]
fn copied_files_exist_and_are_sent_to_the_builder() {
    let ignore = read(".dockerignore");
    let ignored: Vec<&str> = ignore.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(ignored[0], "*", "files are left out by default");
    let copied = copied();
    assert!(copied.len() > 8, "{copied:?}");
    for source in &copied {
        assert!(root().join(source).exists(), "COPY {source}");
        assert!(ignored.contains(&format!("!{source}").as_str()), ".dockerignore leaves out {source}");
    }
    let let_in = ignored.iter().filter_map(|line| line.strip_prefix('!'));
    for name in let_in {
        assert!(copied.iter().any(|source| source == name), "{name} is sent to the builder and not copied");
    }
}

/// Rust sources below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn included_files_and_targets_of_the_manifests_are_copied() {
    let copied = copied();
    let is_copied = |path: &Path| copied.iter().any(|source| path.starts_with(root().join(source)));
    let mut included = 0;
    for source in [sources(&root().join("src")), sources(&root().join("workbench/src"))].concat() {
        let text = fs::read_to_string(&source).unwrap();
        for part in text.split("include_str!(\"").skip(1) {
            let path = source.parent().unwrap().join(part.split('"').next().unwrap());
            let path = fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(is_copied(&path), "{} includes {}", source.display(), path.display());
            included += 1;
        }
    }
    assert!(included > 5, "only {included} were found");
    let library = manifest("Cargo.toml");
    for (kind, directory) in [("bench", "benches"), ("example", "examples"), ("test", "tests")] {
        assert!(library.contains_key(kind) && is_copied(&root().join(directory)), "{kind} is in the manifest");
    }
    for member in library["workspace"]["members"].as_array().unwrap() {
        assert!(is_copied(&root().join(member.as_str().unwrap()).join("src")), "{member}");
    }
}

#[test]
fn the_image_builds_the_binary_of_the_workbench() {
    let manifest = manifest("workbench/Cargo.toml");
    let (package, binary) =
        (manifest["package"]["name"].as_str().unwrap(), manifest["bin"][0]["name"].as_str().unwrap());
    let lines = instructions();
    let build = lines.iter().find(|line| line.contains("cargo build")).unwrap();
    for part in ["--release", "--locked", &format!("-p {package}"), &format!("target/release/{binary}")] {
        assert!(build.contains(part), "{part} is missing: {build}");
    }
    let copy = format!("COPY --from=build /out/{binary} /usr/local/bin/{binary}");
    assert!(lines.contains(&copy), "{lines:#?}");
    assert!(lines.contains(&format!("ENTRYPOINT [\"{binary}\"]")));
}

/// `1.90` and `1.95.0` as numbers.
fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

#[test]
fn base_images_are_pinned_and_new_enough() {
    let lines = instructions();
    let from: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("FROM ")).collect();
    let [build, run] = from[..] else { panic!("two stages: {from:?}") };
    let rust = build.strip_prefix("rust:").unwrap().strip_suffix("-slim-bookworm AS build").unwrap();
    let needed = manifest("Cargo.toml")["workspace"]["package"]["rust-version"].as_str().unwrap().to_owned();
    assert!(version(rust).len() == 3 && version(rust) >= version(&needed), "{rust}, needed {needed}");
    // Bookworm is Debian 12: the libraries that were linked are the ones it runs with.
    let debian = run.strip_prefix("debian:").unwrap().strip_suffix("-slim").unwrap();
    assert!(version(debian).len() == 2 && version(debian)[0] == 12, "{debian}");
}

#[test]
fn container_and_job_name_the_same_user() {
    let lines = instructions();
    let user = lines.iter().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let (user, group) = user.split_once(':').unwrap();
    assert!(user != "0" && group != "0");
    let job = read("deploy/plan-job.yaml");
    for field in [
        format!("runAsUser: {user}\n"),
        format!("runAsGroup: {group}\n"),
        format!("fsGroup: {group}\n"),
        "runAsNonRoot: true\n".to_owned(),
    ] {
        assert!(job.contains(&field), "{field} is missing");
    }
    let volumes = lines.iter().find_map(|line| line.strip_prefix("VOLUME ")).unwrap();
    let volumes: Vec<String> = serde_json::from_str(volumes).unwrap();
    assert_eq!(volumes, ["/data", "/reports"]);
    for volume in volumes {
        assert!(job.contains(&format!("mountPath: {volume}}}")), "{volume}");
    }
}

#[test]
fn the_job_has_guaranteed_resources_one_attempt_and_this_version() {
    let job = read("deploy/plan-job.yaml");
    let of = |field: &str| -> &str { job.lines().find_map(|line| line.trim().strip_prefix(field)).unwrap() };
    assert_eq!(of("requests: "), of("limits: "), "the first of each are the container's");
    for field in ["backoffLimit: 0", "restartPolicy: Never", "instance-type: NODE_TYPE", "name: plan-NODE-NAME"] {
        assert!(job.contains(field), "{field} is missing");
    }
    let image = format!("ave-workbench:{}", env!("CARGO_PKG_VERSION"));
    let manual = read("docs/fleet.md");
    assert!(job.contains(&image) && manual.contains(&image), "{image}");
    for word in ["NODE-NAME", "NODE_TYPE", "deploy/plan-job.yaml", "deploy/fetch-plans"] {
        assert!(manual.contains(word), "{word}");
    }
    assert!(job.contains("/reports/waiting") && read("deploy/fetch-plans").contains("/reports/waiting"));
    assert!(!job.contains('\t'), "YAML takes no tabs");
}

/// Fetches from a cluster whose `kubectl` answers with these shell commands; returns success and standard error.
fn fetch_plans(kubectl: &str) -> (bool, String) {
    let directory = tempdir().unwrap();
    let program = directory.path().join("kubectl");
    fs::write(&program, format!("#!/bin/bash\ncase $1-$2 in\n{kubectl}\nesac\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let ended = Command::new(root().join("deploy/fetch-plans"))
        .args(["m6i.large", "m7i.large"])
        .env("PATH", format!("{}:{path}", directory.path().display()))
        .envs([("FETCH_POLL_SECONDS", "0"), ("FETCH_PENDING_SECONDS", "0")])
        .output()
        .unwrap();
    (ended.status.success(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn reports_of_jobs_are_fetched_or_it_is_explained_why_not() {
    let fetched = r#"get-pods) echo "pod Running" ;;"#;
    assert_eq!(fetch_plans(fetched), (true, String::new()));
    for (kubectl, part) in [
        (r#"get-pods) echo "pod-1 Succeeded" ;;"#, "m6i.large: pod pod-1 ended and its reports are lost"),
        (r#"get-pods) echo "pod-1 Failed" ;;"#, "kubectl logs pod-1 has the result"),
        (r#"get-job) echo "jobs plan-m6i-large not found" >&2; exit 1 ;;"#, "no pod: jobs plan-m6i-large not found."),
        (r#"get-job) echo "active longer than specified deadline" ;;"#, "no pod: active longer"),
        (r#"get-pods) echo "pod-1 Pending" ;;"#, "see kubectl describe pods -l job-name=plan-m6i-large"),
        ("get-job) ;;", "Job plan-m6i-large waited"),
        ("get-pods) echo pod-1 Running ;;\ncp-*) exit 1 ;;", "kubectl cp failed; the reports wait"),
    ] {
        let (succeeded, error) = fetch_plans(kubectl);
        assert!(!succeeded && error.contains(part), "{part} is missing: {error}");
        assert!(error.contains("m7i.large: "), "the others are fetched: {error}");
    }
}

/// `.ci/run` installs the program, whose schemas are too large for the repository.
#[test]
fn the_job_is_valid_by_the_schema_of_kubernetes() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("job.yaml");
    let job = read("deploy/plan-job.yaml").replace("NODE-NAME", "m6i-large").replace("NODE_TYPE", "m6i.large");
    fs::write(&file, &job).unwrap();
    let validate = || Command::new("kubernetes-validate").arg("--strict").arg(&file).output();
    let Ok(valid) = validate() else {
        return skipped(the_job_is_valid_by_the_schema_of_kubernetes, "kubernetes-validate is not installed");
    };
    assert!(valid.status.success(), "{}", String::from_utf8_lossy(&valid.stderr));
    fs::write(&file, job.replace("backoffLimit", "backofLimit")).unwrap();
    assert!(!validate().unwrap().status.success(), "an unknown field is found");
}

#[test]
fn the_example_inventory_asks_a_valid_question_and_sets_known_variables() {
    let inventory = read("deploy/ansible/hosts.ini");
    let play = read("deploy/ansible/fleet.yml") + &read("deploy/ansible/wait.yml") + &read("docs/fleet.md");
    let set: Vec<&str> = inventory
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name)
        .collect();
    for name in set.iter().filter(|name| name.starts_with("fleet_")) {
        assert!(play.contains(name), "{name} is not read");
    }
    assert!(set.contains(&"fleet_command") && set.contains(&"fleet_dir"), "{set:?}");
    let question = inventory.lines().find_map(|line| line.strip_prefix("fleet_command=")).unwrap();
    assert!(question.starts_with("plan ledger --target "), "{question}");
}
