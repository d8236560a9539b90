//! `ave-workbench`: measures the actor store on this machine and recommends a machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    ave_workbench::cli::main()
}
