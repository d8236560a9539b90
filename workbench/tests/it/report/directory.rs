//! A report directory is there whole or not at all, and reads back as it was.

use std::fs;
use std::path::Path;

use ave_workbench::render;
use ave_workbench::render::{html, markdown};
use ave_workbench::report::{ReportDirectory, ReportError};
use tempfile::tempdir;

use crate::support::sample;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_report_reads_back_as_it_was_written() {
    let root = tempdir().unwrap();
    for report in [sample::plan(), sample::run(), sample::bare()] {
        let path = ReportDirectory::new(root.path()).write(&report, &render::report(&report)).unwrap();
        assert_eq!(ReportDirectory::read(&path).unwrap(), report);
        assert_eq!(ReportDirectory::read(&path.join("report.json")).unwrap(), report);
        assert_eq!(fs::read_to_string(path.join("report.html")).unwrap(), html(&report));
        assert_eq!(fs::read_to_string(path.join("report.md")).unwrap(), markdown(&report));
    }
}

#[test]
fn the_directory_is_named_after_workload_and_start_and_clashes_are_numbered() {
    let root = tempdir().unwrap();
    let directory = ReportDirectory::new(root.path().join("not/yet/there"));
    let paths: Vec<_> =
        (0..3).map(|_| directory.write(&sample::plan(), &render::report(&sample::plan())).unwrap()).collect();
    let found: Vec<_> = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let name = "steady-light-20260301T093000Z";
    assert_eq!(found, [name.to_owned(), format!("{name}-2"), format!("{name}-3")]);
}

#[test]
fn a_hostile_name_stays_below_the_root() {
    let root = tempdir().unwrap();
    let mut report = sample::plan();
    report.name = "../../../tmp/..".to_owned();
    let path = ReportDirectory::new(root.path()).write(&report, &render::report(&report)).unwrap();
    assert_eq!(path.parent(), Some(root.path()));
    assert_eq!(path.file_name().unwrap(), "tmp-20260301T093000Z");
}

#[test]
fn attachments_lie_beside_the_report() {
    let root = tempdir().unwrap();
    let directory = ReportDirectory::new(root.path()).attach(vec![("persist-on.hlog".to_owned(), b"log".to_vec())]);
    let path = directory.write(&sample::run(), &render::report(&sample::run())).unwrap();
    assert_eq!(names(&path), ["persist-on.hlog", "report.html", "report.json", "report.md"]);
    assert_eq!(fs::read(path.join("persist-on.hlog")).unwrap(), b"log");
}

#[test]
fn nothing_but_the_report_is_left_behind() {
    let root = tempdir().unwrap();
    ReportDirectory::check_writable(root.path()).unwrap();
    assert_eq!(names(root.path()), Vec::<String>::new());
    ReportDirectory::new(root.path()).write(&sample::plan(), &render::report(&sample::plan())).unwrap();
    assert_eq!(names(root.path()), ["steady-light-20260301T093000Z"]);
}

#[test]
fn an_unwritable_root_is_known_before_the_run() {
    let root = tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ReportDirectory::check_writable(&file.join("below")).unwrap_err();
    assert!(matches!(&error, ReportError::RootNotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains("file/below"), "{error}");
    assert!(matches!(
        ReportDirectory::new(&file).write(&sample::run(), &render::report(&sample::run())),
        Err(ReportError::RootNotWritable { .. })
    ));
    assert_eq!(names(root.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn a_report_is_as_readable_as_any_directory_of_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let root = tempdir().unwrap();
    let plain = root.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let path = ReportDirectory::new(root.path()).write(&sample::run(), &render::report(&sample::run())).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_missing_report_says_where_it_was_looked_for() {
    let root = tempdir().unwrap();
    let error = ReportDirectory::read(root.path()).unwrap_err();
    assert!(matches!(&error, ReportError::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains("report.json"), "{error}");
}

#[test]
fn invalid_json_is_an_error_with_line_and_column() {
    let root = tempdir().unwrap();
    let path = root.path().join("report.json");
    fs::write(&path, "{\n  \"schema_version\": 1,\n  oops\n}").unwrap();
    let error = ReportDirectory::read(&path).unwrap_err();
    assert!(matches!(&error, ReportError::Invalid { line: 3, column: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("report.json:3:3"), "{error}");
}

#[test]
fn an_unknown_field_is_an_error_that_names_it() {
    let root = tempdir().unwrap();
    let path = root.path().join("report.json");
    let mut value = serde_json::to_value(sample::plan()).unwrap();
    value["host"]["password"] = "secret".into();
    fs::write(&path, serde_json::to_string_pretty(&value).unwrap()).unwrap();
    let error = ReportDirectory::read(&path).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("password"), "{cause}");
}

#[test]
fn another_layout_is_an_error_that_names_both_versions() {
    let root = tempdir().unwrap();
    let path = root.path().join("report.json");
    fs::write(&path, r#"{"schema_version": 99, "shape": "nothing this build knows"}"#).unwrap();
    let error = ReportDirectory::read(&path).unwrap_err();
    assert!(matches!(&error, ReportError::SchemaVersion { found: 99, expected: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("layout 99") && error.to_string().contains("reads 1"), "{error}");
}
