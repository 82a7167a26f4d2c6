//! Durable bytes behind one small trait: local disk now, object stores later.
//!
//! Guarantees, of every implementation: a call that returned has reached the medium (power may fail
//! after it); a name holds either all bytes of one write or none; nothing half-written is ever listed.
//! Assumptions: one writer at a time, held by the pass lock, except where a method says "create-only".
//! Crash behaviour: what a crash interrupts leaves at most a staged file, which [`Storage::sweep`]
//! removes; of several files in one call, the first ones may be there and the others not.

use std::fmt;
use std::path::PathBuf;

use super::StoreError;

/// A file to create.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

/// A finished file elsewhere on local disk, to be moved under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Where it is now.
    pub path: PathBuf,
    /// The name that it gets.
    pub name: String,
    /// Whether a file of that name may be replaced; else it must be absent.
    pub replace: bool,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// SHA-256, in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// Named files in folders. A name is relative, its parts joined by `/`; folders appear by themselves.
pub trait Storage: fmt::Debug + Send + Sync {
    /// The name as errors and reports show it.
    fn shown(&self, name: &str) -> String;

    /// All bytes; `None` where there is no such file.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Digest and size, in bounded memory; `None` where there is no such file.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn content(&self, name: &str) -> Result<Option<Content>, StoreError>;

    /// The names (without the folder) of the files in a folder, sorted, staged ones left out; empty
    /// where there is no such folder.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError>;

    /// Create-only: of two writers of one name, exactly one succeeds. In order; the first failure ends it.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Io`].
    fn create(&self, files: &[NewFile<'_>]) -> Result<(), StoreError>;

    /// Replaces the bytes if they are still `expected` (`None`: if there is no such file).
    ///
    /// # Errors
    /// [`StoreError::Changed`], [`StoreError::Io`].
    fn replace(&self, name: &str, expected: Option<&[u8]>, bytes: &[u8]) -> Result<(), StoreError>;

    /// Gives a file another name, which must be free.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Io`].
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError>;

    /// Moves finished files in. In order; the first failure ends it.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Io`].
    fn publish(&self, files: &[StagedFile]) -> Result<(), StoreError>;

    /// Removes a file; whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn remove(&self, name: &str) -> Result<bool, StoreError>;

    /// Removes files, their bytes overwritten first where the medium allows it. Absent ones are no error.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn destroy(&self, names: &[String]) -> Result<(), StoreError>;

    /// Removes a folder if it is empty.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn prune(&self, folder: &str) -> Result<(), StoreError>;

    /// Removes what a crashed writer staged in a folder; how many files that were.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn sweep(&self, folder: &str) -> Result<usize, StoreError>;
}
