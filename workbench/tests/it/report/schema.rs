//! `reports/schema.json` is the contract of `report.json`, `reports/disk.schema.json` that of a disk profile.

use std::fs;
use std::path::PathBuf;

use ave_workbench::report::{DiskFile, Report};
use serde_json::Value;

use crate::support::sample;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../reports/schema.json")
}

fn committed() -> Value {
    serde_json::from_str(&fs::read_to_string(path()).unwrap()).unwrap()
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let generated = serde_json::to_value(schemars::schema_for!(Report)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(path(), format!("{generated:#}\n")).unwrap();
    }
    assert!(committed() == generated, "reports/schema.json is out of date: run the tests with UPDATE_SCHEMA=1");
}

#[test]
fn the_committed_schema_of_a_disk_profile_is_that_of_its_type() {
    let path = path().with_file_name("disk.schema.json");
    let generated = serde_json::to_value(schemars::schema_for!(DiskFile)).unwrap();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, format!("{generated:#}\n")).unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(committed == generated, "reports/disk.schema.json is out of date: run the tests with UPDATE_SCHEMA=1");
}

#[test]
fn every_sample_is_valid() {
    let validator = jsonschema::validator_for(&committed()).unwrap();
    let samples: [fn() -> Report; 6] =
        [sample::plan, sample::predicted, sample::run, sample::bare, sample::certificate, sample::ramp];
    for report in samples {
        let value = serde_json::to_value(report()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn files_that_are_not_reports_are_invalid() {
    let validator = jsonschema::validator_for(&committed()).unwrap();
    let report = serde_json::to_value(sample::plan()).unwrap();
    let broken = |change: fn(&mut Value)| {
        let mut value = report.clone();
        change(&mut value);
        value
    };
    for value in [
        broken(|report| report["verdict"]["outcome"] = "maybe".into()),
        broken(|report| report["unexpected"] = 1.into()),
        broken(|report| report["modes"][0]["commands"][0]["service"]["count"] = (-1).into()),
        broken(|report| drop(report.as_object_mut().unwrap().remove("host"))),
    ] {
        assert!(!validator.is_valid(&value));
    }
}
