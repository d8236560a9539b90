//! Workload files.

mod mistakes;
