//! How far a certification is: its interruptions, and the database and the end of each mode.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::space_forecast::SpaceForecast;
use crate::actor::Durability;
use crate::load::{SessionSize, Verified};
use crate::process::SuspendedRig;

/// How a certification was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionKind {
    /// Stopped by the user or a signal: the database was closed.
    Stopped,
    /// The process ended without closing the database: a kill, a crash of the machine, or a failed operation.
    Ended,
}

/// An interruption of a certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// The mode that was measured.
    pub durability: Durability,
    /// Whole slices of the mode before it.
    pub after_slices_count: u64,
    /// Whether the database was closed.
    pub kind: InterruptionKind,
    /// When it stopped, RFC 3339 in UTC; absent if the process ended without a record.
    #[schemars(with = "Option<String>")]
    pub stopped_at: Option<Timestamp>,
    /// When it was resumed, RFC 3339 in UTC; absent if it was not.
    #[schemars(with = "Option<String>")]
    pub resumed_at: Option<Timestamp>,
    /// Whether it was resumed, or will be, with a new database, filled and warmed up again.
    pub database_is_new: bool,
}

/// The database of a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DatabaseState {
    /// It does not exist.
    None,
    /// It is open. In the journal of an ended process: it was not closed.
    Open,
    /// It was closed, and the commands continue from here.
    Suspended(SuspendedRig),
}

/// Why a mode ended before its duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyEnd {
    /// The load was aborted: commands were too late.
    GaveUp,
    /// The rest would fill the disk.
    FullDisk(SpaceForecast),
}

/// The final check of a mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FinalCheck {
    /// The comparison with what was acknowledged; `None` if the database was lost.
    pub(crate) verified: Option<Verified>,
    /// What the last database stored.
    pub(crate) size: SessionSize,
}

/// The state of a mode, its segments aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModeState {
    pub(crate) durability: Durability,
    pub(crate) database: DatabaseState,
    /// Databases created so far.
    pub(crate) databases: u32,
    pub(crate) early_end: Option<EarlyEnd>,
    /// `None` until the mode is finished.
    pub(crate) finished: Option<FinalCheck>,
}

/// The state of a certification, its segments aside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertifyState {
    /// Modes that began, in the order of certification.
    pub(crate) modes: Vec<ModeState>,
    pub(crate) interruptions: Vec<Interruption>,
}

impl CertifyState {
    /// The state of a mode; `None` if it has not begun.
    pub(crate) fn mode(&self, durability: Durability) -> Option<&ModeState> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }

    /// The state of a mode, which begins if it has not.
    pub(crate) fn mode_mut(&mut self, durability: Durability) -> &mut ModeState {
        let place = self.modes.iter().position(|mode| mode.durability == durability).unwrap_or_else(|| {
            let (database, databases) = (DatabaseState::None, 0);
            self.modes.push(ModeState { durability, database, databases, early_end: None, finished: None });
            self.modes.len() - 1
        });
        &mut self.modes[place]
    }
}
