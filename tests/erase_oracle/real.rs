//! Files that other writers made, as trees: their schemas by the rules of Parquet's LogicalTypes (old lists
//! and maps included), their records put together from levels.

use std::path::{Path, PathBuf};

use amparo::model::{LeafType, TimeUnit};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit as Unit, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;

use super::check::{levels, open};
use super::file::{Layout, Shredded};
use super::tree::{Field, Kind, Leaf, Value, columns};

/// All fixtures of a directory.
pub(crate) fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(directory);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    files.sort();
    files
}

/// Schema, records and row groups of a file.
pub(crate) fn read(path: &Path) -> (Vec<Field>, Vec<Value>, Layout) {
    let reader = open(std::fs::read(path).unwrap());
    let root = reader.metadata().file_metadata().schema_descr().root_schema().clone();
    let schema: Vec<Field> = root.get_fields().iter().map(|node| field(node)).collect();
    let (mut records, mut layout) = (Vec::new(), Layout::new());
    for group in 0..reader.num_row_groups() {
        let first = records.len();
        records.extend(group_records(&reader, group, &schema, path));
        layout.push(first..records.len());
    }
    (schema, records, layout)
}

fn group_records(
    reader: &SerializedFileReader<bytes::Bytes>,
    group: usize,
    schema: &[Field],
    path: &Path,
) -> Vec<Value> {
    let columns = columns(schema);
    let rows = reader.metadata().row_group(group).num_rows() as usize;
    let mut slots: Vec<Vec<Vec<Slot>>> = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let context = format!("{} {}", path.display(), column.path.join("."));
        let found = levels(reader, group, at, column, &context);
        let records = by_record(found, column.max_def);
        assert_eq!(records.len(), rows, "{context}");
        slots.push(records);
    }
    let record = |row: usize| {
        let of_row: Vec<&[Slot]> = slots.iter().map(|column| column[row].as_slice()).collect();
        let mut at = 0;
        let values = schema.iter().map(|field| build(field, &of_row, &mut at, 0, 0));
        Value::Struct(values.collect())
    };
    (0..rows).map(record).collect()
}

/// Repetition level, definition level, and the value where there is one.
type Slot = (i16, i16, Option<Vec<u8>>);

fn by_record(found: Shredded, max_def: i16) -> Vec<Vec<Slot>> {
    let mut values = found.values.into_iter();
    let mut records: Vec<Vec<Slot>> = Vec::new();
    for (rep, def) in found.rep.into_iter().zip(found.def) {
        if rep == 0 {
            records.push(Vec::new());
        }
        let value = (def == max_def).then(|| values.next().unwrap());
        records.last_mut().unwrap().push((rep, def, value));
    }
    records
}

/// A value from the slots of all columns in one record or element. `def` and `rep` are the levels of what
/// holds the field.
fn build(field: &Field, slots: &[&[Slot]], at: &mut usize, def: i16, rep: i16) -> Value {
    let def = def + i16::from(field.optional);
    let first = &slots[*at][0];
    let leaves = width(field);
    if first.1 < def {
        *at += leaves;
        return Value::Null;
    }
    match &field.kind {
        Kind::Leaf(_) => {
            *at += 1;
            Value::Leaf(first.2.clone().unwrap())
        }
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|inner| build(inner, slots, at, def, rep)).collect())
        }
        Kind::List(_) | Kind::Map(..) | Kind::Repeated(_) => {
            let range = *at..*at + leaves;
            *at = range.end;
            if first.1 == def {
                return Value::List(Vec::new());
            }
            let mut elements: Vec<Vec<&[Slot]>> = Vec::new();
            for column in range {
                let starts = (0..slots[column].len())
                    .filter(|slot| *slot == 0 || slots[column][*slot].0 <= rep + 1);
                let starts: Vec<usize> = starts.chain([slots[column].len()]).collect();
                for (number, bounds) in starts.windows(2).enumerate() {
                    if elements.len() <= number {
                        elements.push(Vec::new());
                    }
                    elements[number].push(&slots[column][bounds[0]..bounds[1]]);
                }
            }
            let element = |slots: &Vec<&[Slot]>| {
                let mut at = 0;
                let mut part = |field: &Field| build(field, slots, &mut at, def + 1, rep + 1);
                match &field.kind {
                    Kind::List(inner) => part(inner),
                    Kind::Map(key, value) => Value::Struct(vec![part(key), part(value)]),
                    _ => Value::Leaf(slots[0][0].2.clone().unwrap()),
                }
            };
            Value::List(elements.iter().map(element).collect())
        }
    }
}

fn width(field: &Field) -> usize {
    columns(std::slice::from_ref(field)).len()
}

fn repetition(node: &Type) -> Repetition {
    node.get_basic_info().repetition()
}

fn field(node: &Type) -> Field {
    let name = node.name().to_owned();
    let content = |name: &str| kind(name, node);
    match repetition(node) {
        Repetition::REPEATED if node.is_primitive() => {
            Field { name, optional: false, kind: Kind::Repeated(leaf(node)) }
        }
        Repetition::REPEATED => {
            let element =
                Field { name: "element".to_owned(), optional: false, kind: content(&name) };
            Field { name, optional: false, kind: Kind::List(Box::new(element)) }
        }
        other => {
            let kind = content(&name);
            Field { name, optional: other == Repetition::OPTIONAL, kind }
        }
    }
}

fn kind(name: &str, node: &Type) -> Kind {
    if node.is_primitive() {
        return Kind::Leaf(leaf(node));
    }
    let fields = || node.get_fields().iter().map(|node| field(node)).collect::<Vec<_>>();
    let info = node.get_basic_info();
    let is_list = info.converted_type() == ConvertedType::LIST
        || info.logical_type_ref() == Some(&LogicalType::List);
    let is_map = matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE)
        || info.logical_type_ref() == Some(&LogicalType::Map);
    let [inner] = node.get_fields() else { return Kind::Struct(fields()) };
    if repetition(inner) != Repetition::REPEATED {
        return Kind::Struct(fields());
    }
    if is_map {
        let mut parts = inner.get_fields().iter().map(|node| field(node));
        let mut part = |name: &str| {
            let field = parts.next().unwrap();
            Box::new(Field { name: name.to_owned(), ..field })
        };
        return Kind::Map(part("key"), part("value"));
    }
    if !is_list {
        return Kind::Struct(fields());
    }
    let required = |kind| Field { name: "element".to_owned(), optional: false, kind };
    let element = match inner.get_fields_or_none() {
        None => required(Kind::Leaf(leaf(inner))),
        Some([only])
            if inner.name() != "array"
                && inner.name() != format!("{name}_tuple")
                && repetition(only) != Repetition::REPEATED =>
        {
            field(only)
        }
        Some(parts) => required(Kind::Struct(parts.iter().map(|node| field(node)).collect())),
    };
    Kind::List(Box::new(element))
}

/// A group's fields.
trait Fields {
    fn get_fields_or_none(&self) -> Option<&[parquet::schema::types::TypePtr]>;
}

impl Fields for Type {
    fn get_fields_or_none(&self) -> Option<&[parquet::schema::types::TypePtr]> {
        (!self.is_primitive()).then(|| self.get_fields())
    }
}

fn leaf(node: &Type) -> Leaf {
    let Type::PrimitiveType { basic_info, physical_type, type_length, scale, precision } = node
    else {
        panic!("a leaf is primitive")
    };
    let (logical, converted) = (basic_info.logical_type_ref(), basic_info.converted_type());
    let int = |bits, signed| LeafType::Int { bits, signed };
    let stamp = |unit: &Unit| {
        LeafType::Timestamp(match unit {
            Unit::MILLIS => TimeUnit::Millisecond,
            Unit::MICROS => TimeUnit::Microsecond,
            Unit::NANOS => TimeUnit::Nanosecond,
        })
    };
    let kind = match (physical_type, logical, converted) {
        (_, _, ConvertedType::DECIMAL) | (_, Some(LogicalType::Decimal(_)), _) => {
            LeafType::Decimal { precision: *precision as u8, scale: *scale as i8 }
        }
        (Physical::BOOLEAN, ..) => LeafType::Bool,
        (Physical::FLOAT | Physical::DOUBLE, ..) => LeafType::Float,
        (Physical::INT96, ..) => LeafType::Timestamp(TimeUnit::Nanosecond),
        (_, Some(LogicalType::Timestamp(of)), _) => stamp(&of.unit),
        (_, _, ConvertedType::TIMESTAMP_MILLIS) => stamp(&Unit::MILLIS),
        (_, _, ConvertedType::TIMESTAMP_MICROS) => stamp(&Unit::MICROS),
        (_, _, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS)
        | (_, Some(LogicalType::Time(_)), _) => LeafType::Other("time of day".to_owned()),
        (_, _, ConvertedType::DATE) | (_, Some(LogicalType::Date), _) => LeafType::Date,
        (_, Some(LogicalType::Integer(of)), _) => int(of.bit_width as u8, of.is_signed),
        (Physical::INT32, _, ConvertedType::UINT_8) => int(8, false),
        (Physical::INT32, ..) => int(32, true),
        (Physical::INT64, ..) => int(64, true),
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), _) => LeafType::Uuid,
        (Physical::FIXED_LEN_BYTE_ARRAY, ..) => LeafType::FixedBinary(*type_length),
        (_, Some(LogicalType::String | LogicalType::Json | LogicalType::Enum), _)
        | (_, _, ConvertedType::UTF8 | ConvertedType::JSON | ConvertedType::ENUM) => LeafType::Text,
        _ => LeafType::Binary,
    };
    Leaf {
        physical: *physical_type,
        length: *type_length,
        kind,
        logical: logical.cloned(),
        converted,
        scale: *scale,
        precision: *precision,
        variety: 0,
    }
}
