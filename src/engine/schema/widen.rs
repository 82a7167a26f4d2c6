//! One type for a column that files write in several: only where no value is lost.

use crate::model::LeafType;

/// The type that holds every value of both; `None` where there is none.
///
/// Text beside binary is binary: old writers keep text in unannotated binary columns. A column that is
/// always null in one file takes the other's type.
pub(crate) fn widen(a: &LeafType, b: &LeafType) -> Option<LeafType> {
    use LeafType::{Binary, Decimal, FixedBinary, Int, Other, Text, Timestamp};
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Other(null), other) | (other, Other(null)) if null == LeafType::NULL => {
            Some(other.clone())
        }
        (Int { bits: x, signed: s }, Int { bits: y, signed: t }) => integers((*x, *s), (*y, *t)),
        (Decimal { precision, scale }, Decimal { precision: p, scale: s }) => {
            decimals((*precision, *scale), (*p, *s))
        }
        (Int { bits, signed }, Decimal { precision, scale })
        | (Decimal { precision, scale }, Int { bits, signed }) => {
            decimals((digits(*bits, *signed), 0), (*precision, *scale))
        }
        (Timestamp(x), Timestamp(y)) => Some(Timestamp(*x.max(y))),
        (Text | Binary | FixedBinary(_), Text | Binary | FixedBinary(_)) => Some(Binary),
        _ => None,
    }
}

fn integers((x, s): (u8, bool), (y, t): (u8, bool)) -> Option<LeafType> {
    if s == t {
        return Some(LeafType::Int { bits: x.max(y), signed: s });
    }
    let (signed, unsigned) = if s { (x, y) } else { (y, x) };
    let bits = signed.max(unsigned * 2);
    (bits <= 64).then_some(LeafType::Int { bits, signed: true })
}

const fn digits(bits: u8, signed: bool) -> u8 {
    match (bits, signed) {
        (8, _) => 3,
        (16, _) => 5,
        (32, _) => 10,
        (_, true) => 19,
        (_, false) => 20,
    }
}

fn decimals((p, s): (u8, i8), (q, t): (u8, i8)) -> Option<LeafType> {
    let whole = (i16::from(p) - i16::from(s)).max(i16::from(q) - i16::from(t));
    let scale = s.max(t);
    let precision = u8::try_from(whole + i16::from(scale)).ok()?;
    (precision <= 76).then_some(LeafType::Decimal { precision, scale })
}
