//! An unambiguous encoding of lists of texts: every part with its length before it, so that no two
//! different lists have the same bytes.

/// Appends one part.
pub(crate) fn put(out: &mut Vec<u8>, part: &[u8]) {
    put_count(out, part.len());
    out.extend_from_slice(part);
}

/// Appends a number of parts to come.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_le_bytes());
}

/// The bytes of a list.
pub(crate) fn encode(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        put(&mut out, part);
    }
    out
}

/// Reads what [`put`] and [`put_count`] wrote; `None` where the bytes end too early.
pub(crate) struct Decoder<'a>(pub(crate) &'a [u8]);

impl<'a> Decoder<'a> {
    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(*self.array()?)).ok()
    }

    /// Exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(array)
    }

    pub(crate) fn part(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.part()?).ok().map(str::to_owned)
    }
}
