//! Uses the backend without the actor system: events and a snapshot per device.
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

    // A machine of 2 GB and 2 cores; the database uses 5 % of the RAM. `None` detects the share of the host that this
    // process may use, container limits included. `true`: a write that returned survives a power loss.
    let spec = MachineSpec::Custom { ram_mb: 2048, cpu_cores: 2 };
    let mut manager = RocksDbManager::new(&path, true, Some(spec))?;
    for setting in manager.tuning().settings() {
        print(&setting);
    }

    // One column family per kind of data, one prefix per device. `thermometer.1` and `thermometer` are independent.
    let mut events = manager.create_collection("readings", "thermometer.1")?;
    for (n, celsius) in [21.5, 21.7, 22.1, 21.9].into_iter().enumerate() {
        Collection::put(&mut events, &format!("{n:020}"), format!("{celsius}").as_bytes())?;
    }
    let mut snapshot = manager.create_state("snapshots", "thermometer.1")?;
    State::put(&mut snapshot, b"4 readings, mean 21.8")?;

    // Each read costs one seek, whatever the length of the log.
    if let Some((key, value)) = events.last()? {
        print(&format!("last reading {key}: {}", String::from_utf8_lossy(&value)));
    }
    let two_before_the_last = events.get_by_range(Some(format!("{:020}", 3)), -2)?;
    print(&format!("{} readings before it", two_before_the_last.len()));
    print(&format!("snapshot: {}", String::from_utf8_lossy(&State::get(&snapshot)?)));

    let stats = manager.stats()?;
    print(&format!("{} log syncs, {} bytes written by the application", stats.wal_syncs, stats.user_written_bytes));

    manager.stop()?;
    drop((events, snapshot, manager));
    std::fs::remove_dir_all(&path).ok();
    Ok(())
}

#[allow(clippy::print_stdout)]
fn print(line: &dyn std::fmt::Display) {
    println!("{line}");
}
