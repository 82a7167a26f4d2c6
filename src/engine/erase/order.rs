//! How values of a column compare, and the bounds that statistics and page indexes hold.

use std::cmp::Ordering;

use crate::model::LeafType;

use super::values::Physical;

/// Longer bounds of strings and bytes are cut when they are made anew.
const LONGEST: usize = 64;

/// The order of a column's statistics (Parquet's `TypeDefinedOrder`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Unsigned bytes; booleans too. `text` says whether a cut must respect UTF-8.
    Bytes {
        text: bool,
    },
    /// Big-endian two's complement of any length.
    Decimal,
    I32,
    U32,
    I64,
    U64,
    I96,
    F16,
    F32,
    F64,
    /// Not defined: no bounds are made.
    Unknown,
}

impl Order {
    pub(crate) const fn of(physical: Physical, kind: &LeafType) -> Self {
        let unsigned = matches!(kind, LeafType::Int { signed: false, .. });
        match (physical, kind) {
            (Physical::Bool, _) => Self::Bytes { text: false },
            (Physical::I32, _) => {
                if unsigned {
                    Self::U32
                } else {
                    Self::I32
                }
            }
            (Physical::I64, _) => {
                if unsigned {
                    Self::U64
                } else {
                    Self::I64
                }
            }
            (Physical::I96, _) => Self::I96,
            (Physical::F32, _) => Self::F32,
            (Physical::F64, _) => Self::F64,
            (_, LeafType::Decimal { .. }) => Self::Decimal,
            (_, LeafType::Other(_)) => Self::Unknown,
            (Physical::Fixed(_), LeafType::Float) => Self::F16,
            (_, LeafType::Text) => Self::Bytes { text: true },
            _ => Self::Bytes { text: false },
        }
    }

    /// Whether the deprecated `min` and `max`, which old writers compared as signed, mean the same.
    pub(crate) const fn signed(self) -> bool {
        matches!(self, Self::I32 | Self::I64 | Self::F32 | Self::F64)
    }

    /// `None` where a value has no place in the order (NaN, a wrong width).
    pub(crate) fn compare(self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        match self {
            Self::Bytes { .. } => Some(a.cmp(b)),
            Self::Decimal => Some(compare_decimals(a, b)),
            Self::I32 => Some(i32::from_le_bytes(fixed(a)?).cmp(&i32::from_le_bytes(fixed(b)?))),
            Self::U32 => Some(u32::from_le_bytes(fixed(a)?).cmp(&u32::from_le_bytes(fixed(b)?))),
            Self::I64 => Some(i64::from_le_bytes(fixed(a)?).cmp(&i64::from_le_bytes(fixed(b)?))),
            Self::U64 => Some(u64::from_le_bytes(fixed(a)?).cmp(&u64::from_le_bytes(fixed(b)?))),
            Self::I96 => {
                let split = |raw: &[u8]| {
                    let nanos = i64::from_le_bytes(fixed(raw.get(..8)?)?);
                    Some((i32::from_le_bytes(fixed(raw.get(8..)?)?), nanos))
                };
                Some(split(a)?.cmp(&split(b)?))
            }
            Self::F16 => half(u16::from_le_bytes(fixed(a)?))
                .partial_cmp(&half(u16::from_le_bytes(fixed(b)?))),
            Self::F32 => f32::from_le_bytes(fixed(a)?).partial_cmp(&f32::from_le_bytes(fixed(b)?)),
            Self::F64 => f64::from_le_bytes(fixed(a)?).partial_cmp(&f64::from_le_bytes(fixed(b)?)),
            Self::Unknown => None,
        }
    }

    fn zero(self, negative: bool) -> Option<Vec<u8>> {
        let sign = if negative { -1.0_f64 } else { 1.0 };
        match self {
            Self::F16 => Some(vec![0, if negative { 0x80 } else { 0 }]),
            Self::F32 => Some((0.0_f32.copysign(sign as f32)).to_le_bytes().to_vec()),
            Self::F64 => Some((0.0_f64.copysign(sign)).to_le_bytes().to_vec()),
            _ => None,
        }
    }
}

fn fixed<const N: usize>(raw: &[u8]) -> Option<[u8; N]> {
    raw.try_into().ok()
}

/// The value of a half-precision float.
pub(crate) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

fn compare_decimals(a: &[u8], b: &[u8]) -> Ordering {
    let negative = |raw: &[u8]| raw.first().is_some_and(|byte| *byte >= 0x80);
    match (negative(a), negative(b)) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    let fill = if negative(a) { 0xff } else { 0 };
    let width = a.len().max(b.len());
    let padded = |raw: &[u8], i: usize| match (i + raw.len()).checked_sub(width) {
        Some(at) => raw.get(at).copied().unwrap_or(fill),
        None => fill,
    };
    (0..width)
        .map(|i| padded(a, i).cmp(&padded(b, i)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The smallest and largest value of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: Bound,
    pub(crate) max: Bound,
}

/// One end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) value: Vec<u8>,
    /// Whether it is a value that is there; `None` where the writer did not say.
    pub(crate) exact: Option<bool>,
}

impl Bounds {
    /// Whether either end could have been made from this value: it then says something of it.
    pub(crate) fn tell(&self, value: &[u8], order: Order) -> bool {
        self.min.tells(value, order) || self.max.tells(value, order)
    }

    /// Widens to take in a value that is there.
    pub(crate) fn include(&mut self, value: &[u8], order: Order) {
        if order.compare(value, &self.min.value) == Some(Ordering::Less) {
            self.min = cut(value, order, false);
        }
        if order.compare(value, &self.max.value) == Some(Ordering::Greater) {
            self.max = cut(value, order, true);
        }
    }
}

impl Bound {
    /// Whether it could have been made from this value.
    pub(crate) fn tells(&self, value: &[u8], order: Order) -> bool {
        let bound = &self.value;
        if bound == value || order.compare(bound, value) == Some(Ordering::Equal) {
            return true;
        }
        // A cut bound shares all but its last character (at most 4 bytes) with what it was cut from.
        matches!(order, Order::Bytes { .. })
            && self.exact != Some(true)
            && bound.len() <= value.len()
            && bound[..bound.len().saturating_sub(4)] == value[..bound.len().saturating_sub(4)]
    }
}

/// Gathers bounds over values. Looks at bytes only where it must.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    order: Order,
    found: Option<(Vec<u8>, Vec<u8>)>,
}

impl Gather {
    pub(crate) const fn new(order: Order) -> Self {
        Self { order, found: None }
    }

    pub(crate) fn add(&mut self, value: &[u8]) {
        match &mut self.found {
            Some((min, max)) => {
                // Of two spellings of one value always the same one, whatever the order in which they come.
                let before =
                    |a: &[u8], b: &[u8]| self.order.compare(a, b).map(|o| o.then(a.cmp(b)));
                if before(value, min) == Some(Ordering::Less) {
                    min.clear();
                    min.extend_from_slice(value);
                } else if before(value, max) == Some(Ordering::Greater) {
                    max.clear();
                    max.extend_from_slice(value);
                }
            }
            None => {
                // Equal to itself, or without a place in the order.
                if self.order.compare(value, value).is_some() {
                    self.found = Some((value.to_vec(), value.to_vec()));
                }
            }
        }
    }

    /// The bounds, long ones cut; `None` where no value had a place in the order.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        let (min, max) = self.found.as_ref()?;
        Some(Bounds { min: cut(min, self.order, false), max: cut(max, self.order, true) })
    }
}

/// A value as a bound: zeros take the sign that keeps both inside, long byte strings are cut.
fn cut(value: &[u8], order: Order, upper: bool) -> Bound {
    let exact = |value: Vec<u8>| Bound { value, exact: Some(true) };
    if let Some(zero) = order.zero(!upper)
        && order.compare(value, &zero) == Some(Ordering::Equal)
    {
        return exact(zero);
    }
    let Order::Bytes { text } = order else { return exact(value.to_vec()) };
    if value.len() <= LONGEST {
        return exact(value.to_vec());
    }
    let text = std::str::from_utf8(value).ok().filter(|_| text);
    let length = text.map_or(LONGEST, |text| text.floor_char_boundary(LONGEST));
    let kept = &value[..length];
    let cut = match (upper, text) {
        (false, _) => Some(kept.to_vec()),
        (true, Some(text)) => next_text(&text[..length]).map(String::into_bytes),
        (true, None) => next_bytes(kept),
    };
    cut.map_or_else(|| exact(value.to_vec()), |value| Bound { value, exact: Some(false) })
}

/// The least text of at most as many characters that sorts after every text with this beginning.
fn next_text(text: &str) -> Option<String> {
    let mut rest = text.to_owned();
    while let Some(last) = rest.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next.filter(|next| next.len_utf8() == last.len_utf8()) {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

fn next_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let kept = bytes.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = bytes[..=kept].to_vec();
    if let Some(last) = next.last_mut() {
        *last += 1;
    }
    Some(next)
}
