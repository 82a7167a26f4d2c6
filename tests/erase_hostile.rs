//! Broken and lying files: an error that names the file, never a panic, and never a byte written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod erase_support;

use amparo::engine::erase::{EraseError, EraseOptions, NoFaults, erase_file, measure, stage};
use amparo::plan::Mask;
use erase_support::{contains, keys, names, people, pseudonym, work};
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};

fn check(error: &EraseError, context: &str) {
    let text = format!("{error} {error:?}");
    assert!(text.contains("lake/people.parquet"), "{context}: {text}");
    assert!(!contains(text.as_bytes(), b"planted"), "{context}: {text}");
}

/// Every byte of a small file, broken in some ways.
#[test]
fn any_broken_byte_is_an_error_or_no_matter() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        let properties = WriterProperties::builder()
            .set_writer_version(version)
            .set_bloom_filter_enabled(true)
            .set_bloom_filter_max_ndv(10)
            .set_compression(Compression::SNAPPY);
        people(&path, properties);
        let good = std::fs::read(&path).unwrap();
        let first = usize::from(version == WriterVersion::PARQUET_2_0);
        for at in (first..good.len()).step_by(3) {
            {
                let change = [0xff, 0x01, 0x80][at / 3 % 3];
                let mut bad = good.clone();
                bad[at] ^= change;
                std::fs::write(&path, &bad).unwrap();
                let Ok(stamp) = amparo::engine::erase::file_stamp(&path, "lake/people.parquet")
                else {
                    continue;
                };
                let mut work = work_with(&path, stamp, at);
                let context = format!("{version:?} byte {at} ^ {change}");
                match measure(&work) {
                    Err(error) => check(&error, &context),
                    Ok(counts) => {
                        assert!(counts.tasks.iter().all(|task| task.task == 0), "{context}")
                    }
                }
                if at % 7 == 0 {
                    work.removed = vec![(40, 0)];
                    work.leaves[0].cells.retain(|cell| cell.row != 40);
                }
                match stage(&work, &keys(), &NoFaults) {
                    Err(error) => check(&error, &context),
                    Ok(amparo::engine::erase::Stage::Staged(staged)) => staged.discard().unwrap(),
                    Ok(_) => {}
                }
                assert_eq!(std::fs::read(&path).unwrap(), bad, "{context}");
                assert_eq!(names(directory.path()), ["people.parquet"], "{context}");
            }
        }
    }
}

fn work_with(
    path: &std::path::Path,
    stamp: amparo::plan::FileStamp,
    at: usize,
) -> amparo::plan::FileWork {
    let mask = if at.is_multiple_of(2) { Mask::Null } else { pseudonym() };
    let mut work = work(path, "email", mask, &[3, 40, 77]);
    work.stamp = stamp;
    work
}

#[test]
fn truncated_and_foreign_files_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, WriterProperties::builder());
    let good = std::fs::read(&path).unwrap();
    let planned = work(&path, "email", Mask::Null, &[3]);
    for length in [0, 1, 8, 12, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        let error = erase_file(&planned, &keys(), &EraseOptions::default(), &NoFaults).unwrap_err();
        assert!(matches!(error, EraseError::Unreadable { .. }), "{length}: {error}");
    }
    let mut encrypted = good.clone();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    std::fs::write(&path, &encrypted).unwrap();
    let error = measure(&planned).unwrap_err();
    assert!(
        matches!(&error, EraseError::Refused { why, .. } if why.contains("encrypted")),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(measure(&planned).unwrap_err(), EraseError::Io { .. }));
}

/// Real files of old writers whose footers contradict their pages, or themselves.
#[test]
fn files_that_contradict_themselves_are_errors() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/parquet-testing");
    for (name, leaf) in
        [("nation.dict-malformed", "name"), ("repeated_no_annotation", "phoneNumbers.phone.kind")]
    {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.parquet");
        std::fs::copy(format!("{fixtures}/{name}.parquet"), &path).unwrap();
        let good = std::fs::read(&path).unwrap();
        let work = work(&path, leaf, pseudonym(), &[0]);
        for error in [
            measure(&work).unwrap_err(),
            erase_file(&work, &keys(), &EraseOptions::default(), &NoFaults).unwrap_err(),
        ] {
            assert!(matches!(error, EraseError::Unreadable { .. }), "{name}: {error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), good, "{name}");
        assert_eq!(names(directory.path()), ["file.parquet"], "{name}");
    }
}

#[test]
fn work_beyond_the_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, WriterProperties::builder());
    let error = measure(&work(&path, "email", Mask::Null, &[100])).unwrap_err();
    assert!(matches!(error, EraseError::Refused { .. }), "{error}");
    let error = measure(&work(&path, "email", Mask::Null, &[9, 4])).unwrap_err();
    assert!(matches!(error, EraseError::Refused { .. }), "{error}");
    // A column that this file lacks has no cells in it.
    assert_eq!(measure(&work(&path, "phone", Mask::Null, &[9])).unwrap(), Default::default());
}
