//! A small table of people, and work on it.

#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;

use amparo::engine::erase::file_stamp;
use amparo::model::{FieldPath, Name, Sensitive};
use amparo::plan::{CellWork, EraseKeys, FileWork, LeafWork, Mask, Reach};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

pub(crate) const ROWS: u64 = 100;

/// A person's e-mail address: nothing else holds these bytes.
pub(crate) fn email(row: u64) -> String {
    format!("planted-{row:03}@mail.example")
}

/// Hundred rows of `email` (optional, unique) and `amount`, in four row groups.
pub(crate) fn people(path: &Path, properties: WriterPropertiesBuilder) {
    let schema = "message people { optional binary email (UTF8); required int64 amount; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties: Arc<WriterProperties> = Arc::new(properties.build());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    for start in (0..ROWS).step_by(25) {
        let mut group = writer.next_row_group().unwrap();
        let emails: Vec<ByteArray> =
            (start..start + 25).map(|row| email(row).into_bytes().into()).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&emails, Some(&[1; 25]), None).unwrap();
        column.close().unwrap();
        let amounts: Vec<i64> = (start..start + 25).map(|row| row as i64 * 1000).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&amounts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

pub(crate) fn pseudonym() -> Mask {
    Mask::Pseudonym { prefix: "Privacy-".to_owned(), suffix: String::new() }
}

/// Erases `leaf` of some rows, for task 0.
pub(crate) fn work(path: &Path, leaf: &str, mask: Mask, rows: &[u64]) -> FileWork {
    let cell = |row: &u64| CellWork { row: *row, task: 0, reach: Reach::All };
    FileWork {
        dataset: Name::new("people").unwrap(),
        path: path.to_owned(),
        shown: "lake/people.parquet".to_owned(),
        stamp: file_stamp(path, "lake/people.parquet").unwrap(),
        removed: Vec::new(),
        leaves: vec![LeafWork {
            path: FieldPath::dotted(leaf).unwrap(),
            mask,
            cells: rows.iter().map(cell).collect(),
        }],
    }
}

pub(crate) fn keys() -> EraseKeys {
    EraseKeys {
        tasks: (0..4).map(|task| (task, Sensitive::new([task as u8 + 1; 32]))).collect(),
        ..EraseKeys::default()
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
