//! Why a pass stopped.

use std::path::PathBuf;

use crate::engine::EngineError;
use crate::engine::access::AccessError;
use crate::engine::erase::EraseError;
use crate::manifest::edit::EditError;
use crate::model::Name;
use crate::store::StoreError;

use super::{Signal, Verdict};

/// What to do about [`PassError::Layout`].
pub(super) const LAYOUT_HELP: &str =
    "let each file belong to one dataset, and keep amparo's own places outside all";

/// A pass that could not be carried through. Problems of single tasks are no errors: they are phases.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// A policy or request file, or their directory, cannot be read.
    #[error("cannot read {what} {}", path.display())]
    Sources {
        /// `policies` or `requests`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The policies are invalid: nothing is done.
    #[error("the policies are invalid: nothing was done")]
    InvalidPolicies,
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No package can be made.
    #[error(transparent)]
    Access(AccessError),
    /// What a killed pass left in a dataset cannot be dealt with.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// The data cannot be read, as a whole.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Places of our own lie in one another: nothing is done.
    #[error("the exports directory lies in the state directory")]
    Places,
    /// Datasets overlap each other, or our own places: nothing is done.
    #[error("the datasets overlap: {}", faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect::<Vec<_>>().join("; "))]
    Layout {
        /// Dataset and fault.
        faults: Vec<(Name, String)>,
    },
    /// A saved plan cannot be read.
    #[error("cannot read the plan {}: {what}", path.display())]
    SavedPlan {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A plan cannot be saved.
    #[error("cannot write the plan {}", path.display())]
    SavePlan {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A saved plan no longer fits.
    #[error("the saved plan no longer fits: {}", moved.join("; "))]
    Stale {
        /// Every input that moved.
        moved: Vec<String>,
    },
    /// A signal asked for the end; what was done is recorded.
    #[error("interrupted; everything done so far is recorded")]
    Interrupted(Signal),
    /// The person said no.
    #[error("not approved: nothing was done")]
    NotApproved,
    /// A word of the command line that only the policies can judge.
    #[error("{what}")]
    Argument {
        /// What is wrong, without identity values.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A dataset of which no masked copy can be made; nothing was published.
    #[error("cannot publish the dataset {dataset}: {what}")]
    NotPublished {
        /// Which.
        dataset: Name,
        /// Why: a lower-case fragment.
        what: String,
        /// What to do.
        hint: String,
    },
    /// No link to a package can be made.
    #[error("cannot link to the package of {block}: {why}")]
    NoLink {
        /// The block, as the user wrote it.
        block: String,
        /// Why.
        why: String,
        /// What to do.
        hint: String,
    },
    /// A request file whose scalars cannot be replaced; nothing was written.
    #[error("cannot edit {}", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: EditError,
    },
    /// A request file with errors; nothing was written.
    #[error("{} has errors: nothing was done", path.display())]
    NotValid {
        /// The file.
        path: PathBuf,
    },
    /// A request that cannot be retired; nothing was written.
    #[error("{request} cannot be retired: {what}")]
    NotRetired {
        /// Which.
        request: Name,
        /// Why: a lower-case fragment.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A broken invariant.
    #[error("internal error: {0}; nothing more was done")]
    Bug(String),
}

impl PassError {
    /// How the process should end.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::InvalidPolicies
            | Self::Places
            | Self::Layout { .. }
            | Self::Argument { .. }
            | Self::Edit { .. }
            | Self::NotValid { .. } => Verdict::Invalid,
            Self::NotRetired { .. } => Verdict::Blocked,
            Self::Sources { .. }
            | Self::SavedPlan { .. }
            | Self::SavePlan { .. }
            | Self::Interrupted(_)
            | Self::NotApproved
            | Self::NoLink { .. }
            | Self::NotPublished { .. } => Verdict::Failed,
            Self::Store(
                StoreError::Busy { .. } | StoreError::Exists { .. } | StoreError::Conflict { .. },
            ) => Verdict::Stale,
            Self::Store(_) | Self::Access(_) | Self::Erase(_) => Verdict::Failed,
            Self::Engine(EngineError::Bug(_)) | Self::Bug(_) => Verdict::Bug,
            Self::Engine(_) => Verdict::Failed,
            Self::Stale { .. } => Verdict::Stale,
        }
    }

    /// What failed, in a word: for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sources { .. } => "sources",
            Self::InvalidPolicies => "policies",
            Self::Store(StoreError::Busy { .. }) => "busy",
            Self::Store(StoreError::Damaged { .. } | StoreError::Newer { .. }) => "ledger",
            Self::Store(_) => "storage",
            Self::Access(_) => "packages",
            Self::Erase(_) => "erasure",
            Self::Engine(_) => "engine",
            Self::Places | Self::Layout { .. } => "layout",
            Self::SavedPlan { .. } | Self::SavePlan { .. } | Self::Stale { .. } => "plan",
            Self::NotPublished { .. } => "data",
            Self::Interrupted(_) => "interrupted",
            Self::NotApproved
            | Self::Argument { .. }
            | Self::NoLink { .. }
            | Self::Edit { .. }
            | Self::NotValid { .. }
            | Self::NotRetired { .. } => "argument",
            Self::Bug(_) => "bug",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Sources { what: "base", .. } => {
                Some("name the root of the other checkout with --base DIR".to_owned())
            }
            Self::Sources { what: "root", .. } => {
                Some("name a directory that holds data with --root DIR".to_owned())
            }
            Self::Sources { what, .. } => Some(format!(
                "name the directory with --{what} DIR, or start one with `amparo init`"
            )),
            Self::Layout { .. } => Some(LAYOUT_HELP.to_owned()),
            Self::Places => Some(
                "give each a directory of its own in Settings, or by --state and --exports"
                    .to_owned(),
            ),
            Self::InvalidPolicies | Self::NotValid { .. } => {
                Some("`amparo check` shows what is wrong".to_owned())
            }
            Self::NotRetired { hint, .. } | Self::NotPublished { hint, .. } => Some(hint.clone()),
            Self::Stale { .. } => Some("plan again, look at it, and apply the new plan".to_owned()),
            Self::Argument { hint, .. } | Self::NoLink { hint, .. } => Some(hint.clone()),
            Self::Bug(_) => Some("please report it, with the output of -v".to_owned()),
            _ => None,
        }
    }
}

/// An error and what caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
