//! The one table from errors to hints and exit codes (CONTRACT.md section 2).

use std::error::Error as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::reconcile::http::HttpError;
use crate::reconcile::{PassError, Signal, Verdict};
use crate::store::StoreError;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0
    Done,
    /// 1: I/O, storage, engine.
    Failed,
    /// 2: only with `--detailed-exitcode`.
    Changes,
    /// 3: invalid policies or requests.
    Invalid,
    /// 4: a person is needed.
    Blocked,
    /// 5: some tasks done, some failed.
    Partial,
    /// 6: a saved plan no longer fits, or another writer won.
    Stale,
    /// 64: wrong flags or arguments.
    Usage,
    /// 70: a broken invariant.
    Bug,
    /// 130 or 143: interrupted; what was done is recorded.
    Signal(Signal),
}

impl ExitStatus {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::Invalid => 3,
            Self::Blocked => 4,
            Self::Partial => 5,
            Self::Stale => 6,
            Self::Usage => 64,
            Self::Bug => 70,
            Self::Signal(Signal::Interrupt) => 130,
            Self::Signal(Signal::Terminate) => 143,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<Verdict> for ExitStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Bug => Self::Bug,
            Verdict::Failed => Self::Failed,
            Verdict::Invalid => Self::Invalid,
            Verdict::Stale => Self::Stale,
            Verdict::Partial => Self::Partial,
            Verdict::Blocked => Self::Blocked,
            Verdict::Done => Self::Done,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// `-C` names no directory.
    #[error("cannot enter {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A pass failed.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// A key or a package could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The wrong words on the command line, found after parsing.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A file could not be written or read.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP endpoints cannot be had.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Standard output is gone or full.
    #[error("cannot write to standard output")]
    Stdout(#[source] std::io::Error),
    /// The sample lake could not be made.
    #[error(transparent)]
    Sample(#[from] crate::engine::sample::SampleError),
}

impl CliError {
    /// The exit code.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Pass(PassError::Argument { .. }) => ExitStatus::Usage,
            Self::Pass(PassError::Interrupted(signal)) => ExitStatus::Signal(*signal),
            Self::Pass(error) => error.verdict().into(),
            Self::Usage { .. } => ExitStatus::Usage,
            Self::Directory { .. }
            | Self::File { .. }
            | Self::Http(_)
            | Self::Store(_)
            | Self::Stdout(_)
            | Self::Sample(_) => ExitStatus::Failed,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Pass(error) => error.hint(),
            Self::Http(HttpError::Bind { .. }) => {
                Some("name another address by --listen, or end what listens there".to_owned())
            }
            _ => None,
        }
    }

    /// The error and what caused it, on one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }
}
