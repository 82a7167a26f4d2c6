#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use super::*;
use crate::model::{Action, Identity, Name, NamespaceName, Reason, Sensitive, TaskId};
use crate::plan::{TaskCounts, TaskRef};
use crate::store::testing::{Fault, FaultyStorage, quick_dir};
use crate::store::{Remembered, TaskKeyName};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn seen(name: &str) -> Vec<Record> {
    let dataset = Name::new(name).unwrap();
    vec![Record::DatasetSeen { dataset, digest: None }]
}

fn at(dir: &Path) -> StateDir {
    StateDir::locate("deep/state", dir).unwrap()
}

#[test]
fn looking_at_a_state_that_is_not_there_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = at(dir.path()).read().unwrap();
    assert_eq!((state.view(), state.head()), (&LedgerView::default(), None));
    assert_eq!(state.deployment_key(), None);
    assert!(at(dir.path()).verify_ledger(None).unwrap().intact);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_one_pass_wrote_the_next_reads() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = at(dir.path()).write(Duration::ZERO).unwrap();
    open.append(seen("events"), time(1)).unwrap();
    let (head, key) = (open.state().head().cloned(), open.state().deployment_key().cloned());
    assert!(key.is_some());
    drop(open);
    let state = at(dir.path()).read().unwrap();
    assert_eq!((state.head(), state.deployment_key()), (head.as_ref(), key.as_ref()));
    let open = at(dir.path()).write(Duration::ZERO).unwrap();
    assert_eq!(open.state().view().datasets.len(), 1);
    let root = at(dir.path());
    for (path, mode) in
        [("", 0o700), ("ledger", 0o700), ("keys", 0o700), ("lock", 0o600), ("head", 0o600)]
    {
        let metadata = fs::metadata(root.path().join(path)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{path}");
    }
}

#[test]
fn whether_it_can_be_written_is_told_without_writing() {
    let dir = tempfile::tempdir().unwrap();
    let state = at(dir.path());
    let error = state.writable().unwrap_err();
    assert!(matches!(&error, StoreError::Io { operation: "write to", .. }), "{error}");
    assert!(!state.path().exists());
    drop(state.write(Duration::ZERO).unwrap());
    let before = fs::read_dir(state.path()).unwrap().count();
    state.writable().unwrap();
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), before);
}

#[test]
fn one_writes_and_others_may_look() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = at(dir.path()).write(Duration::ZERO).unwrap();
    assert!(matches!(at(dir.path()).write(Duration::ZERO), Err(StoreError::Busy { .. })));
    open.append(seen("events"), time(1)).unwrap();
    assert_eq!(at(dir.path()).read().unwrap().view().seq, 1);
}

#[test]
fn a_lost_deployment_key_stops_a_pass_that_would_think_everything_new() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = at(dir.path()).write(Duration::ZERO).unwrap();
    open.append(seen("events"), time(1)).unwrap();
    drop(open);
    fs::remove_file(at(dir.path()).path().join("keys/deployment")).unwrap();
    let error = at(dir.path()).write(Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::DeploymentKeyGone { .. }));
    assert_eq!(at(dir.path()).read().unwrap().deployment_key(), None);
}

#[test]
fn a_pass_clears_what_a_killed_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let open = at(dir.path()).write(Duration::ZERO).unwrap();
    let root = at(dir.path()).path().to_owned();
    let scratch = open.scratch(None).unwrap();
    assert_eq!(scratch.path(), root.join("scratch"));
    fs::write(scratch.path().join("spill"), "x").unwrap();
    drop((scratch, open));
    let stale = ".amparo-0123456789abcdef0123456789abcdef.tmp";
    for folder in ["", "ledger", "keys"] {
        fs::create_dir_all(root.join(folder)).unwrap();
        fs::write(root.join(folder).join(stale), "x").unwrap();
    }
    fs::set_permissions(root.join("keys"), Permissions::from_mode(0o755)).unwrap();
    let open = at(dir.path()).write(Duration::ZERO).unwrap();
    for folder in ["", "ledger", "keys"] {
        assert!(!root.join(folder).join(stale).exists(), "{folder}");
    }
    assert_eq!(fs::metadata(root.join("keys")).unwrap().permissions().mode() & 0o777, 0o700);
    let scratch = open.scratch(None).unwrap();
    assert!(!scratch.path().join("spill").exists());
    let other = dir.path().join("fast-disk");
    assert_eq!(open.scratch(Some(&other)).unwrap().path(), other);
}

#[test]
fn the_next_pass_sets_a_torn_commit_aside_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = at(dir.path()).write(Duration::ZERO).unwrap();
    open.append(seen("events"), time(1)).unwrap();
    drop(open);
    fs::write(at(dir.path()).path().join("ledger/00000000000000000002.json"), "{\"se").unwrap();
    assert_eq!(at(dir.path()).read().unwrap().warnings().len(), 1);
    assert!(!at(dir.path()).verify_ledger(None).unwrap().intact);
    let open = at(dir.path()).write(Duration::ZERO).unwrap();
    assert!(open.state().warnings()[0].to_string().contains("set aside as"));
    assert!(at(dir.path()).verify_ledger(None).unwrap().intact);
}

#[test]
fn urls_are_directories_or_not_yet_there() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}/state", dir.path().display());
    let state = StateDir::locate(&url, Path::new("/nowhere")).unwrap();
    assert_eq!(state.path(), dir.path().join("state"));
    let error = StateDir::locate("gs://bucket/state", Path::new("/")).unwrap_err();
    assert!(error.to_string().contains("not supported yet"));
}

/// What a delete does to its state, up to the first failure: seen, begun with a key, done, key destroyed.
/// Each step is skipped where an earlier pass has done it.
fn pass(storage: Box<dyn Storage>, destroyed: &mut bool) -> Result<(), StoreError> {
    let mut state = State::recover(storage)?;
    let request = Name::new("acme").unwrap();
    let task = TaskRef { request, key: Some("k".to_owned()), action: Some(Action::Delete) };
    let id = TaskId::from(&task);
    let name = TaskKeyName::of(&id, "fp");
    let append =
        |state: &mut State, record| state.ledger.append(&*state.storage, vec![record], time(1));
    if !state.view().tasks.contains_key(&id) {
        let (fingerprint, regulation) = ("fp".to_owned(), None);
        let (received_at, due) = (time(0), time(9));
        let task = task.clone();
        append(
            &mut state,
            Record::TaskSubmitted { task, fingerprint, regulation, received_at, due },
        )?;
    }
    if !state.view().tasks[&id].phase.is_final() {
        let found = Identity {
            namespace: NamespaceName::new("crm").unwrap(),
            given: Sensitive::new("C-1".to_owned()),
            canonical: Sensitive::new("c-1".to_owned()),
        };
        match state.keys().load(&name)? {
            Some(key) => assert_eq!(key.found, [found]),
            None => {
                // Nothing was destroyed before there was a key: the search finds everything again.
                assert!(!*destroyed, "what expansion had found is lost");
                let remembered = Remembered { found: vec![found], ..Remembered::default() };
                state.keys().create(&[(name.clone(), remembered)])?;
            }
        }
        append(
            &mut state,
            Record::TaskStarted { task: task.clone(), package: None, approval: None },
        )?;
        *destroyed = true;
        append(
            &mut state,
            Record::TaskCompleted {
                task: task.clone(),
                reason: Reason::Erased,
                counts: TaskCounts::default(),
                sources: Vec::new(),
                left_out: Vec::new(),
                package: None,
                verified: Some(true),
                rules: None,
                earlier: Vec::new(),
            },
        )?;
    }
    if state.keys().destroy_all_but(&BTreeSet::new())? > 0 {
        append(&mut state, Record::KeysDestroyed { task })?;
    }
    Ok(())
}

#[test]
fn a_crash_at_any_write_of_a_pass_is_healed_by_the_next() {
    for fault in Fault::ALL {
        for at in 0.. {
            let dir = quick_dir();
            let disk = LocalDisk::new(dir.path());
            let faulty = FaultyStorage::new(disk.clone(), fault, at);
            let struck = {
                let mut destroyed = false;
                let faulty = Box::new(faulty);
                let done = pass(faulty, &mut destroyed).is_ok();
                let again = pass(Box::new(disk.clone()), &mut destroyed);
                if let Err(error) = again {
                    // Half a key file: what no file system does that renames atomically. It is said, not guessed.
                    assert_eq!(fault, Fault::DiesWithin, "at {at}: {error}");
                    assert!(matches!(error, StoreError::KeyDamaged { .. }), "at {at}: {error}");
                    continue;
                }
                !done
            };
            let state = State::read(Box::new(disk.clone())).unwrap();
            assert_eq!(state.view().tasks.len(), 1);
            assert!(state.view().tasks.values().all(|task| task.reason == Some(Reason::Erased)));
            assert_eq!(state.view().history.len(), 1, "{fault:?} at {at}");
            assert_eq!(state.keys().list().unwrap(), []);
            assert!(verify_ledger(&disk, None).unwrap().intact);
            assert_eq!(disk.sweep("").unwrap() + disk.sweep("keys").unwrap(), 0);
            if !struck {
                break;
            }
        }
    }
}
