//! What can go wrong with the erasure of one file.

use std::io;

/// Why a file was not erased. Names the file as it may be shown, never a value.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The file's bytes are not what its format demands. `DataUnreadable`.
    #[error("cannot read {file}: {what}")]
    Unreadable {
        /// The file, as shown.
        file: String,
        /// A lower-case fragment.
        what: String,
    },
    /// It could be read, but not rewritten without loss or without leaving something behind.
    #[error("refused to rewrite {file}: {why}")]
    Refused {
        /// The file, as shown.
        file: String,
        /// A lower-case fragment.
        why: String,
    },
    /// It is no longer the file that was planned: another writer came.
    #[error("{file} changed since it was planned")]
    Changed {
        /// The file, as shown.
        file: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {file}")]
    Io {
        /// The file, as shown.
        file: String,
        /// The operation that failed.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The staged file was not what it had to be. It is gone, and the original is untouched.
    #[error("the rewrite of {file} did not pass its proof: {what}")]
    Proof {
        /// The file, as shown.
        file: String,
        /// A lower-case fragment.
        what: String,
    },
    /// Something inside panicked over this file's bytes. The original is untouched.
    #[error("cannot read {file}: its contents made the reader fail")]
    Panicked {
        /// The file, as shown.
        file: String,
    },
    /// A test's hook ended the work as a kill would have.
    #[error("the work on {file} was cut off")]
    CutOff {
        /// The file, as shown.
        file: String,
    },
}

/// The same, before it is known which file it is about.
#[derive(Debug)]
pub(crate) enum Problem {
    Unreadable(String),
    Refused(String),
    Changed,
    Io(&'static str, io::Error),
    Proof(String),
    CutOff,
}

pub(crate) type Outcome<T> = Result<T, Problem>;

impl Problem {
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable(what.into())
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    pub(crate) fn proof(what: impl Into<String>) -> Self {
        Self::Proof(what.into())
    }

    /// For `map_err` on an I/O call.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io(action, source)
    }

    /// For `map_err` on a system call of `rustix`.
    pub(crate) fn errno(action: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |source| Self::Io(action, source.into())
    }

    /// The problem of a file.
    pub(crate) fn of(self, shown: &str) -> EraseError {
        let file = shown.to_owned();
        match self {
            Self::Unreadable(what) => EraseError::Unreadable { file, what },
            Self::Refused(why) => EraseError::Refused { file, why },
            Self::Changed => EraseError::Changed { file },
            Self::Io(action, source) => EraseError::Io { file, action, source },
            Self::Proof(what) => EraseError::Proof { file, what },
            Self::CutOff => EraseError::CutOff { file },
        }
    }
}
