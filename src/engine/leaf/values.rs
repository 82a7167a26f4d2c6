//! Values of a column chunk as its physical type has them.

use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};

/// Non-null values, in order.
#[derive(Debug)]
pub(crate) enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Values {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Int96(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Fixed(values) => values.len(),
        }
    }

    /// The value of that number as an integer.
    pub(crate) fn int(&self, at: usize) -> Option<i64> {
        match self {
            Self::Int32(values) => values.get(at).copied().map(i64::from),
            Self::Int64(values) => values.get(at).copied(),
            _ => None,
        }
    }

    /// The value of that number as bytes.
    pub(crate) fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self {
            Self::Bytes(values) => values.get(at).map(ByteArray::data),
            Self::Fixed(values) => values.get(at).map(|value| value.data()),
            _ => None,
        }
    }

    /// The value of that number as nanoseconds, where it is an INT96 timestamp.
    pub(crate) fn int96_nanos(&self, at: usize) -> Option<i128> {
        const JULIAN_1970: i128 = 2_440_588;
        const DAY: i128 = 86_400_000_000_000;
        let Self::Int96(values) = self else { return None };
        let [low, high, day] = *values.get(at)?.data() else { return None };
        let nanos = (u64::from(high) << 32 | u64::from(low)).cast_signed();
        Some((i128::from(day.cast_signed()) - JULIAN_1970) * DAY + i128::from(nanos))
    }

    pub(crate) fn bool(&self, at: usize) -> Option<bool> {
        if let Self::Bool(values) = self { values.get(at).copied() } else { None }
    }
}
