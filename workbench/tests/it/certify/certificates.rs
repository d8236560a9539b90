//! Certificates: their inputs and checksums.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ave_actors_rocksdb::trace::CommandKind;
use ave_actors_store::config::{MachineProfile, MachineSpec};
use ave_workbench::actor::Durability;
use ave_workbench::certify::{Certificate, CertifyInputs, CertifyOutcome, CertifySpec, certificate};
use ave_workbench::host::HostProfile;
use ave_workbench::load::{Source, WarmUp, Writers};
use ave_workbench::report::{Context, Outcome};
use ave_workbench::workload::Workload;
use serde_json::Value;

const TOML: &str = "name = 'w'\ndescription = 'd'\nevent_bytes = { constant = 100 }\nstate_bytes = { constant = 100 }\n\
                    [actors]\ncount = 10\n[persistence]\nmode = 'light'\n[commands]\npersist = 1\n";

fn source(toml: &str, seed: u64) -> Source {
    let mut workload = Workload::parse(toml).unwrap();
    workload.seed = seed;
    Source::Workload(Arc::new(workload))
}

fn spec() -> CertifySpec {
    CertifySpec {
        rate_per_second: 200.0,
        objective: "p99=10ms".parse().unwrap(),
        duration: Duration::from_secs(600),
        slice: Duration::from_secs(10),
        segment: Duration::from_secs(60),
        warmup: WarmUp::NONE,
        durabilities: vec![Durability::On],
        writers: Writers::both(2),
    }
}

fn inputs(source: &Source, path: &Path, spec: &CertifySpec, machine: MachineProfile) -> CertifyInputs {
    CertifyInputs::new(source, path, spec, CommandKind::Persist.into(), &MachineSpec::Profile(machine)).unwrap()
}

fn digest(source: &Source, spec: &CertifySpec) -> String {
    inputs(source, Path::new("none"), spec, MachineProfile::Nano).digest()
}

#[test]
fn every_input_changes_the_digest_and_nothing_else_does() {
    let base = source(TOML, 1);
    let one = digest(&base, &spec());
    assert_eq!((one.len(), &one), (64, &digest(&base, &spec())));
    let same = format!("# a comment\n{}", TOML.replace("count = 10", "count = 1_0 # ten"));
    assert_eq!(one, digest(&source(&same, 1), &spec()), "formatting and comments do not matter");
    let finer = CertifySpec { segment: Duration::from_secs(10), warmup: WarmUp::Fixed(Duration::ZERO), ..spec() };
    assert_eq!(one, digest(&base, &finer), "the length of segments does not matter");

    let both = Durability::BOTH.to_vec();
    let mut digests = vec![
        one,
        digest(&source(TOML, 2), &spec()),
        digest(&source(&TOML.replace("constant = 100", "constant = 101"), 1), &spec()),
        digest(&base, &CertifySpec { rate_per_second: 200.5, ..spec() }),
        digest(&base, &CertifySpec { objective: "p99=11ms".parse().unwrap(), ..spec() }),
        digest(&base, &CertifySpec { objective: "p99.9=10ms".parse().unwrap(), ..spec() }),
        digest(&base, &CertifySpec { duration: Duration::from_secs(601), ..spec() }),
        digest(&base, &CertifySpec { slice: Duration::from_secs(20), ..spec() }),
        digest(&base, &CertifySpec { durabilities: both, ..spec() }),
        digest(&base, &CertifySpec { durabilities: vec![Durability::Off], ..spec() }),
        digest(&base, &CertifySpec { writers: Writers::both(1), ..spec() }),
        inputs(&base, Path::new("none"), &spec(), MachineProfile::Micro).digest(),
    ];
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 12);
}

#[test]
fn a_trace_is_identified_by_the_bytes_of_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/recorded-accounts.trace.csv.zst");
    let read = |path: &Path| {
        let truncation = ave_workbench::trace::Truncation::Refuse;
        let trace = Arc::new(ave_workbench::trace::read(path, truncation).unwrap());
        Source::Trace { trace, seed: 1, passes: None }
    };
    let of = |path: &Path| inputs(&read(path), path, &spec(), MachineProfile::Nano);
    let copy = directory.path().join("part-1.trace.csv.zst");
    fs::copy(&shipped, &copy).unwrap();
    assert_eq!(of(&shipped).digest(), of(&copy).digest());
    assert_eq!(of(&shipped).digest(), of(directory.path()).digest(), "a recording of one part");
    assert!(of(&shipped).are_of(&read(&copy), &copy).unwrap());

    let other = shipped.with_file_name("recorded-ledgers.trace.csv.zst");
    assert!(!of(&shipped).are_of(&read(&other), &other).unwrap());
    assert!(!of(&shipped).are_of(&source(TOML, 1), Path::new("none")).unwrap());
    let gone = directory.path().join("gone");
    assert!(of(&shipped).are_of(&read(&shipped), &gone).unwrap_err().to_string().contains("gone"));
}

/// A certificate without any measurement.
fn empty() -> Certificate {
    let source = source(TOML, 1);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let host = HostProfile::detect(directory);
    let machine_spec = MachineSpec::Profile(MachineProfile::Nano);
    let context = Context {
        started_at: "2026-01-01T12:00:00Z".to_owned(),
        elapsed_seconds: 600.1,
        source: &source,
        origin: "w.toml".to_owned(),
        host: &host,
        host_warnings: &[],
        disk: None,
        tuning: vec![],
        machine_spec: &machine_spec,
        data_directory: directory,
        command: "ave-workbench certify w.toml".to_owned(),
    };
    let outcome = CertifyOutcome { modes: vec![], interruptions: vec![], interrupted: true };
    let inputs = inputs(&source, Path::new("none"), &spec(), MachineProfile::Nano);
    certificate(&context, &spec(), &inputs, &outcome, "2026-01-01T12:10:00Z".to_owned())
}

#[test]
fn a_certificate_without_slices_is_inconclusive() {
    let certificate = empty();
    assert_eq!(certificate.verdict.outcome, Outcome::Inconclusive);
    assert!(certificate.verdict.reasons[0].text.contains("interrupted after 0 of 60 slices"));
}

#[test]
fn the_checksum_reveals_a_change_of_any_field_and_ignores_formatting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("certificate.json");
    let read = |value: &Value| {
        fs::write(&path, value.to_string()).unwrap();
        Certificate::read(&path).unwrap()
    };
    // Figures whose last digit imprecise readers lose.
    let mut certificate = empty();
    certificate.inputs.rate_per_second = 0.1 + 0.2;
    certificate.inputs.duration_seconds = 1.0 / 3.0 * 1e-7;
    let certificate = certificate.with_checksums();
    let value = serde_json::to_value(&certificate).unwrap();
    assert_eq!(read(&value), (certificate.clone(), Ok(())));
    fs::write(&path, serde_json::to_string_pretty(&certificate).unwrap()).unwrap();
    assert_eq!(Certificate::read(&path).unwrap().1, Ok(()));

    let changed = |change: fn(&mut Value)| {
        let mut value = value.clone();
        change(&mut value);
        read(&value).1
    };
    for change in [
        (|value| value["verdict"]["outcome"] = "pass".into()) as fn(&mut Value),
        |value| value["ended_at"] = "2026-01-02T12:10:00Z".into(),
        |value| value["host"]["ram_bytes"] = 1.into(),
        |value| value["inputs"]["rate_per_second"] = 2000.into(),
        |value| value["inputs_sha256"] = "0".into(),
        |value| value["checksum_sha256"] = "0".into(),
    ] {
        assert!(changed(change).is_err());
    }
}

#[test]
fn a_file_that_is_no_certificate_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("certificate.json");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        Certificate::read(&path).unwrap_err().to_string()
    };
    assert!(refused("{\n\"schema_version\": 1,").contains("certificate.json:2:"));
    assert!(refused("{\"schema_version\": 1}").contains("not a certificate"));
    assert!(refused("{\"schema_version\": 2}").contains("layout 2, this build reads 1"));
    fs::remove_file(&path).unwrap();
    assert!(Certificate::read(&path).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/certificate.schema.json");
    let generated = serde_json::to_value(schemars::schema_for!(Certificate)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, format!("{generated:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert!(
        committed == generated,
        "reports/certificate.schema.json is out of date: run the tests with UPDATE_SCHEMA=1"
    );
    let certificate = serde_json::to_value(empty()).unwrap();
    jsonschema::validate(&committed, &certificate).unwrap();
    let mut broken = certificate;
    broken["modes"] = 1.into();
    assert!(!jsonschema::is_valid(&committed, &broken));
}
