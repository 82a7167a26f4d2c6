//! Leaf columns of the data, and values of identities in a column's own type (RULES.md section 2).

use jiff::{Timestamp, civil, tz::TimeZone};

use serde::{Deserialize, Serialize};

use super::{FieldPath, Namespace, hex};

/// Unit of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

/// What a leaf holds, as far as rules depend on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeafType {
    /// Strings of every encoding; enums and JSON too.
    Text,
    /// Integers: width in bits and sign.
    Int {
        /// 8, 16, 32 or 64.
        bits: u8,
        /// Whether signed.
        signed: bool,
    },
    /// Decimals of any physical type.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point; may be negative.
        scale: i8,
    },
    /// Days.
    Date,
    /// Timestamps, INT96 included (then of nanoseconds).
    Timestamp(TimeUnit),
    /// UUID.
    Uuid,
    /// Variable binary.
    Binary,
    /// Binary of that many bytes.
    FixedBinary(i32),
    /// Floats of any width.
    Float,
    /// Booleans.
    Bool,
    /// Anything else: times of day, intervals, and so on, by a name to show.
    Other(String),
}

/// One leaf column of a dataset: the union of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Logical path, list levels left out.
    pub path: FieldPath,
    /// Type, widened over the files.
    pub kind: LeafType,
    /// For each list or map above the leaf, outermost first: how many names of `path` lead to it.
    /// `items.sku` in a list of structs has `[1]`; `tags` has `[1]`; a map's `attrs.key` has `[1]`.
    /// Two leaves lie in the same repeated group where these prefixes of their paths are equal.
    pub lists: Vec<usize>,
    /// Whether the leaf itself may be null in every file (not only a struct above it).
    pub nullable: bool,
    /// Whether it is a hive partition column, not stored in the files.
    pub partition: bool,
}

impl Leaf {
    /// How many outer list levels the two leaves share: the elements of that many levels belong
    /// together.
    pub fn shared_lists(&self, other: &Self) -> usize {
        self.lists
            .iter()
            .zip(&other.lists)
            .take_while(|(a, b)| a == b && self.path.parts()[..**a] == other.path.parts()[..**a])
            .count()
    }
}

/// An identity value in a column's own type, for equality.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Canonical text.
    Text(String),
    /// An integer of any width.
    Int(i128),
    /// A decimal: its unscaled digits at the column's scale, with `-` where negative, no leading zeros.
    Decimal(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp(i128),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

impl LeafType {
    /// What [`Self::Other`] calls a column of nulls.
    pub const NULL: &'static str = "null";

    /// The value of a request as a key of this type; `None` where it cannot be of the type: it then
    /// matches nothing in that column. The namespace's normalisation applies first; text and binary
    /// that is text compare in the canonical form, other types by value.
    pub fn key(&self, namespace: &Namespace, given: &str) -> Option<Key> {
        if matches!(self, Self::Text) {
            return Some(Key::Text(namespace.canonical(given)));
        }
        let normalized = namespace.normalized(given);
        let text = normalized.trim();
        match self {
            Self::Int { bits, signed } => {
                let number: i128 = text.parse().ok()?;
                let (low, high) = if *signed {
                    (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
                } else {
                    (0, (1_i128 << bits) - 1)
                };
                (low..=high).contains(&number).then_some(Key::Int(number))
            }
            Self::Decimal { precision, scale } => unscaled(text, *precision, *scale),
            Self::Date => {
                let date: civil::Date = text.parse().ok()?;
                let epoch = civil::date(1970, 1, 1);
                epoch.until(date).ok().map(|span| Key::Date(span.get_days()))
            }
            Self::Timestamp(_) => instant(text).map(|t| Key::Timestamp(t.as_nanosecond())),
            Self::Uuid => uuid_bytes(text).map(Key::Bytes),
            Self::Binary => {
                binary(&normalized).map(|raw| Key::Bytes(canonical_bytes(namespace, &raw)))
            }
            Self::FixedBinary(length) => binary(&normalized)
                .filter(|raw| usize::try_from(*length).is_ok_and(|length| raw.len() == length))
                .map(|raw| Key::Bytes(canonical_bytes(namespace, &raw))),
            Self::Text | Self::Float | Self::Bool | Self::Other(_) => None,
        }
    }

    /// Whether a column of this type holds nothing but nulls: what writers make of a file in which they saw
    /// no value. It identifies nobody and has nothing to erase.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Other(name) if name == Self::NULL)
    }

    /// Whether a column of this type can be an ID field.
    pub const fn can_identify(&self) -> bool {
        !matches!(self, Self::Float | Self::Bool | Self::Other(_))
    }

    /// A key of this type as the text that a request would write.
    pub fn text(&self, key: &Key) -> String {
        match key {
            Key::Text(text) => text.clone(),
            Key::Int(number) => number.to_string(),
            Key::Decimal(digits) => {
                scaled(digits, if let Self::Decimal { scale, .. } = self { *scale } else { 0 })
            }
            Key::Date(days) => jiff::Span::new()
                .try_days(*days)
                .and_then(|span| civil::date(1970, 1, 1).checked_add(span))
                .map_or_else(|_| days.to_string(), |date| date.to_string()),
            Key::Timestamp(nanos) => Timestamp::from_nanosecond(*nanos)
                .map_or_else(|_| nanos.to_string(), |t| t.to_string()),
            Key::Bytes(bytes) => match (self, bytes.len()) {
                (Self::Uuid, 16) => uuid_text(bytes),
                _ => match std::str::from_utf8(bytes) {
                    Ok(text) if !text.starts_with("0x") => text.to_owned(),
                    _ => format!("0x{}", hex(bytes)),
                },
            },
        }
    }

    /// A key as the text of an identity: as [`LeafType::text`], but decimals without the zeros that only
    /// their scale writes, so that `7.00` links to the `7` of an integer column.
    pub fn identity_text(&self, key: &Key) -> String {
        let text = self.text(key);
        match (key, text.split_once('.')) {
            (Key::Decimal(_), Some((whole, fraction))) => match fraction.trim_end_matches('0') {
                "" => whole.to_owned(),
                fraction => format!("{whole}.{fraction}"),
            },
            _ => text,
        }
    }

    /// The type in words, for diagnostics.
    pub fn describe(&self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Int { bits, signed: true } => format!("int{bits}"),
            Self::Int { bits, signed: false } => format!("uint{bits}"),
            Self::Decimal { precision, scale } => format!("decimal({precision}, {scale})"),
            Self::Date => "date".to_owned(),
            Self::Timestamp(_) => "timestamp".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Binary => "binary".to_owned(),
            Self::FixedBinary(n) => format!("fixed binary({n})"),
            Self::Float => "float".to_owned(),
            Self::Bool => "boolean".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// ISO 8601 instant; without an offset it is UTC; a date alone is its midnight.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil: civil::DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn binary(given: &str) -> Option<Vec<u8>> {
    match given.strip_prefix("0x").or_else(|| given.strip_prefix("0X")) {
        Some(hex) => unhex(hex),
        None => Some(given.as_bytes().to_vec()),
    }
}

/// Bytes of a binary column in the form to compare by: old writers keep text in unannotated binary
/// columns, so what is UTF-8 compares like text, and everything else byte by byte.
pub fn canonical_bytes(namespace: &Namespace, raw: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(raw) {
        Ok(text) => namespace.canonical(text).into_bytes(),
        Err(_) => raw.to_vec(),
    }
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    hex.as_bytes()
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

fn uuid_bytes(text: &str) -> Option<Vec<u8>> {
    let bare = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let bare = bare.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(bare);
    let dashes: Vec<usize> = bare.match_indices('-').map(|(i, _)| i).collect();
    if !dashes.is_empty() && dashes != [8, 13, 18, 23] {
        return None;
    }
    unhex(&bare.replace('-', "")).filter(|bytes| bytes.len() == 16)
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = hex(bytes);
    for dash in [20, 16, 12, 8] {
        text.insert(dash, '-');
    }
    text
}

/// The unscaled digits of a decimal text at a scale; `None` where it is no decimal, has more digits
/// after the point than the scale (zeros do not count), or more digits than the precision.
fn unscaled(text: &str, precision: u8, scale: i8) -> Option<Key> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty()
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut all = format!("{whole}{fraction}");
    let shift = isize::from(scale) - isize::try_from(fraction.len()).ok()?;
    if shift >= 0 {
        all.extend(std::iter::repeat_n('0', shift.unsigned_abs()));
    } else {
        let cut = all.len().checked_sub(shift.unsigned_abs());
        match cut.map(|cut| all.split_at(cut)) {
            Some((kept, rest)) if rest.bytes().all(|b| b == b'0') => all = kept.to_owned(),
            None if all.bytes().all(|b| b == b'0') => all = String::new(),
            _ => return None,
        }
    }
    let bare = all.trim_start_matches('0');
    if bare.len() > usize::from(precision) {
        return None;
    }
    Some(Key::Decimal(match (bare, negative) {
        ("", _) => "0".to_owned(),
        (bare, true) => format!("-{bare}"),
        (bare, false) => bare.to_owned(),
    }))
}

fn scaled(unscaled: &str, scale: i8) -> String {
    let (sign, digits) = unscaled.strip_prefix('-').map_or(("", unscaled), |rest| ("-", rest));
    if scale <= 0 {
        let zeros = if digits == "0" { 0 } else { usize::from(scale.unsigned_abs()) };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let scale = usize::from(scale.unsigned_abs());
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}
