//! Tables of TOML input files. A field knows its line and its source text, so that a message names both, in the words of the
//! file instead of those of a parser.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::input_text::{Problem, excerpt, expected_names, line_at};
use crate::units;

/// A file in the syntax of TOML.
pub(crate) struct Document<'t> {
    text: &'t str,
    top: Spanned<DeTable<'t>>,
}

/// A table: the file itself, `[actors]`, `{ min = 1, max = 2 }`, or one of an array.
#[derive(Clone)]
pub(crate) struct Table<'a> {
    text: &'a str,
    /// Keys from the top, with dots; empty at the top.
    path: String,
    line: usize,
    fields: &'a DeTable<'a>,
}

/// A key with its value, or an entry of a list.
pub(crate) struct Field<'a> {
    text: &'a str,
    path: String,
    line: usize,
    is_entry: bool,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'t> Document<'t> {
    /// # Errors
    ///
    /// The line that is not TOML.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Problem> {
        let top = DeTable::parse(text).map_err(|error| syntax_problem(text, &error))?;
        Ok(Self { text, top })
    }

    pub(crate) fn top(&self) -> Table<'_> {
        Table { text: self.text, path: String::new(), line: 1, fields: self.top.get_ref() }
    }
}

/// The parser's errors in the words of a file: its frequent ones name the key.
fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or_default();
    let line = line_at(text, span.start);
    let source = text.lines().nth(line - 1).unwrap_or_default().trim();
    let key = excerpt(source.split('=').next().unwrap_or_default().trim());
    let found = excerpt(text.get(span.clone()).unwrap_or_default());
    let message = error.message();
    let text = if message == "duplicate key" || message.starts_with("cannot extend") {
        format!("`{found}` is given twice, expected once")
    } else if !message.starts_with("string values must be quoted") {
        let message = message.trim_end_matches(", expected nothing").replace('\n', ", ");
        let message =
            message.replace("multi-line ", "").replace("basic string", "text").replace("literal string", "text");
        format!("`{}` is not valid TOML: {message}", excerpt(source))
    } else if found.is_empty() {
        format!("`{key}` has no value, expected a number, `true`, `false`, or a text in quotes")
    } else {
        format!("`{key}` is `{found}`, expected a number, `true`, `false`, or a text in quotes")
    };
    Problem { line, text }
}

impl<'a> Table<'a> {
    fn path_of(&self, name: &str) -> String {
        let name = excerpt(name);
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    fn field(&self, key: &'a Spanned<DeString<'a>>, value: &'a Spanned<DeValue<'a>>) -> Field<'a> {
        let line = line_at(self.text, key.span().start);
        Field { text: self.text, path: self.path_of(key.get_ref()), line, is_entry: false, value }
    }

    /// Names and fields, in the order of the file.
    pub(crate) fn fields(&self) -> Vec<(&'a str, Field<'a>)> {
        let mut all: Vec<_> = self.fields.iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        all.into_iter().map(|(key, value)| (key.get_ref().as_ref(), self.field(key, value))).collect()
    }

    /// Refuses fields of other names.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        self.only_or(known, |_| None)
    }

    /// The same for fields that may be in the wrong table: `place_of` names the right one.
    pub(crate) fn only_or(&self, known: &[&str], place_of: impl Fn(&str) -> Option<String>) -> Result<(), Problem> {
        let Some((name, field)) = self.fields().into_iter().find(|(name, _)| !known.contains(name)) else {
            return Ok(());
        };
        let place = place_of(name).map(|place| format!(", expected {place}"));
        let expected = place.unwrap_or_else(|| expected_names(name, known));
        Err(field.problem(format!("unknown field `{}`{expected}", field.path)))
    }

    pub(crate) fn optional(&self, name: &str) -> Option<Field<'a>> {
        let (key, value) = self.fields.get_key_value(name)?;
        Some(self.field(key, value))
    }

    pub(crate) fn required(&self, name: &str, expected: &str) -> Result<Field<'a>, Problem> {
        self.optional(name).ok_or_else(|| self.missing(name, expected))
    }

    pub(crate) fn missing(&self, name: &str, expected: &str) -> Problem {
        self.problem(format!("`{}` is missing, expected {expected}", self.path_of(name)))
    }

    /// The value of a field, or what it is without one.
    pub(crate) fn or<T>(
        &self,
        name: &str,
        default: T,
        read: impl FnOnce(&Field<'a>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.optional(name).map_or(Ok(default), |field| read(&field))
    }

    /// The only field, which has one of these names.
    pub(crate) fn one_of(&self, known: &[&str]) -> Result<(&'a str, Field<'a>), Problem> {
        self.only(known)?;
        let mut fields = self.fields().into_iter();
        let expected = || format!("expected one of `{}`", known.join("`, `"));
        match (fields.next(), fields.next()) {
            (Some(only), None) => Ok(only),
            (Some((first, _)), Some((second, field))) => {
                Err(field.problem(format!("`{}` has `{first}` and `{second}`, {}", self.path, expected())))
            }
            (None, _) => Err(self.problem(format!("`{}` is empty, {}", self.path, expected()))),
        }
    }

    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// A sentence on the table as a whole.
    pub(crate) const fn problem(&self, text: String) -> Problem {
        Problem { line: self.line, text }
    }
}

impl<'a> Field<'a> {
    /// Keys from the top, with dots.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// A sentence on the field.
    pub(crate) const fn problem(&self, text: String) -> Problem {
        Problem { line: self.line, text }
    }

    /// Its value is not what was expected.
    pub(crate) fn wrong(&self, expected: &str) -> Problem {
        let label = if self.is_entry { "an entry of " } else { "" };
        self.problem(format!("{label}`{}` is {}, expected {expected}", self.path, self.found()))
    }

    /// The value as it is written.
    fn found(&self) -> String {
        let source = self.text.get(self.value.span()).unwrap_or_default();
        match self.value.get_ref() {
            DeValue::Table(_) if !source.starts_with('{') => "a table".to_owned(),
            DeValue::Array(_) if !source.starts_with('[') || source.starts_with("[[") => "a list of tables".to_owned(),
            _ => format!("`{}`", excerpt(source)),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&'a str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The text of a number, a date or a text.
    pub(crate) fn as_scalar(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Datetime(time) => Some(time.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Result<bool, Problem> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong("`true` or `false`")),
        }
    }

    /// A number that fits; not a number never does.
    pub(crate) fn number(&self, expected: &str, fits: impl Fn(f64) -> bool) -> Result<f64, Problem> {
        self.as_number().filter(|&number| fits(number)).ok_or_else(|| self.wrong(expected))
    }

    /// A whole number of `what`, such as ` of bytes`, in a range.
    pub(crate) fn whole<T: TryFrom<u64>>(&self, what: &str, range: RangeInclusive<u64>) -> Result<T, Problem> {
        let found = match self.value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let found = found.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        found.ok_or_else(|| {
            let [least, most] = [*range.start(), *range.end()].map(units::count);
            self.wrong(&format!("a whole number{what} from {least} to {most}"))
        })
    }

    pub(crate) fn table(&self, expected: &str) -> Result<Table<'a>, Problem> {
        match self.value.get_ref() {
            DeValue::Table(fields) => Ok(Table { text: self.text, path: self.path.clone(), line: self.line, fields }),
            _ => Err(self.wrong(expected)),
        }
    }

    /// One entry or more.
    pub(crate) fn list(&self, expected: &str) -> Result<Vec<Self>, Problem> {
        let DeValue::Array(entries) = self.value.get_ref() else { return Err(self.wrong(expected)) };
        let entry = |value: &'a Spanned<DeValue<'a>>| {
            let line = line_at(self.text, value.span().start);
            Self { text: self.text, path: self.path.clone(), line, is_entry: true, value }
        };
        if entries.is_empty() { Err(self.wrong(expected)) } else { Ok(entries.iter().map(entry).collect()) }
    }
}
