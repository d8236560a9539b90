//! The backend in an application of its own, without the actor system: events and a snapshot per device.
//!
//! Run it with `cargo run --example embed`.

use ave_actors_rocksdb::RocksDbManager;
use ave_actors_store::{
    Error,
    config::MachineSpec,
    database::{Collection, DbManager, State},
};

fn main() -> Result<(), Error> {
    let path = std::env::temp_dir().join(format!("ave-embed-{}", std::process::id()));

    // The machine is 2 GB and 2 cores; the database takes 5 % of the RAM. `None` would ask the host, limits of the
    // container included. `true`: a write that returned survives a loss of power.
    let spec = MachineSpec::Custom { ram_mb: 2048, cpu_cores: 2 };
    let mut manager = RocksDbManager::new(&path, true, Some(spec))?;
    for setting in manager.tuning().settings() {
        say(&setting);
    }

    // One column family per kind of data, one prefix per device. `thermometer.1` and `thermometer` keep apart.
    let mut events = manager.create_collection("readings", "thermometer.1")?;
    for (n, celsius) in [21.5, 21.7, 22.1, 21.9].into_iter().enumerate() {
        Collection::put(&mut events, &format!("{n:020}"), format!("{celsius}").as_bytes())?;
    }
    let mut snapshot = manager.create_state("snapshots", "thermometer.1")?;
    State::put(&mut snapshot, b"4 readings, mean 21.8")?;

    // One seek each, however long the log has become.
    if let Some((key, value)) = events.last()? {
        say(&format!("last reading {key}: {}", String::from_utf8_lossy(&value)));
    }
    let two_before_the_last = events.get_by_range(Some(format!("{:020}", 3)), -2)?;
    say(&format!("{} readings before it", two_before_the_last.len()));
    say(&format!("snapshot: {}", String::from_utf8_lossy(&State::get(&snapshot)?)));

    let stats = manager.stats()?;
    say(&format!(
        "{} synchronous log writes, {} bytes written by the caller",
        stats.wal_syncs, stats.user_written_bytes
    ));

    manager.stop()?;
    drop((events, snapshot, manager));
    std::fs::remove_dir_all(&path).ok();
    Ok(())
}

#[allow(clippy::print_stdout)]
fn say(line: &dyn std::fmt::Display) {
    println!("{line}");
}
