//! Estimate of the disk space a source will take, before anything is written.

use super::source::Source;
use ave_actors_rocksdb::trace::{CommandKind, OpKind};

const DRAWN: u64 = 10_000;

/// What a source writes, estimated from a sample of its commands.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct WriteVolume {
    /// Mean bytes of values written per command.
    pub written_bytes_per_command: f64,
    /// Mean bytes of events kept per command, compressed. 0 if events are deleted: a sample does not show how many stay.
    pub kept_bytes_per_command: f64,
    /// Bytes of events kept of the preload, compressed; 0 if unknown.
    pub preload_kept_bytes: f64,
}

impl Source {
    pub(crate) fn write_volume(&self) -> WriteVolume {
        // The writes of a command do not depend on the preload.
        let mut stream = self.with_preload(0).with_passes(Some(1)).stream(0, 1);
        let (mut commands, mut written_bytes, mut event_bytes, mut ops) = (0, 0, 0, Vec::new());
        // A trace lists other deletions command by command, a workload may delete rarely.
        let mut deletes = match self {
            Self::Workload(_) => self.deletes(),
            Self::Trace { .. } => self.kinds().contains(&CommandKind::Purge),
        };
        while commands < DRAWN && stream.next(&mut ops).is_some() {
            commands += 1;
            for op in &ops {
                written_bytes += u64::from(op.written_bytes());
                match op.kind {
                    OpKind::EventsPut => event_bytes += u64::from(op.bytes),
                    OpKind::EventsDel | OpKind::EventsPurge => deletes = true,
                    _ => {}
                }
            }
        }
        let commands = commands.max(1) as f64;
        let kept = if deletes { 0.0 } else { event_bytes as f64 * (1.0 - self.compressibility()) / commands };
        let share = self.share(CommandKind::Persist);
        let kept_per_event = if share > 0.0 { kept / share } else { 0.0 };
        WriteVolume {
            written_bytes_per_command: written_bytes as f64 / commands,
            kept_bytes_per_command: kept,
            preload_kept_bytes: self.preload_events() as f64 * kept_per_event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;
    use std::sync::Arc;

    fn write_volume(persistence: &str, commands: &str) -> WriteVolume {
        let text = format!(
            "name = 'w'\ndescription = 'd'\nevent_bytes = {{ constant = 100 }}\nstate_bytes = {{ constant = 1000 }}\n\
             compressibility = 0.5\n[actors]\ncount = 10\n[persistence]\n{persistence}\n[commands]\n{commands}\n\
             [preload]\nevents_per_actor = 20\n"
        );
        Source::Workload(Arc::new(Workload::parse(&text).unwrap())).write_volume()
    }

    #[test]
    fn events_are_kept_and_states_are_overwritten() {
        let full = write_volume("mode = 'full'\nsnapshot_every = 0", "persist = 1");
        let event_bytes = full.written_bytes_per_command;
        assert!((100.0..130.0).contains(&event_bytes), "an event and what the store adds: {full:?}");
        assert!((full.kept_bytes_per_command - event_bytes / 2.0).abs() < 1e-9, "half of it is compressed: {full:?}");
        assert!((full.preload_kept_bytes - 200.0 * full.kept_bytes_per_command).abs() < 1e-6, "{full:?}");

        let light = write_volume("mode = 'light'", "persist = 1\nlast_event = 1");
        assert!(light.written_bytes_per_command > 500.0, "{light:?}");
        assert!((light.kept_bytes_per_command / full.kept_bytes_per_command - 0.5).abs() < 0.05, "{light:?}");
        assert!((light.preload_kept_bytes / full.preload_kept_bytes - 1.0).abs() < 0.1, "{light:?}");
    }

    #[test]
    fn kept_bytes_are_zero_if_events_may_be_deleted() {
        for (persistence, commands) in [
            ("mode = 'full'\nsnapshot_every = 100000\ncompact_on_snapshot = true", "persist = 1"),
            ("mode = 'light'", "persist = 1000000\npurge = 1"),
        ] {
            let found = write_volume(persistence, commands);
            assert!(found.written_bytes_per_command >= 100.0, "{found:?}");
            assert_eq!((found.kept_bytes_per_command, found.preload_kept_bytes), (0.0, 0.0));
        }
    }
}
