//! Tests that cannot run on this machine.

use std::any::type_name_of_val;
use std::io::Write;

/// Prints that `test` was skipped, past the test harness, which discards the output of passing tests.
pub(crate) fn skipped(test: impl Fn(), reason: &str) {
    // The harness names a test by its path without the crate.
    let name = type_name_of_val(&test).split_once("::").unwrap().1;
    std::io::stderr().write_all(format!("SKIPPED {name}: {reason}\n").as_bytes()).unwrap();
}
