#![allow(clippy::unwrap_used)]

use parquet::schema::parser::parse_message_type;

use crate::model::{LeafType, TimeUnit};

use super::{FileLeaf, Union, layout, widen};

fn leaves(message: &str) -> Vec<FileLeaf> {
    layout(&parse_message_type(message).unwrap()).unwrap()
}

/// `path type lists element_levels` of each leaf.
fn described(message: &str) -> Vec<String> {
    leaves(message)
        .iter()
        .map(|leaf| {
            let null = if leaf.nullable { "?" } else { "" };
            format!(
                "{} {}{null} {:?} {:?}",
                leaf.path,
                leaf.kind.describe(),
                leaf.lists,
                leaf.element_levels
            )
        })
        .collect()
}

#[test]
fn structs_lists_and_maps_have_logical_paths() {
    let found = described(
        "message m {
            optional group props { optional group device { required binary os (UTF8); } }
            optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
            required group items (LIST) { repeated group list { optional group element {
                required int64 sku; optional group sizes (LIST) { repeated group list { required int32 element; } } } } }
            optional group attrs (MAP) { repeated group key_value {
                required binary key (UTF8); optional group value { optional int32 n; } } }
            optional binary a.b;
        }",
    );
    assert_eq!(
        found,
        [
            "props.device.os string [] []",
            "tags string? [1] [2]",
            "items.sku int64 [1] [1]",
            "items.sizes int32 [1, 2] [1, 4]",
            "attrs.key string [1] [2]",
            "attrs.value.n int32? [1] [2]",
            "\"a.b\" binary? [] []",
        ]
    );
}

#[test]
fn older_forms_of_lists() {
    let found = described(
        "message m {
            repeated int32 plain;
            repeated group people { optional binary name (UTF8); }
            optional group two (LIST) { repeated int32 element; }
            optional group avro (LIST) { repeated group array { required int32 x; } }
            optional group thrift (LIST) { repeated group thrift_tuple { required int32 x; } }
            optional group pair (LIST) { repeated group element { required int32 x; required int32 y; } }
            optional group old (MAP_KEY_VALUE) { repeated group map { required int32 k; optional int32 v; } }
            optional group keys (MAP) { repeated group key_value { required int32 key; } }
            optional group nested (LIST) { repeated group array (LIST) { repeated int32 array; } }
        }",
    );
    assert_eq!(
        found,
        [
            "plain int32 [1] [1]",
            "people.name string? [1] [1]",
            "two int32 [1] [2]",
            "avro.x int32 [1] [2]",
            "thrift.x int32 [1] [2]",
            "pair.x int32 [1] [2]",
            "pair.y int32 [1] [2]",
            "old.key int32 [1] [2]",
            "old.value int32? [1] [2]",
            "keys.key int32 [1] [2]",
            "nested int32 [1, 1] [2, 3]",
        ]
    );
}

#[test]
fn every_type_has_its_kind() {
    let found: Vec<String> = leaves(
        "message m {
            required boolean a; required float b; required double c; required int96 d;
            required int32 e; required int32 f (UINT_8); required int32 g (INTEGER(16,true));
            required int64 h (UINT_64); required int32 i (DATE); required int64 j (TIMESTAMP_MILLIS);
            required int64 k (TIMESTAMP(NANOS,false)); required int32 l (TIME_MILLIS);
            required int32 m (DECIMAL(9,2)); required binary n (DECIMAL(40,3));
            required fixed_len_byte_array(16) o (DECIMAL(38,0)); required fixed_len_byte_array(16) p (UUID);
            required fixed_len_byte_array(3) q; required binary r; required binary s (UTF8);
            required binary t (ENUM); required binary u (JSON); required binary v (BSON);
            required fixed_len_byte_array(12) w (INTERVAL); required fixed_len_byte_array(2) x (FLOAT16);
        }",
    )
    .iter()
    .map(|leaf| leaf.kind.describe())
    .collect();
    assert_eq!(
        found,
        [
            "boolean",
            "float",
            "float",
            "timestamp",
            "int32",
            "uint8",
            "int16",
            "uint64",
            "date",
            "timestamp",
            "timestamp",
            "time of day",
            "decimal(9, 2)",
            "decimal(40, 3)",
            "decimal(38, 0)",
            "uuid",
            "fixed binary(3)",
            "binary",
            "string",
            "string",
            "string",
            "binary",
            "interval",
            "float",
        ]
    );
}

#[test]
fn types_widen_only_without_loss() {
    let int = |bits, signed| LeafType::Int { bits, signed };
    let decimal = |precision, scale| LeafType::Decimal { precision, scale };
    let stamp = LeafType::Timestamp;
    let cases = [
        (int(32, true), int(64, true), Some(int(64, true))),
        (int(32, false), int(16, true), Some(int(64, true))),
        (int(64, false), int(8, true), None),
        (decimal(9, 2), decimal(7, 4), Some(decimal(11, 4))),
        (int(32, true), decimal(5, 2), Some(decimal(12, 2))),
        (decimal(76, 0), decimal(76, 1), None),
        (
            stamp(TimeUnit::Millisecond),
            stamp(TimeUnit::Nanosecond),
            Some(stamp(TimeUnit::Nanosecond)),
        ),
        (LeafType::Text, LeafType::Binary, Some(LeafType::Binary)),
        (LeafType::Other("null".into()), LeafType::Uuid, Some(LeafType::Uuid)),
        (LeafType::Text, int(64, true), None),
        (LeafType::Date, stamp(TimeUnit::Second), None),
        (LeafType::Float, int(32, true), None),
        (LeafType::Uuid, LeafType::Text, None),
    ];
    for (a, b, expected) in cases {
        assert_eq!(widen(&a, &b), expected, "{a:?} {b:?}");
        assert_eq!(widen(&b, &a), expected, "{b:?} {a:?}");
    }
}

#[test]
fn columns_may_be_reordered_added_and_missing() {
    let mut union = Union::default();
    assert_eq!(
        union.add(&leaves("message m { optional int32 a; required binary b (UTF8); }")),
        [""; 0]
    );
    assert_eq!(union.add(&leaves("message m { required int64 c; required int64 a; }")), [""; 0]);
    let found: Vec<String> = union
        .finish(&["day".to_owned(), "b".to_owned()])
        .iter()
        .map(|l| format!("{} {} {} {}", l.path, l.kind.describe(), l.nullable, l.partition))
        .collect();
    assert_eq!(
        found,
        [
            "a int64 false false",
            "c int64 false false",
            "day string true true",
            "b string true true"
        ]
    );
}

#[test]
fn a_column_is_not_a_group_elsewhere() {
    let mut union = Union::default();
    assert_eq!(union.add(&leaves("message m { required group a { required int32 b; } }")), [""; 0]);
    assert_eq!(union.add(&leaves("message m { required int32 a; }")).len(), 1);
    let lists = "message m { required group a { repeated int32 b; } }";
    assert_eq!(union.add(&leaves(lists)).len(), 1);
}

#[test]
fn names_must_be_there_and_be_unique() {
    let twice = parse_message_type("message m { required int32 a; required int32 a; }").unwrap();
    assert_eq!(layout(&twice).unwrap_err(), "has two columns called `a`");
}

#[test]
fn sixty_five_thousand_columns_are_no_trouble() {
    let columns: String = (0..65_000).map(|n| format!("optional int32 c{n};")).collect();
    let leaves = leaves(&format!("message m {{ {columns} }}"));
    let mut union = Union::default();
    for _ in 0..3 {
        assert_eq!(union.add(&leaves), [""; 0]);
    }
    assert_eq!(union.finish(&[]).len(), 65_000);
}
