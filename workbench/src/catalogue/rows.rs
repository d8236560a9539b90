//! Rows of fields, from TOML or CSV: text with the line that it stands on.

use std::collections::BTreeMap;

use crate::units;
use crate::workload::{Document, Field, Problem, Table, excerpt, expected_names, line_at};

/// Fields of a machine, in the order of messages.
const FIELDS: [&str; 11] = [
    "name",
    "vcpus",
    "memory",
    "disk_gb",
    "disk_sync_ms",
    "disk_iops",
    "disk_mb_per_second",
    "price_per_hour",
    "price_per_month",
    CURRENCY,
    PRICE_DATE,
];
/// Keys at the top of a TOML file that hold for every machine without its own.
const CURRENCY: &str = "currency";
const PRICE_DATE: &str = "price_date";
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
pub(super) fn of_toml(text: &str) -> Result<Vec<Row>, Problem> {
    let document = Document::parse(text)?;
    let top = document.top();
    top.only(&[DESCRIPTION, CURRENCY, PRICE_DATE, MACHINE])?;
    if let Some(description) = top.optional(DESCRIPTION).filter(|description| description.as_text().is_none()) {
        return Err(description.wrong("a text in quotes"));
    }
    let Some(machines) = top.optional(MACHINE) else { return Ok(Vec::new()) };
    let expected = "`[[machine]]` tables";
    let machines = machines.list(expected)?;
    let mut rows = machines.iter().map(|machine| row(&machine.table(expected)?)).collect::<Result<Vec<_>, _>>()?;
    for field in [CURRENCY, PRICE_DATE].into_iter().filter_map(|name| top.optional(name)) {
        let common = scalar(&field)?;
        for row in &mut rows {
            row.fields.entry(field.path().to_owned()).or_insert_with(|| common.clone());
        }
    }
    Ok(rows)
}

fn row(machine: &Table<'_>) -> Result<Row, Problem> {
    machine.only(&FIELDS)?;
    let fields = machine.fields().into_iter().map(|(name, field)| Ok((name.to_owned(), scalar(&field)?)));
    Ok(Row { line: machine.line(), fields: fields.collect::<Result<_, _>>()? })
}

fn scalar(field: &Field<'_>) -> Result<(String, usize), Problem> {
    let text = field.as_scalar().ok_or_else(|| field.wrong("a number, a date, or a text in quotes"))?;
    Ok((text, field.line()))
}

/// The machines of a CSV file: a header, and a line for each.
pub(super) fn of_csv(text: &str) -> Result<Vec<Row>, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records().map(|record| {
        // The text is UTF-8, and rows have any length: nothing else fails.
        let record = record.map_err(|error| Problem { line: 1, text: error.to_string() })?;
        Ok((line_of(&record, text), record))
    });
    let Some((header_line, header)) = records.next().transpose()? else { return Ok(Vec::new()) };
    check_header(&header).map_err(|text| Problem { line: header_line, text })?;
    records.map(|record| record.and_then(|(line, record)| csv_row(&header, header_line, line, &record))).collect()
}

fn csv_row(
    header: &csv::StringRecord,
    header_line: usize,
    line: usize,
    record: &csv::StringRecord,
) -> Result<Row, Problem> {
    if record.len() != header.len() {
        let (found, expected) = (units::counted(record.len() as u64, "field"), header.len());
        let is_open = record.iter().any(|text| text.contains('\n'));
        let quote = if is_open { "; the closing quote of a field may be missing" } else { "" };
        let text = format!("the row has {found}, expected {expected} as in the header on line {header_line}{quote}");
        return Err(Problem { line, text });
    }
    let given = header.iter().zip(record).filter(|(_, text)| !text.is_empty());
    Ok(Row { line, fields: given.map(|(name, text)| (name.to_owned(), (text.to_owned(), line))).collect() })
}

/// The line of a record. The position of a record is that of the comments and empty lines before it.
fn line_of(record: &csv::StringRecord, text: &str) -> usize {
    let start = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
    let lines = text.get(start..).unwrap_or_default().split_inclusive('\n');
    let skipped = lines.take_while(|line| line.starts_with('#') || line.trim_end_matches(['\r', '\n']).is_empty());
    line_at(text, start + skipped.map(str::len).sum::<usize>())
}

fn check_header(header: &csv::StringRecord) -> Result<(), String> {
    if let (Some(only), 1) = (header.get(0), header.len()) {
        let separator =
            [(';', "semicolons"), ('\t', "tabs")].into_iter().find(|(separator, _)| only.contains(*separator));
        if let Some((_, name)) = separator {
            return Err(format!("the columns are separated by {name}, expected commas"));
        }
    }
    for (place, name) in header.iter().enumerate() {
        let shown = excerpt(name);
        if !FIELDS.contains(&name) {
            return Err(format!("unknown column `{shown}`{}", expected_names(name, &FIELDS)));
        }
        if header.iter().take(place).any(|earlier| earlier == name) {
            return Err(format!("the column `{shown}` is given twice, expected once"));
        }
    }
    Ok(())
}
