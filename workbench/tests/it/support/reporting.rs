//! What a report says beside a measurement that was made in a test.

use std::path::Path;

use ave_actors_store::config::MachineSpec;
use ave_workbench::host::HostProfile;
use ave_workbench::load::Source;
use ave_workbench::report::Context;

/// Two cores and half a GiB.
pub(crate) const SMALL: MachineSpec = MachineSpec::Custom { ram_mb: 512, cpu_cores: 2 };

/// On [`SMALL`], at a moment that is always the same.
pub(crate) fn context<'a>(source: &'a Source, host: &'a HostProfile, directory: &'a Path) -> Context<'a> {
    Context {
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        elapsed_seconds: 1.0,
        source,
        origin: "generated".to_owned(),
        host,
        host_warnings: &[],
        disk: None,
        tuning: Vec::new(),
        machine_spec: &SMALL,
        data_directory: directory,
        command: "ave-workbench run generated".to_owned(),
    }
}
