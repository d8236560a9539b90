//! Control groups and limits.

mod confinement;
