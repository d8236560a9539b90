//! Kills processes while they write, open, stop, write a checkpoint or create column families. Afterwards the database
//! contains every acknowledged operation, and of each thread at most the one operation that was in progress, completely
//! or not at all.
//!
//! `AVE_KILLS=500` sets the number of kills per durability mode. The default is [`KILLS`].

use std::{
    collections::{BTreeMap, HashMap},
    env,
    fs::{self, File},
    os::unix::{fs::FileExt, process::ExitStatusExt},
    panic,
    path::Path,
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ave_actors_rocksdb::{RocksDbManager, RocksDbStore};
use ave_actors_store::database::{Collection, DbManager, State};
use tempfile::TempDir;

use super::{DEADLINE, key, scratch, try_open, wait_until};

/// Kills in each durability mode.
const KILLS: u64 = 40;
/// Kills after which a new database replaces the old one.
const KILLS_PER_DATABASE: u64 = 8;
const THREADS: usize = 3;

/// The actors of each thread. All threads share the column families, and their prefixes are nested.
const ACTORS: [[&str; 3]; THREADS] = [["a", "a.b.c", "b."], ["a.b", "a.", "b"], ["a.b.", "a-", ""]];
const EVENTS: [&str; 2] = ["ledger_events", "audit_events"];
const STATES: &str = "states";
/// Column families that the threads create while they write.
const LATER_FAMILIES: u64 = 10;

/// Pseudo-random bits derived from `n`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// A pseudo-random number below `end`, derived from `n`.
fn pick(n: u64, end: u64) -> u64 {
    mix(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) % end
}

/// The address of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    family: String,
    prefix: &'static str,
    /// `None` for a state.
    key: Option<String>,
}

#[derive(Debug)]
enum Operation {
    Put(Place),
    Delete(Place),
    Purge { family: &'static str, prefix: &'static str },
}

/// The sequence of operations of a thread, determined by the seed and the thread.
struct Script {
    seed: u64,
    thread: usize,
    /// Number of completed operations.
    done: u64,
    /// The entries after these operations, and the operation that wrote each.
    entries: BTreeMap<Place, u64>,
    /// Events that the last snapshot covers and that are deleted next.
    covered: Vec<Place>,
}

impl Script {
    fn new(seed: u64, thread: usize) -> Self {
        Self { seed: mix(seed) ^ thread as u64, thread, done: 0, entries: BTreeMap::new(), covered: Vec::new() }
    }

    fn random(&self, salt: u64) -> u64 {
        mix(self.seed ^ mix(self.done ^ (salt << 56)))
    }

    /// Returns the next operation, and counts it as completed.
    fn advance(&mut self) -> Operation {
        let operation = self.next();
        match &operation {
            Operation::Put(place) => drop(self.entries.insert(place.clone(), self.done)),
            Operation::Delete(place) => drop(self.entries.remove(place).unwrap()),
            Operation::Purge { family, prefix } => {
                self.entries
                    .retain(|place, _| place.family != *family || place.prefix != *prefix || place.key.is_none());
            }
        }
        self.done += 1;
        operation
    }

    fn next(&mut self) -> Operation {
        if let Some(place) = self.covered.pop() {
            return Operation::Delete(place);
        }
        let actors = ACTORS[self.thread];
        let prefix = actors[usize::try_from(self.random(1) % actors.len() as u64).unwrap()];
        let family = EVENTS[usize::try_from(self.random(2) % EVENTS.len() as u64).unwrap()];
        match self.random(3) % 100 {
            0 => Operation::Purge { family, prefix },
            1 | 2 => {
                let later = self.random(4) % LATER_FAMILIES;
                Operation::Put(Place { family: format!("later-{later}"), prefix, key: Some("1".to_owned()) })
            }
            3..15 => {
                self.covered = self.events(family, prefix).skip(2).collect();
                Operation::Put(Place { family: STATES.to_owned(), prefix, key: None })
            }
            _ => Operation::Put(Place {
                family: family.to_owned(),
                prefix,
                key: Some(key(usize::try_from(self.done).unwrap())),
            }),
        }
    }

    /// The events of an actor, newest first.
    fn events(&self, family: &str, prefix: &str) -> impl Iterator<Item = Place> {
        let places = self.entries.keys().rev().filter(move |place| place.family == family && place.prefix == prefix);
        places.filter(|place| place.key.is_some()).cloned()
    }

    /// The value that operation `n` of this thread writes: 10 bytes to 64 KiB, unique to it.
    fn value(&self, n: u64) -> Vec<u8> {
        let random = mix(self.seed ^ mix(n));
        let len = match random % 64 {
            0 => 65_536,
            1..8 => 5000,
            _ => 10 + random / 64 % 300,
        };
        let mut value = n.to_le_bytes().to_vec();
        value.extend_from_slice(&random.to_le_bytes().repeat(usize::try_from(len).unwrap() / 8));
        value.truncate(usize::try_from(len).unwrap());
        value
    }

    /// The entries of this thread in the database, and the operation that wrote each.
    fn found(&self, manager: &RocksDbManager) -> BTreeMap<Place, u64> {
        let mut found = BTreeMap::new();
        let mut add = |family: &str, prefix, key, value: Vec<u8>| {
            let n = u64::from_le_bytes(value[..8].try_into().unwrap());
            assert!(value == self.value(n), "{family} {prefix:?} {key:?} is not the value of operation {n}");
            found.insert(Place { family: family.to_owned(), prefix, key }, n);
        };
        let later: Vec<String> = (0..LATER_FAMILIES).map(|n| format!("later-{n}")).collect();
        for prefix in ACTORS[self.thread] {
            for family in EVENTS.into_iter().chain(later.iter().map(String::as_str)) {
                let events = manager.create_collection(family, prefix).unwrap();
                for item in events.iter(false).unwrap() {
                    let (key, value) = item.unwrap();
                    add(family, prefix, Some(key), value);
                }
            }
            if let Ok(value) = State::get(&manager.create_state(STATES, prefix).unwrap()) {
                add(STATES, prefix, None, value);
            }
        }
        found
    }

    fn advance_to(&mut self, done: u64) {
        while self.done < done {
            self.advance();
        }
    }

    /// Advances to the state of the database, which must have `from` to `to` completed operations.
    fn advance_to_database(&mut self, manager: &RocksDbManager, from: u64, to: u64) {
        self.advance_to(from);
        let found = self.found(manager);
        while found != self.entries {
            let missing = self.entries.iter().find(|(place, n)| found.get(place) != Some(n));
            let surplus = found.iter().find(|(place, n)| self.entries.get(place) != Some(n));
            assert!(
                self.done < to,
                "thread {}, seed {:#x}, {from} to {to} operations: missing {missing:?}, unexpected {surplus:?}",
                self.thread,
                self.seed
            );
            self.advance();
        }
    }
}

/// Runs the operations of a script.
struct Runner<'a> {
    manager: &'a RocksDbManager,
    handles: HashMap<(String, &'static str), RocksDbStore>,
}

impl Runner<'_> {
    fn handle(&mut self, family: &str, prefix: &'static str) -> &mut RocksDbStore {
        let manager = self.manager;
        self.handles
            .entry((family.to_owned(), prefix))
            .or_insert_with(|| manager.create_collection(family, prefix).unwrap())
    }

    fn run(&mut self, operation: &Operation, value: &[u8]) {
        match operation {
            Operation::Put(Place { family, prefix, key }) => {
                let handle = self.handle(family, prefix);
                match key {
                    Some(key) => Collection::put(handle, key, value).unwrap(),
                    None => State::put(handle, value).unwrap(),
                }
            }
            Operation::Delete(Place { family, prefix, key }) => {
                Collection::del(self.handle(family, prefix), key.as_ref().unwrap()).unwrap();
            }
            Operation::Purge { family, prefix } => Collection::purge(self.handle(family, prefix)).unwrap(),
        }
    }
}

/// The activity of a process, besides writing, when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Opening,
    Writing,
    Stopping,
    Checkpointing,
    CreatingFamilies,
}

impl Activity {
    const ALL: [Self; 5] = [Self::Writing, Self::Opening, Self::Stopping, Self::Checkpointing, Self::CreatingFamilies];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// The longest time from the start of the activity to the kill.
    fn max_delay(self) -> Duration {
        Duration::from_millis(match self {
            Self::Writing => 150,
            Self::Opening | Self::Stopping => 40,
            Self::Checkpointing | Self::CreatingFamilies => 60,
        })
    }
}

/// A file of numbers that survives the process that writes them. One update costs one write to the page cache.
struct Board(File);

/// Indexes of the numbers. The first ones are the completed operations of each thread.
const BEGUN: usize = THREADS;
const FAMILIES_CREATED: usize = THREADS + 1;
const CHECKPOINTS: usize = THREADS + 2;
const FAILED: usize = THREADS + 3;
const NUMBERS: usize = THREADS + 4;

impl Board {
    fn open(dir: &Path) -> Self {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(dir.join("board")).unwrap();
        file.set_len(8 * NUMBERS as u64).unwrap();
        Self(file)
    }

    fn set(&self, number: usize, value: u64) {
        self.0.write_all_at(&value.to_le_bytes(), 8 * number as u64).unwrap();
    }

    fn get(&self, number: usize) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, 8 * number as u64).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// The number of acknowledged operations of each thread.
    fn acknowledged(&self) -> [u64; THREADS] {
        std::array::from_fn(|thread| self.get(thread))
    }
}

const DIRECTORY: &str = "AVE_TEST_CRASH";
const SEED: &str = "AVE_TEST_CRASH_SEED";
const ACTIVITY: &str = "AVE_TEST_CRASH_ACTIVITY";

/// The child process. Continues after the operations of the killed one before it.
fn run_until_killed(dir: &Path, durability: bool) {
    let variable = |name| env::var(name).unwrap();
    let activity = Activity::ALL.into_iter().find(|activity| activity.name() == variable(ACTIVITY)).unwrap();
    let seed = variable(SEED).parse().unwrap();
    let board = Board::open(dir);
    abort_on_panic(dir);
    if activity == Activity::Opening {
        board.set(BEGUN, 1);
    }
    let manager = try_open(&dir.join("db"), durability).unwrap();
    let scripts = scripts_at(&manager, seed, &board);
    // Records an operation that was in progress at the kill and is in the database.
    for script in &scripts {
        board.set(script.thread, script.done);
    }
    let acknowledged: [AtomicU64; THREADS] = std::array::from_fn(|thread| AtomicU64::new(scripts[thread].done));
    let start = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for (mut script, acknowledged) in scripts.into_iter().zip(&acknowledged) {
            let (manager, board, start) = (&manager, &board, &start);
            scope.spawn(move || {
                start.wait();
                let mut runner = Runner { manager, handles: HashMap::new() };
                loop {
                    let value = script.value(script.done);
                    let operation = script.advance();
                    runner.run(&operation, &value);
                    acknowledged.store(script.done, Ordering::SeqCst);
                    board.set(script.thread, script.done);
                    if script.done.is_multiple_of(97) {
                        runner.handles.clear();
                    }
                }
            });
        }
        start.wait();
        run_activity(activity, dir, &manager, &board, &acknowledged);
    });
}

/// Makes any panic of this process set `FAILED` and abort.
fn abort_on_panic(dir: &Path) {
    let (board, report) = (Board::open(dir), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        board.set(FAILED, 1);
        report(info);
        process::abort();
    }));
}

/// The scripts, advanced to the state of a database that was killed after the operations on the board.
fn scripts_at(manager: &RocksDbManager, seed: u64, board: &Board) -> [Script; THREADS] {
    std::array::from_fn(|thread| {
        let mut script = Script::new(seed, thread);
        let acknowledged = board.get(thread);
        script.advance_to_database(manager, acknowledged, acknowledged + 1);
        script
    })
}

/// Runs the activity while the threads write.
fn run_activity(
    activity: Activity,
    dir: &Path,
    manager: &RocksDbManager,
    board: &Board,
    acknowledged: &[AtomicU64; THREADS],
) {
    let now = || acknowledged.each_ref().map(|number| number.load(Ordering::SeqCst));
    if activity == Activity::Writing {
        let before = now();
        wait_until("an operation is acknowledged", || now() != before);
    }
    board.set(BEGUN, 1);
    match activity {
        Activity::Opening | Activity::Writing => {}
        Activity::Stopping => loop {
            manager.clone().stop().unwrap();
        },
        Activity::Checkpointing => {
            for n in 1.. {
                let before = now();
                manager.checkpoint(&dir.join(format!("checkpoint-{n}"))).unwrap();
                // The checkpoint has all operations acknowledged before it, and none that started after it.
                let list = [before, now()].concat();
                let list: Vec<u8> = list.into_iter().flat_map(u64::to_le_bytes).collect();
                fs::write(dir.join(format!("checkpoint-{n}.acknowledged")), list).unwrap();
                board.set(CHECKPOINTS, n);
            }
        }
        Activity::CreatingFamilies => {
            for n in 0..30 {
                let mut first = manager.create_collection(&format!("created-{n}"), "actor").unwrap();
                Collection::put(&mut first, "1", &[7; 100]).unwrap();
                board.set(FAMILIES_CREATED, n + 1);
            }
        }
    }
}

/// A child process, which is killed at the latest when a failed test drops it.
struct Victim(Child);

impl Victim {
    fn kill(&mut self) -> ExitStatus {
        self.0.kill().unwrap();
        self.0.wait().unwrap()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A database whose processes are killed repeatedly.
struct KilledDatabase {
    dir: TempDir,
    board: Board,
    seed: u64,
    durability: bool,
}

impl KilledDatabase {
    fn new(seed: u64, durability: bool) -> Self {
        let dir = scratch();
        let board = Board::open(dir.path());
        Self { dir, board, seed, durability }
    }

    fn spawn(&self, activity: Activity) -> Victim {
        let mode = if self.durability { "with" } else { "without" };
        let test = format!("backend::crash::acknowledged_operations_survive_kills_{mode}_durability");
        let child = Command::new(env::current_exe().unwrap())
            .args([&test, "--exact", "--nocapture"])
            .env(DIRECTORY, self.dir.path())
            .env(SEED, self.seed.to_string())
            .env(ACTIVITY, activity.name())
            .stdout(Stdio::null())
            .spawn();
        Victim(child.unwrap())
    }

    /// Starts a process and kills it `delay` after the start of its activity.
    fn kill(&self, activity: Activity, delay: Duration) {
        for number in [BEGUN, FAMILIES_CREATED, CHECKPOINTS] {
            self.board.set(number, 0);
        }
        let mut victim = self.spawn(activity);
        let spawned = Instant::now();
        let mut begun = None;
        while begun.is_none_or(|begun: Instant| begun.elapsed() < delay) {
            if begun.is_none() && self.board.get(BEGUN) != 0 {
                begun = Some(Instant::now());
            }
            assert_eq!(victim.0.try_wait().unwrap(), None, "{activity:?}: the process exited");
            assert!(spawned.elapsed() < DEADLINE, "{activity:?}: not started after {DEADLINE:?}");
            thread::sleep(Duration::from_micros(100));
        }
        assert_eq!(victim.kill().signal(), Some(9), "{activity:?}: the process exited");
        assert_eq!(self.board.get(FAILED), 0, "{activity:?}: the process panicked, see its output");
    }

    /// Opens the database of the killed process, and checks its whole content.
    fn check(&self) {
        let manager = try_open(&self.dir.path().join("db"), self.durability).unwrap();
        for script in scripts_at(&manager, self.seed, &self.board) {
            self.board.set(script.thread, script.done);
        }
        for n in 0..self.board.get(FAMILIES_CREATED) {
            let first = manager.create_collection(&format!("created-{n}"), "actor").unwrap();
            assert_eq!(Collection::get(&first, "1"), Ok([7; 100].into()), "column family {n}");
        }
        drop(manager);
        self.check_checkpoints();
    }

    /// Completed checkpoints have all operations acknowledged before them, and none that started after them.
    fn check_checkpoints(&self) {
        let completed = self.board.get(CHECKPOINTS);
        for n in 1.. {
            let path = self.dir.path().join(format!("checkpoint-{n}"));
            if !path.exists() {
                assert!(n > completed);
                break;
            }
            let manager = try_open(&path, self.durability).unwrap();
            if n <= completed {
                let list = fs::read(self.dir.path().join(format!("checkpoint-{n}.acknowledged"))).unwrap();
                let list: Vec<u64> =
                    list.chunks(8).map(|number| u64::from_le_bytes(number.try_into().unwrap())).collect();
                for thread in 0..THREADS {
                    let mut script = Script::new(self.seed, thread);
                    script.advance_to_database(&manager, list[thread], list[THREADS + thread] + 1);
                }
            }
            drop(manager);
            fs::remove_dir_all(path).unwrap();
        }
        // The application must remove an incomplete checkpoint.
        for entry in fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("checkpoint") && entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
}

fn kills() -> u64 {
    env::var("AVE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap())
}

fn assert_acknowledged_operations_survive(durability: bool) {
    if let Some(dir) = env::var_os(DIRECTORY) {
        return run_until_killed(Path::new(&dir), durability);
    }
    let mut database = KilledDatabase::new(0, durability);
    let mut operations = 0;
    for n in 0..kills() {
        if n > 0 && n.is_multiple_of(KILLS_PER_DATABASE) {
            operations += database.board.acknowledged().iter().sum::<u64>();
            database = KilledDatabase::new(n, durability);
        }
        let activity = Activity::ALL[usize::try_from(n).unwrap() % Activity::ALL.len()];
        let max_delay = u64::try_from(activity.max_delay().as_micros()).unwrap();
        database.kill(activity, Duration::from_micros(pick(n, max_delay)));
        // A process that is killed while it opens replays the log of the one before it.
        let next = Activity::ALL[usize::try_from(n + 1).unwrap() % Activity::ALL.len()];
        if next != Activity::Opening {
            database.check();
        }
    }
    database.check();
    operations += database.board.acknowledged().iter().sum::<u64>();
    assert!(operations > 0, "no operation was acknowledged");
}

#[test]
fn acknowledged_operations_survive_kills_with_durability() {
    assert_acknowledged_operations_survive(true);
}

#[test]
fn acknowledged_operations_survive_kills_without_durability() {
    assert_acknowledged_operations_survive(false);
}
