//! What is erased is gone from every byte of the file, and replacements are what they must be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod erase_support;

use amparo::engine::erase::{EraseError, EraseOptions, NoFaults, erase_file, measure};
use amparo::plan::{FileWork, Mask};
use erase_support::{ROWS, contains, email, keys, people, pseudonym, work};
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

fn run(work: &FileWork) -> Result<amparo::engine::erase::Outcome, EraseError> {
    erase_file(work, &keys(), &EraseOptions::default(), &NoFaults)
}

/// Every way to write the column, with every structure that could hold a value.
fn layouts() -> Vec<(String, WriterPropertiesBuilder)> {
    let mut layouts = Vec::new();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for encoding in [
            None,
            Some(Encoding::PLAIN),
            Some(Encoding::DELTA_BYTE_ARRAY),
            Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        ] {
            for limit in [7, 1000] {
                let mut builder = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_compression(Compression::UNCOMPRESSED)
                    .set_dictionary_enabled(encoding.is_none())
                    .set_statistics_enabled(EnabledStatistics::Page)
                    .set_write_page_header_statistics(true)
                    .set_bloom_filter_enabled(true)
                    .set_data_page_row_count_limit(limit)
                    .set_write_batch_size(1);
                if limit == 7 {
                    builder = builder.set_dictionary_page_size_limit(200);
                }
                if let Some(encoding) = encoding {
                    builder = builder.set_column_encoding(ColumnPath::from("email"), encoding);
                }
                layouts.push((format!("{version:?} {encoding:?} {limit}"), builder));
            }
        }
    }
    layouts
}

#[test]
fn no_byte_of_an_erased_value_is_left() {
    // The smallest and largest of each row group, and some between.
    let rows: Vec<u64> = vec![0, 1, 24, 25, 49, 60, 99];
    let masks = [Mask::Null, Mask::Empty, pseudonym(), Mask::Constant("gone".to_owned())];
    for (layout, properties) in layouts() {
        for mask in &masks {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("people.parquet");
            people(&path, properties.clone());
            run(&work(&path, "email", mask.clone(), &rows))
                .unwrap_or_else(|e| panic!("{layout}: {e}"));
            check(&std::fs::read(&path).unwrap(), &rows, &layout);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(&path, properties.clone());
        let mut purge = work(&path, "email", Mask::Null, &[]);
        purge.removed = rows.iter().map(|row| (*row, 0)).collect();
        run(&purge).unwrap_or_else(|e| panic!("{layout}: {e}"));
        check(&std::fs::read(&path).unwrap(), &rows, &layout);
    }
}

fn check(bytes: &[u8], erased: &[u64], layout: &str) {
    // Delta encodings keep only what differs from the value before.
    let delta = ["DELTA_BYTE_ARRAY", "PARQUET_2_0 None"];
    let whole = !delta.iter().any(|name| layout.contains(name));
    for row in 0..ROWS {
        if erased.contains(&row) {
            assert!(!contains(bytes, email(row).as_bytes()), "{layout}: row {row} is still there");
        } else if whole {
            assert!(contains(bytes, email(row).as_bytes()), "{layout}: row {row} is lost");
        }
    }
}

#[test]
fn a_file_of_which_every_row_goes_stays_valid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, WriterProperties::builder().set_bloom_filter_enabled(true));
    let mut purge = work(&path, "email", Mask::Null, &[]);
    purge.removed = (0..ROWS).map(|row| (row, 0)).collect();
    let outcome = run(&purge).unwrap();
    assert_eq!(outcome.counts, measure_of(&outcome.counts));
    let reader =
        parquet::file::reader::SerializedFileReader::new(std::fs::File::open(&path).unwrap())
            .unwrap();
    let meta = parquet::file::reader::FileReader::metadata(&reader);
    assert_eq!((meta.file_metadata().num_rows(), meta.num_row_groups()), (0, 0));
    assert_eq!(meta.file_metadata().schema_descr().num_columns(), 2);
    assert!(!contains(&std::fs::read(&path).unwrap(), b"planted"));
}

fn measure_of(counts: &amparo::plan::FileCounts) -> amparo::plan::FileCounts {
    assert_eq!(counts.tasks[0].rows_removed, ROWS);
    assert_eq!(counts.row_groups, 4);
    counts.clone()
}

#[test]
fn replacements_depend_on_value_task_field_and_dataset_alone() {
    let replaced = |dataset: &str, task: u32, row: u64, compression| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        people(
            &path,
            WriterProperties::builder().set_compression(compression).set_dictionary_enabled(false),
        );
        let mut work = work(&path, "email", pseudonym(), &[row]);
        work.dataset = amparo::model::Name::new(dataset).unwrap();
        work.leaves[0].cells[0].task = task;
        run(&work).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
        let rows = parquet::file::reader::FileReader::get_row_iter(&reader, None).unwrap();
        let row = rows.into_iter().nth(row as usize).unwrap().unwrap();
        parquet::record::RowAccessor::get_string(&row, 0).unwrap().clone()
    };
    let first = replaced("people", 0, 5, Compression::UNCOMPRESSED);
    assert!(first.starts_with("Privacy-") && first.len() == 40, "{first}");
    assert_eq!(first, replaced("people", 0, 5, Compression::SNAPPY));
    for other in [
        replaced("people", 0, 6, Compression::SNAPPY),
        replaced("people", 1, 5, Compression::SNAPPY),
        replaced("others", 0, 5, Compression::SNAPPY),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn metadata_that_holds_an_erased_value_refuses_the_file() {
    let with = |key: &str, value: &str| {
        WriterProperties::builder()
            .set_key_value_metadata(Some(vec![KeyValue::new(key.to_owned(), value.to_owned())]))
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, with("exporter", &format!("first row: {}, last: none", email(3))));
    let planned = work(&path, "email", Mask::Null, &[3]);
    let before = std::fs::read(&path).unwrap();
    for error in [run(&planned).unwrap_err(), measure(&planned).unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains("exporter") && !text.contains("planted"), "{text}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    // A row that goes is held against it for the plan too.
    let row_goes = FileWork { removed: vec![(3, 0)], leaves: Vec::new(), ..planned.clone() };
    for error in [run(&row_goes).unwrap_err(), measure(&row_goes).unwrap_err()] {
        assert!(error.to_string().contains("exporter"), "{error}");
    }
    measure(&FileWork { removed: vec![(4, 0)], ..row_goes }).unwrap();
    // Another row's value is nobody's business.
    run(&work(&path, "email", Mask::Null, &[4])).unwrap();
    // JSON as Python writes it: escaped where it need not be.
    let escaped = email(3).replace('@', "\\u0040");
    people(&path, with("pandas", &format!(r#"{{"attributes": {{"owner": "{escaped}"}}}}"#)));
    let planned = work(&path, "email", Mask::Null, &[3]);
    assert!(run(&planned).unwrap_err().to_string().contains("pandas"));
    // A number.
    people(&path, with("max", "7000"));
    assert!(
        run(&work(&path, "amount", Mask::Empty, &[7])).unwrap_err().to_string().contains("max")
    );
    run(&work(&path, "amount", Mask::Empty, &[8])).unwrap();
}

#[test]
fn masks_that_a_column_cannot_take_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(&path, WriterProperties::builder());
    for (leaf, mask) in [
        ("amount", Mask::Null),
        ("amount", Mask::StripUrl),
        ("amount", Mask::Constant("many".to_owned())),
        ("email", Mask::Coarsen),
        ("email", Mask::RemoveElement),
        ("email", Mask::Hmac { key: "missing".to_owned() }),
    ] {
        let error = run(&work(&path, leaf, mask, &[3])).unwrap_err();
        assert!(matches!(error, EraseError::Refused { .. }), "{error}");
    }
    let mut nobody = work(&path, "email", pseudonym(), &[3]);
    nobody.leaves[0].cells[0].task = 99;
    assert!(matches!(run(&nobody).unwrap_err(), EraseError::Refused { .. }));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_value_in_every_row_is_replaced_by_its_dictionary_entry_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(
        &path,
        WriterProperties::builder().set_data_page_row_count_limit(5).set_write_batch_size(1),
    );
    let outcome = run(&work(&path, "email", pseudonym(), &[3])).unwrap();
    // One dictionary page, and the header of one data page whose bounds may have changed.
    assert!(outcome.bytes_reencoded < 1500, "{}", outcome.bytes_reencoded);
    assert!(!contains(&std::fs::read(&path).unwrap(), email(3).as_bytes()));
}

/// The ledger tells old and new by their footers: they differ even where nothing in them has to.
#[test]
fn the_new_footer_is_never_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.parquet");
    people(
        &path,
        WriterProperties::builder()
            .set_compression(Compression::UNCOMPRESSED)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None),
    );
    let mut footers = Vec::new();
    for constant in ["1", "2", "3"] {
        let outcome =
            run(&work(&path, "amount", Mask::Constant(constant.to_owned()), &[7])).unwrap();
        assert_eq!(outcome.before.size.abs_diff(outcome.after.size), 1);
        assert_ne!(outcome.before.footer, outcome.after.footer);
        footers.push(outcome.after.footer);
        let file = std::fs::File::open(&path).unwrap();
        let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
        let rows = parquet::file::reader::FileReader::get_row_iter(&reader, None).unwrap();
        assert_eq!(rows.into_iter().count() as u64, ROWS);
    }
    assert_eq!(footers[0], footers[2]);
}

/// Uncompressed files of other writers: one with delta encodings, one whose statistics are wrong.
#[test]
fn files_of_other_writers_hold_nothing_of_what_was_erased() {
    type ValueOf = fn(u128) -> Vec<u8>;
    let key = |row: u128| (row * 7919).to_be_bytes().to_vec();
    let address = |row: u128| format!("user{row}@mail.example").into_bytes();
    let nick = |row: u128| format!("n{row}-0").into_bytes();
    let files: [(&str, &str, ValueOf); 3] = [
        ("pyarrow-encodings", "key", key),
        ("mr-1.6-plain", "email", address),
        ("mr-1.6-plain", "nick", nick),
    ];
    for (name, leaf, value) in files {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.parquet");
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/zoo");
        std::fs::copy(format!("{fixtures}/{name}.parquet"), &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(contains(&bytes, &value(33)) && contains(&bytes, &value(34)), "{name} {leaf}");
        run(&work(&path, leaf, pseudonym(), &[33])).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!contains(&bytes, &value(33)) && contains(&bytes, &value(34)), "{name} {leaf}");
    }
}
