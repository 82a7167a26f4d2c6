//! The ledger at one moment, and where it and its packages lie: what the daemon shows between passes.

use crate::model::Catalog;
use crate::plan::LedgerView;
use crate::store::{Head, State, StateDir};

use super::gather::{settings_of, state_dir};
use super::{PassError, Workspace};

/// A ledger as it was read.
#[derive(Debug, Clone)]
pub struct LedgerNow {
    /// What all its records add up to.
    pub view: LedgerView,
    /// Its newest commit.
    pub head: Option<Head>,
    /// Where the state lies.
    pub state: StateDir,
    /// Where packages are written, as the user wrote it.
    pub exports: String,
}

impl LedgerNow {
    /// Reads it as it is now, without a lock. Where the policies cannot be read, the default places
    /// count.
    ///
    /// # Errors
    /// The state cannot be read, or the ledger is damaged.
    pub fn read(workspace: &Workspace) -> Result<Self, PassError> {
        let catalog = settings_of(workspace);
        let state = state_dir(workspace, &catalog)?.read()?;
        Self::of(&state, workspace, &catalog)
    }

    pub(super) fn of(
        state: &State,
        workspace: &Workspace,
        catalog: &Catalog,
    ) -> Result<Self, PassError> {
        Ok(Self {
            view: state.view().clone(),
            head: state.head().cloned(),
            state: state_dir(workspace, catalog)?,
            exports: workspace.exports(&catalog.settings).to_owned(),
        })
    }
}
