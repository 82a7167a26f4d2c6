//! Tasks and their states (RULES.md section 6).

use std::fmt;

use super::{Action, Name};

/// What the ledger tracks: one action for one user block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The request.
    pub request: Name,
    /// The block's key; `None` for a request that was rejected as a whole.
    pub key: Option<String>,
    /// The action; `None` where the block is too broken to say.
    pub action: Option<Action>,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.request)?;
        if let Some(key) = &self.key {
            write!(f, "/{key}")?;
        }
        if let Some(action) = self.action {
            write!(f, " {action}")?;
        }
        Ok(())
    }
}

/// Where a task is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Phase {
    /// Seen, not begun.
    Submitted,
    /// Begun.
    Processing,
    /// A person, or time, is needed.
    Blocked,
    /// Done.
    Complete,
    /// Tried and failed; may be tried again.
    Failed,
    /// Not a valid request.
    Rejected,
    /// Withdrawn before it was done.
    Cancelled,
}

/// Why it is there.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Reason {
    /// `Processing`: erased, but a superseded file is still there.
    CleanupPending,
    /// `Blocked`: a hold keeps data.
    Held,
    /// `Blocked`: `suspend: true`.
    Suspended,
    /// `Blocked`: an approval is missing.
    NeedsApproval,
    /// `Blocked`: beyond a safety limit.
    LimitExceeded,
    /// `Blocked`: linked rows name somebody else.
    IdentityConflict,
    /// `Blocked`: the request file is gone.
    Orphaned,
    /// `Complete`: erased and proved.
    Erased,
    /// `Complete`: erased, within what `only` and `include` allow.
    ErasedNarrowed,
    /// `Complete`: the package is there.
    Exported,
    /// `Complete`: nothing was found.
    NoMatch,
    /// `Failed`: some datasets are done, some are not.
    PartiallyCompleted,
    /// `Failed`: data that the task needs cannot be read.
    DataUnreadable,
    /// `Failed`: other writers kept changing the data.
    Conflict,
    /// `Failed`: an I/O or storage error.
    Storage,
    /// `Failed`: an identity is sealed and no key at hand opens it, or is given by a digest that cannot be looked up.
    Sealed,
    /// `Rejected`: the file's form is wrong.
    Invalid,
    /// `Rejected`: a value is not formatted correctly.
    ValueFormat,
    /// `Rejected`: an action other than access and delete.
    UnknownAction,
    /// `Cancelled`: `withdrawn: true`.
    Withdrawn,
}

impl Phase {
    /// Whether nothing more happens by itself, short of a change of the request.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Rejected | Self::Cancelled)
    }

    /// Adobe's word.
    pub const fn adobe(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Processing | Self::Blocked => "processing",
            Self::Complete => "complete",
            Self::Failed | Self::Rejected | Self::Cancelled => "error",
        }
    }

    /// OpenDSR's word.
    pub const fn opendsr(self) -> &'static str {
        match self {
            Self::Submitted | Self::Blocked => "pending",
            Self::Processing | Self::Failed => "in_progress",
            Self::Complete => "completed",
            Self::Rejected | Self::Cancelled => "cancelled",
        }
    }

    /// The Data Rights Protocol's status, and its reason where it has one.
    pub const fn drp(self, reason: Option<Reason>) -> (&'static str, Option<&'static str>) {
        match (self, reason) {
            (Self::Submitted, _) => ("open", None),
            (Self::Processing | Self::Blocked | Self::Failed, _) => ("in_progress", None),
            (Self::Complete, Some(Reason::NoMatch)) => ("denied", Some("no_match")),
            (Self::Complete, _) => ("fulfilled", None),
            (Self::Rejected, _) => ("denied", None),
            (Self::Cancelled, _) => ("revoked", None),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
