//! What may be wrong with a log that can be imported.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::job::ImportJob;
use super::options::ImportWarning;
use super::outliers::Outliers;
use super::parse::Plan;
use super::read::Collected;
use super::sort::Event;
use crate::units;
use crate::workload::excerpt;

/// A guessed column is doubted in longer logs only.
const FEWEST_EVENTS: u64 = 50;

/// Sees all events in order of time.
pub(super) struct Warnings {
    events: u64,
    placeholders: Vec<Placeholder>,
    outliers: Outliers,
    first: Option<i64>,
    last: i64,
    /// Number of different times.
    times: u64,
    /// Zone of the clocks, as long as all times are midnight there.
    by_day: Option<TimeZone>,
    /// Events at 1970-01-01T00:00:00Z.
    at_zero: u64,
    found: Vec<ImportWarning>,
}

/// An actor whose name stands for no value.
struct Placeholder {
    actor: u32,
    name: String,
    events: u64,
}

impl Warnings {
    pub(super) fn new(job: &ImportJob<'_>, collected: &Collected, plan: &Plan) -> Self {
        let placeholders = collected.actors.placeholders().into_iter();
        let mut warnings = Self {
            events: collected.events,
            placeholders: placeholders.map(|(actor, name)| Placeholder { actor, name, events: 0 }).collect(),
            outliers: Outliers::new(collected.events),
            first: None,
            last: i64::MIN,
            times: 0,
            by_day: Some(plan.times.zone.clone().unwrap_or(TimeZone::UTC)),
            at_zero: 0,
            found: Vec::new(),
        };
        for (option, is_unused) in [
            ("--time-zone", job.options.time_zone.is_some() && !collected.has_local_times),
            ("--year", job.options.year.is_some() && !collected.has_yearless_times),
        ] {
            if is_unused {
                warnings.add(
                    format!("{option} has no effect: no time of the log needs it"),
                    "leave it out, or check --time-column",
                );
            }
        }
        for &(first, events, second) in &collected.logs.repeated {
            let [first, second] = [first, second].map(|source| job.input.name(source).display());
            let events = units::counted(events, "event");
            warnings.add(
                format!("{second} begins with the {events} of {first}: they count twice"),
                "give each event once, unless two sources wrote the same",
            );
        }
        if let Some(name) = collected.actors.rounded() {
            warnings.add(
                format!("the actor `{name}` is a number that a spreadsheet rounded: it may stand for several"),
                "export the log again with that column as text, or name another --actor-column",
            );
        }
        let (actors, is_guessed) = (collected.actors.count(), plan.columns.guessed[0]);
        if is_guessed && collected.events >= FEWEST_EVENTS && (actors == 1 || actors == collected.events) {
            let column = excerpt(&plan.columns.names(&plan.columns.actor));
            let found = if actors == 1 { "all events have one actor" } else { "each event has an actor of its own" };
            warnings.add(
                format!("{found}: `{column}` was guessed"),
                "if the log has another column, name it with --actor-column",
            );
        }
        if let Some([first, second, family]) = &collected.actors.merged_types {
            warnings.add(
                format!("the actor types `{}` and `{}` are both `{family}` in the trace", excerpt(first), excerpt(second)),
                "names of column families have lower-case letters, digits and `_`; rename a type in the log to keep them apart",
            );
        }
        let in_an_hour = |events, did: &str| {
            let zone = zone_name(job.options.time_zone.as_ref());
            let events = units::counted(events, "event");
            format!("the times of {events} are in an hour that the clocks in {zone} {did}")
        };
        if collected.repeated_times > 0 {
            warnings.add(
                in_an_hour(collected.repeated_times, "showed twice"),
                "each is the first of both times, or the second if the first is before the actor's event above it in the \
                 log; only times with an offset decide",
            );
        }
        if collected.skipped_times > 0 {
            warnings.add(
                in_an_hour(collected.skipped_times, "skipped"),
                "they count as an hour later, perhaps behind events that followed them; check --time-zone",
            );
        }
        if job.options.year.is_some() && collected.steps_back > 0 {
            warnings.add(
                format!(
                    "the times of the log go back by half a year {}, as at the turn of a year",
                    units::counted(collected.steps_back, "time")
                ),
                "all events are in one year: import each year alone, with its --year",
            );
        }
        warnings
    }

    fn add(&mut self, what: String, hint: &str) {
        self.found.push(ImportWarning { what, hint: hint.to_owned() });
    }

    pub(super) fn see(&mut self, event: Event) {
        self.first.get_or_insert(event.time);
        self.times += u64::from(self.last != event.time);
        self.last = event.time;
        self.by_day = self.by_day.take().filter(|zone| is_midnight(event.time, zone));
        self.at_zero += u64::from(event.time == 0);
        self.outliers.push(event.time);
        if let Some(placeholder) = self.placeholders.iter_mut().find(|placeholder| placeholder.actor == event.actor) {
            placeholder.events += 1;
        }
    }

    pub(super) fn finish(mut self) -> Vec<ImportWarning> {
        for Placeholder { name, events, .. } in std::mem::take(&mut self.placeholders) {
            let share = 100.0 * events as f64 / self.events.max(1) as f64;
            let (events, all) = (units::counted(events, "event"), units::counted(self.events, "event"));
            self.add(
                format!(
                    "the actor of {events} of {all} ({share:.0} %) is `{}`, which may stand for no value",
                    excerpt(&name)
                ),
                "leave them out with --skip-bad-rows, or name another --actor-column",
            );
        }
        if self.at_zero > 0 {
            let (events, all) = (units::counted(self.at_zero, "event"), units::counted(self.events, "event"));
            self.add(
                format!("{events} of {all} are at 1970-01-01T00:00:00Z, as where no time was written"),
                "leave them out of the log, or name another --time-column",
            );
        }
        if self.events > 1 && self.first == Some(self.last) {
            self.add(
                format!("all {} are at {}", units::counted(self.events, "event"), timestamp(self.last)),
                "a replay at the times of the trace needs times that differ: name another --time-column, or replay it with --rate",
            );
        } else if self.by_day.is_some() && self.events >= 2 * self.times {
            self.add(
                "all times are midnight: dates without a time of day".to_owned(),
                "if another column has the time of day, pass --time-column DATE,TIME; else replay the trace with --rate",
            );
        }
        if let (Some(others), Some(first)) = (self.outliers.find(), self.first) {
            let seconds = |time: i64| time.saturating_sub(first) / 1_000_000_000;
            let (from, to) = (seconds(others.first), seconds(others.last) + 1);
            let outliers = units::counted(others.outliers as u64, "event");
            let what = format!(
                "{outliers} of {} are far from the others, which are from {} to {}",
                units::counted(self.events, "event"),
                timestamp(others.first),
                timestamp(others.last),
            );
            let hint = format!(
                "they stretch the log; check their times, or cut them off: `trace export --table trace --from {from}s --to {to}s`"
            );
            self.found.push(ImportWarning { what, hint });
        }
        self.found
    }
}

fn is_midnight(nanoseconds: i64, zone: &TimeZone) -> bool {
    zone.to_datetime(timestamp(nanoseconds)).time() == Time::midnight()
}

/// The time so many nanoseconds after 1970.
pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).expect("between 1677 and 2262")
}

/// Name of a zone for people; UTC if it is absent.
pub(super) fn zone_name(zone: Option<&TimeZone>) -> String {
    let Some(zone) = zone else { return "UTC".to_owned() };
    let fixed =
        || zone.to_fixed_offset().map_or_else(|_| "the given time zone".to_owned(), |offset| format!("UTC{offset}"));
    zone.iana_name().map_or_else(fixed, ToOwned::to_owned)
}
