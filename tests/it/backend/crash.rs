//! Processes killed at any moment: in the midst of writing, opening, stopping, writing a checkpoint, creating column
//! families. What was acknowledged is there, byte for byte; what was deleted stays deleted; and of each thread nothing is
//! there beyond that but the one operation that was under way, all of it or nothing.
//!
//! `AVE_KILLS=500` kills that many processes in each durability mode, instead of [`KILLS`].

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    os::unix::{fs::FileExt, process::ExitStatusExt},
    panic,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
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

use super::{SMALL, scratch};

/// Kills in each durability mode, unless the environment wants more.
const KILLS: u64 = 40;
/// So often a database is killed before it is left for a new one.
const KILLS_PER_DATABASE: u64 = 8;
const THREADS: usize = 3;

/// The actors of each thread: in the same column families as those of the others, and in the midst of them.
const ACTORS: [[&str; 3]; THREADS] = [["a", "a.b.c", "b."], ["a.b", "a.", "b"], ["a.b.", "a-", ""]];
const EVENTS: [&str; 2] = ["ledger_events", "audit_events"];
const STATES: &str = "states";
/// Column families that come into being while a thread writes.
const LATER_FAMILIES: u64 = 10;

/// Well mixed bits of `n`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// A number below `end`, another one for each `n`.
fn pick(n: u64, end: u64) -> u64 {
    mix(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) % end
}

/// Where an entry lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    family: String,
    prefix: &'static str,
    /// None for a state.
    key: Option<String>,
}

#[derive(Debug)]
enum Operation {
    Put(Place),
    Delete(Place),
    Purge { family: &'static str, prefix: &'static str },
}

/// All that a thread ever does: the same for everybody who knows the seed, the thread and how far it has come.
struct Script {
    seed: u64,
    thread: usize,
    /// How many operations have been done.
    done: u64,
    /// What is there, and which operation put it there.
    entries: BTreeMap<Place, u64>,
    /// Events of the actor that has written a snapshot and deletes what it covers.
    covered: Vec<Place>,
}

impl Script {
    fn new(seed: u64, thread: usize) -> Self {
        Self { seed: mix(seed) ^ thread as u64, thread, done: 0, entries: BTreeMap::new(), covered: Vec::new() }
    }

    fn random(&self, salt: u64) -> u64 {
        mix(self.seed ^ mix(self.done ^ (salt << 56)))
    }

    /// The next operation. From here on it counts as done.
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
            _ => Operation::Put(Place { family: family.to_owned(), prefix, key: Some(format!("{:020}", self.done)) }),
        }
    }

    /// The events of an actor, the newest first.
    fn events(&self, family: &str, prefix: &str) -> impl Iterator<Item = Place> {
        let places = self.entries.keys().rev().filter(move |place| place.family == family && place.prefix == prefix);
        places.filter(|place| place.key.is_some()).cloned()
    }

    /// What operation `n` of this thread puts: 10 bytes to 64 KiB that nobody else puts.
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

    /// What the database holds for this thread, and which operations put it there.
    fn found(&self, manager: &RocksDbManager) -> BTreeMap<Place, u64> {
        let mut found = BTreeMap::new();
        let mut add = |family: &str, prefix, key, value: Vec<u8>| {
            let n = u64::from_le_bytes(value[..8].try_into().unwrap());
            assert!(value == self.value(n), "{family} {prefix:?} {key:?} is not what operation {n} put there");
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

    /// Goes on to where the database has come: at least `from`, at most `to` operations.
    fn advance_to_what_is_there(&mut self, manager: &RocksDbManager, from: u64, to: u64) {
        self.advance_to(from);
        let found = self.found(manager);
        while found != self.entries {
            let missing = self.entries.iter().find(|(place, n)| found.get(place) != Some(n));
            let surplus = found.iter().find(|(place, n)| self.entries.get(place) != Some(n));
            assert!(
                self.done < to,
                "after {from} to {to} operations of thread {} (seed {:#x}), {missing:?} is missing, {surplus:?} is there",
                self.thread,
                self.seed
            );
            self.advance();
        }
    }
}

/// Does what a script says, over handles that come and go.
struct Actor<'a> {
    manager: &'a RocksDbManager,
    handles: HashMap<(String, &'static str), RocksDbStore>,
}

impl Actor<'_> {
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

/// What a process is doing besides writing, and when it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Opening,
    Writing,
    Stopping,
    Checkpointing,
    CreatingFamilies,
}

impl Moment {
    const ALL: [Self; 5] = [Self::Writing, Self::Opening, Self::Stopping, Self::Checkpointing, Self::CreatingFamilies];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// How long after it has begun the process lives on at most.
    fn lasts(self) -> Duration {
        Duration::from_millis(match self {
            Self::Writing => 150,
            Self::Opening | Self::Stopping => 40,
            Self::Checkpointing | Self::CreatingFamilies => 60,
        })
    }
}

/// A file of numbers that outlives the process which writes them: a write to the page cache is all that one costs.
struct Board(File);

/// Numbers on the board: those of the threads come first.
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

    /// Of each thread, how many operations have been acknowledged.
    fn acknowledged(&self) -> [u64; THREADS] {
        std::array::from_fn(|thread| self.get(thread))
    }
}

fn open(path: &Path, durability: bool) -> RocksDbManager {
    RocksDbManager::new(&path.to_path_buf(), durability, Some(SMALL)).unwrap()
}

const DIRECTORY: &str = "AVE_TEST_CRASH";
const SEED: &str = "AVE_TEST_CRASH_SEED";
const DURABILITY: &str = "AVE_TEST_CRASH_DURABILITY";
const MOMENT: &str = "AVE_TEST_CRASH_MOMENT";

/// Not a test of its own: the process that the others kill. It goes on where the last one was killed.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let variable = |name| std::env::var(name).unwrap();
    let moment = Moment::ALL.into_iter().find(|moment| moment.name() == variable(MOMENT)).unwrap();
    let seed = variable(SEED).parse().unwrap();
    let board = Board::open(&dir);
    fail_at_once(&dir);
    if moment == Moment::Opening {
        board.set(BEGUN, 1);
    }
    let manager = open(&dir.join("db"), variable(DURABILITY) == "true");
    let scripts = scripts_at(&manager, seed, &board);
    // The operation that was under way is one that is done, or the next one under way would be one too many.
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
                let mut actor = Actor { manager, handles: HashMap::new() };
                loop {
                    let value = script.value(script.done);
                    let operation = script.advance();
                    actor.run(&operation, &value);
                    acknowledged.store(script.done, Ordering::SeqCst);
                    board.set(script.thread, script.done);
                    if script.done.is_multiple_of(97) {
                        actor.handles.clear();
                    }
                }
            });
        }
        start.wait();
        busy_with(moment, &dir, &manager, &board, &acknowledged);
    });
}

/// A process in which anything fails says so before it is killed.
fn fail_at_once(dir: &Path) {
    let (board, report) = (Board::open(dir), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        board.set(FAILED, 1);
        report(info);
        process::abort();
    }));
}

/// Where the scripts are of a database that was killed after what is on the board.
fn scripts_at(manager: &RocksDbManager, seed: u64, board: &Board) -> [Script; THREADS] {
    std::array::from_fn(|thread| {
        let mut script = Script::new(seed, thread);
        let acknowledged = board.get(thread);
        script.advance_to_what_is_there(manager, acknowledged, acknowledged + 1);
        script
    })
}

/// What the process does besides writing.
fn busy_with(moment: Moment, dir: &Path, manager: &RocksDbManager, board: &Board, acknowledged: &[AtomicU64; THREADS]) {
    let now = || acknowledged.each_ref().map(|number| number.load(Ordering::SeqCst));
    board.set(BEGUN, 1);
    match moment {
        Moment::Opening | Moment::Writing => {}
        Moment::Stopping => loop {
            manager.clone().stop().unwrap();
        },
        Moment::Checkpointing => {
            for n in 1.. {
                let before = now();
                manager.checkpoint(&dir.join(format!("checkpoint-{n}"))).unwrap();
                // What has returned is in the checkpoint or not; what returns later is not on the list of those yet.
                let list = [before, now()].concat();
                let list: Vec<u8> = list.into_iter().flat_map(u64::to_le_bytes).collect();
                fs::write(dir.join(format!("checkpoint-{n}.acknowledged")), list).unwrap();
                board.set(CHECKPOINTS, n);
            }
        }
        Moment::CreatingFamilies => {
            for n in 0..30 {
                let mut first = manager.create_collection(&format!("created-{n}"), "actor").unwrap();
                Collection::put(&mut first, "1", &[7; 100]).unwrap();
                board.set(FAMILIES_CREATED, n + 1);
            }
        }
    }
}

/// A database that is killed again and again.
struct Victim {
    dir: TempDir,
    board: Board,
    seed: u64,
    durability: bool,
}

impl Victim {
    fn new(seed: u64, durability: bool) -> Self {
        let dir = scratch();
        let board = Board::open(dir.path());
        Self { dir, board, seed, durability }
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("db")
    }

    fn spawn(&self, moment: Moment) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["backend::crash::child", "--exact", "--nocapture"])
            .env(DIRECTORY, self.dir.path())
            .env(SEED, self.seed.to_string())
            .env(DURABILITY, self.durability.to_string())
            .env(MOMENT, moment.name())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts a process and kills it `after` the moment has begun.
    fn kill(&self, moment: Moment, after: Duration) {
        for number in [BEGUN, FAMILIES_CREATED, CHECKPOINTS] {
            self.board.set(number, 0);
        }
        let mut child = self.spawn(moment);
        let mut begun = None;
        while begun.is_none_or(|begun: Instant| begun.elapsed() < after) {
            if begun.is_none() && self.board.get(BEGUN) != 0 {
                begun = Some(Instant::now());
            }
            assert_eq!(child.try_wait().unwrap(), None, "{moment:?}: it ended by itself");
            thread::sleep(Duration::from_micros(100));
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "{moment:?}: it ended by itself");
        assert_eq!(self.board.get(FAILED), 0, "{moment:?}: it failed, see what it has said");
    }

    /// Opens what the killed process has left and looks at everything.
    fn examine(&self) {
        let manager = open(&self.db(), self.durability);
        for script in scripts_at(&manager, self.seed, &self.board) {
            self.board.set(script.thread, script.done);
        }
        for n in 0..self.board.get(FAMILIES_CREATED) {
            let first = manager.create_collection(&format!("created-{n}"), "actor").unwrap();
            assert_eq!(Collection::get(&first, "1"), Ok([7; 100].into()), "column family {n}");
        }
        drop(manager);
        self.examine_checkpoints();
    }

    /// Those that were completed hold what was acknowledged before, and nothing that was begun afterwards.
    fn examine_checkpoints(&self) {
        let completed = self.board.get(CHECKPOINTS);
        for n in 1.. {
            let path = self.dir.path().join(format!("checkpoint-{n}"));
            if !path.exists() {
                assert!(n > completed);
                break;
            }
            let manager = open(&path, self.durability);
            if n <= completed {
                let list = fs::read(self.dir.path().join(format!("checkpoint-{n}.acknowledged"))).unwrap();
                let list: Vec<u64> =
                    list.chunks(8).map(|number| u64::from_le_bytes(number.try_into().unwrap())).collect();
                for thread in 0..THREADS {
                    let mut script = Script::new(self.seed, thread);
                    script.advance_to_what_is_there(&manager, list[thread], list[THREADS + thread] + 1);
                }
            }
            drop(manager);
            fs::remove_dir_all(path).unwrap();
        }
        // What an unfinished one has left is its owner's to remove.
        for entry in fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("checkpoint") && entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
}

fn kills() -> u64 {
    std::env::var("AVE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap())
}

fn acknowledged_operations_survive(durability: bool) {
    let mut victim = Victim::new(0, durability);
    let mut operations = 0;
    for n in 0..kills() {
        if n > 0 && n.is_multiple_of(KILLS_PER_DATABASE) {
            operations += victim.board.acknowledged().iter().sum::<u64>();
            victim = Victim::new(n, durability);
        }
        let moment = Moment::ALL[usize::try_from(n).unwrap() % Moment::ALL.len()];
        let lasts = u64::try_from(moment.lasts().as_micros()).unwrap();
        victim.kill(moment, Duration::from_micros(pick(n, lasts)));
        // The next one is killed while it replays what this one has left.
        let next = Moment::ALL[usize::try_from(n + 1).unwrap() % Moment::ALL.len()];
        if next != Moment::Opening {
            victim.examine();
        }
    }
    victim.examine();
    operations += victim.board.acknowledged().iter().sum::<u64>();
    assert!(operations > 0, "nothing was written");
}

#[test]
fn acknowledged_operations_survive_kills_with_durability() {
    acknowledged_operations_survive(true);
}

#[test]
fn acknowledged_operations_survive_kills_without_durability() {
    acknowledged_operations_survive(false);
}
