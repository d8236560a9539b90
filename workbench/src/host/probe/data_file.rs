//! Reads that reach the disk, and sequential writes, in a file like a table.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::RngExt;

use super::log_file::BLOCK_BYTES;
use super::random::random_bytes;
use crate::host::disk_profile::ReadPath;

/// Sequential reads and writes are this large, bytes.
const CHUNK_BYTES: usize = 1 << 20;
/// Sequential writes are synced after so many chunks: the page cache would take a second's writes in a moment.
const CHUNKS_PER_SYNC: u32 = 8;
/// Alignment that reads past the page cache need: no device has larger blocks.
const ALIGNMENT: usize = 4096;

pub(super) struct DataFile {
    file: File,
    chunks: u64,
    content: Vec<u8>,
    path: ReadPath,
    /// The chunk that is written next, and the one that is read next.
    places: [u64; 2],
}

impl DataFile {
    /// A file of `bytes`, at least one chunk, on the disk and not in the page cache.
    pub(super) fn create(directory: &Path, bytes: u64) -> io::Result<Self> {
        let chunks = (bytes / CHUNK_BYTES as u64).max(1);
        let content = random_bytes(CHUNK_BYTES);
        let mut file = tempfile::tempfile_in(directory)?;
        for chunk in 1..=chunks {
            file.write_all(&content)?;
            if chunk.is_multiple_of(CHUNKS_PER_SYNC.into()) {
                file.sync_data()?;
            }
        }
        file.sync_all()?;
        let path = find_path(&file);
        Ok(Self { file, chunks, content, path, places: [0; 2] })
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.chunks * CHUNK_BYTES as u64
    }

    pub(super) const fn path(&self) -> ReadPath {
        self.path
    }

    /// Reads random blocks of 4 KiB on `depth` threads for `time`, at least one on each. Returns the time of each read,
    /// nanoseconds.
    pub(super) fn read_randomly(&self, depth: u32, time: Duration) -> io::Result<Vec<u64>> {
        self.prepare_reads(true)?;
        let blocks = self.bytes() / BLOCK_BYTES;
        let read = || {
            let (mut rng, mut buffer) = (rand::rng(), Aligned::new(ALIGNMENT));
            let mut latencies = Vec::new();
            let began = Instant::now();
            while latencies.is_empty() || began.elapsed() < time {
                let place = rng.random_range(0..blocks) * BLOCK_BYTES;
                let start = Instant::now();
                self.file.read_exact_at(buffer.bytes(), place)?;
                latencies.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            io::Result::Ok(latencies)
        };
        std::thread::scope(|scope| {
            let start =
                |number: u32| std::thread::Builder::new().name(format!("read-{number}")).spawn_scoped(scope, read);
            let running = (0..depth).map(start).collect::<io::Result<Vec<_>>>()?;
            let mut all = Vec::new();
            for thread in running {
                all.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            Ok(all)
        })
    }

    /// Reads chunks in order for `time`, at least one. Returns bytes per second.
    pub(super) fn read_in_order(&mut self, time: Duration) -> io::Result<f64> {
        self.prepare_reads(false)?;
        let mut buffer = Aligned::new(CHUNK_BYTES);
        let (began, mut chunks) = (Instant::now(), 0_u32);
        while chunks == 0 || began.elapsed() < time {
            let place = self.next(1);
            self.file.read_exact_at(buffer.bytes(), place)?;
            chunks += 1;
        }
        Ok(rate(chunks, began))
    }

    /// Writes chunks in order and syncs after every eighth, for `time` and at least once. Returns bytes per second.
    pub(super) fn write_in_order(&mut self, time: Duration) -> io::Result<f64> {
        if self.path == ReadPath::Direct {
            set_direct(&self.file, false)?;
        }
        let (began, mut chunks) = (Instant::now(), 0);
        while chunks == 0 || began.elapsed() < time {
            for _ in 0..CHUNKS_PER_SYNC {
                let place = self.next(0);
                self.file.write_all_at(&self.content, place)?;
            }
            self.file.sync_data()?;
            chunks += CHUNKS_PER_SYNC;
        }
        Ok(rate(chunks, began))
    }

    fn next(&mut self, which: usize) -> u64 {
        let place = self.places[which];
        self.places[which] = (place + 1) % self.chunks;
        place * CHUNK_BYTES as u64
    }

    fn prepare_reads(&self, random: bool) -> io::Result<()> {
        match self.path {
            ReadPath::Direct => set_direct(&self.file, true),
            ReadPath::AfterEviction => evict(&self.file, random),
            ReadPath::PageCache => Ok(()),
        }
    }
}

fn rate(chunks: u32, began: Instant) -> f64 {
    f64::from(chunks) * CHUNK_BYTES as f64 / began.elapsed().as_secs_f64().max(1e-9)
}

/// The best way around the page cache: a file system may refuse direct reads at once, or when one is made.
fn find_path(file: &File) -> ReadPath {
    let read = || file.read_exact_at(Aligned::new(ALIGNMENT).bytes(), 0);
    if set_direct(file, true).and_then(|()| read()).is_ok() {
        return ReadPath::Direct;
    }
    // Where it was refused, there is nothing to take back.
    let _ = set_direct(file, false);
    if evict(file, true).is_ok() { ReadPath::AfterEviction } else { ReadPath::PageCache }
}

/// A buffer that begins at a multiple of [`ALIGNMENT`].
struct Aligned {
    memory: Vec<u8>,
    bytes: usize,
}

impl Aligned {
    fn new(bytes: usize) -> Self {
        Self { memory: vec![0; bytes + ALIGNMENT], bytes }
    }

    fn bytes(&mut self) -> &mut [u8] {
        let start = self.memory.as_ptr().align_offset(ALIGNMENT);
        &mut self.memory[start..start + self.bytes]
    }
}

#[cfg(target_os = "linux")]
fn set_direct(file: &File, direct: bool) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, direct);
    Ok(fcntl_setfl(file, flags)?)
}

/// Removes the file from the page cache. `random` turns the kernel's reading ahead off.
#[cfg(target_os = "linux")]
fn evict(file: &File, random: bool) -> io::Result<()> {
    use rustix::fs::{Advice, fadvise};

    fadvise(file, 0, None, if random { Advice::Random } else { Advice::Sequential })?;
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn set_direct(_file: &File, _direct: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn evict(_file: &File, _random: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_alternate_whatever_the_path() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = DataFile::create(directory.path(), 0).unwrap();
        assert_eq!(file.bytes(), CHUNK_BYTES as u64);
        let found = file.path;
        for path in [found, ReadPath::AfterEviction, ReadPath::PageCache] {
            if found == ReadPath::Direct && path != found {
                set_direct(&file.file, false).unwrap();
            }
            file.path = path;
            for depth in [1, 3] {
                assert!(file.read_randomly(depth, Duration::ZERO).unwrap().len() >= depth as usize, "{path:?}");
            }
            assert!(file.write_in_order(Duration::ZERO).unwrap() > 0.0, "{path:?}");
            assert!(file.read_in_order(Duration::ZERO).unwrap() > 0.0, "{path:?}");
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn places_go_round_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = DataFile::create(directory.path(), 3 * CHUNK_BYTES as u64).unwrap();
        let places: Vec<u64> = (0..4).map(|_| file.next(0) / CHUNK_BYTES as u64).collect();
        assert_eq!((places, file.places), (vec![0, 1, 2, 0], [1, 0]));
    }
}
