//! Holds the new file against what the oracle says, by the parquet crate's own readers.

use std::collections::HashMap;
use std::path::Path;

use amparo::engine::erase::Outcome;
use amparo::model::LeafType;
use amparo::plan::FileCounts;
use parquet::column::reader::ColumnReader;
use parquet::data_type::AsBytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::file::{Layout, Shredded};
use super::oracle::{DRAWN, Expected};
use super::tree::{Column, Field, columns};

pub(crate) fn counts(expected: &Expected, counts: &FileCounts, seed: u64) {
    let found: Vec<u32> = counts.tasks.iter().map(|task| task.task).collect();
    let wanted: Vec<u32> = expected.tasks.keys().copied().collect();
    assert_eq!(found, wanted, "seed {seed}: tasks");
    for task in &counts.tasks {
        let wanted = &expected.tasks[&task.task];
        assert_eq!(
            task.rows_erased,
            wanted.rows.len() as u64,
            "seed {seed}: rows of task {}",
            task.task
        );
        assert_eq!(task.rows_removed, wanted.removed, "seed {seed}: removed rows");
        for (leaf, cells) in task.cells.iter().enumerate() {
            let wanted = wanted.cells.get(&leaf).copied().unwrap_or(0);
            assert_eq!(*cells, wanted, "seed {seed}: cells of task {} leaf {leaf}", task.task);
        }
    }
}

pub(crate) fn file(
    before: &[u8],
    path: &Path,
    schema: &[Field],
    layout: &Layout,
    expected: &Expected,
    outcome: &Outcome,
    seed: u64,
) {
    let after = std::fs::read(path).unwrap();
    let (old, new) = (open(before.to_vec()), open(after.clone()));
    let (was, is) = (old.metadata(), new.metadata());
    let columns = columns(schema);
    let touched: Vec<(u32, String)> = {
        let name = |at: &(usize, usize)| (at.0 as u32, columns[at.1].path.join("."));
        let mut all: Vec<_> = expected.touched.iter().map(name).collect();
        all.sort();
        all
    };
    assert_eq!(outcome.counts.chunks, touched, "seed {seed}: chunks");
    let bytes = |at: &(usize, usize)| was.row_group(at.0).column(at.1).compressed_size() as u64;
    assert_eq!(
        outcome.counts.bytes,
        expected.touched.iter().map(bytes).sum::<u64>(),
        "seed {seed}"
    );
    if touched.is_empty() {
        assert_eq!(before, after, "seed {seed}: nothing changed, and the file did");
        return;
    }
    same_footer(was, is, expected, seed);
    let mut drawn = HashMap::new();
    for (to, (from, wanted)) in expected.groups.iter().enumerate() {
        for (at, column) in columns.iter().enumerate() {
            let context = format!("seed {seed}: group {from} column {}", column.path.join("."));
            let found = read(&new, to, at, column, &context);
            same_column(&found, &wanted[at], column, &mut drawn, &context);
            check_statistics(is, to, at, &found, &context);
            if !expected.touched.contains(&(*from, at)) {
                let range = |meta: &ParquetMetaData, group: usize| {
                    let (start, length) = meta.row_group(group).column(at).byte_range();
                    start as usize..(start + length) as usize
                };
                assert!(before[range(was, *from)] == after[range(is, to)], "{context}: not copied");
            }
            if let Some(filter) = new.get_row_group(to).unwrap().get_column_bloom_filter(at) {
                for value in &found.values {
                    assert!(filter.check(value.as_slice()), "{context}: bloom filter");
                }
            }
        }
    }
    // Replacements differ where what they replace does, and where their columns do.
    let mut by_value: HashMap<&Vec<u8>, &(usize, Vec<u8>)> = HashMap::new();
    for (key, value) in drawn.iter().filter(|(_, value)| value.len() > 8) {
        if let Some(other) = by_value.insert(value, key) {
            assert!(
                key.1.starts_with(b"\0drawn\0hmac"),
                "seed {seed}: {key:?} and {other:?} are linked"
            );
        }
    }
    let _ = layout;
}

fn open(bytes: Vec<u8>) -> SerializedFileReader<bytes::Bytes> {
    let properties = ReaderProperties::builder()
        .set_read_bloom_filter(true)
        .set_read_page_statistics(true)
        .build();
    let options =
        ReadOptionsBuilder::new().with_page_index().with_reader_properties(properties).build();
    SerializedFileReader::new_with_options(bytes.into(), options).unwrap()
}

fn same_footer(was: &ParquetMetaData, is: &ParquetMetaData, expected: &Expected, seed: u64) {
    let (a, b) = (was.file_metadata(), is.file_metadata());
    assert_eq!(a.schema_descr(), b.schema_descr(), "seed {seed}: schema");
    assert_eq!(a.key_value_metadata(), b.key_value_metadata(), "seed {seed}");
    assert_eq!(a.created_by(), b.created_by(), "seed {seed}");
    assert_eq!(a.version(), b.version(), "seed {seed}");
    assert_eq!(a.column_orders(), b.column_orders(), "seed {seed}");
    assert_eq!(is.num_row_groups(), expected.groups.len(), "seed {seed}: row groups");
    if !expected.groups.is_empty() {
        assert_eq!(
            was.offset_index().is_some(),
            is.offset_index().is_some(),
            "seed {seed}: indexes"
        );
    }
    for (to, (from, _)) in expected.groups.iter().enumerate() {
        let (a, b) = (was.row_group(*from), is.row_group(to));
        assert_eq!(b.ordinal().is_some(), a.ordinal().is_some(), "seed {seed}");
        if b.ordinal().is_some() {
            assert_eq!(b.ordinal(), Some(to as i16), "seed {seed}");
        }
        for (a, b) in a.columns().iter().zip(b.columns()) {
            assert_eq!(a.compression(), b.compression(), "seed {seed}");
            assert_eq!(
                a.encodings().collect::<Vec<_>>(),
                b.encodings().collect::<Vec<_>>(),
                "seed {seed}"
            );
            assert_eq!(a.bloom_filter_offset().is_some(), b.bloom_filter_offset().is_some());
            assert_eq!(a.offset_index_offset().is_some(), b.offset_index_offset().is_some());
            assert_eq!(a.statistics().is_some(), b.statistics().is_some(), "seed {seed}");
        }
        let bytes: i64 = b.columns().iter().map(|column| column.uncompressed_size()).sum();
        assert_eq!(b.total_byte_size(), bytes, "seed {seed}: total_byte_size");
    }
}

fn read(
    reader: &SerializedFileReader<bytes::Bytes>,
    group: usize,
    at: usize,
    column: &Column,
    context: &str,
) -> Shredded {
    let mut found = Shredded::default();
    macro_rules! all {
        ($reader:expr) => {{
            let mut values = Vec::new();
            loop {
                let (records, _, _) = $reader
                    .read_records(1000, Some(&mut found.def), Some(&mut found.rep), &mut values)
                    .unwrap_or_else(|e| panic!("{context}: {e}"));
                if records == 0 {
                    break;
                }
            }
            found.values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        }};
    }
    match reader.get_row_group(group).unwrap().get_column_reader(at).unwrap() {
        ColumnReader::BoolColumnReader(mut r) => all!(r),
        ColumnReader::Int32ColumnReader(mut r) => all!(r),
        ColumnReader::Int64ColumnReader(mut r) => all!(r),
        ColumnReader::Int96ColumnReader(mut r) => all!(r),
        ColumnReader::FloatColumnReader(mut r) => all!(r),
        ColumnReader::DoubleColumnReader(mut r) => all!(r),
        ColumnReader::ByteArrayColumnReader(mut r) => all!(r),
        ColumnReader::FixedLenByteArrayColumnReader(mut r) => all!(r),
    }
    // The reader gives no levels where there are none to tell.
    let slots = found.values.len().max(found.def.len()).max(found.rep.len());
    if column.max_def == 0 {
        found.def = vec![0; slots];
    }
    if column.lists.is_empty() {
        found.rep = vec![0; slots];
    }
    found
}

fn same_column(
    found: &Shredded,
    wanted: &Shredded,
    column: &Column,
    drawn: &mut HashMap<(usize, Vec<u8>), Vec<u8>>,
    context: &str,
) {
    assert_eq!(found.rep, wanted.rep, "{context}: repetition levels");
    assert_eq!(found.def, wanted.def, "{context}: definition levels");
    assert_eq!(found.values.len(), wanted.values.len(), "{context}: values");
    for (found, wanted) in found.values.iter().zip(&wanted.values) {
        let Some(marker) = wanted.strip_prefix(DRAWN) else {
            assert_eq!(found, wanted, "{context}: a value");
            continue;
        };
        let path = column
            .path
            .join(".")
            .bytes()
            .map(usize::from)
            .fold(7, |a, b| (a * 131 + b) & 0xffff_ffff);
        let known = drawn.entry((path, wanted.clone())).or_insert_with(|| found.clone());
        assert_eq!(known, found, "{context}: equal values got different replacements");
        let old = marker.splitn(3, |b| *b == b'/').nth(2).unwrap();
        assert_ne!(found, old, "{context}: not replaced");
        let hex =
            |text: &[u8]| text.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b));
        let well_formed = match column.leaf.kind {
            LeafType::Text if marker.starts_with(b"hmac") => found.len() == 64,
            LeafType::Text if marker.starts_with(b"aaid") => {
                let parts: Vec<&[u8]> = found.split(|b| *b == b'-').collect();
                parts.len() == 2 && parts.iter().all(|part| hex(part) && part[0] != b'0')
            }
            LeafType::Text => {
                let kind = marker.split(|b| *b == b'/').next().unwrap();
                let rest = found.strip_prefix(b"Privacy-").unwrap();
                hex(&rest[..32]) && rest[32..] == kind[4..]
            }
            LeafType::Int { .. } => {
                u64::from_le_bytes(found.as_slice().try_into().unwrap()) >> 62 == 1
            }
            _ => found.len() == old.len(),
        };
        assert!(well_formed, "{context}: a replacement is not of its form");
    }
}

/// Bounds that claim to be values are values, and null counts are right.
fn check_statistics(
    meta: &ParquetMetaData,
    group: usize,
    at: usize,
    found: &Shredded,
    context: &str,
) {
    let column = meta.row_group(group).column(at);
    assert_eq!(column.num_values() as usize, found.def.len(), "{context}: num_values");
    let Some(statistics) = column.statistics() else { return };
    if let Some(nulls) = statistics.null_count_opt() {
        let wanted = found.def.len() - found.values.len();
        assert_eq!(nulls as usize, wanted, "{context}: null count");
    }
    let zero = |bytes: &[u8]| bytes.iter().all(|b| *b & 0x7f == 0);
    let there = |bound: &[u8]| {
        found.values.iter().any(|value| value == bound || zero(value) && zero(bound))
    };
    if let Some(min) = statistics.min_bytes_opt() {
        assert!(!statistics.min_is_exact() || there(min), "{context}: min is nowhere");
        assert!(
            found.values.iter().any(|v| v.starts_with(min) || zero(min) && zero(v)),
            "{context}"
        );
    }
    if let Some(max) = statistics.max_bytes_opt() {
        assert!(!statistics.max_is_exact() || there(max), "{context}: max is nowhere");
    }
}
