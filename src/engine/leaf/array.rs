//! Arrow arrays of a leaf, in the type that it has over the dataset.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    FixedSizeBinaryArray, Float32Array, Float64Array, IntervalMonthDayNanoArray, NullArray,
    PrimitiveArray, StringArray, Time32MillisecondArray, Time64MicrosecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, new_null_array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNano, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit as ParquetUnit};
use parquet::schema::types::ColumnDescriptor;

use crate::model::{LeafType, TimeUnit};

use super::Values;
use super::key::{nanos, scaled_up, signed, twos_complement, unit_nanos};

/// The flat array of these slots: for each the number of its value, `None` for null. `stored` is what
/// the file holds, `kind` what the leaf is over the dataset. `None` where a value is not of its type.
///
/// Floats keep the file's own width; INT96 beyond what 64 bits of nanoseconds hold is in microseconds.
pub(crate) fn array(
    slots: &[Option<usize>],
    values: &Values,
    stored: &LeafType,
    kind: &LeafType,
    column: &ColumnDescriptor,
) -> Option<ArrayRef> {
    let bytes = || slots.iter().map(|slot| slot.and_then(|at| values.bytes(at)));
    Some(match kind {
        LeafType::Text => {
            Arc::new(bytes().map(|raw| raw.map(String::from_utf8_lossy)).collect::<StringArray>())
        }
        LeafType::Binary => Arc::new(bytes().collect::<BinaryArray>()),
        LeafType::Uuid => fixed(bytes(), 16)?,
        LeafType::FixedBinary(length) => fixed(bytes(), *length)?,
        LeafType::Bool => Arc::new(
            slots.iter().map(|slot| slot.and_then(|at| values.bool(at))).collect::<BooleanArray>(),
        ),
        LeafType::Float => floats(slots, values)?,
        LeafType::Int { bits, signed } => ints(slots, values, stored, *bits, *signed)?,
        LeafType::Decimal { precision, scale } => {
            decimals(slots, values, stored, *precision, *scale)?
        }
        LeafType::Date => Arc::new(
            slots
                .iter()
                .map(|slot| slot.and_then(|at| values.int(at)).and_then(|d| i32::try_from(d).ok()))
                .collect::<Date32Array>(),
        ),
        LeafType::Timestamp(unit) => timestamps(slots, values, stored, *unit),
        LeafType::Other(_) => other(slots, values, column)?,
    })
}

/// The view of a leaf that a file lacks: as many nulls.
pub(crate) fn absent(kind: &LeafType, lists: usize, rows: usize) -> ArrayRef {
    let mut data_type = match kind {
        LeafType::Text => DataType::Utf8,
        LeafType::Bool => DataType::Boolean,
        LeafType::Float => DataType::Float64,
        LeafType::Date => DataType::Date32,
        LeafType::Int { signed: true, .. } => DataType::Int64,
        LeafType::Int { signed: false, .. } => DataType::UInt64,
        _ => DataType::Null,
    };
    for _ in 0..lists {
        data_type = DataType::List(Arc::new(Field::new("item", data_type, true)));
    }
    new_null_array(&data_type, rows)
}

fn fixed<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, length: i32) -> Option<ArrayRef> {
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, length).ok()?;
    Some(Arc::new(array))
}

fn floats(slots: &[Option<usize>], values: &Values) -> Option<ArrayRef> {
    Some(match values {
        Values::Float(all) => Arc::new(
            slots
                .iter()
                .map(|slot| slot.and_then(|at| all.get(at)).copied())
                .collect::<Float32Array>(),
        ),
        Values::Double(all) => Arc::new(
            slots
                .iter()
                .map(|slot| slot.and_then(|at| all.get(at)).copied())
                .collect::<Float64Array>(),
        ),
        Values::Fixed(_) => Arc::new(
            slots
                .iter()
                .map(|slot| slot.and_then(|at| values.bytes(at)).and_then(half))
                .collect::<Float32Array>(),
        ),
        _ => return None,
    })
}

/// A half-precision float, widened.
fn half(raw: &[u8]) -> Option<f32> {
    let bits = u16::from_le_bytes(*raw.first_chunk::<2>()?);
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f32::from(bits & 0x3ff);
    Some(match bits >> 10 & 0x1f {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    })
}

fn ints(
    slots: &[Option<usize>],
    values: &Values,
    stored: &LeafType,
    bits: u8,
    is_signed: bool,
) -> Option<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(numbers: &[Option<i128>]) -> Option<ArrayRef>
    where
        T::Native: TryFrom<i128>,
    {
        let natives = numbers.iter().map(|number| {
            number.map(|number| T::Native::try_from(number).map_err(drop)).transpose()
        });
        let natives = natives.collect::<Result<Vec<_>, ()>>().ok()?;
        Some(Arc::new(natives.into_iter().collect::<PrimitiveArray<T>>()))
    }
    let number = |at| Some(signed(values.int(at)?, stored));
    let numbers: Vec<Option<i128>> = slots.iter().map(|slot| slot.and_then(number)).collect();
    match (bits, is_signed) {
        (8, true) => of::<Int8Type>(&numbers),
        (16, true) => of::<Int16Type>(&numbers),
        (32, true) => of::<Int32Type>(&numbers),
        (_, true) => of::<Int64Type>(&numbers),
        (8, false) => of::<UInt8Type>(&numbers),
        (16, false) => of::<UInt16Type>(&numbers),
        (32, false) => of::<UInt32Type>(&numbers),
        (_, false) => of::<UInt64Type>(&numbers),
    }
}

fn decimals(
    slots: &[Option<usize>],
    values: &Values,
    stored: &LeafType,
    precision: u8,
    scale: i8,
) -> Option<ArrayRef> {
    let own = if let LeafType::Decimal { scale, .. } = stored { *scale } else { 0 };
    let mut numbers = Vec::with_capacity(slots.len());
    for slot in slots {
        let Some(at) = *slot else {
            numbers.push(None);
            continue;
        };
        let number = match values.bytes(at) {
            Some(raw) => twos_complement(raw)?,
            None => i256::from_i128(signed(values.int(at)?, stored)),
        };
        numbers.push(Some(scaled_up(number, own, scale)?));
    }
    if precision <= 38 {
        let narrow: Option<Vec<Option<i128>>> = numbers
            .iter()
            .map(|n| n.map(i256::to_i128).map_or(Some(None), |n| n.map(Some)))
            .collect();
        let array =
            Decimal128Array::from(narrow?).with_precision_and_scale(precision, scale).ok()?;
        return Some(Arc::new(array));
    }
    let array = Decimal256Array::from(numbers).with_precision_and_scale(precision, scale).ok()?;
    Some(Arc::new(array))
}

fn timestamps(
    slots: &[Option<usize>],
    values: &Values,
    stored: &LeafType,
    unit: TimeUnit,
) -> ArrayRef {
    let instants: Vec<Option<i128>> =
        slots.iter().map(|slot| slot.and_then(|at| nanos(values, stored, at))).collect();
    let fits = |unit: TimeUnit| {
        let in_unit = |nanos: &i128| i64::try_from(nanos.div_euclid(unit_nanos(unit))).is_ok();
        instants.iter().flatten().all(in_unit)
    };
    let unit = [unit, TimeUnit::Microsecond, TimeUnit::Millisecond]
        .into_iter()
        .find(|unit| fits(*unit))
        .unwrap_or(TimeUnit::Second);
    let whole = instants
        .iter()
        .map(|instant| instant.and_then(|n| i64::try_from(n.div_euclid(unit_nanos(unit))).ok()));
    match unit {
        TimeUnit::Second => Arc::new(whole.collect::<TimestampSecondArray>()),
        TimeUnit::Millisecond => Arc::new(whole.collect::<TimestampMillisecondArray>()),
        TimeUnit::Microsecond => Arc::new(whole.collect::<TimestampMicrosecondArray>()),
        TimeUnit::Nanosecond => Arc::new(whole.collect::<TimestampNanosecondArray>()),
    }
}

/// Times of day, intervals, and what else no rule knows.
fn other(slots: &[Option<usize>], values: &Values, column: &ColumnDescriptor) -> Option<ArrayRef> {
    let int = |slot: &Option<usize>| slot.and_then(|at| values.int(at));
    let nanos = matches!(
        column.logical_type_ref(),
        Some(LogicalType::Time(time)) if time.unit == ParquetUnit::NANOS
    );
    Some(match values {
        _ if slots.iter().all(Option::is_none) => Arc::new(NullArray::new(slots.len())),
        Values::Int32(_) => Arc::new(
            slots
                .iter()
                .map(|slot| int(slot).and_then(|time| i32::try_from(time).ok()))
                .collect::<Time32MillisecondArray>(),
        ),
        Values::Int64(_) if nanos => {
            Arc::new(slots.iter().map(int).collect::<Time64NanosecondArray>())
        }
        Values::Int64(_) => Arc::new(slots.iter().map(int).collect::<Time64MicrosecondArray>()),
        Values::Fixed(_) if column.converted_type() == ConvertedType::INTERVAL => Arc::new(
            slots
                .iter()
                .map(|slot| slot.and_then(|at| interval(values.bytes(at)?)))
                .collect::<IntervalMonthDayNanoArray>(),
        ),
        Values::Bytes(_) | Values::Fixed(_) => Arc::new(
            slots.iter().map(|slot| slot.and_then(|at| values.bytes(at))).collect::<BinaryArray>(),
        ),
        _ => return None,
    })
}

/// Months, days and milliseconds.
fn interval(raw: &[u8]) -> Option<IntervalMonthDayNano> {
    let part = |at: usize| {
        Some(u32::from_le_bytes(*raw.get(at..at + 4)?.first_chunk::<4>()?).cast_signed())
    };
    let millis = i64::from(part(8)?.cast_unsigned());
    Some(IntervalMonthDayNano::new(part(0)?, part(4)?, millis * 1_000_000))
}
