//! Machines that are emulated by a confined child process.

mod emulation;
