//! Histogram logs of the HdrHistogram family: interval logs of version 1.3, written beside reports and read back when
//! reports are joined. Values are nanoseconds.
//!
//! Knows the format and the tags, not what the latencies are of.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_STANDARD, Engine};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::actor::Durability;
use crate::measure::{LatencyHistogram, Slice};

/// One line: when its interval began, how long that was, its tag, and what was counted in it.
pub(crate) type LogLine = (Duration, Duration, String, LatencyHistogram);

/// The tag of a command's interval in one round: `persist.durability-on.round-2`.
pub(crate) fn round_tag(command: &str, durability: Durability, round: usize) -> String {
    format!("{command}.durability-{durability}.round-{round}")
}

/// A log of these lines, which are in order of time since `started`.
pub(crate) fn write(comments: &[String], started: SystemTime, lines: impl Iterator<Item = LogLine>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    for comment in comments {
        builder.add_comment(&comment.replace(['\n', '\r'], " "));
    }
    builder.with_start_time(started);
    builder.with_base_time(started);
    // Into memory nothing fails.
    if let Ok(mut log) = builder.begin_log_with(&mut bytes, &mut serializer) {
        for (at, length, tag, latencies) in lines {
            let _ = log.write_histogram(latencies.as_hdr(), at, length, Tag::new(&tag));
        }
    }
    bytes
}

/// Latencies of one command in one durability mode, all intervals and rounds added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedLatencies {
    pub(crate) command: String,
    pub(crate) durability: Durability,
    /// Time its intervals cover.
    pub(crate) length: Duration,
    pub(crate) latencies: Slice,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LogError {
    /// Line, from 1.
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// Reads a log that [`write`] wrote with [`round_tag`]s, and adds up the intervals of each command and mode, sample by
/// sample.
pub(crate) fn read(log: &[u8]) -> Result<Vec<LoggedLatencies>, LogError> {
    let mut sums = Sums::new();
    for (line, text) in (1..).zip(log.split_inclusive(|&byte| byte == b'\n')) {
        for entry in IntervalLogIterator::new(text) {
            let entry = entry.map_err(|_| LogError { line, reason: "no interval, or cut off".to_owned() })?;
            if let LogEntry::Interval(interval) = entry {
                add(&mut sums, &interval).map_err(|reason| LogError { line, reason })?;
            }
        }
    }
    let logged = sums.into_iter().map(|((command, durability), (length, sum))| {
        let latencies = Slice::of(&sum);
        LoggedLatencies { command, durability, length, latencies }
    });
    Ok(logged.collect())
}

type Sums = BTreeMap<(String, Durability), (Duration, LatencyHistogram)>;

fn add(sums: &mut Sums, interval: &IntervalLogHistogram<'_>) -> Result<(), String> {
    let tag = interval.tag().map(|tag| tag.as_str().to_owned()).unwrap_or_default();
    let (command, durability) =
        parse_tag(&tag).ok_or_else(|| format!("the tag `{tag}` does not name command, durability and round"))?;
    let bytes = BASE64_STANDARD.decode(interval.encoded_histogram());
    let bytes = bytes.map_err(|error| format!("its histogram is not base64: {error}"))?;
    let counted: Result<Histogram<u64>, _> = Deserializer::new().deserialize(&mut bytes.as_slice());
    let counted = counted.map_err(|error| format!("its histogram is damaged: {error}"))?;
    let (length, sum) = sums.entry((command.to_owned(), durability)).or_default();
    *length += interval.duration();
    for step in counted.iter_recorded() {
        sum.record_many(step.value_iterated_to(), step.count_at_value());
    }
    Ok(())
}

fn parse_tag(tag: &str) -> Option<(&str, Durability)> {
    let (front, round) = tag.rsplit_once(".round-")?;
    let (command, durability) = front.rsplit_once(".durability-")?;
    round.parse::<u32>().ok()?;
    Some((command, Durability::BOTH.into_iter().find(|known| known.to_string() == durability)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn log_of(intervals: &[(String, Vec<u64>)]) -> Vec<u8> {
        let lines = intervals.iter().map(|(tag, latencies)| {
            (Duration::ZERO, SECOND, tag.clone(), latencies.iter().copied().collect::<LatencyHistogram>())
        });
        write(&["two\nlines".to_owned()], SystemTime::UNIX_EPOCH, lines)
    }

    proptest! {
        #[test]
        fn intervals_add_up_to_the_histogram_of_all_their_samples(
            rounds in prop::collection::vec(prop::collection::vec(1u64..3_600_000_000_000, 0..40), 1..6),
        ) {
            let tag = |round: usize| round_tag("last_event", Durability::On, round + 1);
            let intervals: Vec<_> = rounds.iter().cloned().enumerate().map(|(n, round)| (tag(n), round)).collect();
            let found = read(&log_of(&intervals)).unwrap();
            let all: LatencyHistogram = rounds.iter().flatten().copied().collect();
            let expected = LoggedLatencies {
                command: "last_event".to_owned(),
                durability: Durability::On,
                length: SECOND * u32::try_from(rounds.len()).unwrap(),
                latencies: Slice::of(&all),
            };
            prop_assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn what_is_no_log_is_refused_with_its_line() {
        let good = log_of(&[(round_tag("persist", Durability::Off, 1), vec![5, 6])]);
        let text = String::from_utf8(good.clone()).unwrap();
        let lines = text.lines().count();
        assert_eq!(read(&good[..good.len() - 9]).unwrap_err().line, lines, "cut off");
        for (from, to, reason) in [
            ("persist.durability-off.round-1", "persist", "the tag `persist`"),
            (".durability-off.", ".durability-maybe.", "the tag"),
            ("HIST", "!!!!", "not base64"),
            ("HIST", "AAAA", "damaged"),
        ] {
            let error = read(text.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.line == lines && error.reason.contains(reason), "{error:?}");
        }
        assert_eq!(read(b"garbage\n").unwrap_err().line, 1);
        assert_eq!(read(b"").unwrap(), []);
    }
}
