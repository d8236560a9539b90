//! Terms that the pages explain.

/// A term and its explanation per line, in the order of the alphabet.
pub(super) const TERMS: &str = "\
    95 % interval: Where the value would lie in 95 of 100 repetitions. Shown small under a figure; absent where \
      too few samples support it.\n\
    actor type: A kind of actor. Each has three column families in the database: events, states, metadata.\n\
    at least: Not tested itself: it has at least the cores and memory of a machine that was tested, so it sustains \
      at least that rate.\n\
    change point: A report from which on a figure comes from another distribution, by a permutation test.\n\
    closed loop: Every writer issues its next command as soon as the last one returned. Finds the ceiling; hides \
      how long users would queue.\n\
    command: What an actor asks of its store: persist stores an event, snapshot a state; recover brings an actor \
      back at its start; events and last_event read its log; purge deletes it. Each is one or more storage \
      operations.\n\
    cores emulated: Measured on this host within that machine's cores and under its tuning. Memory could not be \
      limited; the run used no more than the machine has.\n\
    CPU time: CPU time of the whole process per command, background work of the engine included.\n\
    decisive p50: Median service time: half of the commands took less. It counts from the actual start, without \
      queueing.\n\
    durability off: A write survives the death of the process, not of the machine.\n\
    durability on: An acknowledged write survives power loss: it waited for the disk.\n\
    emulated: Measured on this host within that machine's cores and memory, page cache included, and under its \
      tuning.\n\
    extrapolated: More cores than this host: its measured points, continued by the Universal Scalability Law. The \
      range is below the rate.\n\
    foreign load: Cores that other processes of this machine kept busy, in the worst round.\n\
    harness cost: What the workbench itself spends on one storage operation, measured against a backend that does \
      nothing.\n\
    headroom: The share of capacity kept free for growth, recovery and peaks.\n\
    interval: Where the difference would lie in that share of repetitions. It applies to its own row.\n\
    log syncs: Syncs of the write-ahead log for the same bytes, with durability on. They decide where the disk is \
      unsteady.\n\
    measured: Obtained on this host as it is.\n\
    not measured: Nothing in this report applies to that machine. It is neither recommended nor ruled out.\n\
    open loop: Commands are issued by a schedule, however slow the answers are: what users experience.\n\
    p-value: Probability that chance alone shows a difference this large in any of the rows, after Holm's \
      correction.\n\
    percentile: 99 of 100 requests took at most p99; p50 is the median. — means the samples do not support it.\n\
    predicted: Not measured: what another host will sustain, by its profile and the rates of this plan. The range is \
      below the rate.\n\
    profile: A named machine size of ave-actors-store. The engine is tuned for its cores and memory.\n\
    reference work: Sorting and following references on as many threads as there are writers, at most one per core, and \
      4 KiB writes with fdatasync, before and after each round. No backend is involved.\n\
    response time: From the moment a command was due to its answer: what a user waits, queueing included.\n\
    ruled out: A pass needs a one-sided bound that rules out a slowdown of this size. Slowdowns between the \
      threshold and this cannot be told apart with so many samples.\n\
    saturation: The highest rate reached with no pause between commands. Latency has no limit there.\n\
    scalability law: How throughput grows with cores: each further core adds less, because some work is serial \
      (contention) and cores wait for each other (coherency). N. J. Gunther, Guerrilla Capacity Planning, 2007.\n\
    segment: Reports in order of time without a change point between them.\n\
    service level objective: A percentile of one command's response time and its limit.\n\
    service time: From the actual start of a command or operation to its end: what the backend took.\n\
    space amplification: Size of the database per byte of values that are neither deleted nor overwritten, once \
      compactions settled. Logs kept for the next write, and keys, weigh in a small database.\n\
    stall: Time the engine delayed or stopped writers because flushes or compactions could not keep up.\n\
    steal: CPU time the hypervisor gave to others while this machine wanted it.\n\
    storage operation: One call to the database: a put, a get, a seek, a range.\n\
    sustained: The highest rate that met the objective on repeated evidence, in every report of the machine.\n\
    sync: A write of 4 KiB and fdatasync: the least a durable write waits for.\n\
    tail p99: 99 of 100 commands were answered within this time, from the moment they were due.\n\
    threshold: A slowdown of at least this size is a regression. Smaller ones are not, however certain.\n\
    throughput: Commands completed per second in a closed loop. Its difference is that of the time per command.\n\
    WAL sync: One wait until the write-ahead log is on the disk.\n\
    what binds: The resource that runs out first at full speed: CPU, sync latency, memory, write bandwidth, or \
      stalls.\n\
    write amplification: Bytes written to the disk per byte of the values written, once compactions settled.";
