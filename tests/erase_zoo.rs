//! Files of other writers: what `tests/fixtures/zoo/make.py` made with pyarrow, DuckDB, Polars and
//! fastparquet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod erase_support;

use std::path::{Path, PathBuf};

use amparo::engine::erase::{EraseOptions, NoFaults, erase_file, measure};
use amparo::model::FieldPath;
use amparo::plan::{CellWork, FileWork, LeafWork, Mask, Reach};
use erase_support::{contains, keys, names, pseudonym, work};
use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::ColumnReader;
use parquet::data_type::AsBytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

const ROWS: usize = 60;

/// One row of one column: repetition and definition level of each slot, and the value where there is one.
type Row = Vec<(i16, i16, Option<Vec<u8>>)>;

fn zoo() -> Vec<PathBuf> {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/zoo"));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    files.sort();
    assert!(files.len() >= 12);
    files
}

/// All columns of a file, row by row, by the parquet crate.
fn read(path: &Path) -> Vec<(ColumnDescPtr, Vec<Row>)> {
    let options = ReadOptionsBuilder::new().with_page_index().build();
    let file = std::fs::File::open(path).unwrap();
    let reader = SerializedFileReader::new_with_options(file, options).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let columns = schema.columns().iter().enumerate().map(|(at, descriptor)| {
        let mut rows: Vec<Row> = Vec::new();
        for group in 0..reader.num_row_groups() {
            let reader = reader.get_row_group(group).unwrap().get_column_reader(at).unwrap();
            read_chunk(reader, descriptor, &mut rows);
        }
        (descriptor.clone(), rows)
    });
    columns.collect()
}

fn read_chunk(reader: ColumnReader, descriptor: &ColumnDescriptor, rows: &mut Vec<Row>) {
    let (mut def, mut rep) = (Vec::new(), Vec::new());
    macro_rules! all {
        ($reader:expr) => {{
            let mut values = Vec::new();
            while $reader.read_records(100, Some(&mut def), Some(&mut rep), &mut values).unwrap().0
                > 0
            {}
            values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>()
        }};
    }
    let values = match reader {
        ColumnReader::BoolColumnReader(mut r) => all!(r),
        ColumnReader::Int32ColumnReader(mut r) => all!(r),
        ColumnReader::Int64ColumnReader(mut r) => all!(r),
        ColumnReader::Int96ColumnReader(mut r) => all!(r),
        ColumnReader::FloatColumnReader(mut r) => all!(r),
        ColumnReader::DoubleColumnReader(mut r) => all!(r),
        ColumnReader::ByteArrayColumnReader(mut r) => all!(r),
        ColumnReader::FixedLenByteArrayColumnReader(mut r) => all!(r),
    };
    let slots = def.len().max(rep.len()).max(values.len());
    def.resize(slots, 0);
    rep.resize(slots, 0);
    let mut values = values.into_iter();
    for (rep, def) in rep.into_iter().zip(def) {
        if rep == 0 {
            rows.push(Row::new());
        }
        let value = (def == descriptor.max_def_level()).then(|| values.next().unwrap());
        rows.last_mut().unwrap().push((rep, def, value));
    }
}

/// The logical path of a column of these files.
fn logical(descriptor: &ColumnDescriptor) -> FieldPath {
    let parts = descriptor.path().parts();
    let levels = ["list", "element", "item", "bag", "array", "array_element", "key_value", "child"];
    FieldPath::new(parts.iter().filter(|part| !levels.contains(&part.as_str())).cloned()).unwrap()
}

fn is_text(descriptor: &ColumnDescriptor) -> bool {
    matches!(descriptor.logical_type_ref(), Some(LogicalType::String))
        || descriptor.converted_type() == ConvertedType::UTF8
}

fn erase(path: &Path, work: &FileWork) {
    let measured = measure(work).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let outcome = erase_file(work, &keys(), &EraseOptions::default(), &NoFaults)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(measured, outcome.counts, "{}", path.display());
    assert!(outcome.bytes_reencoded > 0);
    if let Ok(keep) = std::env::var("AMPARO_ZOO_OUT") {
        // For a look by other readers.
        let name = path.file_name().unwrap().to_str().unwrap();
        let count = std::fs::read_dir(&keep).unwrap().count();
        std::fs::copy(path, Path::new(&keep).join(format!("{count}-{name}"))).unwrap();
    }
}

fn copy(original: &Path, directory: &Path) -> PathBuf {
    let path = directory.join(original.file_name().unwrap());
    std::fs::copy(original, &path).unwrap();
    path
}

#[test]
fn rows_are_removed_from_files_of_every_writer() {
    for original in zoo() {
        let directory = tempfile::tempdir().unwrap();
        let path = copy(&original, directory.path());
        let before = read(&path);
        let removed = [1, 20, 21, 22, 59];
        let mut work = work(&path, "email", Mask::Null, &[]);
        work.removed = removed.iter().map(|row| (*row as u64, 0)).collect();
        erase(&path, &work);
        for ((descriptor, before), (_, after)) in before.into_iter().zip(read(&path)) {
            let left = before.into_iter().enumerate().filter(|(row, _)| !removed.contains(row));
            let left: Vec<Row> = left.map(|(_, row)| row).collect();
            assert_eq!(left, after, "{} {:?}", path.display(), descriptor.path());
        }
        assert_eq!(names(directory.path()).len(), 1);
    }
}

#[test]
fn values_are_nulled_or_replaced_in_files_of_every_writer() {
    let rows = [0, 1, 5, 33, 34, 59];
    for original in zoo() {
        for replace in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let path = copy(&original, directory.path());
            let before = read(&path);
            assert_eq!(before[0].1.len(), ROWS, "{}", path.display());
            let mask = |descriptor: &ColumnDescriptor| match replace {
                true if is_text(descriptor) => Some(pseudonym()),
                false if descriptor.self_type().is_optional() => Some(Mask::Null),
                _ => None,
            };
            let mut work = work(&path, "email", Mask::Null, &[]);
            work.leaves = before
                .iter()
                .filter_map(|(descriptor, _)| {
                    let cell =
                        |row: &usize| CellWork { row: *row as u64, task: 1, reach: Reach::All };
                    let cells = rows.iter().map(cell).collect();
                    Some(LeafWork { path: logical(descriptor), mask: mask(descriptor)?, cells })
                })
                .collect();
            assert!(!work.leaves.is_empty(), "{}", path.display());
            erase(&path, &work);
            for ((descriptor, before), (_, after)) in before.iter().zip(read(&path)) {
                let context = format!("{} {:?}", path.display(), descriptor.path());
                assert_eq!(after.len(), ROWS, "{context}");
                let masked = mask(descriptor).is_some();
                for (row, (before, after)) in before.iter().zip(&after).enumerate() {
                    if masked && rows.contains(&row) {
                        check_erased(before, after, replace, &context);
                    } else {
                        assert_eq!(before, after, "{context} row {row}");
                    }
                }
            }
        }
    }
}

fn check_erased(before: &Row, after: &Row, replace: bool, context: &str) {
    assert_eq!(before.len(), after.len(), "{context}");
    for ((rep, def, value), after) in before.iter().zip(after) {
        match value {
            Some(_) if replace => {
                let text = after.2.as_ref().unwrap();
                assert!(text.starts_with(b"Privacy-") && text.len() == 40, "{context}");
            }
            Some(_) => assert_eq!(*after, (*rep, def - 1, None), "{context}"),
            None => assert_eq!(*after, (*rep, *def, None), "{context}"),
        }
    }
}

#[test]
fn uncompressed_files_hold_nothing_of_what_was_erased() {
    let original =
        zoo().into_iter().find(|path| path.ends_with("pyarrow-encodings.parquet")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = copy(&original, directory.path());
    let key = |row: u128| (row * 7919).to_be_bytes();
    assert!(contains(&std::fs::read(&path).unwrap(), &key(33)));
    erase(&path, &work(&path, "key", pseudonym(), &[33]));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!contains(&bytes, &key(33)) && contains(&bytes, &key(34)));
}
