//! Parquet: the leaves of the schema are columns, `a.b` for nested ones. Lists and maps are left out.
//!
//! Values are written as pandas writes them to CSV, so that a table has the same sizes in both forms.

use std::fs::File;

use jiff::{SignedDuration, Timestamp, civil};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::super::input::LogProgress;
use super::super::job::ImportJob;
use super::rows::RowWriter;
use super::sources::{self, Decoded};
use crate::trace::error::TraceError;
use crate::workload::escape;

const SIZE: &str = "(the whole row)";
/// Rows that are decoded at once.
const BATCH_ROWS: usize = 4096;
/// Index of a data frame that pandas stored, which is no column of the table.
const PANDAS_INDEX: &str = "__index_level_";

pub(super) fn decode(job: &mut ImportJob<'_>) -> Result<Decoded, TraceError> {
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    let progress = job.input.progress();
    for source in 0..job.input.count() {
        let file = sources::seekable(job, source)?;
        rows.push(write_rows(job, source, file, &progress, &mut left_out)?);
    }
    let mut options = job.options.clone();
    if options.payload_column.is_none() {
        options.size_column.get_or_insert_with(|| SIZE.to_owned());
    }
    left_out.dedup();
    let notes = (!left_out.is_empty()).then(|| format!("lists are left out: {}", escape(&left_out.join(", "))));
    Ok(Decoded { rows, options, notes: notes.into_iter().collect() })
}

fn write_rows(
    job: &ImportJob<'_>,
    source: usize,
    file: File,
    progress: &LogProgress,
    left_out: &mut Vec<String>,
) -> Result<File, TraceError> {
    let bad = |error: ParquetError| job.at(source, "Parquet".to_owned(), None, escape(&error.to_string()));
    let reader = SerializedFileReader::new(file).map_err(bad)?;
    let leaves = reader.metadata().file_metadata().schema_descr_ptr();
    let name = |leaf: &ColumnDescriptor| leaf.path().parts().join(".");
    let mut columns = Vec::new();
    for (number, leaf) in leaves.columns().iter().enumerate() {
        if leaf.max_rep_level() > 0 {
            left_out.push(name(leaf));
        } else if !name(leaf).starts_with(PANDAS_INDEX) {
            columns.push(number);
        }
    }
    let names = columns.iter().map(|&number| name(leaves.columns()[number].as_ref()));
    let mut rows = RowWriter::new(job, progress, names, SIZE)?;
    let mut row_number = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(bad)?;
        let open =
            |&number: &usize| Ok(Column::new(group.get_column_reader(number)?, leaves.columns()[number].as_ref()));
        let mut columns = columns.iter().map(open).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while left > 0 {
            let batch = left.min(BATCH_ROWS);
            columns.iter_mut().try_for_each(|column| column.read(batch)).map_err(bad)?;
            for row in 0..batch {
                row_number += 1;
                write_row(&columns, row, row_number, &mut rows)?;
            }
            left -= batch;
        }
    }
    rows.finish()
}

fn write_row(columns: &[Column<'_>], row: usize, number: u64, rows: &mut RowWriter<'_, '_>) -> Result<(), TraceError> {
    let mut bytes = columns.len().saturating_sub(1);
    for column in columns {
        let text = column.text(row);
        bytes += text.len();
        rows.field(text)?;
    }
    rows.row(bytes, &format!("row {number}"))
}

/// A leaf of the schema, and the texts of the rows that were read last.
struct Column<'s> {
    reader: ColumnReader,
    leaf: &'s ColumnDescriptor,
    texts: Vec<u8>,
    /// End of each row's text.
    ends: Vec<usize>,
}

impl<'s> Column<'s> {
    const fn new(reader: ColumnReader, leaf: &'s ColumnDescriptor) -> Self {
        Self { reader, leaf, texts: Vec::new(), ends: Vec::new() }
    }

    fn text(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start..self.ends[row]]
    }

    fn read(&mut self, rows: usize) -> Result<(), ParquetError> {
        self.texts.clear();
        self.ends.clear();
        let (leaf, texts, ends) = (self.leaf, &mut self.texts, &mut self.ends);
        let level = leaf.max_def_level();
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => read(reader, level, rows, texts, ends, |value, texts| {
                texts.extend_from_slice(if *value { b"True" } else { b"False" });
            }),
            ColumnReader::Int32ColumnReader(reader) => read(reader, level, rows, texts, ends, |&value, texts| {
                texts.extend_from_slice(integer(leaf, value.into()).as_bytes());
            }),
            ColumnReader::Int64ColumnReader(reader) => read(reader, level, rows, texts, ends, |&value, texts| {
                texts.extend_from_slice(integer(leaf, value).as_bytes());
            }),
            // Spark's timestamps, in UTC.
            ColumnReader::Int96ColumnReader(reader) => read(reader, level, rows, texts, ends, |value, texts| {
                texts.extend_from_slice(timestamp(value.to_nanos().into(), true).as_bytes());
            }),
            ColumnReader::FloatColumnReader(reader) => read(reader, level, rows, texts, ends, |value, texts| {
                texts.extend_from_slice(float(f64::from(*value), &format!("{value:?}")).as_bytes());
            }),
            ColumnReader::DoubleColumnReader(reader) => read(reader, level, rows, texts, ends, |value, texts| {
                texts.extend_from_slice(float(*value, &format!("{value:?}")).as_bytes());
            }),
            ColumnReader::ByteArrayColumnReader(reader) => read(reader, level, rows, texts, ends, |value, texts| {
                append_bytes(leaf, value.data(), texts);
            }),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                read(reader, level, rows, texts, ends, |value, texts| append_bytes(leaf, value.data(), texts))
            }
        }
    }
}

/// Reads the next rows of a column; those without a value have an empty text.
fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    max_level: i16,
    rows: usize,
    texts: &mut Vec<u8>,
    ends: &mut Vec<usize>,
    append: impl Fn(&T::T, &mut Vec<u8>),
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if records != rows {
        return Err(ParquetError::General(format!("a column ends {} rows early", rows - records)));
    }
    let mut values = values.iter();
    for row in 0..rows {
        if levels.get(row).is_none_or(|&level| level == max_level)
            && let Some(value) = values.next()
        {
            append(value, texts);
        }
        ends.push(texts.len());
    }
    Ok(())
}

fn integer(leaf: &ColumnDescriptor, value: i64) -> String {
    match leaf.logical_type_ref() {
        Some(LogicalType::Timestamp(time)) => {
            return timestamp(nanoseconds(value, time.unit), time.is_adjusted_to_u_t_c);
        }
        Some(LogicalType::Time(time)) => return time_of_day(nanoseconds(value, time.unit)),
        Some(LogicalType::Decimal(decimal)) => return scaled(value.into(), decimal.scale),
        _ => {}
    }
    // Older writers have no logical types.
    match leaf.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => timestamp(nanoseconds(value, TimeUnit::MILLIS), true),
        ConvertedType::TIMESTAMP_MICROS => timestamp(nanoseconds(value, TimeUnit::MICROS), true),
        ConvertedType::DATE => date(value),
        ConvertedType::DECIMAL => scaled(value.into(), leaf.type_scale()),
        ConvertedType::UINT_64 => value.cast_unsigned().to_string(),
        ConvertedType::UINT_32 => (value & 0xffff_ffff).to_string(),
        _ => value.to_string(),
    }
}

fn nanoseconds(value: i64, unit: TimeUnit) -> i128 {
    let scale = match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    };
    i128::from(value) * scale
}

/// Without a fraction if that is zero, else with six digits, or nine if it needs them. A time out of range is a number.
fn timestamp(nanoseconds: i128, is_utc: bool) -> String {
    let Ok(time) = Timestamp::from_nanosecond(nanoseconds) else { return nanoseconds.to_string() };
    let offset = if is_utc { "+00:00" } else { "" };
    let fraction = match nanoseconds.rem_euclid(1_000_000_000) {
        0 => String::new(),
        part if part % 1000 == 0 => format!(".{:06}", part / 1000),
        part => format!(".{part:09}"),
    };
    format!("{}{fraction}{offset}", time.strftime("%Y-%m-%d %H:%M:%S"))
}

fn time_of_day(nanoseconds: i128) -> String {
    let text = timestamp(nanoseconds, false);
    text.strip_prefix("1970-01-01 ").map_or_else(|| text.clone(), str::to_owned)
}

fn date(days: i64) -> String {
    let date = civil::date(1970, 1, 1).checked_add(SignedDuration::from_hours(days.saturating_mul(24)));
    date.map_or_else(|_| days.to_string(), |date| date.to_string())
}

fn float(value: f64, text: &str) -> String {
    // pandas reads a missing number as NaN.
    if value.is_nan() { String::new() } else { text.to_owned() }
}

fn scaled(value: i128, scale: i32) -> String {
    let digits = usize::try_from(scale).unwrap_or(0);
    if digits == 0 {
        return value.to_string();
    }
    let padded = format!("{:0width$}", value.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}

fn append_bytes(leaf: &ColumnDescriptor, bytes: &[u8], texts: &mut Vec<u8>) {
    match leaf.logical_type_ref() {
        Some(LogicalType::Uuid) if bytes.len() == 16 => {
            // Hyphens stand before these bytes.
            for (place, byte) in bytes.iter().enumerate() {
                if [4, 6, 8, 10].contains(&place) {
                    texts.push(b'-');
                }
                texts.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
        }
        Some(LogicalType::Decimal(decimal)) if bytes.len() <= 16 => {
            // Two's complement, the most significant byte first.
            let first = if bytes.first().is_some_and(|byte| byte & 0x80 > 0) { -1 } else { 0 };
            let value = bytes.iter().fold(first, |value: i128, &byte| value << 8 | i128::from(byte));
            texts.extend_from_slice(scaled(value, decimal.scale).as_bytes());
        }
        _ => texts.extend_from_slice(bytes),
    }
}
