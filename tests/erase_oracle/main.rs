//! Erasure of generated files against an oracle that knows nothing of levels: it works on records as
//! trees, and the result is read back by the parquet crate's own decoders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod check;
mod file;
mod oracle;
mod random;
mod tree;
mod work;

use amparo::engine::erase::{EraseOptions, NoFaults, erase_file, measure};
use amparo::model::Sensitive;
use amparo::plan::EraseKeys;

use random::Random;

/// One generated file, erased and checked.
fn round(seed: u64) {
    let mut random = Random::new(seed);
    let schema = tree::schema(&mut random);
    let records = tree::records(&schema, &mut random);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.parquet");
    let layout = file::write(&path, &schema, &records, &mut random);
    let before = std::fs::read(&path).unwrap();

    let work = work::generate(&path, &schema, &records, &mut random);
    let expected = oracle::erase(&schema, &records, &layout, &work);
    let keys = EraseKeys {
        tasks: (0..3).map(|task| (task, Sensitive::new([task as u8 + 1; 32]))).collect(),
        hmac: [("join".to_owned(), Sensitive::new(b"secret".to_vec()))].into(),
    };
    let measured = measure(&work).unwrap_or_else(|e| panic!("seed {seed}: measure: {e} {e:?}"));
    assert_eq!(std::fs::read(&path).unwrap(), before, "seed {seed}: measuring wrote");
    let outcome = erase_file(&work, &keys, &EraseOptions::default(), &NoFaults)
        .unwrap_or_else(|e| panic!("seed {seed}: erase: {e} {e:?}"));
    assert_eq!(measured, outcome.counts, "seed {seed}: measure and rewrite disagree");
    check::counts(&expected, &outcome.counts, seed);
    check::file(&before, &path, &schema, &layout, &expected, &outcome, seed);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "seed {seed}: leftovers");
}

#[test]
fn generated_files_come_out_as_the_oracle_says() {
    let rounds = std::env::var("AMPARO_ORACLE_ROUNDS").map_or(400, |n| n.parse().unwrap());
    let first = std::env::var("AMPARO_ORACLE_SEED").map_or(0, |n| n.parse().unwrap());
    for seed in first..first + rounds {
        round(seed);
    }
}
