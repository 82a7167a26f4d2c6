//! Composite identities, candidates, and files that change.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use crate::engine::testing::{Lake, leaf_index, namespace, probe, with_bytes};
use crate::engine::{EngineError, ProbeOptions};
use crate::plan::{IdentityId, Probe, RowKey};

fn people(lake: &Lake, inner: &str) {
    let names = ["Doe", "Doe", "Roe", "doe"];
    let dates = ["1980", "1981", "1980", "1980"];
    let columns: [(&str, ArrayRef); 2] = [
        ("name", Arc::new(StringArray::from(names.to_vec()))),
        ("born", Arc::new(StringArray::from(dates.to_vec()))),
    ];
    lake.write(inner, columns, None);
}

fn rows(lake: &Lake, probe: &Probe, location: &str) -> Vec<(u64, u32)> {
    let files = lake.files(location);
    let hits = lake.engine.probe(&files, probe, ProbeOptions::default()).unwrap();
    let counts = lake.engine.count_rows(&files, probe, ProbeOptions::default()).unwrap();
    let mut distinct: Vec<RowKey> = hits.iter().map(|hit| hit.at).collect();
    distinct.dedup();
    assert_eq!(counts.iter().sum::<u64>(), distinct.len() as u64);
    hits.iter().map(|hit| (hit.at.row, hit.identity.0)).collect()
}

#[test]
fn composite_parts_count_only_together() {
    let lake = Lake::new();
    people(&lake, "lake/a.parquet");
    let files = lake.files("lake");
    let name = probe(&files, "name", &namespace(false), &["Doe"]);
    let mut both = probe(&files, "born", &namespace(false), &["", "1980"]);
    both.leaves.extend(name.leaves);
    both.alone = Vec::new();
    both.all_of = vec![vec![IdentityId(0), IdentityId(1)]];
    assert_eq!(rows(&lake, &both, "lake"), [(0, 0), (0, 1), (3, 0), (3, 1)]);
    both.alone = vec![IdentityId(0)];
    assert_eq!(rows(&lake, &both, "lake"), [(0, 0), (0, 1), (1, 0), (3, 0), (3, 1)]);
    both.all_of = Vec::new();
    assert_eq!(rows(&lake, &both, "lake"), [(0, 0), (1, 0), (3, 0)]);
}

#[test]
fn a_part_may_be_a_partition_column() {
    let lake = Lake::new();
    people(&lake, "lake/country=DE/a.parquet");
    people(&lake, "lake/country=FR/a.parquet");
    let files = lake.files("lake");
    let name = probe(&files, "name", &namespace(false), &["Roe"]);
    let mut both = probe(&files, "country", &namespace(false), &["", "de"]);
    both.leaves.extend(name.leaves);
    both.alone = Vec::new();
    both.all_of = vec![vec![IdentityId(0), IdentityId(1)]];
    assert_eq!(rows(&lake, &both, "lake"), [(2, 0), (2, 1)]);
    both.all_of = vec![vec![IdentityId(1)]];
    assert_eq!(rows(&lake, &both, "lake"), [(0, 1), (1, 1), (2, 1), (3, 1)]);
}

#[test]
fn identities_may_share_a_key() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("A")]);
    let files = lake.files("lake");
    assert_eq!(lake.find(&files, "id", &namespace(false), &["a", "A"]).len(), 2);
}

#[test]
fn only_candidates_are_searched() {
    let lake = Lake::new();
    for name in ["a", "b", "c"] {
        lake.ids(&format!("lake/{name}.parquet"), &[Some("x")]);
    }
    let files = lake.files("lake");
    let probe = probe(&files, "id", &namespace(true), &["x"]);
    let options = ProbeOptions { prune: true, candidates: Some(&[0, 2]) };
    let hits = lake.engine.probe(&files, &probe, options).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.at.file).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(leaf_index(&files, "id"), 0);
}

#[test]
fn a_file_that_changed_since_the_inventory_is_not_searched() {
    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("x")]);
    let files = lake.files("lake");
    lake.ids("lake/a.parquet", &[Some("y"), Some("z")]);
    let error = lake.try_find(&files, "id", &namespace(true), &["x"]).unwrap_err();
    assert_eq!(error.to_string(), "lake/a.parquet changed while it was read");
    fs::remove_file(lake.path("lake/a.parquet")).unwrap();
    let error = lake.try_find(&files, "id", &namespace(true), &["x"]).unwrap_err();
    assert!(matches!(error, EngineError::Changed { .. }));
}

#[test]
fn a_column_that_does_not_decode_is_named_without_its_values() {
    let lake = Lake::new();
    let path = lake.ids("lake/a.parquet", &[Some("secret-value")]);
    with_bytes(&path, |bytes| bytes[4..60].fill(0xee));
    let files = lake.files("lake");
    let error = lake.try_find(&files, "id", &namespace(true), &["secret-value"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read lake/a.parquet: column `id` of row group 0 does not decode"
    );
    assert!(!format!("{error:?}").contains("secret"));
}
