//! Dumps of event stores whose columns are known.

use super::options::ImportOptions;

/// An event store whose table of events was dumped as CSV or JSON lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// `event_journal` of akka-persistence-jdbc, or of its successor in Pekko.
    AkkaJdbc,
    /// `mt_events` of Marten.
    Marten,
    /// `messages` of message-db.
    MessageDb,
    /// Entries of a feed of `EventStoreDB` (`KurrentDB`), read with `embed=body`.
    EventStoreDb,
}

struct Dump {
    actor: &'static str,
    time: &'static str,
    payload: &'static str,
    time_format: Option<&'static str>,
    /// Between type and id in an actor's name.
    type_separator: Option<char>,
}

impl Preset {
    const fn dump(self) -> Dump {
        match self {
            Self::AkkaJdbc => Dump {
                actor: "persistence_id",
                time: "write_timestamp",
                payload: "event_payload",
                time_format: Some("unix-ms"),
                // As entities of cluster sharding are named.
                type_separator: Some('|'),
            },
            Self::Marten => {
                Dump { actor: "stream_id", time: "timestamp", payload: "data", time_format: None, type_separator: None }
            }
            Self::MessageDb => Dump {
                actor: "stream_name",
                time: "time",
                payload: "data",
                time_format: None,
                type_separator: Some('-'),
            },
            Self::EventStoreDb => Dump {
                actor: "streamId",
                time: "updated",
                payload: "data",
                time_format: None,
                type_separator: Some('-'),
            },
        }
    }
}

impl ImportOptions {
    /// These options with the columns of a known dump where none are given.
    #[must_use]
    pub fn with_preset(mut self, preset: Preset) -> Self {
        let Dump { actor, time, payload, time_format, type_separator } = preset.dump();
        self.actor_column.get_or_insert_with(|| actor.to_owned());
        if self.time_column.is_none() {
            self.time_column = Some(time.to_owned());
            self.time_format = self.time_format.or_else(|| time_format.map(str::to_owned));
        }
        self.payload_column.get_or_insert_with(|| payload.to_owned());
        self.hexadecimal_payload = true;
        self.type_separator = self.type_separator.or(type_separator);
        self
    }
}
