//! A catalogue, read and checked.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};

use super::disk::DiskFigures;
use super::error::CatalogueError;
use super::price::{HOURS_PER_MONTH, Price};
use super::quantity::{CORES, millicores, number, ram_mb, rounded};
use super::rows::{Row, of_csv, of_toml};
use super::shipped::shipped;
use crate::host::{HOST, MIN_RAM_MB, Machine};
use crate::units;
use crate::workload::{Problem, decode, excerpt, is_stream};

const MOST_NAME_CHARS: usize = 64;

/// Machines that can be bought.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The file, or the name of a shipped one.
    pub origin: PathBuf,
    /// The currency of all prices, three letters of ISO 4217; `None` if no machine has a price.
    pub currency: Option<String>,
    /// In the order of the file; at least one, each with a name of its own.
    pub machines: Vec<CatalogueMachine>,
}

/// A machine of a catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueMachine {
    /// Name and size.
    pub machine: Machine,
    /// Its disk.
    pub disk: DiskFigures,
    /// What it costs, if that is known.
    pub price: Option<Price>,
}

impl Catalogue {
    /// Reads a catalogue: a file that ends in `.toml` or `.csv`, a pipe, or a shipped one by its name (`cloud`).
    ///
    /// # Errors
    ///
    /// [`CatalogueError`] with file, line and field.
    pub fn read(path: &Path) -> Result<Self, CatalogueError> {
        if let Some(text) = shipped(path) {
            return Self::parse(text, path, of_csv);
        }
        let read = || {
            let bytes = std::fs::read(path).map_err(|source| CatalogueError::Read { path: path.to_owned(), source })?;
            decode(bytes).map_err(|problem| CatalogueError::at(path, problem))
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::parse(&read()?, path, of_toml),
            Some("csv") => Self::parse(&read()?, path, of_csv),
            _ if is_stream(path) => {
                let text = read()?;
                Self::parse(&text, path, if looks_like_toml(&text) { of_toml } else { of_csv })
            }
            _ if !path.exists() => {
                Err(CatalogueError::Unknown { path: path.to_owned(), known: super::shipped::NAMES.join(", ") })
            }
            _ => Err(CatalogueError::Format { path: path.to_owned() }),
        }
    }

    /// The largest of its disks, bytes; `None` unless it gives one for each machine.
    pub(crate) fn largest_disk(&self) -> Option<u64> {
        let disks = self.machines.iter().map(|one| one.disk.bytes);
        disks.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The same machines with a disk that is attached to any of them instead of theirs.
    pub(crate) fn without_disks(mut self) -> Self {
        for one in &mut self.machines {
            one.disk = DiskFigures::default();
        }
        self
    }

    fn parse(text: &str, path: &Path, rows: fn(&str) -> Result<Vec<Row>, Problem>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self { origin: path.to_owned(), currency: None, machines: Vec::new() };
        // Line of the first price, and of each machine.
        let (mut currency_line, mut lines) = (0, Vec::new());
        let wrong = |problem| CatalogueError::at(path, problem);
        for row in rows(text).map_err(wrong)? {
            let (machine, currency) = machine(&row).map_err(wrong)?;
            let same_name = |known: &CatalogueMachine| known.machine.name == machine.machine.name;
            if let Some(earlier) = catalogue.machines.iter().position(same_name) {
                let (name, earlier) = (&machine.machine.name, lines[earlier]);
                let text =
                    format!("`name` is `{}`, which the machine on line {earlier} has, expected another", excerpt(name));
                return Err(wrong(Problem { line: row.line, text }));
            }
            if let Some(Currency { code, line }) = currency {
                let known = catalogue.currency.get_or_insert_with(|| {
                    currency_line = line;
                    code.clone()
                });
                if *known != code {
                    let text = format!("`currency` is {code} here and {known} on line {currency_line}, expected one");
                    return Err(wrong(Problem { line, text }));
                }
            }
            catalogue.machines.push(machine);
            lines.push(row.line);
        }
        if catalogue.machines.is_empty() {
            return Err(CatalogueError::Empty { path: path.to_owned() });
        }
        Ok(catalogue)
    }

    /// The entry of this name.
    pub(crate) fn entry(&self, name: &str) -> Option<&CatalogueMachine> {
        self.machines.iter().find(|one| one.machine.name == name)
    }
}

/// The first line of a table of CSV has names and commas.
fn looks_like_toml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| line.starts_with('[') || line.contains('='))
}

/// The currency of a price, and its line.
struct Currency {
    code: String,
    line: usize,
}

/// A machine, and the currency of its price.
fn machine(row: &Row) -> Result<(CatalogueMachine, Option<Currency>), Problem> {
    let expected = format!("1 to {MOST_NAME_CHARS} printable characters, other than `{HOST}`");
    let name = row.required("name", &expected, |text| {
        let text = text.trim();
        let fits = (1..=MOST_NAME_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control);
        (fits && text != HOST).then(|| text.to_owned())
    })?;
    let millicores = row.required("vcpus", CORES, millicores)?;
    let memory = format!("GiB such as `4`, or a size such as `512 MiB`, from {MIN_RAM_MB} MiB to 64 TiB");
    let ram_mb = row.required("memory", &memory, |text| ram_mb(text).filter(|&ram_mb| ram_mb >= MIN_RAM_MB))?;
    let above_zero = |name, unit, most: f64| {
        let expected = format!("{unit} above 0, at most {}", units::number(most));
        row.optional(name, &expected, |text| number(text).filter(|&number| number > 0.0 && number <= most))
    };
    let disk = DiskFigures {
        bytes: above_zero("disk_gb", "GB", 1e7)?.map(|gb| rounded(gb * 1e9)),
        sync_ns: above_zero("disk_sync_ms", "milliseconds", 1e5)?.map(|milliseconds| milliseconds * 1e6),
        writes_per_second: above_zero("disk_iops", "writes per second", 1e9)?,
        bytes_per_second: above_zero("disk_mb_per_second", "MB per second", 1e7)?.map(|mb| mb * 1e6),
    };
    let (price, currency) = price(row)?.unzip();
    Ok((CatalogueMachine { machine: Machine::named(name, millicores, ram_mb), disk, price }, currency))
}

fn price(row: &Row) -> Result<Option<(Price, Currency)>, Problem> {
    let amount = |name| {
        let expected = "a price from 0 to 1,000,000,000";
        row.optional(name, expected, |text| number(text).filter(|price| (0.0..=1e9).contains(price)))
    };
    let per_month = match (amount("price_per_hour")?, amount("price_per_month")?) {
        (None, None) => return Ok(None),
        (Some(per_hour), None) => per_hour * HOURS_PER_MONTH,
        (None, Some(per_month)) => per_month,
        (Some(_), Some(_)) => {
            let line = row.fields["price_per_month"].1;
            let text = "`price_per_month` beside `price_per_hour`, expected one of them".to_owned();
            return Err(Problem { line, text });
        }
    };
    let is_code = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let expected = "the currency of its price as three capital letters, such as `EUR` or `USD`";
    let code = row.required("currency", expected, |text| is_code(text).then(|| text.to_owned()))?;
    let expected = "the day of its price as year, month and day, such as `2026-11-28`, not in the future";
    let on = row.required("price_date", expected, |text| text.parse().ok().filter(|&day| is_past(day)))?;
    let line = row.fields["currency"].1;
    Ok(Some((Price { per_month, on }, Currency { code, line })))
}

/// Whether a day has begun somewhere on earth. Days before computers were on sale are slips.
fn is_past(day: Date) -> bool {
    const FIRST: Date = jiff::civil::date(1970, 1, 1);
    (FIRST..=jiff::Timestamp::now().to_zoned(TimeZone::fixed(offset(14))).date()).contains(&day)
}

impl Row {
    fn required<T>(&self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
        let missing = || Problem { line: self.line, text: format!("`{name}` is missing, expected {expected}") };
        self.optional(name, expected, parse)?.ok_or_else(missing)
    }

    fn optional<T>(&self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some((text, line)) = self.fields.get(name) else { return Ok(None) };
        let wrong = || {
            let text = format!("`{name}` is `{}`, expected {expected}", excerpt(text));
            Problem { line: *line, text }
        };
        parse(text).map(Some).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> Result<Catalogue, String> {
        Catalogue::parse(text, Path::new("m.toml"), of_toml).map_err(|error| error.to_string())
    }

    fn csv(text: &str) -> Result<Catalogue, String> {
        Catalogue::parse(text, Path::new("m.csv"), of_csv).map_err(|error| error.to_string())
    }

    const TOML: &str = "\
description = \"What we can order.\"
currency = \"EUR\"
price_date = 2026-11-28

[[machine]]
name = \"half\"
vcpus = 0.5
memory = \"512 MiB\"
price_per_month = 3.65

[[machine]]
name = \"two\"
vcpus = 2
memory = 4
disk_gb = 40
disk_sync_ms = 0.8
disk_iops = 3000
disk_mb_per_second = 125
price_per_hour = 0.01
";

    const CSV: &str = "\
# What we can order.
name,vcpus,memory,disk_gb,disk_sync_ms,disk_iops,disk_mb_per_second,price_per_month,price_per_hour,currency,price_date
half,0.5,512 MiB,,,,,3.65,,EUR,2026-11-28
two,2,4,40,0.8,3000,125,,0.01,EUR,2026-11-28
";

    #[test]
    fn toml_and_csv_describe_the_same_machines() {
        let (from_toml, from_csv) = (toml(TOML).unwrap(), csv(CSV).unwrap());
        assert_eq!(from_toml.machines, from_csv.machines);
        assert_eq!(from_toml.currency.as_deref(), Some("EUR"));
        let [half, two] = &from_csv.machines[..] else { panic!("{from_csv:?}") };
        assert_eq!((half.machine.millicores, half.machine.ram_mb, half.machine.cores), (500, 512, 1));
        assert_eq!((two.machine.millicores, two.machine.ram_mb, two.disk.bytes), (2_000, 4_096, Some(40_000_000_000)));
        assert_eq!(two.disk.sync_ns, Some(800_000.0));
        let price = two.price.as_ref().unwrap();
        assert!((price.per_month - 7.3).abs() < 1e-9 && price.on.to_string() == "2026-11-28", "{price:?}");
        assert_eq!(half.disk, DiskFigures::default());
    }

    #[test]
    fn the_shipped_catalogue_has_sizes_and_no_prices() {
        let cloud = Catalogue::read(Path::new("cloud")).unwrap();
        assert!(cloud.machines.len() > 20 && cloud.currency.is_none());
        assert!(cloud.machines.iter().all(|one| one.price.is_none()));
    }

    #[test]
    fn an_error_names_the_line_the_field_and_what_is_expected() {
        let machine = |fields: &str| format!("[[machine]]\nname = \"a\"\nvcpus = 1\nmemory = 1\n{fields}");
        for (text, expected) in [
            ("", "m.toml: it has no machine, expected one or more with `name`, `vcpus` and `memory`"),
            ("[[machine]]\nname = \"a\"\nmemory = 1\n", "m.toml:1: `vcpus` is missing, expected a number of cores"),
            (&machine("price_per_hour = 1\n"), "m.toml:1: `currency` is missing, expected the currency of its price"),
            (
                &machine("price_per_hour = 1\ncurrency = \"EUR\"\n"),
                "m.toml:1: `price_date` is missing, expected the day",
            ),
            (
                &machine("price_per_hour = -1\n"),
                "m.toml:5: `price_per_hour` is `-1`, expected a price from 0 to 1,000,000,000",
            ),
            (
                &machine("price_per_hour = 1\nprice_per_month = 1\n"),
                "m.toml:6: `price_per_month` beside `price_per_hour`",
            ),
            (&machine("cores = 1\n"), "m.toml:5: unknown field `machine.cores`, expected `name`, `vcpus`, `memory`"),
            (
                &machine("[[machine]]\nname = \"a\"\nvcpus = 2\nmemory = 1\n"),
                "m.toml:5: `name` is `a`, which the machine on line 1 has, expected another",
            ),
            (
                &machine("disk_gb = [1]\n"),
                "m.toml:5: `machine.disk_gb` is `[1]`, expected a number, a date, or a text in quotes",
            ),
            ("prices = 1\n", "m.toml:1: unknown field `prices`, expected `description`"),
            ("machine = 1\n", "m.toml:1: `machine` is `1`, expected `[[machine]]` tables"),
            (
                "[[machine]]\nname = \"a\"\nvcpus = 1\nmemory = \"32 MiB\"\n",
                "m.toml:4: `memory` is `32 MiB`, expected GiB",
            ),
            ("[[machine]]\nname = \"\\u001b[31m\"\nvcpus = 1\nmemory = 1\n", "m.toml:2: `name` is `\\u{1b}[31m`"),
        ] {
            let error = toml(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        }
        let priced = |currency: &str| format!("b,1,1,2,{currency},2026-11-28\n");
        let header = "name,vcpus,memory,price_per_month,currency,price_date\na,1,1,1,EUR,2026-11-28\n";
        for (text, expected) in [
            ("name,vcpus,memory\n".to_owned(), "m.csv: it has no machine"),
            ("name,vcpus\na,1\n".to_owned(), "m.csv:2: `memory` is missing, expected GiB such as `4`"),
            (format!("{header}{}", priced("USD")), "m.csv:3: `currency` is USD here and EUR on line 2, expected one"),
            (format!("{header}{}", priced("dollars")), "m.csv:3: `currency` is `dollars`, expected the currency"),
            (format!("{header}{}", priced("")), "m.csv:3: `currency` is missing"),
            ("name,name\na,a\n".to_owned(), "m.csv:1: the column `name` is given twice"),
            (
                "name,vcpus,memory\na,1\n".to_owned(),
                "m.csv:2: the row has 2 fields, expected 3 as in the header on line 1",
            ),
        ] {
            let error = csv(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        }
    }

    #[test]
    fn a_name_without_a_file_names_the_shipped_catalogues() {
        let error = Catalogue::read(Path::new("clouds")).unwrap_err().to_string();
        assert_eq!(error, "no catalogue `clouds` and no such file; shipped catalogues: cloud");
    }
}
