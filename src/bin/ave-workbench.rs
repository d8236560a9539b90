//! `ave-workbench`: measures the actor store on this machine and says which machine to buy.

use std::process::ExitCode;

fn main() -> ExitCode {
    ave_actors_rocksdb::workbench::cli::main()
}
