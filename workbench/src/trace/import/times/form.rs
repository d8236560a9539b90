//! The forms in which a log may write its times.

use super::civil::DateOrder;
use super::number::{self, SCALES, Scale};

/// Coarsest times in scientific notation that are read, nanoseconds: a second.
const MOST_PRECISION_NS: f64 = 1.001e9;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum TimeForm {
    /// RFC 3339, ISO 8601 and similar forms.
    Iso,
    /// A date with its parts in this order and this separator between them, alone or with a time of day.
    Date(DateOrder, u8),
    /// A number. If its scale was guessed, times before 1990 and after the next year are refused.
    Number { scale: &'static Scale, is_guessed: bool },
    /// A given `strftime` format.
    Format(Strftime),
}

/// A `strftime` format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Strftime {
    pub(super) format: String,
    /// Colons in a text before its `:%f`, which is a number of milliseconds: `:89` is 89 ms, not 890 ms.
    pub(super) colons_before_milliseconds: Option<usize>,
}

impl Strftime {
    fn new(format: &str) -> Self {
        let before = format.find(":%f").or_else(|| format.find(":%3f")).map(|at| &format[..at]);
        let colons = |before: &str| {
            let literal = before.matches(':').count();
            literal + before.matches("%R").count() + 2 * before.matches("%T").count()
        };
        Self { format: format.to_owned(), colons_before_milliseconds: before.map(colons) }
    }
}

impl TimeForm {
    /// The form that `--time-format` names.
    pub(in super::super) fn named(format: &str) -> Self {
        if let Some((order, separator)) = DateOrder::of_pattern(format) {
            return Self::Date(order, separator);
        }
        let scale = SCALES.iter().find(|scale| scale.option == format);
        scale.map_or_else(|| Self::Format(Strftime::new(format)), |scale| Self::Number { scale, is_guessed: false })
    }

    /// The form for messages and the import's summary.
    pub(in super::super) fn name(&self) -> String {
        match self {
            Self::Iso => "RFC 3339 and relatives".to_owned(),
            Self::Date(order, separator) => order.pattern(*separator),
            Self::Number { scale, .. } => scale.name.to_owned(),
            Self::Format(strftime) => format!("`{}`", strftime.format),
        }
    }

    /// What a row was expected to contain.
    pub(super) fn expectation(&self) -> String {
        match self {
            Self::Iso => "a time such as `2011-10-11 13:45:40.276+02:00`".to_owned(),
            Self::Date(order, _) if !order.has_year() => format!("{} and a time such as `13:45:40`", self.name()),
            Self::Date(..) => format!("{}, alone or with a time such as `13:45:40`", self.name()),
            Self::Number { is_guessed: true, .. } => format!("{} as in the first rows", self.name()),
            Self::Number { .. } => self.name(),
            Self::Format(_) => format!("the form {}", self.name()),
        }
    }

    /// How coarse the finest of the texts in scientific notation is, if it is coarser than a second: place of one such text, and
    /// nanoseconds. Spreadsheets write `1.70E+12` for 1700000123456.
    pub(in super::super) fn rounding(&self, texts: &[Vec<u8>]) -> Option<(usize, f64)> {
        let Self::Number { scale, .. } = self else { return None };
        let precisions = texts.iter().enumerate().filter_map(|(place, text)| {
            let precision = number::precision_ns(text.trim_ascii(), scale)?;
            Some((place, precision))
        });
        precisions.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, precision)| *precision > MOST_PRECISION_NS)
    }

    /// Whether its times have two-digit years.
    pub(in super::super) fn has_short_years(&self) -> bool {
        matches!(self, Self::Date(order, _) if order.has_short_year())
    }
}

pub(in super::super) const KNOWN_FORMS: &str = "RFC 3339 and relatives, `DD.MM.YYYY`, `YYYY/MM/DD`, `DD/MM/YYYY` or \
    `MM/DD/YYYY`, each alone or with a time of day, or a Unix time";

pub(in super::super) const ADVICE: &str = "set another form with --time-format (the order of the date such as \
    `DD/MM/YYYY`, strftime notation such as `%d.%m.%Y %H:%M`, or `unix-s`, `unix-ms`, `unix-us`, `unix-ns`, `excel-days`, `dotnet-ticks`, `filetime`)";
