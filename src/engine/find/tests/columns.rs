//! Every kind of column that can identify, and every way of storing it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, FixedSizeBinaryArray, Int8Array,
    Int32Array, Int64Array, LargeStringArray, StringArray, StringViewArray, StructArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type as Int32, Int96, Int96Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use crate::engine::ProbeOptions;
use crate::engine::testing::{Lake, namespace, probe, with_bytes};
use crate::model::Normalize;
use crate::plan::RowKey;

/// The rows in which `values` are found, in a lake of one file.
fn rows(lake: &Lake, path: &str, exact: bool, values: &[&str]) -> Vec<u64> {
    let files = lake.files("lake");
    let found = lake.find(&files, path, &namespace(exact), values);
    found.into_iter().map(|(at, _, _)| at.row).collect()
}

fn found(column: ArrayRef, values: &[&str]) -> Vec<u64> {
    let lake = Lake::new();
    lake.write("lake/a.parquet", [("id", column)], None);
    rows(&lake, "id", true, values)
}

#[test]
fn strings_of_every_encoding() {
    let values = vec![Some("a"), None, Some("B"), Some("a"), Some("")];
    let dictionary: DictionaryArray<Int32Type> = values.clone().into_iter().collect();
    let columns: [ArrayRef; 4] = [
        Arc::new(StringArray::from(values.clone())),
        Arc::new(LargeStringArray::from(values.clone())),
        Arc::new(StringViewArray::from(values)),
        Arc::new(dictionary),
    ];
    for column in columns {
        assert_eq!(found(Arc::clone(&column), &["a"]), [0, 3]);
        assert_eq!(found(Arc::clone(&column), &["b", "B"]), [2]);
        assert_eq!(found(column, &["none of them"]), [0; 0]);
    }
}

#[test]
fn case_and_normalisation_apply_to_both_sides() {
    let lake = Lake::new();
    let column = ["John@Mail.com", " john@mail.com\t", "JÖHN", "jöhn", "\u{212a}", "+49 (0) 7"];
    lake.ids("lake/a.parquet", &column.map(Some));
    let files = lake.files("lake");
    let rows = |normalize: &[Normalize], exact, value| -> Vec<u64> {
        let mut namespace = namespace(exact);
        namespace.normalize = normalize.to_vec();
        let found = lake.find(&files, "id", &namespace, &[value]);
        found.into_iter().map(|(at, _, _)| at.row).collect()
    };
    assert_eq!(rows(&[], false, "JOHN@mail.COM"), [0]);
    assert_eq!(rows(&[], true, "JOHN@mail.COM"), [0; 0]);
    assert_eq!(rows(&[Normalize::Trim], false, "john@MAIL.com "), [0, 1]);
    assert_eq!(rows(&[Normalize::Trim], true, "john@mail.com"), [1]);
    assert_eq!(rows(&[Normalize::Lowercase], true, "John@Mail.com"), [0]);
    assert_eq!(rows(&[], false, "jÖhn"), [2, 3]);
    assert_eq!(rows(&[], false, "k"), [4], "the Kelvin sign lower-cases to k");
    assert_eq!(rows(&[Normalize::Digits], false, "4907"), [5]);
}

#[test]
fn integers_of_every_width_and_sign() {
    assert_eq!(found(Arc::new(Int8Array::from(vec![-1, 2, -128])), &["-1", "-128", "200"]), [0, 2]);
    assert_eq!(found(Arc::new(UInt8Array::from(vec![255, 2])), &["255", "-1"]), [0]);
    assert_eq!(
        found(Arc::new(Int32Array::from(vec![Some(7), None, Some(-7)])), &["7", "-7"]),
        [0, 2]
    );
    assert_eq!(found(Arc::new(UInt32Array::from(vec![u32::MAX, 1])), &["4294967295"]), [0]);
    assert_eq!(
        found(Arc::new(Int64Array::from(vec![i64::MIN, 3])), &["-9223372036854775808"]),
        [0]
    );
    let large = UInt64Array::from(vec![1, u64::MAX]);
    assert_eq!(found(Arc::new(large), &["18446744073709551615", "x"]), [1]);
}

#[test]
fn decimals_compare_numerically_in_every_physical_type() {
    for precision in [5, 12, 38] {
        let column = Decimal128Array::from(vec![Some(12_345), None, Some(-5), Some(0)]);
        let column = column.with_precision_and_scale(precision, 2).unwrap();
        assert_eq!(found(Arc::new(column), &["123.450", "-0.05", "1.001", "0.00"]), [0, 2, 3]);
    }
    let lake = Lake::new();
    let padded = [0, 0, 0, 0x30, 0x39].to_vec(); // 123.45, with more bytes than it needs
    let values = [ByteArray::from(padded), ByteArray::from(vec![0xff, 0xfb])];
    let message = "message m { required binary id (DECIMAL(9,2)); }";
    lake.column::<ByteArrayType>("lake/a.parquet", message, &values, None, None);
    assert_eq!(rows(&lake, "id", true, &["123.45", "-0.05"]), [0, 1]);
}

#[test]
fn dates_and_timestamps() {
    let days = Date32Array::from(vec![0, 3711, -1]);
    assert_eq!(found(Arc::new(days), &["1980-02-29", "1969-12-31", "no date"]), [1, 2]);
    let values = ["2026-11-22T15:00:00.5Z", "2026-11-22T16:00:00.500+01:00"];
    let millis = TimestampMillisecondArray::from(vec![1_795_359_600_500, 5]);
    assert_eq!(found(Arc::new(millis), &values), [0, 0]);
    let nanos = TimestampNanosecondArray::from(vec![1_795_359_600_500_000_001, 5]);
    assert_eq!(found(Arc::new(nanos), &["2026-11-22T15:00:00.500000001Z"]), [0]);
}

#[test]
fn int96_reaches_dates_beyond_64_bits_of_nanoseconds() {
    let lake = Lake::new();
    let int96 = |nanos: u64, day: u32| {
        let mut value = Int96::new();
        value.set_data(nanos as u32, (nanos >> 32) as u32, day);
        value
    };
    let values = [int96(0, 2_440_588), int96(1_000_000_000, 5_373_483)];
    let message = "message m { required int96 id; }";
    lake.column::<Int96Type>("lake/a.parquet", message, &values, None, None);
    assert_eq!(rows(&lake, "id", true, &["1970-01-01"]), [0]);
    assert_eq!(rows(&lake, "id", true, &["9999-12-30T00:00:01Z"]), [1]);
}

#[test]
fn uuids_and_binary() {
    let uuid = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
    let lake = Lake::new();
    let values = [parquet::data_type::FixedLenByteArray::from(uuid.to_vec())];
    let message = "message m { required fixed_len_byte_array(16) id (UUID); }";
    lake.column::<parquet::data_type::FixedLenByteArrayType>(
        "lake/a.parquet",
        message,
        &values,
        None,
        None,
    );
    let text = "00112233-4455-6677-8899-AABBCCDDEEFF";
    assert_eq!(rows(&lake, "id", false, &[text]), [0]);
    let fixed = FixedSizeBinaryArray::try_from_iter([b"ab", b"AB"].into_iter()).unwrap();
    assert_eq!(found(Arc::new(fixed), &["AB", "0x6162", "abc"]), [0, 1]);
    let lake = Lake::new();
    let values = [ByteArray::from("Ab"), ByteArray::from(vec![0xff, 0x00])];
    let message = "message m { required binary id; }";
    lake.column::<ByteArrayType>("lake/a.parquet", message, &values, None, None);
    assert_eq!(rows(&lake, "id", false, &["aB", "0xff00"]), [0, 1]);
    assert_eq!(rows(&lake, "id", true, &["aB"]), [0; 0]);
}

#[test]
fn every_codec_version_and_encoding() {
    let ids: Vec<Option<String>> =
        (0..5000).map(|n| (n % 3 != 0).then(|| format!("user-{:04}", n % 1700))).collect();
    let expected: Vec<u64> =
        (0..5000_u64).filter(|n| n % 3 != 0 && [17, 1699].contains(&(n % 1700))).collect();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ];
    let encodings = [
        None,
        Some(Encoding::PLAIN),
        Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Some(Encoding::DELTA_BYTE_ARRAY),
    ];
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for (at, codec) in codecs.iter().enumerate() {
            let encoding = encodings[at % encodings.len()];
            let mut properties = WriterProperties::builder()
                .set_writer_version(version)
                .set_compression(*codec)
                .set_max_row_group_row_count(Some(2000))
                .set_data_page_row_count_limit(300)
                .set_write_batch_size(100)
                .set_dictionary_page_size_limit(4000)
                .set_dictionary_enabled(encoding.is_none());
            if let Some(encoding) = encoding {
                properties = properties.set_encoding(encoding);
            }
            let lake = Lake::new();
            let column: ArrayRef = Arc::new(StringArray::from(ids.clone()));
            lake.write("lake/a.parquet", [("id", column)], Some(properties.build()));
            assert_eq!(rows(&lake, "id", false, &["USER-0017", "user-1699"]), expected);
        }
    }
}

#[test]
fn pruning_by_statistics_and_bloom_filters_loses_nothing() {
    let lake = Lake::new();
    let ids: Vec<String> = (0..4000).map(|n| format!("{:05}", n * 7 % 4000)).collect();
    let numbers: Vec<i64> = (0..4000).map(|n| n * 7 % 4000).collect();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(500))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(2))
        .set_bloom_filter_enabled(true)
        .set_data_page_row_count_limit(60)
        .set_write_batch_size(20)
        .build();
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(StringArray::from(ids))), ("n", Arc::new(Int64Array::from(numbers)))];
    lake.write("lake/a.parquet", columns, Some(properties));
    for wanted in [0, 1, 1234, 3999] {
        let row: Vec<u64> = (0..4000).filter(|n| n * 7 % 4000 == wanted).collect();
        assert_eq!(row.len(), 1);
        assert_eq!(rows(&lake, "id", true, &[&format!("{wanted:05}"), "99999"]), row);
        assert_eq!(rows(&lake, "n", true, &[&wanted.to_string(), "-1"]), row);
    }
}

#[test]
fn pruning_passes_over_row_groups_and_pages() {
    for page_rows in [1000, 50] {
        let lake = Lake::new();
        let ids: Vec<String> = (0..2000).map(|n| format!("{n:05}")).collect();
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_max_row_group_row_count(Some(1000))
            .set_data_page_row_count_limit(page_rows)
            .set_write_batch_size(50)
            .build();
        let column: ArrayRef = Arc::new(StringArray::from(ids));
        let path = lake.write("lake/a.parquet", [("id", column)], Some(properties));
        // The first page does not decode any more.
        with_bytes(&path, |bytes| {
            let value = bytes.windows(5).position(|five| five == b"00000").unwrap();
            bytes[value - 4..value].fill(0xff);
        });
        let files = lake.files("lake");
        let find = |value, exact, prune| {
            let probe = probe(&files, "id", &namespace(exact), &[value]);
            let options = ProbeOptions { prune, candidates: None };
            lake.engine.probe(&files, &probe, options).map(|hits| hits.len())
        };
        assert_eq!(find("01999", true, true).unwrap(), 1, "another row group");
        assert!(find("01999", true, false).is_err());
        assert!(find("01999", false, true).is_err(), "case folds: nothing is passed over");
        assert!(find("00000", true, true).is_err());
        assert_eq!(find("00999", true, true).is_ok(), page_rows == 50, "another page");
    }
}

#[test]
fn files_may_store_a_leaf_differently() {
    let lake = Lake::new();
    let decimal = |value: i128, scale| -> ArrayRef {
        let column = Decimal128Array::from(vec![value]);
        Arc::new(column.with_precision_and_scale(18, scale).unwrap())
    };
    lake.write("lake/a.parquet", [("d", decimal(150, 2))], None);
    lake.write("lake/b.parquet", [("d", decimal(15000, 4))], None);
    lake.write("lake/c.parquet", [("d", Arc::new(Int32Array::from(vec![3])) as ArrayRef)], None);
    lake.write(
        "lake/d.parquet",
        [("other", Arc::new(Int32Array::from(vec![3])) as ArrayRef)],
        None,
    );
    let files = lake.files("lake");
    let found = lake.find(&files, "d", &namespace(true), &["1.5", "3", "1.50001"]);
    let at: Vec<(u32, u32)> = found.iter().map(|(at, _, id)| (at.file, *id)).collect();
    assert_eq!(at, [(0, 0), (1, 0), (2, 1)]);

    let lake = Lake::new();
    lake.ids("lake/a.parquet", &[Some("Ab")]);
    let message = "message m { required binary id; }";
    lake.column::<ByteArrayType>("lake/b.parquet", message, &[ByteArray::from("aB")], None, None);
    let files = lake.files("lake");
    assert_eq!(lake.find(&files, "id", &namespace(false), &["AB"]).len(), 2);
}

#[test]
fn names_with_dots_and_any_text() {
    let lake = Lake::new();
    let inner = Field::new("c d", DataType::Utf8, true);
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let group: ArrayRef = Arc::new(StructArray::from(vec![(Arc::new(inner), Arc::clone(&column))]));
    lake.write(
        "lake/a.parquet",
        [("a.b", group), ("a", Arc::clone(&column)), ("ключ", column)],
        None,
    );
    for path in ["\"a.b\".c d", "a", "ключ"] {
        assert_eq!(rows(&lake, path, true, &["y"]), [1]);
    }
}

#[test]
fn partition_values_are_text_on_every_row() {
    let lake = Lake::new();
    lake.ids("lake/user=042/a.parquet", &[Some("x"), Some("y")]);
    lake.ids("lake/user=42/b.parquet", &[Some("z")]);
    let files = lake.files("lake");
    let found = lake.find(&files, "user", &namespace(false), &["042"]);
    let at: Vec<RowKey> = found.into_iter().map(|(at, _, _)| at).collect();
    assert_eq!(at, [RowKey { file: 0, row: 0 }, RowKey { file: 0, row: 1 }]);
}

#[test]
fn elements_of_legacy_lists_count_from_zero_in_each_row() {
    let lake = Lake::new();
    let message = "message m { optional group ids (LIST) { repeated int32 element; } }";
    // null, [], [7, 8, 7], [7]
    let (def, rep) = ([0, 1, 2, 2, 2, 2], [0, 0, 0, 1, 1, 0]);
    lake.column::<Int32>("lake/a.parquet", message, &[7, 8, 7, 7], Some(&def), Some(&rep));
    let files = lake.files("lake");
    let found = lake.find(&files, "ids", &namespace(true), &["7"]);
    let at: Vec<(u64, Vec<u32>)> = found.into_iter().map(|(at, e, _)| (at.row, e)).collect();
    assert_eq!(at, [(2, vec![0]), (2, vec![2]), (3, vec![0])]);
}
