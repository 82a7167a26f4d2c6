//! Schemas and records as trees.

use std::sync::Arc;

use amparo::model::{LeafType, TimeUnit};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::schema::types::{Type, TypePtr};

use super::random::Random;

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) optional: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Leaf(Leaf),
    Struct(Vec<Field>),
    /// The element is a field of its own.
    List(Box<Field>),
    /// Key and value.
    Map(Box<Field>, Box<Field>),
    /// A repeated leaf without a list around it.
    Repeated(Leaf),
}

#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) physical: Physical,
    pub(crate) length: i32,
    pub(crate) kind: LeafType,
    pub(crate) logical: Option<LogicalType>,
    pub(crate) converted: ConvertedType,
    pub(crate) scale: i32,
    pub(crate) precision: i32,
    /// How many different values records hold.
    pub(crate) variety: usize,
}

/// A value: leaves as the bytes of their plain form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Leaf(Vec<u8>),
    Struct(Vec<Value>),
    List(Vec<Value>),
}

fn leaf(random: &mut Random) -> Leaf {
    let variety = *random.pick(&[1, 3, 20, 100_000]);
    let make = |physical, length, kind, logical, converted, precision, scale| Leaf {
        physical,
        length,
        kind,
        logical,
        converted,
        scale,
        precision,
        variety,
    };
    let none = ConvertedType::NONE;
    let int = |bits, signed| LeafType::Int { bits, signed };
    match random.below(22) {
        0 => make(Physical::BOOLEAN, 0, LeafType::Bool, None, none, 0, 0),
        1 => make(Physical::INT32, 0, int(32, true), None, none, 0, 0),
        2 => make(
            Physical::INT32,
            0,
            int(8, false),
            Some(LogicalType::integer(8, false)),
            ConvertedType::UINT_8,
            0,
            0,
        ),
        3 => make(
            Physical::INT32,
            0,
            LeafType::Date,
            Some(LogicalType::Date),
            ConvertedType::DATE,
            0,
            0,
        ),
        4 => make(Physical::INT64, 0, int(64, true), None, none, 0, 0),
        5 => make(
            Physical::INT64,
            0,
            int(64, false),
            Some(LogicalType::integer(64, false)),
            ConvertedType::UINT_64,
            0,
            0,
        ),
        6 => make(
            Physical::INT64,
            0,
            LeafType::Timestamp(TimeUnit::Millisecond),
            None,
            ConvertedType::TIMESTAMP_MILLIS,
            0,
            0,
        ),
        7 => make(
            Physical::INT64,
            0,
            LeafType::Timestamp(TimeUnit::Nanosecond),
            Some(LogicalType::timestamp(true, parquet::basic::TimeUnit::NANOS)),
            none,
            0,
            0,
        ),
        8 => make(Physical::INT96, 0, LeafType::Timestamp(TimeUnit::Nanosecond), None, none, 0, 0),
        9 => make(Physical::FLOAT, 0, LeafType::Float, None, none, 0, 0),
        10 => make(Physical::DOUBLE, 0, LeafType::Float, None, none, 0, 0),
        11 => make(
            Physical::FIXED_LEN_BYTE_ARRAY,
            16,
            LeafType::Uuid,
            Some(LogicalType::Uuid),
            none,
            0,
            0,
        ),
        12 => make(
            Physical::FIXED_LEN_BYTE_ARRAY,
            2,
            LeafType::Float,
            Some(LogicalType::Float16),
            none,
            0,
            0,
        ),
        13 => make(Physical::FIXED_LEN_BYTE_ARRAY, 5, LeafType::FixedBinary(5), None, none, 0, 0),
        14 => make(
            Physical::FIXED_LEN_BYTE_ARRAY,
            9,
            LeafType::Decimal { precision: 20, scale: 3 },
            Some(LogicalType::decimal(3, 20)),
            ConvertedType::DECIMAL,
            20,
            3,
        ),
        15 => make(
            Physical::INT32,
            0,
            LeafType::Decimal { precision: 8, scale: 2 },
            Some(LogicalType::decimal(2, 8)),
            ConvertedType::DECIMAL,
            8,
            2,
        ),
        16 => make(Physical::BYTE_ARRAY, 0, LeafType::Binary, None, none, 0, 0),
        17 => make(
            Physical::BYTE_ARRAY,
            0,
            LeafType::Decimal { precision: 15, scale: 1 },
            Some(LogicalType::decimal(1, 15)),
            ConvertedType::DECIMAL,
            15,
            1,
        ),
        _ => make(
            Physical::BYTE_ARRAY,
            0,
            LeafType::Text,
            Some(LogicalType::String),
            ConvertedType::UTF8,
            0,
            0,
        ),
    }
}

fn field(name: String, depth: usize, random: &mut Random) -> Field {
    let optional = random.below(10) < 7;
    let kind = match random.below(if depth == 0 { 4 } else { 10 }) {
        0..=3 => Kind::Leaf(leaf(random)),
        4 | 5 => Kind::Struct(fields(depth - 1, 1 + random.below(3), random)),
        6 | 7 => Kind::List(Box::new(field("element".to_owned(), depth - 1, random))),
        8 => {
            let key =
                Field { name: "key".to_owned(), optional: false, kind: Kind::Leaf(leaf(random)) };
            Kind::Map(Box::new(key), Box::new(field("value".to_owned(), depth - 1, random)))
        }
        _ => return Field { name, optional: false, kind: Kind::Repeated(leaf(random)) },
    };
    Field { name, optional, kind }
}

fn fields(depth: usize, count: usize, random: &mut Random) -> Vec<Field> {
    (0..count).map(|i| field(format!("f{i}"), depth, random)).collect()
}

pub(crate) fn schema(random: &mut Random) -> Vec<Field> {
    let count = 1 + random.below(5);
    fields(3, count, random)
}

/// The schema as Parquet wants it.
pub(crate) fn parquet(fields: &[Field]) -> TypePtr {
    let fields = fields.iter().enumerate().map(|(i, field)| node(field, Some(i as i32))).collect();
    Arc::new(Type::group_type_builder("schema").with_fields(fields).build().unwrap())
}

fn node(field: &Field, id: Option<i32>) -> TypePtr {
    let repetition = if field.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let group = |fields, logical, converted| {
        Type::group_type_builder(&field.name)
            .with_repetition(repetition)
            .with_fields(fields)
            .with_logical_type(logical)
            .with_converted_type(converted)
            .with_id(id)
            .build()
            .unwrap()
    };
    let repeated = |name: &str, fields| {
        let builder = Type::group_type_builder(name).with_repetition(Repetition::REPEATED);
        Arc::new(builder.with_fields(fields).build().unwrap())
    };
    let none = ConvertedType::NONE;
    Arc::new(match &field.kind {
        Kind::Leaf(leaf) => primitive(&field.name, leaf, repetition, id),
        Kind::Repeated(leaf) => primitive(&field.name, leaf, Repetition::REPEATED, id),
        Kind::Struct(fields) => group(fields.iter().map(|f| node(f, None)).collect(), None, none),
        Kind::List(element) => group(
            vec![repeated("list", vec![node(element, None)])],
            Some(LogicalType::List),
            ConvertedType::LIST,
        ),
        Kind::Map(key, value) => group(
            vec![repeated("key_value", vec![node(key, None), node(value, None)])],
            Some(LogicalType::Map),
            ConvertedType::MAP,
        ),
    })
}

fn primitive(name: &str, leaf: &Leaf, repetition: Repetition, id: Option<i32>) -> Type {
    Type::primitive_type_builder(name, leaf.physical)
        .with_repetition(repetition)
        .with_length(leaf.length)
        .with_logical_type(leaf.logical.clone())
        .with_converted_type(leaf.converted)
        .with_precision(leaf.precision)
        .with_scale(leaf.scale)
        .with_id(id)
        .build()
        .unwrap()
}

pub(crate) fn records(schema: &[Field], random: &mut Random) -> Vec<Value> {
    let count = *random.pick(&[1, 7, 60, 300, 900]);
    let nulls = *random.pick(&[0, 1, 5]);
    (0..count)
        .map(|_| Value::Struct(schema.iter().map(|field| value(field, nulls, random)).collect()))
        .collect()
}

fn value(field: &Field, nulls: usize, random: &mut Random) -> Value {
    if field.optional && random.below(10) < nulls {
        return Value::Null;
    }
    match &field.kind {
        Kind::Leaf(leaf) => Value::Leaf(bytes(leaf, random)),
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| value(field, nulls, random)).collect())
        }
        Kind::List(element) => {
            Value::List((0..random.below(4)).map(|_| value(element, nulls, random)).collect())
        }
        Kind::Map(key, item) => {
            let entry = |random: &mut Random| {
                Value::Struct(vec![value(key, nulls, random), value(item, nulls, random)])
            };
            Value::List((0..random.below(4)).map(|_| entry(random)).collect())
        }
        Kind::Repeated(leaf) => {
            Value::List((0..random.below(4)).map(|_| Value::Leaf(bytes(leaf, random))).collect())
        }
    }
}

fn bytes(leaf: &Leaf, random: &mut Random) -> Vec<u8> {
    let n = random.below(leaf.variety) as u64;
    let mixed = Random::new(n).next();
    match (leaf.physical, &leaf.kind) {
        (Physical::BOOLEAN, _) => vec![(n & 1) as u8],
        (Physical::INT32, LeafType::Int { bits: 8, .. }) => vec![n as u8, 0, 0, 0],
        (Physical::INT32, LeafType::Decimal { .. }) => {
            ((n % 10_000) as i32 - 50).to_le_bytes().to_vec()
        }
        (Physical::INT32, _) => (mixed as i32).to_le_bytes().to_vec(),
        (Physical::INT64, _) => mixed.to_le_bytes().to_vec(),
        (Physical::INT96, _) => {
            let mut raw = (mixed % 86_400_000_000_000).to_le_bytes().to_vec();
            raw.extend_from_slice(&(2_440_588 + (n % 20_000) as i32).to_le_bytes());
            raw
        }
        (Physical::FLOAT, _) => {
            let number = if n == 2 { f32::NAN } else { mixed as i32 as f32 / 1e7 };
            number.to_le_bytes().to_vec()
        }
        (Physical::DOUBLE, _) => {
            let number = if n == 2 { -0.0 } else { mixed as i32 as f64 / 1e7 };
            number.to_le_bytes().to_vec()
        }
        (Physical::BYTE_ARRAY, LeafType::Text) => match n % 7 {
            0 => format!("https://shop.example/p{n}?q={mixed}#x").into_bytes(),
            1 => format!("Privacy-{:032X}", mixed).into_bytes(),
            2 if n > 10 => format!("{}é{n}", "long ".repeat(20 + n as usize % 9)).into_bytes(),
            3 => Vec::new(),
            _ => format!("user{n}@mail{}.example", mixed % 50).into_bytes(),
        },
        (Physical::BYTE_ARRAY, LeafType::Decimal { .. }) => {
            let number = (n as i64 - 30).to_be_bytes();
            number[6 - (n % 3) as usize..].to_vec()
        }
        (Physical::BYTE_ARRAY, _) => mixed.to_le_bytes()[..(n % 9).min(8) as usize].to_vec(),
        (Physical::FIXED_LEN_BYTE_ARRAY, LeafType::Float) => {
            ((mixed % 30_000) as u16).to_le_bytes().to_vec()
        }
        (Physical::FIXED_LEN_BYTE_ARRAY, _) => {
            let mut raw = [mixed.to_be_bytes(), (!mixed).to_be_bytes()].concat();
            raw.truncate(leaf.length as usize);
            raw
        }
    }
}

/// A leaf of the schema with its place.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Logical path.
    pub(crate) path: Vec<String>,
    pub(crate) leaf: Leaf,
    pub(crate) optional: bool,
    /// For each list above: how many names of `path` lead to it.
    pub(crate) lists: Vec<usize>,
    pub(crate) max_def: i16,
}

pub(crate) fn columns(schema: &[Field]) -> Vec<Column> {
    fn walk(field: &Field, named: bool, above: &Column, out: &mut Vec<Column>) {
        let mut here = above.clone();
        if named {
            here.path.push(field.name.clone());
        }
        here.max_def += i16::from(field.optional);
        here.optional = field.optional;
        match &field.kind {
            Kind::Leaf(leaf) => out.push(Column { leaf: leaf.clone(), ..here }),
            Kind::Struct(fields) => fields.iter().for_each(|field| walk(field, true, &here, out)),
            Kind::Repeated(leaf) => {
                here.lists.push(here.path.len());
                here.max_def += 1;
                out.push(Column { leaf: leaf.clone(), optional: false, ..here });
            }
            Kind::List(element) => {
                here.lists.push(here.path.len());
                here.max_def += 1;
                walk(element, false, &here, out);
            }
            Kind::Map(key, value) => {
                here.lists.push(here.path.len());
                here.max_def += 1;
                walk(key, true, &here, out);
                walk(value, true, &here, out);
            }
        }
    }
    let mut out = Vec::new();
    let leaf = leaf(&mut Random::new(0));
    let root = Column { path: Vec::new(), leaf, optional: false, lists: Vec::new(), max_def: 0 };
    schema.iter().for_each(|field| walk(field, true, &root, &mut out));
    out
}
