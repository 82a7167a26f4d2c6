//! Records as levels and values (Dremel, written naively from the definition), and files of them.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::random::Random;
use super::tree::{Field, Kind, Value, columns, parquet};

/// Row ranges of the row groups.
pub(crate) type Layout = Vec<std::ops::Range<usize>>;

/// One column of some records.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Shredded {
    pub(crate) rep: Vec<i16>,
    pub(crate) def: Vec<i16>,
    pub(crate) values: Vec<Vec<u8>>,
}

pub(crate) fn shred<'a>(
    schema: &[Field],
    records: impl Iterator<Item = &'a Value>,
) -> Vec<Shredded> {
    let mut out = vec![Shredded::default(); columns(schema).len()];
    for record in records {
        let Value::Struct(values) = record else { panic!("a record is a struct") };
        let mut at = 0;
        for (field, value) in schema.iter().zip(values) {
            put(field, Some(value), 0, 0, 0, &mut at, &mut out);
        }
    }
    out
}

/// `None`: something above is null or empty.
fn put(
    field: &Field,
    value: Option<&Value>,
    rep: i16,
    def: i16,
    depth: i16,
    at: &mut usize,
    out: &mut [Shredded],
) {
    let (value, def) = match value {
        Some(Value::Null) | None => (None, def),
        Some(value) => (Some(value), def + i16::from(field.optional)),
    };
    let leaf = |value: Option<&Value>, rep, def, column: &mut Shredded| {
        column.rep.push(rep);
        column.def.push(def);
        if let Some(Value::Leaf(bytes)) = value {
            column.values.push(bytes.clone());
        }
    };
    match &field.kind {
        Kind::Leaf(_) => {
            leaf(value, rep, def, &mut out[*at]);
            *at += 1;
        }
        Kind::Struct(fields) => {
            for (i, field) in fields.iter().enumerate() {
                let value = match value {
                    Some(Value::Struct(values)) => Some(&values[i]),
                    _ => None,
                };
                put(field, value, rep, def, depth, at, out);
            }
        }
        Kind::List(_) | Kind::Map(..) | Kind::Repeated(_) => {
            let elements: &[Value] = match value {
                Some(Value::List(elements)) => elements,
                _ => &[],
            };
            let start = *at;
            let mut element = |value: Option<&Value>, rep, def, out: &mut [Shredded]| {
                *at = start;
                match &field.kind {
                    Kind::List(element) => put(element, value, rep, def, depth + 1, at, out),
                    Kind::Map(key, item) => {
                        let part = |i: usize| match value {
                            Some(Value::Struct(values)) => Some(&values[i]),
                            _ => None,
                        };
                        put(key, part(0), rep, def, depth + 1, at, out);
                        put(item, part(1), rep, def, depth + 1, at, out);
                    }
                    _ => {
                        leaf(value, rep, def, &mut out[*at]);
                        *at += 1;
                    }
                }
            };
            if elements.is_empty() {
                element(None, rep, def, out);
            }
            for (i, value) in elements.iter().enumerate() {
                element(Some(value), if i == 0 { rep } else { depth + 1 }, def + 1, out);
            }
        }
    }
}

pub(crate) fn write(
    path: &Path,
    schema: &[Field],
    records: &[Value],
    random: &mut Random,
) -> Layout {
    let root = parquet(schema);
    let properties = properties(schema, random);
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, root, Arc::new(properties)).unwrap();
    let step = 1 + random.below(records.len());
    let mut layout = Vec::new();
    for start in (0..records.len()).step_by(step) {
        let rows = start..(start + step).min(records.len());
        let shredded = shred(schema, records[rows.clone()].iter());
        let mut group = writer.next_row_group().unwrap();
        for column in shredded {
            let mut writer = group.next_column().unwrap().unwrap();
            write_column(writer.untyped(), &column);
            writer.close().unwrap();
        }
        group.close().unwrap();
        layout.push(rows);
    }
    writer.close().unwrap();
    layout
}

fn write_column(writer: &mut ColumnWriter<'_>, column: &Shredded) {
    let (def, rep) = (Some(column.def.as_slice()), Some(column.rep.as_slice()));
    macro_rules! put {
        ($writer:expr, $convert:expr) => {{
            let values: Vec<_> = column.values.iter().map($convert).collect();
            $writer.write_batch(&values, def, rep).unwrap();
        }};
    }
    fn fixed<const N: usize>(raw: &[u8]) -> [u8; N] {
        raw.try_into().unwrap()
    }
    match writer {
        ColumnWriter::BoolColumnWriter(w) => put!(w, |raw: &Vec<u8>| raw[0] == 1),
        ColumnWriter::Int32ColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| i32::from_le_bytes(fixed(raw)))
        }
        ColumnWriter::Int64ColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| i64::from_le_bytes(fixed(raw)))
        }
        ColumnWriter::FloatColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| f32::from_le_bytes(fixed(raw)))
        }
        ColumnWriter::DoubleColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| f64::from_le_bytes(fixed(raw)))
        }
        ColumnWriter::Int96ColumnWriter(w) => put!(w, |raw: &Vec<u8>| {
            let word = |i: usize| u32::from_le_bytes(fixed(&raw[i * 4..i * 4 + 4]));
            let mut value = Int96::new();
            value.set_data(word(0), word(1), word(2));
            value
        }),
        ColumnWriter::ByteArrayColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| ByteArray::from(raw.clone()))
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(w) => {
            put!(w, |raw: &Vec<u8>| FixedLenByteArray::from(raw.clone()))
        }
    }
}

fn properties(schema: &[Field], random: &mut Random) -> WriterProperties {
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    let version = *random.pick(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]);
    let mut builder = WriterProperties::builder()
        .set_writer_version(version)
        .set_created_by("oracle version 1".to_owned())
        .set_key_value_metadata(Some(vec![
            KeyValue::new("owner".to_owned(), "nobody in here".to_owned()),
            KeyValue::new("empty".to_owned(), None),
        ]))
        .set_write_batch_size(1 + random.below(64))
        .set_data_page_row_count_limit(*random.pick(&[5, 40, 20_000]))
        .set_data_page_size_limit(*random.pick(&[64, 1_000, 1 << 20]))
        .set_dictionary_page_size_limit(*random.pick(&[60, 500, 1 << 20]))
        .set_dictionary_enabled(!random.one_in(3))
        .set_statistics_enabled(*random.pick(&[
            EnabledStatistics::None,
            EnabledStatistics::Chunk,
            EnabledStatistics::Page,
            EnabledStatistics::Page,
        ]))
        .set_offset_index_disabled(random.one_in(2))
        .set_write_page_header_statistics(random.one_in(2))
        .set_bloom_filter_enabled(random.one_in(4))
        .set_bloom_filter_max_ndv(100)
        .set_compression(*random.pick(&codecs));
    if random.one_in(2) {
        builder = builder.set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    }
    for column in columns(schema) {
        let path = ColumnPath::new(file_path(schema, &column.path));
        let encodings: &[Encoding] = match column.leaf.physical {
            Physical::BOOLEAN => &[Encoding::PLAIN, Encoding::RLE],
            Physical::INT32 | Physical::INT64 => {
                &[Encoding::PLAIN, Encoding::DELTA_BINARY_PACKED, Encoding::BYTE_STREAM_SPLIT]
            }
            Physical::FLOAT | Physical::DOUBLE => &[Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT],
            Physical::BYTE_ARRAY => {
                &[Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY]
            }
            Physical::FIXED_LEN_BYTE_ARRAY => {
                &[Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY, Encoding::BYTE_STREAM_SPLIT]
            }
            Physical::INT96 => &[Encoding::PLAIN],
        };
        builder = builder.set_column_encoding(path.clone(), *random.pick(encodings));
        if random.one_in(2) {
            builder = builder.set_column_compression(path, *random.pick(&codecs));
        }
    }
    builder.build()
}

/// The physical path of a logical one.
fn file_path(schema: &[Field], path: &[String]) -> Vec<String> {
    fn down(field: &Field, rest: &[String], out: &mut Vec<String>) {
        out.push(field.name.clone());
        match &field.kind {
            Kind::Leaf(_) | Kind::Repeated(_) => {}
            Kind::Struct(fields) => {
                let next = fields.iter().find(|field| field.name == rest[0]).unwrap();
                down(next, &rest[1..], out);
            }
            Kind::List(element) => {
                out.push("list".to_owned());
                down(element, rest, out);
            }
            Kind::Map(key, value) => {
                out.push("key_value".to_owned());
                down(if rest[0] == "key" { key } else { value }, &rest[1..], out);
            }
        }
    }
    let mut out = Vec::new();
    let field = schema.iter().find(|field| field.name == path[0]).unwrap();
    down(field, &path[1..], &mut out);
    out
}
