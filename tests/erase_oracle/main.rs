//! Erasure of generated files against an oracle that knows nothing of levels: it works on records as
//! trees, and the result is read back by the parquet crate's own decoders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod check;
mod file;
mod oracle;
mod random;
mod real;
mod tree;
mod work;

use std::path::Path;

use amparo::engine::erase::{EraseOptions, NoFaults, erase_file, measure};
use amparo::model::Sensitive;
use amparo::plan::EraseKeys;

use file::Layout;
use random::Random;
use tree::{Field, Value};

/// One generated file, erased and checked.
fn round(seed: u64) {
    let mut random = Random::new(seed);
    let schema = tree::schema(&mut random);
    let records = tree::records(&schema, &mut random);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.parquet");
    let layout = file::write(&path, &schema, &records, &mut random);
    erase_and_check(&path, &schema, &records, &layout, &mut random, &format!("seed {seed}"));
}

fn erase_and_check(
    path: &Path,
    schema: &[Field],
    records: &[Value],
    layout: &Layout,
    random: &mut Random,
    context: &str,
) {
    let before = std::fs::read(path).unwrap();
    let work = work::generate(path, schema, records, random);
    let expected = oracle::erase(schema, records, layout, &work);
    let keys = EraseKeys {
        tasks: (0..3).map(|task| (task, Sensitive::new([task as u8 + 1; 32]))).collect(),
        hmac: [("join".to_owned(), Sensitive::new(b"secret".to_vec()))].into(),
    };
    let measured = measure(&work).unwrap_or_else(|e| panic!("{context}: measure: {e} {e:?}"));
    assert_eq!(std::fs::read(path).unwrap(), before, "{context}: measuring wrote");
    let outcome = erase_file(&work, &keys, &EraseOptions::default(), &NoFaults)
        .unwrap_or_else(|e| panic!("{context}: erase: {e} {e:?}"));
    assert_eq!(measured, outcome.counts, "{context}: measure and rewrite disagree");
    check::counts(&expected, &outcome.counts, context);
    check::file(&before, path, schema, layout, &expected, &outcome, context);
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(entries.count(), 1, "{context}: leftovers");
}

#[test]
fn generated_files_come_out_as_the_oracle_says() {
    let rounds = std::env::var("AMPARO_ORACLE_ROUNDS").map_or(400, |n| n.parse().unwrap());
    let first = std::env::var("AMPARO_ORACLE_SEED").map_or(0, |n| n.parse().unwrap());
    for seed in first..first + rounds {
        round(seed);
    }
}

/// The files of other writers (`tests/fixtures`), each with several drawn works: every method that its
/// leaves can take, elements, removed rows.
#[test]
fn files_of_every_writer_come_out_as_the_oracle_says() {
    let rounds = std::env::var("AMPARO_ORACLE_ROUNDS").map_or(8, |n| n.parse().unwrap());
    let mut failed = Vec::new();
    for directory in ["zoo", "parquet-testing"] {
        let files = real::files(directory);
        assert!(files.len() > 8, "{directory}");
        for original in files.into_iter().filter(|path| !is_broken(path)) {
            let erase = || (0..rounds).for_each(|seed| real_round(&original, seed));
            if std::panic::catch_unwind(erase).is_err() {
                failed.push(original);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Files whose footers lie; tests/erase_hostile.rs has them.
fn is_broken(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    ["nation.dict-malformed.parquet", "repeated_no_annotation.parquet"].contains(&name)
}

fn real_round(original: &Path, seed: u64) {
    let name = original.file_name().unwrap().to_str().unwrap();
    let (schema, records, layout) = real::read(original);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::copy(original, &path).unwrap();
    let context = format!("{name}, seed {seed}");
    erase_and_check(&path, &schema, &records, &layout, &mut Random::new(seed), &context);
}
