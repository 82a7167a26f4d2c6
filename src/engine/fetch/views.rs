//! Leaves' views of nested arrays: structs left out, lists kept.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, make_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};

/// Adds the view of every leaf below an array, in column order.
///
/// # Errors
/// A fragment that names a kind of array that Parquet cannot give.
pub(super) fn collect(array: &ArrayRef, views: &mut Vec<ArrayRef>) -> Result<(), &'static str> {
    match array.data_type() {
        DataType::Struct(_) => {
            let group = array.as_struct();
            for child in group.columns() {
                collect(&under(child, group.nulls())?, views)?;
            }
            Ok(())
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            lists(list.values(), list.offsets(), list.nulls(), views)
        }
        DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            let plain = cast(array, &DataType::List(Arc::clone(field)))
                .map_err(|_| "a list is too long to be shown")?;
            collect(&plain, views)
        }
        DataType::Map(..) => {
            let map = array.as_map();
            for column in map.entries().columns() {
                lists(column, map.offsets(), map.nulls(), views)?;
            }
            Ok(())
        }
        _ => {
            views.push(Arc::clone(array));
            Ok(())
        }
    }
}

/// The views below a list's elements, each in the list again.
fn lists(
    elements: &ArrayRef,
    offsets: &OffsetBuffer<i32>,
    nulls: Option<&NullBuffer>,
    views: &mut Vec<ArrayRef>,
) -> Result<(), &'static str> {
    let mut inner = Vec::new();
    collect(elements, &mut inner)?;
    for view in inner {
        let field = Arc::new(Field::new("item", view.data_type().clone(), true));
        let list = ListArray::try_new(field, offsets.clone(), view, nulls.cloned())
            .map_err(|_| "a list does not fit its elements")?;
        views.push(Arc::new(list));
    }
    Ok(())
}

/// A child that is null wherever the struct above it is.
fn under(child: &ArrayRef, above: Option<&NullBuffer>) -> Result<ArrayRef, &'static str> {
    if above.is_none_or(|nulls| nulls.null_count() == 0) {
        return Ok(Arc::clone(child));
    }
    let nulls = NullBuffer::union(child.nulls(), above);
    let data = child.to_data().into_builder().nulls(nulls);
    data.build().map(make_array).map_err(|_| "a struct does not fit its fields")
}
