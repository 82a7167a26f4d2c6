//! Column indexes: the smallest and largest value of each data page of a chunk.

use super::thrift::Thrift;

/// The values of one data page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRange<'a> {
    /// Whether all values are null; `min` and `max` then mean nothing.
    pub(crate) null: bool,
    /// In plain encoding, without a length; may be shortened to something smaller.
    pub(crate) min: &'a [u8],
    /// In plain encoding, without a length; may be shortened to something larger.
    pub(crate) max: &'a [u8],
}

/// Parses a column index: one entry a data page. `None` where it makes no sense.
pub(crate) fn ranges(index: &[u8]) -> Option<Vec<PageRange<'_>>> {
    let mut thrift = Thrift::new(index, 0);
    let (mut nulls, mut mins, mut maxs) = (Vec::new(), Vec::new(), Vec::new());
    let mut field = 0;
    while let Some(kind) = thrift.field(&mut field)? {
        match (field, kind) {
            (1, Thrift::LIST) => nulls = thrift.list(Thrift::bool)?,
            (2, Thrift::LIST) => mins = thrift.list(Thrift::binary)?,
            (3, Thrift::LIST) => maxs = thrift.list(Thrift::binary)?,
            _ => thrift.skip(kind)?,
        }
    }
    if nulls.len() != mins.len() || nulls.len() != maxs.len() {
        return None;
    }
    let pages = nulls.into_iter().zip(mins).zip(maxs);
    Some(pages.map(|((null, min), max)| PageRange { null, min, max }).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_entry_a_page() {
        // null_pages [false, true], min_values ["a", ""], max_values ["b", ""], boundary order 0
        let bytes = [0x19, 0x21, 2, 1, 0x19, 0x28, 1, b'a', 0, 0x19, 0x28, 1, b'b', 0, 0x15, 0, 0];
        let found = ranges(&bytes).unwrap();
        assert_eq!(found[0], PageRange { null: false, min: b"a", max: b"b" });
        assert!(found[1].null);
        for length in 0..bytes.len() - 1 {
            assert_eq!(ranges(&bytes[..length]), None);
        }
    }
}
