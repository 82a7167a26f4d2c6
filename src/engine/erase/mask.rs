//! What becomes of one value (RULES.md section 5): the same answer for the plan's counts, for the
//! rewrite, and for its proof.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::LeafType;
use crate::plan::{EraseKeys, FileWork, LeafWork, Mask, TaskIndex};

use super::coarsen::Coarsen;
use super::constant::{constant, empty};
use super::error::{Outcome, Problem};
use super::shape::Shape;
use super::values::Physical;

/// A mask that was checked against its leaf.
pub(crate) struct Masker<'a> {
    method: Method<'a>,
    /// Domain of the derivation: dataset and leaf.
    domain: Vec<u8>,
    keys: Option<&'a EraseKeys>,
}

enum Method<'a> {
    Text { prefix: &'a str, suffix: &'a str },
    Number,
    SameLength,
    Aaid,
    Null,
    Fixed(Vec<u8>),
    StripUrl,
    Coarsen(Coarsen),
    Hmac(&'a str),
    RemoveElement,
    Retain,
}

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It stays: it is in erased form already.
    Same,
    /// It becomes null.
    Null,
    /// It becomes [`Masker::replacement`].
    Put,
    /// Its element goes.
    Remove,
    /// It is kept and counted.
    Retain,
}

impl<'a> Masker<'a> {
    /// Checks a mask against its leaf. Without keys it can judge, and not replace.
    pub(crate) fn new(
        work: &FileWork,
        leaf: &'a LeafWork,
        shape: &Shape,
        keys: Option<&'a EraseKeys>,
    ) -> Outcome<Self> {
        let refuse = |what: &str| Problem::refused(format!("`{}` {what}", leaf.path));
        let elements = matches!(leaf.mask, Mask::RemoveElement | Mask::Retain { .. });
        let method = match (&leaf.mask, &shape.kind) {
            // The column has values in other files only: there is nothing to put into this one.
            (_, kind) if kind.is_null() && shape.optional && !elements => Method::Null,
            (Mask::Pseudonym { prefix, suffix }, LeafType::Text) => Method::Text { prefix, suffix },
            (Mask::Pseudonym { .. }, LeafType::Int { bits: 64, .. }) => Method::Number,
            (
                Mask::Pseudonym { .. },
                LeafType::Binary | LeafType::FixedBinary(_) | LeafType::Uuid,
            ) => Method::SameLength,
            (Mask::AaidPseudonym, LeafType::Text | LeafType::Binary)
                if shape.physical == Physical::Bytes =>
            {
                Method::Aaid
            }
            (Mask::Null, _) if shape.optional => Method::Null,
            (Mask::Null, _) => return Err(refuse("is required and cannot be null")),
            (Mask::Empty, kind) => Method::Fixed(
                empty(kind, shape.physical).ok_or_else(|| refuse("has no empty value"))?,
            ),
            (Mask::Constant(text), kind) => Method::Fixed(
                constant(kind, shape.physical, text)
                    .ok_or_else(|| refuse("cannot hold the policy's constant"))?,
            ),
            (Mask::StripUrl, LeafType::Text) => Method::StripUrl,
            (Mask::Coarsen, kind) => Method::Coarsen(
                Coarsen::of(kind, shape.physical).ok_or_else(|| refuse("cannot be coarsened"))?,
            ),
            (Mask::Hmac { key }, LeafType::Text) => Method::Hmac(key),
            (Mask::RemoveElement, _) if !shape.lists.is_empty() => Method::RemoveElement,
            (Mask::RemoveElement, _) => return Err(refuse("lies in no list or map")),
            (Mask::Retain { .. }, _) => Method::Retain,
            _ => return Err(refuse("is of a type that its erase method cannot take")),
        };
        let mut domain = b"amparo replacement 1".to_vec();
        for part in std::iter::once(work.dataset.as_str())
            .chain(leaf.path.parts().iter().map(String::as_str))
        {
            domain.extend_from_slice(&(part.len() as u64).to_le_bytes());
            domain.extend_from_slice(part.as_bytes());
        }
        Ok(Self { method, domain, keys })
    }

    pub(crate) const fn is_retain(&self) -> bool {
        matches!(self.method, Method::Retain)
    }

    pub(crate) const fn is_removal(&self) -> bool {
        matches!(self.method, Method::RemoveElement)
    }

    /// What becomes of a value.
    pub(crate) fn judge(&self, value: &[u8]) -> Verdict {
        let same = match &self.method {
            Method::Text { prefix, suffix } => is_pseudonym(value, prefix, suffix),
            Method::SameLength => value.is_empty(),
            Method::Fixed(fixed) => value == fixed,
            Method::StripUrl => stripped(value) == value,
            Method::Coarsen(coarsen) => coarsen.apply(value).is_none_or(|coarse| coarse == value),
            Method::Number | Method::Aaid | Method::Hmac(_) => false,
            Method::Null => return Verdict::Null,
            Method::RemoveElement => return Verdict::Remove,
            Method::Retain => return Verdict::Retain,
        };
        if same { Verdict::Same } else { Verdict::Put }
    }

    /// What stands in a value's place where it was judged [`Verdict::Put`]. Never the value itself.
    pub(crate) fn replacement(&self, task: TaskIndex, value: &[u8]) -> Outcome<Vec<u8>> {
        match &self.method {
            Method::Text { prefix, suffix } => {
                let digits = hex(&self.derive(task, value, 0_u32)?[..16], true);
                Ok([prefix.as_bytes(), digits.as_bytes(), suffix.as_bytes()].concat())
            }
            Method::Number => self.unlike(value, |turn| {
                let drawn = self.derive(task, value, turn)?;
                let number = u64::from_le_bytes(drawn[..8].try_into().unwrap_or_default());
                Ok((number >> 2 | 1 << 62).to_le_bytes().to_vec())
            }),
            Method::SameLength => self.unlike(value, |turn| {
                let mut drawn = Vec::with_capacity(value.len() + 32);
                let mut part = u32::from(turn) << 24;
                while drawn.len() < value.len() {
                    drawn.extend_from_slice(&self.derive(task, value, part)?);
                    part += 1;
                }
                drawn.truncate(value.len());
                Ok(drawn)
            }),
            Method::Aaid => self.unlike(value, |turn| {
                let mut drawn = self.derive(task, value, turn)?;
                // No leading zeros.
                for first in [0, 8] {
                    if drawn[first] < 0x10 {
                        drawn[first] |= 0x20;
                    }
                }
                Ok(format!("{}-{}", hex(&drawn[..8], true), hex(&drawn[8..16], true)).into_bytes())
            }),
            Method::Fixed(fixed) => Ok(fixed.clone()),
            Method::StripUrl => Ok(stripped(value).to_vec()),
            Method::Coarsen(coarsen) => {
                coarsen.apply(value).ok_or_else(|| Problem::unreadable("a value has a wrong width"))
            }
            Method::Hmac(name) => {
                let key = self
                    .keys
                    .and_then(|keys| keys.hmac.get(*name))
                    .ok_or_else(|| Problem::refused(format!("the key `{name}` is not there")))?;
                let mut mac = mac(key.expose())?;
                mac.update(value);
                Ok(hex(&mac.finalize().into_bytes(), false).into_bytes())
            }
            Method::Null | Method::RemoveElement | Method::Retain => {
                Err(Problem::refused("a value without a replacement was asked for one"))
            }
        }
    }

    /// Draws again while the draw is the value itself, which short values allow.
    fn unlike(&self, value: &[u8], draw: impl Fn(u8) -> Outcome<Vec<u8>>) -> Outcome<Vec<u8>> {
        for turn in 0..=u8::MAX {
            let drawn = draw(turn)?;
            if drawn != value {
                return Ok(drawn);
            }
        }
        Err(Problem::refused("no replacement could be drawn"))
    }

    /// 32 bytes that only the task's key and the same value of the same field give.
    fn derive(&self, task: TaskIndex, value: &[u8], part: impl Into<u32>) -> Outcome<[u8; 32]> {
        let key = self
            .keys
            .and_then(|keys| keys.tasks.get(&task))
            .ok_or_else(|| Problem::refused("the key of its task is not there"))?;
        let mut mac = mac(key.expose())?;
        mac.update(&self.domain);
        mac.update(&part.into().to_le_bytes());
        mac.update(value);
        Ok(mac.finalize().into_bytes().into())
    }
}

fn mac(key: &[u8]) -> Outcome<Hmac<Sha256>> {
    Hmac::new_from_slice(key).map_err(|_| Problem::refused("a key cannot be used"))
}

fn hex(bytes: &[u8], upper: bool) -> String {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digit = |nibble: u8| char::from(digits[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether a text is a pseudonym of the prefix, with the suffix or with none.
fn is_pseudonym(value: &[u8], prefix: &str, suffix: &str) -> bool {
    value.strip_prefix(prefix.as_bytes()).and_then(|rest| rest.split_at_checked(32)).is_some_and(
        |(digits, rest)| {
            digits.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b))
                && (rest.is_empty() || rest == suffix.as_bytes())
        },
    )
}

/// A URL without its query and fragment; what is no URL is nothing.
fn stripped(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(value.len());
    let kept = &value[..end];
    if kept.starts_with(b"/") || has_scheme(kept) { kept } else { &[] }
}

fn has_scheme(url: &[u8]) -> bool {
    let name = url.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    url.first().is_some_and(u8::is_ascii_alphabetic) && url[name..].starts_with(b"://")
}
