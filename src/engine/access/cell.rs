//! Reads one cell of an Arrow array, whatever its type, into the form of [`super::value`].

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use crate::model::{Key, LeafType, hex};
use crate::plan::Reach;

use super::times;
use super::value::encode;

/// A type that a package has no form for.
pub(super) struct Unsupported;

/// Encodes the cell at `row`; what `reach` does not cover is hidden.
pub(super) fn encode_cell(
    array: &dyn Array,
    row: usize,
    kind: &LeafType,
    reach: &Reach,
    out: &mut Vec<u8>,
) -> Result<(), Unsupported> {
    Cell { kind, reach, element: Vec::new() }.encode(array, row, out)
}

/// Where we are in a cell.
struct Cell<'a> {
    kind: &'a LeafType,
    reach: &'a Reach,
    /// List indices so far, outermost first.
    element: Vec<u32>,
}

impl Cell<'_> {
    fn encode(
        &mut self,
        array: &dyn Array,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Unsupported> {
        if array.is_null(row) {
            // Of a list that is not there, nothing can be somebody else's.
            let shown = self.leads_on() || self.reach.covers(&self.element);
            out.push(if shown { encode::NULL } else { encode::HIDDEN });
            return Ok(());
        }
        let elements = match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().value(row),
            DataType::LargeList(_) => array.as_list::<i64>().value(row),
            DataType::ListView(_) => array.as_list_view::<i32>().value(row),
            DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
            DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
            _ if !self.reach.covers(&self.element) => {
                out.push(encode::HIDDEN);
                return Ok(());
            }
            _ => return scalar(array, row, self.kind, out),
        };
        if !self.leads_on() && !self.reach.covers(&self.element) {
            out.push(encode::HIDDEN);
            return Ok(());
        }
        encode::list(out, elements.len());
        for index in 0..elements.len() {
            self.element.push(u32::try_from(index).unwrap_or(u32::MAX));
            self.encode(&elements, index, out)?;
            self.element.pop();
        }
        Ok(())
    }

    /// Whether something below this list may be shown.
    fn leads_on(&self) -> bool {
        match self.reach {
            Reach::All => true,
            Reach::Within(prefixes) => prefixes.iter().any(|p| p.starts_with(&self.element)),
        }
    }
}

macro_rules! at {
    ($array:expr, $row:expr, $kind:ty) => {
        $array.as_primitive::<$kind>().value($row)
    };
}

/// Encodes a value that is there and in no list.
fn scalar(
    array: &dyn Array,
    row: usize,
    kind: &LeafType,
    out: &mut Vec<u8>,
) -> Result<(), Unsupported> {
    let a = array;
    let mut int = |value: i128| encode::signed(out, encode::INT, value);
    match a.data_type() {
        DataType::Int8 => int(at!(a, row, Int8Type).into()),
        DataType::Int16 => int(at!(a, row, Int16Type).into()),
        DataType::Int32 => int(at!(a, row, Int32Type).into()),
        DataType::Int64 => int(at!(a, row, Int64Type).into()),
        DataType::UInt8 => int(at!(a, row, UInt8Type).into()),
        DataType::UInt16 => int(at!(a, row, UInt16Type).into()),
        DataType::UInt32 => int(at!(a, row, UInt32Type).into()),
        DataType::UInt64 => int(at!(a, row, UInt64Type).into()),
        DataType::Boolean => {
            out.push(if a.as_boolean().value(row) { encode::TRUE } else { encode::FALSE });
        }
        DataType::Float16 => {
            let value = f32::from(at!(a, row, Float16Type));
            float(value.is_finite(), value.into(), &format!("{value:?}"), out);
        }
        DataType::Float32 => {
            let value = at!(a, row, Float32Type);
            float(value.is_finite(), value.into(), &format!("{value:?}"), out);
        }
        DataType::Float64 => {
            let value = at!(a, row, Float64Type);
            float(value.is_finite(), value, &format!("{value:?}"), out);
        }
        DataType::Utf8 => encode::text(out, encode::TEXT, a.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => encode::text(out, encode::TEXT, a.as_string::<i64>().value(row)),
        DataType::Utf8View => encode::text(out, encode::TEXT, a.as_string_view().value(row)),
        DataType::Binary => bytes(a.as_binary::<i32>().value(row), kind, out),
        DataType::LargeBinary => bytes(a.as_binary::<i64>().value(row), kind, out),
        DataType::BinaryView => bytes(a.as_binary_view().value(row), kind, out),
        DataType::FixedSizeBinary(_) => bytes(a.as_fixed_size_binary().value(row), kind, out),
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(a, row, *scale, out),
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(a, row, *scale, out),
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(a, row, *scale, out),
        DataType::Decimal256(_, scale) => decimal::<Decimal256Type>(a, row, *scale, out),
        DataType::Date32 => encode::signed(out, encode::DATE, at!(a, row, Date32Type).into()),
        DataType::Date64 => {
            let days = at!(a, row, Date64Type).div_euclid(86_400_000);
            encode::signed(out, encode::DATE, days.into());
        }
        DataType::Timestamp(..) => {
            let nanos = instant(a, row).ok_or(Unsupported)?;
            encode::signed(out, encode::INSTANT, nanos);
        }
        DataType::Dictionary(..) => {
            let dictionary = a.as_any_dictionary_opt().ok_or(Unsupported)?;
            let key = dictionary_key(dictionary.keys(), row).ok_or(Unsupported)?;
            let values = dictionary.values();
            if values.is_null(key) {
                out.push(encode::NULL);
            } else {
                scalar(values, key, kind, out)?;
            }
        }
        _ => rare(a, row, out)?,
    }
    Ok(())
}

fn dictionary_key(keys: &dyn Array, row: usize) -> Option<usize> {
    match keys.data_type() {
        DataType::Int8 => at!(keys, row, Int8Type).try_into().ok(),
        DataType::Int16 => at!(keys, row, Int16Type).try_into().ok(),
        DataType::Int32 => at!(keys, row, Int32Type).try_into().ok(),
        DataType::Int64 => at!(keys, row, Int64Type).try_into().ok(),
        DataType::UInt8 => Some(at!(keys, row, UInt8Type).into()),
        DataType::UInt16 => Some(at!(keys, row, UInt16Type).into()),
        DataType::UInt32 => at!(keys, row, UInt32Type).try_into().ok(),
        DataType::UInt64 => at!(keys, row, UInt64Type).try_into().ok(),
        _ => None,
    }
}

/// Times of day, durations and intervals, all as text.
fn rare(a: &dyn Array, row: usize, out: &mut Vec<u8>) -> Result<(), Unsupported> {
    let mut text = String::new();
    match a.data_type() {
        DataType::Null => {
            out.push(encode::NULL);
            return Ok(());
        }
        DataType::Time32(TimeUnit::Second) => {
            times::push_time(&mut text, i128::from(at!(a, row, Time32SecondType)) * 1_000_000_000);
        }
        DataType::Time32(TimeUnit::Millisecond) => {
            times::push_time(&mut text, i128::from(at!(a, row, Time32MillisecondType)) * 1_000_000);
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            times::push_time(&mut text, i128::from(at!(a, row, Time64MicrosecondType)) * 1000);
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            times::push_time(&mut text, at!(a, row, Time64NanosecondType).into());
        }
        DataType::Duration(unit) => {
            let value = match unit {
                TimeUnit::Second => at!(a, row, DurationSecondType),
                TimeUnit::Millisecond => at!(a, row, DurationMillisecondType),
                TimeUnit::Microsecond => at!(a, row, DurationMicrosecondType),
                TimeUnit::Nanosecond => at!(a, row, DurationNanosecondType),
            };
            times::push_duration(&mut text, i128::from(value) * nanos_of(*unit));
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            times::push_interval(&mut text, at!(a, row, IntervalYearMonthType).into(), 0, 0);
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let value = at!(a, row, IntervalDayTimeType);
            let nanos = i128::from(value.milliseconds) * 1_000_000;
            times::push_interval(&mut text, 0, value.days.into(), nanos);
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = at!(a, row, IntervalMonthDayNanoType);
            let (months, days) = (value.months.into(), value.days.into());
            times::push_interval(&mut text, months, days, value.nanoseconds.into());
        }
        _ => return Err(Unsupported),
    }
    encode::text(out, encode::TEXT, &text);
    Ok(())
}

/// The instant of a cell of a timestamp array, in nanoseconds.
fn instant(a: &dyn Array, row: usize) -> Option<i128> {
    let DataType::Timestamp(unit, _) = a.data_type() else { return None };
    let value = match unit {
        TimeUnit::Second => at!(a, row, TimestampSecondType),
        TimeUnit::Millisecond => at!(a, row, TimestampMillisecondType),
        TimeUnit::Microsecond => at!(a, row, TimestampMicrosecondType),
        TimeUnit::Nanosecond => at!(a, row, TimestampNanosecondType),
    };
    Some(i128::from(value) * nanos_of(*unit))
}

const fn nanos_of(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    }
}

/// Shortest digits that read back as the same float. JSON has no NaN and no infinities: they are text.
fn float(finite: bool, value: f64, digits: &str, out: &mut Vec<u8>) {
    if finite {
        encode::text(out, encode::NUMBER, digits);
    } else {
        let text = match value {
            v if v.is_nan() => "NaN",
            v if v > 0.0 => "Infinity",
            _ => "-Infinity",
        };
        encode::text(out, encode::TEXT, text);
    }
}

fn decimal<T: DecimalType>(a: &dyn Array, row: usize, scale: i8, out: &mut Vec<u8>)
where
    T::Native: std::fmt::Display,
{
    let digits = a.as_primitive::<T>().value(row).to_string();
    let text = LeafType::Decimal { precision: T::MAX_PRECISION, scale }.text(&Key::Decimal(digits));
    encode::text(out, encode::NUMBER, &text);
}

/// UUIDs with dashes; other bytes as text where they are readable text (old writers keep strings in
/// unannotated binary columns), else, or where the text itself starts with `0x`, in hex after `0x`.
fn bytes(raw: &[u8], kind: &LeafType, out: &mut Vec<u8>) {
    if matches!(kind, LeafType::Uuid) && raw.len() == 16 {
        return encode::text(out, encode::TEXT, &kind.text(&Key::Bytes(raw.to_vec())));
    }
    let readable = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    match std::str::from_utf8(raw) {
        Ok(text) if !text.starts_with("0x") && text.chars().all(readable) => {
            encode::text(out, encode::TEXT, text);
        }
        _ => {
            encode::text(out, encode::TEXT, &format!("0x{}", hex(raw)));
        }
    }
}
