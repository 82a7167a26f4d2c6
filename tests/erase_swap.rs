//! Staging, proof, swap and recovery: a cut at any step leaves the old file or the new one, and another
//! writer never loses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod erase_support;

use std::cell::Cell;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use amparo::engine::erase::{
    EraseError, EraseOptions, Fault, Faults, NoFaults, Stage, Step, erase_file, measure, recover,
    stage,
};
use amparo::plan::Mask;
use erase_support::{contains, email, keys, names, people, pseudonym, work};
use parquet::file::properties::WriterProperties;

/// Runs `then` after a step; the work goes on, fails or ends there.
struct After<'a> {
    step: Step,
    then: &'a dyn Fn() -> Result<(), Fault>,
    reached: Cell<bool>,
}

impl Faults for After<'_> {
    fn after(&self, step: Step) -> Result<(), Fault> {
        if step != self.step {
            return Ok(());
        }
        self.reached.set(true);
        (self.then)()
    }
}

fn plain() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder()
}

fn erase(path: &Path, faults: &dyn Faults) -> Result<amparo::engine::erase::Outcome, EraseError> {
    erase_file(
        &work(path, "email", Mask::Null, &[3, 30]),
        &keys(),
        &EraseOptions::default(),
        faults,
    )
}

/// Steps of an erasure in which nobody interferes.
fn quiet_steps() -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(|step| *step != Step::Returned)
}

#[test]
fn a_kill_at_any_step_leaves_the_old_or_the_new_file() {
    for step in quiet_steps() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, plain());
        let old = std::fs::read(&path).unwrap();
        let faults = After { step, then: &|| Err(Fault::Kill), reached: Cell::new(false) };
        let error = erase(&path, &faults).unwrap_err();
        assert!(matches!(error, EraseError::CutOff { .. }), "{step:?}: {error}");
        assert!(faults.reached.get(), "{step:?} was never reached");

        let now = std::fs::read(&path).unwrap();
        let swapped = step >= Step::Swapped;
        assert_eq!(now != old, swapped, "{step:?}");
        assert_eq!(contains(&now, email(3).as_bytes()), !swapped, "{step:?}");

        recover(directory.path(), "lake").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), now, "{step:?}: recovery changed the file");
        assert_eq!(names(directory.path()), ["people.parquet"], "{step:?}");
        assert_eq!(recover(directory.path(), "lake").unwrap(), Default::default());

        // The next pass finishes what is left.
        erase(&path, &NoFaults).unwrap();
        assert!(!contains(&std::fs::read(&path).unwrap(), email(3).as_bytes()));
        assert_eq!(names(directory.path()), ["people.parquet"]);
    }
}

#[test]
fn a_failure_before_the_swap_undoes_everything() {
    for step in quiet_steps().filter(|step| *step < Step::Swapped) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, plain());
        let old = std::fs::read(&path).unwrap();
        let full = || Err(Fault::Fail(io::Error::from(io::ErrorKind::StorageFull)));
        let faults = After { step, then: &full, reached: Cell::new(false) };
        assert!(matches!(erase(&path, &faults).unwrap_err(), EraseError::Io { .. }), "{step:?}");
        assert_eq!(std::fs::read(&path).unwrap(), old);
        assert_eq!(names(directory.path()), ["people.parquet"], "{step:?}");
    }
}

#[test]
fn a_failure_after_the_swap_is_recovered() {
    for step in quiet_steps().filter(|step| *step >= Step::Swapped) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, plain());
        let fail = || Err(Fault::Fail(io::Error::from(io::ErrorKind::Other)));
        let faults = After { step, then: &fail, reached: Cell::new(false) };
        assert!(erase(&path, &faults).is_err());
        let found = recover(directory.path(), "lake").unwrap();
        assert_eq!(found.finished.len(), usize::from(step < Step::Unlinked), "{step:?}");
        assert!(!contains(&std::fs::read(&path).unwrap(), email(3).as_bytes()));
        assert_eq!(names(directory.path()), ["people.parquet"], "{step:?}");
    }
}

/// Another writer replaces the file while we work: its file is what is left, whenever it comes.
#[test]
fn another_writer_wins() {
    for step in Step::ALL.into_iter().filter(|step| *step < Step::Swapped) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, plain());
        let theirs = directory.path().join("theirs");
        let replace = || {
            std::fs::write(&theirs, b"another writer's file").unwrap();
            std::fs::rename(&theirs, &path).unwrap();
            Ok(())
        };
        let faults = After { step, then: &replace, reached: Cell::new(false) };
        let error = erase(&path, &faults).unwrap_err();
        assert!(
            matches!(error, EraseError::Changed { .. } | EraseError::Unreadable { .. }),
            "{step:?}: {error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"another writer's file", "{step:?}");
        assert_eq!(names(directory.path()), ["people.parquet"], "{step:?}");
    }
}

/// The worst moment: another writer came right before the exchange, and we are killed right after it.
#[test]
fn another_writers_displaced_file_is_put_back_after_a_kill() {
    struct Worst<'a>(&'a Path, Step);
    impl Faults for Worst<'_> {
        fn after(&self, step: Step) -> Result<(), Fault> {
            if step == Step::Rechecked {
                let theirs = self.0.with_file_name("theirs");
                people(&theirs, plain().set_created_by("another writer".to_owned()));
                std::fs::rename(&theirs, self.0).unwrap();
            }
            if step == self.1 { Err(Fault::Kill) } else { Ok(()) }
        }
    }
    for step in [Step::Swapped, Step::Returned] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, plain());
        let error = erase(&path, &Worst(&path, step)).unwrap_err();
        assert!(matches!(error, EraseError::CutOff { .. }));
        let found = recover(directory.path(), "lake").unwrap();
        assert_eq!(found.returned.len(), usize::from(step == Step::Swapped));
        assert!(contains(&std::fs::read(&path).unwrap(), b"another writer"));
        assert!(contains(&std::fs::read(&path).unwrap(), email(3).as_bytes()));
        assert_eq!(names(directory.path()), ["people.parquet"], "{step:?}");
    }
}

#[test]
fn recovery_leaves_what_it_does_not_understand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, plain());
    let faults =
        After { step: Step::Swapped, then: &|| Err(Fault::Kill), reached: Cell::new(false) };
    erase(&path, &faults).unwrap_err();
    // Both files are replaced by strangers.
    let leftover =
        names(directory.path()).into_iter().find(|name| name.starts_with(".amparo-")).unwrap();
    for name in [leftover.as_str(), "people.parquet"] {
        people(&directory.path().join("new"), plain().set_created_by(name.to_owned()));
        std::fs::rename(directory.path().join("new"), directory.path().join(name)).unwrap();
    }
    let found = recover(directory.path(), "lake").unwrap();
    assert_eq!(found.unclear, [directory.path().join(&leftover)]);
    assert_eq!(names(directory.path()), [leftover.as_str(), "people.parquet"]);
}

#[test]
fn a_staged_file_can_be_dropped_or_swapped_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, plain());
    let old = std::fs::read(&path).unwrap();
    let work = work(&path, "email", Mask::Null, &[3]);
    let Stage::Staged(staged) = stage(&work, &keys(), &NoFaults).unwrap() else {
        panic!("unchanged")
    };
    staged.discard().unwrap();
    assert_eq!(names(directory.path()), ["people.parquet"]);
    assert_eq!(std::fs::read(&path).unwrap(), old);
    let Stage::Staged(staged) = stage(&work, &keys(), &NoFaults).unwrap() else {
        panic!("unchanged")
    };
    let after = staged.after().clone();
    assert_eq!(*staged.counts(), measure(&work).unwrap());
    let outcome = staged.swap(&EraseOptions::default(), &NoFaults).unwrap();
    assert_eq!(outcome.after, after);
    assert_eq!(amparo::engine::erase::file_stamp(&path, "x").unwrap(), after);
}

#[test]
fn mode_stays_and_checksums_and_summaries_go() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("day=1");
    std::fs::create_dir(&inner).unwrap();
    let path = inner.join("people.parquet");
    people(&path, plain());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let owner = std::fs::metadata(&path).unwrap();
    for name in
        ["day=1/.people.parquet.crc", "_metadata", "._metadata.crc", "day=1/_common_metadata"]
    {
        std::fs::write(directory.path().join(name), b"old").unwrap();
    }
    let options = EraseOptions { root: Some(directory.path().to_owned()) };
    let work = work(&path, "email", Mask::Null, &[3]);
    let outcome = erase_file(&work, &keys(), &options, &NoFaults).unwrap();
    assert_eq!(outcome.summaries.len(), 2);
    assert_eq!(names(&inner), ["people.parquet"]);
    assert_eq!(names(directory.path()), ["day=1"]);
    let meta = std::fs::metadata(&path).unwrap();
    assert_eq!(meta.permissions().mode() & 0o7777, 0o640);
    assert_eq!((meta.uid(), meta.gid()), (owner.uid(), owner.gid()));
    assert_eq!(outcome.before, work.stamp);
}

#[test]
fn links_and_changed_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, plain());
    let planned = work(&path, "email", Mask::Null, &[3]);
    std::fs::hard_link(&path, directory.path().join("other.parquet")).unwrap();
    let error = erase_file(&planned, &keys(), &EraseOptions::default(), &NoFaults).unwrap_err();
    assert!(
        matches!(&error, EraseError::Refused { why, .. } if why.contains("hard link")),
        "{error}"
    );
    assert!(measure(&planned).is_err());
    std::fs::remove_file(directory.path().join("other.parquet")).unwrap();
    people(&path, plain().set_created_by("somebody".to_owned()));
    for error in [
        erase_file(&planned, &keys(), &EraseOptions::default(), &NoFaults).unwrap_err(),
        measure(&planned).unwrap_err(),
    ] {
        assert!(matches!(error, EraseError::Changed { .. }), "{error}");
    }
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("store")).unwrap();
    let path = directory.path().join("store/people.parquet");
    people(&path, plain());
    let link = directory.path().join("link.parquet");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    erase(&link, &NoFaults).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!contains(&std::fs::read(&path).unwrap(), email(3).as_bytes()));
}

#[test]
fn nothing_to_change_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, plain());
    erase_file(
        &work(&path, "email", pseudonym(), &[3]),
        &keys(),
        &EraseOptions::default(),
        &NoFaults,
    )
    .unwrap();
    let before = std::fs::metadata(&path).unwrap();
    let again = work(&path, "email", pseudonym(), &[3]);
    let outcome = erase_file(&again, &keys(), &EraseOptions::default(), &NoFaults).unwrap();
    assert_eq!(outcome.counts.tasks, []);
    assert_eq!(outcome.before, outcome.after);
    let after = std::fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    assert_eq!(names(directory.path()), ["people.parquet"]);
}

/// Whatever byte of the staged file is not what was proven, the proof finds it.
#[test]
fn the_proof_finds_any_changed_byte() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, plain().set_bloom_filter_enabled(true).set_bloom_filter_max_ndv(10));
    let old = std::fs::read(&path).unwrap();
    let size = Cell::new(0);
    let mut at = 0;
    loop {
        let tamper = || {
            let names = names(directory.path());
            let draft = names.iter().find(|name| name.starts_with(".amparo-draft-")).unwrap();
            let draft = directory.path().join(draft);
            let mut bytes = std::fs::read(&draft).unwrap();
            size.set(bytes.len());
            bytes[at] ^= 0x10;
            std::fs::write(&draft, bytes).unwrap();
            Ok(())
        };
        let faults = After { step: Step::Written, then: &tamper, reached: Cell::new(false) };
        let error = erase(&path, &faults).unwrap_err();
        assert!(matches!(error, EraseError::Proof { .. }), "byte {at}: {error}");
        assert!(!error.to_string().contains("planted"));
        at += 5;
        if at >= size.get() {
            break;
        }
    }
    assert!(at > 2000);
    assert_eq!(std::fs::read(&path).unwrap(), old);
    assert_eq!(names(directory.path()), ["people.parquet"]);
}
