//! What reports record of builds, hosts and settings, and how it differs between two parts of a history.

use super::reports::Entry;
use super::result::DifferingField;
use crate::compare::{host_fields, setting_fields};
use crate::report::{Field, Report, field, short_commit};

fn build_fields(report: &Report) -> Vec<Field> {
    let reproduce = &report.reproduce;
    let version = field("reproduce.version", &reproduce.version);
    let commit = reproduce.commit.as_ref().map(|commit| field("reproduce.commit", &short_commit(commit)));
    let component = |(name, version)| field(&format!("reproduce.components.{name}"), version);
    std::iter::once(version).chain(commit).chain(reproduce.components.iter().map(component)).collect()
}

/// The disk is part of the host's fields; its speed is measured, see [`Change::machine`](super::Change::machine).
fn circumstance_fields(report: &Report) -> Vec<Field> {
    let mut fields = host_fields(report);
    fields.extend(setting_fields(report));
    fields
}

/// Fields whose most frequent value differs, builds first. `before` ends and `after` begins at the change.
pub(super) fn differing(before: &[&Entry], after: &[&Entry]) -> Vec<DifferingField> {
    let mut found = Vec::new();
    for (fields, is_build) in [(build_fields as fn(&Report) -> Vec<Field>, true), (circumstance_fields, false)] {
        // Nearest to the change first: of equally frequent values the nearest counts.
        let before: Vec<_> = before.iter().rev().map(|entry| fields(&entry.report)).collect();
        let after: Vec<_> = after.iter().map(|entry| fields(&entry.report)).collect();
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in before.iter().chain(&after).flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let (old, new) = (most_frequent(&before, name), most_frequent(&after, name));
            if old.value != new.value {
                found.push(DifferingField {
                    field: name.clone(),
                    before: old.value.to_owned(),
                    before_percent: old.percent,
                    after: new.value.to_owned(),
                    after_percent: new.percent,
                    is_build,
                });
            }
        }
    }
    found
}

struct Frequent<'a> {
    value: &'a str,
    percent: f64,
}

fn most_frequent<'a>(reports: &'a [Vec<Field>], name: &str) -> Frequent<'a> {
    let value =
        |fields: &'a Vec<Field>| fields.iter().find(|field| field.0 == name).map_or("absent", |field| field.1.as_str());
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for value in reports.iter().map(value) {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    // The last of several maxima is the first in reverse.
    let (value, count) = counts.into_iter().rev().max_by_key(|&(_, count)| count).unwrap_or(("absent", 0));
    Frequent { value, percent: 100.0 * count as f64 / reports.len().max(1) as f64 }
}
