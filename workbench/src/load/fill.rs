//! Fills a database with what the actors of a source have stored before their first commands.
//!
//! The entries are written in the order of their keys, in pieces that several threads write at the same time, so that a
//! backend can write them as sorted files.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{self, AtomicU64};

use ave_actors_store::Error;
use ave_actors_store::database::DbManager;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::error::RunError;
use super::handles::{Family, event_key};
use super::observer::{JobContext, Phase};
use super::source::Source;
use super::target::{Loader, Target};
use super::verify::{Expected, Written};
use crate::actor::Durability;
use crate::workload::ValuePool;
use ave_actors_rocksdb::trace::OpKind;

/// Entries that one thread writes without a break, of one column family.
const PIECE_ENTRIES: u64 = 1 << 17;
/// Entries between two reports of progress and looks at the cancellation flag.
const REPORT_EVERY: u64 = 1 << 10;

/// Creates a database with the preload of `source` in `directory`, for [`Session::start_filled`](super::Session::start_filled)
/// or for copies of it. Without a preload, or if the job is cancelled, the database is empty.
///
/// `durability` is that of the loads that follow, for the observer: in both modes the preload is on the disk in the end.
///
/// # Errors
///
/// [`RunError`] if the database or its directory fails.
pub fn fill_database<T: Target>(
    target: &T,
    source: &Source,
    directory: &Path,
    durability: Durability,
    job: JobContext<'_>,
) -> Result<(), RunError> {
    fs::create_dir_all(directory).map_err(|source| RunError::Directory(directory.to_owned(), source))?;
    if !source.has_preload() {
        return Ok(());
    }
    let failed = |action| move |source| RunError::Database(action, directory.to_owned(), source);
    let mut manager = target.open(directory, Durability::Off).map_err(failed("open"))?;
    job.observer.phase(durability, Phase::Preload, Some(source.preload_bytes()));
    fill(target, &manager, source, job).map_err(failed("fill"))?;
    manager.stop().map_err(failed("stop"))
}

fn fill<T: Target>(target: &T, manager: &T::Manager, source: &Source, job: JobContext<'_>) -> Result<(), Error> {
    let pool = source.value_pool();
    let loader = target.loader(manager, source.preload_disk_bytes())?;
    let filling = Filling { source, pool: &pool, loader: &*loader, job, done: AtomicU64::new(0) };
    for family in Family::ALL {
        let (types, actors) = sorted_actors(source, family);
        let write = |piece: &Piece| filling.write(piece, family, &types, &actors);
        pieces(source, &actors, family).par_iter().with_max_len(1).try_for_each(write)?;
    }
    if job.control.is_stopped() { Ok(()) } else { loader.finish() }
}

/// An actor with a preload.
struct Place {
    type_number: usize,
    /// The first bytes of what it is sorted by, for most comparisons.
    head: u64,
    actor: u64,
}

/// The names of the actor types, and the actors that have a preload, by type and by their keys in the column families.
fn sorted_actors(source: &Source, family: Family) -> (Vec<String>, Vec<Place>) {
    // The keys of events continue the name with a dot, the keys of states are the names.
    let key_of = |mut name: String| {
        if family == Family::Events {
            name.push('.');
        }
        name
    };
    let (mut types, mut numbers): (Vec<String>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    let mut places = Vec::new();
    for actor in (0..source.actors()).filter(|&actor| !Expected::before(source, actor, true).is_empty()) {
        let (type_name, name) = source.actor(actor);
        let type_number = *numbers.entry(type_name).or_insert_with_key(|type_name| {
            types.push(type_name.clone());
            types.len() - 1
        });
        let mut head = [0; 8];
        head.iter_mut().zip(key_of(name).bytes()).for_each(|(place, byte)| *place = byte);
        places.push(Place { type_number, head: u64::from_be_bytes(head), actor });
    }
    let key = |place: &Place| key_of(source.actor(place.actor).1);
    places.par_sort_unstable_by(|a, b| {
        let by_head = (a.type_number, a.head).cmp(&(b.type_number, b.head));
        if by_head == Ordering::Equal { key(a).cmp(&key(b)) } else { by_head }
    });
    (types, places)
}

/// A range of entries of one column family.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// In the order of [`sorted_actors`]; all of one type.
    actors: Range<usize>,
    /// Of the events of each of them. All, unless there is one actor.
    events: Range<u64>,
}

fn pieces(source: &Source, actors: &[Place], family: Family) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut entries = PIECE_ENTRIES;
    for (at, place) in actors.iter().enumerate() {
        let count = match family {
            Family::Events => Expected::before(source, place.actor, true).event_count(),
            Family::States | Family::Metadata => 1,
        };
        if count > PIECE_ENTRIES {
            let from = (0..count).step_by(usize::try_from(PIECE_ENTRIES).unwrap_or(usize::MAX));
            pieces.extend(from.map(|from| Piece { actors: at..at + 1, events: from..from + PIECE_ENTRIES }));
            entries = PIECE_ENTRIES;
            continue;
        }
        entries += count;
        match pieces.last_mut() {
            Some(last) if entries <= PIECE_ENTRIES && actors[last.actors.start].type_number == place.type_number => {
                last.actors.end = at + 1;
            }
            _ => {
                pieces.push(Piece { actors: at..at + 1, events: 0..u64::MAX });
                entries = count;
            }
        }
    }
    pieces
}

struct Filling<'a> {
    source: &'a Source,
    pool: &'a ValuePool,
    loader: &'a dyn Loader,
    job: JobContext<'a>,
    /// Bytes of values.
    done: AtomicU64,
}

impl Filling<'_> {
    fn write(&self, piece: &Piece, family: Family, types: &[String], actors: &[Place]) -> Result<(), Error> {
        let Some(places) = actors.get(piece.actors.clone()).filter(|_| !self.job.control.is_stopped()) else {
            return Ok(());
        };
        let type_name = &types[places[0].type_number];
        let mut writer = self.loader.writer(&family.name(type_name))?;
        let (mut entries, mut bytes, mut digits) = (0_u64, 0, [0; 20]);
        for &Place { actor, .. } in places {
            let (_, name) = self.source.actor(actor);
            let expected = Expected::before(self.source, actor, true);
            let mut put = |kind, written: Written| {
                let value = self.pool.value(actor, kind, written.number, written.bytes);
                entries += 1;
                bytes += value.len() as u64;
                if entries.is_multiple_of(REPORT_EVERY) {
                    self.report(std::mem::take(&mut bytes));
                }
                match family {
                    Family::Events => writer.event(&name, event_key(written.number, &mut digits), value),
                    Family::States | Family::Metadata => writer.state(&name, value),
                }
            };
            match family {
                Family::Events => {
                    let events = expected.events_at(piece.events.clone());
                    let mut events = events.take_while(|_| !self.job.control.is_stopped());
                    events.try_for_each(|written| put(OpKind::EventsPut, written))?;
                }
                Family::States => expected.state.map_or(Ok(()), |written| put(OpKind::StatesPut, written))?,
                Family::Metadata => expected.metadata.map_or(Ok(()), |written| put(OpKind::MetadataPut, written))?,
            }
        }
        self.report(bytes);
        writer.finish()
    }

    fn report(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, atomic::Ordering::Relaxed) + bytes;
        self.job.observer.progress(done, 0);
    }
}

#[cfg(test)]
#[cfg(feature = "rocksdb")]
mod tests {
    use super::*;
    use std::sync::Arc;

    use ave_actors_rocksdb::RocksDbManager;
    use ave_actors_store::config::MachineSpec;
    use ave_actors_store::database::{Collection, State};

    use crate::load::handles::Handles;
    use crate::load::{Control, DriveSpec, Load, RocksDbTarget, Session, SystemClock, WarmUp};
    use crate::workload::{Population, PreloadCommands, PreloadContent, Workload, shipped};

    fn target() -> RocksDbTarget {
        RocksDbTarget::new(MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 })
    }

    /// The shipped workloads with few actors, some of them with long logs.
    fn workloads() -> Vec<Arc<Workload>> {
        let small = |text| {
            let mut workload = Workload::parse(text).unwrap();
            for Population { actors, preload, .. } in &mut workload.populations {
                actors.count = actors.count.min(20);
                actors.types = actors.types.min(actors.count).min(2);
                preload.events_per_actor = preload.events_per_actor.min(5);
            }
            Arc::new(workload.grown(700))
        };
        shipped().iter().map(|named| small(named.text)).collect()
    }

    fn filled(source: &Source, directory: &Path) {
        fill_database(&target(), source, directory, Durability::Off, JobContext::silent(&Control::default())).unwrap();
    }

    fn open(directory: &Path) -> RocksDbManager {
        target().open(directory, Durability::Off).unwrap()
    }

    type Content = (Vec<(String, Vec<u8>)>, Option<Vec<u8>>, Option<Vec<u8>>);

    fn content(manager: &RocksDbManager, source: &Source) -> Vec<Content> {
        let of = |actor| {
            let (type_name, name) = source.actor(actor);
            let handles = Handles::<RocksDbTarget>::open(manager, &type_name, &name).unwrap();
            let events = handles.events.iter(false).unwrap().map(Result::unwrap).collect();
            (events, State::get(&handles.states).ok(), State::get(&handles.metadata).ok())
        };
        (0..source.actors()).map(of).collect()
    }

    /// Issues the preload as commands.
    fn put_preload(manager: &RocksDbManager, source: &Source, workload: &Arc<Workload>) {
        let (pool, mut ops) = (source.value_pool(), Vec::new());
        let mut commands = PreloadCommands::new(PreloadContent::new(Arc::clone(workload)));
        while let Some(actor) = commands.next(&mut ops) {
            let (type_name, name) = source.actor(actor);
            let mut handles = Handles::<RocksDbTarget>::open(manager, &type_name, &name).unwrap();
            for &op in &ops {
                handles.execute(op, actor, &pool).unwrap();
            }
        }
    }

    #[test]
    fn a_filled_database_is_what_the_preload_as_commands_leaves() {
        for workload in workloads() {
            let source = Source::Workload(Arc::clone(&workload));
            let directory = tempfile::tempdir().unwrap();
            let [bulk, oracle] = ["bulk", "oracle"].map(|name| directory.path().join(name));
            filled(&source, &bulk);
            let oracle = open(&oracle);
            put_preload(&oracle, &source, &workload);
            assert!(content(&open(&bulk), &source) == content(&oracle, &source), "{}", workload.name);
        }
    }

    /// Issues some commands on a filled database and verifies it.
    fn driven_and_verified(source: &Source, directory: &Path, workers: u64) -> crate::load::Verified {
        let (target, control) = (target(), Control::default());
        let job = JobContext::silent(&control);
        let mut session = Session::start_filled(&target, source, directory, Durability::Off, workers, job).unwrap();
        let spec = DriveSpec {
            load: Load::Closed,
            warmup: WarmUp::NONE,
            measure: Some(std::time::Duration::from_millis(20)),
            lag_limit: None,
            settle: false,
        };
        session.drive(&spec, &SystemClock::new(), job).unwrap();
        session.finish(true, job).unwrap().0.unwrap()
    }

    #[test]
    fn one_filled_database_serves_any_number_of_workers() {
        for workload in workloads() {
            let source = Source::Workload(workload);
            let directory = tempfile::tempdir().unwrap();
            for workers in [1, 2, 7] {
                let path = directory.path().join(workers.to_string());
                filled(&source, &path);
                let verified = driven_and_verified(&source, &path, workers);
                assert_eq!((verified.lost, verified.differences), (0, Vec::new()), "{}", source.name());
                assert_eq!(verified.actors, source.actors());
            }
        }
    }

    #[test]
    fn a_verification_finds_a_change_of_what_was_filled() {
        let source = Source::Workload(Arc::clone(&workloads()[0]));
        let directory = tempfile::tempdir().unwrap();
        filled(&source, directory.path());
        let (type_name, name) = source.actor(3);
        let manager = open(directory.path());
        let mut handles = Handles::<RocksDbTarget>::open(&manager, &type_name, &name).unwrap();
        Collection::put(&mut handles.events, event_key(2, &mut [0; 20]), b"changed").unwrap();
        drop((handles, manager));
        let verified = driven_and_verified(&source, directory.path(), 2);
        assert_eq!(verified.lost, 1);
        assert!(verified.differences[0].contains(&name) && verified.differences[0].contains("event 2"), "{verified:?}");
    }

    #[test]
    fn a_cancelled_filling_leaves_an_empty_database() {
        let source = Source::Workload(Arc::clone(&workloads()[0]));
        let (directory, control) = (tempfile::tempdir().unwrap(), Control::default());
        control.stop();
        fill_database(&target(), &source, directory.path(), Durability::Off, JobContext::silent(&control)).unwrap();
        let empty = (Vec::new(), None, None);
        assert!(content(&open(directory.path()), &source).iter().all(|actor| *actor == empty));
    }

    #[test]
    fn a_long_log_is_written_in_several_pieces_and_short_ones_in_one() {
        let mut workload = (*workloads()[0]).clone();
        workload.populations[0].actors.types = 1;
        workload.populations[0].preload = crate::workload::Preload { events_per_actor: 3, events_by_popularity: 0 };
        let source = Source::Workload(Arc::new(workload.clone()));
        let (_, actors) = sorted_actors(&source, Family::Events);
        assert_eq!(pieces(&source, &actors, Family::Events), [Piece { actors: 0..20, events: 0..u64::MAX }]);
        workload.populations[0].preload.events_per_actor = PIECE_ENTRIES + 1;
        workload.populations[0].persistence.compact_on_snapshot = false;
        let source = Source::Workload(Arc::new(workload));
        let found = pieces(&source, &actors, Family::Events);
        assert_eq!(found.len(), 40);
        assert_eq!(found[1], Piece { actors: 0..1, events: PIECE_ENTRIES..2 * PIECE_ENTRIES });
    }

    #[test]
    fn the_volume_of_a_preload_is_about_what_is_stored() {
        for workload in workloads() {
            let source = Source::Workload(workload);
            let stored: u64 = (0..source.actors())
                .flat_map(|actor| Expected::before(&source, actor, true).puts().collect::<Vec<_>>())
                .map(|op| u64::from(op.bytes))
                .sum();
            let estimated = source.preload_bytes();
            assert!((estimated as f64 / stored as f64 - 1.0).abs() < 0.2, "{}: {estimated} {stored}", source.name());
        }
    }
}
