//! Finds the columns of a log.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::job::ImportJob;
use super::options::ImportOptions;
use super::rows::{field, joined};
use super::sample::Sample;
use super::times::{Guess, TimeForm, TimeReader, guess};
use crate::trace::error::TraceError;
use crate::workload::excerpt;

/// Usual names of the column of the case, in order of preference and without everything but letters and digits. The first
/// is that of the XES standard.
const ACTOR_NAMES: &str = "caseconceptname caseid case casenumber caseno casekey caseidentifier actorid actor subjectid \
    subject entityid entity aggregateid aggregaterootid persistenceid streamid streamname stream accountid orderid \
    ordernumber orderno userid sessionid traceid deviceid processinstanceid key";
/// Names of columns that are the actor if their values repeat.
const LIKELY_ACTOR_NAMES: &str = "id ticketid ticketnumber ticket incidentid incidentnumber incident requestid \
    customerid customer clientid clientip client account user username session device sensorid sensor vehicleid vehicle \
    machineid machine patientid patient studentid walletid wallet conversationid correlationid playerid memberid \
    employeeid instanceid meterid stationid tripid cardid invoiceid documentid objectid partitionkey host hostname";
/// Usual names of the column of the time, likewise.
const TIME_NAMES: &str = "timetimestamp timestamp eventtimestamp eventtime time datetime eventdatetime occurredat \
    occurredon createdat recordedat loggedat completetimestamp completetime endtimestamp endtime starttimestamp \
    starttime logtimestamp logtime timelocal insertedat emittedat ts";
/// Names of columns that may contain a time of day too, behind those above and behind pairs of date and time.
const DATE_NAMES: &str = "date eventdate startdate completedate enddate createddate creationdate logdate datum day";
/// Columns of a date and of the time of day beside it, other than those whose names differ in `date` and `time`.
const DATE_AND_TIME_NAMES: [[&str; 2]; 3] = [["erdat", "erzet"], ["datum", "uhrzeit"], ["datum", "zeit"]];

/// Columns that an error names.
const NAMED_COLUMNS: usize = 40;

#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) headers: Vec<String>,
    /// Joined, their texts name the actor.
    pub(super) actor: Vec<usize>,
    /// One column, or date and time of day.
    pub(super) time: Vec<usize>,
    /// The whole row if absent.
    pub(super) payload: Option<usize>,
    /// Has the size of the event; the payload's length if absent.
    pub(super) size: Option<usize>,
    /// Has the type of the actor.
    pub(super) actor_type: Option<usize>,
    /// Fields that every row has: those behind have no name.
    pub(super) fewest: usize,
    /// Whether the columns of actor and time were guessed.
    pub(super) guessed: [bool; 2],
}

impl Columns {
    /// `given` reads times in the format that is an option.
    pub(super) fn find(job: &ImportJob<'_>, sample: &Sample, given: Option<&TimeReader>) -> Result<Self, TraceError> {
        let options = job.options;
        let search = Search::new(sample, given, options);
        let (actor, time) = (options.actor_column.as_deref(), options.time_column.as_deref());
        let guessed = [actor.is_none(), time.is_none()];
        let time = match time {
            Some(names) => search.joined(names, "--time-column"),
            None => search.guess_time(),
        };
        let actor = match actor {
            Some(names) => search.joined(names, "--actor-column"),
            None => search.guess_actor(),
        };
        let others = [
            (options.payload_column.as_deref(), "--payload-column"),
            (options.size_column.as_deref(), "--size-column"),
            (options.type_column.as_deref(), "--type-column"),
        ];
        let others = others.map(|(name, option)| name.map(|name| search.named(name, option)).transpose());
        let fewest = sample.headers.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
        match (actor, time, others) {
            (Ok(actor), Ok(time), [Ok(payload), Ok(size), Ok(actor_type)]) => {
                let headers = sample.headers.clone();
                Ok(Self { headers, actor, time, payload, size, actor_type, fewest, guessed })
            }
            (actor, time, others) => {
                let time_columns = time.as_ref().ok().filter(|_| actor.is_err());
                let command = time_columns.and_then(|time| search.command(job, time));
                let others = others.into_iter().map(Result::err);
                let is_comment =
                    options.comment.is_none() && sample.headers.first().is_some_and(|name| name.starts_with('#'));
                let comment = is_comment.then(|| {
                    "the names begin with `#`: if such lines are comments, pass --comment '#', and --no-header if the names \
                     are in one"
                        .to_owned()
                });
                let problems = [actor.err(), time.err()].into_iter().chain(others).chain([comment]).flatten().collect();
                Err(TraceError::MissingColumns {
                    path: job.input.name(0).to_owned(),
                    problems,
                    columns: search.described(job),
                    command,
                })
            }
        }
    }

    /// Names of the columns of the actor or of the time.
    pub(super) fn names(&self, columns: &[usize]) -> String {
        columns.iter().map(|&column| self.headers[column].as_str()).collect::<Vec<_>>().join(",")
    }

    /// The columns as lines of the import's summary.
    pub(super) fn described(&self) -> Vec<String> {
        let column = |what: &str, columns: &[usize], guessed: bool| {
            let names: Vec<_> = columns.iter().map(|&column| format!("`{}`", excerpt(&self.headers[column]))).collect();
            format!("{what}: {}{}", names.join(" and "), if guessed { " (guessed)" } else { "" })
        };
        let mut lines =
            vec![column("actor", &self.actor, self.guessed[0]), column("time", &self.time, self.guessed[1])];
        lines.push(match (self.size, self.payload) {
            (Some(size), _) => column("event size", &[size], false),
            (None, Some(payload)) => column("payload", &[payload], false),
            (None, None) => "payload: the whole row".to_owned(),
        });
        lines.extend(self.actor_type.map(|actor_type| column("actor type", &[actor_type], false)));
        lines
    }
}

/// Letters and digits of a name, in lower case: `Case ID`, `case_id` and `CaseID` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

struct Search<'a> {
    sample: &'a Sample,
    /// Columns by the letters and digits of their names.
    plain: HashMap<String, Vec<usize>>,
    given: Option<&'a TimeReader>,
    year: Option<i16>,
    zone: Option<&'a TimeZone>,
}

impl<'a> Search<'a> {
    fn new(sample: &'a Sample, given: Option<&'a TimeReader>, options: &'a ImportOptions) -> Self {
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        for (column, name) in sample.headers.iter().enumerate() {
            names.entry(plain(name)).or_default().push(column);
        }
        Self { sample, plain: names, given, year: options.year, zone: options.time_zone.as_ref() }
    }

    fn headers(&self) -> &[String] {
        &self.sample.headers
    }

    fn alike(&self, plain: &str) -> &[usize] {
        self.plain.get(plain).map_or(&[], Vec::as_slice)
    }

    fn positions(&self, is_such: impl Fn(&str) -> bool) -> Vec<usize> {
        self.headers().iter().enumerate().filter(|(_, name)| is_such(name)).map(|(column, _)| column).collect()
    }

    /// The column of this name, which may be padded with blanks, or of this number behind `#`; else the problem.
    fn named(&self, name: &str, option: &str) -> Result<usize, String> {
        let exact = self.positions(|header| header == name);
        let found = if exact.is_empty() { self.positions(|header| header.trim() == name.trim()) } else { exact };
        match found[..] {
            [column] => Ok(column),
            [] => {
                let number = name.strip_prefix('#').and_then(|number| number.parse::<usize>().ok());
                let column = number.and_then(|number| number.checked_sub(1)).filter(|&at| at < self.headers().len());
                column.ok_or_else(|| format!("no column `{}`: select another with {option}", excerpt(name)))
            }
            [first, second, ..] => Err(format!(
                "several columns are called `{}`: select one by its number, `{option} '#{}'` or `{option} '#{}'`",
                excerpt(name),
                first + 1,
                second + 1,
            )),
        }
    }

    /// One column, or several with commas between them; a column whose own name has the comma comes first.
    fn joined(&self, names: &str, option: &str) -> Result<Vec<usize>, String> {
        let exists = |name: &str| self.headers().iter().any(|header| header.trim() == name.trim());
        if exists(names) {
            return Ok(vec![self.named(names, option)?]);
        }
        names.split(',').map(|name| self.named(name, option)).collect()
    }

    /// The columns with a usual name, in order of preference; those of equal names are a problem.
    fn usual(&self, names: &'static str) -> impl Iterator<Item = usize> {
        names.split_whitespace().flat_map(|usual| self.alike(usual)).copied()
    }

    /// Fails if another column has the very same name.
    fn only(&self, column: usize, option: &str) -> Result<Vec<usize>, String> {
        self.named(&self.headers()[column], option).map(|column| vec![column])
    }

    fn guess_actor(&self) -> Result<Vec<usize>, String> {
        let option = "--actor-column";
        let rows = self.sample.rows.len();
        let repeats = |&column: &usize| {
            let (distinct, filled) = (self.sample.distinct(column), self.sample.filled(column));
            (2..filled).contains(&distinct) && filled * 2 >= rows
        };
        let usual = || self.usual(ACTOR_NAMES);
        let found = usual().find(repeats).or_else(|| usual().next());
        let found = found.or_else(|| self.usual(LIKELY_ACTOR_NAMES).find(repeats));
        let missing = "no column looks like the actor (`case:concept:name`, `case_id` or the like)";
        found.map_or_else(|| Err(format!("{missing}: select it with {option}")), |column| self.only(column, option))
    }

    fn guess_time(&self) -> Result<Vec<usize>, String> {
        let option = "--time-column";
        let reads = |&column: &usize| self.reads_as_time(&[column]);
        if let Some(column) = self.usual(TIME_NAMES).find(reads) {
            return self.only(column, option);
        }
        if let Some(pair) = self.date_and_time() {
            return Ok(pair);
        }
        if let Some(column) = self.usual(DATE_NAMES).find(reads) {
            return self.only(column, option);
        }
        // Less usual names, and then contents, count only if one column has them.
        let is_written = |&column: &usize| self.is_written_as_time(column);
        let all = || self.positions(|_| true).into_iter();
        for found in [
            self.positions(|name| ["timestamp", "datetime"].iter().any(|end| plain(name).ends_with(end))),
            self.positions(|name| plain(name).ends_with("time")),
            self.positions(|name| {
                plain(name).ends_with("date") || ["_at", " at", "At"].iter().any(|end| name.ends_with(end))
            }),
            all().filter(is_written).collect(),
        ] {
            match found.into_iter().filter(reads).collect::<Vec<_>>()[..] {
                [] => {}
                [column] => return self.only(column, option),
                [first, second, ..] => {
                    let [first, second] = [first, second].map(|column| excerpt(&self.headers()[column]));
                    return Err(format!(
                        "several columns look like the time, `{first}` and `{second}`: select one with {option}"
                    ));
                }
            }
        }
        // A column whose times cannot be read is reported with them.
        let unreadable = self.usual(TIME_NAMES).next().or_else(|| self.usual(DATE_NAMES).next());
        let missing = "no column looks like the time (`time:timestamp`, `timestamp` or the like)";
        unreadable
            .map_or_else(|| Err(format!("{missing}: select it with {option}")), |column| self.only(column, option))
    }

    /// Whether the first text of a column is more than a number, which may be anything.
    fn is_written_as_time(&self, column: usize) -> bool {
        let texts = self.sample.rows.iter().map(|sample| field(&sample.row, column));
        let first = texts.map(<[u8]>::trim_ascii).find(|text| !text.is_empty());
        first.is_some_and(|text| !text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')))
    }

    /// A column of dates, and one of the times of day beside them.
    fn date_and_time(&self) -> Option<Vec<usize>> {
        let named = |name: &str| self.alike(name).first().copied();
        let pairs = self.headers().iter().enumerate().filter_map(|(date, name)| {
            let name = plain(name);
            let usual = DATE_AND_TIME_NAMES.iter().find(|pair| pair[0] == name).and_then(|pair| named(pair[1]));
            let time = usual.or_else(|| named(&name.replacen("date", "time", 1)))?;
            (time != date).then(|| vec![date, time])
        });
        pairs.into_iter().find(|pair| self.reads_as_time(pair))
    }

    /// Whether most of the first rows have times in these columns that can be read.
    fn reads_as_time(&self, columns: &[usize]) -> bool {
        let rows = self.sample.rows.iter().map(|sample| joined(&sample.row, columns, b' ').into_owned());
        let texts: Vec<_> = rows.filter(|text| !text.trim_ascii().is_empty()).collect();
        if self.sample.rows.is_empty() {
            return true;
        }
        if texts.len() * 2 < self.sample.rows.len() {
            return false;
        }
        match self.given {
            Some(reader) => texts.iter().filter(|text| reader.read(text).is_some()).count() * 2 > texts.len(),
            None => match guess(&texts, self.year, self.zone) {
                Guess::Is(TimeForm::Format(_)) | Guess::Number(..) | Guess::Unknown => false,
                Guess::Is(form) => {
                    let reader = TimeReader { form, zone: self.zone.cloned(), year: self.year };
                    texts.iter().filter(|text| reader.read(text).is_some()).count() * 2 > texts.len()
                }
                Guess::Ambiguous(_) | Guess::WithoutYear | Guess::OtherZone(..) => true,
            },
        }
    }

    /// Names of the columns with their numbers of different values.
    fn described(&self, job: &ImportJob<'_>) -> Vec<String> {
        let described = |(column, name): (usize, &String)| {
            let name = if name.trim().is_empty() { format!("#{}", column + 1) } else { excerpt(name) };
            format!("{name} ({})", self.sample.distinct(column))
        };
        let own = job.own_columns(self.headers().len());
        let columns = self.headers().iter().take(own).enumerate();
        let mut described: Vec<_> = columns.take(NAMED_COLUMNS).map(described).collect();
        let more = own.saturating_sub(NAMED_COLUMNS);
        if more > 0 {
            described.push(format!("… and {more} more"));
        }
        described
    }

    /// A command line with the column that is most like an actor: its values repeat, and there are many.
    fn command(&self, job: &ImportJob<'_>, time: &[usize]) -> Option<String> {
        let own = job.own_columns(self.headers().len());
        let is_other = |column: &usize| time.contains(column) || *column >= own;
        let candidates = self.positions(|name| !name.trim().is_empty()).into_iter().filter(|column| !is_other(column));
        let rows = self.sample.rows.len();
        let names_one = |column: usize| {
            let name = plain(&self.headers()[column]);
            ["id", "key", "number", "address"].iter().any(|end| name.ends_with(end))
        };
        let suitable = candidates.filter(|&column| {
            let (distinct, filled) = (self.sample.distinct(column), self.sample.filled(column));
            let most = if names_one(column) { filled.saturating_sub(1) } else { filled / 2 };
            (2..=most).contains(&distinct) && filled * 2 >= rows && self.sample.is_like_names(column)
        });
        let actor = suitable.max_by_key(|&column| (names_one(column), self.sample.distinct(column)))?;
        let options = job.options;
        let mut words = vec!["ave-workbench".to_owned(), "trace".to_owned(), "import".to_owned()];
        let arguments = job.input.arguments();
        words.extend(arguments.iter().take(3).map(|name| quoted(name)));
        words.extend((arguments.len() > 3).then(|| "…".to_owned()));
        let character = |byte: Option<u8>| byte.map(|byte| char::from(byte).to_string());
        let skip_lines = (options.skip_lines > 0).then(|| options.skip_lines.to_string());
        for (option, value) in [
            ("--actor-column", Some(self.headers()[actor].clone())),
            ("--time-column", options.time_column.clone()),
            ("--time-format", options.time_format.clone()),
            ("--year", options.year.map(|year| year.to_string())),
            ("--delimiter", character(options.delimiter.filter(|_| job.format.is_none()))),
            ("--comment", character(options.comment)),
            ("--escape", character(options.escape)),
            ("--skip-lines", skip_lines),
        ] {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), quoted(&value)]));
        }
        words.extend((!options.has_header).then(|| "--no-header".to_owned()));
        words.extend(options.skip_bad_rows.map(|_| "--skip-bad-rows".to_owned()));
        Some(words.join(" "))
    }
}

/// A word of a shell's command line, in quotes if it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:,=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", crate::workload::escape(word).replace('\'', "'\\''"))
}
