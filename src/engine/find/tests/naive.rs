//! The search against a naive one, on random columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, ListBuilder, StringArray, StringBuilder};
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;

use crate::engine::testing::{Lake, namespace};
use crate::model::Normalize;

/// Few distinct values, so that they meet; some fold, some need trimming, some are long.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[aAbB]{0,2}",
        "[ \t]?[kK\u{212a}éÉİß]{1,2}[ \u{a0}]?",
        "[0-9-]{1,3}",
        "[a-cA-C]{15,18}",
        Just("0123456789abcdef0123456789ABCDEF".to_owned()),
    ]
}

fn properties() -> impl Strategy<Value = WriterProperties> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1..40_usize, 1..30_usize).prop_map(
        |(dictionary, second, snappy, group, page)| {
            WriterProperties::builder()
                .set_dictionary_enabled(dictionary)
                .set_dictionary_page_size_limit(40)
                .set_writer_version(if second {
                    WriterVersion::PARQUET_2_0
                } else {
                    WriterVersion::PARQUET_1_0
                })
                .set_compression(if snappy {
                    Compression::SNAPPY
                } else {
                    Compression::UNCOMPRESSED
                })
                .set_max_row_group_row_count(Some(group))
                .set_data_page_row_count_limit(page)
                .set_write_batch_size(page)
                .build()
        },
    )
}

fn any_namespace() -> impl Strategy<Value = crate::model::Namespace> {
    let step =
        prop_oneof![Just(Normalize::Trim), Just(Normalize::Lowercase), Just(Normalize::Digits)];
    (any::<bool>(), prop::collection::vec(step, 0..2)).prop_map(|(exact, steps)| {
        let mut namespace = namespace(exact);
        namespace.normalize = steps;
        namespace
    })
}

type Nested = Option<Vec<Option<Vec<Option<String>>>>>;

fn nested() -> impl Strategy<Value = Nested> {
    let inner = prop::option::weighted(0.8, prop::collection::vec(prop::option::of(value()), 0..3));
    prop::option::weighted(0.8, prop::collection::vec(inner, 0..3))
}

fn lists(rows: &[Nested]) -> ListArray {
    let mut builder = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in rows {
        for inner in row.iter().flatten() {
            for value in inner.iter().flatten() {
                builder.values().values().append_option(value.as_deref());
            }
            builder.values().append(inner.is_some());
        }
        builder.append(row.is_some());
    }
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn flat_columns(
        column in prop::collection::vec(prop::option::weighted(0.8, value()), 1..120),
        wanted in prop::collection::vec(value(), 0..6),
        namespace in any_namespace(),
        properties in properties(),
    ) {
        let lake = Lake::new();
        let array: ArrayRef = Arc::new(StringArray::from(column.clone()));
        lake.write("lake/a.parquet", [("id", array)], Some(properties));
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let found = lake.find(&lake.files("lake"), "id", &namespace, &wanted);
        let mut expected = Vec::new();
        for (row, value) in (0_u64..).zip(&column) {
            for (number, wanted) in (0_u32..).zip(&wanted) {
                if value.as_ref().is_some_and(|v| namespace.canonical(v) == namespace.canonical(wanted)) {
                    expected.push((row, number));
                }
            }
        }
        let found: Vec<(u64, u32)> = found.into_iter().map(|(at, _, n)| (at.row, n)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn nested_lists(
        column in prop::collection::vec(nested(), 1..60),
        wanted in prop::collection::vec(value(), 0..6),
        namespace in any_namespace(),
        properties in properties(),
    ) {
        let lake = Lake::new();
        lake.write("lake/a.parquet", [("id", Arc::new(lists(&column)) as ArrayRef)], Some(properties));
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let found = lake.find(&lake.files("lake"), "id", &namespace, &wanted);
        let mut expected = Vec::new();
        for (row, outer) in (0_u64..).zip(&column) {
            for (i, inner) in (0_u32..).zip(outer.iter().flatten()) {
                for (j, value) in (0_u32..).zip(inner.iter().flatten()) {
                    for (number, wanted) in (0_u32..).zip(&wanted) {
                        if value.as_ref().is_some_and(|v| {
                            namespace.canonical(v) == namespace.canonical(wanted)
                        }) {
                            expected.push((row, vec![i, j], number));
                        }
                    }
                }
            }
        }
        let found: Vec<_> = found.into_iter().map(|(at, e, n)| (at.row, e, n)).collect();
        prop_assert_eq!(found, expected);
    }
}
