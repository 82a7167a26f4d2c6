//! Broken files: never a panic, never silence about a file that cannot be read.

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder};
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;

use crate::engine::testing::{Lake, dataset, namespace, probe};
use crate::engine::{EngineError, ProbeOptions};
use crate::plan::RowKey;

/// A file with dictionary, plain and nested pages.
fn sample(lake: &Lake) -> Vec<u8> {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in 0..60 {
        for tag in 0..row % 4 {
            tags.values().append_value(format!("tag{tag}"));
        }
        tags.append(row % 7 != 0);
    }
    let ids: Vec<Option<String>> =
        (0..60).map(|n| (n % 5 != 0).then(|| format!("id-{n}"))).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(StringArray::from(ids))),
        ("tags", Arc::new(tags.finish())),
        ("n", Arc::new((0..60).collect::<Int64Array>())),
    ];
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(25))
        .set_dictionary_page_size_limit(60)
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(5)
        .set_bloom_filter_enabled(true)
        .build();
    fs::read(lake.write("sample", columns, Some(properties))).unwrap()
}

/// Uses a file in every way; an error must be one of ours.
fn use_everything(lake: &Lake) {
    let files = lake.inventory(&dataset("lake", "lake"));
    if files.files.is_empty() {
        assert!(!files.problems.is_empty());
        return;
    }
    let is_ours = |error: EngineError| {
        assert!(matches!(error, EngineError::Unreadable { .. }), "{error}");
    };
    let leaves: Vec<u16> = (0..files.leaves.len() as u16).collect();
    for leaf in &files.leaves {
        if leaf.kind.can_identify() {
            let path = leaf.path.to_string();
            let probe = probe(&files, &path, &namespace(true), &["id-7", "tag1", "12"]);
            let _ = lake.engine.probe(&files, &probe, ProbeOptions::default()).map_err(is_ours);
            let _ =
                lake.engine.count_rows(&files, &probe, ProbeOptions::default()).map_err(is_ours);
        }
    }
    let rows: Vec<RowKey> =
        (0..files.files[0].rows.min(100)).step_by(3).map(|row| RowKey { file: 0, row }).collect();
    let _ = lake.engine.values(&files, &rows, &leaves).map_err(is_ours);
    let each = &mut |_| ControlFlow::Continue(());
    let _ = lake.engine.fetch(&files, &rows, &leaves, each).map_err(is_ours);
}

fn with_file(bytes: &[u8]) -> Lake {
    let lake = Lake::new();
    fs::create_dir(lake.path("lake")).unwrap();
    fs::write(lake.path("lake/a.parquet"), bytes).unwrap();
    lake
}

#[test]
fn every_truncation_is_a_problem() {
    let bytes = sample(&Lake::new());
    for length in (0..bytes.len()).step_by(29) {
        let lake = with_file(&bytes[..length]);
        assert_eq!(lake.problems("lake").len(), 1, "{length}");
    }
}

/// Found by mutation, and rarely: `parquet` counts through lists of booleans that take no bytes.
#[test]
fn a_list_that_claims_what_no_file_holds_is_a_problem_at_once() {
    let bytes = sample(&Lake::new());
    let (body, end) = bytes.split_at(bytes.len() - 8);
    let length = u32::from_le_bytes(end[..4].try_into().unwrap());
    // Before the end of the footer: a field of number 40, a list of as many booleans as can be.
    let (footer, stop) = body.split_at(body.len() - 1);
    let field = [&[0x09, 80, 0xf1][..], &[0xff, 0xff, 0xff, 0xff, 0x07]].concat();
    let length = (length + u32::try_from(field.len()).unwrap()).to_le_bytes();
    let claims = [footer, &field, stop, &length, b"PAR1"].concat();
    assert_eq!(with_file(&claims).problems("lake").len(), 1);
    // The same field of a few booleans, each in its byte, is none.
    let field = [0x09, 80, 0x19, 0x08];
    let length = (u32::from_le_bytes(end[..4].try_into().unwrap()) + 4).to_le_bytes();
    let fine = [footer, &field, stop, &length, b"PAR1"].concat();
    use_everything(&with_file(&fine));
}

/// Found by mutation, and rarely: `parquet` skips for ever in a page that holds fewer repetition levels than its
/// header claims.
#[test]
fn a_page_with_fewer_levels_than_it_claims_cannot_be_read() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in 0..60 {
        tags.values().append_value(format!("tag{row}"));
        tags.append(true);
    }
    let columns: [(&str, ArrayRef); 1] = [("tags", Arc::new(tags.finish()))];
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = fs::read(Lake::new().write("levels", columns, Some(properties))).unwrap();
    // 60 repetition levels of 0, then 60 definition levels of 3, each a run.
    let runs = [120, 0, 120, 3];
    let at = bytes.windows(4).position(|window| window == runs).unwrap();
    bytes[at] = 40;
    let lake = with_file(&bytes);
    let files = lake.inventory(&dataset("lake", "lake"));
    let error = lake.engine.values(&files, &[RowKey { file: 0, row: 50 }], &[0]).unwrap_err();
    assert!(matches!(error, EngineError::Unreadable { .. }), "{error}");
    use_everything(&lake);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_footer in any::<bool>(),
    ) {
        let mut bytes = sample(&Lake::new());
        let footer = u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().unwrap()) as usize;
        let start = if in_footer { bytes.len() - 8 - footer } else { 0 };
        for (at, byte) in changes {
            let at = start + at.index(bytes.len() - start);
            bytes[at] = byte;
        }
        use_everything(&with_file(&bytes));
    }
}
