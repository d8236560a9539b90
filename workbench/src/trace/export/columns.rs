//! A table in Parquet: columns of integers and of texts, compressed with zstd.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::field::{Cell, Field, Kind};

/// Rows that are kept in memory and written as one row group.
const GROUP_ROWS: usize = 1 << 20;
/// Distinct texts of a column that are shared between rows.
const SHARED_TEXTS: usize = 32;

pub(super) struct ColumnsWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// `None` for fields that are not in this form.
    columns: Vec<Option<Column>>,
    rows: usize,
}

enum Column {
    Integers(Vec<i64>),
    /// Those that are there, and 1 or 0 for each row.
    Optional(Vec<i64>, Vec<i16>),
    Texts(Texts),
}

#[derive(Default)]
struct Texts {
    values: Vec<ByteArray>,
    /// The first distinct texts: most columns have few.
    shared: Vec<ByteArray>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        // A column with more texts is not searched.
        let is_shared = self.shared.len() <= SHARED_TEXTS;
        let known = self.shared.iter().find(|known| is_shared && known.data() == text.as_bytes());
        let value = known.cloned().unwrap_or_else(|| ByteArray::from(text));
        if is_shared && known.is_none() {
            self.shared.push(value.clone());
        }
        self.values.push(value);
    }
}

impl<W: Write + Send> ColumnsWriter<W> {
    pub(super) fn new(fields: &[Field], out: W) -> io::Result<Self> {
        let column = |field: &Field| {
            field.in_columns.then(|| match field.kind {
                Kind::Integer => Column::Integers(Vec::new()),
                Kind::OptionalInteger => Column::Optional(Vec::new(), Vec::new()),
                Kind::Text => Column::Texts(Texts::default()),
            })
        };
        let columns = fields.iter().map(column).collect();
        let leaves = fields.iter().filter(|field| field.in_columns).map(|field| leaf(field).map(Arc::new));
        let schema = leaves.collect::<Result<_, _>>().map_err(io_error)?;
        let schema = Type::group_type_builder("trace").with_fields(schema).build().map_err(io_error)?;
        let program = format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_created_by(program).set_compression(compression).build();
        let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(io_error)?;
        Ok(Self { file, columns, rows: 0 })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (column, cell) {
                (None, _) => {}
                (Some(Column::Integers(values)), &Cell::Integer(number)) => values.push(signed(number)),
                (Some(Column::Optional(values, levels)), &Cell::Integer(number)) => {
                    values.push(signed(number));
                    levels.push(1);
                }
                (Some(Column::Optional(_, levels)), Cell::Missing) => levels.push(0),
                (Some(Column::Texts(texts)), Cell::Text(text)) => texts.push(text),
                (Some(_), cell) => unreachable!("{cell:?} is of another kind than its field"),
            }
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS { self.write_group().map_err(io_error) } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for column in self.columns.iter_mut().flatten() {
            let Some(mut out) = group.next_column()? else { break };
            match column {
                Column::Integers(values) => {
                    out.typed::<Int64Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                Column::Optional(values, levels) => {
                    out.typed::<Int64Type>().write_batch(values, Some(levels), None)?;
                    values.clear();
                    levels.clear();
                }
                Column::Texts(texts) => {
                    out.typed::<ByteArrayType>().write_batch(&texts.values, None, None)?;
                    texts.values.clear();
                }
            }
            out.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group().map_err(io_error)?;
        }
        self.file.into_inner().map_err(io_error)?.flush()
    }
}

fn leaf(field: &Field) -> Result<Type, ParquetError> {
    let physical = if field.kind == Kind::Text { PhysicalType::BYTE_ARRAY } else { PhysicalType::INT64 };
    let repetition = if field.kind == Kind::OptionalInteger { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let logical = (field.kind == Kind::Text).then_some(LogicalType::String);
    Type::primitive_type_builder(field.name, physical).with_repetition(repetition).with_logical_type(logical).build()
}

/// The largest number that SQL's integers have stands for those above it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Keeps the kind of the error: a broken pipe ends the program quietly.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
