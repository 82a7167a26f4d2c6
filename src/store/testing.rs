//! Storage that fails or dies at a chosen write: for tests of what a crash or a full disk leaves behind.

#![allow(clippy::expect_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Content, LocalDisk, NewFile, StagedFile, Storage, StoreError};

/// What happens at the chosen write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails, and nothing of it happens; later ones work.
    Fails,
    /// The process dies just before it.
    DiesBefore,
    /// The process dies in the middle: of several files the first half is done; a single new file is
    /// there with half of its bytes (which no careful file system does, and the ledger heals).
    DiesWithin,
    /// The process dies right after it.
    DiesAfter,
}

impl Fault {
    /// Every one.
    pub(crate) const ALL: [Self; 4] =
        [Self::Fails, Self::DiesBefore, Self::DiesWithin, Self::DiesAfter];
}

/// Local disk that fails at the `at`-th write, counted from 0.
#[derive(Debug)]
pub(crate) struct FaultyStorage {
    inner: LocalDisk,
    fault: Fault,
    at: usize,
    writes: AtomicUsize,
    dead: AtomicBool,
}

/// A directory for tests that crash hundreds of times: in memory where there is such a file system.
pub(crate) fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary directory")
}

impl FaultyStorage {
    pub(crate) fn new(inner: LocalDisk, fault: Fault, at: usize) -> Self {
        Self { inner, fault, at, writes: AtomicUsize::new(0), dead: AtomicBool::new(false) }
    }

    /// Whether the chosen write came.
    pub(crate) fn struck(&self) -> bool {
        self.writes.load(Ordering::SeqCst) > self.at
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.dead.load(Ordering::SeqCst) { Err(failure()) } else { Ok(()) }
    }

    fn write<T>(
        &self,
        whole: impl FnOnce() -> Result<T, StoreError>,
        half: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<T, StoreError> {
        self.alive()?;
        if self.writes.fetch_add(1, Ordering::SeqCst) != self.at {
            return whole();
        }
        self.dead.store(self.fault != Fault::Fails, Ordering::SeqCst);
        match self.fault {
            Fault::Fails | Fault::DiesBefore => {}
            Fault::DiesWithin => half()?,
            Fault::DiesAfter => whole().map(|_| ())?,
        }
        Err(failure())
    }
}

fn failure() -> StoreError {
    StoreError::io("write", "the test's disk")(std::io::Error::from(
        std::io::ErrorKind::StorageFull,
    ))
}

fn first_half<T>(all: &[T]) -> &[T] {
    all.get(..all.len() / 2).unwrap_or_default()
}

impl Storage for FaultyStorage {
    fn shown(&self, name: &str) -> String {
        self.inner.shown(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.alive()?;
        self.inner.read(name)
    }

    fn content(&self, name: &str) -> Result<Option<Content>, StoreError> {
        self.alive()?;
        self.inner.content(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        self.alive()?;
        self.inner.list(folder)
    }

    fn create(&self, files: &[NewFile<'_>]) -> Result<(), StoreError> {
        self.write(
            || self.inner.create(files),
            || match files {
                [one] => {
                    let torn = NewFile { name: one.name, bytes: first_half(one.bytes) };
                    self.inner.create(&[torn])
                }
                many => self.inner.create(first_half(many)),
            },
        )
    }

    fn replace(&self, name: &str, expected: Option<&[u8]>, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(|| self.inner.replace(name, expected, bytes), || Ok(()))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.write(|| self.inner.rename(from, to), || Ok(()))
    }

    fn publish(&self, files: &[StagedFile]) -> Result<(), StoreError> {
        self.write(|| self.inner.publish(files), || self.inner.publish(first_half(files)))
    }

    fn remove(&self, name: &str) -> Result<bool, StoreError> {
        self.write(|| self.inner.remove(name), || Ok(()))
    }

    fn destroy(&self, names: &[String]) -> Result<(), StoreError> {
        self.write(|| self.inner.destroy(names), || self.inner.destroy(first_half(names)))
    }

    fn prune(&self, folder: &str) -> Result<(), StoreError> {
        self.write(|| self.inner.prune(folder), || Ok(()))
    }

    fn sweep(&self, folder: &str) -> Result<usize, StoreError> {
        self.write(|| self.inner.sweep(folder), || Ok(()))
    }
}
