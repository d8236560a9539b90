//! Append and `fdatasync`: the ceiling of what any log can reach on this disk.

use std::{
    fs::{File, OpenOptions},
    io::Write,
};

use anyhow::{Result, bail};
use ave_peer_cases::{Outcome, Run, cases::put, catalog::Work, data::Key};

/// What RocksDB's log adds to a key and a value: headers of the record and of the batch, and lengths.
const OVERHEAD: usize = 24;

pub(crate) fn run(work: Work, run: &Run, outcome: &mut Outcome) -> Result<()> {
    let Work::PutOn { threads: 1 } = work else { bail!("a file is for put-on-1 only") };
    let path = run.database("file")?.join("log");
    let file = OpenOptions::new().create_new(true).append(true).open(path)?;
    put::measure(vec![log(file)], put::until_on(run), outcome)
}

fn log(mut file: File) -> impl FnMut(&Key, &[u8]) -> Result<()> + Send {
    let mut record = Vec::new();
    move |key, value| {
        record.clear();
        record.extend_from_slice(&[0; OVERHEAD]);
        record.extend_from_slice(key.stored());
        record.extend_from_slice(value);
        file.write_all(&record)?;
        Ok(file.sync_data()?)
    }
}
