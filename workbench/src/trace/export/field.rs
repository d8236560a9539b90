//! Columns and values of a table.

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) in_text: bool,
    pub(super) in_columns: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    OptionalInteger,
    Text,
}

impl Field {
    /// In all forms.
    pub(super) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, in_text: true, in_columns: true }
    }

    /// In Parquet only.
    pub(super) const fn columnar(name: &'static str, kind: Kind) -> Self {
        Self { in_text: false, ..Self::new(name, kind) }
    }

    /// In CSV and JSON only.
    pub(super) const fn textual(name: &'static str, kind: Kind) -> Self {
        Self { in_columns: false, ..Self::new(name, kind) }
    }
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Integer(u64),
    Missing,
    Text(&'a str),
}
