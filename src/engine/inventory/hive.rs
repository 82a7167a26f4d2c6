//! Hive partition directories: `column=value`, percent-encoded.
//!
//! Decided: partition values are text, always. `month=01` and `month=1` are different values, and an
//! identity `042` matches `id=042` and not `id=42`: what the directory is called is what the row has.

use std::path::{Component, Path};

/// What Hive writes for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// One partition column and its value; `None` is the null partition.
pub(super) type Partition = (String, Option<String>);

/// The raw column name, the decoded one and the decoded value of a directory's name; `None` where it is
/// no partition.
pub(in crate::engine) fn split(name: &str) -> Option<(&str, String, Option<String>)> {
    let (raw, value) = name.split_once('=')?;
    if raw.is_empty() {
        return None;
    }
    let column = decode(raw)?;
    let value = if value == NULL { None } else { Some(decode(value)?) };
    Some((raw, column, value))
}

/// The partitions of a file, from its path relative to the location.
///
/// # Errors
/// A fragment: a column twice, or a name that does not decode to text.
pub(super) fn partitions(inner: &Path) -> Result<Vec<Partition>, String> {
    let mut found: Vec<Partition> = Vec::new();
    let Some(folder) = inner.parent() else { return Ok(found) };
    for part in folder.components() {
        let Component::Normal(name) = part else { continue };
        let name = name.to_str().ok_or("lies in a folder whose name is not text")?;
        if !name.contains('=') || name.starts_with('=') {
            continue;
        }
        let (_, column, value) =
            split(name).ok_or("lies in a partition whose name does not decode to text")?;
        if found.iter().any(|(known, _)| *known == column) {
            return Err(format!("lies in two partitions of the column `{column}`"));
        }
        found.push((column, value));
    }
    Ok(found)
}

/// Percent-decoding; what is no escape stays as it is. `None` where the bytes are no text.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let value = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decodes_names_values_and_null() {
        assert_eq!(split("a%20b=x%2Fy"), Some(("a%20b", "a b".into(), Some("x/y".into()))));
        assert_eq!(split("d=__HIVE_DEFAULT_PARTITION__"), Some(("d", "d".into(), None)));
        assert_eq!(split("d=").unwrap().2, Some(String::new()));
        assert_eq!(split("d=100%"), Some(("d", "d".into(), Some("100%".into()))));
        assert_eq!(split("d=a=b").unwrap().2, Some("a=b".into()));
        assert_eq!(split("plain"), None);
        assert_eq!(split("d=%ff"), None);
    }

    #[test]
    fn partitions_stand_in_the_order_of_the_path() {
        let inner = Path::new("y=2026/plain/m=01/f.parquet");
        let expected = [("y".to_owned(), Some("2026".to_owned())), ("m".into(), Some("01".into()))];
        assert_eq!(partitions(inner).unwrap(), expected);
        assert!(partitions(Path::new("y=1/y=2/f.parquet")).is_err());
    }
}
