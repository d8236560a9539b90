//! Runs the blocks of a document in a directory, with the programs that a reader has.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ave_workbench::workload::{Workload, shipped};
use tempfile::{TempDir, tempdir};

use super::blocks::{self, Block};
use super::root;

/// Programs of every Debian. Documents may use them and no others.
const TOOLS: &str =
    "awk bash cat cp df du grep head ls mkdir mktemp mv rm sed seq sh sleep tail tar timeout touch tr wc";
/// May be missing; its input is discarded then.
const JQ: &str = "jq";

/// Commands of other systems, with the shell script that replaces each.
pub(crate) const NOT_RUN: [(&str, &str); 5] = [
    ("docker", ":"),
    ("make", ":"),
    // Creates the recordings of the repository.
    (
        "cargo",
        r#"if [[ "$*" == *record_actor_system* ]]; then mkdir -p bank/recordings; for name in accounts ledgers; do
             cp workloads/recorded-$name.trace.csv.zst bank/recordings/recorded-$name-00001.trace.csv.zst; done; fi"#,
    ),
    // A pod's report is the report of the document's plan, with another start time and as if it had not been stopped.
    (
        "kubectl",
        r#"[[ $1 != apply ]] || cat >/dev/null
           [[ $1 != get ]] || echo pod Running
           if [[ $1 == cp ]]; then mkdir -p "$3"; cp -r reports/* "$3"; year=$((2000 + $(ls fleet | wc -l)))
             sed -i "s/\"started_at\": \"20../\"started_at\": \"$year/; s/\"kind\": \"interrupted\"/\"kind\": \"doubt\"/" \
               "$3"/*/report.json; fi"#,
    ),
    ("docs/validate.py", ":"),
];

/// Languages of blocks that are not run.
const OTHER_LANGUAGES: [&str; 4] = ["text", "python", "sql", "csv"];

/// Commands of a document.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Commands of [`NOT_RUN`] that were called, in order.
    pub(crate) not_run: Vec<String>,
    /// Commands of the workbench: exit code, tab, command as in the document.
    pub(crate) run: Vec<String>,
}

/// A working directory, and the programs in `PATH`.
pub(crate) struct Reader {
    work: TempDir,
    tools: TempDir,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Reader {
    /// Starts with an empty directory.
    pub(crate) fn new() -> Self {
        let reader = Self { work: tempdir().unwrap(), tools: tempdir().unwrap(), variables: Vec::new() };
        fs::create_dir(reader.bin()).unwrap();
        fs::create_dir(reader.tools.path().join("workloads")).unwrap();
        executable(&reader.bin().join("ave-workbench"), include_str!("ave-workbench.sh"));
        for tool in TOOLS.split(' ') {
            let place = found_in_path(tool).unwrap_or_else(|| panic!("{tool} is not installed"));
            symlink(place, reader.bin().join(tool)).unwrap();
        }
        match found_in_path(JQ) {
            Some(place) => symlink(place, reader.bin().join(JQ)).unwrap(),
            None => executable(&reader.bin().join(JQ), "#!/bin/bash\nexec cat >/dev/null\n"),
        }
        for (name, _) in NOT_RUN.iter().filter(|(name, _)| !name.contains('/')) {
            Self::write_substitute(name, &reader.bin().join(name));
        }
        for workload in shipped() {
            let lines = workload.text.lines().map(less_preload).collect::<Vec<_>>().join("\n");
            fs::write(reader.tools.path().join(format!("workloads/{}.toml", workload.name)), lines).unwrap();
        }
        reader
    }

    /// A place in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn bin(&self) -> PathBuf {
        self.tools.path().join("bin")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.tools.path().join(name)
    }

    /// Copies the files of a directory of the repository.
    pub(crate) fn copy_files_of(&self, directory: &str) {
        fs::create_dir_all(self.path(directory)).unwrap();
        for entry in fs::read_dir(root().join(directory)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), self.path(directory).join(entry.file_name())).unwrap();
            }
        }
    }

    /// Adds a program of [`NOT_RUN`] that is called by its path.
    pub(crate) fn add_substitute(&self, name: &str) {
        let place = self.path(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        Self::write_substitute(name, &place);
    }

    /// Adds a build of the workbench in this directory, with two rounds instead of ten and without kills. An inconclusive run
    /// is accepted.
    pub(crate) fn add_build(&self, name: &str) {
        fs::create_dir(self.path(name)).unwrap();
        let run = r#""$WORKBENCH" "${@/#10/2}" --kills 0 --quiet --anyway || [[ $? == 3 ]]"#;
        executable(&self.path(name).join("ave-workbench"), &format!("#!/bin/bash\nset -euo pipefail\n{run}\n"));
    }

    /// Sets a shell variable.
    pub(crate) fn set_variable(&mut self, variable: &'static str, path: &Path) {
        self.variables.push((variable, path.to_owned()));
    }

    fn write_substitute(name: &str, place: &Path) {
        let instead = NOT_RUN.iter().find(|(listed, _)| *listed == name).expect("it is listed").1;
        let script = format!("#!/bin/bash\nset -euo pipefail\necho {name} >>\"$NOT_RUN_LOG\"\n{instead}\n");
        executable(place, &script);
    }

    /// Runs all blocks of a document in order; an error names document and line.
    pub(crate) fn follow(&self, document: &str, text: &str) -> Result<Followed, String> {
        for block in blocks::of(text) {
            let place = format!("{document}:{}", block.line);
            if !block.is_closed {
                return Err(format!("{place}: the block has no end"));
            }
            self.block(document, &block).map_err(|reason| format!("{place}: {reason}\n{}", block.code))?;
        }
        let logged = |name: &str| {
            let log = fs::read_to_string(self.log(name)).unwrap_or_default();
            log.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        Ok(Followed { not_run: logged("not-run"), run: logged("run") })
    }

    fn block(&self, document: &str, block: &Block) -> Result<(), String> {
        match block.language.as_str() {
            "sh" => self.shell(&block.code),
            "toml" => check_toml(&block.code),
            "json" => serde_json::from_str::<serde_json::Value>(&block.code)
                .map(drop)
                .map_err(|error| format!("no JSON: {error}")),
            "rust" if is_doctest(document) => Ok(()),
            "rust" => Err("no doctest: name the document in `src/lib.rs`".to_owned()),
            other if OTHER_LANGUAGES.contains(&other) => Ok(()),
            other => Err(format!("a block in `{other}`: say how it is to be tested")),
        }
    }

    fn shell(&self, code: &str) -> Result<(), String> {
        let Output { status, stdout, stderr } = Command::new("bash")
            .args(["-euo", "pipefail", "-c", code])
            .current_dir(self.work.path())
            .env("PATH", self.bin())
            .env("WORKBENCH", env!("CARGO_BIN_EXE_ave-workbench"))
            .env("SHORT_WORKLOADS", self.tools.path().join("workloads"))
            .env("RUN_LOG", self.log("run"))
            .env("NOT_RUN_LOG", self.log("not-run"))
            .envs(self.variables.iter().map(|(name, path)| (*name, path)))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if status.success() {
            return Ok(());
        }
        let printed = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let code = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
        Err(format!("{code}\n{}{}", printed[0], printed[1]))
    }
}

/// TOML with a table `commands` must be a valid workload.
fn check_toml(code: &str) -> Result<(), String> {
    let table: toml::Table = code.parse().map_err(|error| format!("no TOML: {error}"))?;
    if !table.contains_key("commands") {
        return Ok(());
    }
    Workload::parse(code).map(drop).map_err(|error| error.to_string())
}

fn less_preload(line: &str) -> &str {
    if line.starts_with("preload = ") { "preload = { events_per_actor = 1 }" } else { line }
}

/// Whether the library runs the Rust blocks of a document as doctests.
fn is_doctest(document: &str) -> bool {
    fs::read_to_string(root().join("src/lib.rs")).unwrap().contains(&format!("include_str!(\"../{document}\")"))
}

fn executable(place: &Path, script: &str) {
    fs::write(place, script).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
}

fn found_in_path(name: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|place| place.is_file())
}
