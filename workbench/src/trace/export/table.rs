//! A table as CSV, JSON lines or Parquet.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::columns::ColumnsWriter;
use super::field::{Cell, Field};
use super::request::{ExportError, TableFormat};

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(number) => serializer.serialize_u64(*number),
            Self::Missing => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Writes rows, each with a cell for each field in their order.
pub(super) struct TableWriter<'f, W: Write + Send> {
    fields: &'f [Field],
    form: Form<W>,
}

enum Form<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    JsonLines(W),
    Parquet(Box<ColumnsWriter<W>>),
}

impl<'f, W: Write + Send> TableWriter<'f, W> {
    pub(super) fn new(fields: &'f [Field], format: TableFormat, out: W) -> Result<Self, ExportError> {
        let form = match format {
            TableFormat::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(out);
                let names = fields.iter().filter(|field| field.in_text).map(|field| field.name);
                csv.write_record(names).map_err(|error| ExportError::Write(io_error(error)))?;
                Form::Csv(Box::new(csv))
            }
            TableFormat::JsonLines => Form::JsonLines(out),
            TableFormat::Parquet => {
                Form::Parquet(Box::new(ColumnsWriter::new(fields, out).map_err(ExportError::Write)?))
            }
        };
        Ok(Self { fields, form })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        let row = Row { fields: self.fields, cells };
        let written = match &mut self.form {
            Form::Csv(out) => out.serialize(row.in_text().map(|(_, cell)| cell).collect::<Vec<_>>()).map_err(io_error),
            Form::JsonLines(out) => {
                serde_json::to_writer(&mut *out, &row).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"))
            }
            Form::Parquet(out) => out.row(cells),
        };
        written.map_err(ExportError::Write)
    }

    pub(super) fn finish(self) -> Result<(), ExportError> {
        let finished = match self.form {
            Form::Csv(mut out) => out.flush(),
            Form::JsonLines(mut out) => out.flush(),
            Form::Parquet(out) => out.finish(),
        };
        finished.map_err(ExportError::Write)
    }
}

struct Row<'a> {
    fields: &'a [Field],
    cells: &'a [Cell<'a>],
}

impl Row<'_> {
    fn in_text(&self) -> impl Iterator<Item = (&Field, &Cell<'_>)> {
        self.fields.iter().zip(self.cells).filter(|(field, _)| field.in_text)
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (field, cell) in self.in_text() {
            map.serialize_entry(field.name, cell)?;
        }
        map.end()
    }
}

/// Keeps the kind of the error: a broken pipe ends the program quietly.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
