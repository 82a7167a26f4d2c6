//! What can go wrong with durable bytes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// An error of the store. Paths are inside; values and keys never are.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An operation of the operating system failed.
    #[error("cannot {operation} {path}")]
    Io {
        /// What was tried: `read`, `create`, `sync`, …
        operation: &'static str,
        /// On what.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something of that name is there already.
    #[error("{path} exists already")]
    Exists {
        /// What exists.
        path: String,
    },
    /// The file is not what it was when it was read: another writer came.
    #[error("{path} was changed by another writer")]
    Changed {
        /// The file.
        path: String,
    },
    /// A name that could leave its folder. A bug: names are made here, not taken from users.
    #[error("'{name}' is not a name that the store may use")]
    Name {
        /// The name.
        name: String,
    },
    /// No random bytes.
    #[error("the operating system gives no random bytes")]
    Random,
    /// A URL scheme that is to come.
    #[error("{url} is not supported yet: give a directory or a file:// URL")]
    Scheme {
        /// The URL, without what follows the host.
        url: String,
    },
    /// A `file:` URL that names no local path.
    #[error("'{url}' is not a file URL of this machine: write file:///path")]
    FileUrl {
        /// The URL.
        url: String,
    },
    /// Another pass holds the state: exit code 6.
    #[error("another pass holds {path} ({holder}); waited {} s", waited.as_secs())]
    Busy {
        /// The lock file.
        path: String,
        /// Who, as far as known.
        holder: String,
        /// How long.
        waited: Duration,
    },
    /// A state on a file system that several machines have, and another machine's.
    #[error(
        "{path} says that this state belongs to {host} since {since}, and it lies on a file system that several \
         machines may have: one state is for one machine; to move it here, make sure that nothing runs there, then \
         remove {path}"
    )]
    ForeignMachine {
        /// The file that says so.
        path: String,
        /// Whose it is.
        host: String,
        /// Since when.
        since: String,
    },
    /// The ledger, or `head`, is not what it was written as.
    #[error("the ledger is damaged at {entry}: {what}")]
    Damaged {
        /// The file.
        entry: String,
        /// What is wrong: a lower-case fragment.
        what: String,
    },
    /// A record that this version does not know.
    #[error(
        "{entry} holds a record that this amparo ({}) does not know: a newer one ({version}) wrote it, or \
         it was edited",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file.
        entry: String,
        /// The version that wrote it.
        version: String,
    },
    /// Another writer won the number: read again, and plan again. Exit code 6.
    #[error("another writer made ledger entry {seq} first")]
    Conflict {
        /// The number.
        seq: u64,
    },
    /// A file in `STATE/keys/` is not what was written, or does not belong to the task.
    #[error("the key file {path} is damaged: {what}")]
    KeyDamaged {
        /// The file.
        path: String,
        /// What is wrong: a lower-case fragment.
        what: &'static str,
    },
    /// The ledger was written under a deployment key that is gone.
    #[error(
        "the deployment key {path} is gone, and the ledger's digests rest on it: put it back from a backup \
         (without it, every task would count as new)"
    )]
    DeploymentKeyGone {
        /// Where it should be.
        path: String,
    },
    /// The key of an `hmac` method is not there.
    #[error("there is no key in {place}")]
    HmacKeyMissing {
        /// `environment variable NAME` or the file.
        place: String,
    },
    /// The key of an `hmac` method could be guessed.
    #[error("the key in {place} is too short: at least 16 bytes are needed")]
    HmacKeyShort {
        /// `environment variable NAME` or the file.
        place: String,
    },
    /// A scratch directory that holds something else.
    #[error(
        "the scratch directory {} holds files that are not amparo's, and it would be cleared: name an empty one",
        path.display()
    )]
    ForeignScratch {
        /// The directory.
        path: PathBuf,
    },
    /// A package's location that names no package.
    #[error("'{location}' is not where a package can lie")]
    PackageLocation {
        /// As recorded.
        location: String,
    },
    /// A key where the name of its file belongs. Not a word of it is repeated.
    #[error(
        "the identity is a key, not the name of a file: write the key into a file that only you may read"
    )]
    KeyForFile,
    /// A file that should hold age keys.
    #[error("{} is no identity file: {what}", path.display())]
    IdentityFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, without a word of it.
        what: String,
    },
    /// An age recipient that cannot be used, or none at all.
    #[error("nothing can be encrypted to the recipients in Settings")]
    Recipient,
    /// A package in scratch space is not what was compiled.
    #[error("the package {} changed after it was written", path.display())]
    PackageChanged {
        /// The file.
        path: PathBuf,
    },
    /// No key opens it.
    #[error("{} is not encrypted to any of the keys given", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// It is no age file, or not whole.
    #[error("{} is no age file, or has been changed or cut short", path.display())]
    AgeFile {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Wraps an I/O error; for `map_err`.
    pub(crate) fn io(
        operation: &'static str,
        path: impl AsRef<std::path::Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().display().to_string();
        move |source| Self::Io { operation, path, source }
    }
}
