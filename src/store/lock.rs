//! One pass at a time on one state.
//!
//! Guarantees: the lock (`flock`) dies with its process, so a killed pass never blocks the next.
//! Assumptions: a local file system, or a network one that carries locks to other machines. Where its mount says
//! that locks stay local, a state that another machine has used is refused.
//! Crash behaviour: the file stays, with the last holder's name in it; it locks nobody out by itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::digest::sha256;

/// How long to sleep between two attempts.
const POLL: Duration = Duration::from_millis(50);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct PassLock {
    _file: File,
    path: PathBuf,
}

/// Who holds the lock, or held it last: for messages, and for [`StoreError::ForeignLock`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    host: String,
    /// Digest of the machine's id and name.
    machine: String,
    pid: u32,
}

impl PassLock {
    /// Takes the lock file at `path`, whose folder exists, waiting up to `wait` for its holder.
    ///
    /// # Errors
    /// [`StoreError::Busy`] after `wait`; [`StoreError::ForeignLock`]; [`StoreError::Io`].
    pub fn acquire(path: &Path, wait: Duration) -> Result<Self, StoreError> {
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
            if waited >= wait {
                let holder = read_holder(&mut file).map_or("unknown".to_owned(), |h| h.to_string());
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
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

impl Holder {
    fn this_process() -> Self {
        let line = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().next().unwrap_or_default().trim().to_owned()
        };
        let host = line("/proc/sys/kernel/hostname");
        let machine =
            sha256(format!("amparo host\n{host}\n{}", line("/etc/machine-id")).as_bytes());
        let machine = machine.chars().take(16).collect();
        Self { host, machine, pid: std::process::id() }
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

/// Writes this process into the lock file, unless another machine may be at work without our seeing it.
fn claim(file: &mut File, path: &Path) -> Result<(), StoreError> {
    let this = Holder::this_process();
    if let Some(last) = read_holder(file)
        && last.machine != this.machine
        && locks_stay_local(path)
    {
        let path = path.display().to_string();
        return Err(StoreError::ForeignLock { path, holder: last.to_string() });
    }
    let text = serde_json::to_string(&this).unwrap_or_default();
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(StoreError::io("write", path))
}

/// Whether the path lies on a network mount whose options keep locks to this machine.
fn locks_stay_local(path: &Path) -> bool {
    let Ok(device) = fs::metadata(path).map(|metadata| metadata.dev()) else { return false };
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|mount| keeps_locks_local(mount, &device))
}

/// One line of mountinfo: `36 35 0:52 / /mnt rw shared:1 - nfs4 server:/x rw,vers=4.2,local_lock=none`.
fn keeps_locks_local(mount: &str, device: &str) -> bool {
    let Some((left, right)) = mount.split_once(" - ") else { return false };
    let mut right = right.split(' ');
    let (kind, options) = (right.next().unwrap_or_default(), right.nth(1).unwrap_or_default());
    let local: &[&str] = match kind {
        "nfs" | "nfs4" => &["nolock", "local_lock=flock", "local_lock=all"],
        "cifs" | "smb3" | "smbfs" => &["nobrl"],
        _ => return false,
    };
    left.split(' ').nth(2) == Some(device)
        && options.split(',').any(|option| local.contains(&option))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_second_waits_and_then_gives_up_naming_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = PassLock::acquire(&path, Duration::ZERO).unwrap();
        let started = Instant::now();
        let error = PassLock::acquire(&path, Duration::from_millis(200)).unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(200));
        assert!(matches!(&error, StoreError::Busy { holder, .. }
            if holder.starts_with(&format!("process {} on ", std::process::id()))));
        drop(first);
        PassLock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn the_second_gets_it_as_soon_as_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = PassLock::acquire(&path, Duration::ZERO).unwrap();
        let second = std::thread::spawn({
            let path = path.clone();
            move || PassLock::acquire(&path, Duration::from_secs(30)).map(drop)
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
        PassLock::acquire(&path, Duration::ZERO).unwrap();
        fs::write(&path, [0xff; 9000]).unwrap();
        PassLock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn the_lock_of_a_killed_process_is_free() {
        // The test starts itself again; that second process holds the lock until it is killed.
        if let Some(path) = std::env::var_os("AMPARO_TEST_LOCK") {
            let _lock = PassLock::acquire(Path::new(&path), Duration::ZERO).unwrap();
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
        let busy = PassLock::acquire(&path, Duration::ZERO).unwrap_err();
        assert!(busy.to_string().contains(&format!("process {} on", other.id())), "{busy}");
        other.kill().unwrap();
        other.wait().unwrap();
        PassLock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_removed_lock_file_does_not_let_two_in_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        let lock = PassLock::acquire(&path, Duration::ZERO).unwrap();
        assert!(lock.path().exists());
    }

    #[test]
    fn mounts_that_keep_locks_to_themselves_are_known() {
        let line = |kind: &str, options: &str| {
            format!("36 35 0:52 / /mnt rw,noatime shared:1 - {kind} server:/x {options}")
        };
        let local = |kind: &str, options: &str| keeps_locks_local(&line(kind, options), "0:52");
        assert!(local("nfs", "rw,vers=3,nolock,proto=tcp"));
        assert!(local("nfs4", "rw,local_lock=all"));
        assert!(local("cifs", "rw,nobrl"));
        assert!(!local("nfs4", "rw,local_lock=none"));
        assert!(!local("ext4", "rw,nolock"));
        assert!(!keeps_locks_local(&line("nfs", "nolock"), "0:53"));
        assert!(!keeps_locks_local("", "0:52"));
    }
}
