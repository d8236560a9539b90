//! Child processes: confined, as machines are emulated, and on a file system whose power is cut.

mod emulation;
#[cfg(target_os = "linux")]
mod power_cuts;
