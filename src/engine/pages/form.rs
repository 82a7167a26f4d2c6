//! The forms of Parquet's Thrift structs, held against bytes before `parquet` reads them.
//!
//! It passes over fields that it does not know by their wire type, and takes a list of booleans to need no
//! bytes: a list that claims two thousand million of them keeps it busy for minutes, and lists of such lists
//! for ever. Fields that it knows it reads without a look at their wire type.
//!
//! Guarantees: what fits takes time in proportion to its bytes to read, here and there: every element of a
//! list or map takes a byte, and a field that is known is of the type that it is read as.

use super::thrift::Thrift;

/// What a field is read as.
#[derive(Debug)]
enum Form {
    /// A boolean: its value is its wire type.
    Bool,
    Byte,
    /// An integer of 16, 32 or 64 bits: they are written alike.
    Int,
    Double,
    /// Bytes or a text.
    Bytes,
    List(&'static Form),
    Struct(Fields),
}

/// Forms by field number; other fields are passed over.
type Fields = &'static [(i16, Form)];

use Form::{Bool, Byte, Bytes, Double, Int, List, Struct};

const NOTHING: Form = Struct(&[]);

const KEY_VALUE: Form = Struct(&[(1, Bytes), (2, Bytes)]);

const TIME_UNIT: Form = Struct(&[(1, NOTHING), (2, NOTHING), (3, NOTHING)]);

const LOGICAL_TYPE: Form = Struct(&[
    (1, NOTHING),
    (2, NOTHING),
    (3, NOTHING),
    (4, NOTHING),
    (5, Struct(&[(1, Int), (2, Int)])),
    (6, NOTHING),
    (7, Struct(&[(1, Bool), (2, TIME_UNIT)])),
    (8, Struct(&[(1, Bool), (2, TIME_UNIT)])),
    (10, Struct(&[(1, Byte), (2, Bool)])),
    (11, NOTHING),
    (12, NOTHING),
    (13, NOTHING),
    (14, NOTHING),
    (15, NOTHING),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Bytes)])),
    (18, Struct(&[(1, Bytes), (2, Int)])),
]);

const SCHEMA_ELEMENT: Form = Struct(&[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Bytes),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, Int),
    (9, Int),
    (10, LOGICAL_TYPE),
]);

const STATISTICS: Form = Struct(&[
    (1, Bytes),
    (2, Bytes),
    (3, Int),
    (4, Int),
    (5, Bytes),
    (6, Bytes),
    (7, Bool),
    (8, Bool),
]);

const BOUNDING_BOX: Form = Struct(&[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
]);

const COLUMN_META: Form = Struct(&[
    (1, Int),
    (2, List(&Int)),
    (3, List(&Bytes)),
    (4, Int),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, List(&KEY_VALUE)),
    (9, Int),
    (10, Int),
    (11, Int),
    (12, STATISTICS),
    (13, List(&Struct(&[(1, Int), (2, Int), (3, Int)]))),
    (14, Int),
    (15, Int),
    (16, Struct(&[(1, Int), (2, List(&Int)), (3, List(&Int))])),
    (17, Struct(&[(1, BOUNDING_BOX), (2, List(&Int))])),
]);

const COLUMN: Form = Struct(&[
    (1, Bytes),
    (2, Int),
    (3, COLUMN_META),
    (4, Int),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, NOTHING),
    (9, Bytes),
]);

const ROW_GROUP: Form = Struct(&[
    (1, List(&COLUMN)),
    (2, Int),
    (3, Int),
    (4, List(&Struct(&[(1, Int), (2, Bool), (3, Bool)]))),
    (5, Int),
    (6, Int),
    (7, Int),
]);

const FOOTER: Fields = &[
    (1, Int),
    (2, List(&SCHEMA_ELEMENT)),
    (3, Int),
    (4, List(&ROW_GROUP)),
    (5, List(&KEY_VALUE)),
    (6, Bytes),
    (7, List(&Struct(&[(1, NOTHING), (2, NOTHING)]))),
    (8, NOTHING),
    (9, Bytes),
];

const PAGE: Fields = &[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Int),
    (5, Struct(&[(1, Int), (2, Int), (3, Int), (4, Int), (5, STATISTICS)])),
    (6, NOTHING),
    (7, Struct(&[(1, Int), (2, Int), (3, Bool)])),
    (
        8,
        Struct(&[
            (1, Int),
            (2, Int),
            (3, Int),
            (4, Int),
            (5, Int),
            (6, Int),
            (7, Bool),
            (8, STATISTICS),
        ]),
    ),
];

const ONE_WAY: Form = Struct(&[(1, NOTHING)]);

const BLOOM: Fields = &[(1, Int), (2, ONE_WAY), (3, ONE_WAY), (4, ONE_WAY)];

/// Whether a footer (without its length and magic) has the form of one.
pub(crate) fn is_footer(bytes: &[u8]) -> bool {
    fields(&mut Thrift::new(bytes, 0), FOOTER).is_some()
}

/// Whether the header of a Bloom filter stands at the front of `bytes`.
pub(crate) fn is_bloom_head(bytes: &[u8]) -> bool {
    fields(&mut Thrift::new(bytes, 0), BLOOM).is_some()
}

/// Passes over the header of a page; `None` where it has not the form of one.
pub(super) fn page(thrift: &mut Thrift<'_>) -> Option<()> {
    fields(thrift, PAGE)
}

fn fields(thrift: &mut Thrift<'_>, forms: Fields) -> Option<()> {
    let mut number = 0;
    while let Some(kind) = thrift.field(&mut number)? {
        match forms.iter().find(|(known, _)| *known == number) {
            Some((_, form)) if !form.is_of(kind) => return None,
            // As a field a boolean has no bytes.
            Some((_, Bool)) => {}
            Some((_, form)) => form.value(thrift)?,
            None => thrift.skip(kind)?,
        }
    }
    Some(())
}

impl Form {
    /// Whether a wire type is read as this.
    const fn is_of(&self, kind: u8) -> bool {
        match self {
            Bool => matches!(kind, 1 | 2),
            Byte => kind == 3,
            Int => matches!(kind, 4..=6),
            Double => kind == 7,
            Bytes => kind == 8,
            List(_) => kind == Thrift::LIST,
            Struct(_) => kind == Thrift::STRUCT,
        }
    }

    /// Passes over a value of this form.
    fn value(&self, thrift: &mut Thrift<'_>) -> Option<()> {
        match self {
            Bool | Byte => thrift.skip(3),
            Int => thrift.skip(6),
            Double => thrift.skip(7),
            Bytes => thrift.binary().map(|_| ()),
            Struct(forms) => fields(thrift, forms),
            List(form) => {
                let (kind, size) = thrift.list_head()?;
                // Some writers name no type where there is no element.
                if size > 0 && !form.is_of(kind) {
                    return None;
                }
                (0..size).try_for_each(|_| form.value(thrift))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most that a list can claim, as a varint.
    const MOST: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x07];

    fn with(front: &[u8], head: u8) -> Vec<u8> {
        [front, &[head], &MOST, &[0; 64]].concat()
    }

    #[test]
    fn a_list_of_more_than_there_is_does_not_fit() {
        // Field 15, which nobody knows: a list (9), a set (10) of booleans.
        for kind in [0xf9, 0xfa] {
            for boolean in [0xf1, 0xf2] {
                let bytes = with(&[kind], boolean);
                assert!(!is_footer(&bytes) && !is_bloom_head(&bytes), "{bytes:?}");
                assert_eq!(page(&mut Thrift::new(&bytes, 0)), None);
            }
        }
        // A map of booleans: its size, then the types.
        assert!(!is_footer(&[&[0xfb][..], &MOST, &[0x11], &[0; 64]].concat()));
        // Lists of such lists.
        assert!(!is_footer(&[&[0xf9, 0x29][..], &with(&[], 0xf1)].concat()));
        assert!(!is_footer(&with(&[0xf9], 0xf9)));
    }

    #[test]
    fn a_known_field_is_of_its_type() {
        // 1 is an integer, of whatever width; 6 is text.
        assert!(is_footer(&[0x15, 2, 0]) && is_footer(&[0x16, 2, 0]));
        assert!(!is_footer(&[0x18, 1, b'x', 0]));
        assert!(is_footer(&[0x68, 1, b'x', 0]) && !is_footer(&[0x65, 2, 0]));
        // 2 is a list of structs; an empty one may be of anything.
        assert!(is_footer(&[0x29, 0x1c, 0, 0]) && is_footer(&[0x29, 0, 0]));
        assert!(!is_footer(&[0x29, 0x11, 0, 0]));
        // Cut short.
        assert!(!is_footer(&[0x15, 2]) && !is_footer(&[]));
    }
}
