//! Exports [`RocksDbManager::stats`] to Prometheus in the text exposition format, version 0.0.4.
//!
//! `cargo run --example prometheus` writes some events and prints the metrics.
//! `cargo run --example prometheus -- 127.0.0.1:9464` serves them at `http://127.0.0.1:9464/metrics` until stopped.
//!
//! Copy what you need: `exposition` is a pure function. RocksDB's counters start with the first call of `stats()`, so
//! `main` calls it right after the open.

use std::{
    env,
    fmt::{Display, Write as _},
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use ave_actors_rocksdb::{
    RocksDbManager,
    backend::{EngineStats, LevelStats},
};
use ave_actors_store::{
    config::MachineSpec,
    database::{Collection, DbManager},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::temp_dir().join(format!("ave-prometheus-{}", std::process::id()));
    let manager = RocksDbManager::new(&path, true, Some(MachineSpec::Custom { ram_mb: 2048, cpu_cores: 2 }))?;
    // Starts the counters.
    manager.stats()?;

    let mut events = manager.create_collection("readings", "thermometer")?;
    for n in 0..100 {
        Collection::put(&mut events, &format!("{n:020}"), b"21.5")?;
    }
    match env::args().nth(1) {
        None => print_text(&exposition("readings", &manager.stats()?)),
        Some(address) => serve(&TcpListener::bind(address)?, "readings", &manager)?,
    }
    drop((events, manager));
    fs::remove_dir_all(&path)?;
    Ok(())
}

/// All metrics of one database, with its name in the label `database`.
pub(crate) fn exposition(database: &str, stats: &EngineStats) -> String {
    // No `..`: a new field of `EngineStats` must be a compile error here.
    let EngineStats {
        memory_budget_bytes,
        memtable_bytes,
        block_cache_bytes,
        block_cache_pinned_bytes,
        table_reader_bytes,
        stall_micros,
        write_stopped,
        // A text is no metric: log it.
        background_error: _,
        background_errors,
        wal_syncs,
        wal_bytes,
        wal_file_bytes,
        user_written_bytes,
        flush_written_bytes,
        compaction_read_bytes,
        compaction_written_bytes,
        block_cache_hits,
        block_cache_misses,
        point_read_bytes,
        iterator_read_bytes,
        levels,
        pending_compaction_bytes,
        running_flushes,
        running_compactions,
        live_data_bytes,
        sst_bytes,
        blob_bytes,
        estimated_keys,
        column_families,
    } = stats;
    let mut page = Exposition::new(database);

    page.gauge("memory_budget_bytes", "Limit of block cache and memtables.", memory_budget_bytes);
    page.gauge("memtable_bytes", "Size of the memtables.", memtable_bytes);
    page.gauge("block_cache_bytes", "Size of the block cache, memtables included.", block_cache_bytes);
    page.gauge("block_cache_pinned_bytes", "Part of the block cache that cannot be evicted.", block_cache_pinned_bytes);
    page.gauge("table_reader_bytes", "Memory of open SST files outside the budget.", table_reader_bytes);

    page.counter("stall_seconds_total", "Time that writers waited.", &seconds(*stall_micros));
    page.gauge("write_stopped", "1 while no write succeeds.", &u8::from(*write_stopped));
    page.counter("background_errors_total", "Failed flushes and compactions.", background_errors);
    page.counter("wal_syncs_total", "Syncs of the write-ahead log.", wal_syncs);
    page.counter("wal_written_bytes_total", "Bytes written to the write-ahead log.", wal_bytes);
    page.gauge("wal_file_bytes", "Size of the write-ahead logs on disk.", wal_file_bytes);
    page.counter("user_written_bytes_total", "Bytes written by the application.", user_written_bytes);
    page.counter("flush_written_bytes_total", "Bytes written by flushes.", flush_written_bytes);
    page.counter("compaction_read_bytes_total", "Bytes read by compactions.", compaction_read_bytes);
    page.counter("compaction_written_bytes_total", "Bytes written by compactions.", compaction_written_bytes);

    page.counter("block_cache_hits_total", "Blocks found in the block cache.", block_cache_hits);
    page.counter("block_cache_misses_total", "Blocks read from a file.", block_cache_misses);
    page.counter("point_read_bytes_total", "Bytes returned by reads of single entries.", point_read_bytes);
    page.counter("iterator_read_bytes_total", "Bytes returned by iterators.", iterator_read_bytes);

    let (files, bytes): (Vec<u64>, Vec<u64>) = levels.iter().map(|LevelStats { files, bytes }| (files, bytes)).unzip();
    page.by_level("level_files", "SST files per level.", &files);
    page.by_level("level_bytes", "Size of the SST files per level.", &bytes);
    page.gauge(
        "pending_compaction_bytes",
        "Bytes that compactions have yet to rewrite, estimated.",
        pending_compaction_bytes,
    );
    page.gauge("running_flushes", "Flushes running now.", running_flushes);
    page.gauge("running_compactions", "Compactions running now.", running_compactions);
    page.gauge("live_data_bytes", "Bytes on disk that are not overwritten or deleted, estimated.", live_data_bytes);
    page.gauge("sst_bytes", "Size of all SST files on disk.", sst_bytes);
    page.gauge("blob_bytes", "Size of all blob files on disk.", blob_bytes);
    page.gauge("estimated_keys", "Number of entries, estimated.", estimated_keys);
    page.gauge("column_families", "Number of column families.", column_families);
    page.text
}

struct Exposition {
    text: String,
    /// The label of every sample.
    database: String,
}

impl Exposition {
    fn new(database: &str) -> Self {
        Self { text: String::new(), database: format!("database=\"{}\"", escaped(database)) }
    }

    fn gauge(&mut self, name: &str, help: &str, value: &dyn Display) {
        self.describe(name, help, "gauge");
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: &dyn Display) {
        self.describe(name, help, "counter");
        self.sample(name, "", value);
    }

    fn by_level(&mut self, name: &str, help: &str, values: &[u64]) {
        self.describe(name, help, "gauge");
        for (level, value) in values.iter().enumerate() {
            self.sample(name, &format!(",level=\"{level}\""), value);
        }
    }

    fn describe(&mut self, name: &str, help: &str, kind: &str) {
        self.line(&format_args!("# HELP ave_rocksdb_{name} {help}"));
        self.line(&format_args!("# TYPE ave_rocksdb_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, more_labels: &str, value: &dyn Display) {
        let database = self.database.clone();
        self.line(&format_args!("ave_rocksdb_{name}{{{database}{more_labels}}} {value}"));
    }

    fn line(&mut self, line: &dyn Display) {
        writeln!(self.text, "{line}").expect("writing to a string cannot fail");
    }
}

/// Escapes the value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Serves one request at a time, which suffices for a scrape every few seconds. Not for public networks.
fn serve(listener: &TcpListener, database: &str, manager: &RocksDbManager) -> io::Result<()> {
    print_text(&format!("http://{}/metrics\n", listener.local_addr()?));
    for stream in listener.incoming() {
        // A disconnected client does not stop the server.
        stream.and_then(|stream| respond(stream, database, manager)).ok();
    }
    Ok(())
}

pub(crate) fn respond(mut stream: TcpStream, database: &str, manager: &RocksDbManager) -> io::Result<()> {
    let timeout = Some(Duration::from_secs(2));
    stream.set_read_timeout(timeout)?;
    stream.set_write_timeout(timeout)?;
    let (status, body) = match first_line(&stream)?.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["GET", "/metrics"] => match manager.stats() {
            Ok(stats) => ("200 OK", exposition(database, &stats)),
            Err(error) => ("500 Internal Server Error", format!("{error}\n")),
        },
        _ => ("404 Not Found", "only GET /metrics\n".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The first line of a request. Reads the whole head: closing a connection with unread data discards the response.
fn first_line(stream: &TcpStream) -> io::Result<String> {
    const MAX_HEAD_BYTES: u64 = 8 * 1024;
    let mut lines = BufReader::new(stream.take(MAX_HEAD_BYTES)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first)
}

#[allow(clippy::print_stdout)]
fn print_text(text: &str) {
    print!("{text}");
}
