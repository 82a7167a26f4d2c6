//! STATE: ledger, head, keys, scratch and the lock, opened to look or to write (CONTRACT.md section 3).
//!
//! Guarantees: looking writes nothing and needs no right to write; a state that does not exist is an
//! empty one. Writing holds the lock until [`OpenState`] is dropped.
//! Crash behaviour: opening for writing heals what a crash left: staged files, a torn commit, a `head`
//! that is behind.

use std::fs::{self, Permissions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{Access, access, statvfs};
use rustix::io::Errno;

use super::keys::{DeploymentKey, KeyStore};
use super::ledger::{Head, Ledger, LedgerReport, LedgerWarning, Record, verify_ledger};
use super::local::make_folder;
use super::machine::{Machine, claim};
use super::{
    KeptFooters, LocalDisk, PassLock, Scratch, Seen, Storage, StoreError, Waits, directory,
    is_local, seen,
};
use crate::model::Name;
use crate::plan::LedgerView;

/// Free bytes below which a disk counts as full: commits of a pass are far smaller.
const ROOM: u64 = 1 << 20;

/// Where a state lies. Nothing has been opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    root: PathBuf,
}

/// A state as it was when it was read.
#[derive(Debug)]
pub struct State {
    storage: Box<dyn Storage>,
    ledger: Ledger,
    deployment: Option<DeploymentKey>,
    warnings: Vec<LedgerWarning>,
}

/// A state that this process alone may write.
#[derive(Debug)]
pub struct OpenState {
    state: State,
    scratch: PathBuf,
    _lock: PassLock,
}

impl StateDir {
    /// The state that a text names: a directory, relative to `base`, or a `file://` URL.
    ///
    /// # Errors
    /// [`StoreError::Scheme`], [`StoreError::FileUrl`].
    pub fn locate(text: &str, base: &Path) -> Result<Self, StoreError> {
        Ok(Self { root: directory(text, base)? })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Opens the state to look: `plan`, `status`, `check`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::KeyDamaged`], [`StoreError::Io`].
    pub fn read(&self) -> Result<State, StoreError> {
        State::read(Box::new(LocalDisk::new(&self.root)))
    }

    /// Opens the state to write, waiting up to `wait` for another pass to end.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::ForeignMachine`], [`StoreError::DeploymentKeyGone`]; as [`StateDir::read`].
    pub fn write(&self, wait: Duration) -> Result<OpenState, StoreError> {
        self.write_after(wait, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`StateDir::write`]; `waits` is told for whom it waits, and may end the wait.
    ///
    /// # Errors
    /// As [`StateDir::write`].
    pub fn write_after(&self, wait: Duration, waits: Waits<'_>) -> Result<OpenState, StoreError> {
        make_folder(&self.root)?;
        let lock = PassLock::acquire(&self.root.join("lock"), wait, waits)?;
        let shared = !is_local(&self.root).map_err(StoreError::io("look at", &self.root))?;
        claim(&LocalDisk::new(&self.root), shared, &Machine::this())?;
        let keys = self.root.join(super::keys::FOLDER);
        if keys.is_dir() {
            fs::set_permissions(&keys, Permissions::from_mode(0o700))
                .map_err(StoreError::io("set the mode of", &keys))?;
        }
        let state = State::recover(Box::new(LocalDisk::new(&self.root)))?;
        Ok(OpenState { state, scratch: self.root.join("scratch"), _lock: lock })
    }

    /// The deployment key alone; `None` as for [`State::deployment_key`].
    ///
    /// # Errors
    /// [`StoreError::KeyDamaged`], [`StoreError::Io`].
    pub fn deployment_key(&self) -> Result<Option<DeploymentKey>, StoreError> {
        KeyStore::new(&LocalDisk::new(&self.root)).deployment()
    }

    /// Whether a pass could record something now, as far as can be told without writing: the ledger's
    /// folder may be written, and its disk is not full.
    ///
    /// # Errors
    /// [`StoreError::Io`] with what stands in the way; a full disk is [`io::ErrorKind::StorageFull`].
    pub fn writable(&self) -> Result<(), StoreError> {
        let ledger = self.root.join("ledger");
        let folder = if ledger.is_dir() { &ledger } else { &self.root };
        let look = || {
            access(folder, Access::WRITE_OK | Access::EXEC_OK)?;
            let disk = statvfs(folder)?;
            let room = disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM;
            // File systems without a fixed number of files say 0 of 0.
            let files = disk.f_files == 0 || disk.f_favail > 0;
            if room && files { Ok(()) } else { Err(Errno::NOSPC) }
        };
        look().map_err(|errno| StoreError::io("write to", folder)(io::Error::from(errno)))
    }

    /// What earlier passes read in footers; `None` without the deployment key. Nothing is written, not
    /// even the directory.
    pub fn footers(&self) -> Option<KeptFooters> {
        let disk = LocalDisk::new(&self.root);
        let key = KeyStore::new(&disk).deployment().ok()??;
        Some(KeptFooters::load(&disk, key))
    }

    /// Reads the whole ledger and says what is wrong with it.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn verify_ledger(&self, expected: Option<&Head>) -> Result<LedgerReport, StoreError> {
        verify_ledger(&LocalDisk::new(&self.root), expected)
    }
}

impl State {
    /// Reads a state in any storage.
    ///
    /// # Errors
    /// As [`StateDir::read`].
    pub fn read(storage: Box<dyn Storage>) -> Result<Self, StoreError> {
        let (ledger, warnings) = Ledger::load(&*storage)?;
        let deployment = KeyStore::new(&*storage).deployment()?;
        Ok(Self { storage, ledger, deployment, warnings })
    }

    /// Heals and reads a state in any storage; the caller holds its lock.
    fn recover(storage: Box<dyn Storage>) -> Result<Self, StoreError> {
        for folder in ["", "ledger", super::keys::FOLDER, seen::FOLDER] {
            storage.sweep(folder)?;
        }
        let (ledger, warnings) = Ledger::recover(&*storage)?;
        let fresh = ledger.head().is_none();
        let deployment = Some(KeyStore::new(&*storage).deployment_or_make(fresh)?);
        Ok(Self { storage, ledger, deployment, warnings })
    }

    /// What all records add up to.
    pub const fn view(&self) -> &LedgerView {
        self.ledger.view()
    }

    /// The newest commit.
    pub const fn head(&self) -> Option<&Head> {
        self.ledger.head()
    }

    /// The deployment key; `None` where this process has none: digests over identities are then unknown.
    pub const fn deployment_key(&self) -> Option<&DeploymentKey> {
        self.deployment.as_ref()
    }

    /// The keys of unfinished deletes.
    pub fn keys(&self) -> KeyStore<'_> {
        KeyStore::new(&*self.storage)
    }

    /// What earlier passes have seen; `None` without the deployment key.
    pub fn seen(&self) -> Option<Seen> {
        Some(Seen::load(&*self.storage, self.deployment.as_ref()?))
    }

    /// What was odd when it was read, and healed if it was opened for writing.
    pub fn warnings(&self) -> &[LedgerWarning] {
        &self.warnings
    }
}

impl OpenState {
    /// What was read, and has been appended since.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Writes one commit with these records. Without records nothing is written.
    ///
    /// # Errors
    /// As [`Ledger::append`]; after one, the state must be opened again.
    pub fn append(&mut self, records: Vec<Record>, time: Timestamp) -> Result<(), StoreError> {
        self.state.ledger.append(&*self.state.storage, records, time)
    }

    /// Keeps what this pass has seen of these datasets, if it is worth a write.
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing but time is lost.
    pub fn keep<'a>(
        &self,
        seen: &mut Seen,
        datasets: impl Iterator<Item = &'a Name>,
    ) -> Result<(), StoreError> {
        seen.save(&*self.state.storage, datasets)
    }

    /// Keeps what this pass read in footers.
    ///
    /// # Errors
    /// [`StoreError::Io`]; nothing but time is lost.
    pub fn keep_footers(&self, key: &DeploymentKey, bytes: &[u8]) -> Result<(), StoreError> {
        KeptFooters::save(&*self.state.storage, key, bytes)
    }

    /// Clears the scratch directory for this pass: the one given, or the state's own.
    ///
    /// # Errors
    /// As [`Scratch::prepare`].
    pub fn scratch(&self, directory: Option<&Path>) -> Result<Scratch, StoreError> {
        let path = directory.unwrap_or(&self.scratch);
        Scratch::prepare(path, path == self.scratch)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
