//! Disks of machines.

/// What a catalogue says about the disk of a machine; each figure is absent where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DiskFigures {
    /// Size, bytes.
    pub bytes: Option<u64>,
    /// Time of a 4 KiB write with `fdatasync`, nanoseconds.
    pub sync_ns: Option<f64>,
    /// Writes per second at most.
    pub writes_per_second: Option<f64>,
    /// Bytes written per second at most.
    pub bytes_per_second: Option<f64>,
}
