//! One pass at a time on one state.
//!
//! Guarantees: the lock (`flock`) dies with its process, so a killed pass never blocks the next.
//! Assumptions: no other machine writes to the state; [`super::machine`] sees to that.
//! Crash behaviour: the file stays, with the last holder's name in it; it locks nobody out by itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::machine::Machine;

/// How long to sleep between two attempts.
const POLL: Duration = Duration::from_millis(50);

/// Told who holds the lock, as far as known yet, while it is waited for; `Break` ends the wait.
pub type Waits<'a> = &'a mut dyn FnMut(Option<&str>) -> ControlFlow<()>;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct PassLock {
    _file: File,
    path: PathBuf,
}

/// Who holds the lock, or held it last: for messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    #[serde(flatten)]
    machine: Machine,
}

impl PassLock {
    /// Takes the lock file at `path`, whose folder exists, waiting up to `wait` for its holder. Meanwhile
    /// `waits` is told again and again who that is, and may end the wait.
    ///
    /// # Errors
    /// [`StoreError::Busy`] after `wait`; [`StoreError::Io`].
    pub fn acquire(path: &Path, wait: Duration, waits: Waits<'_>) -> Result<Self, StoreError> {
        let started = Instant::now();
        loop {
            let mut file = open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    claim(&mut file, path)?;
                    return Ok(Self { _file: file, path: path.to_owned() });
                }
                // Somebody removed the file in between: the lock on the old one is worth nothing.
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error)),
            }
            let waited = started.elapsed();
            let holder = read_holder(&mut file).map(|holder| holder.to_string());
            if waited >= wait || waits(holder.as_deref()).is_break() {
                let holder = holder.unwrap_or_else(|| "unknown".to_owned());
                return Err(StoreError::Busy { path: path.display().to_string(), holder, waited });
            }
            std::thread::sleep(POLL.min(wait.saturating_sub(waited)));
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { host, since, .. } = &self.machine;
        write!(f, "process {} on {host}, since {since}", self.pid)
    }
}

impl Holder {
    fn this_process() -> Self {
        Self { pid: std::process::id(), machine: Machine::this() }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(StoreError::io("open", path))
}

/// Whether the open file is still the one that the path names.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Writes this process into the lock file.
fn claim(file: &mut File, path: &Path) -> Result<(), StoreError> {
    let this = Holder::this_process();
    let text = serde_json::to_string(&this).unwrap_or_default();
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(StoreError::io("write", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn take(path: &Path, wait: Duration) -> Result<PassLock, StoreError> {
        PassLock::acquire(path, wait, &mut |_| ControlFlow::Continue(()))
    }

    #[test]
    fn who_waits_is_told_for_whom_and_may_give_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let _first = take(&path, Duration::ZERO).unwrap();
        let mut told = Vec::new();
        let error = PassLock::acquire(&path, Duration::from_secs(600), &mut |holder| {
            told.push(holder.unwrap().to_owned());
            if told.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(matches!(error, Err(StoreError::Busy { .. })));
        assert_eq!(told.len(), 3);
        let start = format!("process {} on ", std::process::id());
        assert!(told[0].starts_with(&start) && told[0].contains(", since 2"), "{}", told[0]);
    }

    #[test]
    fn the_second_waits_and_then_gives_up_naming_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(&path, Duration::ZERO).unwrap();
        let started = Instant::now();
        let error = take(&path, Duration::from_millis(200)).unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(200));
        assert!(matches!(&error, StoreError::Busy { holder, .. }
            if holder.starts_with(&format!("process {} on ", std::process::id()))));
        drop(first);
        take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn the_second_gets_it_as_soon_as_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(&path, Duration::ZERO).unwrap();
        let second = std::thread::spawn({
            let path = path.clone();
            move || take(&path, Duration::from_secs(30)).map(drop)
        });
        std::thread::sleep(Duration::from_millis(120));
        assert!(!second.is_finished());
        drop(first);
        second.join().unwrap().unwrap();
    }

    #[test]
    fn what_a_dead_pass_left_in_the_file_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        fs::write(&path, r#"{"host":"elsewhere","machine":"0","pid":1}"#).unwrap();
        take(&path, Duration::ZERO).unwrap();
        fs::write(&path, [0xff; 9000]).unwrap();
        take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn the_lock_of_a_killed_process_is_free() {
        // The test starts itself again; that second process holds the lock until it is killed.
        if let Some(path) = std::env::var_os("AMPARO_TEST_LOCK") {
            let _lock = take(Path::new(&path), Duration::ZERO).unwrap();
            return std::thread::sleep(Duration::from_secs(60));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut other = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["store::lock::tests::the_lock_of_a_killed_process_is_free", "--exact"])
            .env("AMPARO_TEST_LOCK", &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let holder = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let started = Instant::now();
        while !holder(&path).contains(&format!("\"pid\":{}", other.id())) {
            assert!(started.elapsed() < Duration::from_secs(30), "the other never took it");
            std::thread::sleep(POLL);
        }
        let busy = take(&path, Duration::ZERO).unwrap_err();
        assert!(busy.to_string().contains(&format!("process {} on", other.id())), "{busy}");
        other.kill().unwrap();
        other.wait().unwrap();
        take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_removed_lock_file_does_not_let_two_in_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        let lock = take(&path, Duration::ZERO).unwrap();
        assert!(lock.path().exists());
    }
}
