//! A page whose compressed form refers further back than any known compressor does: what was taken over in
//! good faith fails the proof, and the file is written again with care.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::io::Seek;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;

use super::faults::NoFaults;
use super::select::Selection;
use super::snappy::{self, Scan};
use super::source::{Source, stamp};
use super::splice::splice;
use super::thrift::{Struct, Value, write_varint};
use crate::model::Name;
use crate::plan::{EraseKeys, FileWork};

/// Rows of some 80 bytes each; the last is as the second.
const ROWS: u64 = 6_000;

fn text(row: u64) -> String {
    let row = if row == ROWS - 1 { 1 } else { row };
    let word = |n: u64| (row * 31 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..5).map(|n| format!("{:016x}", word(n))).collect()
}

/// A snappy form of which the last value is a copy from the second.
fn far(plain: &[u8]) -> Vec<u8> {
    let length = text(0).len();
    let (first, last) = (4 + length, plain.len() - length);
    let mut out = Vec::new();
    write_varint(&mut out, plain.len() as u64);
    for part in plain[..last].chunks(60) {
        out.push(((part.len() - 1) << 2) as u8);
        out.extend_from_slice(part);
    }
    let mut at = last;
    for size in [60, length - 60] {
        let back = (at - (first + 4 + (at - last))) as u32;
        out.push((((size - 1) << 2) | 3) as u8);
        out.extend_from_slice(&back.to_le_bytes());
        at += size;
    }
    assert_eq!(snap::raw::Decoder::new().decompress_vec(&out).unwrap(), plain);
    out
}

/// One page in one chunk, compressed so.
fn write(path: &Path) {
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_compression(Compression::UNCOMPRESSED)
        .set_data_page_size_limit(1 << 30)
        .set_data_page_row_count_limit(1 << 30)
        .build();
    let schema = Arc::new(parse_message_type("message m { required binary s (UTF8); }").unwrap());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<ByteArray> = (0..ROWS).map(|row| text(row).into_bytes().into()).collect();
    column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();

    let bytes = fs::read(path).unwrap();
    let (mut page, used) = Struct::read(&bytes[4..]).unwrap();
    let size = page.i32(3).unwrap() as usize;
    let body = far(&bytes[4 + used..4 + used + size]);
    page.set(3, Value::I32(body.len() as i32));
    let mut out = b"PAR1".to_vec();
    page.write(&mut out);
    out.extend_from_slice(&body);
    let chunk = (out.len() - 4) as i64;
    let (mut footer, _) = Struct::read(&bytes[4 + used + size..]).unwrap();
    let group = footer.list_mut(4).unwrap()[0].structure_mut().unwrap();
    group.set(6, Value::I64(chunk));
    let column = group.list_mut(1).unwrap()[0].structure_mut().unwrap();
    let meta = column.structure_mut(3).unwrap();
    meta.set(4, Value::I32(1));
    meta.set(7, Value::I64(chunk));
    let start = out.len();
    footer.write(&mut out);
    let length = (out.len() - start) as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(b"PAR1");
    fs::write(path, out).unwrap();
}

fn rows(file: File) -> Vec<String> {
    let reader = SerializedFileReader::new(file).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_string(0).unwrap().clone()).collect()
}

#[test]
fn what_refers_too_far_back_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("far.parquet");
    write(&path);
    let all: Vec<String> = (0..ROWS).map(text).collect();
    assert_eq!(rows(File::open(&path).unwrap()), all);

    let source = Source::open(&path).unwrap();
    let work = FileWork {
        dataset: Name::new("far").unwrap(),
        path: path.clone(),
        shown: "far.parquet".to_owned(),
        stamp: stamp(&path).unwrap(),
        removed: vec![(1, 0)],
        leaves: Vec::new(),
    };
    let keys = EraseKeys::default();
    let selection = Selection::new(&work, &source, Some(&keys)).unwrap();
    let mut staged = tempfile::tempfile().unwrap();
    splice(&source, &selection, &staged, &NoFaults).unwrap();
    staged.rewind().unwrap();
    let mut kept = all;
    kept.remove(1);
    assert_eq!(rows(staged), kept);
}

#[test]
fn a_near_scan_takes_over_what_refers_too_far_back() {
    let plain: Vec<u8> = (0..ROWS)
        .flat_map(|row| [&80_u32.to_le_bytes()[..], text(row).as_bytes()].concat())
        .collect();
    let new = [&plain[..84], &plain[168..]].concat();
    let packed = far(&plain);
    let patches = [(84..168, 0)];
    let unpacked = |scan| {
        let form = snappy::splice(&packed, &patches, &new, scan).unwrap();
        snap::raw::Decoder::new().decompress_vec(&form).ok()
    };
    assert_eq!(unpacked(Scan::Whole), Some(new.clone()));
    assert_ne!(unpacked(Scan::Near), Some(new.clone()), "else nothing is tested here");
}
