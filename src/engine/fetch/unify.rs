//! Brings a file's view of a leaf to the type that the leaf has over the whole dataset.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit as ArrowUnit};

use crate::model::{Leaf, LeafType, TimeUnit};

/// The view in the dataset's type; lists stay.
pub(super) fn unify(view: &ArrayRef, stored: &LeafType, leaf: &Leaf) -> Result<ArrayRef, ()> {
    if *stored == leaf.kind {
        return Ok(Arc::clone(view));
    }
    if let DataType::List(_) = view.data_type() {
        let list = view.as_list::<i32>();
        let inner = unify(list.values(), stored, leaf)?;
        let field = Arc::new(Field::new("item", inner.data_type().clone(), true));
        let list = ListArray::try_new(field, list.offsets().clone(), inner, list.nulls().cloned());
        return list.map(|list| Arc::new(list) as ArrayRef).map_err(drop);
    }
    match value_type(&leaf.kind) {
        Some(wanted) if wanted != *view.data_type() => {
            let cast = cast(view, &wanted).map_err(drop)?;
            // A value that did not survive would be shown as null: never.
            if cast.null_count() == view.null_count() { Ok(cast) } else { Err(()) }
        }
        _ => Ok(Arc::clone(view)),
    }
}

/// The type of a whole view, for files that lack the leaf.
pub(super) fn nested_type(leaf: &Leaf) -> DataType {
    let value = value_type(&leaf.kind).unwrap_or(DataType::Null);
    leaf.lists.iter().fold(value, |inner, _| DataType::List(Arc::new(Field::new("item", inner, true))))
}

/// The Arrow type of a leaf's values; `None`: as the file has it.
fn value_type(kind: &LeafType) -> Option<DataType> {
    Some(match kind {
        LeafType::Text => DataType::Utf8,
        LeafType::Int { bits: 8, signed: true } => DataType::Int8,
        LeafType::Int { bits: 16, signed: true } => DataType::Int16,
        LeafType::Int { bits: 32, signed: true } => DataType::Int32,
        LeafType::Int { signed: true, .. } => DataType::Int64,
        LeafType::Int { bits: 8, signed: false } => DataType::UInt8,
        LeafType::Int { bits: 16, signed: false } => DataType::UInt16,
        LeafType::Int { bits: 32, signed: false } => DataType::UInt32,
        LeafType::Int { signed: false, .. } => DataType::UInt64,
        LeafType::Decimal { precision, scale } if *precision <= 38 => {
            DataType::Decimal128(*precision, *scale)
        }
        LeafType::Decimal { precision, scale } => DataType::Decimal256(*precision, *scale),
        LeafType::Date => DataType::Date32,
        LeafType::Timestamp(unit) => DataType::Timestamp(
            match unit {
                TimeUnit::Second => ArrowUnit::Second,
                TimeUnit::Millisecond => ArrowUnit::Millisecond,
                TimeUnit::Microsecond => ArrowUnit::Microsecond,
                TimeUnit::Nanosecond => ArrowUnit::Nanosecond,
            },
            None,
        ),
        LeafType::Uuid => DataType::FixedSizeBinary(16),
        LeafType::Binary => DataType::Binary,
        LeafType::FixedBinary(length) => DataType::FixedSizeBinary(*length),
        LeafType::Float => DataType::Float64,
        LeafType::Bool => DataType::Boolean,
        LeafType::Other(_) => return None,
    })
}
