//! Holds the new file against what the oracle says, by the parquet crate's own readers.

use std::collections::HashMap;
use std::path::Path;

use amparo::engine::erase::Outcome;
use amparo::model::LeafType;
use amparo::plan::FileCounts;
use parquet::bloom_filter::Sbbf;
use parquet::column::reader::ColumnReader;
use parquet::data_type::AsBytes;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::file::{Layout, Shredded};
use super::oracle::{DRAWN, Expected};
use super::tree::{Column, Field, columns};

pub(crate) fn counts(expected: &Expected, counts: &FileCounts, file: &str) {
    let found: Vec<u32> = counts.tasks.iter().map(|task| task.task).collect();
    let wanted: Vec<u32> = expected.tasks.keys().copied().collect();
    assert_eq!(found, wanted, "{file}: tasks");
    for task in &counts.tasks {
        let wanted = &expected.tasks[&task.task];
        assert_eq!(
            task.rows_erased,
            wanted.rows.len() as u64,
            "{file}: rows of task {}",
            task.task
        );
        assert_eq!(task.rows_removed, wanted.removed, "{file}: removed rows");
        for (leaf, cells) in task.cells.iter().enumerate() {
            let wanted = wanted.cells.get(&leaf).copied().unwrap_or(0);
            assert_eq!(*cells, wanted, "{file}: cells of task {} leaf {leaf}", task.task);
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
    file: &str,
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
    assert_eq!(outcome.counts.chunks, touched, "{file}: chunks");
    let bytes = |at: &(usize, usize)| was.row_group(at.0).column(at.1).compressed_size() as u64;
    assert_eq!(outcome.counts.bytes, expected.touched.iter().map(bytes).sum::<u64>(), "{file}");
    if touched.is_empty() {
        assert_eq!(before, after, "{file}: nothing changed, and the file did");
        return;
    }
    same_footer(was, is, expected, file);
    let mut drawn = HashMap::new();
    for (to, (from, wanted)) in expected.groups.iter().enumerate() {
        for (at, column) in columns.iter().enumerate() {
            let context = format!("{file}: group {from} column {}", column.path.join("."));
            let found = levels(&new, to, at, column, &context);
            same_column(&found, &wanted[at], column, &mut drawn, &context);
            let is_touched = expected.touched.contains(&(*from, at));
            check_statistics(is.row_group(to).column(at), &found, is_touched, &context);
            if !is_touched {
                let range = |meta: &ParquetMetaData, group: usize| {
                    let (start, length) = meta.row_group(group).column(at).byte_range();
                    start as usize..(start + length) as usize
                };
                assert!(before[range(was, *from)] == after[range(is, to)], "{context}: not copied");
            }
            if is_touched && let Some(filter) = bloom(&new, to, at) {
                // parquet-mr makes filters of booleans and puts nothing in.
                let was = bloom(&old, *from, at).unwrap();
                let before = levels(&old, *from, at, column, &context).values;
                let held = before.iter().all(|value| was.check(value.as_slice()));
                for value in found.values.iter().filter(|_| held) {
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
                "{file}: {key:?} and {other:?} are linked"
            );
        }
    }
    let _ = layout;
}

/// With the page index where the reader can take it: it wants it of all columns.
pub(crate) fn open(bytes: Vec<u8>) -> SerializedFileReader<bytes::Bytes> {
    let options = |index: bool| {
        let properties = ReaderProperties::builder()
            .set_read_bloom_filter(true)
            .set_read_page_statistics(true)
            .build();
        let options = ReadOptionsBuilder::new().with_reader_properties(properties);
        if index { options.with_page_index().build() } else { options.build() }
    };
    let bytes = bytes::Bytes::from(bytes);
    SerializedFileReader::new_with_options(bytes.clone(), options(true))
        .or_else(|_| SerializedFileReader::new_with_options(bytes, options(false)))
        .unwrap()
}

fn bloom(reader: &SerializedFileReader<bytes::Bytes>, group: usize, at: usize) -> Option<Sbbf> {
    reader.get_row_group(group).unwrap().get_column_bloom_filter(at).cloned()
}

fn same_footer(was: &ParquetMetaData, is: &ParquetMetaData, expected: &Expected, file: &str) {
    let (a, b) = (was.file_metadata(), is.file_metadata());
    assert_eq!(a.schema_descr(), b.schema_descr(), "{file}: schema");
    assert_eq!(a.key_value_metadata(), b.key_value_metadata(), "{file}");
    assert_eq!(a.created_by(), b.created_by(), "{file}");
    assert_eq!(a.version(), b.version(), "{file}");
    assert_eq!(a.column_orders(), b.column_orders(), "{file}");
    assert_eq!(is.num_row_groups(), expected.groups.len(), "{file}: row groups");
    if !expected.groups.is_empty() {
        assert_eq!(was.offset_index().is_some(), is.offset_index().is_some(), "{file}: indexes");
    }
    for (to, (from, _)) in expected.groups.iter().enumerate() {
        let (a, b) = (was.row_group(*from), is.row_group(to));
        assert_eq!(b.ordinal().is_some(), a.ordinal().is_some(), "{file}");
        if b.ordinal().is_some() {
            assert_eq!(b.ordinal(), Some(to as i16), "{file}");
        }
        for (a, b) in a.columns().iter().zip(b.columns()) {
            assert_eq!(a.compression(), b.compression(), "{file}");
            assert_eq!(
                a.encodings().collect::<Vec<_>>(),
                b.encodings().collect::<Vec<_>>(),
                "{file}"
            );
            assert_eq!(a.bloom_filter_offset().is_some(), b.bloom_filter_offset().is_some());
            assert_eq!(a.offset_index_offset().is_some(), b.offset_index_offset().is_some());
            assert_eq!(a.statistics().is_some(), b.statistics().is_some(), "{file}");
        }
        let bytes = |group: &parquet::file::metadata::RowGroupMetaData| -> i64 {
            group.columns().iter().map(|column| column.uncompressed_size()).sum()
        };
        // Old writers count otherwise.
        if a.total_byte_size() == bytes(a) {
            assert_eq!(b.total_byte_size(), bytes(b), "{file}: total_byte_size");
        }
    }
}

pub(crate) fn levels(
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

/// Bounds that claim to be values are values, and null counts are right; where the source's were, if the chunk was copied.
fn check_statistics(column: &ColumnChunkMetaData, found: &Shredded, touched: bool, context: &str) {
    assert_eq!(column.num_values() as usize, found.def.len(), "{context}: num_values");
    let Some(statistics) = column.statistics().filter(|_| touched) else { return };
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
