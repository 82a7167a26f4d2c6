//! One state, one machine. A lock of the kernel keeps processes of one machine apart; on a file system
//! that several machines have, that is not enough.
//!
//! Guarantees: on such a file system the first machine that writes is remembered in `STATE/machine`, and
//! another one is refused before it writes anything; of two first ones exactly one wins. On a file system
//! of one machine nothing is remembered, and the lock is enough.
//! Assumptions: machines have different ids in `/etc/machine-id`, or else different host names.

use std::fs;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::sha256;
use super::{NewFile, Storage, StoreError};

/// The file's name in STATE.
const FILE: &str = "machine";

/// A machine, as states and locks remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Machine {
    /// Digest of its id.
    pub(super) machine: String,
    /// Its name, for people.
    pub(super) host: String,
    /// Since when.
    pub(super) since: Timestamp,
}

impl Machine {
    /// This one. Its id is `/etc/machine-id`; where there is none, its host name must do.
    pub(super) fn this() -> Self {
        let line = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.lines().next().unwrap_or_default().trim().to_owned()
        };
        let host = line("/proc/sys/kernel/hostname");
        let id = match line("/etc/machine-id") {
            id if id.is_empty() => format!("amparo host\n{host}"),
            id => format!("amparo machine\n{id}"),
        };
        let machine = sha256(id.as_bytes()).chars().take(16).collect();
        let now = Timestamp::now();
        let since = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { machine, host, since }
    }
}

/// Whose a state is.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// This machine may write.
    Ours,
    /// Nobody's yet, and others could come: it is to be remembered.
    Unclaimed,
    /// Another machine's.
    Theirs,
}

/// `shared`: other machines may have the file system, too.
fn judge(shared: bool, recorded: Option<&Machine>, this: &Machine) -> Claim {
    match recorded {
        _ if !shared => Claim::Ours,
        None => Claim::Unclaimed,
        Some(recorded) if recorded.machine == this.machine => Claim::Ours,
        Some(_) => Claim::Theirs,
    }
}

/// Claims a state for this machine, which holds its lock. `shared` as the file system says.
///
/// # Errors
/// [`StoreError::ForeignMachine`]; [`StoreError::Io`].
pub(super) fn claim(storage: &dyn Storage, shared: bool, this: &Machine) -> Result<(), StoreError> {
    let foreign = |host: &str, since: Option<Timestamp>| StoreError::ForeignMachine {
        path: storage.shown(FILE),
        host: host.to_owned(),
        since: since.map_or_else(|| "unknown".to_owned(), |since| since.to_string()),
    };
    if !shared {
        return Ok(());
    }
    // Twice: another machine may write its claim between our look and ours.
    for _ in 0..2 {
        let recorded = match storage.read(FILE)? {
            None => None,
            Some(bytes) => match serde_json::from_slice::<Machine>(&bytes) {
                Ok(machine) => Some(machine),
                Err(_) => return Err(foreign("an unknown machine", None)),
            },
        };
        match judge(shared, recorded.as_ref(), this) {
            Claim::Ours => return Ok(()),
            Claim::Theirs => {
                let (host, since) =
                    recorded.map_or_else(Default::default, |m| (m.host, Some(m.since)));
                return Err(foreign(&host, since));
            }
            Claim::Unclaimed => {}
        }
        let text = serde_json::to_string(this).unwrap_or_default();
        match storage.create(&[NewFile { name: FILE, bytes: text.as_bytes() }]) {
            Err(StoreError::Exists { .. }) => {}
            other => return other,
        }
    }
    Err(foreign("another machine", None))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::store::LocalDisk;

    fn machine(id: &str) -> Machine {
        let since = "2026-11-22T09:00:00Z".parse().unwrap();
        Machine { machine: id.to_owned(), host: format!("host-{id}"), since }
    }

    #[test]
    fn only_a_shared_state_of_another_machine_is_refused() {
        let (one, two) = (machine("1"), machine("2"));
        for recorded in [None, Some(&one), Some(&two)] {
            assert_eq!(judge(false, recorded, &one), Claim::Ours);
        }
        assert_eq!(judge(true, None, &one), Claim::Unclaimed);
        assert_eq!(judge(true, Some(&one), &one), Claim::Ours);
        assert_eq!(judge(true, Some(&two), &one), Claim::Theirs);
        let renamed = Machine { host: "other".to_owned(), ..machine("1") };
        assert_eq!(judge(true, Some(&renamed), &one), Claim::Ours);
    }

    #[test]
    fn the_first_machine_keeps_a_shared_state_until_a_person_says_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LocalDisk::new(dir.path());
        claim(&disk, false, &machine("0")).unwrap();
        assert!(!dir.path().join(FILE).exists());
        claim(&disk, true, &machine("1")).unwrap();
        claim(&disk, true, &machine("1")).unwrap();
        let error = claim(&disk, true, &machine("2")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("host-1") && text.contains("2026-11-22T09:00:00Z"), "{text}");
        assert!(text.contains("remove"), "{text}");
        fs::remove_file(dir.path().join(FILE)).unwrap();
        claim(&disk, true, &machine("2")).unwrap();
    }

    #[test]
    fn a_claim_that_cannot_be_read_is_somebody_elses() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        let error = claim(&LocalDisk::new(dir.path()), true, &machine("1")).unwrap_err();
        assert!(matches!(error, StoreError::ForeignMachine { .. }));
    }

    #[test]
    fn of_many_first_machines_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let (dir, start) = (dir.path(), &start);
        let won = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|id| {
                    scope.spawn(move || {
                        start.wait();
                        claim(&LocalDisk::new(dir), true, &machine(&id.to_string())).is_ok()
                    })
                })
                .collect();
            all.into_iter().filter_map(|one| one.join().ok()).filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    }
}
