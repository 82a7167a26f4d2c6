//! What a Parquet column holds: physical, logical and converted type to [`LeafType`].

use parquet::basic::{ConvertedType, LogicalType, TimeUnit as ParquetUnit, Type as Physical};
use parquet::schema::types::Type;

use crate::model::{LeafType, TimeUnit};

/// Decimals of more digits fit no number that Arrow knows.
const MOST_DIGITS: i32 = 76;

/// The type of a primitive column. The Parquet file's own annotations count; a schema that Arrow or
/// pandas left in the metadata does not.
pub(crate) fn leaf_type(column: &Type) -> LeafType {
    let info = column.get_basic_info();
    let logical = info.logical_type_ref();
    let converted = info.converted_type();
    if matches!(logical, Some(LogicalType::Unknown)) {
        return LeafType::Other(LeafType::NULL.to_owned());
    }
    if matches!(logical, Some(LogicalType::Decimal(_))) || converted == ConvertedType::DECIMAL {
        return decimal(column);
    }
    match column.get_physical_type() {
        Physical::BOOLEAN => LeafType::Bool,
        Physical::FLOAT | Physical::DOUBLE => LeafType::Float,
        Physical::INT96 => LeafType::Timestamp(TimeUnit::Nanosecond),
        Physical::INT32 => integer(logical, converted, 32),
        Physical::INT64 => integer(logical, converted, 64),
        Physical::BYTE_ARRAY => bytes(logical, converted),
        Physical::FIXED_LEN_BYTE_ARRAY => match (logical, converted) {
            (Some(LogicalType::Uuid), _) => LeafType::Uuid,
            (Some(LogicalType::Float16), _) => LeafType::Float,
            (_, ConvertedType::INTERVAL) => LeafType::Other("interval".to_owned()),
            _ => LeafType::FixedBinary(fixed_length(column)),
        },
    }
}

/// Bytes of each value of a fixed-length column; 0 for other columns.
pub(crate) const fn fixed_length(column: &Type) -> i32 {
    match column {
        Type::PrimitiveType { type_length, .. } => *type_length,
        Type::GroupType { .. } => 0,
    }
}

fn decimal(column: &Type) -> LeafType {
    let (precision, scale) = match column {
        Type::PrimitiveType { precision, scale, .. } => (*precision, *scale),
        Type::GroupType { .. } => (0, 0),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(digits), Ok(scale)) if (1..=MOST_DIGITS).contains(&precision) => {
            LeafType::Decimal { precision: digits, scale }
        }
        _ => LeafType::Other(format!("decimal({precision}, {scale})")),
    }
}

fn integer(logical: Option<&LogicalType>, converted: ConvertedType, bits: u8) -> LeafType {
    let int = |bits, signed| LeafType::Int { bits, signed };
    match logical {
        Some(LogicalType::Date) => return LeafType::Date,
        Some(LogicalType::Timestamp(stamp)) => {
            return LeafType::Timestamp(match stamp.unit {
                ParquetUnit::MILLIS => TimeUnit::Millisecond,
                ParquetUnit::MICROS => TimeUnit::Microsecond,
                ParquetUnit::NANOS => TimeUnit::Nanosecond,
            });
        }
        Some(LogicalType::Time(_)) => return LeafType::Other("time of day".to_owned()),
        Some(LogicalType::Integer(kind)) => {
            return match u8::try_from(kind.bit_width) {
                Ok(width @ (8 | 16 | 32 | 64)) if width <= bits => int(width, kind.is_signed),
                _ => int(bits, true),
            };
        }
        _ => {}
    }
    match converted {
        ConvertedType::DATE => LeafType::Date,
        ConvertedType::TIMESTAMP_MILLIS => LeafType::Timestamp(TimeUnit::Millisecond),
        ConvertedType::TIMESTAMP_MICROS => LeafType::Timestamp(TimeUnit::Microsecond),
        ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS => {
            LeafType::Other("time of day".to_owned())
        }
        ConvertedType::INT_8 => int(8, true),
        ConvertedType::INT_16 => int(16, true),
        ConvertedType::INT_32 => int(32, true),
        ConvertedType::UINT_8 => int(8, false),
        ConvertedType::UINT_16 => int(16, false),
        ConvertedType::UINT_32 => int(32, false),
        ConvertedType::UINT_64 => int(64, false),
        _ => int(bits, true),
    }
}

fn bytes(logical: Option<&LogicalType>, converted: ConvertedType) -> LeafType {
    match (logical, converted) {
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
        | (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON) => LeafType::Text,
        (Some(LogicalType::Geometry(_) | LogicalType::Geography(_)), _) => {
            LeafType::Other("geometry".to_owned())
        }
        _ => LeafType::Binary,
    }
}
