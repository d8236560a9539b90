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

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FinalCheck {
    /// The comparison with what was acknowledged; `None` if the database was lost.
    pub(crate) verified: Option<Verified>,
    pub(crate) size: SessionSize,
}

/// How far a mode is, its segments aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeState {
    pub(crate) durability: Durability,
    pub(crate) database: DatabaseState,
    /// Databases created: one, and another for each that was not closed.
    pub databases: u32,
    /// Why the mode ended before its duration, if it did.
    pub early_end: Option<EarlyEnd>,
    /// `None` until the mode is finished.
    pub(crate) finished: Option<FinalCheck>,
}

impl ModeState {
    pub(super) const fn new(durability: Durability) -> Self {
        Self { durability, database: DatabaseState::None, databases: 0, early_end: None, finished: None }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertifyState {
    /// Modes that began, in the order of certification.
    pub(crate) modes: Vec<ModeState>,
    pub(crate) interruptions: Vec<Interruption>,
}

impl CertifyState {
    pub(crate) fn mode(&self, durability: Durability) -> Option<&ModeState> {
        self.modes.iter().find(|mode| mode.durability == durability)
    }

    pub(super) fn set(&mut self, mode: &ModeState) {
        match self.modes.iter_mut().find(|known| known.durability == mode.durability) {
            Some(known) => known.clone_from(mode),
            None => self.modes.push(mode.clone()),
        }
    }
}
