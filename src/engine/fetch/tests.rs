#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, ListArray, ListBuilder,
    MapBuilder, StringArray, StringBuilder, StructArray,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int64Type, TimestampMicrosecondType};
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use crate::engine::testing::{Lake, leaf_index, with_bytes};
use crate::model::Key;
use crate::plan::{DatasetFiles, RowKey};

fn keys(rows: &[u64]) -> Vec<RowKey> {
    rows.iter().map(|row| RowKey { file: 0, row: *row }).collect()
}

/// One column of these rows, all batches put together.
fn column(lake: &Lake, files: &DatasetFiles, path: &str, rows: &[RowKey]) -> ArrayRef {
    let leaf = leaf_index(files, path);
    let (mut arrays, mut seen): (Vec<ArrayRef>, Vec<RowKey>) = (Vec::new(), Vec::new());
    lake.engine
        .fetch(files, rows, &[leaf], &mut |batch| {
            assert_eq!(batch.columns.len(), 1);
            assert_eq!(batch.columns[0].0, leaf);
            assert_eq!(batch.columns[0].1.len(), batch.rows.len());
            seen.extend(batch.rows.iter().map(|row| RowKey { file: batch.file, row: *row }));
            arrays.push(Arc::clone(&batch.columns[0].1));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, rows);
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    concat(&arrays).unwrap()
}

/// The values of these rows: (row, element, text).
fn values(
    lake: &Lake,
    files: &DatasetFiles,
    path: &str,
    rows: &[RowKey],
) -> Vec<(u64, Vec<u32>, String)> {
    let index = leaf_index(files, path);
    let kind = &files.leaves[usize::from(index)].kind;
    let found = lake.engine.values(files, rows, &[index]).unwrap();
    found.iter().map(|v| (v.at.row, v.element.to_vec(), kind.text(v.value.expose()))).collect()
}

fn small_groups() -> Option<WriterProperties> {
    Some(
        WriterProperties::builder()
            .set_max_row_group_row_count(Some(7))
            .set_data_page_row_count_limit(3)
            .set_write_batch_size(2)
            .build(),
    )
}

#[test]
fn chosen_rows_across_row_groups_and_files() {
    let lake = Lake::new();
    for (name, from) in [("a", 0), ("b", 100)] {
        let numbers: ArrayRef = Arc::new((from..from + 30).map(Some).collect::<Int64Array>());
        lake.write(&format!("lake/{name}.parquet"), [("n", numbers)], small_groups());
    }
    let files = lake.files("lake");
    let rows: Vec<RowKey> = [(0, 0), (0, 6), (0, 7), (0, 8), (0, 29), (1, 13), (1, 14)]
        .map(|(file, row)| RowKey { file, row })
        .to_vec();
    let found = column(&lake, &files, "n", &rows);
    assert_eq!(found.as_primitive::<Int64Type>().values(), &[0, 6, 7, 8, 29, 113, 114]);
    let texts: Vec<String> = values(&lake, &files, "n", &rows).into_iter().map(|v| v.2).collect();
    assert_eq!(texts, ["0", "6", "7", "8", "29", "113", "114"]);
}

#[test]
fn a_break_ends_it() {
    let lake = Lake::new();
    let numbers: ArrayRef = Arc::new((0..30).map(Some).collect::<Int64Array>());
    lake.write("lake/a.parquet", [("n", numbers)], small_groups());
    let files = lake.files("lake");
    let mut batches = 0;
    let each = &mut |_| {
        batches += 1;
        ControlFlow::Break(())
    };
    lake.engine.fetch(&files, &keys(&[0, 10, 20]), &[0], each).unwrap();
    assert_eq!(batches, 1);
}

#[test]
fn many_files_come_in_order_and_the_first_that_is_broken_is_named() {
    let lake = Lake::new();
    for file in 0..40_i64 {
        let numbers: ArrayRef =
            Arc::new((0..3000).map(|row| Some(file * 10_000 + row)).collect::<Int64Array>());
        lake.write(&format!("lake/{file:02}.parquet"), [("n", numbers)], None);
    }
    let files = lake.files("lake");
    let rows: Vec<RowKey> = (0..40)
        .flat_map(|file| (0..3000).step_by(2).map(move |row| RowKey { file, row }))
        .collect();
    let found = column(&lake, &files, "n", &rows);
    let expected: Vec<i64> =
        rows.iter().map(|at| i64::from(at.file) * 10_000 + at.row as i64).collect();
    assert_eq!(found.as_primitive::<Int64Type>().values(), &expected);
    let texts = values(&lake, &files, "n", &rows).into_iter().map(|(_, _, text)| text);
    assert!(texts.eq(expected.iter().map(ToString::to_string)));
    for name in ["09", "31"] {
        with_bytes(&lake.path(&format!("lake/{name}.parquet")), |bytes| bytes.push(0));
    }
    let mut taken = 0;
    let error = lake.engine.fetch(&files, &rows, &[0], &mut |batch| {
        taken += batch.rows.len();
        ControlFlow::Continue(())
    });
    assert_eq!(taken, 9 * 1500);
    assert_eq!(error.unwrap_err().to_string(), "lake/09.parquet changed while it was read");
    let error = lake.engine.values(&files, &rows, &[0]).unwrap_err();
    assert_eq!(error.to_string(), "lake/09.parquet changed while it was read");
}

#[test]
fn structs_are_left_out_and_their_nulls_stay() {
    let lake = Lake::new();
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let field = Arc::new(Field::new("x", DataType::Int32, true));
    let group =
        StructArray::new(vec![field].into(), vec![inner], Some(vec![true, true, false].into()));
    lake.write("lake/a.parquet", [("s", Arc::new(group) as ArrayRef)], None);
    let files = lake.files("lake");
    let found = column(&lake, &files, "s.x", &keys(&[0, 1, 2]));
    let expected: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, None]));
    assert_eq!(&found, &expected);
}

#[test]
fn maps_and_lists_of_structs_become_lists_of_leaves() {
    let lake = Lake::new();
    let mut attrs = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    attrs.keys().append_value("a");
    attrs.values().append_value("1");
    attrs.keys().append_value("b");
    attrs.values().append_null();
    attrs.append(true).unwrap();
    attrs.append(false).unwrap();
    attrs.append(true).unwrap();
    lake.write("lake/a.parquet", [("attrs", Arc::new(attrs.finish()) as ArrayRef)], None);
    let files = lake.files("lake");
    let list = |rows: Vec<Option<Vec<Option<&str>>>>| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in rows {
            builder.append_option(row);
        }
        Arc::new(builder.finish())
    };
    let rows = keys(&[0, 1, 2]);
    let expected = list(vec![Some(vec![Some("1"), None]), None, Some(vec![])]);
    assert_eq!(&column(&lake, &files, "attrs.value", &rows), &expected);
    let expected = list(vec![Some(vec![Some("a"), Some("b")]), None, Some(vec![])]);
    assert_eq!(&column(&lake, &files, "attrs.key", &rows), &expected);
    let found = values(&lake, &files, "attrs.value", &rows);
    assert_eq!(found, [(0, vec![0], "1".to_owned())]);
}

#[test]
fn partitions_missing_columns_and_wider_types() {
    let lake = Lake::new();
    let narrow: ArrayRef = Arc::new(Int32Array::from(vec![5]));
    let wide: ArrayRef = Arc::new(Int64Array::from(vec![6]));
    let decimal = Decimal128Array::from(vec![150]).with_precision_and_scale(9, 2).unwrap();
    lake.write("lake/day=1/a.parquet", [("n", narrow), ("d", Arc::new(decimal))], None);
    let decimal = Decimal128Array::from(vec![15]).with_precision_and_scale(9, 3).unwrap();
    lake.write("lake/day=2/b.parquet", [("n", wide), ("d", Arc::new(decimal))], None);
    lake.ids("lake/day=__HIVE_DEFAULT_PARTITION__/c.parquet", &[Some("x")]);
    let files = lake.files("lake");
    let rows: Vec<RowKey> = (0..3).map(|file| RowKey { file, row: 0 }).collect();
    let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), Some(6), None]));
    assert_eq!(&column(&lake, &files, "n", &rows), &expected);
    let expected: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("2"), None]));
    assert_eq!(&column(&lake, &files, "day", &rows), &expected);
    let texts: Vec<String> = values(&lake, &files, "d", &rows).into_iter().map(|v| v.2).collect();
    assert_eq!(texts, ["1.500", "0.015"]);
    let texts: Vec<String> = values(&lake, &files, "day", &rows).into_iter().map(|v| v.2).collect();
    assert_eq!(texts, ["1", "2"]);
}

#[test]
fn far_int96_dates_do_not_wrap() {
    let lake = Lake::new();
    let mut far = Int96::new();
    far.set_data(1_000_000_000, 0, 5_373_484);
    let message = "message m { required int96 ts; }";
    lake.column::<Int96Type>("lake/a.parquet", message, &[far], None, None);
    let files = lake.files("lake");
    let found = column(&lake, &files, "ts", &keys(&[0]));
    let micros = found.as_primitive::<TimestampMicrosecondType>().value(0);
    assert_eq!(micros, 253_402_214_401_000_000);
    let found = lake.engine.values(&files, &keys(&[0]), &[0]).unwrap();
    assert_eq!(found[0].value.expose(), &Key::Timestamp(253_402_214_401_000_000_000));
}

type Nested = Option<Vec<Option<Vec<Option<String>>>>>;

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
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn nested_lists_come_back_as_written(
        column_rows in prop::collection::vec(
            prop::option::of(prop::collection::vec(
                prop::option::of(prop::collection::vec(prop::option::of("[a-c]{0,2}"), 0..3)),
                0..3,
            )),
            1..40,
        ),
        chosen in prop::collection::vec(any::<bool>(), 40),
    ) {
        let lake = Lake::new();
        let array: ArrayRef = Arc::new(lists(&column_rows));
        lake.write("lake/a.parquet", [("x", array)], small_groups());
        let files = lake.files("lake");
        let rows: Vec<u64> = (0..column_rows.len() as u64).filter(|r| chosen[*r as usize]).collect();
        let kept: Vec<Nested> = rows.iter().map(|row| column_rows[*row as usize].clone()).collect();
        let mut expected = Vec::new();
        for (row, outer) in rows.iter().zip(&kept) {
            for (i, inner) in (0_u32..).zip(outer.iter().flatten()) {
                for (j, value) in (0_u32..).zip(inner.iter().flatten()) {
                    expected.extend(value.iter().map(|v| (*row, vec![i, j], v.clone())));
                }
            }
        }
        prop_assert_eq!(values(&lake, &files, "x", &keys(&rows)), expected);
        if !rows.is_empty() {
            let expected: ArrayRef = Arc::new(lists(&kept));
            prop_assert_eq!(&column(&lake, &files, "x", &keys(&rows)), &expected);
        }
    }
}
