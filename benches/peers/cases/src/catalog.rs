//! Every case: what it stands for, who takes part, how often it runs, and which of its figures are compared with what.
//!
//! The goals are what this backend set out to reach against the published one. They are targets, not results.

use std::fmt;

/// A backend that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// `ave-actors-rocksdb` 0.4.0 as published.
    Published,
    /// This package.
    Ours,
    /// RocksDB called directly, with this package's options.
    Bare,
    /// A file: append, and `fdatasync`.
    File,
    /// The store's `MemoryManager`.
    Memory,
    /// `ave-actors-sqlite` as published.
    Sqlite,
}

impl Side {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Published, Self::Ours, Self::Bare, Self::File, Self::Memory, Self::Sqlite];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Ours => "ours",
            Self::Bare => "bare",
            Self::File => "file",
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One kind of work.
#[derive(Debug)]
pub struct Case {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it stands for, in a line.
    pub about: &'static str,
    /// Parts that can run alone, as `name-part` or, where that is a name of its own, `part`.
    pub parts: &'static [&'static str],
    /// What is done.
    pub work: Work,
    /// Who does it.
    pub sides: &'static [Side],
    /// How often each side does it.
    pub rounds: usize,
    /// How often with `--quick`.
    pub quick_rounds: usize,
    /// Whether it runs only when asked for by name or with `--thorough`.
    pub thorough: bool,
    /// What is compared.
    pub figures: &'static [Figure],
}

/// What a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Puts with durability off.
    PutOff {
        /// Writers.
        threads: u64,
    },
    /// Puts with durability on.
    PutOn {
        /// Writers.
        threads: u64,
    },
    /// Light persists with durability off.
    PersistOff,
    /// Light persists with durability on.
    PersistOn,
    /// Gets, `last` and iteration.
    Reads,
    /// Recoveries.
    Recover,
    /// Ranges in a long log.
    Range {
        /// Length of the log.
        events: u64,
    },
    /// `last` of a log that was compacted away.
    LastCompacted(Pattern),
    /// 300 column families.
    Families,
    /// 1,000 column families beside 3.
    ManyFamilies,
    /// Bytes written per byte of the user.
    WriteAmplification {
        /// Whose snapshots are written over.
        actors: u64,
        /// Size of the snapshots.
        snapshot_bytes: usize,
    },
    /// One actor's name inside another's.
    Isolation,
    /// Purges and deletes.
    Purge,
}

/// In which order events were put and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// All put, then all deleted.
    All,
    /// All put, then all but the last ten deleted.
    Tail,
    /// A thousand put, the thousand deleted, and so on.
    Interleaved,
}

/// One figure of a case and how it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// What people call it.
    pub label: &'static str,
    /// Its name in [`Outcome::metrics`](crate::Outcome::metrics), or in `texts`.
    pub metric: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How it is judged.
    pub judge: Judge,
    /// The metric that says what CPU it took: on a busy host steadier than time.
    pub cpu: Option<&'static str>,
}

impl Figure {
    const fn cpu(mut self, metric: &'static str) -> Self {
        self.cpu = Some(metric);
        self
    }
}

/// How a figure is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judge {
    /// Ours divided by the other side's, for what should be high (rates) or low (amplification, tails).
    Share(Side, Goal),
    /// The other side's divided by ours: how many times faster, for times.
    Speedup(Side, Goal),
    /// Ours by itself; the published one's is shown beside it.
    Own(Goal),
    /// A text, not a number.
    Text,
}

/// Where the result should lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// No goal: for information.
    None,
}

impl Goal {
    /// Whether `value` meets it; `None` where there is no goal.
    pub fn met_by(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(bound) => Some(value >= bound),
            Self::AtMost(bound) => Some(value <= bound),
            Self::None => None,
        }
    }
}

use Goal::{AtLeast, AtMost};
use Judge::{Own, Share, Speedup, Text};
use Side::{Bare, File, Ours, Published};

const fn figure(label: &'static str, metric: &'static str, unit: &'static str, judge: Judge) -> Figure {
    Figure { label, metric, unit, judge, cpu: None }
}

const PAIR: &[Side] = &[Published, Ours];
const WITH_BARE: &[Side] = &[Published, Ours, Bare];
const WITH_FILE: &[Side] = &[Published, Ours, File];

const fn case(name: &'static str, about: &'static str, work: Work, figures: &'static [Figure]) -> Case {
    Case { name, about, parts: &[], work, sides: PAIR, rounds: 5, quick_rounds: 2, thorough: false, figures }
}

const PER_OP: &str = "cpu_us_per_op";

macro_rules! put_off_figures {
    () => {
        &[
            figure("puts per second", "ops_per_s", "/s", Share(Published, AtLeast(1.1))).cpu(PER_OP),
            figure("put p99.9", "p999_us", "µs", Share(Published, AtMost(1.0))),
            figure("puts per second, beside bare RocksDB", "ops_per_s", "/s", Share(Bare, AtLeast(0.9))).cpu(PER_OP),
        ]
    };
}

const PUT_ON: Figure = figure("puts per second", "ops_per_s", "/s", Share(Published, AtLeast(1.0))).cpu(PER_OP);
const PUT_ON_TAIL: Figure = figure("put p99", "p99_us", "µs", Share(Published, Goal::None));

const COMPACTED: &[Figure] = &[
    figure("`last`, settled", "long_us", "µs", Speedup(Published, Goal::None)),
    figure("`last`, times that of a short log", "long_over_short", "x", Own(AtMost(5.0))),
    figure("`last`, first call", "first_us", "µs", Speedup(Published, Goal::None)),
    figure("`last`, first call after reopening", "reopened.first_us", "µs", Speedup(Published, Goal::None)),
    figure("`last` after reopening, times that of a short log", "reopened.long_over_short", "x", Own(AtMost(5.0))),
    figure("oldest event", "oldest_us", "µs", Speedup(Published, Goal::None)),
];

const WRITE_AMP: &[Figure] = &[
    figure("bytes written per byte of the user", "write_amp", "x", Share(Published, AtMost(0.7))),
    figure("the same without the log", "write_amp_beyond_log", "x", Share(Published, Goal::None)),
    figure("bytes to the disk per byte of the user", "disk_write_amp", "x", Share(Published, Goal::None)),
    figure("space on disk", "space_mb", "MB", Share(Published, Goal::None)),
    figure("persists per second meanwhile", "ops_per_s", "/s", Share(Published, Goal::None)).cpu("cpu_s_all"),
];

/// The cases in the order in which they run.
pub const CASES: &[Case] = &[
    Case {
        sides: WITH_BARE,
        rounds: 4,
        ..case(
            "put-off-1",
            "256-byte puts, durability off, one writer",
            Work::PutOff { threads: 1 },
            put_off_figures!(),
        )
    },
    Case {
        sides: WITH_BARE,
        rounds: 4,
        ..case(
            "put-off-2",
            "256-byte puts, durability off, two writers",
            Work::PutOff { threads: 2 },
            put_off_figures!(),
        )
    },
    Case {
        sides: WITH_FILE,
        rounds: 10,
        quick_rounds: 3,
        ..case(
            "put-on-1",
            "256-byte puts, durability on, one writer",
            Work::PutOn { threads: 1 },
            &[
                PUT_ON,
                PUT_ON_TAIL,
                figure("puts per second, beside append and fdatasync", "ops_per_s", "/s", Share(File, AtLeast(0.9)))
                    .cpu(PER_OP),
            ],
        )
    },
    Case {
        rounds: 10,
        quick_rounds: 3,
        ..case(
            "put-on-2",
            "256-byte puts, durability on, two writers",
            Work::PutOn { threads: 2 },
            &[PUT_ON, PUT_ON_TAIL],
        )
    },
    Case {
        rounds: 10,
        quick_rounds: 3,
        ..case(
            "put-on-8",
            "256-byte puts, durability on, eight writers",
            Work::PutOn { threads: 8 },
            &[PUT_ON, PUT_ON_TAIL],
        )
    },
    Case {
        rounds: 10,
        quick_rounds: 3,
        ..case(
            "persist-on",
            "light persists of 100 actors, durability on",
            Work::PersistOn,
            &[
                figure("persists per second", "ops_per_s", "/s", Share(Published, AtLeast(1.0))).cpu(PER_OP),
                figure("persist p99", "p99_us", "µs", Share(Published, Goal::None)),
            ],
        )
    },
    case(
        "persist-off",
        "light persists of 100 actors, durability off",
        Work::PersistOff,
        &[
            figure("persists per second", "ops_per_s", "/s", Share(Published, Goal::None)).cpu(PER_OP),
            figure("persist p99.9", "p999_us", "µs", Share(Published, Goal::None)),
        ],
    ),
    Case {
        parts: &["get-hit", "get-miss", "last", "last-anew", "iter", "get-hit-mem"],
        ..case(
            "reads",
            "reads of 20 logs of 10,000 events in files and block cache",
            Work::Reads,
            &[
                figure("get, a hit", "get-hit.us", "µs", Speedup(Published, AtLeast(1.5))).cpu("get-hit.cpu_us"),
                figure("get, a miss", "get-miss.us", "µs", Speedup(Published, AtLeast(1.5))).cpu("get-miss.cpu_us"),
                figure("`last`, same handle again", "last.us", "µs", Speedup(Published, AtLeast(1.5)))
                    .cpu("last.cpu_us"),
                figure("`last`, new handle", "last-anew.us", "µs", Speedup(Published, AtLeast(1.5)))
                    .cpu("last-anew.cpu_us"),
                figure("iteration, per entry", "iter.us", "µs", Speedup(Published, AtLeast(1.5))).cpu("iter.cpu_us"),
                figure("get, a hit, not in files yet", "get-hit-mem.us", "µs", Speedup(Published, AtLeast(1.5)))
                    .cpu("get-hit-mem.cpu_us"),
            ],
        )
    },
    Case {
        parts: &["warm", "cold"],
        ..case(
            "recover",
            "recoveries: a snapshot and 50 events after it, 2,000 actors",
            Work::Recover,
            &[
                figure("recovery, warm", "warm.us", "µs", Speedup(Published, AtLeast(2.0))).cpu("warm.cpu_us"),
                figure("recovery, cold", "cold.us", "µs", Speedup(Published, AtLeast(2.0))).cpu("cold.cpu_us"),
                figure(
                    "KiB from the disk per recovery, cold",
                    "cold.disk_kib_per_op",
                    "KiB",
                    Share(Published, Goal::None),
                ),
            ],
        )
    },
    Case {
        rounds: 3,
        quick_rounds: 1,
        ..case(
            "range-1e5",
            "ten events from the middle of a log of 100,000",
            Work::Range { events: 100_000 },
            &[figure("get_by_range", "us", "µs", Speedup(Published, AtLeast(1_000.0)))],
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "range-1e6",
            "ten events from the middle of a log of 1,000,000",
            Work::Range { events: 1_000_000 },
            &[
                figure("get_by_range", "us", "µs", Speedup(Published, AtLeast(1_000.0))),
                figure("get_by_range, times that of a log of 100,000", "over_1e5", "x", Own(AtMost(1.5))),
            ],
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        ..case(
            "last-compacted",
            "`last` of a log of 1,000,000 events, all deleted since",
            Work::LastCompacted(Pattern::All),
            COMPACTED,
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        ..case(
            "last-compacted-tail",
            "`last` of a log of 1,000,000 events, all but ten deleted since",
            Work::LastCompacted(Pattern::Tail),
            COMPACTED,
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        ..case(
            "last-compacted-interleaved",
            "`last` of a log that put 1,000 events, deleted them, and so on a thousand times",
            Work::LastCompacted(Pattern::Interleaved),
            COMPACTED,
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "families-300",
            "300 column families: creation, 1.2 GB of light persists, stop, opening",
            Work::Families,
            &[
                figure("create 300 column families", "create.s", "s", Speedup(Published, AtLeast(3.0)))
                    .cpu("create.cpu_s"),
                figure("persists per second", "ops_per_s", "/s", Share(Published, AtLeast(1.0))).cpu(PER_OP),
                figure("peak memory", "rss_mib", "MiB", Own(AtMost(268.8))),
                figure("stop", "stop.s", "s", Speedup(Published, Goal::None)).cpu("stop.cpu_s"),
                figure("open", "reopen.s", "s", Speedup(Published, AtLeast(1.0))).cpu("reopen.cpu_s"),
            ],
        )
    },
    Case {
        sides: &[Ours],
        rounds: 3,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "families-1000",
            "light persists over 1,000 column families, beside 3",
            Work::ManyFamilies,
            &[figure("persists per second, times those over 3", "many_over_few", "x", Own(AtLeast(1.0)))],
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "write-amp-1k",
            "light persists of 500 actors with snapshots of 1 KiB",
            Work::WriteAmplification { actors: 500, snapshot_bytes: 1024 },
            WRITE_AMP,
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "write-amp-64k",
            "light persists of 500 actors with snapshots of 64 KiB",
            Work::WriteAmplification { actors: 500, snapshot_bytes: 64 * 1024 },
            WRITE_AMP,
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "write-amp-wide",
            "light persists of 20,000 actors with snapshots of 4 KiB: more than memtables hold",
            Work::WriteAmplification { actors: 20_000, snapshot_bytes: 4096 },
            WRITE_AMP,
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        ..case(
            "isolation",
            "whether the actor `a` keeps its hands off the events of `a.b`",
            Work::Isolation,
            &[figure("what `a` does to `a.b`", "verdict", "", Text)],
        )
    },
    Case {
        rounds: 3,
        quick_rounds: 1,
        ..case(
            "purge",
            "purges of logs of 100 and of 100,000 events, deletes, stop",
            Work::Purge,
            &[
                figure("purge of 100 events", "short.us", "µs", Speedup(Published, Goal::None)),
                figure("purge of 100,000 events", "long.us", "µs", Speedup(Published, Goal::None)),
                figure("del", "del.us", "µs", Speedup(Published, Goal::None)),
                figure("stop", "stop.s", "s", Speedup(Published, Goal::None)),
            ],
        )
    },
];

/// The case of this name, or the case with a part of this name, and the part.
pub fn find(name: &str) -> Option<(&'static Case, Option<&'static str>)> {
    if let Some(case) = CASES.iter().find(|case| case.name == name) {
        return Some((case, None));
    }
    CASES.iter().find_map(|case| {
        let part = case.parts.iter().find(|part| **part == name || format!("{}-{part}", case.name) == name)?;
        Some((case, Some(*part)))
    })
}

/// The names of all cases and of their parts.
pub fn names() -> Vec<&'static str> {
    CASES.iter().flat_map(|case| std::iter::once(case.name).chain(case.parts.iter().copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names = names();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.into_iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn a_part_is_found_by_either_name() {
        assert_eq!(find("get-hit").unwrap().1, Some("get-hit"));
        assert_eq!(find("recover-warm").unwrap().1, Some("warm"));
        assert!(find("recover-tepid").is_none());
    }

    #[test]
    fn whoever_is_compared_with_takes_part() {
        for case in CASES {
            for figure in case.figures {
                if let Share(side, _) | Speedup(side, _) = figure.judge {
                    assert!(case.sides.contains(&side), "{}: {}", case.name, figure.label);
                }
            }
        }
    }

    #[test]
    fn goals_include_their_bound() {
        assert_eq!(AtLeast(1.1).met_by(1.1), Some(true));
        assert_eq!(AtMost(0.7).met_by(0.71), Some(false));
        assert_eq!(Goal::None.met_by(1.0), None);
    }
}
