//! The command line as it is typed. What the words mean is worked out in `resolve`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::process::SourceSpec;

/// Measures the actor store on this machine and says which machine to buy.
///
/// Exit codes: 0 pass, 1 objective missed, data lost or slower, 2 usage, 3 inconclusive, 4 input, output or database.
#[derive(Debug, Parser)]
#[command(
    name = "ave-workbench",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  ave-workbench host
  ave-workbench workloads
  ave-workbench run ledger
  ave-workbench plan ledger --target 2000 --slo p99=10ms
  ave-workbench certify ledger --rate 2000 --slo p99=10ms
  ave-workbench compare base/ candidate/
  ave-workbench trace import events.csv
  ave-workbench run events.trace.csv.zst"
)]
pub(crate) struct Args {
    /// Print no progress and no tables, errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Host(HostArgs),
    Run(RunArgs),
    Plan(PlanArgs),
    Certify(CertifyArgs),
    Compare(CompareArgs),
    Workloads(WorkloadsArgs),
    #[command(subcommand)]
    Trace(TraceCommand),
    Report(ReportArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    #[command(hide = true)]
    CrashVictim(CrashVictimArgs),
    #[command(hide = true)]
    Rig(RigArgs),
}

/// Show this machine, the profile it corresponds to, and the tuning that follows
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench host
  ave-workbench host --data-dir /var/lib/ledger --probe 5s
  ave-workbench host --json | jq .machine_profile")]
pub(crate) struct HostArgs {
    /// Directory on the disk to look at
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// How long to probe the disk's sync latency; 0s skips it
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub(crate) probe: String,
}

/// Replay a workload or a trace, durability off and on, and report what it takes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # As fast as it goes, in both durability modes
  ave-workbench run ledger
  # What users feel at 2,000 commands per second
  ave-workbench run ledger --rate 2000
  # From which rate on does it get slow?
  ave-workbench run ledger --rate 500..5000 --measure 30s
  # A workload of your own, every write on the disk
  ave-workbench run registers.toml --durability on --measure 30s
  # A trace, from its first to its last command
  ave-workbench run receipt.trace.csv.zst
  # A trace at its own times, a million times faster
  ave-workbench run receipt.trace.csv.zst --speed 1000000
  # Exit code 1 if the objective is missed
  ave-workbench run ledger --rate 2000 --slo p99=10ms
  # Within the 2 cores and the memory of a nano
  ave-workbench run ledger --rate 2000 --machine nano
  # Kill a writing process 20 times in each durability mode
  ave-workbench run ledger --kills 20")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Offer this many commands per second (open loop), or FROM..TO for a ramp over the measured time; without it, as
    /// many as go (closed loop)
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "speed", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,
    /// Replay a trace at its own times, this many times faster (1 is its own pace)
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) speed: Option<f64>,
    /// Rounds per durability mode; the modes alternate. `compare` needs four of them, better ten
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) rounds: u32,
    /// Time at the start of each round that does not count, or `steady`: until rate and latency have settled, 2 s to 10 s
    /// [default: steady; 1s for a ramp; none for a trace replayed once]
    #[arg(long, value_name = "TIME")]
    pub(crate) warmup: Option<String>,
    /// Time that counts in each round [default: 3s; a trace runs once from its first to its last command, unless it
    /// is given a rate, at which it is repeated with new actors]
    #[arg(long, value_name = "TIME")]
    pub(crate) measure: Option<String>,
    /// Objective to judge by, for example `p99=10ms` or `recover:p99.9=50ms`
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Option<String>,
    /// Machine to tune the backend for: a profile (nano … 2xlarge), `CORES,RAM_MB`, or `host`
    #[arg(long, value_name = "SPEC", default_value = "host")]
    pub(crate) spec: String,
    /// Run within the limits of this machine, in a control group, and tune the backend for it: a profile or
    /// `CORES,RAM_MB`; killed for its memory, it failed
    #[arg(long, value_name = "SPEC", conflicts_with = "spec")]
    pub(crate) machine: Option<String>,
    /// Compare the database with what it acknowledged: after the run, and after kills. This is the default
    #[arg(long, conflicts_with = "no_verify")]
    pub(crate) verify: bool,
    /// Compare nothing and kill nothing
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Processes to kill (SIGKILL) while they write, per durability mode, each time opening the database again and
    /// looking for everything that was acknowledged; 0 kills none
    #[arg(long, value_name = "COUNT", default_value_t = 3, conflicts_with = "no_verify")]
    pub(crate) kills: u32,
}

/// Find the smallest machine that holds a target, and how far it goes
///
/// Each machine is tried within its limits: a process in a control group with its cores and its memory, page cache
/// included. A plan that is interrupted goes on where it was when it is started again with the same arguments.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "\
ave-workbench plan [OPTIONS] <WORKLOAD|TRACE>
         --target <PER_SECOND> --slo <OBJECTIVE>",
    after_help = "\
Examples:
  ave-workbench plan ledger --target 2000 --slo p99=10ms
  # One to two minutes instead of five, and the page in a browser
  ave-workbench plan ledger --target 2000 --slo p99=10ms --quick --open
  ave-workbench plan registers --target 500 --slo p99.9=50ms --headroom 50
  # Two machines in question, one of them no profile
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --machine nano --machine 2,1500
  # And with twice the actors and events of three times the size?
  ave-workbench plan ledger --target 2000 --slo p99=10ms \\
    --what-if actors=2x,event_size=3x
  ave-workbench plan receipt.trace.csv.zst --target 300 --slo p99=20ms"
)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Commands per second the deployment must hold
    #[arg(long, value_name = "PER_SECOND", allow_negative_numbers = true)]
    pub(crate) target: f64,
    /// Objective, for example `p99=10ms` or `recover:p99.9=50ms`
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: String,
    /// Share of the capacity to keep free, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 30.0, allow_negative_numbers = true)]
    pub(crate) headroom: f64,
    /// Take one to two minutes instead of five: fewer repetitions, and only the smallest machine that holds the target
    #[arg(long, conflicts_with = "thorough")]
    pub(crate) quick: bool,
    /// Take as long as it takes: every machine this host can pretend to be, with more repetitions
    #[arg(long)]
    pub(crate) thorough: bool,
    /// A machine in question: a profile (nano … 2xlarge) or `CORES,RAM_MB`; may be given several times [default: all
    /// profiles]
    #[arg(long = "machine", value_name = "SPEC")]
    pub(crate) machines: Vec<String>,
    /// How to pretend to be a machine
    #[arg(long, value_enum, default_value_t = EmulationArg::Auto)]
    pub(crate) emulation: EmulationArg,
    /// Actors the deployment will have, for memory and restart [default: those of the workload or trace]
    #[arg(long, value_name = "COUNT")]
    pub(crate) actors: Option<u64>,
    /// Days after which the application deletes what it stored [default: it keeps everything]
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    pub(crate) retention: Option<f64>,
    /// Size of the disk for the database, GB [default: what is free under the data directory]
    #[arg(long, value_name = "GB", allow_negative_numbers = true)]
    pub(crate) disk: Option<f64>,
    /// What the disk's maker vouches for, TB written, for the years until it is worn
    #[arg(long, value_name = "TB", allow_negative_numbers = true)]
    pub(crate) tbw: Option<f64>,
    /// Plan once more under other figures, multiplied (`2x`) or set: `actors`, `types`, `event_size`,
    /// `state_size`, `snapshot_every`, `preload`, `target`
    #[arg(long, value_name = "CHANGES")]
    pub(crate) what_if: Option<String>,
    /// Measure everything anew, whatever an interrupted plan has left
    #[arg(long)]
    pub(crate) fresh: bool,
}

/// Hold one rate for a long time, and judge it by the worst slice of that time
///
/// Every slice must meet the objective by itself. PASS (exit code 0): all did. FAIL (1): one did not while nothing disturbed
/// the machine, or data were lost. INCONCLUSIVE (3): the evidence carries no answer, or it was interrupted. The same command
/// goes on with what was interrupted, by Ctrl-C or a kill. The certificate, JSON with the digest of its inputs, lies beside
/// the report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench certify ledger --rate 2000 --slo p99=10ms
  # A day, judged by its worst minute
  ave-workbench certify ledger --rate 2000 --slo p99=10ms \\
    --duration 24h --slice 1m
  ave-workbench certify receipt.trace.csv.zst --rate 300 \\
    --slo recover:p99=50ms --slice 30s --durability both
  # Is this certificate as it was written, and about this workload?
  ave-workbench certify ledger \\
    --check reports/ledger-20260101T120000Z/certificate.json")]
pub(crate) struct CertifyArgs {
    /// A shipped workload, a workload file (.toml) or a trace (.csv, .csv.zst)
    #[arg(value_name = "WORKLOAD|TRACE", required_unless_present = "check")]
    pub(crate) source: Option<String>,
    /// Commands per second to hold
    #[arg(long, value_name = "PER_SECOND", required_unless_present = "check", allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,
    /// Objective that every slice must meet, for example `p99=10ms` or `recover:p99.9=50ms`
    #[arg(long, value_name = "OBJECTIVE", required_unless_present = "check")]
    pub(crate) slo: Option<String>,
    /// Time to hold it, in each durability mode
    #[arg(long, value_name = "TIME", default_value = "30m")]
    pub(crate) duration: String,
    /// Length of a slice, whole seconds
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) slice: String,
    /// Time after which what was measured is written down, at most 5m [default: 1m, and three slices at least]
    #[arg(long, value_name = "TIME")]
    pub(crate) segment: Option<String>,
    /// Durability modes to certify, one after the other
    #[arg(long, value_enum, default_value_t = DurabilityArg::On)]
    pub(crate) durability: DurabilityArg,
    /// Machine to tune the backend for: a profile (nano … 2xlarge), `CORES,RAM_MB`, or `host`
    #[arg(long, value_name = "SPEC", default_value = "host")]
    pub(crate) spec: String,
    /// Run within the limits of this machine, in a control group, and tune the backend for it: a profile or
    /// `CORES,RAM_MB`; killed for its memory, it failed
    #[arg(long, value_name = "SPEC", conflicts_with = "spec")]
    pub(crate) machine: Option<String>,
    /// Seed of everything random [default: the workload's own; 1 for a trace]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Use the whole lines of a trace that is cut off
    #[arg(long)]
    pub(crate) allow_truncated: bool,
    /// Threads that issue commands [default: one per usable core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) workers: Option<u64>,
    /// Directory for the database, on the disk to be measured; it is kept while the certification is not over
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Directory for the report, and for what is needed to go on
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(crate) reports_dir: PathBuf,
    /// Forget what was measured under these inputs, and start over
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Certify nothing: tell whether a certificate is as it was written and, given its source, whether it is about that;
    /// exit code 1 if not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "slo", "fresh"])]
    pub(crate) check: Option<PathBuf>,
}

/// Tell whether a build is slower than another one, from their reports
///
/// A report is what `run` leaves behind; a directory with several reports of one build counts them as repetitions. The
/// median service time of each command decides. Slower: significant among all rows together (Holm) and by --threshold at
/// least. No difference: the interval excludes a slowdown of --threshold. Otherwise, and where the machine itself differed
/// between the builds, it cannot be told.
///
/// Exit codes: 0 no regression, 1 a regression, 2 reports that cannot be compared, 3 it cannot be told, 4 input or output.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench compare reports/before reports/after
  ave-workbench compare base/ candidate/    several runs of each, taken in turns
  ave-workbench compare base/ candidate/ --threshold 10% -o comparison
  ave-workbench compare base/ one/ another/ --json | jq -r .sentence")]
pub(crate) struct CompareArgs {
    /// What candidates are compared with: a report.json, a report directory, or a directory with the reports of one build
    pub(crate) base: PathBuf,
    /// What is compared with it
    #[arg(value_name = "CANDIDATE", required = true)]
    pub(crate) candidates: Vec<PathBuf>,
    /// Slowdown that counts as a regression
    #[arg(long, value_name = "PERCENT", default_value = "5%", allow_hyphen_values = true)]
    pub(crate) threshold: String,
    /// Slowdown that must be ruled out for every command before "no regression" is said [default: twice the threshold]
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
    pub(crate) rule_out: Option<String>,
    /// Confidence of the intervals; what is left to 100 % is the chance of a false alarm in the whole comparison
    #[arg(long, value_name = "PERCENT", default_value = "95%", allow_hyphen_values = true)]
    pub(crate) confidence: String,
    /// Compare reports of different hosts; their difference is then taken for that of the builds
    #[arg(long)]
    pub(crate) across_hosts: bool,
    /// Directory to make for the comparison [default: reports/NAME-comparison-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// What is replayed.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// A shipped workload, a workload file (.toml) or a trace (.csv, .csv.zst)
    #[arg(value_name = "WORKLOAD|TRACE")]
    pub(crate) source: String,
    /// Seed of everything random [default: the workload's own; 1 for a trace]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Use the whole lines of a trace that is cut off
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

impl SourceArgs {
    pub(crate) fn spec(&self) -> SourceSpec {
        SourceSpec { origin: self.source.clone(), seed: self.seed, allow_truncated: self.allow_truncated }
    }
}

/// Where it happens and what becomes of the result.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Durability modes to measure
    #[arg(long, value_enum, default_value_t = DurabilityArg::Both)]
    pub(crate) durability: DurabilityArg,
    /// Threads that issue commands [default: one per usable core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) workers: Option<u64>,
    /// Directory for the databases, on the disk to be measured; they are removed afterwards
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) data_dir: PathBuf,
    /// Directory for the reports
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(crate) reports_dir: PathBuf,
    /// Open the report in a browser at the end
    #[arg(long)]
    pub(crate) open: bool,
}

/// List the workloads that ship, or print one to start from
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench workloads
  ave-workbench workloads ledger > my-ledger.toml")]
pub(crate) struct WorkloadsArgs {
    /// Print this workload's file
    pub(crate) name: Option<String>,
}

/// Make traces and look into them
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

/// Turn an event log in CSV into a trace
///
/// A row is an event; one column names the actor (case, stream, entity …), one the time. The length of the row is the
/// size of the event. The log may be compressed (zstd, gzip) and in any order. Nothing is written unless all of it is good.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace import receipt.csv
  zcat log.csv.gz | ave-workbench trace import - --output log.trace.csv.zst
  # The actor is named by two columns, the time stands in two
  ave-workbench trace import lines.csv \\
    --actor-column order,line --time-column date,time
  ave-workbench trace import local.csv --time-zone Europe/Berlin
  ave-workbench trace import orders.csv --actor-column order_id \\
    --time-column at --persistence full
  ave-workbench trace import log.csv --delimiter=';' \\
    --time-format '%d.%m.%Y %H:%M:%S'")]
pub(crate) struct ImportArgs {
    /// The event log, plain, zstd or gzip; `-` is standard input
    pub(crate) log: PathBuf,
    /// Where the trace goes; .zst compresses it [default: NAME.trace.csv.zst in this directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Column that names the actor, or several with commas between them [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) actor_column: Option<String>,
    /// Column that holds the time, or two for date and time of day: DATE,TIME [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time_column: Option<String>,
    /// Format of the time: strftime notation, or unix-s, unix-ms, unix-us, unix-ns [default: found from the rows: RFC
    /// 3339 and relatives, DD.MM.YYYY, YYYY/MM/DD, DD/MM/YYYY, MM/DD/YYYY, Unix times]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) time_format: Option<String>,
    /// Where times without an offset were taken, for example Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Column whose length is the event's size [default: the whole row]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) payload_column: Option<String>,
    /// Field separator [default: guessed among comma, semicolon, tab and bar]
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<char>,
    /// How the actors persist
    #[arg(long, value_enum, default_value_t = PersistenceArg::Light)]
    pub(crate) persistence: PersistenceArg,
    /// Events between snapshots under full persistence; 0 turns them off
    #[arg(long, value_name = "EVENTS", default_value_t = 100)]
    pub(crate) snapshot_every: u64,
    /// Delete the events a snapshot covers
    #[arg(long)]
    pub(crate) compact_on_snapshot: bool,
    /// Values are encrypted at rest: 40 bytes more each
    #[arg(long)]
    pub(crate) encrypted: bool,
    /// Serialised state of an actor, bytes; the log does not say it
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub(crate) state_bytes: u32,
    /// Actor type, which names the column families [default: the log's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) type_name: Option<String>,
    /// Keep the actors' names instead of hashing them under a random key
    #[arg(long)]
    pub(crate) keep_names: bool,
}

/// Say what is in a trace
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace info receipt.trace.csv.zst
  ave-workbench trace info --json receipt.trace.csv.zst")]
pub(crate) struct InfoArgs {
    /// The trace
    pub(crate) trace: PathBuf,
    /// Use the whole lines of a trace that is cut off
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

/// Write the workload that resembles a trace, and say how well it does
///
/// The workload is compared by generating a trace from it. What it cannot resemble is told as a warning and in the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace fit receipt.trace.csv.zst
  ave-workbench trace fit receipt.trace.csv.zst -o receipt.toml
  ave-workbench run receipt.toml --rate 200
  ave-workbench trace fit --json receipt.trace.csv.zst | jq .aspects")]
pub(crate) struct FitArgs {
    /// The trace
    pub(crate) trace: PathBuf,
    /// Where the workload goes [default: NAME.toml in this directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Use the whole lines of a trace that is cut off
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

/// Write down a workload as a trace: the commands a run of one worker issues, and when
///
/// The events a workload preloads are the past of its actors, as in a recording that was switched on later: the trace
/// begins behind them, and a replay writes those beforehand that are read. With --preload they are commands at time 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace generate ledger -o ledger.trace.csv.zst
  ave-workbench trace generate ledger -o hour.trace.csv.zst \\
    --duration 1h --rate 250
  ave-workbench trace generate my.toml -o my.trace.csv --commands 5000 --preload")]
pub(crate) struct GenerateArgs {
    /// A shipped workload or a workload file
    pub(crate) workload: String,
    /// Where the trace goes; .zst compresses it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Commands, those of the preload not counted [default: 100000]
    #[arg(long, value_name = "COUNT", conflicts_with = "duration")]
    pub(crate) commands: Option<u64>,
    /// Generate the commands of this time instead
    #[arg(long, value_name = "TIME")]
    pub(crate) duration: Option<String>,
    /// Commands per second, spaced as the workload's arrivals say
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1000.0, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// Seed of everything random [default: the workload's own]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Write the preload as commands at time 0
    #[arg(long)]
    pub(crate) preload: bool,
}

/// Turn a trace into a table for other tools, or cut a part out of it
///
/// The tables commands and actors are CSV or JSON lines with a header or field names that carry the units; pandas and
/// DuckDB open them as they are. --table trace writes a trace again: plain, compressed, cut by time or by actors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench trace export receipt.trace.csv.zst > commands.csv
  ave-workbench trace export receipt.trace.csv.zst --table actors \\
    --format json-lines | head
  # One minute of it
  ave-workbench trace export receipt.trace.csv.zst --table trace \\
    --from 10s --to 60s -o minute.trace.csv.zst
  # A twentieth of its actors
  ave-workbench trace export receipt.trace.csv.zst --table trace \\
    --actors 5 -o sample.trace.csv")]
pub(crate) struct ExportArgs {
    /// The trace
    pub(crate) trace: PathBuf,
    /// What a row is
    #[arg(long, value_enum, default_value_t = TableArg::Commands)]
    pub(crate) table: TableArg,
    /// Form of the tables commands and actors
    #[arg(long, value_enum, default_value_t = TableFormatArg::Csv)]
    pub(crate) format: TableFormatArg,
    /// Where it goes; .zst compresses it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Leave out what came before this time from the first command
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Leave out what came at this time or later
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Keep this share of the actors with all they do, the same ones each time
    #[arg(long, value_name = "PERCENT", default_value_t = 100.0, allow_negative_numbers = true)]
    pub(crate) actors: f64,
    /// Use the whole lines of a trace that is cut off
    #[arg(long)]
    pub(crate) allow_truncated: bool,
}

/// Render a report again from its report.json, or join the reports of many hosts
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  ave-workbench report reports/ledger-20260101T120000Z --open
  ave-workbench report reports/ledger-20260101T120000Z/report.json > page.html
  ave-workbench report reports/ledger-20260101T120000Z --format markdown
  ave-workbench report merge node-a/ node-b/ -o machines"
)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ReportCommand>,
    /// A report.json, or the directory that holds it
    #[arg(required = true)]
    pub(crate) report: Option<PathBuf>,
    /// What to render
    #[arg(long, value_enum, default_value_t = FormatArg::Html)]
    pub(crate) format: FormatArg,
    /// Where it goes [default: standard output; with --open report.html beside the report.json]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Open the page in the browser that BROWSER names, or in the system's own
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    Merge(MergeArgs),
}

/// Join reports from many hosts into one comparison of machines
///
/// Reports of one kind of machine become one row: their histograms are added, and percentiles are read from the sum. All
/// reports must have been asked the same: one source and seed, one load or one target and objective, the same durability
/// modes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench report merge fleet/*/ledger-*
  ave-workbench report merge node-a/report.json node-b/report.json -o machines
  ave-workbench report merge fleet/*/ledger-* --json | jq .sentence")]
pub(crate) struct MergeArgs {
    /// Report directories, or their report.json
    #[arg(value_name = "REPORT", required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Directory to make for the comparison [default: reports/NAME-machines-TIME]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// Print shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench completions bash > /etc/bash_completion.d/ave-workbench
  ave-workbench completions zsh > ~/.zfunc/_ave-workbench
  ave-workbench completions fish > ave-workbench.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write one for every command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ave-workbench man | man -l -
  ave-workbench man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory for ave-workbench.1 and a page for each command; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// Load a database until killed
#[derive(Debug, clap::Args)]
#[command(after_help = "It is started by `ave-workbench run`, which tells it on standard input what to do.")]
pub(crate) struct CrashVictimArgs {}

/// Load a database within the limits of a machine
#[derive(Debug, clap::Args)]
#[command(after_help = "It is started by `ave-workbench plan`, which tells it on standard input what to do.")]
pub(crate) struct RigArgs {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    Off,
    On,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PersistenceArg {
    Light,
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableArg {
    /// A command, its operations summed up
    Commands,
    /// An actor and all it did
    Actors,
    /// A trace: a storage operation, as in the file it came from
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormatArg {
    Csv,
    JsonLines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmulationArg {
    /// With control groups where that is permitted, else by affinity; the result says which
    Auto,
    /// With control groups, or not at all: cores and memory
    ControlGroups,
    /// By affinity: cores only, memory is that of this host
    Cores,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Html,
    Markdown,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }
}
