//! Rows of fields, from TOML or CSV: text with the line that it stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::CatalogueError;
use crate::workload::excerpt;

/// Keys at the top of a TOML file that hold for every machine without its own.
const COMMON: [&str; 2] = ["currency", "price_date"];
const DESCRIPTION: &str = "description";
const MACHINE: &str = "machine";

/// A machine as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// Text and line by name; an empty field of CSV is absent.
    pub(super) fields: BTreeMap<String, (String, usize)>,
}

/// The machines of a TOML file: tables of the array `machine`.
pub(super) fn of_toml(text: &str, path: &Path) -> Result<Vec<Row>, CatalogueError> {
    let file = DeTable::parse(text)
        .map_err(|source| CatalogueError::Toml { path: path.to_owned(), source: Box::new(source) })?;
    let line_at = |at: usize| 1 + text[..at].matches('\n').count();
    let wrong = |at: usize, problem: String| CatalogueError::Line { path: path.to_owned(), line: line_at(at), problem };
    let (mut common, mut rows) = (BTreeMap::new(), Vec::new());
    for (key, value) in file.get_ref() {
        let at = key.span().start;
        match (key.get_ref().as_ref(), value.get_ref()) {
            (DESCRIPTION, DeValue::String(_)) => {}
            (name, value_text) if COMMON.contains(&name) => {
                let found = scalar(value_text).ok_or_else(|| wrong(at, format!("`{name}`: expected a text")))?;
                common.insert(name.to_owned(), (found, line_at(at)));
            }
            (MACHINE, DeValue::Array(machines)) => {
                for machine in machines {
                    let at = machine.span().start;
                    let DeValue::Table(table) = machine.get_ref() else {
                        return Err(wrong(at, "expected machines as `[[machine]]` tables".to_owned()));
                    };
                    rows.push(row(line_at(at), table, &line_at, &wrong)?);
                }
            }
            (MACHINE, _) => return Err(wrong(at, "expected machines as `[[machine]]` tables".to_owned())),
            (name, _) => {
                let (name, known) = (excerpt(name), COMMON.join("`, `"));
                return Err(wrong(
                    at,
                    format!("unknown field `{name}`, expected `{DESCRIPTION}`, `{known}` or `[[{MACHINE}]]`"),
                ));
            }
        }
    }
    for row in &mut rows {
        for (name, field) in &common {
            row.fields.entry(name.clone()).or_insert_with(|| field.clone());
        }
    }
    rows.sort_by_key(|row| row.line);
    Ok(rows)
}

fn row(
    line: usize,
    table: &DeTable<'_>,
    line_at: &impl Fn(usize) -> usize,
    wrong: &impl Fn(usize, String) -> CatalogueError,
) -> Result<Row, CatalogueError> {
    let field = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let name: &str = key.get_ref();
        let at = key.span().start;
        let text = scalar(value.get_ref())
            .ok_or_else(|| wrong(at, format!("`{}`: expected a number or a text", excerpt(name))))?;
        Ok((name.to_owned(), (text, line_at(at))))
    };
    Ok(Row { line, fields: table.iter().map(field).collect::<Result<_, _>>()? })
}

/// The text of a single value.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Datetime(time) => Some(time.to_string()),
        _ => None,
    }
}

/// The machines of a CSV file: a header, and a line for each.
pub(super) fn of_csv(text: &str, path: &Path) -> Result<Vec<Row>, CatalogueError> {
    let failed = |source| CatalogueError::Csv { path: path.to_owned(), source };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?.clone();
    let line_of = |record: &csv::StringRecord| {
        record.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX))
    };
    let header_line = line_of(&header);
    let mut names = BTreeSet::new();
    if let Some(twice) = header.iter().find(|&name| !names.insert(name)) {
        let problem = format!("the column `{}` is there twice", excerpt(twice));
        return Err(CatalogueError::Line { path: path.to_owned(), line: header_line, problem });
    }
    let row = |record: Result<csv::StringRecord, _>| {
        let record = record.map_err(failed)?;
        let line = line_of(&record);
        let given = header.iter().zip(&record).filter(|(_, text)| !text.is_empty());
        Ok(Row { line, fields: given.map(|(name, text)| (name.to_owned(), (text.to_owned(), line))).collect() })
    };
    reader.records().map(row).collect()
}
