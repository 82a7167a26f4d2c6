//! Every type that a column can have, in CSV, HTML and JSON.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{
    ArrowPrimitiveType, Float16Type, Int32Type, IntervalDayTime, IntervalMonthDayNano, i256,
};
use serde_json::Value;

use super::support::*;
use crate::model::LeafType;

fn other() -> LeafType {
    LeafType::Other("x".to_owned())
}

/// CSV cells, profile text after `"x":`, and summary values, of one column.
fn forms_of(
    kind: LeafType,
    lists: &[usize],
    array: ArrayRef,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let entries = package_of(Table::new("t", vec![(leaf("x", kind, lists), array)]));
    let csv = entries["analytics/person.csv"].lines().skip(1);
    let csv = csv.map(|line| line.strip_prefix("t,").unwrap().to_owned()).collect();
    let json =
        entries["profile.json"].lines().filter_map(|line| line.trim().strip_prefix("{\"x\":"));
    let json: Vec<String> =
        json.map(|line| line.trim_end_matches(',').strip_suffix('}').unwrap().to_owned()).collect();
    serde_json::from_str::<Value>(&entries["profile.json"]).unwrap();
    let page = summary(&entries["analytics/person.html"]).remove(0).1;
    (csv, json, page.into_iter().map(|(value, _)| value).collect())
}

/// Checks the forms of a column without lists: (CSV, JSON) of each row.
fn check(kind: LeafType, array: impl Array + 'static, expected: &[(&str, &str)]) {
    let (csv, json, _) = forms_of(kind, &[], Arc::new(array));
    let actual: Vec<(&str, &str)> =
        csv.iter().map(String::as_str).zip(json.iter().map(String::as_str)).collect();
    assert_eq!(actual, expected);
}

#[test]
fn integers_keep_every_digit() {
    let int = |signed| LeafType::Int { bits: 64, signed };
    check(
        int(true),
        Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), Some(-1), None]),
        &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
            ("-1", "-1"),
            ("", "null"),
        ],
    );
    check(
        int(false),
        UInt64Array::from(vec![u64::MAX, 0]),
        &[("18446744073709551615", "18446744073709551615"), ("0", "0")],
    );
    check(int(true), Int8Array::from(vec![-128]), &[("-128", "-128")]);
    check(int(true), Int16Array::from(vec![-32768]), &[("-32768", "-32768")]);
    check(int(true), Int32Array::from(vec![7]), &[("7", "7")]);
    check(int(false), UInt8Array::from(vec![255]), &[("255", "255")]);
    check(int(false), UInt16Array::from(vec![65535]), &[("65535", "65535")]);
    check(int(false), UInt32Array::from(vec![u32::MAX]), &[("4294967295", "4294967295")]);
    check(
        LeafType::Bool,
        BooleanArray::from(vec![true, false]),
        &[("true", "true"), ("false", "false")],
    );
}

#[test]
fn floats_are_as_short_as_they_can_be() {
    check(
        LeafType::Float,
        Float64Array::from(vec![
            0.1,
            1.0,
            -0.0,
            1e300,
            5e-324,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]),
        &[
            ("0.1", "0.1"),
            ("1.0", "1.0"),
            ("-0.0", "-0.0"),
            ("1e300", "1e300"),
            ("5e-324", "5e-324"),
            ("NaN", "\"NaN\""),
            ("Infinity", "\"Infinity\""),
            ("'-Infinity", "\"-Infinity\""),
        ],
    );
    check(
        LeafType::Float,
        Float32Array::from(vec![0.1, 16777216.0]),
        &[("0.1", "0.1"), ("16777216.0", "16777216.0")],
    );
    type Half = <Float16Type as ArrowPrimitiveType>::Native;
    check(LeafType::Float, Float16Array::from(vec![Half::from_f32(0.5)]), &[("0.5", "0.5")]);
}

#[test]
fn decimals_are_exact() {
    let kind = |precision, scale| LeafType::Decimal { precision, scale };
    let array = Decimal128Array::from(vec![Some(123_450), Some(-5), Some(0), None]);
    check(
        kind(38, 3),
        array.with_precision_and_scale(38, 3).unwrap(),
        &[("123.450", "123.450"), ("-0.005", "-0.005"), ("0.000", "0.000"), ("", "null")],
    );
    let big = i256::from_string(&"9".repeat(76)).unwrap();
    let array = Decimal256Array::from(vec![big]).with_precision_and_scale(76, 0).unwrap();
    check(kind(76, 0), array, &[(&"9".repeat(76), &"9".repeat(76))]);
    let array = Decimal128Array::from(vec![12]).with_precision_and_scale(5, -2).unwrap();
    check(kind(5, -2), array, &[("1200", "1200")]);
    let array = Decimal32Array::from(vec![105]).with_precision_and_scale(5, 1).unwrap();
    check(kind(5, 1), array, &[("10.5", "10.5")]);
    let array = Decimal64Array::from(vec![-105]).with_precision_and_scale(10, 2).unwrap();
    check(kind(10, 2), array, &[("-1.05", "-1.05")]);
}

#[test]
fn times_are_utc_over_their_whole_range() {
    check(
        LeafType::Date,
        Date32Array::from(vec![0, -1, 19_782, i32::MAX, -719_529]),
        &[
            ("1970-01-01", "\"1970-01-01\""),
            ("1969-12-31", "\"1969-12-31\""),
            ("2024-02-29", "\"2024-02-29\""),
            ("5881580-07-11", "\"5881580-07-11\""),
            ("'-0001-12-31", "\"-0001-12-31\""),
        ],
    );
    check(LeafType::Date, Date64Array::from(vec![-1]), &[("1969-12-31", "\"1969-12-31\"")]);
    check(
        TS,
        TimestampMicrosecondArray::from(vec![-1, 1_700_000_000_123_000, i64::MAX])
            .with_timezone("+02:00"),
        &[
            ("1969-12-31 23:59:59", "\"1969-12-31T23:59:59.999999Z\""),
            ("2023-11-14 22:13:20", "\"2023-11-14T22:13:20.123Z\""),
            ("294247-01-10 04:00:54", "\"294247-01-10T04:00:54.775807Z\""),
        ],
    );
    check(
        TS,
        TimestampNanosecondArray::from(vec![1]),
        &[("1970-01-01 00:00:00", "\"1970-01-01T00:00:00.000000001Z\"")],
    );
    check(
        TS,
        TimestampMillisecondArray::from(vec![86_400_000]),
        &[("1970-01-02 00:00:00", "\"1970-01-02T00:00:00Z\"")],
    );
    check(
        TS,
        TimestampSecondArray::from(vec![-86_400]),
        &[("1969-12-31 00:00:00", "\"1969-12-31T00:00:00Z\"")],
    );
    check(other(), Time32SecondArray::from(vec![3661]), &[("01:01:01", "\"01:01:01\"")]);
    check(other(), Time32MillisecondArray::from(vec![1]), &[("00:00:00.001", "\"00:00:00.001\"")]);
    check(
        other(),
        Time64MicrosecondArray::from(vec![86_399_999_999]),
        &[("23:59:59.999999", "\"23:59:59.999999\"")],
    );
    check(
        other(),
        Time64NanosecondArray::from(vec![1]),
        &[("00:00:00.000000001", "\"00:00:00.000000001\"")],
    );
    check(
        other(),
        DurationMillisecondArray::from(vec![1500, -250]),
        &[("PT1.500S", "\"PT1.500S\""), ("'-PT0.250S", "\"-PT0.250S\"")],
    );
    check(other(), IntervalYearMonthArray::from(vec![14]), &[("P14M0DT0S", "\"P14M0DT0S\"")]);
    check(
        other(),
        IntervalDayTimeArray::from(vec![IntervalDayTime::new(2, 1500)]),
        &[("P0M2DT1.500S", "\"P0M2DT1.500S\"")],
    );
    check(
        other(),
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, -2, 3)]),
        &[("P1M-2DT0.000000003S", "\"P1M-2DT0.000000003S\"")],
    );
}

#[test]
fn text_and_bytes_in_every_encoding() {
    check(LeafType::Text, LargeStringArray::from(vec!["a"]), &[("a", "\"a\"")]);
    check(
        LeafType::Text,
        StringViewArray::from(vec!["a long enough text"]),
        &[("a long enough text", "\"a long enough text\"")],
    );
    let mut dictionary: DictionaryArray<Int32Type> =
        vec![Some("a"), None, Some("b")].into_iter().collect();
    check(LeafType::Text, dictionary.clone(), &[("a", "\"a\""), ("", "null"), ("b", "\"b\"")]);
    // A null that stands in the dictionary itself.
    dictionary = dictionary.with_values(texts(&[Some("z"), None]));
    check(LeafType::Text, dictionary, &[("z", "\"z\""), ("", "null"), ("", "null")]);
    let raw: Vec<&[u8]> = vec![b"text", &[0xff, 0], b"", b"0xab", &[1, 2]];
    let expected = [
        ("text", "\"text\""),
        ("0xff00", "\"0xff00\""),
        ("\"\"", "\"\""),
        ("0x30786162", "\"0x30786162\""),
        ("0x0102", "\"0x0102\""),
    ];
    check(LeafType::Binary, BinaryArray::from(raw.clone()), &expected);
    check(LeafType::Binary, LargeBinaryArray::from(raw.clone()), &expected);
    check(LeafType::Binary, BinaryViewArray::from(raw), &expected);
    let id = FixedSizeBinaryArray::try_from_iter([[0xab_u8; 16]].into_iter()).unwrap();
    let uuid = "abababab-abab-abab-abab-abababababab";
    check(LeafType::Uuid, id.clone(), &[(uuid, &format!("\"{uuid}\""))]);
    check(
        LeafType::FixedBinary(16),
        id,
        &[(&format!("0x{}", "ab".repeat(16)), &format!("\"0x{}\"", "ab".repeat(16)))],
    );
    check(other(), NullArray::new(1), &[("", "null")]);
}

#[test]
fn lists_are_json_text_and_count_one_by_one() {
    let mut inner = ListBuilder::new(ListBuilder::new(TimestampMicrosecondBuilder::new()));
    inner.values().append_value([Some(0), None]);
    inner.values().append_value([Some(86_400_000_000), Some(1)]);
    inner.append(true);
    inner.append(true);
    inner.append_null();
    let (csv, json, page) = forms_of(TS, &[1, 1], Arc::new(inner.finish()));
    assert_eq!(
        csv,
        [
            "\"[[\"\"1970-01-01 00:00:00\"\",null],[\"\"1970-01-02 00:00:00\"\",\"\"1970-01-01 00:00:00\"\"]]\"",
            "[]",
            ""
        ]
    );
    assert_eq!(
        json,
        [
            "[[\"1970-01-01T00:00:00Z\",null],[\"1970-01-02T00:00:00Z\",\"1970-01-01T00:00:00.000001Z\"]]",
            "[]",
            "null"
        ]
    );
    assert_eq!(page, ["1970-01-01", "1970-01-02"]);

    let mut large = LargeListBuilder::new(StringBuilder::new());
    large.append_value([Some("a"), Some("")]);
    let (csv, _, page) = forms_of(LeafType::Text, &[1], Arc::new(large.finish()));
    assert_eq!(
        (csv, page),
        (vec!["\"[\"\"a\"\",\"\"\"\"]\"".to_owned()], vec![String::new(), "a".to_owned()])
    );
    let fixed =
        FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])], 2);
    let (csv, ..) = forms_of(LeafType::Int { bits: 32, signed: true }, &[1], Arc::new(fixed));
    assert_eq!(csv, ["\"[1,null]\""]);
}

#[test]
fn maps_and_nested_groups_come_together_again() {
    let mut keys = ListBuilder::new(StringBuilder::new());
    let mut values = ListBuilder::new(ListBuilder::new(Int64Builder::new()));
    keys.append_value([Some("k"), Some("k")]);
    values.values().append_value([Some(1), Some(2)]);
    values.values().append_null();
    values.append(true);
    keys.append_null();
    values.append_null();
    let int = LeafType::Int { bits: 64, signed: true };
    let table = Table::new(
        "t",
        vec![
            (leaf("attrs.key", LeafType::Text, &[1]), Arc::new(keys.finish())),
            (leaf("p.device.os", LeafType::Text, &[]), texts(&[None, Some("iOS")])),
            (leaf("attrs.value", int, &[1, 2]), Arc::new(values.finish())),
            (leaf("p.campaign", LeafType::Text, &[]), texts(&[Some("c"), None])),
        ],
    );
    let entries = package_of(table);
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    assert_eq!(
        profile["datasets"][0]["person"],
        serde_json::json!([
            {"attrs": [{"key": "k", "value": [1, 2]}, {"key": "k", "value": null}],
             "p": {"device": {"os": null}, "campaign": "c"}},
            {"attrs": null, "p": {"device": {"os": "iOS"}, "campaign": null}},
        ])
    );
    assert!(
        entries["analytics/person.csv"]
            .starts_with("_dataset,attrs.key,p.device.os,attrs.value,p.campaign\n")
    );
}

#[test]
fn files_that_disagree_on_a_shape_show_what_is_there() {
    let int = LeafType::Int { bits: 64, signed: true };
    let table = Table::new(
        "t",
        vec![
            (leaf("a", int, &[]), ints(&[Some(1), None, None])),
            (leaf("a.b", LeafType::Text, &[]), texts(&[None, Some("x"), None])),
            (leaf("a", LeafType::Text, &[]), texts(&[None, None, Some("y")])),
        ],
    );
    let entries = package_of(table);
    assert_eq!(entries["analytics/person.csv"], "_dataset,a,a.b\nt,1,\nt,,x\nt,y,\n");
    let profile: Value = serde_json::from_str(&entries["profile.json"]).unwrap();
    assert_eq!(
        profile["datasets"][0]["person"],
        serde_json::json!([{"a": 1}, {"a": {"b": "x"}}, {"a": "y"}])
    );
}
