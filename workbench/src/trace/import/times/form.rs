//! The forms in which a log may write its times.

use super::civil::DateOrder;
use super::unix::{UNITS, Unit};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum TimeForm {
    /// RFC 3339, ISO 8601 and similar forms.
    Iso,
    /// A date with its parts in this order and this separator between them, alone or with a time of day.
    Date(DateOrder, u8),
    /// A number. If its unit was guessed from its size, numbers of another size are refused.
    Unix { unit: &'static Unit, is_guessed: bool },
    /// A given `strftime` format.
    Format(String),
}

impl TimeForm {
    /// The form that `--time-format` names.
    pub(in super::super) fn named(format: &str) -> Self {
        let unit = UNITS.iter().find(|unit| unit.option == format);
        unit.map_or_else(|| Self::Format(format.to_owned()), |unit| Self::Unix { unit, is_guessed: false })
    }

    /// The form for messages and the import's summary.
    pub(in super::super) fn name(&self) -> String {
        match self {
            Self::Iso => "RFC 3339 and relatives".to_owned(),
            Self::Date(order, separator) => order.pattern(*separator),
            Self::Unix { unit, .. } => unit.name.to_owned(),
            Self::Format(format) => format!("`{format}`"),
        }
    }

    /// What a row was expected to contain.
    pub(super) fn expectation(&self) -> String {
        match self {
            Self::Iso => "a time such as `2011-10-11 13:45:40.276+02:00`".to_owned(),
            Self::Date(..) => format!("{}, alone or with a time such as `13:45:40`", self.name()),
            Self::Unix { unit, is_guessed: true } => format!("{}, as in the first rows", unit.name),
            Self::Unix { .. } => self.name(),
            Self::Format(_) => format!("the form {}", self.name()),
        }
    }
}

pub(in super::super) const KNOWN_FORMS: &str = "RFC 3339 and relatives, `DD.MM.YYYY`, `YYYY/MM/DD`, `DD/MM/YYYY` or \
    `MM/DD/YYYY`, each alone or with a time of day, or a Unix time";

pub(in super::super) const ADVICE: &str = "set another form with --time-format (strftime notation, for example \
    `%d.%m.%Y %H:%M`, or `unix-s`, `unix-ms`, `unix-us`, `unix-ns`)";
