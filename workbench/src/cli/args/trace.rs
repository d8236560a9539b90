//! `trace`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum, value_parser};
use jiff::tz::TimeZone;

use super::overwrite::OverwriteArgs;
use crate::cli::values::{self, share};
use crate::trace::ShardNumber;

/// Create, inspect and convert traces
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  ave-workbench trace import events.csv
  ave-workbench trace info events.trace.csv.zst
  ave-workbench run events.trace.csv.zst")]
pub(crate) enum TraceCommand {
    Import(ImportArgs),
    Info(InfoArgs),
    Fit(FitArgs),
    Generate(GenerateArgs),
    Export(ExportArgs),
}

/// Convert event logs (CSV, JSON lines, Parquet, XES, OCEL 2.0) to a trace
///
/// Each row is an event. One column names the actor (case, stream, entity …), another one the time. The length of the row
/// is the size of the event. The logs may be compressed (zstd, gzip) and in any order. Nothing is written if any row is
/// invalid, unless bad rows are skipped. The format is detected from the content. In JSON lines `a.b` is the key b of the
/// object at a; in XES a trace is an actor, in OCEL an object.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace import receipt.csv
  zcat log.csv.gz | ave-workbench trace import - --output log.trace.csv.zst
  # The months of a year, merged by time
  ave-workbench trace import 'events-2024-*.csv.gz' -o 2024.trace.csv.zst
  # Two columns name the actor, two columns contain the time
  ave-workbench trace import lines.csv \\
    --actor-column order,line --time-column date,time
  ave-workbench trace import local.csv --time-zone Europe/Berlin
  ave-workbench trace import orders.csv --actor-column order_id \\
    --time-column at --persistence full
  ave-workbench trace import log.csv --delimiter=';' \\
    --time-format '%d.%m.%Y %H:%M:%S'
  ave-workbench trace import hospital.xes.gz
  ave-workbench trace import event_journal.csv --preset akka-jdbc
  # At most 1000 rows may be bad
  ave-workbench trace import log.csv --skip-bad-rows=1000
  # No header: the columns are called 1, 2, 3 …
  ave-workbench trace import syslog.csv --no-header --actor-column 2 \\
    --time-column 1 --year 2015")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct ImportArgs {
    /// Event logs with equal first rows: plain, zstd or gzip; `-` is standard input, a name may contain `*` and `?`
    #[arg(required = true, value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// Output file; .zst compresses it [default: NAME.trace.csv.zst in this directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
    /// Column that names the actor, or several separated by commas; `#3` is the third one [default: detected]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) actor_column: Option<String>,
    /// Column that contains the time, or two for date and time of day: DATE,TIME [default: detected]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time_column: Option<String>,
    /// Time format: order of the date such as DD/MM/YYYY, strftime notation, or unix-s, unix-ms, unix-us, unix-ns,
    /// excel-days, dotnet-ticks, filetime [default: detected: RFC 3339 and variants, DD.MM.YYYY, YYYY/MM/DD, DD/MM/YYYY,
    /// MM/DD/YYYY, Unix times]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) time_format: Option<String>,
    /// Year of times without one, such as `Mar 27 13:06:56`
    #[arg(long, value_name = "YEAR", value_parser = value_parser!(i16).range(1678..=2261))]
    pub(crate) year: Option<i16>,
    /// Time zone of times without an offset, for example Europe/Berlin or +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = values::time_zone)]
    pub(crate) time_zone: Option<TimeZone>,
    /// Column whose length is the event size [default: the whole row]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) payload_column: Option<String>,
    /// Column that contains the event size, bytes [default: the length of the payload]
    #[arg(long, value_name = "COLUMN", conflicts_with = "payload_column")]
    pub(crate) size_column: Option<String>,
    /// Event store of which the log is a dump, as CSV or JSON lines: selects the columns
    #[arg(long, value_enum)]
    pub(crate) preset: Option<PresetArg>,
    /// Field separator; `\t` is a tab [default: detected: comma, semicolon, tab or bar]
    #[arg(long, value_name = "CHARACTER", value_parser = values::delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Character before a quote inside quotes, often `\` [default: the quote is doubled]
    #[arg(long, value_name = "CHARACTER", value_parser = values::ascii_character)]
    pub(crate) escape: Option<u8>,
    /// Character with which comment lines begin
    #[arg(long, value_name = "CHARACTER", value_parser = values::ascii_character)]
    pub(crate) comment: Option<u8>,
    /// Lines before the header
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    pub(crate) skip_lines: u64,
    /// There is no header; the columns are called 1, 2, 3 …
    #[arg(long)]
    pub(crate) no_header: bool,
    /// Leave out rows without an actor (also NA, NULL …), without a readable time, or with missing fields; at most so many
    /// [default: such a row is an error]
    #[arg(
        long,
        value_name = "ROWS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "18446744073709551615",
        value_parser = values::count::<u64>(0..=u64::MAX)
    )]
    pub(crate) skip_bad_rows: Option<u64>,
    /// Persistence strategy of the actors
    #[arg(long, value_enum, default_value_t = PersistenceArg::Light)]
    pub(crate) persistence: PersistenceArg,
    /// Events between snapshots with full persistence; 0 disables snapshots [default: 100]
    #[arg(long, value_name = "EVENTS", value_parser = values::count::<u64>(0..=u64::MAX))]
    pub(crate) snapshot_every: Option<u64>,
    /// Delete the events that a snapshot covers
    #[arg(long)]
    pub(crate) compact_on_snapshot: bool,
    /// Encrypt values at rest: 40 bytes more per value
    #[arg(long)]
    pub(crate) encrypted: bool,
    /// Size of an actor's serialised state: bytes, or for example 4k (4096), 4kB (4000); the log does not contain it
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = values::value_bytes)]
    pub(crate) state_bytes: u32,
    /// Actor type; it names the column families [default: name of the log]
    #[arg(long, value_name = "NAME")]
    pub(crate) type_name: Option<String>,
    /// Column that contains the actor's type [default: all actors have one type]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) type_column: Option<String>,
    /// Character that ends the type at the beginning of an actor's name, for example `-` in account-17
    #[arg(long, value_name = "CHARACTER", conflicts_with = "type_column")]
    pub(crate) type_separator: Option<char>,
    /// Keep actor names; otherwise they are hashed with a random key
    #[arg(long)]
    pub(crate) keep_names: bool,
}

/// Show statistics of a trace
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace info receipt.trace.csv.zst
  ave-workbench trace info --json receipt.trace.csv.zst")]
pub(crate) struct InfoArgs {
    /// Trace file, or the directory of a recording; `-` is standard input
    #[arg(value_parser = values::input_file())]
    pub(crate) trace: PathBuf,
    /// Accept a truncated trace, up to its last complete line
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

/// Fit a workload to a trace and report how well it matches
///
/// The match is measured on a trace generated from the fitted workload. Aspects that do not match are reported as
/// warnings, and in the workload file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace fit receipt.trace.csv.zst
  ave-workbench trace fit receipt.trace.csv.zst -o receipt.toml
  ave-workbench run receipt.toml --rate 200
  ave-workbench trace fit --json receipt.trace.csv.zst | jq .aspects")]
pub(crate) struct FitArgs {
    /// Trace file, or the directory of a recording; `-` is standard input
    #[arg(value_parser = values::input_file())]
    pub(crate) trace: PathBuf,
    /// Output file for the workload [default: NAME.toml in this directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
    /// Accept a truncated trace, up to its last complete line
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

/// Generate a trace from a workload: the commands that a run with one writer issues, with their times
///
/// Events that the workload preloads precede the trace, as in a recording that was started later: a replay writes those
/// that are read before it starts. With --preload they are commands at time 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace generate ledger -o ledger.trace.csv.zst
  ave-workbench trace generate ledger -o hour.trace.csv.zst \\
    --duration 1h --rate 250
  ave-workbench trace generate my.toml -o my.trace.csv --commands 5000 --preload")]
pub(crate) struct GenerateArgs {
    /// Built-in workload or workload file (.toml); `-` is standard input
    #[arg(value_parser = values::input_file())]
    pub(crate) workload: PathBuf,
    /// Output file; .zst compresses it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
    /// Number of commands, without those of the preload
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 100_000,
        conflicts_with = "duration",
        value_parser = values::count::<u64>(1..=u64::MAX)
    )]
    pub(crate) commands: u64,
    /// Generate the commands of this time span instead
    #[arg(long, value_name = "TIME", value_parser = values::time_above_zero)]
    pub(crate) duration: Option<Duration>,
    /// Mean rate, commands/s; the workload's arrival process spaces the commands
    #[arg(
        long,
        value_name = "PER_SECOND",
        default_value = "1000",
        allow_negative_numbers = true,
        value_parser = values::above_zero
    )]
    pub(crate) rate: f64,
    /// Random seed [default: the workload's own]
    #[arg(long, value_parser = values::count::<u64>(0..=u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Write the preload as commands at time 0
    #[arg(long)]
    pub(crate) preload: bool,
}

/// Export a trace as a table for other tools, or extract a part of it
///
/// The tables `commands` and `actors` are CSV or JSON lines whose field names carry units; pandas and DuckDB read them
/// directly. `--table trace` writes a trace: plain or compressed, a time range, or a share of the actors. `--format parquet`
/// writes storage operations, or another table, in columns, with a number for each actor.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace export receipt.trace.csv.zst > commands.csv
  ave-workbench trace export receipt.trace.csv.zst --table actors \\
    --format json-lines | head
  # 50 seconds of it
  ave-workbench trace export receipt.trace.csv.zst --table trace \\
    --from 10s --to 60s -o part.trace.csv.zst
  # 5 % of its actors
  ave-workbench trace export receipt.trace.csv.zst --table trace \\
    --actors 5 -o sample.trace.csv
  # The third of 16 shards, for one of 16 hosts
  ave-workbench trace export receipt.trace.csv.zst --shard 3/16 \\
    -o shard-3.trace.csv.zst
  # Storage operations for DuckDB, and who the actors are
  ave-workbench trace export receipt.trace.csv.zst --format parquet \\
    -o operations.parquet
  ave-workbench trace export receipt.trace.csv.zst --format parquet \\
    --table actors -o actors.parquet")]
pub(crate) struct ExportArgs {
    /// Trace file, or the directory of a recording; `-` is standard input
    #[arg(value_parser = values::input_file())]
    pub(crate) trace: PathBuf,
    /// Meaning of a row [default: commands; with --format parquet or --shard trace]
    #[arg(long, value_enum)]
    pub(crate) table: Option<TableArg>,
    /// Format of the table; a trace that is not Parquet has its own [default: csv]
    #[arg(long, value_enum)]
    pub(crate) format: Option<TableFormatArg>,
    /// Output file; .zst compresses it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overwrite: OverwriteArgs,
    /// Start of the time range, from the first command
    #[arg(long, value_name = "TIME", default_value = "0s", hide_default_value = true, value_parser = values::time)]
    pub(crate) from: Duration,
    /// End of the time range, exclusive [default: end of the trace]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) to: Option<Duration>,
    /// Share of the actors to keep, percent, with all their commands; repeated exports keep the same actors
    #[arg(long, value_name = "PERCENT", default_value = "100", allow_negative_numbers = true, value_parser = share)]
    pub(crate) actors: f64,
    /// One of several shards, for a replay on as many hosts: all commands of the actors whose names have this hash; see
    /// `run --start-at` and `report merge`
    #[arg(long, value_name = "NUMBER/COUNT")]
    pub(crate) shard: Option<ShardNumber>,
    /// Accept a truncated trace, up to its last complete line
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PersistenceArg {
    Light,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetArg {
    /// Table `event_journal` of akka-persistence-jdbc
    AkkaJdbc,
    /// Table `mt_events` of Marten
    Marten,
    /// Table `messages` of message-db
    MessageDb,
    /// Entries of a feed of `EventStoreDB`, read with embed=body
    Eventstoredb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableArg {
    /// A command with the sum of its operations
    Commands,
    /// An actor with the sum of its commands
    Actors,
    /// A storage operation, as in the source trace
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormatArg {
    Csv,
    JsonLines,
    Parquet,
}
