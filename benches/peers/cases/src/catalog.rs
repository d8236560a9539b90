//! All cases, with their backends, rounds, figures and goals.
//!
//! The goals are what this backend set out to reach against the published one. They are targets, not results.

use std::fmt;

/// A backend, or a limit that none can exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This package.
    Ours,
    /// `ave-actors-rocksdb` 0.4.0 as published.
    Published,
    /// `ave-actors-sqlite` as published.
    Sqlite,
    /// The store's `MemoryManager`.
    Memory,
    /// RocksDB called directly, with this package's options.
    Bare,
    /// A file: append, and `fdatasync`.
    File,
}

impl Side {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 6] = [Self::Ours, Self::Published, Self::Sqlite, Self::Memory, Self::Bare, Self::File];
    /// The other backends, each with a column of its own.
    pub const PEERS: [Self; 3] = [Self::Published, Self::Sqlite, Self::Memory];
    /// What no backend over them can pass.
    pub const LIMITS: [Self; 2] = [Self::Bare, Self::File];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Published => "published",
            Self::Sqlite => "sqlite",
            Self::Memory => "memory",
            Self::Bare => "bare",
            Self::File => "file",
        }
    }

    /// The side of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
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
    /// The limit that does it too.
    pub limit: Option<Side>,
    /// How often each side does it.
    pub rounds: usize,
    /// How often with `--quick`.
    pub quick_rounds: usize,
    /// Whether it runs only by name or with `--thorough`.
    pub thorough: bool,
    /// What is compared.
    pub figures: &'static [Figure],
}

impl Case {
    /// Whether writes wait for the disk.
    pub fn durability(&self) -> bool {
        match self.work {
            Work::PutOn { .. } | Work::PersistOn | Work::ActorsLight { .. } | Work::ActorsFull { .. } => true,
            Work::Workload { durability, .. } => durability,
            _ => false,
        }
    }

    /// Why a side is not measured; `None` if it is.
    pub fn absence(&self, side: Side) -> Option<&'static str> {
        let is_about_files = matches!(self.work, Work::WriteAmplification { .. } | Work::Families | Work::ManyFamilies);
        let is_long = matches!(self.work, Work::Range { events } if events > 100_000)
            || matches!(self.work, Work::WriteAmplification { actors, .. } if actors > 1_000);
        match side {
            Side::Memory if self.durability() => Some("it keeps nothing on a disk"),
            Side::Memory if is_about_files => Some("it has no files"),
            Side::Sqlite if is_long => Some("it is too slow, or needs more open files than a process may have"),
            Side::Bare | Side::File if self.limit != Some(side) => Some("it is no limit of this"),
            _ if self.work == Work::ManyFamilies && side != Side::Ours => Some("it is about this backend alone"),
            _ => None,
        }
    }
}

/// What a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A workload that ships, through the workbench's runner.
    Workload {
        /// Its name.
        name: &'static str,
        /// Whether writes wait for the disk.
        durability: bool,
    },
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
    /// Busy actors of an actor system under light persistence, durability on.
    ActorsLight {
        /// Their number.
        actors: u64,
    },
    /// The same under full persistence.
    ActorsFull {
        /// Their number.
        actors: u64,
    },
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
    /// What is good.
    pub better: Better,
    /// What this backend set out to reach.
    pub goals: &'static [Goal],
    /// The metric of its CPU time, and the unit: on a busy host steadier than time.
    pub cpu: Option<(&'static str, &'static str)>,
    /// Whether it is about what is on a disk: nothing to compare with where nothing is.
    pub of_files: bool,
}

impl Figure {
    const fn goals(mut self, goals: &'static [Goal]) -> Self {
        self.goals = goals;
        self
    }

    const fn of_files(mut self) -> Self {
        self.of_files = true;
        self
    }

    const fn cpu(mut self, metric: &'static str, unit: &'static str) -> Self {
        self.cpu = Some((metric, unit));
        self
    }
}

/// What is good of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Of a rate.
    More,
    /// Of a time, of bytes.
    Less,
    /// It is a text, and good if it is this one.
    Text(&'static str),
}

/// Where a result should lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// That side is at most so many times as good as this backend.
    Behind(Side, f64),
    /// This backend's figure is at least so much.
    AtLeast(f64),
    /// This backend's figure is at most so much.
    AtMost(f64),
}

impl Goal {
    /// Whether `value`, a ratio or a figure, meets it.
    pub fn met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::Behind(_, bound) | Self::AtMost(bound) => value <= bound,
        }
    }
}

use Better::{Less, More, Text};
use Goal::{AtLeast, AtMost, Behind};
use Side::{Bare, File, Published};

const fn figure(label: &'static str, metric: &'static str, unit: &'static str, better: Better) -> Figure {
    Figure { label, metric, unit, better, goals: &[], cpu: None, of_files: false }
}

const fn rate(label: &'static str) -> Figure {
    figure(label, "ops_per_s", "/s", More).cpu(PER_OP, "µs")
}

const fn micros(label: &'static str, metric: &'static str) -> Figure {
    figure(label, metric, "µs", Less)
}

const fn case(name: &'static str, about: &'static str, work: Work, figures: &'static [Figure]) -> Case {
    Case { name, about, parts: &[], work, limit: None, rounds: 5, quick_rounds: 2, thorough: false, figures }
}

const PER_OP: &str = "cpu_us_per_op";
const AHEAD_BY_HALF: &[Goal] = &[Behind(Published, 1.0 / 1.5)];
const TWICE_AS_FAST: &[Goal] = &[Behind(Published, 0.5)];
const NOT_BEHIND: &[Goal] = &[Behind(Published, 1.0)];

const PUT_OFF: &[Figure] = &[
    rate("puts per second").goals(&[Behind(Published, 1.0 / 1.1), Behind(Bare, 1.0 / 0.9)]),
    micros("put p99.9", "p999_us").goals(NOT_BEHIND),
];

const PUT_ON: &[Figure] = &[rate("puts per second").goals(NOT_BEHIND), micros("put p99", "p99_us")];

const PERSISTS: &[Figure] =
    &[rate("commands per second"), micros("persist p50", "persist_p50_us"), micros("persist p99", "persist_p99_us")];

const COMPACTED: &[Figure] = &[
    micros("`last`, settled", "long_us"),
    figure("`last`, times a short log's", "long_over_short", "x", Less).goals(&[AtMost(5.0)]),
    micros("`last`, first call", "first_us"),
    micros("`last`, first call after reopening", "reopened.first_us").of_files(),
    figure("`last` after reopening, times a short log's", "reopened.long_over_short", "x", Less)
        .of_files()
        .goals(&[AtMost(5.0)]),
    micros("oldest event", "oldest_us"),
];

const WRITE_AMP: &[Figure] = &[
    figure("bytes written per byte of the user", "write_amp", "x", Less).goals(&[Behind(Published, 0.7)]),
    figure("the same without the log", "write_amp_beyond_log", "x", Less),
    figure("bytes to the disk per byte of the user", "disk_write_amp", "x", Less),
    figure("space on disk", "space_mb", "MB", Less),
    figure("persists per second meanwhile", "ops_per_s", "/s", More).cpu("cpu_s_all", "s"),
];

/// The cases in the order in which they run.
pub const CASES: &[Case] = &[
    case(
        "ledger-off",
        "the shipped workload `ledger` with 500 actors, durability off, closed loop",
        Work::Workload { name: "ledger", durability: false },
        PERSISTS,
    ),
    Case {
        rounds: 6,
        ..case(
            "ledger-on",
            "the shipped workload `ledger` with 500 actors, durability on, closed loop",
            Work::Workload { name: "ledger", durability: true },
            PERSISTS,
        )
    },
    case(
        "registers-off",
        "the shipped workload `registers` with 500 actors, durability off, closed loop",
        Work::Workload { name: "registers", durability: false },
        PERSISTS,
    ),
    Case {
        rounds: 6,
        ..case(
            "registers-on",
            "the shipped workload `registers` with 500 actors, durability on, closed loop",
            Work::Workload { name: "registers", durability: true },
            PERSISTS,
        )
    },
    case(
        "restart-storm-off",
        "the shipped workload `restart-storm` with 500 actors, durability off, closed loop",
        Work::Workload { name: "restart-storm", durability: false },
        &[
            rate("commands per second"),
            micros("recover p50", "recover_p50_us"),
            micros("recover p99", "recover_p99_us"),
        ],
    ),
    Case {
        limit: Some(Bare),
        ..case("put-off-1", "256-byte puts, durability off, one writer", Work::PutOff { threads: 1 }, PUT_OFF)
    },
    Case {
        limit: Some(Bare),
        thorough: true,
        ..case("put-off-2", "256-byte puts, durability off, two writers", Work::PutOff { threads: 2 }, PUT_OFF)
    },
    Case {
        limit: Some(File),
        rounds: 6,
        ..case(
            "put-on-1",
            "256-byte puts, durability on, one writer",
            Work::PutOn { threads: 1 },
            &[
                rate("puts per second").goals(&[Behind(Published, 1.0), Behind(File, 1.0 / 0.9)]),
                micros("put p99", "p99_us"),
            ],
        )
    },
    Case {
        rounds: 6,
        thorough: true,
        ..case("put-on-2", "256-byte puts, durability on, two writers", Work::PutOn { threads: 2 }, PUT_ON)
    },
    Case {
        rounds: 6,
        ..case("put-on-8", "256-byte puts, durability on, eight writers", Work::PutOn { threads: 8 }, PUT_ON)
    },
    Case {
        rounds: 6,
        ..case(
            "persist-on",
            "light persists of 100 actors, durability on",
            Work::PersistOn,
            &[rate("persists per second").goals(NOT_BEHIND), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-light-1",
            "1 busy actor on two worker threads, light persistence, durability on",
            Work::ActorsLight { actors: 1 },
            &[rate("persists per second").goals(NOT_BEHIND), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        thorough: true,
        ..case(
            "actors-light-8",
            "8 busy actors on two worker threads, light persistence, durability on",
            Work::ActorsLight { actors: 8 },
            &[rate("persists per second").goals(NOT_BEHIND), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-light-64",
            "64 busy actors on two worker threads, light persistence, durability on",
            Work::ActorsLight { actors: 64 },
            &[rate("persists per second").goals(&[Behind(Published, 5.0)]), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-light-512",
            "512 busy actors on two worker threads, light persistence, durability on",
            Work::ActorsLight { actors: 512 },
            &[rate("persists per second").goals(&[Behind(Published, 8.0)]), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-full-1",
            "1 busy actor on two worker threads, full persistence, durability on",
            Work::ActorsFull { actors: 1 },
            &[rate("persists per second").goals(NOT_BEHIND), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        thorough: true,
        ..case(
            "actors-full-8",
            "8 busy actors on two worker threads, full persistence, durability on",
            Work::ActorsFull { actors: 8 },
            &[rate("persists per second").goals(NOT_BEHIND), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-full-64",
            "64 busy actors on two worker threads, full persistence, durability on",
            Work::ActorsFull { actors: 64 },
            &[rate("persists per second").goals(&[Behind(Published, 5.0)]), micros("persist p99", "p99_us")],
        )
    },
    Case {
        rounds: 6,
        ..case(
            "actors-full-512",
            "512 busy actors on two worker threads, full persistence, durability on",
            Work::ActorsFull { actors: 512 },
            &[rate("persists per second").goals(&[Behind(Published, 8.0)]), micros("persist p99", "p99_us")],
        )
    },
    case(
        "persist-off",
        "light persists of 100 actors, durability off",
        Work::PersistOff,
        &[rate("persists per second"), micros("persist p99.9", "p999_us")],
    ),
    Case {
        parts: &["get-hit", "get-miss", "last", "last-anew", "iter", "get-hit-mem"],
        ..case(
            "reads",
            "reads of logs of 10,000 events in files and block cache",
            Work::Reads,
            &[
                micros("get, a hit", "get-hit.us").goals(AHEAD_BY_HALF).cpu("get-hit.cpu_us", "µs"),
                micros("get, a miss", "get-miss.us").goals(AHEAD_BY_HALF).cpu("get-miss.cpu_us", "µs"),
                micros("`last`, same handle again", "last.us").goals(AHEAD_BY_HALF).cpu("last.cpu_us", "µs"),
                micros("`last`, new handle", "last-anew.us").goals(AHEAD_BY_HALF).cpu("last-anew.cpu_us", "µs"),
                micros("iteration, per entry", "iter.us").goals(AHEAD_BY_HALF).cpu("iter.cpu_us", "µs"),
                micros("get, a hit, not in files yet", "get-hit-mem.us")
                    .goals(AHEAD_BY_HALF)
                    .cpu("get-hit-mem.cpu_us", "µs"),
            ],
        )
    },
    Case {
        parts: &["warm", "cold"],
        ..case(
            "recover",
            "recoveries: a snapshot and 50 events after it",
            Work::Recover,
            &[
                micros("recovery, warm", "warm.us").goals(TWICE_AS_FAST).cpu("warm.cpu_us", "µs"),
                micros("recovery, cold", "cold.us").of_files().goals(TWICE_AS_FAST).cpu("cold.cpu_us", "µs"),
                figure("KiB from the disk per recovery, cold", "cold.disk_kib_per_op", "KiB", Less).of_files(),
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
            &[micros("get_by_range", "us").goals(&[Behind(Published, 0.001)])],
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "range-1e6",
            "ten events from the middle of a log of 1,000,000",
            Work::Range { events: 1_000_000 },
            &[
                micros("get_by_range", "us").goals(&[Behind(Published, 0.001)]),
                figure("get_by_range, times that of a log of 100,000", "over_1e5", "x", Less).goals(&[AtMost(1.5)]),
            ],
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        ..case(
            "last-compacted",
            "`last` of a long log, all of whose events were deleted",
            Work::LastCompacted(Pattern::All),
            COMPACTED,
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "last-compacted-tail",
            "`last` of a long log, all but ten of whose events were deleted",
            Work::LastCompacted(Pattern::Tail),
            COMPACTED,
        )
    },
    Case {
        rounds: 1,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "last-compacted-interleaved",
            "`last` of a log that put 1,000 events, deleted them, and so on",
            Work::LastCompacted(Pattern::Interleaved),
            COMPACTED,
        )
    },
    Case {
        rounds: 2,
        quick_rounds: 1,
        ..case(
            "families-300",
            "300 column families: creation, light persists, stop, opening",
            Work::Families,
            &[
                figure("create 300 column families", "create.s", "s", Less)
                    .goals(&[Behind(Published, 1.0 / 3.0)])
                    .cpu("create.cpu_s", "s"),
                rate("persists per second").goals(NOT_BEHIND),
                figure("peak memory", "rss_mib", "MiB", Less).goals(&[AtMost(268.8)]),
                figure("stop", "stop.s", "s", Less).cpu("stop.cpu_s", "s"),
                figure("open", "reopen.s", "s", Less).goals(NOT_BEHIND).cpu("reopen.cpu_s", "s"),
            ],
        )
    },
    Case {
        rounds: 3,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "families-1000",
            "light persists over 1,000 column families, beside 3",
            Work::ManyFamilies,
            &[figure("persists per second, times those over 3", "many_over_few", "x", More).goals(&[AtLeast(1.0)])],
        )
    },
    Case {
        rounds: 3,
        quick_rounds: 1,
        thorough: true,
        ..case(
            "write-amp-1k",
            "light persists of 500 actors with snapshots of 1 KiB",
            Work::WriteAmplification { actors: 500, snapshot_bytes: 1024 },
            WRITE_AMP,
        )
    },
    Case {
        rounds: 3,
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
        thorough: true,
        ..case(
            "write-amp-wide",
            "light persists of 20,000 actors with snapshots of 4 KiB: more than fits into memtables",
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
            &[figure("what `a` does to `a.b`", "verdict", "", Text("isolated"))],
        )
    },
    Case {
        rounds: 3,
        quick_rounds: 1,
        ..case(
            "purge",
            "purges of logs of 100 events and of a long one, deletes, stop",
            Work::Purge,
            &[
                micros("purge of 100 events", "short.us"),
                micros("purge of the long log", "long.us"),
                micros("purge of 100 events, then a read of another log", "read.us"),
                micros("del", "del.us"),
                figure("stop", "stop.s", "s", Less).of_files(),
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
    fn whoever_a_goal_is_about_takes_part() {
        for case in CASES {
            for goal in case.figures.iter().flat_map(|figure| figure.goals) {
                if let Behind(side, _) = goal
                    && !case.thorough
                {
                    let is_limit = Side::LIMITS.contains(side);
                    assert!(is_limit || case.absence(*side).is_none(), "{}: {side}", case.name);
                }
            }
        }
    }

    #[test]
    fn memory_is_not_asked_to_be_durable() {
        for case in CASES {
            assert!(!case.durability() || case.absence(Side::Memory).is_some(), "{}", case.name);
            assert_eq!(case.absence(Side::Ours), None);
        }
    }

    #[test]
    fn goals_include_their_bound() {
        assert!(AtLeast(1.1).met_by(1.1));
        assert!(!AtMost(0.7).met_by(0.71));
        assert!(Behind(Published, 0.5).met_by(0.5) && !Behind(Published, 0.5).met_by(0.51));
    }
}
