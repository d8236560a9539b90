//! Terms that the pages explain.

/// Terms and their explanations, in the order of the alphabet.
pub(super) const TERMS: [(&str, &str); 42] = [
    (
        "95 % interval",
        "Where the value would lie in 95 of 100 repetitions. Shown small under a figure; absent where too few samples \
         support it.",
    ),
    ("actor type", "A kind of actor. Each has three column families in the database: events, states, metadata."),
    (
        "at least",
        "Not tested itself: it has at least the cores and memory of a machine that was tested, so it sustains at least \
         that rate.",
    ),
    (
        "closed loop",
        "Every worker issues its next command as soon as the last one returned. Finds the ceiling; hides how long users \
         would queue.",
    ),
    (
        "command",
        "What an actor asks of its store: persist stores an event, snapshot a state; recover brings an actor back at its \
         start; events and last_event read its log; purge deletes it. Each is one or more storage operations.",
    ),
    (
        "cores emulated",
        "Measured on this host within that machine's cores and under its tuning. Memory could not be limited; the run \
         used no more than the machine has.",
    ),
    ("CPU time", "CPU time of the whole process per command, background work of the engine included."),
    (
        "decisive p50",
        "Median service time: half of the commands took less. It counts from the actual start, without queueing.",
    ),
    ("durability off", "A write survives the death of the process, not of the machine."),
    ("durability on", "An acknowledged write survives power loss: it waited for the disk."),
    (
        "emulated",
        "Measured on this host within that machine's cores and memory, page cache included, and under its tuning.",
    ),
    (
        "extrapolated",
        "More cores than this host: its measured points, continued by the Universal Scalability Law. The range is \
         below the rate.",
    ),
    ("foreign load", "Cores that other processes of this machine kept busy, in the worst round."),
    (
        "harness cost",
        "What the workbench itself spends on one storage operation, measured against a backend that does nothing.",
    ),
    ("headroom", "The share of capacity kept free for growth, recovery and peaks."),
    ("interval", "Where the difference would lie in that share of repetitions. It applies to its own row."),
    (
        "log syncs",
        "Syncs of the write-ahead log for the same bytes, with durability on. They decide where the disk is unsteady.",
    ),
    ("measured", "Obtained on this host as it is."),
    ("not measured", "Nothing in this report applies to that machine. It is neither recommended nor ruled out."),
    ("open loop", "Commands are issued by a schedule, however slow the answers are: what users experience."),
    (
        "p-value",
        "Probability that chance alone shows a difference this large in any of the rows, after Holm's correction.",
    ),
    ("percentile", "99 of 100 requests took at most p99; p50 is the median. — means the samples do not support it."),
    ("profile", "A named machine size of ave-actors-store. The engine is tuned for its cores and memory."),
    (
        "reference work",
        "Sorting and following references on as many threads as there are workers, and 4 KiB writes with fdatasync, \
         before and after each round. No backend is involved.",
    ),
    ("response time", "From the moment a command was due to its answer: what a user waits, queueing included."),
    (
        "ruled out",
        "A pass needs a one-sided bound that rules out a slowdown of this size. Slowdowns between the threshold and this \
         cannot be told apart with so many samples.",
    ),
    ("saturation", "The highest rate reached with no pause between commands. Latency has no limit there."),
    (
        "scalability law",
        "How throughput grows with cores: each further core adds less, because some work is serial (contention) and cores \
         wait for each other (coherency). N. J. Gunther, Guerrilla Capacity Planning, 2007.",
    ),
    ("service level objective", "A percentile of one command's response time and its limit."),
    ("service time", "From the actual start of a command or operation to its end: what the backend took."),
    (
        "space amplification",
        "Size of the database per byte of values that are neither deleted nor overwritten, once compactions settled. Logs \
         kept for the next write, and keys, weigh in a small database.",
    ),
    ("stall", "Time the engine delayed or stopped writers because flushes or compactions could not keep up."),
    ("steal", "CPU time the hypervisor gave to others while this machine wanted it."),
    ("storage operation", "One call to the database: a put, a get, a seek, a range."),
    ("sustained", "The highest rate that met the objective on repeated evidence, in every report of the machine."),
    ("sync", "A write of 4 KiB and fdatasync: the least a durable write waits for."),
    ("tail p99", "99 of 100 commands were answered within this time, from the moment they were due."),
    ("threshold", "A slowdown of at least this size is a regression. Smaller ones are not, however certain."),
    ("throughput", "Commands completed per second in a closed loop. Its difference is that of the time per command."),
    ("WAL sync", "One wait until the write-ahead log is on the disk."),
    (
        "what binds",
        "The resource that runs out first at full speed: CPU, sync latency, memory, write bandwidth, or stalls.",
    ),
    ("write amplification", "Bytes written to the disk per byte of the values written, once compactions settled."),
];
