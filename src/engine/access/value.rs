//! A cell of a package: how it is kept between the fetch and the files, and its text forms.

use super::times;

/// One cell, or one element of a list. It has no `Debug`: it is personal data.
pub(super) enum Value<'a> {
    /// Somebody else's: not shown.
    Hidden,
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of any width.
    Int(i128),
    /// A decimal or a finite float, as a JSON number with every digit it has.
    Number(&'a str),
    /// Text: strings, UUIDs, times of day, binary, floats that are no numbers.
    Text(&'a str),
    /// Days since 1970-01-01.
    Date(i64),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Instant(i128),
    /// The elements of a list or map level.
    List(Vec<Value<'a>>),
}

/// How instants are written inside JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Instants {
    /// RFC 3339 with every digit: `profile.json`.
    Exact,
    /// `YYYY-MM-DD HH:MM:SS`: JSON text in a CSV cell.
    Seconds,
}

impl Value<'_> {
    /// Whether a cell shows nothing.
    pub(super) const fn is_blank(&self) -> bool {
        matches!(self, Self::Hidden | Self::Null)
    }

    /// The text of a CSV cell, before quoting. Blank values have none.
    pub(super) fn push_csv(&self, out: &mut String) {
        match self {
            Self::Instant(nanos) => times::push_seconds(out, *nanos),
            Self::List(_) => self.push_json(out, Instants::Seconds),
            _ => self.push_plain(out),
        }
    }

    /// Each value that a summary counts, as text: elements one by one, no nulls, instants by day.
    pub(super) fn each_counted(
        &self,
        text: &mut String,
        each: &mut dyn FnMut(&str) -> Result<(), super::AccessError>,
    ) -> Result<(), super::AccessError> {
        match self {
            Self::Hidden | Self::Null => return Ok(()),
            Self::List(items) => {
                return items.iter().try_for_each(|item| item.each_counted(text, each));
            }
            _ => {}
        }
        text.clear();
        match self {
            Self::Instant(nanos) => times::push_day(text, *nanos),
            _ => self.push_plain(text),
        }
        each(text)
    }

    /// The value as JSON; hidden elements are left out.
    pub(super) fn push_json(&self, out: &mut String, instants: Instants) {
        match self {
            Self::Hidden | Self::Null => out.push_str("null"),
            Self::Bool(_) | Self::Int(_) | Self::Number(_) => self.push_plain(out),
            Self::Text(text) => push_json_string(out, text),
            Self::Date(_) => {
                out.push('"');
                self.push_plain(out);
                out.push('"');
            }
            Self::Instant(nanos) => {
                out.push('"');
                match instants {
                    Instants::Exact => times::push_rfc3339(out, *nanos),
                    Instants::Seconds => times::push_seconds(out, *nanos),
                }
                out.push('"');
            }
            Self::List(items) => {
                let mut open = '[';
                for item in items.iter().filter(|item| !matches!(item, Value::Hidden)) {
                    out.push(open);
                    item.push_json(out, instants);
                    open = ',';
                }
                out.push_str(if open == '[' { "[]" } else { "]" });
            }
        }
    }

    fn push_plain(&self, out: &mut String) {
        match self {
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => out.push_str(&value.to_string()),
            Self::Number(text) | Self::Text(text) => out.push_str(text),
            Self::Date(days) => times::push_date(out, i128::from(*days)),
            Self::Hidden | Self::Null | Self::Instant(_) | Self::List(_) => {}
        }
    }
}

/// A JSON string: quotes, backslashes and control characters escaped.
pub(super) fn push_json_string(out: &mut String, text: &str) {
    use std::fmt::Write;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Appends encoded values: one tag byte, then lengths and numbers as LEB128.
pub(super) mod encode {
    pub(in super::super) const HIDDEN: u8 = 0;
    pub(in super::super) const NULL: u8 = 1;
    pub(in super::super) const FALSE: u8 = 2;
    pub(in super::super) const TRUE: u8 = 3;
    pub(in super::super) const INT: u8 = 4;
    pub(in super::super) const NUMBER: u8 = 5;
    pub(in super::super) const TEXT: u8 = 6;
    pub(in super::super) const DATE: u8 = 7;
    pub(in super::super) const INSTANT: u8 = 8;
    pub(in super::super) const LIST: u8 = 9;

    /// A number, zigzag so that small negative ones stay short.
    pub(in super::super) fn signed(out: &mut Vec<u8>, tag: u8, value: i128) {
        out.push(tag);
        unsigned(out, ((value << 1) ^ (value >> 127)).cast_unsigned());
    }

    /// A text with its length.
    pub(in super::super) fn text(out: &mut Vec<u8>, tag: u8, text: &str) {
        out.push(tag);
        unsigned(out, text.len() as u128);
        out.extend_from_slice(text.as_bytes());
    }

    /// The head of a list; its elements follow.
    pub(in super::super) fn list(out: &mut Vec<u8>, length: usize) {
        out.push(LIST);
        unsigned(out, length as u128);
    }

    fn unsigned(out: &mut Vec<u8>, mut value: u128) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                out.push(low);
                return;
            }
            out.push(low | 0x80);
        }
    }
}

/// Reads what [`encode`] wrote; `None` where the bytes are not its.
pub(super) fn decode<'a>(bytes: &mut &'a [u8]) -> Option<Value<'a>> {
    Some(match *take(bytes, 1)?.first()? {
        encode::HIDDEN => Value::Hidden,
        encode::NULL => Value::Null,
        encode::FALSE => Value::Bool(false),
        encode::TRUE => Value::Bool(true),
        encode::INT => Value::Int(signed(bytes)?),
        encode::NUMBER => Value::Number(text(bytes)?),
        encode::TEXT => Value::Text(text(bytes)?),
        encode::DATE => Value::Date(i64::try_from(signed(bytes)?).ok()?),
        encode::INSTANT => Value::Instant(signed(bytes)?),
        encode::LIST => {
            let length = usize::try_from(unsigned(bytes)?).ok()?;
            // Each element takes at least a byte: a wrong length cannot reserve more than there is.
            let mut items = Vec::with_capacity(length.min(bytes.len()));
            for _ in 0..length {
                items.push(decode(bytes)?);
            }
            Value::List(items)
        }
        _ => return None,
    })
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(unsigned(bytes)?).ok()?;
    std::str::from_utf8(take(bytes, length)?).ok()
}

fn signed(bytes: &mut &[u8]) -> Option<i128> {
    let value = unsigned(bytes)?;
    Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
}

fn unsigned(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0;
    for shift in (0..128).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        value |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
