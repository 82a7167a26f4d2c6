//! Where everything lies: what the flags say before any policy was read.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Settings;

use super::{Clock, Stop};

/// Which failed tasks a pass tries again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tries {
    /// All of them, now: a person has asked.
    #[default]
    All,
    /// Those whose time has come, or of which the request, the policies or the data that they failed on
    /// have changed: the daemon's passes.
    Due,
}

/// The surroundings of a pass. Relative paths are relative to the process's working directory.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Directory of policies.
    pub policies: PathBuf,
    /// Directory of requests.
    pub requests: PathBuf,
    /// Directory of approvals; need not be there.
    pub approvals: PathBuf,
    /// State, where a flag overrides Settings.
    pub state: Option<String>,
    /// Exports, where a flag overrides Settings.
    pub exports: Option<String>,
    /// Scratch, where a flag overrides `STATE/scratch`.
    pub scratch: Option<PathBuf>,
    /// The age identity file that opens sealed values.
    pub identity: Option<PathBuf>,
    /// How long to wait for another pass.
    pub lock_wait: Duration,
    /// The clock.
    pub clock: Clock,
    /// Which failed tasks are tried again.
    pub tries: Tries,
    /// Bytes that scans and sorts may hold before they spill.
    pub memory: usize,
    /// Worker threads; 0: one a core.
    pub jobs: usize,
    /// Asks the pass to come to an end.
    pub stop: Stop,
}

impl Workspace {
    /// The state's location.
    pub fn state<'a>(&'a self, settings: &'a Settings) -> &'a str {
        self.state.as_deref().unwrap_or(&settings.state)
    }

    /// The exports' location.
    pub fn exports<'a>(&'a self, settings: &'a Settings) -> &'a str {
        self.exports.as_deref().unwrap_or(&settings.exports)
    }
}
